"""Women and the contrast group, from what is published of them: the test is Brunner and Munzel's, the effect Cliff's (STATISTICS 2.6)."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import brunnermunzel

from analysis.comparison import Difference, Known, called
from analysis.contrast import brunner_munzel, compared, gender_gaps, shares_of

PAIN = [1, 2, 1, 1, 1, 1, 1, 1, 1, 1, 2, 4, 1, 1], [3, 3, 4, 3, 1, 2, 3, 1, 1, 5, 4]
"""Scores of pain on the third day after surgery, two treatments: E. Brunner and U. Munzel, Biometrical Journal 42 (2000) 17-25."""


def _shares(scores: list[int]) -> np.ndarray:
    return np.array([scores.count(value) / len(scores) for value in range(1, 6)])


def test_the_published_example_gives_the_published_chance() -> None:
    """SciPy 1.17 prints ``brunnermunzel(x, y)`` as W = 3.1374674823029505, p = 0.0057862086661515377 for these data."""
    first, second = PAIN
    found = brunner_munzel(_shares(first), _shares(second), sizes=(14, 11))
    assert found.chance == pytest.approx(0.0057862086661515377, rel=1e-9)
    pairs = [(x > y) - (x < y) for x in first for y in second]
    assert found.delta == pytest.approx(sum(pairs) / len(pairs))


@given(
    st.lists(st.integers(1, 5), min_size=5, max_size=60),
    st.lists(st.integers(1, 5), min_size=5, max_size=60),
)
def test_of_exact_shares_it_is_the_library_s_test(first: list[int], second: list[int]) -> None:
    found = brunner_munzel(_shares(first), _shares(second), sizes=(len(first), len(second)))
    expected = float(brunnermunzel(first, second).pvalue)
    delta = sum((x > y) - (x < y) for x in first for y in second) / (len(first) * len(second))
    assert found.delta == pytest.approx(delta, abs=1e-12)
    if math.isnan(expected):  # one class each, or nobody between: the library has no answer
        assert found.chance == (1.0 if abs(delta) < 1e-12 else 0.0)
    else:
        assert found.chance == pytest.approx(expected, abs=1e-9)


def test_rounding_makes_it_less_sure() -> None:
    first, second = _shares(PAIN[0]), _shares(PAIN[1])
    plain = brunner_munzel(first, second, sizes=(14, 11)).chance
    assert brunner_munzel(first, second, sizes=(14, 11), rounding=(0.01, 0.01)).chance > plain


def test_coded_classes_share_what_the_others_leave() -> None:
    """85 are printed: the two coded ends hold 15 together, and neither more than its 10."""
    assert list(shares_of(["<=10", "<=10", 20, 40, 25])) == pytest.approx([0.075, 0.075, 0.2, 0.4, 0.25])
    assert list(shares_of(["<=10", 30, 40])) == pytest.approx([10 / 80, 30 / 80, 40 / 80])
    assert list(shares_of(["<=10", "<=10", ">=90"])) == pytest.approx([0.05, 0.05, 0.9])


def _view(name: str, band: str, **families: dict[str, dict[str, Any]]) -> dict[str, Any]:
    return {"id": name, "filter": {"gender": [name]} if ":" in name else {}, "shown": True, "n_band": band, **families}


def contrasts(views: list[dict[str, Any]], **known: Any) -> list[Difference]:
    return called(gender_gaps(views, "areas", Known(views[0], **known)))


def _three(women: object, others: object, contrast: str = "m", sd: float = 20) -> list[dict[str, Any]]:
    return [
        _view("all", "200-399", areas={"1": {"index": 60, "sd": sd}}),
        _view("gender:f", "100-199", areas={"1": {"index": women}}),
        _view(f"gender:{contrast}", "50-99", areas={"1": {"index": others}}),
    ]


@pytest.mark.parametrize("contrast", ["m", "others"])
def test_women_are_compared_with_the_contrast_that_is_shown(contrast: str) -> None:
    """141 and 71 stand for 100-199 and 50-99, 17.5 for a spread of 20. Delta by the normal model: 2 Phi(-15 / (20 sqrt 2)) - 1."""
    (found,) = contrasts(_three(50, 65, contrast))
    assert (found.view, found.against, found.gap, found.clear) == ("gender:f", f"gender:{contrast}", -15, True)
    assert found.delta == pytest.approx(-0.40, abs=0.005)
    rounding = 2 * 6.25 / 12 + 2.2495 * ((100 / 565.7) ** 2 + (100 / 282.8) ** 2)
    error = math.sqrt(17.5**2 * (1 / 141.4 + 1 / 70.7) + rounding)
    assert (found.low, found.high) == (math.floor(-15 - 1.96 * error), math.ceil(-15 + 1.96 * error))


def test_men_come_before_all_others_and_a_coded_end_is_compared_with_nothing() -> None:
    both = [*_three(50, 65), _view("gender:others", "50-99", areas={"1": {"index": 65}})]
    assert [one.against for one in contrasts(both)] == ["gender:m"]
    assert contrasts(_three("<=10", 65)) == []
    hidden = _three(50, 65)
    hidden[2] = {"id": "gender:m", "filter": {"gender": ["m"]}, "shown": False}
    assert contrasts(hidden) == []


def test_questions_are_compared_by_their_distributions_and_only_those_of_an_indicator() -> None:
    """Same mean, other answers: every second man at each end. The index sees nothing; nor does the test, whose delta is 0."""
    even, ends = [20, 20, 20, 20, 20], [40, "<=10", "<=10", "<=10", 40]
    low, high = [40, 30, 10, 10, 10], [10, 10, 10, 30, 40]

    def question(distribution: Sequence[object], index: float) -> dict[str, Any]:
        return {"index": index, "distribution": distribution}

    views = [
        _view("all", "400+", items={n: {"index": 50, "sd": 30} for n in ("Q1", "Q2", "Q3")}),
        _view(
            "gender:f", "200-399", items={"Q1": question(even, 50), "Q2": question(low, 30), "Q3": question(low, 30)}
        ),
        _view(
            "gender:m", "200-399", items={"Q1": question(ends, 50), "Q2": question(high, 70), "Q3": question(high, 70)}
        ),
    ]
    perception = {"1.1": {"items": ["Q1", "Q2"]}}
    found = compared(views, perception, {"reliability": {}}, Known(views[0]))
    assert [(one["statistic"], one["clear"]) for one in found] == [("Q1", False), ("Q2", True)]
    assert found[0]["delta"] == 0
    cells = [(low[i] * high[j], (i > j) - (i < j)) for i in range(5) for j in range(5)]
    assert found[1]["delta"] == pytest.approx(sum(weight * sign for weight, sign in cells) / 10_000, abs=0.005)


def test_a_scale_whose_questions_do_not_go_together_is_compared_with_nothing() -> None:
    """Could mislead: an index of questions that have nothing to do with each other, called higher among women."""
    views = _three(50, 65)
    for view in views:
        view["scales"] = view["areas"]
    for reading, expected in (("items", ["areas"]), ("care", ["areas", "scales"])):
        quality = {"reliability": {"1": {"reading": reading}}}
        assert [one["family"] for one in compared(views, {}, quality, Known(views[0]))] == expected


def test_women_and_men_together_are_no_more_than_answered() -> None:
    """268 sheets, 200-399 women and 50-99 men: 209 women and 58 men, not 283 and 71. Limits follow: 17.5**2 (1/209 + 1/58) + ..."""
    views = _three(50, 65)
    views[1]["n_band"] = "200-399"
    (found,) = contrasts(views, received=268)
    women, men = math.sqrt(200 * 218), math.sqrt(50 * 68)
    rounding = 1 / 12 + 2.2495 * (25 / women) ** 2 + 6.25 / 12 + 2.2495 * (25 / men) ** 2
    half = 1.96 * math.sqrt(17.5**2 * (1 / women + 1 / men) + rounding)
    assert (found.low, found.high) == (math.floor(-15 - half), math.ceil(-15 + half))


def test_a_statistic_that_fewer_of_everyone_entered_counts_for_fewer_of_each() -> None:
    """Half of the whole organisation gave no score: 141 of 283, so 71 of 141 women stand for hers, and 50 of 71 men."""
    views = _three(50, 65)
    views[0]["areas"]["1"]["n_band"] = "100-199"
    (found,) = contrasts(views)
    women, men = 141.4 / 2, 50
    rounding = 2 * 6.25 / 12 + 2.2495 * ((25 / women) ** 2 + (25 / men) ** 2)
    half = 1.96 * math.sqrt(17.5**2 * (1 / women + 1 / men) + rounding)
    assert (found.low, found.high) == (math.floor(-15 - half), math.ceil(-15 + half))


def test_a_question_is_decided_by_its_distribution_not_by_its_mean() -> None:
    """Same index. Of women 70 say 4 and 30 say 1, of men 90 say 3 and 10 say 4: delta .63 - .30 = .33, far from chance."""
    women = {"index": 52, "distribution": [30, "<=10", "<=10", 70, "<=10"]}
    men = {"index": 52, "distribution": ["<=10", "<=10", 90, 10, "<=10"]}
    views = [
        _view("all", "400+", items={"Q1": {"index": 52, "sd": 25}}),
        _view("gender:f", "200-399", items={"Q1": women}),
        _view("gender:m", "200-399", items={"Q1": men}),
    ]
    (found,) = compared(views, {"1.1": {"items": ["Q1"]}}, {"reliability": {}}, Known(views[0]))
    assert (found["gap"], found["delta"], found["clear"]) == (0, 0.33, True)


def test_a_claim_takes_no_finite_population_and_its_limits_do() -> None:
    """Could mislead: nearly everyone is asked, so a difference that chance gives among people who feel alike was called one."""
    plain = contrasts(_three(55, 60))[0]
    known = contrasts(_three(55, 60), headcounts={"gender:f": "100-199", "gender:m": "50-99"})[0]
    assert (plain.low, plain.high, plain.clear) == (-11, 1, False)
    assert known.high < 0 and not known.clear
