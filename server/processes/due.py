"""What is due? Each job is a query of its own that may run twice; one that fails or hangs keeps no other waiting for long."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial

from server.frame import faults
from server.mail import invitations, notices
from server.processes.charting import draw_missing
from server.processes.rehearsals import rehearse_due
from server.settings import Settings
from surveys.cases import keeping
from surveys.cases.clocks import years_kept
from surveys.cases.keeper import keeper_at
from surveys.lifecycle import clock, resuming, reviews, roster
from surveys.lifecycle.closing import count_received, end_due
from surveys.lifecycle.context import ROME, Site
from surveys.one_folder import Folder
from surveys.public import channel

COUNT_HOUR = 9
"""In Rome: a count that came at any hour would tell when people answer."""


@dataclass(frozen=True, slots=True)
class Look:
    """One look at what is due: the stores on a day of Rome, the settings, and the instant at which it began."""

    site: Site
    settings: Settings
    began: datetime


@dataclass(frozen=True, slots=True)
class Job:
    """One piece of what is due.

    `seconds` is how long it may take before it is given up until the next look; `allowed_minutes` how long ago its last
    success may lie before somebody should look at it. One that is `daily` is done at the first look of a day alone, one that
    goes `by_day` only while the clock is believed (`surveys.lifecycle.clock`).
    """

    name: str
    do: Callable[[Look], Awaitable[object]]
    seconds: float = 180
    allowed_minutes: int = 45
    daily: bool = False
    by_day: bool = False


async def _read_clock(look: Look) -> None:
    """Look whether the day follows those before it; jobs that go by the day ask what this found."""
    if not clock.look(look.site.data, look.site.day).is_believed:
        raise clock.ClockWrong(str(look.site.day))


async def _count(look: Look) -> None:
    """From the fixed hour on, count what open waves have received."""
    if look.began.astimezone(ROME).hour >= COUNT_HOUR:
        await count_received(look.site)


async def _delete_old_cases(look: Look) -> None:
    """What was over on the day of an earlier look, too: one wrong day deletes nothing."""
    settled = clock.seen(look.site.data).settled
    if settled is None:
        return
    record = await channel.load()
    years = partial(years_kept, record.retention_years, record.kept_longer)
    await keeping.sweep(look.site.engines["cases"], keeper_at(look.site.data), settled, years)


async def _close_years(look: Look) -> None:
    """A year is over when it was on the day of an earlier look, too: what is said of it then never changes."""
    settled = clock.seen(look.site.data).settled
    if settled is not None:
        await keeping.close_year(look.site.engines["public"], settled)


JOBS = (
    Job("clock", _read_clock),
    Job("ending", lambda look: end_due(look.site), by_day=True),
    Job("counting", _count, by_day=True),
    Job("old_cases", _delete_old_cases, by_day=True),
    Job("year_bands", _close_years, by_day=True),
    Job("resuming", lambda look: resuming.resume(look.site), seconds=600),
    Job("staff_lists", lambda look: roster.forget_lists(look.site, look.began), by_day=True),
    Job("reviews", lambda look: reviews.look_at_files(look.site), seconds=600, allowed_minutes=26 * 60, daily=True),
    Job("notices", lambda look: notices.send_due(look.settings, look.began), seconds=600, by_day=True),
    Job("invitations", lambda look: invitations.send_due(look.settings, look.site), seconds=600),
    Job("charts", lambda look: draw_missing(look.settings), seconds=1200, allowed_minutes=90),
    Job(
        "rehearsal",
        lambda look: rehearse_due(look.settings, look.site.day),
        seconds=3700,
        allowed_minutes=40 * 24 * 60,
        by_day=True,
    ),
)
"""In the order in which they are done: what may take long comes last."""


def asked_to_end() -> bool:
    """Whether this task was cancelled, also where something below it answered the cancelling with a fault of its own."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


async def do_all(look: Look, daily: dict[str, date]) -> list[str]:
    """Do every job that is due and give the names of those that succeeded. None while another folder of keys may do them.

    Parameters
    ----------
    daily : dict of date by str
        When this process last did each daily job; changed here.
    """
    succeeded = []
    for job in JOBS:
        if look.site.engines.folder != Folder.OK:
            break
        if job.daily and daily.get(job.name) == look.site.day:
            continue
        if job.by_day and not clock.seen(look.site.data).is_believed:
            continue
        try:
            async with asyncio.timeout(job.seconds):
                await job.do(look)
        except Exception as problem:  # the next look tries again; a cancelling is none and goes on
            faults.note(f"job {job.name}", problem)
            if asked_to_end():
                break
            continue
        succeeded.append(job.name)
        if job.daily:
            daily[job.name] = look.site.day
    return succeeded


def late(successes: Mapping[str, datetime], since: datetime, now: datetime) -> dict[str, bool]:
    """Of each job whether its last success lies longer ago than it may; one that never succeeded is counted from `since`."""
    never = datetime.min.replace(tzinfo=UTC)
    minutes = {job.name: (now - max(successes.get(job.name, never), since)).total_seconds() / 60 for job in JOBS}
    return {job.name: minutes[job.name] > job.allowed_minutes for job in JOBS}
