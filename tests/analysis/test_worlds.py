"""The worlds of the audit: each figure bounds them to the person, each spread with room to spare, and the search breaks none."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.audit import worlds
from analysis.audit.worlds import CLEARLY, LARGEST, Row, Spread, Unsound, Worlds


def _two(low: float, high: float, **more: Any) -> Worlds:
    """Two people, answers 0 and 1 of 0, 1, 2; of their sum 1 a figure says that it lies between two ends."""
    row = Row(np.array([0, 1]), np.ones(2), np.array([0.0, 1.0, 2.0]), 0.0, low, high)
    good = np.tile(np.array([False, False, True]), (2, 1))
    rows = [row, *more.get("rows", ())]
    return Worlds(np.array([0, 1]), np.arange(2), good, rows, more.get("spreads", ()))


@pytest.mark.parametrize(("low", "high"), [(2, 9), (-9, 0)])
def test_answers_that_do_not_print_what_is_published_are_refused(low: float, high: float) -> None:
    with pytest.raises(Unsound, match="does not follow"):
        _two(low, high)


def test_a_sum_that_floating_point_does_not_keep_is_refused() -> None:
    def held(sum_: float) -> Row:
        return Row(np.array([0]), np.zeros(1), np.zeros(3), sum_, -math.inf, math.inf)

    _two(1, 1, rows=[held(LARGEST)])
    for sum_ in (2 * LARGEST, -2 * LARGEST):
        with pytest.raises(Unsound, match="too large"):
            _two(1, 1, rows=[held(sum_)])


def test_a_world_counts_if_every_figure_could_be_printed_alike_and_only_then() -> None:
    """Also where the last figure has none of these answers."""
    empty = Row(np.array([], dtype=np.int64), np.array([]), np.zeros(3), 5.0, 5.0, 5.0)
    made = _two(1, 2, rows=[empty])
    assert made.values(np.array([0, 1])).tolist() == [1, 5]
    worlds_ = {(a, b): made.agrees(np.array([a, b])) for a in range(3) for b in range(3)}
    assert {world for world, agrees in worlds_.items() if agrees} == {(0, 1), (1, 0), (1, 1), (0, 2), (2, 0)}
    assert not made.agrees(np.array([0, 1]), np.array([3.0, 5.0])) and not made.agrees(
        np.array([0, 1]), np.array([0.0, 5.0])
    )


def test_one_answer_alone_may_turn_over_up_to_both_ends_of_a_figure() -> None:
    assert _two(1, 2).flips().tolist() == [False, True]  # the second to 2 makes 2; the first to 2 makes 3
    assert _two(1, 3).flips().tolist() == [True, True]
    assert _two(0, 1).flips().tolist() == [False, False]
    row = Row(np.array([0, 1]), np.ones(2), np.array([0.0, 1.0, 2.0]), 0.0, 1, 4)
    good = np.tile(np.array([False, False, True]), (2, 1))
    assert Worlds(np.array([2, 1]), np.arange(2), good, [row], []).flips().tolist() == [True, True]
    assert Worlds(np.array([2, 0]), np.arange(2), good, [row], []).flips().tolist() == [
        True,
        True,
    ]  # down to 1, the low end


def test_what_comes_after_an_answer_that_changes_no_side_is_looked_at_too() -> None:
    """Two of three answers are on one side: the first of them is no other side for anybody."""
    row = Row(np.array([0]), np.ones(1), np.array([0.0, 1.0, 2.0]), 0.0, 0, 2)
    good = np.array([[False, False, True]])
    assert Worlds(np.array([0]), np.array([0]), good, [row], []).flips().tolist() == [True]


def test_a_second_look_closes_only_what_it_looks_at_and_nothing_that_is_open() -> None:
    pinned = [Row(np.array([cell]), np.ones(1), np.arange(3.0), 0.0, 0, 0) for cell in (0, 1)]
    free = Row(np.array([2]), np.ones(1), np.arange(3.0), 0.0, 0, 2)
    good = np.tile(np.array([False, False, True]), (3, 1))
    made = Worlds(np.zeros(3, dtype=np.int64), np.arange(3), good, [*pinned, free], [])
    dice = np.random.default_rng(0)
    assert made.closed(dice).tolist() == [0, 1]
    for among, closed in (((0,), [0]), ((1, 2), [1]), ((2,), [])):
        assert made.closed(dice, np.isin(np.arange(3), among)).tolist() == closed


@pytest.mark.parametrize("by", [-0.5, 0.5])
def test_a_spread_too_near_to_where_it_prints_otherwise_frees_nobody(by: float) -> None:
    """One of two moves from 0 to 100: squares of 5,000 instead of none."""
    told, worth = np.array([0, 0]), np.array([0.0, 100.0])
    for near, beyond in ((CLEARLY * by, by > 0), (CLEARLY * 4 * by, by > 0)):
        lower = Spread(np.ones(2), worth, np.arange(2), worth[told], 5_000.0 - near, math.inf)
        upper = Spread(np.ones(2), worth, np.arange(2), worth[told], -math.inf, 5_000.0 + near)
        sure = beyond and abs(near) > CLEARLY
        for spread in (lower, upper):
            assert spread.agrees(np.array([0, 1]), told) is sure
            assert spread.allows(1, told).tolist() == [sure, sure]


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.integers(0, 4), min_size=2, max_size=8),
    st.floats(100, 4000),
    st.floats(100, 4000),
    st.booleans(),
)
def test_what_one_answer_does_to_a_spread_is_what_the_world_with_it_says(
    told: list[int], below: float, above: float, missing: bool
) -> None:
    """The shortcut for one answer against the sum of squares of the whole world; who does not enter changes nothing."""
    truth, worth = np.array(told), np.array([0.0, 25.0, 50.0, 75.0, 100.0])
    scores = worth[truth].astype(float)
    weight = np.full(len(told), 0.5)
    if missing:
        scores[0], weight[0] = np.nan, 0.0
    known = scores[~np.isnan(scores)]
    squares = float(((known - known.mean()) ** 2).sum())
    spread = Spread(weight, worth, np.arange(len(told)), scores, squares - below, squares + above)
    for category in range(5):
        each = [
            spread.agrees(np.where(np.arange(len(told)) == cell, category, truth), truth) for cell in range(len(told))
        ]
        assert spread.allows(category, truth).tolist() == each


def test_no_world_is_found_by_breaking_another_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three people of whom two figures say everything: the search may not end with either broken."""
    first = Row(np.array([0, 1]), np.ones(2), np.arange(3.0), 0.0, 2, 2)
    second = Row(np.array([1, 2]), np.ones(2), np.arange(3.0), 0.0, 0, 0)
    good = np.tile(np.array([False, False, True]), (3, 1))
    made = Worlds(np.array([2, 0, 0]), np.arange(3), good, [first, second], [])
    monkeypatch.setattr(worlds, "TRIES", 40)
    assert made.closed(np.random.default_rng(1)).tolist() == [0, 1, 2]
