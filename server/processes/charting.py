"""Charts that a release left undrawn, or that were drawn before charts were signed, are drawn by the jobs."""

from server.frame import faults
from server.processes import workers
from server.processes.workers import WorkFailed
from server.settings import Settings
from surveys.public import releases
from surveys.public.waves import State, in_state

SECONDS = 300
"""A wave's charts take two."""
_tried: set[str] = set()
"""Waves of which this process drew what there is to draw: some have nothing."""


async def draw_missing(settings: Settings) -> None:
    """Draw the charts of each released wave that has none."""
    found = [wave.id for wave in await in_state(State.RELEASED) if await releases.ours(wave.id)]
    for wave in await releases.without_charts(found):
        if wave not in _tried:
            _tried.add(wave)
            try:
                await workers.run(settings, "charts", {"wave": wave}, seconds=SECONDS)
            except WorkFailed as problem:
                faults.note("charts", problem)
