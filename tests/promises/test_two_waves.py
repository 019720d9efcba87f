"""Promise: who subtracts one wave from the next proves nothing of one who joined; and what he may well guess."""

from collections.abc import Callable
from fractions import Fraction
from functools import cache

import numpy as np
import pytest

from analysis.moves import SUMS
from analysis.steps import Figure, index_figure
from tests.laws import probability

type Publish = Callable[[int, int, int], Figure | None]
SIZES = (5, 9, 10, 19, 20, 30, 49, 50, 120, 199, 200, 250)
TRIALS = 200
CHOICES = 5
MOVES = range(-SUMS.most, SUMS.most + 1)


@cache
def _shipped(total: int, n: int, move: int) -> Figure | None:
    return index_figure(Fraction(100 * total, 4 * n), n, 4, move)


def _exact_to_a_tenth(total: int, n: int, move: int) -> Figure:
    """A weakened copy: means to one decimal, as most survey tools show them."""
    return round(25 * total / n, 1)


def _joiner(n: int, publish: Publish, first: int, second: int, moves: tuple[int, int]) -> list[float]:
    """How likely both figures are for each answer of the one joiner, if every other answer stayed as it was and is known."""
    before, after = publish(first, n, moves[0]), publish(second, n + 1, moves[1])
    assert before is not None and after is not None
    return [
        sum(probability(SUMS, move) for move in MOVES if publish(min(first + answer, 4 * n + 4), n + 1, move) == after)
        for answer in range(CHOICES)
    ]


def _waves(n: int) -> list[tuple[int, int, tuple[int, int]]]:
    """Sums of one item before and after one person joined, and the moves of both, by a fixed seed."""
    dice = np.random.default_rng((11, n))
    law = [probability(SUMS, move) for move in MOVES]
    found = []
    for _ in range(TRIALS):
        answers = dice.choice(CHOICES, n + 1, p=dice.dirichlet(np.ones(CHOICES) * 2))
        moves = dice.choice(MOVES, 2, p=np.array(law) / sum(law))
        found.append((int(answers[:-1].sum()), int(answers.sum()), (int(moves[0]), int(moves[1]))))
    return found


@pytest.mark.parametrize("n", SIZES)
def test_who_knows_that_nobody_else_changed_is_rarely_sure_on_which_side_a_joiner_stands(n: int) -> None:
    """The strongest reader knows every other answer: a large move at a border still gives a side away, once in hundreds."""
    sure = 0
    for wave in _waves(n):
        chances = _joiner(n, _shipped, *wave)
        sure += max(chances[:3]) == 0 or max(chances[3:]) == 0
    assert sure / TRIALS <= 0.02


@pytest.mark.parametrize("n", SIZES)
def test_who_knows_all_other_answers_can_often_guess_the_joiner_s_and_without_moves_reads_it(n: int) -> None:
    """What we say we cannot protect from: one answer is more likely than another. Printed to a tenth, small groups have one."""
    waves = _waves(n)
    likely = [max(chances) / sum(chances) for wave in waves if (chances := _joiner(n, _shipped, *wave))]
    assert 1 / CHOICES <= np.mean(likely) and max(likely) > 0.25
    weakened = [_joiner(n, _exact_to_a_tenth, *wave) for wave in waves]
    assert n > 100 or all(sum(chance > 0 for chance in chances) == 1 for chances in weakened)
