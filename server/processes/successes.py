"""When each job last succeeded, in a file that every process of the installation reads.

All jobs of one look have its minute, whether there was anything to do or not: it says nothing of an answer, a message or a report.
"""

import json
import os
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

NAME = "jobs.json"


def read(data: Path) -> dict[str, datetime]:
    """The last successes by job; nothing where there is no file or one that cannot be read."""
    try:
        found = json.loads((data / NAME).read_text("ascii"))
        return {str(name): datetime.fromisoformat(minute) for name, minute in found.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def keep(data: Path, names: Iterable[str], began: datetime) -> None:
    """Note that these jobs succeeded in the look that began at this instant (with a time zone); of it the minute is kept.

    Raises
    ------
    OSError
        What was kept before still stands.
    """
    minute = began.replace(second=0, microsecond=0)
    kept = read(data) | dict.fromkeys(names, minute)
    written = data / f"{NAME}.partial"
    written.write_text(json.dumps({name: one.isoformat(timespec="minutes") for name, one in kept.items()}), "ascii")
    os.replace(written, data / NAME)
