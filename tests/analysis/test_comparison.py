"""Differences and limits follow from published values alone, and say less the fewer people there are (PRIVACY 2.6)."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import false_discovery_control, norm

from analysis.comparison import (
    Difference,
    Known,
    adjusted,
    called,
    chance_of,
    published_interval,
    published_share_interval,
    unit_gaps,
)
from analysis.moves import COUNTS, SUMS
from analysis.steps import SIZE_EDGES, index_figure, share_figure, size_band, spread_figure
from tests.laws import probability


def _view(
    name: str, filter_: dict[str, list[str]], band: str, index: float | str, sd: float | None = None
) -> dict[str, Any]:
    figure = {"index": index} | ({"sd": sd} if sd else {})
    return {"id": name, "filter": filter_, "shown": True, "n_band": band, "areas": {"1": figure}}


ROOT = _view("all", {}, "200-399", 60, 25)


def differences(views: list[dict[str, Any]], headcounts: dict[str, str] | None = None) -> list[Difference]:
    return called(unit_gaps(views, "areas", Known(views[0], headcounts=headcounts or {})))


def _only(index: float | str, band: str) -> list[tuple[float, int, int, bool]]:
    found = differences([ROOT, _view("unit:po", {"unit": ["po"]}, band, index)])
    return [(d.gap, d.low, d.high, d.clear) for d in found]


def test_a_gap_by_hand() -> None:
    """Of 100-199 people 141 stand for the limits, of a spread of 25 the middle, 22.5; 283 for the whole.

    22.5**2 / 141.4 + 2.5**2 / 12 + 2.2495 (100 / 566)**2 + 1 / 12 + 2.2495 (100 / 1131)**2 = 4.27; -12.5 -+ 4.05.
    """
    assert _only(47.5, "100-199") == [(-12.5, -17, -8, True)]


def test_the_same_gap_among_few_people_is_not_clear() -> None:
    """Limits by 14.1 people: 35.8 + 25 / 12 + 7.03 + .1 = 45.0; -15 -+ 13.2. The claim by ten and 25: 71.7, 1.77 errors, no."""
    assert _only(45, "10-19") == [(-15, -29, -1, False)]


def test_a_certain_gap_under_five_points_is_not_called_one() -> None:
    root = _view("all", {}, "400+", 60, 10)
    (found,) = differences([root, _view("unit:po", {"unit": ["po"]}, "400+", 56)])
    assert (found.gap, found.clear) == (-4, False)


def test_a_coded_end_has_no_difference() -> None:
    assert _only("<=20", "30-49") == []


def test_where_fewer_answered_than_are_in_the_view_their_own_number_is_taken() -> None:
    """Could mislead: 47.5 among 5-9 of 100-199 people was called clear.

    At most nine: 22.5**2 / 9 + 12.5**2 / 12 + 2.2495 (100 / 36)**2 + .1 = 86.7; limits -10 -+ 18.3.
    """
    few = _view("unit:po", {"unit": ["po"]}, "100-199", 50)
    few["areas"] = {"1": {"index": 50, "n_band": "5-9"}}
    (found,) = differences([ROOT, few])
    assert (found.low, found.high, found.clear) == (-29, 9, False)


def test_where_nearly_everyone_of_a_unit_answered_its_limits_are_narrower() -> None:
    """HR counts 199 at most, and 141 stand for those who answered: 22.5**2 / 141 x 58 / 198 + .69 = 1.74; -12.5 -+ 2.6."""
    unit = _view("unit:po", {"unit": ["po"]}, "100-199", 47.5)
    (found,) = differences([ROOT, unit], {"unit:po": "100-199"})
    assert (found.low, found.high) == (-16, -9)


def test_a_hidden_view_is_compared_with_nothing() -> None:
    assert differences([ROOT, {"id": "unit:po", "filter": {"unit": ["po"]}, "shown": False}]) == []


@pytest.mark.parametrize(("figure", "limits"), [("<=20", (0, 33)), (">=80", (67, 100))])
def test_a_coded_end_reaches_the_end_of_the_scale(figure: str, limits: tuple[int, int]) -> None:
    """30-49 people, 38.7 stand for them; no spread published: at most 20 x 80. 1600 / 38.7 + 1.46 = 42.8; 12.8 inwards."""
    low, high = published_interval(figure, "30-49", None)
    assert (low, high) == limits
    assert (low == 0) == (figure == "<=20")
    assert (high == 100) == (figure == ">=80")


@given(st.integers(5, 5000), st.data())
def test_limits_tell_no_more_than_the_figure(n: int, data: st.DataObject) -> None:
    """Every count with the same published share has the same limits, of whatever size: nothing follows from them."""
    for count in (data.draw(st.integers(0, n)) for _ in range(3)):
        share = share_figure(count, n, 0)
        if share is not None:
            around = [share_figure(x, n, 0) for x in range(max(0, count - 60), min(n, count + 60) + 1)]
            twins = [figure for figure in around if figure is not None and figure == share]
            limits = {published_share_interval(figure, size_band(n), 400) for figure in twins}
            assert len(limits) == 1


def _holds(n: int, value: float, move: int, sd: float) -> bool:
    """Whether the limits of the figure of a mean value hold that value."""
    index = index_figure(value, n, 4, move)
    assert index is not None
    spread = None if isinstance(index, str) else spread_figure(sd**2 * (n - 1), n, 0)
    low, high = published_interval(index, size_band(n), spread)
    return low <= value <= high


@given(st.sampled_from(SIZE_EDGES[1:]), st.floats(0, 100), st.integers(-2, 2), st.floats(10, 50))
def test_from_ten_people_on_limits_hold_the_value_behind_the_figure(n: int, value: float, move: int, sd: float) -> None:
    """For all moves but those that come once in twenty: the limits are at 95 percent."""
    assert _holds(n, value, move, sd)
    assert 2 * sum(probability(SUMS, move) for move in (3, 4, 5, 6)) < 0.1


@pytest.mark.parametrize("n", [5, 6, 7, 8, 9])
@pytest.mark.parametrize("sd", [10, 15, 25])
def test_of_five_to_nine_people_limits_hold_95_of_100_values_though_not_each_value_so_often(n: int, sd: int) -> None:
    """Over all values and all moves, exactly. Where five agree, the step of 12.5 and its move are larger than what their spread tells:
    single values are held 84 times of 100. Nothing is claimed of so few."""
    held = [
        sum(float(probability(SUMS, move)) for move in range(-6, 7) if _holds(n, value / 2, move, sd))
        for value in range(201)
    ]
    assert sum(held) / len(held) >= 0.95 and min(held) > 0.83


@given(st.sampled_from(SIZE_EDGES[2:]), st.integers(0, 400), st.integers(-1, 1))
def test_share_limits_hold_the_value_behind_the_figure(n: int, count: int, move: int) -> None:
    count = min(count, n)
    share = share_figure(count, n, move)
    assert share is not None
    low, high = published_share_interval(share, size_band(n))
    assert low <= 100 * count / n <= high
    assert 2 * sum(probability(COUNTS, move) for move in (2, 3)) < 0.05


def test_no_limit_of_the_organisation_narrows_down_its_figure() -> None:
    """Could leak: at 400 people exact limits of a share gave its count; now they follow from the printed 60."""
    share = share_figure(241, 400, 0)
    assert share is not None
    assert published_share_interval(60, "400+", 430) == published_share_interval(share, "400+", 430)
    assert published_share_interval(">=90", "400+")[1] == 100


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_chances_are_corrected_as_the_library_does(chances: list[float]) -> None:
    assert adjusted(chances) == pytest.approx(list(false_discovery_control(chances)))
    assert adjusted([]) == []


@given(st.floats(-40, 40), st.floats(0.1, 20))
def test_the_chance_of_a_gap_is_the_library_s(gap: float, error: float) -> None:
    assert chance_of(gap, error) == pytest.approx(float(2 * norm.sf(abs(gap) / error)), rel=1e-9, abs=1e-300)
