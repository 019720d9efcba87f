"""Whether each store answers, the disk has room and the jobs are done: looked at seldom, however many ask."""

import asyncio
import shutil
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from server.frame import faults
from server.processes import due, successes
from surveys.away import StoreAway
from surveys.engines import StoreEngine
from surveys.one_folder import Folder
from surveys.people import links
from surveys.stores import STORES, Engines

ANSWER_SECONDS = 3.0
"""A store that has not answered for so long is away."""
COUNT_SECONDS = 1.0
KEPT_SECONDS = 2.0
"""So long one look holds for all who ask."""
TELL_SECONDS = 60.0
"""So often the log gets a line for each store that is away."""
RESERVE_BYTES = 512 * 2**20
"""Less room than this on the data folder's disk is said: a stir and a backup need it."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One look: which stores answer, whether the disk has room, which jobs are late, whose folder of keys they go by."""

    stores: dict[str, bool]
    room: bool
    late: dict[str, bool]
    mail_waiting: int
    """Messages that wait to be sent; of a store that is away none are seen."""
    folder: Folder

    @property
    def ready(self) -> bool:
        return all(self.stores.values()) and self.room and self.folder == Folder.OK and not any(self.late.values())


class Watch:
    """Looks for one process. At most one question is under way at each store, and none is asked twice while it is."""

    def __init__(self, engines: Engines, data: Path) -> None:
        self._engines, self._data = engines, data
        self._since = datetime.now(UTC)
        self._asked: dict[str, asyncio.Task[bool]] = {}
        self._looking: asyncio.Task[Seen] | None = None
        self._looked = 0.0

    async def look(self) -> Seen:
        """What was seen a moment ago, or is seen now; after `ANSWER_SECONDS` at the latest."""
        fresh = time.monotonic() - self._looked < KEPT_SECONDS
        if self._looking is None or (self._looking.done() and not fresh):
            self._looking = asyncio.create_task(self._look())
        return await asyncio.shield(self._looking)  # one who goes away takes it from nobody

    async def tell(self) -> None:
        """Look every minute and log which stores were away in it, until cancelled."""
        while True:
            await self.look()
            faults.say_away()
            await asyncio.sleep(TELL_SECONDS)

    async def close(self) -> None:
        """Ask nothing any more."""
        tasks = [*self._asked.values(), *([self._looking] if self._looking else [])]
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks, timeout=ANSWER_SECONDS) if tasks else None

    async def _look(self) -> Seen:
        for store in STORES:
            if store not in self._asked or self._asked[store].done():
                self._asked[store] = asyncio.create_task(_answers(self._engines[store]))
        await asyncio.wait(self._asked.values(), timeout=ANSWER_SECONDS)
        seen = Seen(
            {store: _is_here(task) for store, task in self._asked.items()},
            _free(self._data) >= RESERVE_BYTES,
            due.late(successes.read(self._data), self._since, datetime.now(UTC)),
            await self._mail_waiting() if _is_here(self._asked["people"]) else 0,
            self._engines.folder,
        )
        for store, here in seen.stores.items():
            if not here and not self._asked[store].done():
                faults.note("ready", StoreAway(store, "no answer"))
        self._looked = time.monotonic()
        return seen

    @staticmethod
    async def _mail_waiting() -> int:
        try:
            async with asyncio.timeout(COUNT_SECONDS):
                return await links.n_waiting()
        except Exception as problem:
            faults.note("ready", problem)
            return 0


def _is_here(asked: asyncio.Task[bool]) -> bool:
    return asked.done() and not asked.cancelled() and asked.result()


async def _answers(engine: StoreEngine) -> bool:
    """Whether a store takes a step that could write; the step writes nothing."""
    try:
        return await engine.is_here()
    except Exception as problem:
        faults.note("ready", problem)
        return False


def _free(data: Path) -> int:
    try:
        return shutil.disk_usage(data).free
    except OSError:
        return 0
