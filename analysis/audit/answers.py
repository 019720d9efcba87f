"""Part B of the audit: does everything published prove on which side anyone stands? (PRIVACY 2.5, 2.10)

It reads the finished figures, not the computation: from each it takes back the sums that could print it, with every move
that its law allows. For every person and item it then asks for a world of whole people that would be published alike and
in which she stands on the other side of the favourable border. That world also has another answer of hers, another count
of her answer among those who are like her, and is not unanimous where all were favourable or none: one target holds all.

Nothing but such a world clears a target; what none was found for counts against the release.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.audit.worlds import LARGEST, Row, Spread, Unsound, Worlds
from analysis.moves import COUNTS, law_of
from analysis.scoring import ItemSpec
from analysis.statistic import RawStatistic
from analysis.steps import ROWS, Rows, SizeRow, index_rules, row_of, spread_ends, whole_ends
from analysis.views import RawIncidence

__all__ = ["Finding", "Unsound", "audit_answers"]

SEED = 20010108
PARALLEL = 2
BUNDLE, WIDE = 4, 10
MANY_PEOPLE = 2_000
"""From so many people on an item is first looked at alone: its own cells are a lot of memory."""
type Floats = NDArray[np.float64]
type Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Finding:
    """An item and an atom in which the side of somebody could not be shown to be open."""

    item: str
    atom: int


@dataclass(frozen=True, slots=True)
class Cells:
    """The answers looked at together: whose each is, to which item of the bundle, and what each category is worth."""

    which: NDArray[np.int64]
    person: NDArray[np.int64]
    answers: NDArray[np.int64]
    worth: Floats


@dataclass(frozen=True, slots=True)
class Published:
    """What a document shows, as the audit reads it.

    views : as in the document, in the order of the plan
    statistics : what was published; scores are only read
    rows : the rung of the step table that it was made with
    """

    views: Sequence[Mapping[str, Any]]
    statistics: Sequence[RawStatistic]
    found: RawIncidence
    rows: Rows = ROWS


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
    bundles = _bundles([s for s in published.statistics if s.item is not None], published.found)
    with ThreadPoolExecutor(PARALLEL) as workers:
        audited = workers.map(lambda bundle: list(_audit_bundle(bundle, published)), bundles)
        return [finding for findings in audited for finding in findings]


def _bundles(items: Sequence[RawStatistic], found: RawIncidence) -> list[list[RawStatistic]]:
    """Up to four items of one construct and one scale of answers at a time."""
    alike: dict[tuple[object, ...], list[RawStatistic]] = {}
    for statistic in items:
        item = statistic.members[0]
        alike.setdefault((item.construct, item.low, item.high), []).append(statistic)
    most = 1 if len(found.atom_of) > MANY_PEOPLE else BUNDLE
    bundles = []
    for members in alike.values():
        parts = -(-len(members) // most)
        bundles += [members[part::parts] for part in range(parts)]
    return bundles


def _audit_bundle(bundle: list[RawStatistic], published: Published) -> Iterator[Finding]:
    dice = np.random.default_rng(SEED)
    cells = _cells(bundle)
    if cells is None:
        return
    left = _worlds(bundle, cells, published).closed(dice)
    for place in sorted(
        {int(cells.which[cell]) for cell in left}
    ):  # a second look, with more items that may make up for it
        wide = [bundle[place], *_kin(bundle[place], published.statistics)]
        wider = _cells(wide)
        assert wider is not None  # it has the cells that are left
        mine = {int(cells.person[cell]) for cell in left if cells.which[cell] == place}
        among = (wider.which == 0) & np.isin(wider.person, sorted(mine))
        atoms = {
            int(published.found.atom_of[wider.person[cell]])
            for cell in _worlds(wide, wider, published).closed(dice, among)
        }
        yield from (Finding(bundle[place].id, atom) for atom in sorted(atoms))


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


def _cells(bundle: Sequence[RawStatistic]) -> Cells | None:
    """Every answer to these items, or nothing if there is none."""
    item = bundle[0].members[0]
    empty = np.full(len(bundle[0].scores), np.nan)
    values = np.array([empty if s.values is None else s.values for s in bundle])
    which, person = np.nonzero(~np.isnan(values))
    if not len(person):
        return None
    answers = (values[which, person] - item.low).astype(np.int64)
    worth = 100.0 * np.arange(item.high - item.low + 1) / (item.high - item.low)
    return Cells(which, person, answers, worth)


def _worlds(bundle: Sequence[RawStatistic], cells: Cells, published: Published) -> Worlds:
    spreads: list[Spread] = []
    rows = _rows(bundle, cells, published, spreads)
    values = bundle[0].members[0].low + np.arange(len(cells.worth))
    good = np.array([values >= s.members[0].favourable_from for s in bundle])[cells.which]
    return Worlds(cells.answers, cells.person, good, rows, spreads)


def _rows(bundle: Sequence[RawStatistic], cells: Cells, published: Published, spreads: list[Spread]) -> Iterator[Row]:
    """Every published figure in which the bundle plays a part, one at a time; the organisation's spreads are gathered."""
    for statistic in published.statistics:
        mine = np.isin(cells.which, [place for place, s in enumerate(bundle) if s.members[0] in statistic.members])
        if not mine.any():
            continue
        weigh = _Weights.of(statistic, cells, mine)
        for place, view in enumerate(published.views):
            figure = view.get(statistic.family, {}).get(statistic.id) if view["shown"] else None
            if figure is None:
                continue
            inside = published.found.members(place)
            here = np.flatnonzero(mine & inside[cells.person])
            yield _index_row(figure["index"], inside, here, cells, weigh, published.rows)
            if statistic.item is not None:
                yield from _count_rows(figure, statistic.item, here, cells, published.rows)
            if place == 0 and "sd" in figure:
                spreads.append(
                    _spread(figure["sd"], statistic, cells, np.where(mine, _share_of_one(statistic)[cells.person], 0.0))
                )


def _share_of_one(statistic: RawStatistic) -> Floats:
    """How much one member's index weighs in each person's score: one over the members that she answered."""
    return np.where(np.isnan(statistic.scores), 0.0, 1.0 / np.maximum(statistic.answered, 1))


@dataclass(frozen=True, slots=True)
class _Weights:
    """A statistic's scores in whole numbers: every person's points times `shares` over how many items she answered.

    common : the least common multiple of how many items people answered
    shares : the same; where sums on it would pass 2**52 (some thirty items and more), the largest that does not
    each : of every person who enters it, ``shares // answered``, else 0
    of_cell : the same of each cell of the bundle that is a member's
    worth : points of each category
    """

    statistic: RawStatistic
    common: int
    shares: int
    each: NDArray[np.int64]
    of_cell: NDArray[np.int64]
    worth: NDArray[np.int64]

    @classmethod
    def of(cls, statistic: RawStatistic, cells: Cells, mine: Flags) -> "_Weights":
        enters = ~np.isnan(statistic.scores)
        kinds = np.unique(statistic.answered[enters])
        common = math.lcm(*(int(kind) for kind in kinds))
        shares = min(common, int(LARGEST) // (statistic.unit * len(enters)))
        each = np.where(enters, shares // np.maximum(statistic.answered, 1), 0)
        steps = len(cells.worth) - 1
        worth = np.arange(steps + 1) * (statistic.unit // steps)
        return cls(statistic, common, shares, each, np.where(mine, each[cells.person], 0), worth)

    def ends(self, figure: Any, inside: Flags, step: float, end: float) -> tuple[int, int]:
        """The least and greatest sum of these people that a move can print as a figure.

        On a coarser grid than the common one a sum may fall short by a point a person and item: so much is taken off the
        upper end, and nothing counts as possible that is not; where the upper end is everything, there is nothing beyond.
        """
        people = int((inside & (self.each > 0)).sum())
        steps = self.statistic.steps
        reach = law_of(steps).most * self.statistic.unit * self.common // steps
        low, high = whole_ends(figure, self.statistic.unit * self.common * people, step, end, reach)
        if self.shares == self.common:
            return low, high
        if high == self.statistic.unit * self.common * people:
            return -(-low * self.shares // self.common), self.statistic.unit * self.shares * people
        short = self.statistic.unit * int(self.statistic.answered[inside & (self.each > 0)].sum())
        return -(-low * self.shares // self.common), high * self.shares // self.common - short

    def total(self, inside: Flags) -> int:
        """The sum of these people."""
        return int((self.statistic.points[inside] * self.each[inside]).sum())


def _table_row(n: int, rows: Rows) -> SizeRow:
    row = row_of(n, rows)
    if row is None:
        raise Unsound("a figure is published for too few")
    return row


def _index_row(figure: Any, inside: Flags, here: NDArray[np.int64], cells: Cells, weigh: _Weights, rows: Rows) -> Row:
    n = int((inside & ~np.isnan(weigh.statistic.scores)).sum())
    weight = weigh.of_cell[here]
    rest = weigh.total(inside) - int((weight * weigh.worth[cells.answers[here]]).sum())
    ends = weigh.ends(figure, inside, *index_rules(_table_row(n, rows), weigh.statistic.steps))
    return Row(here, weight.astype(np.float64), weigh.worth.astype(np.float64), rest, *ends)


def _count_rows(
    figures: Mapping[str, Any], item: ItemSpec, here: NDArray[np.int64], cells: Cells, rows: Rows
) -> Iterator[Row]:
    """The favourable share and the classes of an item's distribution, as counts of people."""
    n = len(here)
    row = _table_row(n, rows)
    each: Floats = np.ones(n)
    values = np.arange(item.low, item.low + len(cells.worth))
    if "favourable" in figures:
        good = np.where(values >= item.favourable_from, 1.0, 0.0)
        yield Row(
            here, each, good, 0.0, *whole_ends(figures["favourable"], n, row.share_step, row.share_end, COUNTS.most)
        )
    classes = figures.get("distribution", ())
    kinds = [values == v for v in values] if len(classes) == 5 else [values <= values[0] + 1, values == values[0] + 2]
    for kind, figure in zip(kinds, classes, strict=False):  # of three, the last is the share itself
        ends = whole_ends(figure, n, row.class_step, row.share_end, COUNTS.most)
        yield Row(here, each, np.where(kind, 1.0, 0.0), 0.0, *ends)


def _spread(sd: int, statistic: RawStatistic, cells: Cells, share: Floats) -> Spread:
    n = int((~np.isnan(statistic.scores)).sum())
    return Spread(share, cells.worth, cells.person, statistic.scores, *spread_ends(sd, n))
