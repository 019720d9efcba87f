"""Reading comments: the guarantee team opens them with its words; each is let out by two people, or withheld by two."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, PublicKey, SealedBox

from surveys.answers.keys import SecretRefused, holder_key, read_secret
from surveys.legible import legible
from surveys.lifecycle.context import Site, keep_once
from surveys.lifecycle.marking import Mark, marks, name_words, without
from surveys.lifecycle.planning import GUARANTEE
from surveys.people import log, roster
from surveys.public import comments, waves
from surveys.public.comments import PROPOSED, SEALED, CommentRecord
from surveys.public.signing import installation_key

LEAST = 10
"""A set of comments is kept only from ten on (PRIVACY 2.5); fewer are destroyed with the urn."""


@dataclass(frozen=True)
class Readable:
    """One opened comment. What may name somebody is looked for when it is asked for: it takes a tenth of a second, of some texts
    seconds, and a page shows one comment of hundreds."""

    id: int
    item: str
    text: str = field(repr=False)
    proposed: str | None = field(repr=False)
    """The wording that somebody has proposed, empty for none at all; None if nobody has."""
    proposed_by: str
    names: frozenset[str] = field(repr=False)

    @cached_property
    def marks(self) -> tuple[Mark, ...]:
        """What may name somebody."""
        return tuple(marks(self.text, self.names))

    @property
    def wording(self) -> str:
        """What would be published: as proposed, or with all marks taken out."""
        return without(self.text, self.marks) if self.proposed is None else self.proposed


def sealed_to_team(found: Mapping[str, Sequence[str]], key: bytes, least: int) -> dict[str, list[bytes]]:
    """Seal each comment by itself, of questions that have at least `least`; each in an envelope of one size."""
    box = SealedBox(PublicKey(key))
    return {
        item: [box.encrypt(text.encode().ljust(_SIZE, b"\0")) for text in texts]
        for item, texts in found.items()
        if len(texts) >= max(LEAST, least)
    }


WORDING_LETTERS = 1000
_SIZE = 4096
"""A thousand characters of any of the nine languages fit."""


class CommentDecided(Exception):
    """A comment waits no more: two people decided it meanwhile, and no word about it is taken."""


class WordingTooLong(ValueError):
    """A wording has more letters than an envelope surely holds."""


def _opened(envelope: bytes, key: PrivateKey) -> str:
    return (
        SealedBox(key).decrypt(envelope).rstrip(b"\0").decode(errors="ignore")
    )  # one of before may be cut within a letter


async def _key(wave: str, secret: str) -> PrivateKey:
    record = await waves.get(wave)
    seat = record.holders.get(GUARANTEE)
    key = holder_key(read_secret(secret), wave, GUARANTEE)
    if seat is None or bytes(key.public_key).hex() != seat["key"]:
        raise SecretRefused("not the words of the guarantee team")
    return key


async def open_comments(wave: str, secret: str) -> list[Readable]:
    """Open what still waits, in memory.

    Raises
    ------
    SecretRefused
        If the words are not the team's.
    """
    key = await _key(wave, secret)
    people = await roster.names()
    names = name_words([*people, *(unit.name for unit in await roster.units())])
    readable = []
    for record in await comments.of_wave(wave):
        if record.state in (SEALED, PROPOSED):
            try:
                text = _opened(record.sealed, key)
            except CryptoError:  # what was written over opens nobody's desk: the others are read
                continue
            proposed = _opened(record.proposal, key) if record.proposal and record.is_ours else None
            readable.append(Readable(record.id, record.item, text, proposed, record.proposed_by, names))
    return readable


async def _waiting(wave: str, comment: int) -> CommentRecord | None:
    found = (record for record in await comments.of_wave(wave) if record.id == comment)
    return next((record for record in found if record.state in (SEALED, PROPOSED)), None)


def update_path(data: Path) -> Path:
    """Where stands that comments of before were signed; written once in the life of an installation."""
    return data / "keys" / "comments.json"


async def keep_at_update(site: Site) -> None:
    """Sign, once, what the version before let out: from then on only what is signed is shown."""
    if not update_path(site.data).exists():
        await comments.sign_at_update(site.engines["public"], installation_key(site.data))
        keep_once(update_path(site.data), b"[]")


async def put_forward(site: Site, wave: str, comment: int, wording: str, secret: str) -> bool:
    """Agree to a wording ("" withholds the comment): the first person proposes it, another who sends the same decides.

    Returns
    -------
    Whether the comment is decided now.

    Raises
    ------
    SecretRefused
    CommentDecided
    WordingTooLong
        Over a thousand letters: nothing was kept.
    """
    key = await _key(wave, secret)
    record = await _waiting(wave, comment)
    if record is None:
        raise CommentDecided
    wording = legible(wording, lines=True)
    if len(wording) > WORDING_LETTERS:
        raise WordingTooLong
    public = site.engines["public"]
    installation = installation_key(site.data)
    same = bool(record.proposal) and record.is_ours and _opened(record.proposal, key) == wording
    if same and record.proposed_by not in ("", site.actor):
        if not await comments.decide(public, installation, record, wording, publish=bool(wording)):
            return False
        act = "comment published" if wording else "comment withheld"
        await log.record(site.engines["people"], site.day, site.actor, act, wave=wave)
        return True
    sealed = SealedBox(key.public_key).encrypt(wording.encode().ljust(_SIZE, b"\0"))
    if not await comments.propose(public, installation, record, sealed, site.actor):
        raise CommentDecided
    return False
