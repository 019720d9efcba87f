"""What is due on which day: pure, by day, in Europe/Rome. Articles are of D.Lgs. 24/2023."""

import calendar
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

ACKNOWLEDGE_DAYS = 7
OUTCOME_MONTHS = 3
REMINDERS = (60, 75, 85)
ABSENT_DAYS = 7
RETALIATION_MONTHS = (1, 3, 6, 12)
RETENTION_YEARS = 5
DIARY_MONTHS = 12
SPOOL_DAYS = 2


class State(StrEnum):
    """Where a case stands; kept in clear, with its days."""

    DIARY = "diary"
    RECEIVED = "received"
    ACKNOWLEDGED = "acknowledged"
    OUTCOME = "outcome"
    CONTESTED = "contested"
    FINAL = "final"


@dataclass(frozen=True, slots=True)
class Days:
    """The days of a case that are kept in clear; None for what has not come yet."""

    state: State
    received: date | None
    acknowledged: date | None
    outcome: date | None


@dataclass(frozen=True, slots=True)
class Duty:
    """Something that handlers owe: what, and the last day for it."""

    what: str
    by: date

    def is_late(self, today: date) -> bool:
        return today > self.by


EARLIEST, LATEST = date(2000, 1, 1), date(2200, 1, 1)


def possible(day: date | None) -> date | None:
    """A stored day, or none where no such day can be: somebody wrote it into the store."""
    return day if day is not None and EARLIEST <= day <= LATEST else None


def add_months(day: date, months: int) -> date:
    """The same day so many months later, or the last of that month where it has no such day; never after the last day there is."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    if year > date.max.year:
        return date.max
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def add_days(day: date, days: int) -> date:
    """So many days later; never after the last day there is: a letter's own day is its author's word."""
    return date.fromordinal(min(day.toordinal() + days, date.max.toordinal()))


def acknowledge_by(received: date) -> date:
    """Art. 5 c. 1 a: within seven days."""
    return add_days(received, ACKNOWLEDGE_DAYS)


def clock_starts(days: Days) -> date | None:
    """Art. 5 c. 1 d: the three months run from the acknowledgement or, without one, from the end of the seven days."""
    if days.received is None:
        return None
    return days.acknowledged or acknowledge_by(days.received)


def outcome_by(days: Days) -> date | None:
    """The last day for an outcome."""
    start = clock_starts(days)
    return add_months(start, OUTCOME_MONTHS) if start else None


def reminders(days: Days) -> tuple[date, ...]:
    """The days on which the inbox starts to press: 60, 75 and 85 days after the clock started."""
    start = clock_starts(days)
    return tuple(add_days(start, n) for n in REMINDERS) if start else ()


def pressing(days: Days, today: date) -> int:
    """How many reminders have passed while no outcome is there: 0 to 3."""
    if days.state not in (State.RECEIVED, State.ACKNOWLEDGED):
        return 0
    return sum(day <= today for day in reminders(days))


def duties(days: Days, today: date) -> tuple[Duty, ...]:
    """What is owed now, the nearest first."""
    found: list[Duty] = []
    if days.received is None:
        return ()
    if days.state == State.RECEIVED:
        found.append(Duty("acknowledge", acknowledge_by(days.received)))
    by = outcome_by(days)
    if by is not None and days.state in (State.RECEIVED, State.ACKNOWLEDGED):
        found.append(Duty("outcome", by))
    if days.state == State.CONTESTED and days.outcome is not None:
        found.append(Duty("second_look", add_months(days.outcome, OUTCOME_MONTHS)))
    found += [Duty("retaliation", day) for day in retaliation_checks(days.received) if today <= day]
    return tuple(sorted(found, key=lambda duty: duty.by))


def retaliation_checks(received: date) -> tuple[date, ...]:
    """The days on which handlers look whether the person was treated worse since (art. 17, 19)."""
    return tuple(add_months(received, months) for months in RETALIATION_MONTHS)


def was_late(days: Days, today: date) -> bool:
    """Say whether a legal time was missed: acknowledgement or outcome, done too late or still owed."""
    if days.received is None:
        return False
    if (days.acknowledged or today) > acknowledge_by(days.received):
        return True
    by = outcome_by(days)
    return by is not None and (days.outcome or today) > by


def overdue_since(days: Days, today: date) -> date | None:
    """The first day on which handlers are late with what they owe now; None while they are in time. From that day on the
    outside substitute may read and answer."""
    by = None
    if days.received is not None and days.state == State.RECEIVED:
        by = acknowledge_by(days.received)
    elif days.state == State.ACKNOWLEDGED:
        by = outcome_by(days)
    return add_days(by, 1) if by is not None and today > by else None


def is_away(away_from: date | None, away_until: date | None, today: date) -> bool:
    """Say whether a handler is absent for more than seven days by now (ANAC, internal channels): the substitute steps in."""
    if away_from is None or today < away_from or (away_until is not None and today > away_until):
        return False
    return (today - away_from).days >= ABSENT_DAYS


type YearsKept = Callable[[date], int]
"""For how many years a case is kept, by the day of its outcome."""


def years_kept(years: int, before: Iterable[tuple[str, int]], outcome: date) -> int:
    """The years of keeping for a case that ended on a day: those in force now, or more where it ended under more.

    Parameters
    ----------
    years : in force now, 1 to 5
    before : the last ISO day of each longer time, and its years
    outcome : the day it ended
    """
    return max([years, *(longer for until, longer in before if outcome.isoformat() <= until)])


def keep_until(outcome: date, years: int = RETENTION_YEARS) -> date:
    """Art. 14 c. 1: the last day a case may be kept; never beyond five years from the outcome.

    Raises
    ------
    ValueError
        If more than five years are asked.
    """
    if not 1 <= years <= RETENTION_YEARS:
        raise ValueError("retention is one to five years from the outcome")
    return add_months(outcome, 12 * years)


def diary_until(written: date) -> date:
    """The last day of an unsent diary."""
    return add_months(written, DIARY_MONTHS)
