"""The reader who knows the law, against every world of a tiny organisation counted one by one."""

from dataclasses import replace
from fractions import Fraction
from itertools import product

import numpy as np
import pytest

from analysis.moves import SUMS
from analysis.steps import index_figure, index_rules, row_of, whole_ends
from tests.analysis.belief import PrintedFigure, Sampler, beliefs, believed
from tests.analysis.corpus import data_set
from tests.analysis.test_answers_audit import published
from tests.analysis.waves import dice, wave
from tests.laws import probability


def _exactly(answers: list[int], inside: list[bool], seed: int) -> tuple[list[float], list[float]]:
    """How likely each is favourable, from two index figures: by counting every world, and by sampling."""
    whole, part = np.array(answers), np.array(inside)
    groups = [(np.ones(len(answers), bool), SUMS.draw(dice(seed))), (part, SUMS.draw(dice(seed + 1)))]
    printed = [
        index_figure(Fraction(25 * int(whole[who].sum()), int(who.sum())), int(who.sum()), 4, move)
        for who, move in groups
    ]
    prior = (np.bincount(whole, minlength=5) + 0.5) / (len(answers) + 2.5)
    worlds = np.array(list(product(range(5), repeat=len(answers))))
    weight = np.prod(prior[worlds], axis=1)
    figures = []
    for (who, _), figure, atoms in zip(groups, printed, ([True, True], [True, False]), strict=True):
        size = int(who.sum())
        chance = [
            sum(
                probability(SUMS, m)
                for m in range(-6, 7)
                if index_figure(Fraction(25 * total, size), size, 4, m) == figure
            )
            for total in range(4 * size + 1)
        ]
        weight = weight * np.array(chance)[worlds[:, who].sum(axis=1)]
        row = row_of(size)
        assert row is not None and figure is not None
        ends = whole_ends(figure, 4 * size, *index_rules(row, 4))
        figures.append(PrintedFigure(np.array(atoms), np.arange(5), *ends, 4 * size, SUMS))
    counted = (weight[:, None] * (worlds >= 3)).sum(axis=0) / weight.sum()
    sampler, source = Sampler(figures, np.where(part, 0, 1), whole, np.log(prior)), np.random.default_rng(seed)
    sampled = np.mean([sampler.sweep(source)[:, 3:].sum(axis=1) for _ in range(4000)], axis=0)
    return counted.tolist(), sampled.tolist()


@pytest.mark.parametrize(("answers", "seed"), [([0, 1, 4, 4, 3, 2, 4], 1), ([4, 4, 4, 4, 4, 0, 0], 4)])
def test_the_reader_believes_what_counting_every_world_gives(answers: list[int], seed: int) -> None:
    """Seven people, five of them a group of their own: 78,125 worlds."""
    counted, sampled = _exactly(answers, [True] * 5 + [False] * 2, seed)
    assert sampled == pytest.approx(counted, abs=0.03)


def test_where_nothing_is_printed_of_a_group_the_reader_believes_what_all_answered() -> None:
    """Ten people, one figure: everybody is believed alike, near the share of the whole."""
    raw = wave(10, A1=[5] * 6 + [1] * 4)
    everything = published(raw)
    views = [everything.views[0], *({**view, "shown": False} for view in everything.views[1:])]
    shown = replace(everything, views=views)
    statistic = next(s for s in shown.statistics if s.key == "items/A1")
    sides = believed(statistic, shown, np.random.default_rng(1), 4000)
    assert max(abs(sides - 0.6)) < 0.1 and np.ptp(sides) < 0.1


def test_what_everybody_answered_alike_is_not_counted_as_learnt_from_the_document() -> None:
    found = beliefs(published(wave(40, A1=[5] * 40, A2=[4] * 40, A3=[1, 5] * 20), dice(2)), sweeps=20)
    assert (found.known, found.looked_at) == (80, 40)


def test_in_an_ordinary_organisation_nobody_is_believed_at_ninety_nine_percent() -> None:
    found = beliefs(published(data_set(0).raw, dice(0)), sweeps=1000)
    assert (found.looked_at, found.sure) == (159, 0)
