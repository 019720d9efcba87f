"""Scorecards that are kept: what the practice's arithmetic gave on a day, with all it stood on, signed. Appended to, never changed.

A kept scorecard is printed from its own text alone, so it says the same whatever becomes of evidence, catalogue or staff list. It names
the one that was kept before it with its digest: one that is taken out between two others is missed.
"""

import hashlib
from collections.abc import Iterable
from datetime import date
from fractions import Fraction

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec.structs import replace

from analysis.document import ReleaseInvalid
from surveys import cells
from surveys.engines import StoreEngine
from surveys.public.releases import own_key
from surveys.public.signing import is_signed, sign
from surveys.public.tables import KeptScorecard

SCHEMA = "ascolto-scorecard/1"


class ScorecardInvalid(ReleaseInvalid):
    """What is stored is not what this installation signed, or no scorecard; nothing of it is shown."""


class Paper(msgspec.Struct, frozen=True):
    """A document of the evidence: its title and day, and the SHA-256 of a kept file or the address of another."""

    title: str
    day: str
    sha256: str
    link: str


class Perceived(msgspec.Struct, frozen=True):
    """How people live it, as published: the figure as it is printed and its limits."""

    state: str
    index: float | str | None
    low: int | None
    high: int | None


class Line(msgspec.Struct, frozen=True):
    """One indicator: what was written of it, what counted (``met``, ``partly``, ``not_met``, ``not_assessed``, ``expired``)."""

    id: str
    text_it: str
    text_en: str
    kind: str
    points: int
    counted: str
    set_by: str
    set_on: str
    reviewed_by: str
    reviewed_on: str
    last: str
    figure: str
    source: str
    papers: tuple[Paper, ...]
    perception: Perceived | None


class Area(msgspec.Struct, frozen=True):
    """Points of one area; ``earned + lost + open == applicable``."""

    number: int
    weight: int
    applicable: int
    earned: int
    lost: int
    open: int
    index: float | str | None
    low: int | None
    high: int | None


class Scorecard(msgspec.Struct, frozen=True, omit_defaults=True):
    """A scorecard as it stood on a day. Totals are fractions of 100 as text (``"109/4"``): no digit is rounded away."""

    schema: str
    name: str
    """``2026-1`` is the first that was kept in a year; "" of one that is not kept."""
    edition: str
    year: int
    day: str
    kept_by: str
    band: int
    threshold: int
    earned: str
    lost: str
    open: str
    reaches: bool | None
    areas: tuple[Area, ...]
    lines: tuple[Line, ...]
    wave: str
    wave_signature: str
    before: str | None = None
    """``2025-1`` and the SHA-256 of its text, with a blank between: the one that was there as the last. "" of the first; None of one
    that is not kept, or that a version before this kept."""

    def named_before(self) -> tuple[str, str] | None:
        """The name and the digest of the one before; None where it names none."""
        name, blank, digest = (self.before or "").partition(" ")
        return (name, digest) if blank else None

    def total(self, part: str) -> Fraction:
        """``earned``, ``lost`` or ``open``, of 100."""
        return Fraction({"earned": self.earned, "lost": self.lost, "open": self.open}[part])


def _message(text: str) -> bytes:
    return f"ascolto scorecard 1\n{text}".encode()


async def keep(engine: StoreEngine, card: Scorecard, key: Ed25519PrivateKey, taken: Iterable[str] = ()) -> str:
    """Sign and append a scorecard; gives its name, ``2026-1`` for the first of a year.

    `taken` are names that were given, also of those that are no longer there: none is given twice. Where the last one says just
    the same, its name is given and nothing is appended: a form that was sent twice.
    """
    async with engine.writing_alone(KeptScorecard):
        there = await digests()
        of_year = [name for name in (*there, *taken) if name.startswith(f"{card.year}-")]
        name = f"{card.year}-{1 + max(map(_number, of_year), default=0)}"
        ours = [last for last in there if await _is_ours(last)][:1]
        last = await read(ours[0]) if ours else None
        if last and replace(last, name="", before=None) == card:
            return last.name
        before = f"{ours[0]} {there[ours[0]]}" if ours else ""
        text = msgspec.json.encode(replace(card, name=name, before=before), order="sorted").decode()
        await KeptScorecard.insert(
            KeptScorecard(id=name, year=card.year, text=text, signature=sign(key, _message(text)))
        )
    return name


async def _is_ours(name: str) -> bool:
    """Whether there is a scorecard of this name, as it was signed."""
    try:
        return await read(name) is not None
    except ScorecardInvalid:
        return False


def _number(name: str) -> int:
    """The place of a scorecard in its year; 0 of a name that none was kept under."""
    text = name.partition("-")[2]
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 0


async def read(name: str) -> Scorecard | None:
    """A kept scorecard; None where there is none of this name.

    Raises
    ------
    ScorecardInvalid
    """
    return (await _believed(name))[0]


async def _believed(name: str) -> tuple[Scorecard | None, str, str]:
    """A kept scorecard with its text and signature; None and nothing where there is none of this name."""
    rows = await cells.read(KeptScorecard, "year", id=name)
    if not rows:
        return None, "", ""
    text, signature = rows[0]["text"] or "", rows[0]["signature"] or ""
    return believed(text, signature, own_key(), name), text, signature


def believed(text: str, signature: str, key: str, name: str) -> Scorecard:
    """A scorecard of a name from its text, if the key signed it; asks no store.

    Raises
    ------
    ScorecardInvalid
    """
    if not is_signed(key, _message(text), signature):
        raise ScorecardInvalid(["not signed by this installation"])
    try:
        card = msgspec.json.decode(text, type=Scorecard)
    except msgspec.MsgspecError as problem:
        raise ScorecardInvalid(["not a scorecard"]) from problem
    if card.schema != SCHEMA or card.name != name or not name.startswith(f"{card.year}-"):
        raise ScorecardInvalid(["signed under another name"])
    return card


async def signed_text(name: str) -> str | None:
    """A kept scorecard as it was signed, with its signature, to be given away and checked elsewhere.

    Raises
    ------
    ScorecardInvalid
        If it is not what was signed: nothing of it is given.
    """
    card, text, signature = await _believed(name)
    return f'{_BEFORE}{text}{_BETWEEN}{signature}"}}' if card else None


_BEFORE, _BETWEEN = '{"scorecard":', ',"signature":"'


def parts_of(given: str) -> tuple[str, str]:
    """The text that was signed and its signature, out of what `signed_text` gives.

    Raises
    ------
    ScorecardInvalid
    """
    text, between, signature = given.removesuffix('"}').rpartition(_BETWEEN)
    if not given.startswith(_BEFORE) or not between or not given.endswith('"}'):
        raise ScorecardInvalid(["not a scorecard"])
    return text.removeprefix(_BEFORE), signature


async def names() -> list[str]:
    """All that are kept, the newest first."""
    return list(await digests())


async def digests() -> dict[str, str]:
    """The SHA-256 of the text of each that is kept, whatever it is, by name, the newest first."""
    rows = await cells.read(KeptScorecard, "year", "signature")
    found = {row["id"] or "?": hashlib.sha256((row["text"] or "").encode()).hexdigest() for row in rows}
    return dict(
        sorted(found.items(), key=lambda one: (one[0].partition("-")[0], _number(one[0]), one[0]), reverse=True)
    )


def day_of(card: Scorecard) -> date:
    return date.fromisoformat(card.day)
