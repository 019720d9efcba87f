"""Recoding, scale scores and indices by hand (STATISTICS 2.1, 2.2)."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.responses import DONT_KNOW, NOT_SHOWN, PREFER_NOT, SKIPPED, RawResponses
from analysis.scoring import ItemSpec, half, item_index, mean_index, recoded, two_thirds

codes = st.sampled_from([1, 2, 3, 4, 5, SKIPPED, PREFER_NOT, DONT_KNOW, NOT_SHOWN])


def _item(name: str, *, reverse: bool = False) -> ItemSpec:
    return ItemSpec(name, 1, 5, reverse, "CUL", (1,), ("1.1",), "items", False, False, None, 4)


def _column(values: list[int]) -> RawResponses:
    return RawResponses(len(values), {}, {"A": values})


def test_an_item_goes_from_zero_to_a_hundred_and_a_reversed_one_back() -> None:
    raw = _column([1, 2, 3, 4, 5])
    assert item_index(raw, _item("A")).tolist() == [0, 25, 50, 75, 100]
    assert item_index(raw, _item("A", reverse=True)).tolist() == [100, 75, 50, 25, 0]


def test_special_codes_and_values_off_the_scale_enter_nothing() -> None:
    got = recoded(_column([SKIPPED, PREFER_NOT, DONT_KNOW, NOT_SHOWN, 0, 6, 3]), _item("A"))
    assert np.isnan(got).tolist() == [True] * 6 + [False]


def test_a_scale_score_is_the_mean_of_what_was_answered_if_two_thirds_were() -> None:
    """Four items, three asked for: 5 4 3 give 100 75 50, so 75; two answers give no score, never a zero."""
    raw = RawResponses(2, {}, {"A": [5, 5], "B": [4, 4], "C": [3, DONT_KNOW], "D": [SKIPPED, SKIPPED]})
    got = mean_index(raw, [_item(name) for name in "ABCD"], two_thirds(4))
    assert got[0] == pytest.approx(75)
    assert np.isnan(got[1])


@pytest.mark.parametrize(("items", "needed"), [(5, 4), (6, 4), (7, 5), (3, 2), (1, 1)])
def test_two_thirds_are_rounded_up_as_the_bank_has_them(items: int, needed: int) -> None:
    assert two_thirds(items) == needed


@pytest.mark.parametrize(("items", "needed"), [(1, 1), (2, 1), (3, 2), (5, 3)])
def test_a_half_is_rounded_up(items: int, needed: int) -> None:
    assert half(items) == needed


@given(st.lists(codes, min_size=1, max_size=30))
def test_turning_an_item_twice_changes_nothing(values: list[int]) -> None:
    straight, turned = (item_index(_column(values), _item("A", reverse=r)) for r in (False, True))
    assert np.allclose(straight, 100 - turned, equal_nan=True)


@given(st.lists(st.tuples(codes, codes, codes), min_size=1, max_size=20))
def test_a_score_lies_between_the_lowest_and_the_highest_answer_of_the_person(
    people: list[tuple[int, int, int]],
) -> None:
    raw = RawResponses(len(people), {}, {name: [p[i] for p in people] for i, name in enumerate("ABC")})
    scores = mean_index(raw, [_item(name) for name in "ABC"], 2)
    for score, person in zip(scores, people, strict=True):
        given_answers = [25 * (code - 1) for code in person if code > 0]
        assert (
            np.isnan(score)
            if len(given_answers) < 2
            else min(given_answers) - 1e-9 <= score <= max(given_answers) + 1e-9
        )
