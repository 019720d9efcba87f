"""Other answers that agree with everything published: the worlds an attacker cannot rule out (PRIVACY 2.10).

Who answered what is taken as known to the attacker; which answer each person gave is not. A world gives every *cell*,
one person's answer to one item, one of its answers. It counts only if each figure in which these items play a part
(themselves, their scales, areas and indicators, in every shown view) could be published exactly as it was, by some move
that its law allows. A few items of one construct are looked at together, for within a scale one answer makes up for
another; all other items stay as they are, so there are more worlds than are looked at, never fewer.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

type Floats = NDArray[np.float64]
type Flags = NDArray[np.bool_]
type Places = NDArray[np.int64]

TRIES, MENDS, DRAW = 4, 8, 24
CLEARLY = 1e-3
"""A sum of squares this near to where it would print otherwise counts as printing otherwise: it is no whole number."""
LARGEST = 2.0**52


@dataclass(frozen=True, slots=True)
class Row:
    """One published figure as a bound on answers, in whole numbers: no tolerance decides what would be published alike.

    The sum behind it is ``constant + sum over cells of weight * worth[answer]``, and ``low <= sum <= high``, which allows
    for its move. All are whole numbers under 2**52, which floating point keeps exactly.
    """

    cells: Places
    weight: Floats
    worth: Floats
    constant: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Spread:
    """What the whole organisation's published spread says of a statistic: it depends on squares of scores too.

    weight : of each cell in its person's score; `person` is whose each cell is
    worth : of each answer, on 0-100
    scores : of everyone, NaN for who does not enter the statistic
    low, high : the published spread says ``low < sum of squared deviations <= high``
    """

    weight: Floats
    worth: Floats
    person: Places
    scores: Floats
    low: float
    high: float

    def agrees(self, answers: Places, truth: Places) -> bool:
        """Whether other answers would surely be published with the same spread."""
        scores = self.scores.copy()
        np.add.at(scores, self.person, self.weight * (self.worth[answers] - self.worth[truth]))
        known = scores[~np.isnan(scores)]
        return bool(self.low + CLEARLY < float(((known - known.mean()) ** 2).sum()) < self.high - CLEARLY)

    def allows(self, category: int, truth: Places) -> Flags:
        """For each cell, whether this one answer alone could be another with the spread staying surely as it is."""
        known = self.scores[~np.isnan(self.scores)]
        n, middle = len(known), float(known.mean())
        change = self.weight * (self.worth[category] - self.worth[truth])
        own = np.nan_to_num(self.scores[self.person] - middle)
        squares = float(((known - middle) ** 2).sum()) + 2 * own * change + change**2 - change**2 / n
        found: Flags = (change == 0) | ((self.low + CLEARLY < squares) & (squares < self.high - CLEARLY))
        return found


class Unsound(Exception):
    """The answers themselves do not agree with a published figure."""


class Worlds:
    """The worlds of a few items.

    Parameters
    ----------
    answers : the place of the category in each cell, ``0 <= answer < categories``
    person_of : of each cell
    good : cells by categories: which answers are favourable
    """

    def __init__(
        self, answers: Places, person_of: Places, good: Flags, rows: Iterable[Row], spreads: Sequence[Spread]
    ) -> None:
        kept = list(rows)
        self.answers, self.person_of, self.good, self.spreads = answers, person_of, good, spreads
        self.categories = good.shape[1]
        self.worth = np.array([row.worth for row in kept]).reshape(len(kept), self.categories)
        self.constant = np.array([row.constant for row in kept])
        self.low, self.high = np.array([row.low for row in kept]), np.array([row.high for row in kept])
        self.row_of = np.repeat(np.arange(len(kept)), [len(row.cells) for row in kept])
        self.cell_of = np.concatenate([*(row.cells for row in kept), np.empty(0, dtype=np.int64)]).astype(np.int64)
        self.weight_of = np.concatenate([*(row.weight for row in kept), np.empty(0)])
        reach = [np.abs(row.weight).max(initial=0.0) * np.ptp(row.worth) for row in kept]
        self.grain = np.maximum(np.array(reach), 1e-12)
        """What one person may move a figure: violations in views of all sizes are compared in people."""
        now = self.values(answers)
        if (np.abs(now) > LARGEST).any():
            raise Unsound("a sum of scores is too large to be kept exactly")
        if ((now < self.low) | (now > self.high)).any():
            raise Unsound("a published figure does not follow from the answers")

    def values(self, answers: Places) -> Floats:
        """The sums behind the figures of a world."""
        each = self.weight_of * self.worth[self.row_of, answers[self.cell_of]]
        found: Floats = self.constant + np.bincount(self.row_of, each, len(self.constant))
        return found

    def agrees(self, answers: Places, values: Floats | None = None) -> bool:
        """Say whether a world could be published exactly alike; `values` are its sums, if they are at hand."""
        if values is None:
            values = self.values(answers)
        if ((values < self.low) | (values > self.high)).any():
            return False
        return all(spread.agrees(answers, self.answers) for spread in self.spreads)

    def _is_good(self, answers: Places) -> Flags:
        found: Flags = self.good[np.arange(len(answers)), answers]
        return found

    def flips(self) -> Flags:
        """Of each cell, whether one world has another side of the favourable border there and nothing else changed."""
        now, here = self.values(self.answers), self._is_good(self.answers)
        found: Flags = np.zeros(len(self.answers), dtype=np.bool_)
        mine = self.worth[self.row_of, self.answers[self.cell_of]]
        for category in range(self.categories):
            wanted = (self.good[:, category] != here) & ~found
            if not wanted.any():
                continue
            after = now[self.row_of] + self.weight_of * (self.worth[self.row_of, category] - mine)
            wrong = (after < self.low[self.row_of]) | (after > self.high[self.row_of])
            allowed = wanted & (np.bincount(self.cell_of[wrong], minlength=len(found)) == 0)
            for spread in self.spreads:
                allowed &= spread.allows(category, self.answers)
            found |= allowed
        return found

    def closed(self, rng: np.random.Generator, among: Flags | None = None) -> Places:
        """The cells whose side is the same in every world that was found.

        Each is turned over, and then other answers are changed that mend best the figures which would be published
        otherwise; whatever else a world found that way turns over is open, too.
        """
        left = ~self.flips()
        if among is not None:
            left &= among
        now, here = self.values(self.answers), self._is_good(self.answers)
        for cell in np.flatnonzero(left):
            others = sorted(
                np.flatnonzero(self.good[cell] != here[cell]), key=lambda c: abs(int(c) - int(self.answers[cell]))
            )
            for answer in [int(other) for other in others] * TRIES:
                if not left[cell]:
                    break
                world = self._mended(now, int(cell), answer, rng)
                if world is not None:
                    left &= self._is_good(world) == here
        return np.flatnonzero(left)

    @cached_property
    def _columns(self) -> tuple[Any, Any]:
        """The weight of each cell in each figure, to be read by cell and by figure."""
        by_cell = csr_array(
            (self.weight_of, (self.cell_of, self.row_of)), shape=(len(self.answers), len(self.constant))
        )
        return by_cell, by_cell.tocsc()

    def _mended(self, figures: Floats, cell: int, answer: int, rng: np.random.Generator) -> Places | None:
        """Change one answer, then at most so many others, each the best of a draw, until every figure is as published."""
        by_cell, by_figure = self._columns
        world = self.answers.copy()
        world[cell] = answer
        values = figures + by_cell[[cell]].toarray()[0] * (self.worth[:, answer] - self.worth[:, self.answers[cell]])
        free = np.ones(len(world), dtype=np.bool_)
        free[cell] = False
        for _ in range(MENDS):
            wrong = np.maximum(self.low - values, values - self.high) / self.grain
            row = int(wrong.argmax())
            if wrong[row] <= 0:
                return world if self.agrees(world, values) else None
            inside = by_figure.indices[by_figure.indptr[row] : by_figure.indptr[row + 1]]
            cells = rng.permutation(inside[free[inside]])[:DRAW]
            cells = np.union1d(cells, np.flatnonzero(free & (self.person_of == self.person_of[cell])))
            if not len(cells):
                return None
            weights = by_cell[cells].toarray()
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
