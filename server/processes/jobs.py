"""What is due? Each job is a query and may run twice; one process at a time does them."""

import asyncio
import fcntl
import os
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import IO

from server.frame import faults
from server.mail import invitations, notices
from server.processes.charting import draw_missing
from server.settings import Settings
from surveys.answers import wave as urn_of
from surveys.cases import keeping
from surveys.cases.clocks import years_kept
from surveys.cases.keeper import keeper_at
from surveys.lifecycle import resuming, reviews
from surveys.lifecycle.closing import count_received, end_due
from surveys.lifecycle.context import ROME, Site, today
from surveys.people import links
from surveys.public import channel
from surveys.stores import Engines

EVERY_SECONDS = 300
STIR_SECONDS = (180, 300)
"""Between two stirs, drawn anew each time: so long at most, and the stir itself, the order of arrival stands on the disk."""
LAST_STIR_SECONDS = 10
COUNT_HOUR = 9
"""In Rome: a count that came at any hour would tell when people answer."""
ACTOR = "ascolto"
_dice = random.SystemRandom()


def start(settings: Settings, engines: Engines) -> asyncio.Task[None]:
    """Begin to look every five minutes; the task ends with the process."""
    return asyncio.create_task(_look(settings, engines))


async def stop(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def _asked_to_end() -> bool:
    """Whether this task was cancelled, also where something below it answered the cancelling with a fault of its own."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


async def _look(settings: Settings, engines: Engines) -> None:
    lease: IO[str] | None = None
    looked: date | None = None
    stirrers: list[asyncio.Task[None]] = []
    try:
        while not _asked_to_end():
            if lease is None and (lease := _take_lease(settings)) is not None:
                stirrers = [asyncio.create_task(stirrer.work()) for stirrer in _stirrers(engines)]
            if lease is not None:
                site = Site(engines, settings.data, today(), ACTOR)
                try:
                    await do_due(site, datetime.now(ROME).hour)
                    await draw_missing(settings)
                    await notices.send_due(settings, datetime.now(UTC))
                    await invitations.send_due(settings, site)
                except Exception as problem:  # the next look tries again
                    faults.note("jobs", problem)
                try:
                    if looked != site.day:  # every kept file is read: once a day, and at a start
                        await reviews.look_at_files(site)
                        looked = site.day
                except Exception as problem:
                    faults.note("reviews", problem)
                try:
                    await resuming.resume(site)
                except Exception as problem:
                    faults.note("resuming", problem)
                touch(settings.data)
            if not _asked_to_end():
                await asyncio.sleep(EVERY_SECONDS)
    finally:
        for task in stirrers:
            task.cancel()
        await asyncio.gather(*stirrers, return_exceptions=True)
        if lease is not None:
            lease.close()


def _stirrers(engines: Engines) -> list["Stirrer"]:
    answers, people, cases = engines["answers"], engines["people"], engines["cases"]
    return [
        Stirrer(urn_of.arrived, lambda: urn_of.stir(answers)),
        Stirrer(links.touched, lambda: links.stir(people)),
        Stirrer(keeping.arrived, lambda: keeping.stir(cases)),
    ]


class Stirrer:
    """Stirs one store every few minutes while anything changed, and once when the service ends."""

    def __init__(self, count: Callable[[], Awaitable[object]], stir: Callable[[], Awaitable[None]]) -> None:
        self._count, self._stir = count, stir
        self._stirred: object = None

    async def work(self) -> None:
        """Begin after a start, whatever was left in order then; go on until cancelled."""
        try:
            while not _asked_to_end():
                await self.once()
                if not _asked_to_end():
                    await asyncio.sleep(_dice.uniform(*STIR_SECONDS))
        finally:
            with suppress(TimeoutError):
                await asyncio.wait_for(self.once(), LAST_STIR_SECONDS)

    async def once(self) -> None:
        """Stir if anything came since the last stir began; what comes meanwhile is for the next one."""
        try:
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


def _take_lease(settings: Settings) -> IO[str] | None:
    handle = open(settings.data / "jobs.lock", "w")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        handle.close()
        return None
    return handle


async def do_due(site: Site, hour: int = COUNT_HOUR) -> None:
    """Do everything that is due on this day; from the fixed hour on, count what open waves have received."""
    await end_due(site)
    if hour >= COUNT_HOUR:
        await count_received(site)
    record = await channel.load()
    await keeping.sweep(
        site.engines["cases"],
        keeper_at(site.data),
        site.day,
        partial(years_kept, record.retention_years, record.kept_longer),
    )
    await keeping.close_year(site.engines["public"], site.day)
