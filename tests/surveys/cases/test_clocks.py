"""Dates of the channel, by day in Europe/Rome: D.Lgs. 24/2023 art. 5, 14; ends of months, leap days, changes of the hour."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surveys.cases.clocks import (
    Days,
    State,
    acknowledge_by,
    add_months,
    clock_starts,
    diary_until,
    duties,
    is_away,
    keep_until,
    outcome_by,
    pressing,
    reminders,
    retaliation_checks,
    was_late,
)
from surveys.lifecycle.context import rome_day

D = date.fromisoformat
days = st.dates(date(2024, 1, 1), date(2099, 12, 31))


@pytest.mark.parametrize(
    ("instant", "day"),
    [
        ("2026-03-28T22:59:59+00:00", "2026-03-28"),
        ("2026-03-28T23:00:00+00:00", "2026-03-29"),  # the night when summer time begins
        ("2026-03-29T21:59:59+00:00", "2026-03-29"),
        ("2026-03-29T22:00:00+00:00", "2026-03-30"),
        ("2026-10-24T22:00:00+00:00", "2026-10-25"),  # the night when it ends
        ("2026-10-25T22:59:59+00:00", "2026-10-25"),
        ("2026-10-25T23:00:00+00:00", "2026-10-26"),
        ("2028-02-28T23:30:00+00:00", "2028-02-29"),
        ("2026-12-31T23:00:00+00:00", "2027-01-01"),
    ],
)
def test_a_day_is_a_day_in_rome(instant: str, day: str) -> None:
    assert rome_day(datetime.fromisoformat(instant)) == D(day)


def test_an_instant_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError):
        rome_day(datetime(2026, 1, 1))


@pytest.mark.parametrize(
    ("day", "months", "after"),
    [
        ("2026-11-30", 3, "2027-02-28"),
        ("2027-11-30", 3, "2028-02-29"),
        ("2026-10-31", 1, "2026-11-30"),
        ("2026-12-15", 1, "2027-01-15"),
        ("2028-02-29", 12, "2029-02-28"),
        ("2026-01-31", 3, "2026-04-30"),
        ("2026-08-31", 6, "2027-02-28"),
        ("2024-02-29", 60, "2029-02-28"),
    ],
)
def test_months_end_where_the_month_ends(day: str, months: int, after: str) -> None:
    assert add_months(D(day), months) == D(after)


@given(days, st.integers(0, 60))
def test_months_later_is_never_in_a_month_further_on(day: date, months: int) -> None:
    later = add_months(day, months)
    assert (later.year * 12 + later.month) - (day.year * 12 + day.month) == months
    assert later.day <= day.day


@given(days)
def test_seven_days_are_seven_days_across_a_change_of_the_hour(day: date) -> None:
    assert (acknowledge_by(day) - day).days == 7
    noon = datetime(day.year, day.month, day.day, 11, tzinfo=UTC)
    assert rome_day(noon + timedelta(days=7)) == acknowledge_by(day)


def _days(state: State, received: str, acknowledged: str = "", outcome: str = "") -> Days:
    return Days(state, D(received), D(acknowledged) if acknowledged else None, D(outcome) if outcome else None)


def test_three_months_run_from_the_acknowledgement() -> None:
    case = _days(State.ACKNOWLEDGED, "2026-11-23", "2026-11-27")
    assert (clock_starts(case), outcome_by(case)) == (D("2026-11-27"), D("2027-02-27"))


def test_without_an_acknowledgement_they_run_from_the_end_of_the_seven_days() -> None:
    case = _days(State.RECEIVED, "2026-11-23")
    assert (clock_starts(case), outcome_by(case)) == (D("2026-11-30"), D("2027-02-28"))


def test_reminders_press_at_60_75_and_85_days() -> None:
    case = _days(State.ACKNOWLEDGED, "2026-11-23", "2026-11-23")
    assert reminders(case) == (D("2027-01-22"), D("2027-02-06"), D("2027-02-16"))
    asked = ("2027-01-21", "2027-01-22", "2027-02-05", "2027-02-06", "2027-02-16")
    assert [pressing(case, D(day)) for day in asked] == [0, 1, 1, 2, 3]
    assert pressing(_days(State.OUTCOME, "2026-11-23", "2026-11-23", "2027-01-10"), D("2027-02-16")) == 0


def test_duties_come_by_day_and_are_late_the_day_after() -> None:
    case = _days(State.RECEIVED, "2026-11-23")
    first = duties(case, D("2026-11-30"))[0]
    assert (first.what, first.by, first.is_late(D("2026-11-30")), first.is_late(D("2026-12-01"))) == (
        "acknowledge",
        D("2026-11-30"),
        False,
        True,
    )
    contested = _days(State.CONTESTED, "2026-11-23", "2026-11-24", "2026-11-30")
    assert [duty.what for duty in duties(contested, D("2027-02-28"))][:2] == ["second_look", "retaliation"]


def test_retaliation_is_asked_after_1_3_6_and_12_months() -> None:
    assert retaliation_checks(D("2026-08-31")) == (D("2026-09-30"), D("2026-11-30"), D("2027-02-28"), D("2027-08-31"))


def test_lateness_is_told_by_day() -> None:
    on_time = _days(State.OUTCOME, "2026-11-23", "2026-11-30", "2027-02-28")
    assert not was_late(on_time, D("2028-01-01"))
    assert was_late(_days(State.OUTCOME, "2026-11-23", "2026-12-01", "2027-01-10"), D("2028-01-01"))
    assert was_late(_days(State.OUTCOME, "2026-11-23", "2026-11-30", "2027-03-01"), D("2028-01-01"))
    assert was_late(_days(State.RECEIVED, "2026-11-23"), D("2026-12-01"))
    assert not was_late(_days(State.RECEIVED, "2026-11-23"), D("2026-11-30"))


def test_a_handler_is_away_for_more_than_seven_days_on_the_eighth() -> None:
    begins = D("2026-11-02")
    assert [is_away(begins, None, begins + timedelta(days=n)) for n in (-1, 0, 6, 7, 8)] == [
        False,
        False,
        False,
        True,
        True,
    ]
    assert not is_away(begins, D("2026-11-20"), D("2026-11-21"))
    assert not is_away(None, None, begins)


def test_nothing_is_kept_beyond_five_years_from_the_outcome() -> None:
    assert keep_until(D("2028-02-29"), 5) == D("2033-02-28")
    assert keep_until(D("2026-11-23"), 1) == D("2027-11-23")
    for years in (0, 6):
        with pytest.raises(ValueError):
            keep_until(D("2026-11-23"), years)


def test_a_diary_is_kept_twelve_months_after_its_last_words() -> None:
    assert diary_until(D("2028-02-29")) == D("2029-02-28")
