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

from surveys.engines import PooledSQLite, StoreEngine
from surveys.people.tables import Outbox, Panel, Person

Link = NewType("Link", str)

CHANNELS = ("email", "sms", "letter")
"""How a link may reach somebody; whom none reaches draws a slip."""
SLIP = "slip"
WAITING, SENT, FAILED = "waiting", "sent", "failed"
TRIES = 5
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
    """A new link and whom it is for; it exists until it is handed over, and is not kept."""

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
        int(row["id"]), str(row["wave"]), row["issued"], row["before"], bytes(row["asked"] or b""), bytes(row["signed"] or b"")
    )  # fmt: skip


async def mark_issued(engine: StoreEngine, row: int, asked: bytes, signed: bytes, day: date) -> bool:
    """Keep that a token was issued, once: False if it already was."""
    async with engine.transaction():
        changed = (
            await Panel.update({Panel.issued: day, Panel.asked: asked, Panel.signed: signed})
            .where((Panel.id == row) & Panel.issued.is_null())
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
    return int(first) + int(await Panel.count().where((Panel.wave == wave) & Panel.before.is_not_null()))


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


async def draw(
    engine: StoreEngine, wave: str, channel: str, *, only_missing: bool, only: int | None = None
) -> list[Invitation]:
    """Make new links for everyone of a channel, for those alone to whom no token was issued, or for one; old links end.

    Whoever calls this hands the links over and forgets them.
    """
    wanted = (Panel.wave == wave) & (Panel.channel == channel)
    if only_missing:
        wanted = wanted & Panel.issued.is_null()
    if only is not None:
        wanted = wanted & (Panel.person == only)
    rows = await Panel.select(Panel.id, Panel.person).where(wanted)
    people = {
        int(person["id"]): person
        for person in await Person.select(Person.id, Person.name, Person.contact, Person.language)
    }
    drawn = []
    async with engine.transaction():
        for row in sorted(rows, key=lambda row: int(row["id"])):
            person = people.get(int(row["person"]))
            if person is None:  # left since
                continue
            link = new_link()
            await Panel.update({Panel.link: link_digest(link)}).where(Panel.id == int(row["id"]))
            drawn.append(Invitation(str(person["name"]), str(person["contact"]), str(person["language"]), link))
    return drawn


async def switch_to_slip(engine: StoreEngine, wave: str, person: int) -> bool:
    """Take somebody's link away so that she may draw a slip; False if she has none or a token was issued for it."""
    async with engine.transaction():
        changed = (
            await Panel.update({Panel.channel: SLIP, Panel.link: b""})
            .where((Panel.wave == wave) & (Panel.person == person) & (Panel.channel != SLIP) & Panel.issued.is_null())
            .returning(Panel.id)
        )
    return len(changed) == 1


async def forget_links(engine: StoreEngine, wave: str) -> None:
    """After the closing: no link works, no blinded value is kept, no message waits. The day of issue stays."""
    async with engine.transaction():
        await Panel.update({Panel.link: b"", Panel.asked: b"", Panel.signed: b""}).where(Panel.wave == wave)
        await Outbox.delete().where(Outbox.wave == wave)


async def leave_no_trace(engine: StoreEngine) -> None:
    """Rewrite what held links and messages: wiped rows stay readable in old pages, tuples and the log until then."""
    if isinstance(engine, PooledSQLite):
        await engine.vacuum()
        return
    for table in ("outbox", "panel", "two_key_act"):
        await engine._run_in_new_connection(f"VACUUM FULL {table}")


@dataclass(frozen=True, slots=True)
class Letter:
    """A message to put into the outbox."""

    address: str = field(repr=False)
    subject: str
    text: str = field(repr=False)


async def put_out(
    engine: StoreEngine, wave: str, kind: str, letters: Iterable[Letter], *, replacing: bool = True
) -> int:
    """Put messages into the outbox; whatever of this wave still waits there is replaced, unless one more is added."""
    waiting = list(letters)
    async with engine.transaction():
        if replacing:
            await Outbox.delete().where((Outbox.wave == wave) & (Outbox.state == WAITING))
        for start in range(0, len(waiting), _CHUNK):
            await Outbox.insert(
                *(
                    Outbox(
                        id=secrets.randbits(62), wave=wave, kind=kind, state=WAITING, address=letter.address,
                        subject=letter.subject, text=letter.text,
                    )
                    for letter in waiting[start : start + _CHUNK]
                )
            )  # fmt: skip
    return len(waiting)


async def outbox_counts(wave: str) -> dict[str, int]:
    """Messages by state."""
    found: dict[str, int] = {}
    for row in await Outbox.select(Outbox.state).where(Outbox.wave == wave):
        found[str(row["state"])] = found.get(str(row["state"]), 0) + 1
    return found


async def waiting(limit: int) -> list[tuple[int, Letter]]:
    """The next messages to send, in random order: keys are random."""
    rows = await Outbox.select().where(Outbox.state == WAITING).order_by(Outbox.id).limit(limit)
    return [(int(row["id"]), Letter(str(row["address"]), str(row["subject"]), str(row["text"]))) for row in rows]


async def delivered(engine: StoreEngine, row: int, day: date) -> None:
    """Wipe a message that the mail server took."""
    async with engine.transaction():
        await Outbox.update(
            {Outbox.state: SENT, Outbox.day: day, Outbox.address: "", Outbox.subject: "", Outbox.text: ""}
        ).where(Outbox.id == row)


async def not_delivered(engine: StoreEngine, row: int, day: date, *, for_good: bool) -> None:
    """Count a failed try; after five, or when the address is refused for good, the message is wiped and failed."""
    async with engine.transaction():
        before = await Outbox.select(Outbox.tries).where(Outbox.id == row).first()
        tries = (int(before["tries"]) if before else 0) + 1
        if for_good or tries >= TRIES:
            await Outbox.update(
                {Outbox.state: FAILED, Outbox.day: day, Outbox.tries: tries, Outbox.address: "", Outbox.text: ""}
            ).where(Outbox.id == row)
        else:
            await Outbox.update({Outbox.tries: tries}).where(Outbox.id == row)
