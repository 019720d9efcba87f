"""Each quantitative indicator on figures worked by hand, at its border, and against what must hold of any figures.

Source: UNI/PdR 125:2022 clause 5 as catalogue.json paraphrases it; the arithmetic of `WHOLE` stands in the comments.
"""

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.pdr125.catalogue import load_catalogue
from analysis.pdr125.measured import Lack, Measured
from analysis.pdr125.quantities import FUNCTIONS, measure
from analysis.pdr125.year_figures import (
    GROUPS,
    FiguresRefused,
    Heads,
    Level,
    SectorAverage,
    YearFigures,
    from_json,
    to_json,
)
from tests.analysis.pdr125.years import INDICATORS, QUANTITATIVE, WHOLE, YEAR, any_year, measured


def readings(found: Measured) -> dict[str, tuple[Fraction, Fraction, bool]]:
    return {one.name: (one.found, one.needed, one.met) for one in found.readings}


def pay(gap_a: str, gap_b: str, year: int = YEAR) -> YearFigures:
    """Two levels of 100 people each with these gaps of men's pay of 20,000 and 30,000."""
    a, b = WHOLE.levels
    return replace(
        WHOLE,
        year=year,
        levels=(
            replace(a, pay_women=20_000 * (1 - Fraction(gap_a))),
            replace(b, pay_women=30_000 * (1 - Fraction(gap_b))),
        ),
    )


def test_every_quantitative_indicator_has_its_function_and_no_other_has() -> None:
    assert set(FUNCTIONS) == {one.id for one in INDICATORS.values() if one.kind == "quantitative"}
    assert [one.indicator for one in measure(load_catalogue().indicators(4), {YEAR: WHOLE}, YEAR)] == [
        *("2.5", "4.2", "4.4", "4.5", "4.6", "4.7", "5.1", "5.2", "5.3", "6.4", "6.5")
    ]
    assert [one.indicator for one in measure(load_catalogue().indicators(2), {YEAR: WHOLE}, YEAR)] == [
        *("4.1", "4.3", "5.1")
    ]


def test_bodies_are_the_fewer_of_women_and_men_over_all_seats() -> None:
    # 3 women and 6 men: 3 / 9 = 1/3, at the border itself
    found = measured("2.5", WHOLE)
    assert (found.result, found.outcome) == (Fraction(1, 3), "to_be_verified")
    assert readings(found) == {"at_least": (Fraction(1, 3), Fraction(1, 3), True)}
    # one seat more for a man: 3 / 10; and one for somebody who is neither counts among all seats
    assert readings(measured("2.5", replace(WHOLE, seats=Heads(3, 7))))["at_least"][2] is False
    assert measured("2.5", replace(WHOLE, seats=Heads(3, 6, 1))).result == Fraction(3, 10)


def test_women_in_the_headcount_against_the_sector_are_asked_for_until_parity() -> None:
    # 300 / 400 = 75 %; the sector has 60 %: 70 % or 66 % would be more than half, so half is asked for
    found = measured("4.2", WHOLE)
    assert found.result == Fraction(3, 4)
    assert readings(found) == {
        "points": (Fraction(3, 4), Fraction(1, 2), True),
        "relative": (Fraction(3, 4), Fraction(1, 2), True),
    }


def test_ten_more_is_read_both_ways_and_nothing_is_called_met_or_not() -> None:
    # 2 of 5 executives are women = 40 %; the sector has 30 %: 30 + 10 points = 40 % (at the border), 30 % x 1.1 = 33 %
    found = measured("4.4", WHOLE)
    assert (found.result, found.outcome) == (Fraction(2, 5), "to_be_verified")
    assert readings(found) == {
        "points": (Fraction(2, 5), Fraction(2, 5), True),
        "relative": (Fraction(2, 5), Fraction(33, 100), True),
    }
    # with a sector of 36 %: 46 % and 39.6 %, so the two readings differ
    above = replace(WHOLE, sector_executives=SectorAverage(Fraction(36, 100), "ISTAT", YEAR))
    assert {name: met for name, (_, _, met) in readings(measured("4.4", above)).items()} == {
        "points": False,
        "relative": True,
    }


def test_the_first_line_and_the_holders_of_a_budget_stand_against_women_executives_of_the_sector() -> None:
    # 4 / 8 = 50 % and 3 / 8 = 37.5 % against 40 % and 33 %
    assert measured("4.6", WHOLE).result == Fraction(1, 2)
    assert readings(measured("4.7", WHOLE)) == {
        "points": (Fraction(3, 8), Fraction(2, 5), False),
        "relative": (Fraction(3, 8), Fraction(33, 100), True),
    }


@pytest.mark.parametrize(
    ("women", "men", "outcome"),
    [(20, 30, "meets"), (399, 601, "does_not_meet"), (400, 600, "meets"), (401, 599, "meets"), (0, 5, "does_not_meet")],
)
def test_women_who_head_units_are_at_least_forty_percent(women: int, men: int, outcome: str) -> None:
    # 20 / 50 = 40 % exactly; 399 / 1000 is under it
    everyone = Heads(1_000, 1_000)
    found = measured("4.5", replace(WHOLE, headcount=everyone, unit_heads=Heads(women, men)))
    assert (found.result, found.outcome) == (Fraction(women, women + men), outcome)


@pytest.mark.parametrize("indicator", ["4.1", "4.3"])
def test_growth_is_against_the_mean_of_the_two_years_before(indicator: str) -> None:
    # women 300 / 400 = 75 %; before 60 % and 50 %, a mean of 55 %: 65 % or 60.5 %, but until parity for the headcount
    # executives 40 %; before 1/5 and 2/5, a mean of 30 %: 40 % or 33 %
    last = replace(WHOLE, year=YEAR - 1, headcount=Heads(240, 160), executives=Heads(1, 4))
    first = replace(WHOLE, year=YEAR - 2, headcount=Heads(200, 200), executives=Heads(2, 3))
    needed = {"4.1": (Fraction(1, 2), Fraction(1, 2)), "4.3": (Fraction(2, 5), Fraction(33, 100))}[indicator]
    found = measured(indicator, WHOLE, last, first)
    assert (found.outcome, tuple(one.needed for one in found.readings)) == ("to_be_verified", needed)
    alone = measured(indicator, WHOLE, last)
    name = {"4.1": "headcount", "4.3": "executives"}[indicator]
    assert (alone.outcome, alone.lacking) == ("cannot_be_measured", (Lack(name, YEAR - 2),))


def test_the_pay_gap_is_of_men_s_pay_by_level_and_weighted_by_heads() -> None:
    # A: (20,000 - 19,000) / 20,000 = 5 %; B: (30,000 - 27,600) / 30,000 = 8 %; 100 people each, so 6.5 % together
    found = measured("5.1", WHOLE, pay("0.06", "0.09", YEAR - 1))
    assert [(part.level, part.gap) for part in found.parts] == [("A", Fraction(5, 100)), ("B", Fraction(8, 100))]
    assert (found.result, found.outcome) == (Fraction(65, 1000), "meets")
    assert readings(found) == {
        "each_level": (Fraction(8, 100), Fraction(1, 10), True),
        "weighted": (Fraction(65, 1000), Fraction(1, 10), True),
    }
    # with 80 + 20 people at A and 10 + 10 at B: (100 x 5 % + 20 x 8 %) / 120 = 5.5 %
    few = replace(WHOLE, levels=(WHOLE.levels[0], replace(WHOLE.levels[1], heads=Heads(10, 10))))
    assert measured("5.1", few, pay("0.06", "0.09", YEAR - 1)).result == Fraction(55, 1000)


@pytest.mark.parametrize(
    ("now", "then", "outcome"),
    [
        (("0.05", "0.0999"), ("0.06", "0.2"), "meets"),
        (("0.05", "0.1"), ("0.06", "0.2"), "to_be_verified"),  # at the border: one level is not under 10 %, the mean is
        (("0.1", "0.1"), ("0.2", "0.2"), "does_not_meet"),
        (("0.0999", "0.0999"), ("0.2", "0.2"), "meets"),
        (("0.05", "0.08"), ("0.05", "0.08"), "does_not_meet"),  # under 10 %, and not decreasing
        (("0.05", "0.08"), ("0.07", "0.07"), "to_be_verified"),  # the mean decreases, the largest level does not
        (("0", "0"), ("0", "0"), "meets"),  # nothing cannot become less
        (("-0.05", "-0.11"), ("-0.2", "-0.2"), "to_be_verified"),  # women earn more: the size counts
    ],
)
def test_the_pay_gap_is_under_ten_percent_and_decreasing_in_every_reading_or_nothing_is_said(
    now: tuple[str, str], then: tuple[str, str], outcome: str
) -> None:
    assert measured("5.1", pay(*now), pay(*then, YEAR - 1)).outcome == outcome


def test_whether_a_gap_decreases_cannot_be_said_without_last_year() -> None:
    alone = measured("5.1", WHOLE)
    assert (alone.outcome, alone.result) == ("cannot_be_measured", Fraction(65, 1000))
    assert alone.lacking == (Lack("year", YEAR - 1),)
    unpaid = replace(WHOLE, year=YEAR - 1, levels=(replace(WHOLE.levels[0], pay_men=None),))
    assert measured("5.1", WHOLE, unpaid).lacking == (Lack("pay", YEAR - 1, "men", "A"),)
    assert measured("5.1", pay("0.05", "0.12")).outcome == "cannot_be_measured"  # a level over 10 %, the mean under it
    assert measured("5.1", pay("0.1", "0.3")).outcome == "does_not_meet"  # too much whatever last year was


def test_a_level_of_one_gender_is_no_base_of_a_gap_and_one_without_its_pay_is_named() -> None:
    only = Level("C", Heads(9, 0), Fraction(18_000))
    found = measured("5.1", replace(WHOLE, levels=(*WHOLE.levels, only)), pay("0.2", "0.2", YEAR - 1))
    assert ([part.level for part in found.parts], found.result) == (["A", "B"], Fraction(65, 1000))
    nobody = measured("5.1", replace(WHOLE, levels=(only,)))
    assert nobody.lacking == (Lack("levels", YEAR, kind="nobody"),)
    unpaid = replace(WHOLE, levels=(replace(WHOLE.levels[0], pay_women=None), WHOLE.levels[1]))
    assert measured("5.1", unpaid).lacking == (Lack("pay", YEAR, "women", "A"),)


def test_promotions_are_rates_at_each_level_and_over_all() -> None:
    # A: 4/80 = 5 % and 1/20 = 5 %; B: 2/40 = 5 % and 6/60 = 10 %; together 6/120 = 5 % and 7/80 = 8.75 %
    found = measured("5.2", WHOLE)
    assert [part.gap for part in found.parts] == [Fraction(0), Fraction(5, 100)]
    assert (found.result, found.outcome) == (Fraction(375, 10_000), "to_be_verified")
    assert {one.name: (one.found, one.met) for one in found.readings} == {
        "each_level": (Fraction(5, 100), False),
        "whole": (Fraction(375, 10_000), False),
    }


def test_variable_pay_is_a_share_of_each_gender_and_cannot_be_measured_where_nobody_has_it() -> None:
    # 75 / 300 = 25 % of women, 30 / 100 = 30 % of men: 5 points
    found = measured("5.3", WHOLE)
    assert (found.result, found.outcome) == (Fraction(5, 100), "to_be_verified")
    nobody = measured("5.3", replace(WHOLE, variable=Heads(0, 0)))
    assert (nobody.outcome, nobody.lacking) == ("cannot_be_measured", (Lack("variable", YEAR, kind="nobody"),))


def test_fathers_and_days_are_shares_of_what_the_law_gives() -> None:
    # 6 / 8 = 75 %; 54 days of 8 x 10 = 67.5 %, of 6 x 10 = 90 %
    assert measured("6.4", WHOLE).result == Fraction(3, 4)
    found = measured("6.5", WHOLE)
    assert (found.result, [base.share for base in found.bases]) == (
        Fraction(675, 1000),
        [Fraction(675, 1000), Fraction(9, 10)],
    )
    none = measured("6.4", replace(WHOLE, fathers_entitled=0, fathers_took=0, leave_days_taken=None))
    assert (none.outcome, none.lacking) == (
        "cannot_be_measured",
        (Lack("fathers_entitled", YEAR, kind="nobody"),),
    )


@pytest.mark.parametrize("indicator", QUANTITATIVE)
def test_without_figures_each_indicator_names_what_it_lacks(indicator: str) -> None:
    empty = measured(indicator, YearFigures(YEAR))
    assert (empty.outcome, empty.result) == ("cannot_be_measured", None)
    assert empty.lacking and measured(indicator).lacking
    full = [replace(WHOLE, year=year) for year in (YEAR - 2, YEAR - 1, YEAR)]
    assert measured(indicator, *full).lacking == ()


@given(st.sampled_from(QUANTITATIVE), st.tuples(any_year(YEAR), any_year(YEAR - 1), any_year(YEAR - 2)))
def test_of_an_open_rule_nothing_is_ever_called_met_or_not_met(indicator: str, years: tuple[YearFigures, ...]) -> None:
    found = measured(indicator, *years)
    rule = INDICATORS[indicator].rule
    assert rule is not None
    if rule.status == "open":
        assert found.outcome in ("to_be_verified", "cannot_be_measured")
    if found.outcome in ("meets", "does_not_meet"):
        assert rule.status == "agreed" and {one.met for one in found.readings} == {found.outcome == "meets"}
    assert (found.outcome == "cannot_be_measured") == bool(found.lacking)


def test_the_rules_that_are_agreed_are_these_two() -> None:
    assert [name for name, one in INDICATORS.items() if one.rule and one.rule.status == "agreed"] == ["4.5", "5.1"]


def swapped(figures: YearFigures) -> YearFigures:
    """The same year with women for men."""

    def heads(group: Heads) -> Heads:
        return replace(group, women=group.men, men=group.women)

    groups: dict[str, Any] = {name: heads(getattr(figures, name)) for name in GROUPS}
    return replace(
        figures,
        **groups,
        levels=tuple(
            replace(
                one,
                heads=heads(one.heads),
                promoted=heads(one.promoted),
                pay_women=one.pay_men,
                pay_men=one.pay_women,
            )
            for one in figures.levels
        ),
    )


@given(any_year())
def test_women_for_men_turns_every_difference_round(figures: YearFigures) -> None:
    for indicator in ("5.2", "5.3"):
        one, other = measured(indicator, figures), measured(indicator, swapped(figures))
        assert (one.result is None) == (other.result is None)
        assert one.result is None or other.result is None or one.result == -other.result
    for part, mirrored in zip(measured("5.1", figures).parts, measured("5.1", swapped(figures)).parts, strict=True):
        # the base changes with the side: g of men's pay is g / (1 - g) of women's
        assert mirrored.gap == -part.gap / (1 - part.gap)
    assert measured("2.5", figures).result == measured("2.5", swapped(figures)).result


@given(any_year(), st.integers(2, 9))
def test_as_many_times_the_people_leave_every_share_and_gap_as_it_is(figures: YearFigures, times: int) -> None:
    def more(count: int | None) -> int | None:
        return None if count is None else count * times

    def heads(group: Heads) -> Heads:
        return Heads(more(group.women), more(group.men), more(group.other))

    groups: dict[str, Any] = {name: heads(getattr(figures, name)) for name in GROUPS}
    larger = replace(
        figures,
        **groups,
        levels=tuple(replace(one, heads=heads(one.heads), promoted=heads(one.promoted)) for one in figures.levels),
        fathers_entitled=more(figures.fathers_entitled),
        fathers_took=more(figures.fathers_took),
        leave_days_taken=None if figures.leave_days_taken is None else figures.leave_days_taken * times,
    )
    for indicator in QUANTITATIVE:
        assert measured(indicator, larger).result == measured(indicator, figures).result


@given(any_year())
def test_a_share_is_a_share_and_figures_survive_their_json(figures: YearFigures) -> None:
    assert from_json(to_json(figures)) == figures
    for indicator in ("2.5", "4.2", "4.4", "4.5", "4.6", "4.7", "6.4"):
        result = measured(indicator, figures).result
        assert result is None or 0 <= result <= 1


@pytest.mark.parametrize(
    ("wrong", "faults"),
    [
        ({"executives": Heads(301, 1)}, [("executives", "more_than_headcount", "women", "")]),
        ({"seats": Heads(-1, 1)}, [("seats", "count", "women", "")]),
        ({"fathers_took": 9}, [("fathers_took", "more_than_entitled", "", "")]),
        ({"year": 1999}, [("year", "year", "", "")]),
        ({"headcount": Heads(119, 100)}, [("headcount", "less_than_levels", "women", "")]),
        (
            {"levels": (Level("A", Heads(1, 0), Fraction(999), Fraction(20_000), Heads(2, 0)),)},
            [
                ("promoted", "more_than_level", "women", "A"),
                ("pay", "pay", "women", "A"),
                ("pay", "pay_of_nobody", "men", "A"),
            ],
        ),
        (
            {"levels": (Level("a1"), Level("A1"), Level("=1"))},
            [("heads", "level_twice", "", "A1"), ("heads", "level_name", "", "=1")],
        ),
        (
            {"sector_headcount": SectorAverage(Fraction(101, 100), " ", 2024)},
            [("sector_headcount", "share", "", ""), ("sector_headcount", "source", "", "")],
        ),
    ],
)
def test_figures_that_cannot_be_are_refused_with_each_that_is_wrong(
    wrong: dict[str, object], faults: list[tuple[str, str, str, str]]
) -> None:
    with pytest.raises(FiguresRefused) as refused:
        replace(WHOLE, **wrong)  # type: ignore[arg-type]  # any field of a year
    found = [(one.name, one.reason, one.gender, one.level) for one in refused.value.faults]
    assert [one for one in found if one[1] != "more_than_headcount" or "executives" in wrong] == faults
