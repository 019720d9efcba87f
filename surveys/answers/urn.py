"""The urn: slots filled with noise, one overwritten for each sheet, in the same durable commit as the spent code."""

import asyncio
import hashlib
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from surveys.answers.envelope import ENVELOPE_BYTES
from surveys.answers.filling import Free, Receipt, Sheet, fill
from surveys.answers.rights import Right
from surveys.away import StoreAway
from surveys.engines import PooledSQLite, StoreEngine

BATCH = 200
WAITING_LIMIT = 2000
QUIET_SECONDS = 0.01
"""So long nothing may come before the log is emptied, which pairs codes with slots, in order."""
LOG_SECONDS = 1.0
"""And so long it stands at most while answers come without a pause."""


class TooManyWaiting(Exception):
    """More sheets wait than one process may hold; the phone should try again in a moment."""


@dataclass(slots=True)
class _Waiting:
    make: Callable[[], Sheet] = field(repr=False)
    done: asyncio.Future[Receipt] = field(repr=False)


class Urn:
    """Takes envelopes of all open waves; handlers wait in a queue and one commit serves all that wait."""

    def __init__(self, engine: StoreEngine) -> None:
        self._engine = engine
        self._waiting: list[_Waiting] = []
        self._wake = asyncio.Event()
        self._free: Free = {}
        self._task: asyncio.Task[None] | None = None
        self._stopping = False
        self._log_since: float | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._work())

    async def stop(self) -> None:
        """Commit what waits, then stop; nothing is cut off in the middle."""
        if self._task is not None:
            self._stopping = True
            self._wake.set()
            await self._task
            self._task, self._stopping = None, False

    async def put(self, right: Right, attempt: bytes, envelope: bytes | Callable[[], bytes]) -> Receipt:
        """Spend a right and keep the envelope: both or neither, committed before this returns.

        Parameters
        ----------
        right : Right
            Verified; one that was spent before changes nothing, whatever it comes with.
        attempt : bytes
            The form's number; its SHA-256 is kept beside the spent code.
        envelope : bytes or callable
            8,100 bytes, sealed; or what seals them, which is then called on a thread: curves leave the other core free.

        Raises
        ------
        TooManyWaiting, UrnFull
            Nothing was kept.
        ValueError
            If the envelope has another size.
        Exception
            Whatever sealing raises: nothing was kept.
        """
        if len(self._waiting) >= WAITING_LIMIT:
            raise TooManyWaiting

        def make() -> Sheet:
            sealed = envelope if isinstance(envelope, bytes) else envelope()
            if len(sealed) != ENVELOPE_BYTES:
                raise ValueError("an envelope has one size")
            return Sheet(right.wave.id, right.row, hashlib.sha256(attempt).digest(), sealed, right.is_token)

        place = _Waiting(make, asyncio.get_running_loop().create_future())
        self._waiting.append(place)
        self._wake.set()
        return await place.done

    async def _work(self) -> None:
        while not (self._stopping and not self._waiting):
            if self._waiting:
                batch, self._waiting = self._waiting[:BATCH], self._waiting[BATCH:]
                await self._serve(batch)
            else:
                self._wake.clear()
                await self._wait()
            if self._log_since is not None and time.monotonic() - self._log_since >= LOG_SECONDS:
                await self._empty_log()
        await self._empty_log()

    async def _wait(self) -> None:
        """Wait for the next sheet; where none comes for a moment, empty the log first."""
        if self._log_since is not None:
            with suppress(TimeoutError):
                async with asyncio.timeout(QUIET_SECONDS):
                    await self._wake.wait()
                return
            await self._empty_log()
        await self._wake.wait()

    async def _empty_log(self) -> None:
        if self._log_since is None:
            return
        emptied = not isinstance(self._engine, PooledSQLite)
        if isinstance(self._engine, PooledSQLite):
            with suppress(
                Exception
            ):  # a full disk must not end the urn: the next try comes with the next sheet, or the next stir
                emptied = await self._engine.truncate_wal()
        self._log_since = None if emptied else time.monotonic()

    async def _serve(self, batch: Sequence[_Waiting]) -> None:
        if self._log_since is None:
            self._log_since = time.monotonic()
        places, sheets = await self._sealed(batch)
        try:
            receipts = await fill(self._engine, sheets, self._free) if sheets else []
        except StoreAway as problem:  # for all alike: nobody waits for the tries of those before
            self._free.clear()
            for place in places:
                _refuse(place, StoreAway(problem.store, problem.kind))
        except Exception:
            self._free.clear()
            await self._one_by_one(places, sheets)
        else:
            for place, receipt in zip(places, receipts, strict=True):
                _resolve(place, receipt)

    async def _sealed(self, batch: Sequence[_Waiting]) -> tuple[list[_Waiting], list[Sheet]]:
        """Seal what waits, and refuse what cannot be sealed."""
        made = await asyncio.to_thread(lambda: [_made(place) for place in batch])
        for place, sheet in zip(batch, made, strict=True):
            if isinstance(sheet, Exception):
                _refuse(place, sheet)
        good = [(place, sheet) for place, sheet in zip(batch, made, strict=True) if isinstance(sheet, Sheet)]
        return [place for place, _ in good], [sheet for _, sheet in good]

    async def _one_by_one(self, places: Sequence[_Waiting], sheets: Sequence[Sheet]) -> None:
        """One bad sheet must not fail the others of its batch."""
        for place, sheet in zip(places, sheets, strict=True):
            try:
                receipt = (await fill(self._engine, [sheet], self._free))[0]
            except Exception as problem:
                self._free.clear()
                _refuse(place, problem)
            else:
                _resolve(place, receipt)


def _made(place: _Waiting) -> Sheet | Exception:
    try:
        return place.make()
    except Exception as problem:
        return problem


def _resolve(place: _Waiting, receipt: Receipt) -> None:
    if not place.done.done():  # the phone may have gone away meanwhile
        place.done.set_result(receipt)


def _refuse(place: _Waiting, problem: Exception) -> None:
    if not place.done.done():
        place.done.set_exception(problem)
