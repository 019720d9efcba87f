"""Every step of a wave's life ends or resumes: what it is about to do stands in a row first, and goes with its last act.

A step that is killed leaves its row (`surveys.people.steps`); the jobs, each start and whoever takes the next step of that wave
finish it first (`surveys.lifecycle.resuming`). The parts of a step may therefore run twice.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

from surveys.engines import Busy
from surveys.lifecycle.context import Site
from surveys.people import steps
from surveys.people.steps import Step as Step
from surveys.public.waves import WrongState

PATIENCE_SECONDS = 10.0
"""So long a step waits for another one of the same wave."""
type Part = Callable[[Site, Step], Awaitable[None]]
_PARTS: dict[str, tuple[Part, tuple[type[Exception], ...]]] = {}
_LAST: dict[str, str] = {}
"""The act of each step whose act and whose row's end are one commit."""


class PlanRefused(ValueError):
    """A plan or a step breaks a rule; `reason` is the key of its sentence and `figures` fill it."""

    def __init__(self, reason: str, **figures: str | int) -> None:
        super().__init__(f"{reason} {figures or ''}".strip())
        self.reason, self.figures = reason, figures


class StepUnderWay(PlanRefused):
    """Another step of this wave is being taken at this moment."""

    def __init__(self) -> None:
        super().__init__("under_way")


def part(name: str, *refusals: type[Exception], last: str = "") -> Callable[[Part], Part]:
    """Name what a step does. Where it is refused, by a rule, the wave's state or one of these, its row goes: nothing waits for it for ever.

    `last` is the act that goes with its row: a row that is there though the log has its act was put back, and is no step.
    """

    def kept(do: Part) -> Part:
        _PARTS[name] = do, (PlanRefused, WrongState, *refusals)
        if last:
            _LAST[name] = last
        return do

    return kept


async def take(site: Site, wave: str, name: str, check: Callable[[], Awaitable[object]], **details: str) -> None:
    """Take a step: first finish what was cut off, look whether it may be taken, write it down, do it.

    Parameters
    ----------
    site : where, on which day and in whose name
    wave : its id
    name : of the step, as `part` names it
    check : raises where it may not be taken; nothing has changed then
    details : what its part needs besides; nothing that the log might not hold

    Raises
    ------
    StepUnderWay
        If another one of this wave is being taken.
    Exception
        What `check` and the part raise.
    """
    async with at_rest(site, wave):
        await check()
        await do(site, wave, name, **details)


@asynccontextmanager
async def at_rest(site: Site, wave: str) -> AsyncIterator[None]:
    """Hold the steps of a wave with nothing of an earlier one left to do.

    Raises
    ------
    StepUnderWay
    """
    async with alone(site, wave):
        await finish(site, wave)
        yield


async def do(site: Site, wave: str, name: str, **details: str) -> None:
    """Write a step down and do it. The caller holds those of the wave (`at_rest`)."""
    await _do(site, await begin(site, wave, name, **details))


@asynccontextmanager
async def alone(site: Site, wave: str, patience: float = PATIENCE_SECONDS) -> AsyncIterator[None]:
    """Hold the steps of a wave, in whatever process.

    Raises
    ------
    StepUnderWay
    """
    try:
        async with site.engines["people"].held(f"steps of {wave}", patience):
            yield
    except Busy as problem:
        raise StepUnderWay from problem


async def begin(site: Site, wave: str, name: str, **details: str) -> Step:
    """Write down what is about to be done; the one that stands there already if it was cut off."""
    return await steps.begin(site.engines["people"], Step(wave, name, site.day, site.actor, details))


async def say(site: Site, step: Step, act: str, **details: str) -> None:
    """Write the act that tells a step into the log: once, however often its parts run."""
    await steps.say(site.engines["people"], step, act, **details)


async def over(site: Site, step: Step, act: str = "", **details: str) -> None:
    """A step is done: its last act, if it has one, and the end of its row are one commit."""
    await steps.over(site.engines["people"], step, act, **details)


async def finish(site: Site, wave: str) -> None:
    """Do what is left of the steps of a wave, on the day and in the name of whoever began them. The caller holds them (`alone`)."""
    for step in await steps.begun(wave):
        if step.name in _PARTS:
            if step.name in _LAST and await steps.was_over(step, _LAST[step.name]):
                await over(site, step)
                continue
            try:
                await _do(replace(site, day=step.day, actor=step.actor), step)
            except _PARTS[step.name][1]:
                continue  # it may not be taken any more, and its row is gone


async def _do(site: Site, step: Step) -> None:
    do, refusals = _PARTS[step.name]
    try:
        await do(site, step)
    except refusals:
        await over(site, step)
        raise
