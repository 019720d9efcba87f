"""Scorecards that are kept: what the practice's arithmetic gave on a day, with all it stood on, signed. Appended to, never changed.

A kept scorecard is printed from its own text alone, so it says the same whatever becomes of evidence, catalogue or staff list.
"""

from datetime import date
from fractions import Fraction

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from analysis.document import ReleaseInvalid
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


class Scorecard(msgspec.Struct, frozen=True):
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

    def total(self, part: str) -> Fraction:
        """``earned``, ``lost`` or ``open``, of 100."""
        return Fraction({"earned": self.earned, "lost": self.lost, "open": self.open}[part])


def _message(text: str) -> bytes:
    return f"ascolto scorecard 1\n{text}".encode()


async def keep(engine: StoreEngine, card: Scorecard, key: Ed25519PrivateKey) -> str:
    """Sign and append a scorecard; gives its name, ``2026-1`` for the first of a year."""
    async with engine.transaction():
        there = await KeptScorecard.select(KeptScorecard.id).where(KeptScorecard.year == card.year)
        name = f"{card.year}-{1 + max((_number(row['id']) for row in there), default=0)}"
        text = msgspec.json.encode(msgspec.structs.replace(card, name=name), order="sorted").decode()
        await KeptScorecard.insert(
            KeptScorecard(id=name, year=card.year, text=text, signature=sign(key, _message(text)))
        )
    return name


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
    row = await KeptScorecard.select().where(KeptScorecard.id == name).first()
    if row is None:
        return None
    return believed(row["text"], row["signature"], own_key(), row["id"])


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
    row = await KeptScorecard.select().where(KeptScorecard.id == name).first()
    if row is None:
        return None
    believed(row["text"], row["signature"], own_key(), row["id"])
    return f'{_BEFORE}{row["text"]}{_BETWEEN}{row["signature"]}"}}'


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
    rows = await KeptScorecard.select(KeptScorecard.id, KeptScorecard.year)
    found = sorted(((row["year"], _number(row["id"]), row["id"]) for row in rows), reverse=True)
    return [name for _, _, name in found]


def day_of(card: Scorecard) -> date:
    return date.fromisoformat(card.day)
