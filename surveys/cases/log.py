"""What handlers did, by day: sealed under K_cases, all lines of one size, each chained to the one before.

A line names who acted and what was done, never which case, so that the representative reads operations and a stolen
database reads nothing (D.Lgs. 24/2023; Garante on tracing of operations).
"""

import hashlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from nacl.exceptions import CryptoError

from surveys import stirring
from surveys.cases.clocks import EARLIEST
from surveys.cases.keeper import Keeper
from surveys.cases.tables import DeskLine
from surveys.cells import octets
from surveys.engines import StoreEngine

LINE_BYTES = 256
UNREADABLE = "unreadable"
_FIRST = bytes(32)


@dataclass(frozen=True, slots=True)
class Line:
    """One act; `intact` is false from the first broken link on. Whoever keeps a `digest` sees later whether lines are missing."""

    number: int
    day: date
    who: str
    act: str
    intact: bool
    digest: str


class Link(NamedTuple):
    """A line as it lies there, which needs no key: its place in the chain can be checked by whoever has a copy."""

    number: int
    sealed: bytes
    digest: str
    intact: bool


async def record(engine: StoreEngine, keeper: Keeper, day: date, who: str, act: str) -> None:
    """Append one line.

    Raises
    ------
    ValueError
        If it is longer than a line.
    """
    plain = json.dumps([day.isoformat(), who, act], ensure_ascii=False).encode()
    if len(plain) > LINE_BYTES:
        raise ValueError("a line of the log is short")
    async with engine.writing_alone(DeskLine):
        rows = await DeskLine.select().order_by(DeskLine.number, ascending=False).limit(1)
        number, before = (int(rows[0]["number"]) + 1, octets(rows[0]["digest"])) if rows else (1, _FIRST)
        sealed = bytes(keeper.box().encrypt(plain.ljust(LINE_BYTES)))
        await DeskLine.insert(DeskLine(number=number, sealed=sealed, digest=_chained(before, number, sealed)))


@asynccontextmanager
async def telling(engine: StoreEngine, keeper: Keeper, day: date, who: str, act: str) -> AsyncIterator[None]:
    """Do in the cases store what an act says, and tell it, in one commit: no act without its line, no line of what was refused."""
    async with engine.transaction():
        yield
        await record(engine, keeper, day, who, act)


async def lines() -> int:
    """How many lines there are: while the number stays, nothing need be stirred."""
    return int(await DeskLine.count())


async def stir(engine: StoreEngine) -> None:
    """Take away the transaction numbers of PostgreSQL, which tell when in a day a handler worked. SQLite keeps lines by number."""
    await stirring.stir(engine, in_place=(DeskLine,))


def _chained(before: bytes, number: int, sealed: bytes) -> bytes:
    return hashlib.sha256(before + number.to_bytes(8, "big", signed=number < 0) + sealed).digest()


async def chain() -> list[Link]:
    """Check the chain."""
    before, intact, links = _FIRST, True, []
    for place, row in enumerate(await DeskLine.select().order_by(DeskLine.number), start=1):
        number, sealed = int(row["number"]), octets(row["sealed"])
        expected = _chained(before, number, sealed)
        before = octets(row["digest"])
        intact = intact and number == place and before == expected
        links.append(Link(number, sealed, before.hex(), intact))
    return links


async def read(keeper: Keeper) -> list[Line]:
    """Read the whole log and check its chain. A line that does not open is told as such, on the day of the one before."""
    lines: list[Line] = []
    for link in await chain():
        try:
            day, who, act = json.loads(keeper.box().decrypt(link.sealed))
            lines.append(Line(link.number, date.fromisoformat(day), who, act, link.intact, link.digest))
        except (CryptoError, ValueError):  # somebody wrote into the store
            lines.append(Line(link.number, lines[-1].day if lines else EARLIEST, "", UNREADABLE, False, link.digest))
    return lines
