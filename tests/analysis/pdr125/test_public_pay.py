"""What of pay may be told: attacked with exact linear algebra by somebody who knows the heads of every level and the sums by gender."""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.pdr125.public_pay import EUROS, LEAST_APART, PublicPay, public_pay
from analysis.pdr125.year_figures import Heads, Level
from analysis.rules import LEAST_PAID

type Row = list[Fraction]


def level(name: str, women: int, men: int, hers: int = 20_000, his: int = 21_000) -> Level:
    return Level(
        name, Heads(women, men), Fraction(hers) if women else None, Fraction(his) if men else None, Heads(0, 0)
    )


@st.composite
def many_levels(draw: st.DrawFn) -> tuple[Level, ...]:
    count = draw(st.integers(0, 8))
    heads = st.integers(0, 3) | st.integers(8, 12) | st.integers(0, 120)
    return tuple(
        level(f"L{i}", draw(heads), draw(heads), draw(st.integers(15_000, 60_000)), draw(st.integers(15_000, 60_000)))
        for i in range(count)
    )


def rank(rows: Sequence[Row]) -> int:
    """By exact elimination."""
    left, found = [list(row) for row in rows], 0
    for column in range(len(left[0]) if left else 0):
        pivot = next((row for row in left[found:] if row[column]), None)
        if pivot is None:
            continue
        left.remove(pivot)
        left.insert(found, pivot)
        for at, row in enumerate(left):
            if at != found and row[column]:
                factor = row[column] / pivot[column]
                left[at] = [a - factor * b for a, b in zip(row, pivot, strict=True)]
        found += 1
    return found


def follows(rows: Sequence[Row], wanted: Row) -> bool:
    """Whether a sum follows from what is known."""
    return rank([*rows, wanted]) == rank(rows)


def unit(at: int, n: int) -> Row:
    return [Fraction(int(i == at)) for i in range(n)]


def known_sums(levels: Sequence[Level], shown: set[str], gender: str) -> list[Row]:
    """What an attacker knows of the sums of pay by level: those of shown levels, and the sum of all of this gender."""
    n = len(levels)
    rows = [unit(at, n) for at, one in enumerate(levels) if one.name in shown]
    return [*rows, [Fraction(int(bool(getattr(one.heads, gender)))) for one in levels]]


def small_sums(levels: Sequence[Level], shown: set[str]) -> list[str]:
    """The levels left out whose average follows, and groups of a few people whose sum does."""
    found = []
    for gender in ("women", "men"):
        rows = known_sums(levels, shown, gender)
        hidden = [at for at, one in enumerate(levels) if one.name not in shown and getattr(one.heads, gender)]
        found += [f"{gender} of {levels[at].name}" for at in hidden if follows(rows, unit(at, len(levels)))]
        for chosen in range(1, 2 ** len(hidden)):
            those = [at for place, at in enumerate(hidden) if chosen >> place & 1]
            people = sum(getattr(levels[at].heads, gender) for at in those)
            together = [Fraction(int(at in those)) for at in range(len(levels))]
            if people < LEAST_PAID and follows(rows, together):
                found.append(f"{people} {gender}")
    return found


def names(told: PublicPay) -> set[str]:
    return {one.name for one in told.levels}


LADDER = (level("A", 40, 20), level("B", 30, 15), level("C", 25, 12), level("D", 1, 9, 30_000, 33_000))
"""One level of one woman: what is printed of all the others gives her pay away, unless another is left out with hers."""


def test_leaving_out_the_small_level_alone_would_give_its_only_woman_away() -> None:
    assert "women of D" in small_sums(LADDER, {"A", "B", "C"})
    assert small_sums(LADDER, names(public_pay(LADDER))) == []


def test_the_smallest_other_levels_are_left_out_with_it_until_enough_people_are() -> None:
    # D alone: one woman. With C: 26 women at two levels, 21 men at two levels.
    told = public_pay(LADDER)
    assert (names(told), told.not_shown) == ({"A", "B"}, 2)


def test_a_level_is_told_from_ten_women_and_ten_men_on() -> None:
    assert names(public_pay((level("A", 10, 10), level("B", 10, 10)))) == {"A", "B"}
    for women, men in ((9, 10), (10, 9)):
        assert names(public_pay((level("A", women, men), level("B", 10, 10), level("C", 10, 10)))) < {"B", "C"}


def test_averages_are_told_to_a_hundred_euros_and_gaps_to_a_percent() -> None:
    (told,) = public_pay((level("A", 10, 10, 19_049, 20_060),)).levels
    assert (told.pay_women, told.pay_men, told.gap_percent) == (
        19_000,
        20_100,
        5,
    )  # (20,060 - 19,049) / 20,060 = 5.04 %


def test_the_one_who_joined_a_level_of_ten_is_not_found_between_two_years() -> None:
    """Without rounding, 11 x this year's average - 10 x last year's is what the eleventh earns."""
    last = Fraction(200_000 + 41, 10)
    for joined in (18_000, 22_000):
        this = (10 * last + joined) / 11
        printed = [
            public_pay((replace(level("A", n, 10), pay_women=pay),)).levels[0].pay_women
            for n, pay in ((10, last), (11, this))
        ]
        slack = 11 * EUROS // 2 + 10 * EUROS // 2
        assert abs(11 * printed[1] - 10 * printed[0] - joined) <= slack
        assert slack >= 1_000


def test_the_weighted_gap_is_told_where_nothing_or_enough_is_left_out() -> None:
    # 60 people with 5 % and 40 with 10 %: 7 %
    both = (level("A", 30, 30, 19_000, 20_000), level("B", 20, 20, 18_000, 20_000))
    assert public_pay(both).weighted_percent == 7
    assert public_pay(LADDER).weighted_percent is None  # two levels of both genders are left out
    wide = public_pay((*LADDER, level("E", 4, 6, 31_000, 33_000)))  # C, D and E are left out
    assert (names(wide), wide.not_shown, LEAST_APART) == ({"A", "B"}, 3, 3)
    assert wide.weighted_percent is not None


def test_the_only_woman_of_a_level_cannot_solve_for_the_men_beside_her() -> None:
    """Two levels left out have four unknown averages. Two sums, the weighted gap and her own pay are four equations."""
    a, b = level("A", 1, 3, 30_000, 34_000), level("B", 30, 9, 20_000, 21_000)
    told = public_pay((a, b, level("C", 40, 40)))
    assert (names(told), told.weighted_percent) == ({"C"}, None)


def test_while_one_level_is_not_known_nothing_is_told() -> None:
    unknown = replace(level("E", 20, 20), pay_men=None)
    assert public_pay((*LADDER, unknown)) == PublicPay((), 5, None)


def test_the_rule_cannot_be_lowered() -> None:
    with pytest.raises(ValueError):
        public_pay(LADDER, least=LEAST_PAID - 1)


@given(many_levels())
def test_no_level_left_out_and_no_few_people_follow_from_what_is_told_and_the_sums(levels: tuple[Level, ...]) -> None:
    told = public_pay(levels)
    assert told.not_shown == len(levels) - len(told.levels)
    assert all(min(one.women, one.men) >= LEAST_PAID for one in told.levels)
    if told.levels:
        assert small_sums(levels, names(told)) == []


@given(many_levels())
def test_no_gap_left_out_follows_from_the_weighted_one(levels: tuple[Level, ...]) -> None:
    told = public_pay(levels)
    if told.weighted_percent is None:
        return
    n, shown = len(levels), names(told)
    both = [
        Fraction((one.heads.women or 0) + (one.heads.men or 0)) * int(bool(one.heads.women and one.heads.men))
        for one in levels
    ]
    rows = [both, *(unit(at, n) for at, one in enumerate(levels) if one.name in shown)]
    hidden = [at for at in range(n) if both[at] and levels[at].name not in shown]
    assert [levels[at].name for at in hidden if follows(rows, unit(at, n))] == []
    for pair in ((a, b) for a in hidden for b in hidden if a < b):
        assert not follows(rows, [both[at] * int(at in pair) for at in range(n)])
