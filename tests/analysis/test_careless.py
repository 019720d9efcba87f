"""Sheets that look filled in without reading: three signs worked by hand, two of which are needed; how many, never which."""

import numpy as np
import pytest

from analysis import careless
from analysis.figures import quality
from analysis.responses import RawResponses
from analysis.scoring import Instrument, ItemSpec

THEMES = ("A", "B", "C", "D")
REVERSED = (5, 11, 17, 23)


def _items() -> list[ItemSpec]:
    """24 questions on a scale of five in four themes of six; the last of each is turned."""
    return [
        ItemSpec(f"I{i}", 1, 5, i in REVERSED, THEMES[i // 6], (), (), "items", False, False, None, 4)
        for i in range(24)
    ]


def _flagged(*sheets: list[int]) -> list[bool]:
    raw = RawResponses(len(sheets), {}, {f"I{i}": [sheet[i] for sheet in sheets] for i in range(24)})
    return [bool(flag) for flag in careless.careless(raw, _items())]


HONEST = [4, 5, 4, 4, 5, 2, 3, 4, 3, 2, 3, 3, 5, 4, 4, 5, 4, 1, 2, 2, 1, 2, 3, 4]
"""Turned questions lie on the other side of the middle."""
SAME = [4] * 24
"""All three signs: a run of 24, one answer alone, and four turned questions answered like the others."""
MIDDLE = [3] * 24
"""A run and one answer alone; the middle contradicts nothing."""


def test_an_honest_sheet_has_no_sign_and_one_of_a_single_answer_has_them() -> None:
    assert _flagged(HONEST, SAME, MIDDLE) == [False, True, True]


def test_one_sign_alone_is_none() -> None:
    run = (
        [4] * 5 + [2] + [4] * 5 + [2] + [4] * 5 + [2] + [5] * 5 + [1]
    )  # no run of twelve, nothing turned like the rest
    long_run = [3] * 12 + HONEST[12:]
    turned = [5, 4] * 12
    turned[5] = turned[11] = turned[17] = turned[23] = 5  # four contradictions, no run, no single answer
    assert _flagged(run, long_run, turned) == [False, False, False]


@pytest.mark.parametrize(("length", "sign"), [(11, 11), (12, 12), (24, 24)])
def test_the_longest_run_is_counted(length: int, sign: int) -> None:
    codes = np.array([[2] * length + [1, 3] * 12])[:, :24]
    assert careless.longest_run(codes, codes > 0)[0] == sign


def test_a_question_without_an_answer_ends_a_run_and_is_no_answer() -> None:
    codes = np.array([[2] * 6 + [-1] + [2] * 5])
    assert careless.longest_run(codes, codes > 0)[0] == 6
    few = [4] * 19 + [-3] * 5  # a run of nineteen, but too few answers to be called flat; three contradictions
    assert _flagged(few) == [False]
    assert _flagged([4] * 20 + [-3] * 4) == [True]


def _share(n: int, doubtful: int) -> object:
    source = np.random.default_rng(2)
    sheets = [SAME] * doubtful + [source.integers(1, 6, 24).tolist() for _ in range(n - doubtful)]
    raw = RawResponses(n, {}, {f"I{i}": [sheet[i] for sheet in sheets] for i in range(24)})
    return quality(raw, Instrument(tuple(_items()), (), ())).get("careless")


def test_the_share_is_coarse_and_only_of_two_hundred_people_or_more() -> None:
    """Could leak: that exactly one of forty ticked the same all the way."""
    assert (_share(199, 60), _share(200, 0), _share(200, 60)) == (None, "<=5", 30)
    assert _share(200, 1) == _share(200, 9) == "<=5"
