"""A release in a process of its own, followed: its steps go into the store, and a lock says whether somebody follows one."""

import asyncio
import fcntl
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from server.frame import faults
from server.frame.texts import say
from server.processes import workers
from server.processes.workers import WorkFailed
from server.settings import Settings
from surveys.public import progress
from surveys.public.progress import Progress
from surveys.stores import Engines

TRIES = 3
_following = set[asyncio.Task[None]]()
"""Tasks of this process: the loop keeps only weak references."""


def _lock(data: Path, wave: str) -> IO[str] | None:
    """Take the lock of a wave's release, or None where somebody has it, in this process or another. It goes with its process."""
    path = data / "keys" / f"{wave}.releasing"
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = open(path, "w")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        handle.close()
        return None
    return handle


def _is_followed(data: Path, wave: str) -> bool:
    handle = _lock(data, wave)
    if handle is not None:
        handle.close()
    return handle is None


async def release(settings: Settings, engines: Engines, wave: str, secrets: Mapping[str, str | int]) -> bool:
    """Begin a release and follow it; False where one runs already, in whatever process."""
    for _ in range(TRIES):
        if (lock := _lock(settings.data, wave)) is not None:
            break
        await asyncio.sleep(0.01)  # perhaps somebody only looked
    else:
        return False
    try:
        await progress.begin(engines["public"], wave)
    except BaseException:
        lock.close()
        raise
    task = asyncio.create_task(_follow(settings, wave, {**secrets, "wave": wave}, lock))
    _following.add(task)
    task.add_done_callback(_following.discard)
    return True


async def _follow(settings: Settings, wave: str, given: Mapping[str, Any], lock: IO[str]) -> None:
    failed = "broken"
    try:
        await workers.run(settings, "release", given, lambda step: _tell(wave, step))
        failed = ""
    except WorkFailed as problem:
        failed = problem.reason
    finally:
        try:
            await progress.end(wave, failed)
        finally:
            lock.close()


async def _tell(wave: str, step: str) -> None:
    """Write a step down; where the store is busy with something else the release goes on all the same, and is followed."""
    try:
        await progress.step(wave, step)
    except Exception as problem:
        faults.note("releasing", problem)


async def look(data: Path, wave: str) -> Progress | None:
    """How far the release of a wave is; one that nobody follows and that did not end was cut off, which is a failure."""
    found = None
    for _ in range(TRIES):  # one may begin, or end, between the look at the lock and the look at the store
        followed = _is_followed(data, wave)
        found = await progress.of(wave)
        if followed:
            return found if found is not None and not found.finished else Progress("", "", False)
        if found is None or found.finished:
            return found
    return found and Progress(found.step, "broken", True)


def failure_in_words(language: str, failed: str) -> str:
    """The sentence of what failed; of sheets that are missing with their number."""
    key, *numbers = failed.split(":")
    return say(language, f"desk.failed.{key}", **dict(zip(("missing", "spent"), numbers, strict=False)))


def missing_of(failed: str) -> int:
    """How many sheets two keepers may release without, as a failed release told; 0 if it failed for something else."""
    key, *numbers = failed.split(":")
    return int(numbers[0]) if key == "sheets_missing" else 0
