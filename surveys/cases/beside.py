"""What stands beside a case to schedule by, and what readers' desks found in its letters: how a case is late, and who says so.

The row is written by one desk at a time, and one may be dishonest. So whether the outside substitute works on a case is decided by
more: a case that was late, by its row or by what one desk found, stays with her until two desks found it in time.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any, NamedTuple

import msgspec

from surveys.cases.clocks import Days, State, overdue_since, possible
from surveys.cases.keeper import FIRST_VERSION, Keeper

LATE_ROW = "row"
"""The mark of a row that was late before somebody put it in time."""


def days_of(row: Mapping[str, Any]) -> Days:
    """State and days beside a case, to schedule by: what cannot be stands as not there, until a reader's desk puts it right."""
    state = State(row["state"]) if row["state"] in set(State) else State.RECEIVED
    return Days(state, possible(row["received"]), possible(row["acknowledged"]), possible(row["outcome"]))


def holds_of(row: Mapping[str, Any]) -> set[str]:
    """Marks of those who ask that a case is kept."""
    try:
        return set(msgspec.json.decode(row["holds"] or "[]", type=list[str]))
    except (msgspec.DecodeError, TypeError):  # somebody wrote into the store; `held` stays as it is
        return set()


def is_ended(row: Mapping[str, Any], keeper: Keeper) -> bool:
    """Whether the end that a row says needs no other look: there is none, two found it, or it is of version 1."""
    return row["outcome"] is None or bool(row["ended"]) or keeper.version(int(row["id"])) == FIRST_VERSION


class Word(NamedTuple):
    """How a case stands by its letters, as one reader's desk found it: in how many letters, and whether it was late that day."""

    state: str
    received: str
    acknowledged: str
    outcome: str
    letters: int
    late: bool

    @property
    def days(self) -> Days:
        return Days(State(self.state), *(_day_in(text) for text in (self.received, self.acknowledged, self.outcome)))


def _day_in(text: str) -> date | None:
    try:
        return possible(date.fromisoformat(text)) if text else None
    except ValueError:
        return None


def word_of(days: Days, letters: int, today: date) -> Word:
    received, acknowledged, outcome = (str(day or "") for day in (days.received, days.acknowledged, days.outcome))
    return Word(str(days.state), received, acknowledged, outcome, letters, is_overdue(days, today))


def words_of(row: Mapping[str, Any]) -> dict[str, Word]:
    """What readers' desks last found, by their marks."""
    try:
        found = msgspec.json.decode(row["words"] or "{}", type=dict[str, Word])
        return {mark: word for mark, word in found.items() if word.state in set(State)}
    except (msgspec.DecodeError, TypeError):  # somebody wrote into the store
        return {}


def is_overdue(days: Days, today: date) -> bool:
    return overdue_since(days, today) is not None


def _in_time(words: Mapping[str, Word], letters: int, today: date) -> int:
    """How many desks found it in time in all letters that are there."""
    return sum(
        word.letters == letters and not is_overdue(word.days, today) for mark, word in words.items() if mark != LATE_ROW
    )


def is_late(row: Mapping[str, Any], letters: int, today: date) -> bool:
    """Whether a case is late with its acknowledgement or outcome, for the substitute: by its row, or by what any desk found in all its
    letters or found late before, unless two desks found it in time in all its letters."""
    words = words_of(row)
    late = is_overdue(days_of(row), today) or any(
        word.late or (word.letters == letters and is_overdue(word.days, today)) for word in words.values()
    )
    return late and _in_time(words, letters, today) < 2


def put_in_time(row: Mapping[str, Any], after: Days, today: date) -> dict[str, Word]:
    """The words beside a row that is about to say something else: where it was late and will not be, that stays."""
    words = words_of(row)
    if is_overdue(days_of(row), today) and not is_overdue(after, today):
        words[LATE_ROW] = word_of(days_of(row), 0, today)
    return words


def heard(words: Mapping[str, Word], mark: str, word: Word, letters: int, today: date) -> dict[str, Word]:
    """The words with one more desk's; one that does not speak of all `letters` is not taken. Two that found the case in time end what
    was late before."""
    if word.letters != letters:
        return dict(words)
    found = {**words, mark: word}
    if _in_time(found, letters, today) < 2:
        return found
    return {mark: word for mark, word in found.items() if word.letters == letters or not word.late}


def kept(words: Mapping[str, Word]) -> str:
    """Words as the store has them."""
    return msgspec.json.encode(dict(words)).decode()
