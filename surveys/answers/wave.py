"""What the answers store does for a wave besides receiving: fill the urn, stir, count, destroy."""

import hashlib
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from surveys import stirring
from surveys.answers.envelope import ENVELOPE_BYTES, EnvelopeUnreadable, unseal
from surveys.answers.holders import HolderKeys
from surveys.answers.keys import SEATS, UrnKey
from surveys.answers.pairs import Opened, open_sealed, without_layer
from surveys.answers.plans import SignedPlan
from surveys.answers.tables import Gate, Slip, SlipBatch, Slot, Spent
from surveys.cells import octets
from surveys.engines import PooledSQLite, StoreEngine
from surveys.slips import Digest, row_key

_CHUNK = 200


async def fill_urn(engine: StoreEngine, wave: str, slots: int) -> None:
    """Fill the urn with equal random blobs, each to be overwritten by at most one sheet, and let tokens in.

    Parameters
    ----------
    engine : StoreEngine
        The store of answers.
    wave : str
        The wave's id, at most 40 characters. Once a wave: the store refuses a second gate.
    slots : int
        How many sheets can ever be received.

    Notes
    -----
    Slots come in portions, so that others can write meanwhile and a page can say how far it is; nothing lets a sheet in before the gate,
    which comes last. What is cut off is taken away and filled again (`surveys.lifecycle.opening`).
    """
    rows = await Slot.select(Slot.id).order_by(Slot.id, ascending=False).limit(1)
    first = int(rows[0]["id"]) + 1 if rows else 1
    for start in range(0, slots, _CHUNK):
        await _add(engine, wave, range(first + start, first + min(start + _CHUNK, slots)))
    async with engine.transaction():
        await Gate.insert(Gate(id=gate_key(wave), wave=wave))


async def _add(engine: StoreEngine, wave: str, ids: Iterable[int]) -> None:
    """Slots by statements of the engine's own: through the tables each is an object and a part of a text first."""
    blobs = [(slot, wave, secrets.token_bytes(ENVELOPE_BYTES)) for slot in ids]
    async with engine.transaction() as transaction:
        if isinstance(engine, PooledSQLite):
            insert = "INSERT INTO slot (id, wave, taken, sheet) VALUES (?, ?, 0, ?)"
            await engine.in_one_turn(lambda connection: connection.executemany(insert, blobs))
        else:
            insert = "INSERT INTO slot (id, wave, taken, sheet) VALUES ($1, $2, false, $3)"
            await transaction.connection.executemany(insert, blobs)


async def slots_there(wave: str) -> int:
    """How many slots a wave has by now, filled or free."""
    return int(await Slot.count().where(Slot.wave == wave))


def gate_key(wave: str) -> int:
    return row_key(Digest(hashlib.sha256(wave.encode()).digest()))


async def received(wave: str) -> int:
    """Count the sheets in the urn."""
    return int(await Spent.count().where(Spent.wave == wave))


async def withdraw_slips(engine: StoreEngine, wave: str) -> None:
    """Take every right to answer away: from this commit on no sheet of the wave is accepted."""
    async with engine.transaction():
        await Slip.delete().where(Slip.wave == wave)
        await Gate.delete().where(Gate.wave == wave)


async def takes_sheets(wave: str) -> bool:
    """Whether slips and tokens of a wave still let sheets in: until its closing has begun."""
    return bool(await Gate.exists().where(Gate.wave == wave))


async def spent_digests(wave: str) -> list[str]:
    """The digests of spent codes, sorted, as they are published in the bulletin."""
    rows = await Spent.select(Spent.digest).where(Spent.wave == wave)
    return sorted(octets(row["digest"]).hex() for row in rows)


@dataclass(frozen=True, slots=True)
class Contents:
    """The sealed sheets of a wave and the sorted digests of its spent codes, read once: what was checked is what is opened."""

    sheets: tuple[bytes, ...] = field(repr=False)
    spent: tuple[str, ...] = field(repr=False)


async def contents(wave: str) -> Contents:
    rows = await Slot.select(Slot.sheet).where((Slot.wave == wave) & Slot.taken.eq(True))
    return Contents(tuple(octets(row["sheet"]) for row in rows), tuple(await spent_digests(wave)))


def marks_of(sheets: Iterable[bytes]) -> list[str]:
    """The hashes of sealed sheets, sorted: they say which sheets lie there and nothing of where or when."""
    return sorted(hashlib.sha256(sheet).hexdigest() for sheet in sheets)


async def sheet_marks(wave: str) -> list[str]:
    """The same of what lies in the store, a portion at a time: the web process does not hold a whole urn."""
    rows = await Slot.select(Slot.id).where((Slot.wave == wave) & Slot.taken.eq(True))
    marks: list[str] = []
    for start in range(0, len(rows), _CHUNK):
        some = [int(row["id"]) for row in rows[start : start + _CHUNK]]
        marks += marks_of(octets(row["sheet"]) for row in await Slot.select(Slot.sheet).where(Slot.id.is_in(some)))
    return sorted(marks)


def open_envelopes(envelopes: Iterable[bytes], key: UrnKey) -> tuple[list[bytes], int]:
    """Open every envelope of a wave in memory: the sheets, and how many could not be opened."""
    sheets, unreadable = [], 0
    for envelope in envelopes:
        try:
            sheets.append(unseal(envelope, key))
        except EnvelopeUnreadable:
            unreadable += 1
    return sheets, unreadable


def open_sheets(
    envelopes: Iterable[bytes], plan: SignedPlan, wave_key: bytes, keys: Mapping[str, HolderKeys]
) -> tuple[list[Opened], int]:
    """Version 2: open every envelope in memory with two holders' keys, by seat; the sheets, and how many did not open.

    Parameters
    ----------
    envelopes : iterable of bytes
        8,100 bytes each; one of another size did not open.
    plan : SignedPlan
        Checked: sheets open under its hash alone.
    wave_key : bytes
        32 bytes: the server's layer.
    keys : mapping
        Of exactly two holders, by seat.

    Raises
    ------
    ValueError
        If the keys are not of two seats, and there is a sheet to open.
    """
    private = {SEATS.index(seat): holder.private for seat, holder in keys.items()}
    sheets, unreadable = [], 0
    for envelope in envelopes:
        try:
            sheets.append(open_sealed(without_layer(envelope, wave_key), plan.hash, plan.points, private))
        except EnvelopeUnreadable:
            unreadable += 1
    return sheets, unreadable


async def destroy(engine: StoreEngine, wave: str) -> None:
    """Remove urn and digests of a wave, and every trace of them on the pages of the file.

    Rights to answer go first and spent codes last: one that was cut off is seen by its spent codes, and may run again.
    """
    await withdraw_slips(engine, wave)
    numbers = [int(row["id"]) for row in await Slot.select(Slot.id).where(Slot.wave == wave)]
    for start in range(0, len(numbers), _CHUNK):  # other waves go on taking answers between
        await Slot.delete().where(Slot.id.is_in(numbers[start : start + _CHUNK]))
    await SlipBatch.delete().where(SlipBatch.wave == wave)
    await Spent.delete().where(Spent.wave == wave)
    await wipe(engine)


async def is_there(wave: str) -> bool:
    """Whether anything of a wave's urn, codes or digests is left."""
    for table in (Slot, Spent, Slip, SlipBatch):
        if await table.exists().where(table.wave == wave):
            return True
    return False


async def arrived() -> int:
    """How many answers the store holds: while the number stays, nothing need be stirred."""
    return int(await Spent.count())


async def stir(engine: StoreEngine, *, patient: bool = False) -> None:
    """Take away what tells the order of arrival of spent codes and slots, while answers arrive (PRIVACY 3.8)."""
    await stirring.stir(engine, Spent, in_place=(Slot,), patient=patient)


async def wipe(engine: StoreEngine) -> None:
    """Stir, and leave nothing of rows that are gone. SQLite overwrites them as they go; an empty urn gives its file back."""
    await stir(engine, patient=True)
    if not isinstance(engine, PooledSQLite) or not await Slot.exists():
        await engine.rewrite(Slip, Gate)
