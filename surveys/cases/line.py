"""Reports wait in one line and are committed together: a burst costs few commits, and a flood is slowed, not refused."""

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from surveys.cases.incoming import Report
from surveys.cases.intake import Prepared, keep, prepare
from surveys.cases.keeper import Keeper
from surveys.engines import StoreEngine

BATCH = 50
EASY = 100
"""So many may wait before a little work is asked of each newcomer."""


def is_enough(case: str, nonce: str, bits: int) -> bool:
    """Say whether SHA-256 of ``case:nonce`` begins with so many zero bits (hashcash).

    Parameters
    ----------
    case : as the report names it
    nonce : what her device found, under 20 characters
    bits : 0 to 256; 0 asks for nothing
    """
    if bits == 0:
        return True
    digest = int.from_bytes(hashlib.sha256(f"{case}:{nonce}".encode()).digest(), "big")
    return len(nonce) < 20 and digest >> (256 - bits) == 0


@dataclass(slots=True)
class _Waiting:
    prepared: Prepared
    done: asyncio.Future[int]


class Line:
    """Commits all reports that wait at once; each caller learns of her own only."""

    def __init__(self, engine: StoreEngine) -> None:
        self._engine = engine
        self._waiting: list[_Waiting] = []
        self._task: asyncio.Task[None] | None = None

    def bits(self) -> int:
        """How much work a newcomer does now: none, or more as the line grows."""
        return 0 if len(self._waiting) < EASY else min(20, 10 + len(self._waiting) // EASY)

    async def receive(self, keeper: Keeper, report: Report, readers: Sequence[str], day: date) -> int:
        """Keep a report: on disk before this returns.

        Parameters
        ----------
        keeper, report, readers, day : as of `prepare`

        Raises
        ------
        ReportRefused
            If it is malformed, nobody on the ring could ever read it, or its code has another report already.
        """
        place = _Waiting(prepare(keeper, report, readers, day), asyncio.get_running_loop().create_future())
        self._waiting.append(place)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._commit_all())
        return await place.done

    async def _commit_all(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[:BATCH], self._waiting[BATCH:]
            try:
                results: Sequence[int | Exception] = await keep(self._engine, [place.prepared for place in batch])
            except Exception:  # one bad row must not fail the others
                results = [await self._alone(place.prepared) for place in batch]
            for place, result in zip(batch, results, strict=True):
                if place.done.done():
                    continue  # the phone went away meanwhile; what was kept is kept
                if isinstance(result, Exception):
                    place.done.set_exception(result)
                else:
                    place.done.set_result(result)

    async def _alone(self, prepared: Prepared) -> int | Exception:
        try:
            return (await keep(self._engine, [prepared]))[0]
        except Exception as problem:
            return problem
