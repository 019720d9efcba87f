"""The log of acts: append-only, by day, each entry chained to the one before by SHA-256."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from surveys import stirring
from surveys.cells import octets
from surveys.engines import StoreEngine
from surveys.odd import reading
from surveys.people.tables import LogEntry

_FIRST = bytes(32)


@dataclass(frozen=True, slots=True)
class Act:
    """One entry as it is read: who did what on which day. `intact` is false from the first broken link on."""

    number: int
    day: date
    actor: str
    act: str
    details: Mapping[str, str]
    intact: bool


def _chained(before: bytes, number: int, day: date, actor: str, act: str, details: str) -> bytes:
    text = "\x1f".join((str(number), day.isoformat(), actor, act, details))
    return hashlib.sha256(before + text.encode()).digest()


async def record(engine: StoreEngine, day: date, actor: str, act: str, **details: str) -> None:
    """Append one act. Details are plain text a representative may read: never a name of the panel, never a code."""
    text = json.dumps(details, ensure_ascii=False, sort_keys=True)
    async with engine.writing_alone(LogEntry):
        rows = await LogEntry.select().order_by(LogEntry.number, ascending=False).limit(1)
        number, before = (int(rows[0]["number"]) + 1, octets(rows[0]["digest"])) if rows else (1, _FIRST)
        await LogEntry.insert(
            LogEntry(
                number=number,
                day=day,
                actor=actor,
                act=act,
                details=text,
                digest=_chained(before, number, day, actor, act, text),
            )
        )


async def lines() -> int:
    """How many entries there are: while the number stays, nothing need be stirred."""
    return int(await LogEntry.count())


async def stir(engine: StoreEngine) -> None:
    """Take away the transaction numbers of PostgreSQL, which tell when in a day somebody worked. SQLite keeps entries by number."""
    await stirring.stir(engine, in_place=(LogEntry,))


async def read(*, since: int = 1) -> list[Act]:
    """Read the log, whole or from one entry on, and check its chain from there."""
    last = await entry(since - 1)
    before, intact, acts = bytes.fromhex(last.digest) if last else _FIRST, True, []
    for row in await LogEntry.select().where(LogEntry.number >= since).order_by(LogEntry.number):
        text = row["details"] if isinstance(row["details"], str) else json.dumps(row["details"], default=repr)
        day = (
            row["day"] if isinstance(row["day"], date) else date.min
        )  # what nobody of us wrote breaks the chain, and no page
        expected = _chained(before, int(row["number"]), day, str(row["actor"]), str(row["act"]), text)
        before = row["digest"] if isinstance(row["digest"], bytes) else b""
        intact = intact and before == expected
        acts.append(Act(int(row["number"]), day, str(row["actor"]), str(row["act"]), _details_in(text), intact))
    return acts


def _details_in(text: str) -> dict[str, str]:
    """The details of an entry; none where they have another shape than we write."""
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def number_in(details: Mapping[str, str], name: str) -> int | None:
    """A whole number that an entry says, of at most nine digits; None where whoever wrote it says none."""
    said = str(details.get(name, ""))
    return int(said) if said.isascii() and said.isdecimal() and len(said) <= 9 else None


async def last_digest() -> str:
    """The digest of the newest entry in hex: whoever wrote it down sees later whether older entries were changed."""
    rows = await LogEntry.select(LogEntry.digest).order_by(LogEntry.number, ascending=False).limit(1)
    with reading("log_entry"):
        return octets(rows[0]["digest"]).hex() if rows else _FIRST.hex()


@dataclass(frozen=True, slots=True)
class Head:
    """The newest entry at some time: whoever keeps it sees later whether it, or any entry before it, was changed."""

    number: int
    day: date
    digest: str
    log: str = "log"
    """Which log it is of, as a line that is kept says: this one, or ``desk-log``, the handlers'."""

    @property
    def short(self) -> str:
        """Half of the digest in groups of four, to read aloud or copy by hand."""
        return " ".join(self.digest[i : i + 4] for i in range(0, 32, 4))


async def head(*, before: date | None = None) -> Head | None:
    """The newest entry, or the newest of the days before one day; nothing if there is none."""
    query = LogEntry.select().order_by(LogEntry.number, ascending=False).limit(1)
    rows = await (query.where(LogEntry.day < before) if before else query)
    return _head(rows[0]) if rows else None


async def entry(number: int) -> Head | None:
    """The entry of a number as a head."""
    row = await LogEntry.select().where(LogEntry.number == number).first()
    return _head(row) if row else None


async def entry_of(digest_begin: str) -> Head | None:
    """The entry whose digest begins so."""
    for row in await LogEntry.select().order_by(LogEntry.number, ascending=False):
        if octets(row["digest"]).hex().startswith(digest_begin):
            return _head(row)
    return None


def _head(row: dict[str, Any]) -> Head:
    """An entry as a head.

    Raises
    ------
    StoreOdd
    """
    with reading("log_entry"):
        if not isinstance(row["day"], date):
            raise ValueError("an act of no day")
        return Head(int(row["number"]), row["day"], octets(row["digest"]).hex())
