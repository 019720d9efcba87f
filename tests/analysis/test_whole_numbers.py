"""Which sums print as a figure is decided in whole numbers, and an exact reader who shares no code with the audit agrees."""

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import Bounds, LinearConstraint, milp

from analysis import answers_audit, statistics_of
from analysis.answers_audit import audit_answers
from analysis.publication import ROWS, Figure, SizeRow, stepped, whole_ends
from tests.analysis.test_answers_audit import _published
from tests.analysis.waves import INSTRUMENT, LIKERT, wave


def _printed(count: int, whole: int, step: float, row: SizeRow) -> Figure:
    """What a count prints as, said once more in whole numbers alone: doubled, so that half steps are whole."""
    if 100 * count <= row.low_end * whole:
        return f"<={row.low_end}"
    if 100 * count >= row.high_end * whole:
        return f">={row.high_end}"
    double = int(2 * step)
    return (400 * count + double * whole) // (2 * double * whole) * double / 2


@pytest.mark.parametrize("n", range(5, 61))
def test_at_every_border_the_printing_and_the_reading_of_a_figure_agree(n: int) -> None:
    """Every table row, every size from 5 to 60, counts of people, sums of five answers, of yes or no, of three-item scales."""
    for row in ROWS:
        for step in {row.index_step, row.share_step, row.class_step} - {0}:
            for whole in (n, 4 * n, 12 * n, 4 * 6 * n):
                prints = [stepped(Fraction(100 * count, whole), step, row) for count in range(whole + 1)]
                assert prints == [_printed(count, whole, step, row) for count in range(whole + 1)]
                for figure in set(prints):
                    least, most = whole_ends(figure, whole, step, row)
                    assert [count for count, shown in enumerate(prints) if shown == figure] == list(range(least, most + 1))


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 2**32 - 1), st.sampled_from([2.0**52, 3_000.0, 700.0]))
def test_sums_that_count_as_possible_print_alike_also_on_a_grid_that_is_too_coarse(seed: int, largest: float) -> None:
    """People skip items: on the common multiple every sum is decided; on a coarser grid none is let in that prints otherwise."""
    dice = np.random.default_rng(seed)
    skipped = {name: np.where(dice.random(40) < 0.3, -1, dice.integers(1, 6, 40)).tolist() for name in LIKERT}
    everyone = np.ones(40, dtype=np.bool_)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(answers_audit, "LARGEST", largest)
        for statistic in statistics_of.statistics(wave(40, **skipped), INSTRUMENT):
            n = int((~np.isnan(statistic.scores)).sum())
            if n < 20 or statistic.item is not None:
                continue
            row = next(one for one in reversed(ROWS) if n >= one.least)
            none = np.empty(0, dtype=np.int64)
            weigh = answers_audit._Weights.of(statistic, answers_audit.Cells(none, none, none, np.arange(5.0)), none.astype(np.bool_))
            for _ in range(20):
                other = np.minimum(dice.integers(0, 2**31, 40) % (statistic.unit * statistic.answered + 1), statistic.unit * statistic.answered)
                shown, total = statistic.points, int((other * weigh.each).sum())
                printed = stepped(statistic.mean(everyone), row.index_step, row)
                low, high = weigh.ends(printed, everyone, row.index_step, row)
                statistic.points = other
                alike = stepped(statistic.mean(everyone), row.index_step, row) == printed
                statistic.points = shown
                assert alike or not low <= total <= high
                if weigh.shares == weigh.common:
                    assert alike == (low <= total <= high)


def _reader(views: list[dict[str, Any]], found: Any, item: str, n_of: Any) -> tuple[Any, Any, Any]:
    """What one item's printed figures leave open, as rows over the counts of each atom and answer."""
    rows, low, high = [], [], []
    for place, view in enumerate(views):
        printed = view.get("items", {}).get(item) if view["shown"] else None
        if printed is None:
            continue
        inside = found.matrix[place].astype(float)
        n = int((inside * n_of).sum())
        row = next(one for one in reversed(ROWS) if n >= one.least)
        for figure, worth, whole, step in (
            (printed["index"], [0, 1, 2, 3, 4], 4 * n, row.index_step),
            (printed.get("favourable"), [0, 0, 0, 1, 1], n, row.share_step),
        ):
            if figure is None:
                continue
            counts = [count for count in range(whole + 1) if _printed(count, whole, step, row) == figure]
            rows.append(np.kron(inside, worth))
            low.append(counts[0])
            high.append(counts[-1])
    return np.array(rows), np.array(low), np.array(high)


def test_what_whole_people_cannot_do_is_found_although_fractions_of_people_could() -> None:
    """Passed before: five men of fifty in one place all answered 5, and A1's figures alone prove it.

    Could be missed: fractions of people print the same, and so do sums that a tolerance takes for the border.
    """
    worst = [1 if i % 3 == 0 else 5 for i in range(90)]
    views, statistics, found = _published(wave(90, A1=worst, A2=worst, A3=worst))
    findings = [finding for finding in audit_answers(views, statistics, found, 5, None) if finding.item == "A1"]
    rows, low, high = _reader(views, found, "A1", found.n)
    heads = np.kron(np.eye(len(found.n)), np.ones(5))
    proven = set()
    for atom in range(len(found.n)):
        for answer in range(5):
            wish = np.zeros(5 * len(found.n))
            wish[5 * atom + answer] = 1.0
            least = milp(
                wish, integrality=np.ones_like(wish), bounds=Bounds(0, np.inf),
                constraints=[LinearConstraint(rows, low, high), LinearConstraint(heads, found.n, found.n)],
            )  # fmt: skip
            if least.success and round(least.fun) == found.n[atom]:
                proven.add((atom, answer))
    assert proven
    assert proven <= {(finding.atom, finding.category) for finding in findings}
