"""Other answers that agree with everything published: the worlds an attacker cannot rule out.

Who answered what is taken as known to the attacker; which answer each person gave is not. A world gives every *cell*,
one person's answer to one item, one of its answers. It counts only if each figure in which these items play a part
(themselves, their scales, areas and indicators, in every shown view) would be published exactly as it was. A few items
of one construct are looked at together, for within a scale one answer makes up for another; all other items stay as
they are, so there are more worlds than are looked at, never fewer.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

type Floats = NDArray[np.float64]
type Flags = NDArray[np.bool_]
type Places = NDArray[np.int64]
type Target = tuple[int, int]
"""A heap (the cells of one atom and item) and a category."""

TRIES, MENDS, DRAW = 2, 8, 12
CLOSE = 1e-9
"""For the organisation's spread and limits alone, which are no whole numbers."""
LARGEST = 2.0**52


@dataclass(frozen=True, slots=True)
class Row:
    """One published figure as a bound on answers, in whole numbers: no tolerance decides what would be published alike.

    The sum behind it is ``constant + sum over cells of weight * worth[answer]``, and ``low <= sum <= high``. `view` is its
    place in the plan. All are whole numbers under 2**52, which floating point keeps exactly.
    """

    view: int
    weight: Floats
    worth: Floats
    constant: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Spread:
    """What the whole organisation's limits and spread say of a statistic: they depend on squares of scores too.

    weight : of each cell in its person's score; `person` is whose each cell is
    scores : of everyone, NaN for who does not enter the statistic
    limits : as published, or None; `half` is half the interval's width for a spread of 1
    sd_low, sd_high : ``sd_low < sd <= sd_high``
    """

    weight: Floats
    worth: Floats
    person: Places
    scores: Floats
    limits: tuple[int, int] | None
    half: float
    sd_low: float
    sd_high: float

    def agrees(self, answers: Places, truth: Places) -> bool:
        """Whether other answers would be published with the same limits and spread."""
        scores = self.scores.copy()
        np.add.at(scores, self.person, self.weight * (self.worth[answers] - self.worth[truth]))
        known = scores[~np.isnan(scores)]
        mean, sd = float(known.mean()), float(known.std(ddof=1))
        if not self.sd_low - CLOSE < sd <= self.sd_high + CLOSE:
            return False
        if self.limits is None:
            return True
        low = max(0, int(np.floor(mean - self.half * sd + CLOSE)))
        return (low, min(100, int(np.ceil(mean + self.half * sd - CLOSE)))) == self.limits


class Unsound(Exception):
    """The answers themselves do not agree with a published figure."""


class Worlds:
    """The worlds of a few items.

    Parameters
    ----------
    answers : the place of the category in each cell, ``0 <= answer < categories``
    heap_of : of each cell; cells of one heap have one atom and one item
    person_of : of each cell
    """

    def __init__(
        self, answers: Places, heap_of: Places, person_of: Places, categories: int, rows: Iterable[Row],
        spreads: Sequence[Spread],
    ) -> None:  # fmt: skip
        self.answers, self.heap_of, self.person_of, self.categories = answers, heap_of, person_of, categories
        kept, cells, weights = [], [], []
        for row in rows:  # of each only its weights that are not 0 stay: most views hold few cells
            used = np.flatnonzero(row.weight)
            cells.append(used)
            weights.append(row.weight[used])
            kept.append(replace(row, weight=weights[-1]))
        self.views = np.array([row.view for row in kept], dtype=np.int64)
        self.worth = np.array([row.worth for row in kept]).reshape(len(kept), categories)
        self.constant = np.array([row.constant for row in kept])
        self.row_of = np.repeat(np.arange(len(kept)), [len(used) for used in cells])
        self.cell_of = np.concatenate([*cells, np.empty(0, dtype=np.int64)]).astype(np.int64)
        self.weight_of = np.concatenate([*weights, np.empty(0)])
        self.grain = np.array(
            [
                max(np.abs(found).max(initial=0.0) * np.ptp(row.worth), 1e-12)
                for found, row in zip(weights, kept, strict=True)
            ]
        )
        """What one person may move a figure: violations in views of all sizes are compared in people."""
        self.spreads = spreads
        self.truth = self.counts(answers)
        now = self.values(answers)
        self.low, self.high = np.array([row.low for row in kept]), np.array([row.high for row in kept])
        if (np.abs(now) > LARGEST).any():
            raise Unsound("a sum of scores is too large to be kept exactly")
        if ((now < self.low) | (now > self.high)).any():
            raise Unsound("a published figure does not follow from the answers")
        if not self.agrees(answers):
            raise Unsound("published limits do not follow from the answers")

    def counts(self, answers: Places) -> Places:
        """Cells of each heap with each answer."""
        found = np.zeros((int(self.heap_of.max()) + 1 if len(answers) else 0, self.categories), dtype=np.int64)
        np.add.at(found, (self.heap_of, answers), 1)
        return found

    def values(self, answers: Places) -> Floats:
        """The figures of a world."""
        each = self.weight_of * self.worth[self.row_of, answers[self.cell_of]]
        found: Floats = self.constant + np.bincount(self.row_of, each, len(self.constant))
        return found

    @cached_property
    def by_cell(self) -> Floats:
        """The weight of each cell in each figure, cells by figures: what the walk reads again and again."""
        found: Floats = np.zeros((len(self.answers), len(self.constant)))
        found[self.cell_of, self.row_of] = self.weight_of
        return found

    def agrees(self, answers: Places, values: Floats | None = None) -> bool:
        """Say whether a world would be published exactly alike; `values` are its figures, if they are at hand."""
        if values is None:
            values = self.values(answers)
        if ((values < self.low) | (values > self.high)).any():
            return False
        return all(spread.agrees(answers, self.answers) for spread in self.spreads)

    def walk(self, open_: set[Target], rng: np.random.Generator) -> set[Target]:
        """Strike out the targets whose count differs from the truth in some world; returns the rest.

        It goes from world to world: somebody's answer is changed, and then the answers that mend best the figures which
        would be published otherwise. Each world found is where the next step begins.
        """
        now, counts, left = self.answers.copy(), self.truth, set(open_)
        values = self.values(now)
        for target in sorted(left):
            if counts[target] == self.truth[target]:
                found = self._step(now, values, target, rng)
                if found is None:
                    continue
                now, values = found
                counts = self.counts(now)
            left.discard(target)
        return left

    def _step(self, now: Places, values: Floats, target: Target, rng: np.random.Generator) -> tuple[Places, Floats] | None:
        """One world near this one with another count of the target's category in the target's heap."""
        heap, category = target
        cell = int(rng.choice(np.flatnonzero(self.heap_of == heap)))
        here = int(now[cell])
        others = [c for c in range(self.categories) if c != here] if here == category else [category]
        for other in sorted(others, key=lambda c: abs(c - here))[:TRIES]:
            found = self._mended(now, values, cell, other, rng)
            if found is not None and self.counts(found[0])[target] != self.truth[target]:
                return found
        return None

    def _mended(
        self, now: Places, figures: Floats, cell: int, answer: int, rng: np.random.Generator
    ) -> tuple[Places, Floats] | None:  # fmt: skip
        """Change one answer, then at most so many others, each the best of a draw, until every figure is as published.

        `figures` are the values of the world `now`; they are carried along, so that a change costs its own column only.
        """
        world = now.copy()
        world[cell] = answer
        values = figures + self.by_cell[cell] * (self.worth[:, answer] - self.worth[:, now[cell]])
        free = np.ones(len(world), dtype=np.bool_)
        free[cell] = False
        for _ in range(MENDS):
            wrong = np.maximum(self.low - values, values - self.high) / self.grain
            row = int(wrong.argmax())
            if wrong[row] <= 0:
                return (world, values) if self.agrees(world, values) else None
            cells = rng.permutation(np.flatnonzero(free & (self.by_cell[:, row] != 0)))[:DRAW]
            cells = np.union1d(cells, np.flatnonzero(free & (self.person_of == self.person_of[cell])))
            if not len(cells):
                return None
            weights = self.by_cell[cells]
            touched = np.flatnonzero((wrong > 0) | (weights != 0).any(axis=0))
            worth = self.worth[touched][:, None, :] - self.worth[np.ix_(touched, world[cells])][:, :, None]
            after = values[touched, None, None] + weights[:, touched].T[:, :, None] * worth
            harm = np.maximum(self.low[touched, None, None] - after, after - self.high[touched, None, None])
            total = (np.maximum(harm, 0.0) / self.grain[touched, None, None]).sum(axis=0)
            best, category = np.unravel_index(int(total.argmin()), total.shape)
            values[touched] = after[:, best, category]
            world[cells[best]] = category
            free[cells[best]] = False
        return None

    def blocking(self, target: Target) -> set[int]:
        """The views whose figures forbid some single change of an answer that would free this count."""
        heap, category = target
        values = self.values(self.answers)
        found: set[int] = set()
        for cell in np.flatnonzero(self.heap_of == heap):
            here = self.answers[cell]
            for other in range(self.categories):
                if other != here and category in (here, other):
                    after = values + self.by_cell[cell] * (self.worth[:, other] - self.worth[:, here])
                    found |= {int(v) for v in self.views[(after < self.low) | (after > self.high)]}
        return found
