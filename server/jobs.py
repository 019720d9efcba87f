"""What is due? Each job is a query and may run twice; one process at a time does them."""

import asyncio
import fcntl
from datetime import UTC, datetime
from typing import IO

from server import faults, invitations, notices
from server.settings import Settings
from surveys.answers.wave import stir
from surveys.cases import keeping
from surveys.lifecycle.closing import count_received, end_due
from surveys.lifecycle.context import ROME, House, today
from surveys.public import channel
from surveys.stores import Engines

EVERY_SECONDS = 300
COUNT_HOUR = 9
"""In Rome: a count that came at any hour would tell when people answer."""
ACTOR = "ascolto"


def start(settings: Settings, engines: Engines) -> asyncio.Task[None]:
    """Begin to look every five minutes; the task ends with the process."""
    return asyncio.create_task(_look(settings, engines))


async def stop(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def _look(settings: Settings, engines: Engines) -> None:
    lease: IO[str] | None = None
    stirred = None
    try:
        while True:
            lease = lease or _take_lease(settings)
            if lease is not None:
                house = House(engines, settings.data, today(), ACTOR)
                try:
                    await do_due(house, datetime.now(ROME).hour)
                    if stirred != house.day:  # every night, and once after a start
                        await stir(engines["answers"])
                        stirred = house.day
                    await notices.send_due(settings, datetime.now(UTC))
                    await invitations.send_due(settings, house)
                except Exception as problem:  # the next look tries again
                    faults.note("jobs", problem)
            await asyncio.sleep(EVERY_SECONDS)
    finally:
        if lease is not None:
            lease.close()


def _take_lease(settings: Settings) -> IO[str] | None:
    handle = open(settings.data / "jobs.lock", "w")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        handle.close()
        return None
    return handle


async def do_due(house: House, hour: int = COUNT_HOUR) -> None:
    """Do everything that is due on this day; from the fixed hour on, count what open waves have received."""
    await end_due(house)
    if hour >= COUNT_HOUR:
        await count_received(house)
    record = await channel.load()
    await keeping.sweep(house.engines["cases"], house.day, record.retention_years)
    await keeping.close_year(house.engines["public"], house.day)
