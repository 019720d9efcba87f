"""The log of acts: append-only, by day, each entry chained to the one before by SHA-256."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from surveys.engines import PooledSQLite, StoreEngine
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
    async with engine.transaction() as transaction:
        if not isinstance(engine, PooledSQLite):  # on SQLite the transaction is IMMEDIATE: nobody else writes
            await transaction.connection.execute("LOCK TABLE log_entry IN EXCLUSIVE MODE")
        rows = await LogEntry.select().order_by(LogEntry.number, ascending=False).limit(1)
        number, before = (int(rows[0]["number"]) + 1, bytes(rows[0]["digest"])) if rows else (1, _FIRST)
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


async def read() -> list[Act]:
    """Read the whole log and check its chain."""
    before, intact, acts = _FIRST, True, []
    for row in await LogEntry.select().order_by(LogEntry.number):
        text = row["details"] if isinstance(row["details"], str) else json.dumps(row["details"])
        expected = _chained(before, int(row["number"]), row["day"], row["actor"], row["act"], text)
        before = bytes(row["digest"])
        intact = intact and before == expected
        acts.append(Act(int(row["number"]), row["day"], row["actor"], row["act"], json.loads(text), intact))
    return acts


async def last_digest() -> str:
    """The digest of the newest entry in hex: whoever wrote it down sees later whether older entries were changed."""
    rows = await LogEntry.select(LogEntry.digest).order_by(LogEntry.number, ascending=False).limit(1)
    return bytes(rows[0]["digest"]).hex() if rows else _FIRST.hex()
