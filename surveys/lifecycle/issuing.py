"""Issuing tokens for personal links, and inviting people: the wave's signing key, used here and for nothing else."""

import asyncio
import hashlib
import os
from datetime import date
from functools import lru_cache
from pathlib import Path

from surveys.blind import PublicKey, SigningKey, TokenRefused, generate_key, sign_blinded
from surveys.lifecycle import frozen
from surveys.lifecycle.context import Site, destroy_file, sign_path
from surveys.people import links, log, undelivered
from surveys.people.links import Invitation, Link, LinkState
from surveys.public import waves
from surveys.public.waves import State, WrongState

FINGERPRINT_LETTERS = 16
"""So much of the key's fingerprint travels in each link of a wave of version 1."""


class LinkRefused(Exception):
    """No token for this link; `reason` is ``unknown``, ``over``, ``taken`` (`when`: the day, if it is known) or ``broken``."""

    def __init__(self, reason: str, when: date | None = None) -> None:
        super().__init__(reason)
        self.reason, self.when = reason, when


def key_file(site: Site, wave: str) -> Path:
    return sign_path(site.data, wave)


def make_token_key(site: Site, wave: str) -> bytes:
    """Make the wave's signing key and keep it in a file of its own; gives the public half (DER)."""
    key = generate_key()
    path = key_file(site, wave)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(key.to_pem())
        file.flush()
        os.fsync(file.fileno())
    return key.public.to_der()


def destroy_token_key(site: Site, wave: str) -> None:
    """Overwrite and remove the signing key: from now on nobody can issue a token."""
    destroy_file(key_file(site, wave))


@lru_cache(maxsize=4)
def _signing_key(path: Path, public: bytes) -> SigningKey:
    key = SigningKey.from_pem(path.read_bytes())
    if key.public != PublicKey.from_der(public):
        raise LinkRefused("over")
    return key


async def issue(site: Site, link: str, z: bytes) -> bytes:
    """Sign one blinded value for a link: once, and again only for the very same value.

    Raises
    ------
    LinkRefused
        Nothing was issued.
    """
    entry = await links.find(link)
    if entry is None:
        raise LinkRefused("unknown")
    asked = hashlib.sha256(z).digest()
    record = await waves.get(entry.wave)
    path = key_file(site, entry.wave)
    if record.state != State.OPEN or not path.exists():
        raise LinkRefused("over")
    if entry.issued is not None:
        if entry.asked != asked:
            raise LinkRefused("taken", entry.issued)
        return entry.signed
    try:
        signed = await asyncio.to_thread(sign_blinded, _signing_key(path, record.token_key), z)
    except TokenRefused:
        raise LinkRefused("broken") from None
    if not await links.mark_issued(site.engines["people"], entry.row, link, asked, signed, site.day):
        raise LinkRefused("taken", site.day)  # two at once: the other was first
    return signed


async def state_of(link: str) -> LinkState | None:
    """What became of a link, for whoever holds it: the days on which tokens were issued; None if there is no such link."""
    return await links.find(link)


def address_of(site: str, link: Link, mark: str) -> str:
    """The address that is sent: the link and what its phone compares behind ``#``, which no browser sends to a server."""
    return f"{site}/answer#l={link}.{mark}"


MESSAGES = {"invite": ("invitation", True), "remind": ("reminder", False), "remind_missing": ("reminder", True)}
"""What HR sends by mail: its kind, and whether it goes to those alone who have no token yet."""


async def put_into_outbox(site: Site, wave: str, message: str) -> int:
    """Put one of the `MESSAGES` into the outbox, for the jobs to send (`invite_by_mail`)."""
    kind, only_missing = MESSAGES[message]
    return await invite_by_mail(site, wave, kind, only_missing=only_missing)


async def invite_by_mail(site: Site, wave: str, kind: str, *, only_missing: bool) -> int:
    """Put an e-mail for everyone of the channel into the outbox: an invitation or a reminder, each with a new link
    that is drawn as it leaves.

    A reminder to all looks the same for everyone. To those alone without a token it is read by this job and never
    listed; the mail server sees to whom it goes, and the log says which of the two it was.

    Raises
    ------
    WrongState
        If the wave is not open.
    AddressOther
    """
    await _check_open(site, wave)
    people = site.engines["people"]
    members = await links.members_of(wave, "email", only_missing=only_missing)
    first = not await links.has_messages(wave)  # before it nobody has a link, nor a code: to be named tells nothing
    everybody = not only_missing or (first and members == await links.members_of(wave, "email", only_missing=False))
    if everybody:
        await undelivered.unname(people, wave)
    sent = await links.put_out(people, wave, kind, members, named=everybody)
    whom = "missing" if only_missing else "all"
    await log.record(people, site.day, site.actor, f"mail {kind}", wave=wave, whom=whom)
    return sent


async def invite_corrected(site: Site, wave: str) -> int:
    """Send an invitation to every address that was corrected after messages had left; gives to how many.

    It goes to each of them, whether she has a code or not: her link is a new one, and her right to one code stays what it was.

    Raises
    ------
    WrongState
        If the wave is not open.
    AddressOther
    """
    await _check_open(site, wave)
    people = site.engines["people"]
    async with people.transaction():
        sent = await undelivered.send_mended(people, wave)
        await log.record(people, site.day, site.actor, "mail corrected", wave=wave, n=str(sent))
    return sent


async def _check_open(site: Site, wave: str) -> None:
    record = await waves.get(wave)
    if record.state != State.OPEN:
        raise WrongState(wave, record.state, (State.OPEN,))
    await frozen.check_invitations(site.data, wave)


async def hand_over(site: Site, wave: str, channel: str) -> list[Invitation]:
    """New links of a channel to print or to give to a gateway, for everybody: who were left out would have a token.

    Who has one keeps it, and her new link says so to whoever opens it.

    Raises
    ------
    WrongState
        If the wave is not open.
    AddressOther
    """
    await _check_open(site, wave)
    people = site.engines["people"]
    drawn = await links.draw(people, await links.members_of(wave, channel, only_missing=False))
    await log.record(people, site.day, site.actor, "links made", wave=wave, channel=channel, n=str(len(drawn)))
    return drawn


async def switch_to_slip(site: Site, wave: str, person: int) -> bool:
    """Let somebody draw a slip instead: her link ends first. The log says that it happened, not who.

    Raises
    ------
    WrongState
        If the wave is not open.
    """
    record = await waves.get(wave)
    if record.state != State.OPEN:
        raise WrongState(wave, record.state, (State.OPEN,))
    switched = await links.switch_to_slip(site.engines["people"], wave, person)
    if switched:
        await log.record(site.engines["people"], site.day, site.actor, "switched to slip", wave=wave)
    return switched
