"""The urn: slots filled with noise, one overwritten for each sheet, in the same durable commit as the spent code."""

import asyncio
import hashlib
import secrets
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from piccolo.query.functions import Max, Min

from surveys.answers.envelope import ENVELOPE_BYTES
from surveys.answers.rights import Right
from surveys.answers.tables import Gate, Slip, Slot, Spent
from surveys.away import StoreAway
from surveys.engines import PooledSQLite, StoreEngine, insert_new
from surveys.slips import Digest, row_key

BATCH = 200
WAITING_LIMIT = 2000
CANDIDATES = 400
FEW = 20
_random = secrets.SystemRandom()


class UrnFull(Exception):
    """No free slot is left in this wave's urn."""


class TooManyWaiting(Exception):
    """More sheets wait than one process may hold; the phone should try again in a moment."""


class Receipt(Enum):
    """What became of a sheet."""

    RECEIVED = "received"
    """It is in the urn now, or the same form put it there before."""
    USED = "used"
    """The code was used by another form; nothing changed."""
    UNKNOWN = "unknown"
    """No such code, or its wave is closed; nothing changed."""


@dataclass(slots=True)
class _Waiting:
    wave: str
    digest: Digest
    attempt: bytes
    envelope: bytes
    token: bool
    done: asyncio.Future[Receipt] = field(repr=False)


class Urn:
    """Takes envelopes of all open waves; handlers wait in a queue and one commit serves all that wait."""

    def __init__(self, engine: StoreEngine) -> None:
        self._engine = engine
        self._waiting: list[_Waiting] = []
        self._wake = asyncio.Event()
        self._free: dict[str, list[int]] = {}
        self._task: asyncio.Task[None] | None = None
        self._stopping = False

    def start(self) -> None:
        self._task = asyncio.create_task(self._work())

    async def stop(self) -> None:
        """Commit what waits, then stop; nothing is cut off in the middle."""
        if self._task is not None:
            self._stopping = True
            self._wake.set()
            await self._task
            self._task, self._stopping = None, False

    async def put(self, right: Right, attempt: bytes, envelope: bytes) -> Receipt:
        """Spend a right and keep the envelope: both or neither, committed before this returns.

        Parameters
        ----------
        right : Right
            Verified; one that was spent before changes nothing, whatever it comes with.
        attempt : bytes
            The form's number; its SHA-256 is kept beside the spent code.
        envelope : bytes
            8,100 bytes, sealed.

        Raises
        ------
        TooManyWaiting, UrnFull
            Nothing was kept.
        ValueError
            If the envelope has another size.
        """
        if len(envelope) != ENVELOPE_BYTES:
            raise ValueError("an envelope has one size")
        if len(self._waiting) >= WAITING_LIMIT:
            raise TooManyWaiting
        place = _Waiting(
            right.wave.id,
            right.row,
            hashlib.sha256(attempt).digest(),
            envelope,
            right.is_token,
            asyncio.get_running_loop().create_future(),
        )
        self._waiting.append(place)
        self._wake.set()
        return await place.done

    async def _work(self) -> None:
        while True:
            await self._wake.wait()
            batch, self._waiting = self._waiting[:BATCH], self._waiting[BATCH:]
            if not batch:
                if self._stopping:
                    return
                self._wake.clear()
                if isinstance(self._engine, PooledSQLite):
                    with suppress(Exception):  # a full disk must not end the urn: the next empty queue tries again
                        await self._engine.truncate_wal()  # until then the log pairs codes with slots, in order
                continue
            try:
                receipts = await self._commit(batch)
            except StoreAway as problem:  # for all alike: nobody waits for the tries of those before
                self._free.clear()
                for place in batch:
                    if not place.done.done():
                        place.done.set_exception(StoreAway(problem.store, problem.kind))
            except Exception:
                self._free.clear()  # slots that were picked and not filled are free again
                await self._one_by_one(batch)
            else:
                for place, receipt in zip(batch, receipts, strict=True):
                    _resolve(place, receipt)

    async def _one_by_one(self, batch: Sequence[_Waiting]) -> None:
        """One bad sheet must not fail the others of its batch."""
        for place in batch:
            try:
                receipt = (await self._commit([place]))[0]
            except Exception as problem:
                self._free.clear()
                if not place.done.done():
                    place.done.set_exception(problem)
            else:
                _resolve(place, receipt)

    async def _commit(self, batch: Sequence[_Waiting]) -> list[Receipt]:
        receipts: list[Receipt] = []
        fresh: dict[int, _Waiting] = {}
        async with self._engine.transaction():
            slips = await _digests(Slip, batch)
            spent = await _digests(Spent, batch)
            gates = await _gates(batch)
            for place in batch:
                key = row_key(place.digest)
                if key in spent or key in fresh:
                    digest, attempt, wave = spent[key] if key in spent else _of(fresh[key])
                    same = (digest, attempt, wave) == _of(place)
                    receipts.append(Receipt.RECEIVED if same else Receipt.USED)
                elif place.wave in gates if place.token else slips.get(key) == (place.digest, b"", place.wave):
                    fresh[key] = place
                    receipts.append(Receipt.RECEIVED)
                else:
                    receipts.append(Receipt.UNKNOWN)
            if fresh:
                await insert_new(
                    Spent,
                    *(
                        Spent(id=key, wave=place.wave, digest=bytes(place.digest), attempt=place.attempt)
                        for key, place in sorted(fresh.items())  # one order of locks for all processes
                    ),
                )
                await self._fill(list(fresh.values()))
        return receipts

    async def _fill(self, places: Sequence[_Waiting]) -> None:
        """Overwrite one random free slot for each envelope; another process may have taken one meanwhile."""
        picked = set[int]()
        chosen = [(place, await self._next_free(place.wave, picked)) for place in places]
        current: Any = self._engine.current_transaction.get()
        if isinstance(self._engine, PooledSQLite):
            cursor = await current.connection.executemany(
                "UPDATE slot SET sheet = ?, taken = 1 WHERE id = ? AND taken = 0",
                [(place.envelope, slot) for place, slot in chosen],
            )
            filled = cursor.rowcount
            await cursor.close()
        else:
            chosen.sort(key=lambda pair: pair[1])  # one order of locks for all processes
            rows = await current.connection.fetch(
                "UPDATE slot SET sheet = new.sheet, taken = true"
                " FROM unnest($1::bigint[], $2::bytea[]) AS new(id, sheet)"
                " WHERE slot.id = new.id AND NOT slot.taken RETURNING slot.id",
                [slot for _, slot in chosen],
                [place.envelope for place, _ in chosen],
            )
            filled = len(rows)
        if filled != len(chosen):
            raise RuntimeError("a slot was taken by another process")

    async def _next_free(self, wave: str, picked: set[int]) -> int:
        free = self._free.setdefault(wave, [])
        if not free:
            free += [slot for slot in await _free_slots(wave) if slot not in picked]
        try:
            slot = free.pop()
        except IndexError:
            raise UrnFull from None
        picked.add(slot)
        return slot


async def _free_slots(wave: str) -> list[int]:
    """Free slots of a wave in random order: some, or all where few are left. To look at all would read the whole urn."""
    ends = await Slot.select(Min(Slot.id), Max(Slot.id)).first()
    if ends is None or ends["min"] is None:
        return []
    everywhere = range(int(ends["min"]), int(ends["max"]) + 1)
    free = (Slot.wave == wave) & Slot.taken.eq(False)
    rows = await Slot.select(Slot.id).where(
        free & Slot.id.is_in(_random.sample(everywhere, min(CANDIDATES, len(everywhere))))
    )
    if len(rows) < FEW:
        rows = await Slot.select(Slot.id).where(free)
    found = [int(row["id"]) for row in rows]
    _random.shuffle(found)
    return found


def _resolve(place: _Waiting, receipt: Receipt) -> None:
    if not place.done.done():  # the phone may have gone away meanwhile
        place.done.set_result(receipt)


def _of(place: _Waiting) -> tuple[bytes, bytes, str]:
    return bytes(place.digest), place.attempt, place.wave


async def _gates(batch: Iterable[_Waiting]) -> set[str]:
    """Of the waves that tokens of this batch name, those that still take them."""
    named = {place.wave for place in batch if place.token}
    return (
        {str(row["wave"]) for row in await Gate.select(Gate.wave).where(Gate.wave.is_in(sorted(named)))}
        if named
        else set()
    )


async def _digests(table: type[Slip] | type[Spent], batch: Iterable[_Waiting]) -> dict[int, tuple[bytes, bytes, str]]:
    """Look up the rows of these codes by key: digest, attempt (of spent codes) and wave."""
    rows = await table.select().where(table.id.is_in(sorted({row_key(place.digest) for place in batch})))
    return {int(row["id"]): (bytes(row["digest"]), bytes(row.get("attempt", b"")), str(row["wave"])) for row in rows}
