"""The step table of PRIVACY 2.10, row by row, and its edges."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis import steps as p


@pytest.mark.parametrize(
    ("respondents", "index", "share", "classes"),
    [
        (4, None, None, None),
        (5, 62.5, None, None),
        (9, 62.5, None, None),
        (10, 65, None, None),
        (19, 65, None, None),
        (20, 62.5, 60, None),
        (49, 62.5, 60, None),
        (50, 62.5, 60, 3),
        (199, 62.5, 60, 3),
        (200, 63, 60, 5),
    ],
)
def test_a_view_shows_what_its_size_allows(
    respondents: int, index: float | None, share: float | None, classes: int | None
) -> None:
    """A mean of 62.6 and three of five: 60 percent on every step of a share."""
    assert p.index_figure(62.6, respondents, 4, 0) == index
    favourable = p.share_figure(respondents * 3 // 5, respondents, 0)
    assert favourable == share
    shown = p.distribution_figures((respondents // 5,) * 5, respondents, favourable, (0,) * 5)
    assert (None if shown is None else len(shown)) == classes


@pytest.mark.parametrize(
    ("respondents", "border", "end"),
    [(5, 18.75, 12.5), (19, 17.5, 15), (20, 16.25, 15), (50, 11.25, 10), (200, 10.5, 10)],
)
def test_what_rounds_to_an_end_or_beyond_is_coded(respondents: int, border: float, end: float) -> None:
    """Half up: the border itself is rounded upwards, below 50 into the open and above into the end."""
    assert p.index_figure(Fraction(border) - Fraction(1, 1000), respondents, 4, 0) == f"<={end:g}"
    assert (
        p.index_figure(border, respondents, 4, 0)
        == min(row.index_step for row in p.ROWS if row.least <= respondents) + end
    )
    assert p.index_figure(100 - border, respondents, 4, 0) == f">={100 - end:g}"
    assert p.index_figure(0, respondents, 4, 0) == f"<={end:g}"
    assert p.index_figure(100, respondents, 4, 0) == f">={100 - end:g}"


def test_a_figure_moves_by_steps_of_one_person_and_stays_on_the_scale() -> None:
    """246 people, mean 50: one step of one of them is 100 / 984 points; 3 of 246 is 1.2 percent."""
    assert p.index_figure(50, 246, 4, 6) == p.stepped(Fraction(50) + Fraction(600, 984), 1, 10) == 51
    assert p.share_figure(123, 246, 3) == p.stepped(Fraction(12600, 246), 5, 10) == 50
    assert (p.index_figure(0, 246, 4, -6), p.index_figure(100, 246, 4, 6)) == ("<=10", ">=90")
    assert p.index_figure(50, 246, 1, 3) == p.stepped(Fraction(12600, 246), 5, 10)


def test_three_classes_take_the_share_as_it_stands() -> None:
    assert p.distribution_figures((10, 12, 20, 28, 30), 100, 60, (0, 0, 0, 0, 0)) == (20, 20, 60)


def test_the_second_rung_shows_every_size_what_the_size_below_it_shows() -> None:
    assert [(row := p.row_of(n, p.COARSER)) and row.index_step for n in (5, 9, 10, 20, 50, 199, 200, 5000)] == [
        None,
        None,
        12.5,
        5,
        2.5,
        2.5,
        2.5,
        2.5,
    ]


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
    alike = [
        count
        for count in range(answered + 1)
        if p.experience_band(count, answered) == p.experience_band(answered, answered)
    ]
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


@pytest.mark.parametrize(
    ("respondents", "yes_or_no", "five_answers"),
    [(8, None, 62.5), (12, None, 65), (20, 60, 62.5), (60, 65, 62.5), (100, 65, 62.5), (246, 65, 63)],
)
def test_a_yes_or_no_index_takes_the_rules_of_a_share(
    respondents: int, yes_or_no: float | None, five_answers: float
) -> None:
    assert p.index_figure(63, respondents, 1, 0) == yes_or_no
    assert p.index_figure(63, respondents, 4, 0) == five_answers


@pytest.mark.parametrize(
    ("sd", "move", "shown"),
    [
        (0, 0, 10),
        (10, 0, 10),
        (10.1, 0, 15),
        (27, 0, 30),
        (50, 0, 50),
        (29, 4, 35),
        (12, -3, 10),
        (0, -6, 10),
        (0, 6, 20),
    ],
)
def test_a_spread_is_rounded_up_and_never_small(sd: float, move: int, shown: int) -> None:
    """Of 51 people, so that a move of one adds 2500 / 50 = 50 to the variance: 29 and 4 give 32.3."""
    assert p.spread_figure(sd**2 * 50, 51, move) == shown
    low, high = p.spread_ends(shown, 51)
    assert low < sd**2 * 50 <= high


@pytest.mark.parametrize(
    ("respondents", "index", "share"),
    [(20, 2.5**2 / 12 + 2.2495 * 1.25**2, 100 / 12 + 0.4888 * 25), (200, 1 / 12 + 2.2495 / 64, 25 / 12 + 0.4888 / 4)],
)
def test_the_variance_of_rounding_is_that_of_its_step_and_its_move(
    respondents: int, index: float, share: float
) -> None:
    """PRIVACY 2.10: step squared / 12 and the law's variance, by hand: a move of 20 people's sum is 1.25 points each."""
    assert p.index_rounding(respondents) == pytest.approx(index, rel=1e-4)
    assert p.share_rounding(respondents) == pytest.approx(share, rel=1e-4)


@pytest.mark.parametrize(
    ("percent", "shown"), [(0, "<=10"), (10, "<=10"), (14, 10), (15, 20), (89, 90), (90, ">=90"), (100, ">=90")]
)
def test_a_share_of_those_it_happened_to_never_reads_nobody_and_never_all(percent: float, shown: object) -> None:
    assert p.happened_share(percent) == shown
