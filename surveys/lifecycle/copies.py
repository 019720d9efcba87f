"""What a backup or a rehearsal lays down in the data folder while it runs, and what one that was killed leaves there."""

import fcntl
import shutil
from pathlib import Path

STAGING = "backup.part"
"""The folder of the data folder in which copies are made; it is never in one."""
LOCK = "backup.lock"
"""Held by whoever makes them."""


def clear(data: Path) -> None:
    """Remove the copies of whoever is gone: they hold sealed sheets and reports that the stores may have destroyed since.

    What is being made stays: it goes with whoever makes it.
    """
    staging = data / STAGING
    if not staging.exists():
        return
    with open(data / LOCK, "w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        shutil.rmtree(staging, ignore_errors=True)
