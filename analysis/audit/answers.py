"""Part B of the audit: does everything published prove on which side anyone stands? (PRIVACY 2.5, 2.10)

It reads the finished figures, not the computation: from each it takes back the sums that could print it, with every move
that its law allows. For every person and item it then asks for a world of whole people that would be published alike and
in which she stands on the other side of the favourable border. That world also has another answer of hers, another count
of her answer among those who are like her, and is not unanimous where all were favourable or none: one target holds all.

Nothing but such a world clears a target; what none was found for counts against the release.
"""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from analysis.audit.printed import Printed, Published, Weights, count_rows, index_row, printed_of
from analysis.audit.worlds import Row, Spread, Unsound, Worlds
from analysis.statistic import RawStatistic
from analysis.steps import spread_ends
from analysis.views import RawIncidence

__all__ = ["Finding", "Published", "Unsound", "audit_answers"]

SEED = 20010108
PARALLEL = 2
BUNDLE, WIDE = 4, 10
MANY_PEOPLE = 2_000
"""Territories are looked at together up to so many people: what all others answered stays as it is."""
type Floats = NDArray[np.float64]
type Places = NDArray[np.int64]
type Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Finding:
    """An item and an atom in which the side of somebody could not be shown to be open."""

    item: str
    atom: int


@dataclass(frozen=True, slots=True)
class Part:
    """People who are looked at together: their places, and of each view that has any those who are in it."""

    people: Places
    inside: Mapping[int, Places]


@dataclass(frozen=True, slots=True)
class Cells:
    """The answers looked at together: whose each is, to which item of the bundle, and what each category is worth.

    at : items by people, the place of each answer among the cells, or -1
    """

    which: Places
    person: Places
    answers: Places
    worth: Floats
    at: Places


@dataclass(frozen=True, slots=True)
class Looked:
    """What is looked at: the document, of each statistic its weights, and how each view prints it."""

    published: Published
    weights: Sequence[Weights]
    printed: Sequence[Sequence[Printed]]


def audit_answers(published: Published) -> list[Finding]:
    """Audit every published figure, item by item, with its scales, areas and indicators.

    Returns
    -------
    What no world was found for; empty means "pass".

    Raises
    ------
    Unsound
        If a published figure does not agree with the answers.
    """
    weights = [Weights.of(statistic) for statistic in published.statistics]
    looked = Looked(published, weights, [list(printed_of(weigh, published)) for weigh in weights])
    bundles = _bundles([s for s in published.statistics if s.item is not None])
    with ThreadPoolExecutor(PARALLEL) as workers:
        found: list[Finding] = []
        for part in _parts(published.found):
            for findings in workers.map(partial(_audit_bundle, part=part, looked=looked), bundles):
                found += findings
        return found


def _parts(found: RawIncidence) -> Iterator[Part]:
    """Everyone, territory by territory; small ones together."""
    territory = found.part_of[found.atom_of]
    together: list[Places] = []
    places = [np.flatnonzero(territory == one) for one in np.unique(territory)]
    for place, people in enumerate(places):
        together.append(people)
        size = sum(map(len, together))
        if place + 1 == len(places) or size + len(places[place + 1]) > MANY_PEOPLE:
            yield _part(np.sort(np.concatenate(together)), found)
            together = []


def _part(people: Places, found: RawIncidence) -> Part:
    mine: Flags = np.zeros(len(found.atom_of), dtype=np.bool_)
    mine[people] = True
    everyone = (found.people(view) for view in range(found.sparse.shape[0]))
    inside = {view: inside[mine[inside]] for view, inside in enumerate(everyone)}
    return Part(people, {view: some for view, some in inside.items() if len(some)})


def _bundles(items: Sequence[RawStatistic]) -> list[list[RawStatistic]]:
    """Up to four items of one construct and one scale of answers at a time."""
    alike: dict[tuple[object, ...], list[RawStatistic]] = {}
    for statistic in items:
        item = statistic.members[0]
        alike.setdefault((item.construct, item.low, item.high), []).append(statistic)
    bundles = []
    for members in alike.values():
        parts = -(-len(members) // BUNDLE)
        bundles += [members[part::parts] for part in range(parts)]
    return bundles


def _audit_bundle(bundle: list[RawStatistic], part: Part, looked: Looked) -> list[Finding]:
    dice = np.random.default_rng(SEED)
    cells = _cells(bundle, part)
    if not len(cells.person):
        return []
    left = _worlds(bundle, cells, part, looked).closed(dice)
    found = []
    for place in sorted({int(cells.which[cell]) for cell in left}):  # a second look, with more items that may make up
        wide = [bundle[place], *_kin(bundle[place], looked.published.statistics)]
        wider = _cells(wide, part)
        mine = {int(cells.person[cell]) for cell in left if cells.which[cell] == place}
        among = (wider.which == 0) & np.isin(wider.person, sorted(mine))
        atoms = {
            int(looked.published.found.atom_of[wider.person[cell]])
            for cell in _worlds(wide, wider, part, looked).closed(dice, among)
        }
        found += [Finding(bundle[place].id, atom) for atom in sorted(atoms)]
    return found


def _kin(statistic: RawStatistic, statistics: Sequence[RawStatistic]) -> list[RawStatistic]:
    """The items that share most scales, areas and indicators with this one."""
    item = statistic.members[0]
    shared = {
        other.id: sum(item in s.members and other.members[0] in s.members for s in statistics)
        for other in statistics
        if other.item is not None
        and other is not statistic
        and (other.item.low, other.item.high) == (item.low, item.high)
    }
    nearest = sorted((name for name in shared if shared[name]), key=lambda name: -shared[name])[: WIDE - 1]
    return [other for other in statistics if other.item is not None and other.id in nearest]


def _cells(bundle: Sequence[RawStatistic], part: Part) -> Cells:
    """Every answer of these people to these items."""
    item = bundle[0].members[0]
    empty = np.full(len(bundle[0].scores), np.nan)
    values = np.array([(empty if s.values is None else s.values)[part.people] for s in bundle])
    which, among = np.nonzero(~np.isnan(values))
    answers = (values[which, among] - item.low).astype(np.int64)
    worth = 100.0 * np.arange(item.high - item.low + 1) / (item.high - item.low)
    at = np.full((len(bundle), len(empty)), -1, dtype=np.int64)
    at[which, part.people[among]] = np.arange(len(which))
    return Cells(which, part.people[among], answers, worth, at)


def _worlds(bundle: Sequence[RawStatistic], cells: Cells, part: Part, looked: Looked) -> Worlds:
    spreads: list[Spread] = []
    rows = _rows(bundle, cells, part, looked, spreads)
    values = bundle[0].members[0].low + np.arange(len(cells.worth))
    good = np.array([values >= s.members[0].favourable_from for s in bundle])[cells.which]
    return Worlds(cells.answers, cells.person, good, rows, spreads)


def _rows(
    bundle: Sequence[RawStatistic], cells: Cells, part: Part, looked: Looked, spreads: list[Spread]
) -> Iterator[Row]:
    """Every published figure in which these answers play a part, one at a time; the organisation's spreads are gathered."""
    steps = len(cells.worth) - 1
    for weights, printed in zip(looked.weights, looked.printed, strict=True):
        statistic = weights.statistic
        mine = [place for place, item in enumerate(bundle) if item.members[0] in statistic.members]
        worth = np.arange(steps + 1) * (statistic.unit // steps)
        for one in printed if mine else ():
            if one.place not in part.inside:
                continue
            here = cells.at[np.ix_(mine, part.inside[one.place])].ravel()
            here = here[here >= 0]
            if not len(here):
                continue
            answers = cells.answers[here]
            yield index_row(one, weights, here, cells.person[here], answers, worth)
            if statistic.item is not None:
                yield from count_rows(one, statistic.item, here, answers)
            if one.place == 0 and "sd" in one.figures:
                weight = np.where(np.isin(cells.which, mine), _share_of_one(statistic)[cells.person], 0.0)
                ends = spread_ends(one.figures["sd"], one.n)
                spreads.append(Spread(weight, cells.worth, cells.person, statistic.scores, *ends))


def _share_of_one(statistic: RawStatistic) -> Floats:
    """How much one member's index weighs in each person's score: one over the members that she answered."""
    return np.where(np.isnan(statistic.scores), 0.0, 1.0 / np.maximum(statistic.answered, 1))
