"""Personal links: who has one, whether a token was issued for it, and the messages that carry it.

A link is 128 random bits; its digest alone is kept. A new message to somebody carries a new link, and the old one ends.
"""

import base64
import hashlib
import re
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import NewType

from surveys import stirring
from surveys.cells import octets
from surveys.engines import StoreEngine
from surveys.people.tables import Outbox, Panel, Person, TwoKeyAct

Link = NewType("Link", str)

CHANNELS = ("email", "sms", "letter")
"""How a link may reach somebody; whom none reaches draws a slip."""
SLIP = "slip"
WAITING, SENT, FAILED = "waiting", "sent", "failed"
_LINK = re.compile(r"[A-Za-z0-9_-]{22}")
_PHONE = re.compile(r"\+?[0-9][0-9 ./-]{6,18}")
_CHUNK = 100


def new_link() -> Link:
    return Link(base64.urlsafe_b64encode(secrets.token_bytes(16)).rstrip(b"=").decode())


def link_digest(text: str) -> bytes | None:
    """SHA-256 of a link as it is looked up; None if the text cannot be one."""
    return hashlib.sha256(text.encode()).digest() if _LINK.fullmatch(text) else None


def channel_for(contact: str, offered: Sequence[str]) -> str:
    """By which of the offered channels somebody with this contact is reached; else a slip."""
    if "@" in contact and "email" in offered:
        return "email"
    if _PHONE.fullmatch(contact.strip()) and "sms" in offered:
        return "sms"
    return "letter" if "letter" in offered else SLIP


@dataclass(frozen=True, slots=True)
class LinkState:
    """One link of a panel: its wave, the day on which a token was issued, and of an earlier one, or None."""

    row: int
    wave: str
    issued: date | None
    before: date | None
    asked: bytes
    signed: bytes


@dataclass(frozen=True, slots=True)
class Invitation:
    """A new link and whom it is for; it exists until it is handed over, and is not kept. `member` is her panel row."""

    member: int
    name: str = field(repr=False)
    contact: str = field(repr=False)
    language: str
    link: Link = field(repr=False)


async def find(text: str) -> LinkState | None:
    """The panel entry of a link, or None."""
    digest = link_digest(text)
    if digest is None:
        return None
    row = (
        await Panel.select(Panel.id, Panel.wave, Panel.issued, Panel.before, Panel.asked, Panel.signed)
        .where(Panel.link == digest)
        .first()
    )
    if row is None:
        return None
    return LinkState(
        int(row["id"]),
        str(row["wave"]),
        row["issued"],
        row["before"],
        octets(row["asked"]),
        octets(row["signed"]),
    )


async def mark_issued(engine: StoreEngine, row: int, link: str, asked: bytes, signed: bytes, day: date) -> bool:
    """Keep that a token was issued for a link, once: False if it already was, or the link was ended or replaced meanwhile."""
    async with engine.transaction():
        changed = (
            await Panel.update({Panel.issued: day, Panel.asked: asked, Panel.signed: signed})
            .where((Panel.id == row) & (Panel.link == link_digest(link)) & Panel.issued.is_null())
            .returning(Panel.id)
        )
    return len(changed) == 1


async def counts(wave: str) -> dict[str, int]:
    """How many panel members each channel has."""
    rows = await Panel.select(Panel.channel).where(Panel.wave == wave)
    found: dict[str, int] = {}
    for row in rows:
        found[str(row["channel"])] = found.get(str(row["channel"]), 0) + 1
    return found


async def issued(wave: str) -> int:
    """How many tokens were issued, second ones counted."""
    first = await Panel.count().where((Panel.wave == wave) & Panel.issued.is_not_null())
    return int(first) + await issued_before(wave)


async def issued_before(wave: str) -> int:
    """Of how many people the panel says that they had a token before their last one."""
    return int(await Panel.count().where((Panel.wave == wave) & Panel.before.is_not_null()))


async def channel_of(wave: str, person: int) -> str | None:
    """By which channel somebody of the panel answers; None if she is not invited."""
    row = await Panel.select(Panel.channel).where((Panel.wave == wave) & (Panel.person == person)).first()
    return str(row["channel"]) if row else None


async def allow_again(engine: StoreEngine, wave: str, person: int) -> None:
    """End somebody's link and let a new one give a token, though one may have been issued; its day stays."""
    whom = (Panel.wave == wave) & (Panel.person == person)
    async with engine.transaction():
        found = await Panel.select(Panel.issued, Panel.before).where(whom).first()
        if found is not None:
            before = found["before"] or found["issued"]
            await Panel.update(
                {Panel.before: before, Panel.issued: None, Panel.link: b"", Panel.asked: b"", Panel.signed: b""}
            ).where(whom)


async def members_of(wave: str, channel: str, *, only_missing: bool, only: int | None = None) -> list[int]:
    """The panel rows of a channel: everyone, those alone to whom no token was issued, or one person's."""
    wanted = (Panel.wave == wave) & (Panel.channel == channel)
    if only_missing:
        wanted = wanted & Panel.issued.is_null()
    if only is not None:
        wanted = wanted & (Panel.person == only)
    return [int(row["id"]) for row in await Panel.select(Panel.id).where(wanted).order_by(Panel.id)]


async def propose(members: Sequence[int]) -> list[Invitation]:
    """New links for these panel rows, in memory alone: none works before it is kept. Who has left gets none."""
    rows = await Panel.select(Panel.id, Panel.person).where(Panel.id.is_in(list(members))) if members else []
    numbers = [int(row["person"]) for row in rows]
    columns = (Person.id, Person.name, Person.contact, Person.language)
    found = await Person.select(*columns).where(Person.id.is_in(numbers)) if numbers else []
    people = {int(person["id"]): person for person in found}
    return [
        Invitation(int(row["id"]), str(person["name"]), str(person["contact"]), str(person["language"]), new_link())
        for row in sorted(rows, key=lambda row: int(row["id"]))
        if (person := people.get(int(row["person"]))) is not None
    ]


async def keep(engine: StoreEngine, invitations: Iterable[Invitation]) -> None:
    """Let these links work; the old ones of the same people end."""
    async with engine.transaction():
        for invitation in invitations:  # whoever took a slip meanwhile has no link any more
            await Panel.update({Panel.link: link_digest(invitation.link)}).where(
                (Panel.id == invitation.member) & (Panel.channel != SLIP)
            )


async def draw(engine: StoreEngine, members: Sequence[int]) -> list[Invitation]:
    """Make new links for these panel rows that work at once.

    Whoever calls this hands the links over and forgets them.
    """
    drawn = await propose(members)
    await keep(engine, drawn)
    return drawn


async def switch_to_slip(engine: StoreEngine, wave: str, person: int) -> bool:
    """Take somebody's link away so that she may draw a slip; False if she has none or a token was issued for it."""
    async with engine.transaction():
        changed = (
            await Panel.update({Panel.channel: SLIP, Panel.link: b""})
            .where((Panel.wave == wave) & (Panel.person == person) & (Panel.channel != SLIP) & Panel.issued.is_null())
            .returning(Panel.id)
        )
        for row in changed:  # nor does a message leave that would bring one
            await Outbox.delete().where((Outbox.member == int(row["id"])) & (Outbox.state == WAITING))
    return len(changed) == 1


async def forget_links(engine: StoreEngine, wave: str) -> None:
    """After the closing: no link works, no blinded value is kept, no message waits. The day of issue stays."""
    async with engine.transaction():
        await Panel.update({Panel.link: b"", Panel.asked: b"", Panel.signed: b""}).where(Panel.wave == wave)
        await Outbox.delete().where(Outbox.wave == wave)


async def are_there(wave: str) -> bool:
    """Whether a link of a wave still works, a blinded value is kept or a message waits."""
    kept = (Panel.link != b"") | (Panel.asked != b"") | (Panel.signed != b"")
    return await Panel.exists().where((Panel.wave == wave) & kept) or await Outbox.exists().where(Outbox.wave == wave)


async def leave_no_trace(engine: StoreEngine) -> None:
    """Rewrite what held links and messages: wiped rows stay readable in old pages, tuples and the log until then."""
    await engine.rewrite(Outbox, Panel, TwoKeyAct)


async def touched() -> tuple[int, int, int]:
    """How many tokens were issued, issued again and taken by slip: while the numbers stay, nothing need be stirred."""
    return (
        int(await Panel.count().where(Panel.issued.is_not_null())),
        int(await Panel.count().where(Panel.before.is_not_null())),
        int(await Panel.count().where(Panel.channel == SLIP)),
    )


async def stir(engine: StoreEngine) -> None:
    """Take away what tells in which order tokens were issued (PRIVACY 3.8)."""
    await stirring.stir(engine, Panel)


async def put_out(
    engine: StoreEngine, wave: str, kind: str, members: Sequence[int], *, replacing: bool = True, named: bool = False
) -> int:
    """Put a message for each panel row into the outbox; what of this wave still waits is replaced, or one more is added.

    `named` says that they are everybody of the channel: then whose message fails may be told. Of two who replace at once, the
    second replaces what the first put out: nobody gets two.
    """
    async with engine.writing_alone(Outbox) if replacing else engine.transaction():
        if replacing:
            await Outbox.delete().where((Outbox.wave == wave) & (Outbox.state == WAITING))
        for start in range(0, len(members), _CHUNK):
            await Outbox.insert(
                *(
                    Outbox(id=secrets.randbits(62), wave=wave, kind=kind, state=WAITING, member=member, named=named)
                    for member in members[start : start + _CHUNK]
                )
            )
    return len(members)


async def outbox_counts(wave: str) -> dict[str, int]:
    """Messages by state."""
    found: dict[str, int] = {}
    for row in await Outbox.select(Outbox.state).where(Outbox.wave == wave):
        found[str(row["state"])] = found.get(str(row["state"]), 0) + 1
    return found


async def has_messages(wave: str) -> bool:
    """Whether any message of a wave was put out, whatever became of it."""
    return bool(await Outbox.exists().where(Outbox.wave == wave))


async def n_waiting() -> int:
    """How many messages wait to be sent."""
    return int(await Outbox.count().where(Outbox.state == WAITING))
