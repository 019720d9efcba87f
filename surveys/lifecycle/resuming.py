"""Whatever was cut off is finished: by the jobs every few minutes, and at each start."""

import os
import re
from contextlib import suppress
from pathlib import Path

from surveys.lifecycle import channel, closing, copies, destroying, opening, printing, released, steps
from surveys.lifecycle.context import Site, destroy_file
from surveys.lifecycle.destroying import AlreadyReleasing
from surveys.people.steps import begun

HAVE_PARTS = (channel, closing, opening, printing, released)
"""The modules that say what each step does (`steps.part`): all of them are loaded where steps are finished."""
_PARTIAL = re.compile(r".+\.([0-9]{1,9})\.partial")


async def resume(site: Site) -> None:
    """Finish every step that was begun and is not under way, then what was to be destroyed, then half-written files and copies.

    A step that cannot be finished now, as its store is away, keeps no other one waiting; what happened is raised at the end.
    """
    problem: Exception | None = None
    for wave in sorted({step.wave for step in await begun()}):
        try:
            async with steps.alone(site, wave, patience=0):
                await steps.finish(site, wave)
        except steps.StepUnderWay:
            continue
        except Exception as this:
            problem = this
    with suppress(AlreadyReleasing):  # a release destroys what it leaves
        async with destroying.alone(site):
            await destroying.finish(site)
    clear_halves(site.data)
    copies.clear(site.data)
    if problem is not None:
        raise problem


def clear_halves(data: Path) -> None:
    """Remove the files of the folder of keys that a process which is gone had not finished writing: they may hold a key."""
    for path in (data / "keys").glob("*.partial"):
        writer = _PARTIAL.fullmatch(path.name)
        if writer and not _is_alive(int(writer[1])):
            if (
                path.stat().st_nlink > 1
            ):  # it has its name already (`keep_once`): what is written over here is written over there
                path.unlink()
            else:
                destroy_file(path)


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
