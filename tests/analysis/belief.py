"""What a reader who knows the law of the moves may believe: how sure he is on which side each person stands (PRIVACY 2.10).

Possible is not the same as likely: nearly every answer prints a document by some moves, many of them by very rare ones. This
reader knows the roster, who answered what, the document, the law, and how the whole organisation's answers to each question
are distributed. He samples the answers that all this leaves (Gibbs' way: one person after another, given everybody else's)
and averages how likely the favourable side was for each. One question at a time; its scales are not used together.

From few sweeps he seems surer than he is (a chain that began at the truth has not left it), never less sure.

References
----------
.. [1] S. Geman, D. Geman, IEEE PAMI 6 (1984) 721-741. Sampling one variable at a time.
.. [2] A. E. Gelfand, A. F. M. Smith, JASA 85 (1990) 398-409. Averages of conditional chances instead of counts of draws.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.audit.answers import Published
from analysis.moves import COUNTS, Law, law_of
from analysis.statistic import RawStatistic
from analysis.steps import SizeRow, index_rules, row_of, whole_ends
from tests.laws import probability

type Floats = NDArray[np.float64]
type Places = NDArray[np.int64]

SWEEPS, UNTIL_SETTLED = 1500, 200
LIKELY, SURE = 0.95, 0.99
SEED = 20010108


@dataclass(frozen=True, slots=True)
class Beliefs:
    """Of how many persons and questions the side is believed at 95 and at 99 percent, and the surest of all.

    Questions on which 95 of 100 stand on one side are left out: there everybody is believed by how all answered, not by the
    document. `known` is how many persons and questions these are.
    """

    looked_at: int
    likely: int
    sure: int
    surest: float
    known: int


@dataclass(frozen=True, slots=True)
class PrintedFigure:
    """One printed figure of an item: whom it counts, what each answer adds, and which moved counts print it."""

    atoms: NDArray[np.bool_]
    worth: Places
    low: int
    high: int
    whole: int
    law: Law

    def chance(self, count: Places) -> Floats:
        """How likely each count prints this figure."""
        found = np.zeros(count.shape)
        for move in range(-self.law.most, self.law.most + 1):
            moved = np.clip(count + move, 0, self.whole)
            found += np.where((self.low <= moved) & (moved <= self.high), probability(self.law, move), 0.0)
        return found


def beliefs(published: Published, *, sweeps: int = SWEEPS, seed: int = SEED) -> Beliefs:
    """Measure what the reader believes of everybody, item by item."""
    dice = np.random.default_rng(seed)
    each: list[float] = []
    known = 0
    for statistic in published.statistics:
        if statistic.values is None:
            continue
        values = statistic.values[~np.isnan(statistic.values)]
        share = float((values >= statistic.members[0].favourable_from).mean()) if len(values) else 1.0
        if max(share, 1 - share) >= LIKELY:
            known += len(values)
        else:
            each += believed(statistic, published, dice, sweeps).tolist()
    sure = np.maximum(np.array(each), 1 - np.array(each)) if each else np.empty(0)
    return Beliefs(
        len(sure), int((sure >= LIKELY).sum()), int((sure >= SURE).sum()), float(sure.max(initial=0.0)), known
    )


def believed(statistic: RawStatistic, published: Published, dice: np.random.Generator, sweeps: int) -> Floats:
    """How likely each person who answered an item is favourable, to the reader."""
    assert statistic.values is not None
    item = statistic.members[0]
    people = np.flatnonzero(~np.isnan(statistic.values))
    if not len(people):
        return np.empty(0)
    answers = (statistic.values[people] - item.low).astype(np.int64)
    atom_of = published.found.atom_of[people]
    categories = item.high - item.low + 1
    prior = np.log((np.bincount(answers, minlength=categories) + 0.5) / (len(answers) + 0.5 * categories))
    good = item.low + np.arange(categories) >= item.favourable_from
    figures = list(_figures(statistic, published))
    sampler = Sampler(figures, atom_of, answers, prior)
    total = np.zeros(len(people))
    for sweep in range(UNTIL_SETTLED + sweeps):
        chances = sampler.sweep(dice)
        if sweep >= UNTIL_SETTLED:
            total += chances[:, good].sum(axis=1)
    return total / sweeps


class Sampler:
    """Everybody's answer to one item, drawn again one after another."""

    def __init__(self, figures: list[PrintedFigure], atom_of: Places, answers: Places, prior: Floats) -> None:
        self.atom_of, self.now, self.prior = atom_of, answers.copy(), prior
        self.worth = np.array([figure.worth for figure in figures])
        longest = max(figure.whole for figure in figures) + 1
        self.table = np.full((len(figures), longest), -np.inf)
        for place, figure in enumerate(figures):
            with np.errstate(divide="ignore"):
                self.table[place, : figure.whole + 1] = np.log(figure.chance(np.arange(figure.whole + 1)))
        self.counts = np.array([int(f.worth[answers][f.atoms[atom_of]].sum()) for f in figures])
        self.rows_of = {int(atom): np.flatnonzero([f.atoms[atom] for f in figures]) for atom in np.unique(atom_of)}

    def sweep(self, dice: np.random.Generator) -> Floats:
        """Draw each person's answer given everybody else's; gives the chances that were drawn from."""
        chances = np.empty((len(self.now), len(self.prior)))
        lots = dice.random(len(self.now))
        for person in dice.permutation(len(self.now)):
            rows = self.rows_of[int(self.atom_of[person])]
            worth = self.worth[rows]
            rest = self.counts[rows] - worth[:, self.now[person]]
            log = self.prior + self.table[rows[:, None], rest[:, None] + worth].sum(axis=0)
            weight = np.exp(log - log.max())
            weight /= weight.sum()
            chances[person] = weight
            chosen = min(int(np.searchsorted(np.cumsum(weight), lots[person])), len(weight) - 1)
            self.counts[rows] = rest + worth[:, chosen]
            self.now[person] = chosen
        return chances


def _figures(statistic: RawStatistic, published: Published) -> Iterator[PrintedFigure]:
    assert statistic.values is not None
    item, valid = statistic.members[0], ~np.isnan(statistic.values)
    values = np.arange(item.low, item.high + 1)
    for place, view in enumerate(published.views):
        shown = view.get("items", {}).get(statistic.id) if view["shown"] else None
        if shown is None:
            continue
        n = int(valid[published.found.people(place)].sum())
        row = row_of(n, published.rows)
        assert row is not None  # it is published
        yield from _of_view(
            shown, published.found.matrix[place].astype(np.bool_), n, row, values, item.favourable_from, statistic.steps
        )


def _of_view(
    shown: Mapping[str, Any],
    atoms: NDArray[np.bool_],
    n: int,
    row: SizeRow,
    values: Places,
    favourable_from: int,
    steps: int,
) -> Iterator[PrintedFigure]:
    yield PrintedFigure(
        atoms,
        values - values[0],
        *whole_ends(shown["index"], n * steps, *index_rules(row, steps)),
        n * steps,
        law_of(steps),
    )
    counted = []
    if "favourable" in shown:
        counted.append((shown["favourable"], values >= favourable_from, row.share_step))
    classes = shown.get("distribution", ())
    kinds = [values == v for v in values] if len(classes) == 5 else [values <= values[0] + 1, values == values[0] + 2]
    counted += [(figure, kind, row.class_step) for figure, kind in zip(classes, kinds, strict=False)]
    for figure, kind, step in counted:
        yield PrintedFigure(atoms, kind.astype(np.int64), *whole_ends(figure, n, step, row.share_end), n, COUNTS)
