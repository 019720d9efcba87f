"""The step table of PRIVACY 2.5, row by row, and its edges."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis import publication as p


@pytest.mark.parametrize(
    ("respondents", "index", "share", "classes"),
    [(4, None, None, None), (5, 62.5, None, None), (9, 62.5, None, None), (10, 65, 60, None), (19, 65, 60, None),
     (20, 62.5, 60, None), (49, 62.5, 60, None), (50, 62.5, 65, 3), (199, 62.5, 65, 3), (200, 63, 65, 5)],
)  # fmt: skip
def test_a_view_shows_what_its_size_allows(
    respondents: int, index: float | None, share: float | None, classes: int | None
) -> None:
    assert p.index_figure(62.6, respondents) == index
    assert p.share_figure(63.0, respondents) == share
    shown = p.distribution_figures((11, 12, 14, 33, 30), respondents, p.share_figure(63.0, respondents))
    assert (None if shown is None else len(shown)) == classes


@pytest.mark.parametrize(
    ("respondents", "low", "high"), [(5, 20, 80), (49, 20, 80), (50, 15, 85), (199, 15, 85), (200, 10, 90)]
)
def test_ends_are_coded_on_the_exact_value(respondents: int, low: int, high: int) -> None:
    assert p.index_figure(low, respondents) == f"<={low}"
    assert p.index_figure(high, respondents) == f">={high}"
    assert isinstance(p.index_figure(low + 0.01, respondents), float | int)


def test_three_classes_take_the_share_as_it_stands() -> None:
    assert p.distribution_figures((10, 12, 20, 28, 30), 100, 60) == (20, 20, 60)


@given(st.integers(0, 10_000))
def test_every_size_has_one_band_that_holds_it(size: int) -> None:
    low, high = p.band_edges(p.size_band(size))
    assert low <= size <= (high if high is not None else size)


@pytest.mark.parametrize(
    ("count", "band"), [(0, "0-4"), (4, "0-4"), (5, "5-9"), (19, "10-19"), (39, "20-39"), (40, "40+"), (400, "40+")]
)
def test_experiences_are_banded(count: int, band: str) -> None:
    assert p.experience_band(count, 800) == band


@pytest.mark.parametrize("answered", range(20, 430))
def test_no_band_of_experiences_says_everybody_or_all_but_few(answered: int) -> None:
    """Could leak: of forty people "40+" is everybody."""
    alike = [count for count in range(answered + 1) if p.experience_band(count, answered) == p.experience_band(answered, answered)]
    assert alike[0] <= answered - 5
    assert p.experience_band(0, answered) == "0-4"


@pytest.mark.parametrize("base", range(50, 431))
def test_no_share_of_special_answers_is_the_count_of_few(base: int) -> None:
    """Could leak: of twenty people 5 % is one of them. Every printed share leaves at least four counts open."""
    printed = [p.organisation_share(Fraction(100 * count, base), base) for count in range(base + 1)]
    assert min(printed.count(share) for share in set(printed)) >= 4
    assert printed[4] == printed[0] and printed[-5] == printed[-1]


def test_under_fifty_people_no_share_of_special_answers_is_shown() -> None:
    assert [p.organisation_share(50, base) for base in (10, 49)] == [None, None]


@given(st.integers(1, 500), st.integers(0, 500), st.integers(5, 10))
def test_participation_never_says_all_and_never_more_than_there_are(headcount: int, respondents: int, k: int) -> None:
    figure = p.participation_figure(respondents, headcount, k)
    if headcount < 2 * k or respondents > headcount:
        assert figure is None
    else:
        assert figure in {"0", "10", "20", "30", "40", "50", "60", "70", "80", ">=90"}


@given(st.floats(0, 100), st.integers(5, 1000))
def test_one_person_more_keeps_within_a_step(value: float, respondents: int) -> None:
    """Each step is at least 100/(2n+1): one joiner or leaver moves an index by less than a step and a half."""
    row = p.row_of(respondents)
    assert row is not None
    assert row.index_step >= 100 / (2 * max(respondents, row.least) + 1) or respondents < row.least


def test_limits_are_rounded_outward() -> None:
    assert p.outward(42.01, 46.01) == (42, 47)
    assert p.outward(-3, 104) == (0, 100)


@given(st.integers(5, 1000), st.integers(1, 40), st.data())
def test_a_step_never_holds_a_single_sum_of_scores_unless_it_is_a_share(
    n: int, score_steps: int, data: st.DataObject
) -> None:
    """Could leak: yes or no among 20 people in steps of 2.5 is the count itself."""
    total = data.draw(st.integers(0, n * score_steps))
    figure = p.score_figure(100 * total / (n * score_steps), n, score_steps)
    row = p.row_of(n)
    assert row is not None
    if figure is None:
        assert row.share_step == 0
    elif not p.is_coded(figure) and row.index_step * n * score_steps < 200:
        assert figure % row.share_step == 0


@pytest.mark.parametrize(
    ("respondents", "yes_or_no", "five_answers"),
    [(8, None, 62.5), (12, 60, 65), (20, 60, 62.5), (60, 65, 62.5), (100, 62.5, 62.5), (246, 63, 63)],
)
def test_a_yes_or_no_index_takes_the_step_of_a_share(
    respondents: int, yes_or_no: float | None, five_answers: float
) -> None:
    assert p.score_figure(63, respondents, 1) == yes_or_no
    assert p.score_figure(63, respondents, 4) == five_answers


@pytest.mark.parametrize(("sd", "shown"), [(0, 10), (10, 10), (10.1, 15), (27, 30), (50, 50)])
def test_a_spread_is_rounded_up_and_never_small(sd: float, shown: int) -> None:
    assert p.spread_figure(sd) == shown


@pytest.mark.parametrize(
    ("percent", "shown"), [(0, "<=10"), (10, "<=10"), (14, 10), (15, 20), (89, 90), (90, ">=90"), (100, ">=90")]
)
def test_a_share_of_those_it_happened_to_never_reads_nobody_and_never_all(percent: float, shown: object) -> None:
    assert p.happened_share(percent) == shown
