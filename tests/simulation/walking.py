"""The walk: a step is killed before each thing that lasts, the jobs look once, whoever took it takes it again if it did not happen."""

import asyncio
from collections.abc import Iterable
from pathlib import Path

from surveys.lifecycle import resuming
from surveys.lifecycle.context import Site
from surveys.lifecycle.leftovers import leftovers
from surveys.people import log
from surveys.public.waves import get
from surveys.stores import StoreSettings, stores
from tests.conftest import DAY, WAVE
from tests.simulation.crashing import dies
from tests.simulation.prepared import prepared
from tests.simulation.steps import LATE, STEPS


async def _told(site: Site, step: str) -> tuple[bool, list[str]]:
    """Whether the step happened, and what is wrong: something left, or an act that the log does not tell just once."""
    told, acts = STEPS[step], [act.act for act in await log.read()]
    happened = await told.done(site) if told.done else (await get(WAVE)).state == told.after
    wrong = [str(one) for one in await leftovers(site)]
    wrong += [f"{act} told {acts.count(act)} times" for act in told.acts if acts.count(act) != happened]
    return happened, wrong


async def _settled(settings: StoreSettings, step: str) -> list[str]:
    async with stores(settings) as engines:
        await resuming.resume(Site(engines, settings.data, LATE, "ascolto"))
        happened, wrong = await _told(Site(engines, settings.data, LATE, "ascolto"), step)
        if not happened and not wrong:
            await STEPS[step].take(Site(engines, settings.data, DAY, "hr"))
            again, wrong = await _told(Site(engines, settings.data, LATE, "ascolto"), step)
            wrong += [] if again else ["it cannot be taken again"]
    return wrong


def walk(step: str, folder: Path, address: str | None, things: Iterable[int]) -> tuple[int, list[str]]:
    """Kill a step before each of these things, until it ends by itself; how often it died, and what was wrong then."""
    deaths, faults = 0, []
    for thing in things:
        with prepared(STEPS[step].before, folder / str(thing), address) as settings:
            died = dies(settings, step, thing)
            faults += [f"before thing {thing}: {wrong}" for wrong in asyncio.run(_settled(settings, step))]
        deaths += died
        if not died:
            break
    return deaths, faults
