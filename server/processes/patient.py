"""A step that may take long is begun by a page and goes on without it; one that is cut off is finished by the jobs."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from server.frame import faults

PATIENCE_SECONDS = 3.0
"""So long a page waits for its step; after that it says that it goes on."""
_going_on = set[asyncio.Task[Any]]()
"""Tasks of this process: the loop keeps only weak references."""


async def ends_soon(step: Coroutine[Any, Any, object]) -> bool:
    """Begin a step; whether it was over while the page waited.

    Raises
    ------
    Exception
        What the step raises while the page waits; later it is noted, and the step's row tells that it is not over.
    """
    task = asyncio.create_task(step)
    _going_on.add(task)
    task.add_done_callback(_going_on.discard)
    await asyncio.wait({task}, timeout=PATIENCE_SECONDS)
    if task.done():
        task.result()
        return True
    task.add_done_callback(_note)
    return False


def _note(task: asyncio.Task[Any]) -> None:
    if not task.cancelled() and (problem := task.exception()) is not None:
        faults.note("step", problem)
