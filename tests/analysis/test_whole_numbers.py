"""Which sums print as a figure is decided in whole numbers, and an exact reader who shares no code with the audit agrees."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.audit import answers
from analysis.audit import printed as looked
from analysis.audit.answers import audit_answers
from analysis.audit.printed import Weights
from analysis.moves import COUNTS, SUMS
from analysis.scoring import Instrument, ScaleSpec
from analysis.statistic import statistics_of
from analysis.steps import ROWS, index_figure, stepped, whole_ends
from tests.analysis.corpus import printed, sides_proven
from tests.analysis.test_answers_audit import one_bad_service, published, without_moves
from tests.analysis.waves import INSTRUMENT, LIKERT, likert, wave


@pytest.mark.parametrize("n", range(5, 61))
def test_at_every_border_the_printing_and_the_reading_of_a_figure_agree(n: int) -> None:
    """Every table row, every size from 5 to 60, counts of people, sums of five answers, of yes or no, of three-item scales."""
    for row in ROWS:
        for step, end in {
            (row.index_step, row.index_end),
            (row.share_step, row.share_end),
            (row.class_step, row.share_end),
        }:
            for whole in (n, 4 * n, 12 * n, 4 * 6 * n) if step else ():
                prints = [stepped(Fraction(100 * count, whole), step, end) for count in range(whole + 1)]
                assert prints == [printed(count, whole, step, end) for count in range(whole + 1)]
                for figure in set(prints):
                    least, most = whole_ends(figure, whole, step, end)
                    assert [count for count, shown in enumerate(prints) if shown == figure] == list(
                        range(least, most + 1)
                    )


@pytest.mark.parametrize("n", [5, 12, 20, 33, 60])
def test_a_count_is_read_as_possible_exactly_where_a_move_prints_it(n: int) -> None:
    """Counts that are moved beyond nobody or everybody stay there, so the ends reach as far as the move and no further."""
    for row in ROWS:
        for step, end, law, whole in (
            (row.index_step, row.index_end, SUMS, 4 * n),
            (row.share_step, row.share_end, COUNTS, n),
        ):
            if not step:
                continue
            for figure in {printed(count, whole, step, end) for count in range(whole + 1)}:
                moved = [
                    count
                    for count in range(whole + 1)
                    if any(
                        printed(min(max(count + move, 0), whole), whole, step, end) == figure
                        for move in range(-law.most, law.most + 1)
                    )
                ]
                least, most = whole_ends(figure, whole, step, end, law.most)
                assert moved == list(range(least, most + 1))


TEN = tuple(f"T{place}" for place in range(10))
LONG = Instrument(tuple(likert(name) for name in TEN), (ScaleSpec("CUL", TEN, 5),), ("1.1",))
"""Ten items of which five or more are answered: their least common multiple is 2,520."""


@settings(deadline=None, max_examples=100)
@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from(
        [
            (INSTRUMENT, LIKERT, 2.0**52),
            (INSTRUMENT, LIKERT, 3_000.0),
            (INSTRUMENT, LIKERT, 700.0),
            (LONG, TEN, 128_000.0),
        ]
    ),
    st.sampled_from([(1, 6), (5, 6), (4, 6), (1, 3), (1, 2)]),
)
def test_sums_that_count_as_possible_print_alike_also_on_a_grid_that_is_too_coarse(
    seed: int, about: tuple[Instrument, tuple[str, ...], float], told: tuple[int, int]
) -> None:
    """People skip items: on the common multiple every sum is decided; on a coarser grid none is let in that prints otherwise."""
    dice = np.random.default_rng(seed)
    instrument, names, largest = about
    skipped = {name: np.where(dice.random(40) < 0.3, -1, dice.integers(*told, 40)).tolist() for name in names}
    everyone = np.arange(40)
    with pytest.MonkeyPatch.context() as patch:
        without_moves(patch)
        patch.setattr(looked, "LARGEST", largest)
        for statistic in statistics_of(wave(40, **skipped), instrument):
            n = int((~np.isnan(statistic.scores)).sum())
            if n < 20 or statistic.item is not None:
                continue
            row = next(one for one in reversed(ROWS) if n >= one.least)
            weigh = Weights.of(statistic)
            most = statistic.unit * statistic.answered
            for share in [0.0, *dice.random(30) / 3]:  # near the truth, below and above: where a figure ends
                moved = dice.choice([-1, 1]) * dice.integers(0, 3 * statistic.unit, 40) * (dice.random(40) < share)
                other = np.clip(statistic.points + moved, 0, most)
                shown, total = statistic.points, int((other * weigh.each).sum())
                printed = stepped(statistic.mean(everyone), row.index_step, row.index_end)
                low, high = weigh.ends(printed, np.flatnonzero(weigh.each), row.index_step, row.index_end)
                statistic.points = other
                alike = stepped(statistic.mean(everyone), row.index_step, row.index_end) == printed
                statistic.points = shown
                assert alike or not low <= total <= high
                if weigh.shares == weigh.common:
                    assert alike == (low <= total <= high)


@pytest.mark.parametrize("statistic", ["items/A1", "scales/CUL"])
def test_a_sum_counts_as_possible_exactly_where_a_move_of_a_step_of_one_person_prints_it(statistic: str) -> None:
    """Could clear wrongly: a reach in other units than the move. Twenty people, some skipped an item of the scale."""
    rng = np.random.default_rng(20)
    columns = {
        name: np.where(rng.random(20) < (0.2 if name == "A3" else 0), -1, rng.integers(1, 6, 20)).tolist()
        for name in LIKERT
    }
    found = next(s for s in statistics_of(wave(20, **columns), INSTRUMENT) if s.key == statistic)
    everyone = np.arange(20)
    weigh = Weights.of(found)
    figure = index_figure(found.mean(everyone), 20, 4, 0)
    assert weigh.shares == weigh.common and figure is not None
    whole = found.unit * weigh.common * 20
    possible = [
        total
        for total in range(whole + 1)
        if any(index_figure(Fraction(100 * total, whole), 20, 4, move) == figure for move in range(-6, 7))
    ]
    assert weigh.ends(figure, np.flatnonzero(weigh.each), 2.5, 15) == (possible[0], possible[-1])
    assert possible == list(range(possible[0], possible[-1] + 1))


@pytest.mark.parametrize("together", [2_000, 1])
def test_what_an_exact_reader_proves_where_figures_do_not_move_the_audit_finds(
    together: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ninety people, one service unanimous: fractions of people would free them, whole people do not; nor territory by territory."""
    monkeypatch.setattr(answers, "MANY_PEOPLE", together)
    without_moves(monkeypatch)
    raw = one_bad_service()
    shown = published(raw)
    proven = sides_proven(list(shown.views), shown.found, raw, "A1", moves=False)
    assert proven
    assert proven <= {finding.atom for finding in audit_answers(shown) if finding.item == "A1"}
