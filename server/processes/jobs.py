"""Looks every few minutes for what is due (`due`), and stirs; one process at a time does both."""

import asyncio
import fcntl
import os
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, date, datetime
from pathlib import Path
from typing import IO

from server.frame import faults
from server.processes import successes
from server.processes.due import Look, asked_to_end, do_all
from server.settings import Settings
from surveys.answers import wave as urn_of
from surveys.cases import keeping
from surveys.cases import log as desk_log
from surveys.lifecycle import accepting
from surveys.lifecycle.context import Site, today
from surveys.one_folder import Folder
from surveys.people import links, log
from surveys.stores import Engines

EVERY_SECONDS = 300
STIR_SECONDS = (180, 300)
"""Between two stirs, drawn anew each time: so long at most, and the stir itself, the order of arrival stands on the disk."""
LAST_STIR_SECONDS = 10
ACTOR = "ascolto"
_dice = random.SystemRandom()


def start(settings: Settings, engines: Engines) -> asyncio.Task[None]:
    """Begin to look every five minutes; the task ends with the process."""
    return asyncio.create_task(_look(settings, engines))


async def stop(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def _look(settings: Settings, engines: Engines) -> None:
    lease: IO[str] | None = None
    daily: dict[str, date] = {}
    stirrers: list[asyncio.Task[None]] = []
    try:
        while not asked_to_end():
            if lease is None and (lease := take_lease(settings)) is not None:
                stirrers = [asyncio.create_task(stirrer.work()) for stirrer in _stirrers(engines)]
            if lease is not None:
                began = datetime.now(UTC)
                look = Look(Site(engines, settings.data, today(), ACTOR), settings, began)
                succeeded = await do_all(look, daily)
                try:
                    successes.keep(settings.data, succeeded, began)
                except OSError as problem:  # a full disk: what is kept grows old, and that is noticed
                    faults.note("jobs", problem)
                touch(settings.data)
            await _let_go()
            if not asked_to_end():
                await asyncio.sleep(EVERY_SECONDS)
    finally:
        for task in stirrers:
            task.cancel()
        await asyncio.gather(*stirrers, return_exceptions=True)
        if lease is not None:
            lease.close()


async def _let_go() -> None:
    """In every process, whoever does the jobs: each has the keys of the waves that it took sheets for in its own memory."""
    try:
        await accepting.let_go()
    except Exception as problem:  # a store that is away: the next look lets go
        faults.note("jobs", problem)


def _stirrers(engines: Engines) -> list["Stirrer"]:
    def may() -> bool:
        return engines.folder == Folder.OK

    answers, people, cases = engines["answers"], engines["people"], engines["cases"]
    return [
        Stirrer(urn_of.arrived, lambda: urn_of.stir(answers), may),
        Stirrer(links.touched, lambda: links.stir(people), may),
        Stirrer(keeping.arrived, lambda: keeping.stir(cases), may),
        Stirrer(log.lines, lambda: log.stir(people), may),
        Stirrer(desk_log.lines, lambda: desk_log.stir(cases), may),
    ]


class Stirrer:
    """Stirs one store every few minutes while anything changed, and once when the service ends."""

    def __init__(
        self,
        count: Callable[[], Awaitable[object]],
        stir: Callable[[], Awaitable[None]],
        may: Callable[[], bool] = lambda: True,
    ) -> None:
        self._count, self._stir, self._may = count, stir, may
        self._stirred: object = None

    async def work(self) -> None:
        """Begin after a start, whatever was left in order then; go on until cancelled."""
        try:
            while not asked_to_end():
                await self.once()
                if not asked_to_end():
                    await asyncio.sleep(_dice.uniform(*STIR_SECONDS))
        finally:
            with suppress(TimeoutError):
                await asyncio.wait_for(self.once(), LAST_STIR_SECONDS)

    async def once(self) -> None:
        """Stir if it may and anything came since the last stir began; what comes meanwhile is for the next one."""
        try:
            if not self._may():
                return
            found = await self._count()
            if found != self._stirred:
                await self._stir()
                self._stirred = found
        except Exception as problem:  # the next one tries again
            faults.note("stir", problem)


def touch(data: Path) -> None:
    """Give every file of the stores the time of this look: the last answer or report leaves none of its own, here or in a copy.

    Not an older time: a backup that compares times must still see that a file was written.
    """
    for path in [*data.glob("*.sqlite*"), data]:
        with suppress(OSError):  # a log that was emptied and removed meanwhile
            os.utime(path)


def take_lease(settings: Settings) -> IO[str] | None:
    """Become the one that does the jobs of this installation, until what is given is closed; None while another process is."""
    try:
        handle = open(settings.data / "jobs.lock", "w")
    except OSError as problem:  # a folder that went away: the next look tries again
        faults.note("jobs", problem)
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        handle.close()
        return None
    return handle
