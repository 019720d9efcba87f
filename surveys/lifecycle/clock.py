"""A clock that nobody need trust: what is done by the day is done on days that follow each other, and deletes on the second of two.

The day of the last look lies in a file of the data folder. A day that does not follow it (before it, or more than a week after it)
stops what is done by the day until the clock is right again, somebody says that it is right, or two midnights went by
on the new days. What deletes is told the day of an earlier look, never the one that is read just now.
"""

import json
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path

from surveys.lifecycle.context import keep_file

LEAP = timedelta(days=7)
"""So far ahead the next look may lie: a service that stood still for a week goes on by itself."""
LIVED = 3
"""So many days that follow each other, with two midnights between them, make a new time believed."""


class ClockWrong(Exception):
    """The day that the clock says does not follow the last one that was seen."""


@dataclass(frozen=True, slots=True)
class Seen:
    """The last day that was believed, the one before it, and the days since that do not follow."""

    last: date | None = None
    before: date | None = None
    strange: tuple[date, ...] = field(default=())

    def after(self, day: date) -> "Seen":
        """What is known after a look on this day."""
        if self.last is None or _follows(self.last, day, timedelta(days=1) if self.strange else LEAP):
            return self if day == self.last and not self.strange else Seen(day, self._before(day))
        lived = self.strange if self.strange and _follows(self.strange[-1], day) else ()
        lived = lived if day in lived else (*lived, day)
        return Seen(day, lived[-2]) if len(lived) >= LIVED else replace(self, strange=lived)

    def _before(self, day: date) -> date | None:
        return self.before if day == self.last else self.last

    @property
    def is_believed(self) -> bool:
        return not self.strange

    @property
    def settled(self) -> date | None:
        """Until which day what is kept may be deleted: that of an earlier look; none before there are two."""
        return self.before if self.is_believed else None


def _follows(last: date, day: date, within: timedelta = LEAP) -> bool:
    """A clock that jumped to and fro is believed if it goes on where it was: else each jump could begin at the one before."""
    return last <= day <= last + within


def path_of(data: Path) -> Path:
    return data / "clock.json"


def seen(data: Path) -> Seen:
    """What the looks until now have seen; nothing where there is no file, or one that cannot be read."""
    try:
        found = json.loads(path_of(data).read_text("ascii"))
        last, before, strange = found["last"], found["before"], found["strange"]
        return Seen(
            date.fromisoformat(last),
            date.fromisoformat(before) if before else None,
            tuple(map(date.fromisoformat, strange)),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return Seen()


def day_of(data: Path, day: date) -> date:
    """The day that is written down for what happens now: the last one that was seen, where the clock says one long before it.

    What is kept from its day on would be over as soon as the clock is right again.
    """
    last = seen(data).last
    return last if last is not None and day < last - LEAP else day


def look(data: Path, day: date) -> Seen:
    """Look at the clock; what is done by the day goes by what this gives."""
    before = seen(data)
    now = before.after(day)
    if now != before:
        _keep(data, now)
    return now


def believe(data: Path, day: date) -> None:
    """Somebody says that this day is right: what is done by the day goes on from it."""
    _keep(data, Seen(day))


def _keep(data: Path, now: Seen) -> None:
    content = {
        "last": str(now.last),
        "before": str(now.before) if now.before else "",
        "strange": [str(day) for day in now.strange],
    }
    keep_file(path_of(data), json.dumps(content).encode())
