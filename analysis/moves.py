"""The small secret move of every published figure, before it is rounded (PRIVACY 2.10).

A rounded figure alone can prove an answer: where every figure stands on the border of its step, only one set of answers
prints it. So each sum of scores and each count takes one random whole number more or less first. A wave's moves
are drawn once: from a seed of the system's randomness that outlives an attempt that was cut off, and is destroyed with the
wave's key (docs/decisions/0028). What is printed is stored and never computed again.

The laws are those of the experiment behind PRIVACY 2.10 (its table N10): rounded normal distributions cut off at `most`.
"""

import math
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

GRAIN = 1 << 60
"""The probabilities of a law are whole numbers over about this."""

type Below = Callable[[int], int]
"""Gives a random whole number of 0 to its argument, exclusive."""


@dataclass(frozen=True)
class Law:
    """How far a figure moves, in whole people or in whole steps of one person's score.

    sd : of the normal distribution behind it
    most : no move is larger
    """

    sd: float
    most: int

    @cached_property
    def weights(self) -> tuple[int, ...]:
        """Of the moves -most ... most, as whole numbers; symmetric, and none of them is 0."""
        raw = [math.exp(-(move**2) / (2 * self.sd**2)) for move in range(-self.most, self.most + 1)]
        return tuple(round(GRAIN * weight / sum(raw)) for weight in raw)

    @cached_property
    def variance(self) -> float:
        """Of a move, in squared units of it."""
        moves = range(-self.most, self.most + 1)
        return sum(weight * move**2 for weight, move in zip(self.weights, moves, strict=True)) / sum(self.weights)

    def draw(self, below: Below) -> int:
        """One move: where a random number falls among the weights."""
        place = below(sum(self.weights))
        for move, weight in zip(range(-self.most, self.most + 1), self.weights, strict=True):
            if place < weight:
                return move
            place -= weight
        raise AssertionError("a number of less than the sum of the weights falls among them")


COUNTS = Law(0.7, 3)
"""Of people: shares, classes of a distribution, and scores with fewer than four steps."""
SUMS = Law(1.5, 6)
"""Of steps of a person's score (four where there are five answers): indices. Of `SQUARE` in a sum of squares: spreads."""
SQUARE = 50**2
"""A quarter of what one person can add to a sum of squared deviations on 0-100: spreads are by-products, and hide her, too."""
FINE = 4


def law_of(steps: int) -> Law:
    """The law of an index; `steps` is how many one answer has between 0 and 100."""
    return SUMS if steps >= FINE else COUNTS


class Moves:
    """The moves of one document: one of each figure, and the same again for the same figure under another name.

    An indicator with one item is that item: two moves of one sum would halve what a move hides.
    """

    def __init__(self, below: Below = secrets.randbelow) -> None:
        self._below = below
        self._drawn: dict[tuple[object, ...], int] = {}

    def of(self, law: Law, *figure: object) -> int:
        """The move of a figure; what is given beside the law says which one it is."""
        if figure not in self._drawn:
            self._drawn[figure] = law.draw(self._below)
        return self._drawn[figure]
