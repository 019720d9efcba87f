"""What a backup, a rehearsal, a file that was sent or a pack lays down in the data folder, and what of it stays where somebody is killed."""

import fcntl
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

STAGING = "backup.part"
"""The folder of the data folder in which copies are made; it is never in one."""
LOCK = "backup.lock"
"""Held by whoever makes them."""
_PASSING = re.compile(r"(\.passing-|\.pack-|tmp)[a-z0-9_]{8}(\.[A-Za-z0-9]{1,9})?", re.ASCII)
"""Files under a name that is drawn; the last two are of versions before."""


@contextmanager
def passing(data: Path, ending: str = "") -> Iterator[IO[bytes]]:
    """A file of the data folder for another process, which goes at the end or, where this process is killed, with the next `clear`."""
    with tempfile.NamedTemporaryFile(prefix=".passing-", suffix=ending, dir=data) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield file


def clear(data: Path) -> None:
    """Remove the copies of whoever is gone: they hold sealed sheets and reports that the stores may have destroyed since, or a
    whole staff list.

    What is being made stays: it goes with whoever makes it.
    """
    for path in data.iterdir():
        if _PASSING.fullmatch(path.name) and not path.is_symlink():
            _let_go(path)
    staging = data / STAGING
    if not staging.exists():
        return
    with open(data / LOCK, "w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        shutil.rmtree(staging, ignore_errors=True)


def _let_go(path: Path) -> None:
    """Remove a file that nobody holds. One with nothing in it may be held in a moment."""
    with suppress(OSError), path.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if path.stat().st_size:
            path.unlink()
