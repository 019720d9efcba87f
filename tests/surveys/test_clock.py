"""A clock that nobody need trust: a wrong day ends nothing for good and deletes nothing."""

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surveys.lifecycle import clock
from surveys.lifecycle.clock import LEAP, Seen

START = date(2026, 11, 2)


def _day(n: int) -> date:
    return START + timedelta(days=n)


def _after(*days: int) -> Seen:
    seen = Seen()
    for n in days:
        seen = seen.after(_day(n))
    return seen


def test_days_that_follow_each_other_are_believed_and_delete_by_the_day_before() -> None:
    assert _after(0) == Seen(_day(0)) and _after(0).settled is None
    assert _after(0, 0, 0) == Seen(_day(0))
    assert _after(0, 1) == _after(0, 1, 1) == Seen(_day(1), _day(0))
    assert _after(0, 1, 2, 9).settled == _day(2)


@pytest.mark.parametrize("wrong", [9, 400, 3650, -1, -400])
def test_a_day_that_does_not_follow_stops_until_the_clock_is_right_again(wrong: int) -> None:
    seen = _after(0, 1, wrong, wrong)
    assert not seen.is_believed and seen.settled is None
    assert seen.after(_day(1)) == Seen(_day(1), _day(0)) and seen.after(_day(2)) == Seen(_day(2), _day(1))


def test_after_two_midnights_on_new_days_they_are_believed() -> None:
    assert not _after(0, 1, 400, 401, 401).is_believed
    assert _after(0, 1, 400, 401, 402) == Seen(_day(402), _day(401))
    assert not _after(0, 1, 400, 401, 800, 801).is_believed  # two days here and two there are no three


def test_the_days_outlive_the_process_and_a_file_that_cannot_be_read_is_none(tmp_path: Path) -> None:
    for n in (0, 1, 400):
        clock.look(tmp_path, _day(n))
    assert clock.seen(tmp_path) == _after(0, 1, 400)
    clock.believe(tmp_path, _day(400))
    assert clock.seen(tmp_path) == Seen(_day(400))
    for damaged in ("", "[]", "{}", '{"last":"x","before":"","strange":[]}'):
        clock.path_of(tmp_path).write_text(damaged)
        assert clock.seen(tmp_path) == Seen()


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(-4000, 4000), st.booleans()), max_size=40))
def test_of_a_clock_that_is_wrong_once_a_day_no_day_is_settled_that_does_not_come_within_two_weeks(
    life: list[tuple[int, int, bool]],
) -> None:
    """After a first look that was right the clock is right once on each true day, and wrong once, before or after: a week, twice."""
    true, seen = 0, Seen(START)
    for passed, wrong, first in life:
        true += passed
        for other in (wrong, 0) if first else (0, wrong):
            seen = seen.after(_day(true + other))
            assert seen.settled is None or seen.settled <= _day(true) + 2 * LEAP


@given(st.integers(-4000, 4000), st.integers(0, 40))
def test_after_one_wrong_look_at_most_two_midnights_go_by_until_right_days_are_believed_again(
    wrong: int, steps: int
) -> None:
    seen = _after(0, 1, 1 + wrong)
    for n in range(2, 5 + steps):
        seen = seen.after(_day(n))
    assert seen.is_believed and seen.last == _day(4 + steps)
    assert replace(seen, strange=()) == seen


@pytest.mark.parametrize(("says", "written"), [(0, 0), (1, 1), (-6, -6), (-7, 1), (-400, 1), (400, 400)])
def test_nothing_is_written_down_for_a_day_long_before_the_last_one(tmp_path: Path, says: int, written: int) -> None:
    for n in (0, 1):
        clock.look(tmp_path, _day(n))
    assert clock.day_of(tmp_path, _day(says)) == _day(written)
    assert clock.day_of(tmp_path / "none", _day(says)) == _day(says)
