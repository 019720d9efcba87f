"""One commit of the urn: which of the sheets that wait are received, and which slots they fill. On each engine in as few turns of its
connection as it takes: every turn costs as much as ten statements.
"""

import json
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from itertools import groupby
from typing import Any

from surveys.engines import KeyTaken, PooledSQLite, SafePostgres
from surveys.slips import Digest, row_key

CANDIDATES = 400
"""So many places are drawn at once among all, free or not: to look at all would read the whole urn."""
_SPEND = """
INSERT INTO spent (id, wave, digest, attempt) SELECT * FROM unnest($1::bigint[], $2::text[], $3::bytea[], $4::bytea[])
ON CONFLICT DO NOTHING RETURNING id
"""
"""A plain INSERT would have PostgreSQL write a key that is taken into its log, with the time."""
_random = secrets.SystemRandom()

type Row = tuple[bytes, bytes, str]
"""What the store keeps of a code: its digest, that of the attempt that spent it (b"" of a slip), its wave."""


class UrnFull(Exception):
    """No free slot is left in this wave's urn."""


class Receipt(Enum):
    """What became of a sheet."""

    RECEIVED = "received"
    """It is in the urn now, or the same form put it there before."""
    USED = "used"
    """The code was used by another form; nothing changed."""
    UNKNOWN = "unknown"
    """No such code, or its wave is closed; nothing changed."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sealed sheet, and the code or token that it comes with: `attempt` is the digest of its form's number."""

    wave: str
    digest: Digest = field(repr=False)
    attempt: bytes = field(repr=False)
    envelope: bytes = field(repr=False)
    is_token: bool

    @property
    def key(self) -> int:
        return row_key(self.digest)

    @property
    def row(self) -> Row:
        return bytes(self.digest), self.attempt, self.wave


type Free = dict[str, list[int]]
"""By wave slots that were free when this process looked, in random order: each is looked at again before it is filled."""


def _decide(
    sheets: Sequence[Sheet], spent: Mapping[int, Row], slips: Mapping[int, Row], gates: set[str]
) -> tuple[list[Receipt], list[Sheet]]:
    """What becomes of each sheet, and those that are new, in the order of their keys: one order of locks for all processes."""
    receipts: list[Receipt] = []
    new: dict[int, Sheet] = {}
    for sheet in sheets:
        known = spent.get(sheet.key) or (new[sheet.key].row if sheet.key in new else None)
        if known is not None:
            receipts.append(Receipt.RECEIVED if known == sheet.row else Receipt.USED)
        elif sheet.wave in gates if sheet.is_token else slips.get(sheet.key) == (sheet.digest, b"", sheet.wave):
            new[sheet.key] = sheet
            receipts.append(Receipt.RECEIVED)
        else:
            receipts.append(Receipt.UNKNOWN)
    return receipts, [new[key] for key in sorted(new)]


def _by_wave(sheets: Sequence[Sheet]) -> Iterator[tuple[str, list[Sheet]]]:
    for wave, group in groupby(sorted(sheets, key=lambda sheet: sheet.wave), key=lambda sheet: sheet.wave):
        yield wave, list(group)


def _drawn(first: int | None, last: int | None) -> list[int]:
    """Random places of the urn, whose numbers go from the first to the last."""
    if first is None or last is None:
        return []
    return _random.sample(range(first, last + 1), min(CANDIDATES, last + 1 - first))


def _some(free: list[int], wanted: int) -> list[int]:
    """Take so many of these, or as many as there are."""
    taken, free[:] = free[:wanted], free[wanted:]
    return taken


def _check(filled: int, sheets: Sequence[Sheet]) -> None:
    """Never write over a sheet: whatever chose a slot, one that is taken ends the commit."""
    if filled != len(sheets):
        raise RuntimeError("a slot was taken")


async def fill(engine: PooledSQLite | SafePostgres, sheets: Sequence[Sheet], free: Free) -> list[Receipt]:
    """Spend the codes of these sheets and keep them, in one durable commit: all that can be received, or none.

    Parameters
    ----------
    engine : PooledSQLite or SafePostgres
        Of the answers.
    sheets : sequence of Sheet
        Of whatever waves; what became of each is given in the same order.
    free : dict
        What this process knows of free slots; changed here.

    Raises
    ------
    UrnFull, KeyTaken
        Nothing was kept, and some of these alone might have been.
    """
    async with engine.transaction() as transaction:
        if isinstance(engine, PooledSQLite):
            receipts = await engine.in_one_turn(lambda connection: _fill_file(connection, sheets, free))
        else:
            receipts = await _fill_server(transaction.connection, sheets, free)
    return receipts


# SQLite: one writer at a time, so that what is read stays true until the commit


def _fill_file(connection: Any, sheets: Sequence[Sheet], free: Free) -> list[Receipt]:
    cursor = connection.cursor()
    cursor.row_factory = None
    keys = json.dumps(sorted({sheet.key for sheet in sheets}))
    among = "id IN (SELECT value FROM json_each(?))"
    spent = cursor.execute(f"SELECT id, digest, attempt, wave FROM spent WHERE {among}", (keys,)).fetchall()
    slips = cursor.execute(f"SELECT id, digest, x'', wave FROM slip WHERE {among}", (keys,)).fetchall()
    gates = cursor.execute("SELECT wave FROM gate").fetchall() if any(sheet.is_token for sheet in sheets) else []
    receipts, new = _decide(sheets, _rows(spent), _rows(slips), {wave for (wave,) in gates})
    cursor.executemany(
        "INSERT INTO spent (id, wave, digest, attempt) VALUES (?, ?, ?, ?)",
        [(sheet.key, sheet.wave, bytes(sheet.digest), sheet.attempt) for sheet in new],
    )
    for wave, group in _by_wave(new):
        slots = _take_in_file(cursor, wave, len(group), free.setdefault(wave, []))
        cursor.executemany(
            "UPDATE slot SET sheet = ?, taken = 1 WHERE id = ? AND taken = 0",
            [(sheet.envelope, slot) for sheet, slot in zip(group, slots, strict=True)],
        )
        _check(cursor.rowcount, group)
    return receipts


def _take_in_file(cursor: Any, wave: str, wanted: int, free: list[int]) -> list[int]:
    """Random free slots. First of those that this process knows, then of places that are drawn, at last of all that are left."""
    is_free = "wave = ? AND taken = 0"
    among = f"SELECT id FROM slot WHERE id IN (SELECT value FROM json_each(?)) AND {is_free}"
    still = {slot for (slot,) in cursor.execute(among, (json.dumps(free[:wanted]), wave))}
    taken = [slot for slot in _some(free, wanted) if slot in still]
    if len(taken) < wanted:
        places = json.dumps(_drawn(*cursor.execute("SELECT min(id), max(id) FROM slot").fetchone()))
        free[:] = _shuffled([slot for (slot,) in cursor.execute(among, (places, wave))], taken)
        taken += _some(free, wanted - len(taken))
    if len(taken) < wanted:
        free[:] = _shuffled(
            [slot for (slot,) in cursor.execute(f"SELECT id FROM slot WHERE {is_free}", (wave,))], taken
        )
        taken += _some(free, wanted - len(taken))
    if len(taken) < wanted:
        raise UrnFull
    return taken


def _shuffled(slots: list[int], but: Sequence[int] = ()) -> list[int]:
    left = list(set(slots) - set(but))
    _random.shuffle(left)
    return left


def _rows(found: Sequence[Any]) -> dict[int, Row]:
    return {int(key): (bytes(digest), bytes(attempt), str(wave)) for key, digest, attempt, wave in found}


# PostgreSQL: other processes write at the same time; a slot is held before it is filled


async def _fill_server(connection: Any, sheets: Sequence[Sheet], free: Free) -> list[Receipt]:
    keys = sorted({sheet.key for sheet in sheets})
    spent = await connection.fetch("SELECT id, digest, attempt, wave FROM spent WHERE id = ANY($1)", keys)
    slips = await connection.fetch("SELECT id, digest, ''::bytea, wave FROM slip WHERE id = ANY($1)", keys)
    gates = await connection.fetch("SELECT wave FROM gate") if any(sheet.is_token for sheet in sheets) else []
    receipts, new = _decide(sheets, _rows(spent), _rows(slips), {str(row[0]) for row in gates})
    if not new:
        return receipts
    kept = await connection.fetch(
        _SPEND,
        [sheet.key for sheet in new],
        [sheet.wave for sheet in new],
        [bytes(sheet.digest) for sheet in new],
        [sheet.attempt for sheet in new],
    )
    if len(kept) != len(new):
        raise KeyTaken
    for wave, group in _by_wave(new):
        slots = await _take_on_server(connection, wave, len(group), free.setdefault(wave, []))
        filled = await connection.fetch(
            "UPDATE slot SET sheet = new.sheet, taken = true FROM unnest($1::bigint[], $2::bytea[]) AS new(id, sheet)"
            " WHERE slot.id = new.id AND NOT slot.taken RETURNING slot.id",
            slots,
            [sheet.envelope for sheet in group],
        )
        _check(len(filled), group)
    return receipts


async def _take_on_server(connection: Any, wave: str, wanted: int, free: list[int]) -> list[int]:
    """As `_take_in_file`, and held until the commit: what another process holds is left to it, unless nothing else is left."""
    is_free = "wave = $1 AND NOT taken"
    hold = f"SELECT id FROM slot WHERE id = ANY($2) AND {is_free} ORDER BY id FOR UPDATE"
    taken = [row[0] for row in await connection.fetch(f"{hold} SKIP LOCKED", wave, _some(free, wanted))]
    for everywhere, waiting in ((False, False), (True, False), (True, True)):
        if len(taken) == wanted:
            break
        if everywhere:
            found = await connection.fetch(f"SELECT id FROM slot WHERE {is_free}", wave)
        else:
            places = _drawn(*await connection.fetchrow("SELECT min(id), max(id) FROM slot"))
            found = await connection.fetch(f"SELECT id FROM slot WHERE id = ANY($2) AND {is_free}", wave, places)
        free[:] = _shuffled([row[0] for row in found], taken)
        while free and len(taken) < wanted:
            asked = _some(free, wanted - len(taken))
            held = await connection.fetch(hold if waiting else f"{hold} SKIP LOCKED", wave, asked)
            taken += [row[0] for row in held]
    if len(taken) < wanted:
        raise UrnFull
    return _shuffled(taken)
