"""What is dear to make and the same for all workers of a run: one of them makes it, the others wait and copy it."""

import fcntl
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from tempfile import mkdtemp

PLACE = "ASCOLTO_TESTS_ONCE"
"""The folder of this run, in the environment: workers inherit it from the process that starts them."""


def begin() -> Callable[[], None] | None:
    """Make the folder of a run, in its first process alone; gives how it is taken away again."""
    if PLACE in os.environ:
        return None
    place = os.environ[PLACE] = mkdtemp(prefix="ascolto-once-")

    def end() -> None:
        shutil.rmtree(place, ignore_errors=True)
        os.environ.pop(PLACE, None)

    return end


def made(name: str, make: Callable[[Path], None]) -> Path:
    """A folder of this run that nobody writes into after it was made: copy it."""
    place = Path(os.environ[PLACE]) / name
    with open(place.with_name(f"{name}.lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not place.exists():
            being_made = place.with_name(f"{name}.made")
            shutil.rmtree(being_made, ignore_errors=True)  # of a worker that was lost
            being_made.mkdir()
            make(being_made)
            being_made.rename(place)
    return place
