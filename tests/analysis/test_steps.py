"""Every table of what a size may show, value by value at its borders, as docs/privacy.md 2.5 and 2.10 give them."""

import math
from typing import Any

import pytest

from analysis import steps
from analysis.moves import COUNTS, SQUARE, SUMS, law_of


@pytest.mark.parametrize(
    ("answered", "bands"),
    [
        (9, {0: "0+", 4: "0+", 9: "0+"}),
        (10, {0: "0-4", 4: "0-4", 5: "5+", 10: "5+"}),
        (19, {9: "5+"}),
        (20, {5: "5-9", 9: "5-9", 10: "10+", 20: "10+"}),
        (40, {19: "10-19", 20: "20+"}),
        (79, {39: "20+", 79: "20+"}),
        (80, {20: "20-39", 39: "20-39", 40: "40+", 80: "40+"}),
    ],
)
def test_the_last_band_of_experiences_begins_at_half_of_those_who_answered_at_most(
    answered: int, bands: dict[int, str]
) -> None:
    assert {count: steps.experience_band(count, answered) for count in bands} == bands


def test_sizes_have_bands_and_bands_have_edges() -> None:
    bands = {
        0: "0-4",
        4: "0-4",
        5: "5-9",
        9: "5-9",
        29: "20-29",
        199: "100-199",
        399: "200-399",
        400: "400+",
        9999: "400+",
    }
    assert {size: steps.size_band(size) for size in bands} == bands
    assert [steps.band_edges(band) for band in ("0-4", "20-29", "200-399", "400+")] == [
        (0, 4),
        (20, 29),
        (200, 399),
        (400, None),
    ]


@pytest.mark.parametrize(
    ("base", "shown"),
    [
        (49, {0: None, 50: None}),
        (50, {0: "<=20", 20: "<=20", 21: 20, 29.9: 20, 30: 40, 79: 80, 80: ">=80", 100: ">=80"}),
        (99, {20: "<=20", 70: 80}),
        (100, {10: "<=10", 10.1: 10, 14.9: 10, 15: 20, 89: 90, 90: ">=90"}),
        (199, {10: "<=10", 45: 50}),
        (200, {5: "<=5", 5.1: 5, 7.4: 5, 7.5: 10, 94: 95, 95: ">=95", 100: ">=95"}),
    ],
)
def test_a_share_of_the_organisation_is_as_wide_as_its_base_allows(base: int, shown: dict[float, object]) -> None:
    assert {percent: steps.organisation_share(percent, base) for percent in shown} == shown


def test_a_mean_of_shares_stands_on_steps_of_five_and_a_share_of_those_it_happened_to_on_ten() -> None:
    means: dict[Any, Any] = {
        (0, 10): "<=5",
        (5, 6): 5,
        ("<=10", "<=10"): 10,
        (12, 13): 15,
        (12, 12): 10,
        (94, 95): 95,
        (95, 95): ">=95",
    }
    assert {shares: steps.mean_share(shares) for shares in means} == means
    assert steps.mean_share((">=90", 100, 50)) == 80
    happened = {10: "<=10", 10.5: 10, 11: 10, 14.9: 10, 15: 20, 84.9: 80, 85: 90, 89.9: 90, 90: ">=90", 100: ">=90"}
    assert {percent: steps.happened_share(percent) for percent in happened} == happened


def test_a_spread_is_rounded_up_is_never_under_ten_and_its_ends_hold_every_sum_that_prints_it() -> None:
    assert [steps.spread_figure(sd * sd * 99, 100, 0) for sd in (0, 9, 10, 10.1, 15, 15.1, 40)] == [
        10,
        10,
        10,
        15,
        15,
        20,
        40,
    ]
    assert steps.spread_figure(0, 50, -3) == 10  # a move takes no sum below nothing
    reach = SUMS.most * SQUARE
    assert steps.spread_ends(10, 50) == (-math.inf, 100 * 49 + reach)
    assert steps.spread_ends(20, 101) == (15**2 * 100 - reach, 20**2 * 100 + reach)


def test_participation_is_said_in_tens_from_twice_the_least_number_on() -> None:
    assert [steps.participation_figure(n, 9, 5) for n in (0, 5, 9)] == [None] * 3
    assert steps.participation_figure(11, 10, 5) is None
    said = {0: "0", 4: "0", 5: "10", 14: "10", 15: "20", 84: "80", 85: ">=90", 100: ">=90"}
    assert {n: steps.participation_figure(n, 100, 5) for n in said} == said
    assert [steps.participation_figure(n, 10, 5) for n in (1, 8, 9, 10)] == ["10", "80", ">=90", ">=90"]


def test_limits_go_outward_to_whole_numbers_of_their_grid() -> None:
    assert steps.outward(41.2, 58.7) == (41, 59)
    assert steps.outward(40.0, 60.0) == (40, 60) == steps.outward(40.0 - 1e-12, 60.0 + 1e-12)
    assert steps.outward(-3, 104) == (0, 100)
    assert steps.outward(42, 58, 5) == (40, 60) and steps.outward(45, 55, 5) == (45, 55)


@pytest.mark.parametrize(
    ("low", "high", "state"),
    [
        (60, 70, "supportive"),
        (59, 100, "mixed"),
        (0, 49, "critical"),
        (0, 50, "mixed"),
        (60, 60, "supportive"),
        (50, 59, "mixed"),
    ],
)
def test_a_state_follows_from_the_limits(low: float, high: float, state: str) -> None:
    assert steps.state_of(low, high) == state


def test_a_figure_stands_for_its_number_and_a_coded_one_for_its_end() -> None:
    assert [steps.as_number(figure) for figure in (50, 12.5, "<=20", ">=80")] == [50.0, 12.5, 20.0, 80.0]


def test_what_moving_and_rounding_add_is_the_law_s_variance_and_a_twelfth_of_the_step() -> None:
    assert steps.index_rounding(4) == 0.0 == steps.share_rounding(4)
    assert steps.index_rounding(100, 4) == 2.5**2 / 12 + law_of(4).variance * (100 / 400) ** 2
    assert steps.share_rounding(100) == 5**2 / 12 + COUNTS.variance * (100 / 100) ** 2
    coarser = steps.COARSER
    assert steps.index_rounding(30, 4, coarser) == 5**2 / 12 + law_of(4).variance * (100 / 120) ** 2
    assert steps.share_rounding(60, coarser) == 10**2 / 12 + COUNTS.variance * (100 / 60) ** 2
    assert steps.share_rounding(7, coarser) == 0.0


def test_every_figure_is_rounded_by_the_table_that_it_is_given() -> None:
    coarser = steps.COARSER
    assert steps.index_figure(51, 60, 4, 0) == 50 and steps.index_figure(51, 15, 4, 0, coarser) == 50
    assert steps.index_figure(54, 15, 4, 0) == 55 and steps.index_figure(54, 15, 4, 0, coarser) == 50
    assert steps.index_figure(54, 7, 4, 0, coarser) is None
    assert steps.share_figure(27, 60, 0) == 45 and steps.share_figure(27, 60, 0, coarser) == 50
    five = [12, 12, 12, 12, 12]
    assert steps.distribution_figures(five, 60, 40, [0] * 5) == (40, 20, 40)
    assert steps.distribution_figures(five, 60, 40, [0] * 5, coarser) is None
    assert steps.distribution_figures(five, 60, None, [0] * 5) is None
    assert steps.distribution_figures(five[:4], 60, 40, [0] * 4) is None
    assert steps.distribution_figures(five, 60, 40, [1, -1]) == (40, 20, 40)
    assert steps.share_figure(0, 60, -4) == "<=10" and steps.share_figure(60, 60, 4) == ">=90"


@pytest.mark.parametrize("whole", [5, 20, 199])
def test_of_an_end_everything_to_the_border_is_left_open(whole: int) -> None:
    assert steps.whole_ends("<=20", whole, 10, 20) == (0, math.ceil(25 * whole / 100) - 1)
    assert steps.whole_ends(">=80", whole, 10, 20) == (math.ceil(75 * whole / 100), whole)
    assert steps.whole_ends(">=80", whole, 10, 20, reach=2) == (math.ceil(75 * whole / 100) - 2, whole)
