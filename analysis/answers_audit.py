"""Part B of the audit: does everything published prove what anyone answered? (PRIVACY 2.5)

It reads the finished figures, not the computation: from each it takes back the interval that the step leaves open. For
every atom and item it then asks for another world: nobody's unanimity may follow, and in atoms under k no count of an
answer. Most targets are cleared by a world in whole people that agrees with everything, the rest by linear programmes;
what neither clears counts against the release.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis import estimates
from analysis.publication import SizeRow, limits_may_be_exact, outward, row_of, whole_ends
from analysis.relaxation import relaxed
from analysis.scoring import ItemSpec
from analysis.statistics_of import SHARE_GRID, RawStatistic
from analysis.views import RawIncidence
from analysis.worlds import LARGEST, Row, Spread, Unsound, Worlds

__all__ = ["Finding", "Unsound", "audit_answers"]

SEED = 20010108
PARALLEL = 2
BUNDLE, WIDE = 4, 10
type Floats = NDArray[np.float64]
type Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Finding:
    """Answers to an item that could not be shown to be open, and the shown views that pin them, smallest last resort."""

    item: str
    atom: int
    category: int
    views: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Cells:
    """The answers looked at together: whose each is, to which item of the bundle, and what each category is worth."""

    which: NDArray[np.int64]
    person: NDArray[np.int64]
    answers: NDArray[np.int64]
    worth: Floats


def audit_answers(
    views: Sequence[Mapping[str, Any]],
    statistics: Sequence[RawStatistic],
    found: RawIncidence,
    k: int,
    population: int | None,
    *,
    again: Sequence[Finding] | None = None,
    progress: Callable[[str], None] | None = None,
) -> list[Finding]:
    """Audit every published figure, item by item, with its scales, areas and indicators.

    Parameters
    ----------
    views : as in the document, in the order of the plan
    statistics : what was published; its scores are only read
    population : everyone invited, or None
    again : what was found before some of the views were withdrawn, else None. Fewer figures leave every world that
        agreed with more of them, so whatever was open stays open and these alone are looked at.

    Returns
    -------
    What could not be cleared; empty means "pass".

    Raises
    ------
    Unsound
        If a published figure does not agree with the answers.
    """
    doubtful = None if again is None else {(f.item, f.atom, f.category) for f in again}
    asked = None if again is None else {f.item for f in again}
    bundles = _bundles([s for s in statistics if s.item is not None and (asked is None or s.id in asked)])
    done = 0

    def one(bundle: list[RawStatistic]) -> list[Finding]:
        nonlocal done
        findings = list(_audit_bundle(bundle, views, statistics, found, k, population, doubtful))
        done += 1
        if progress is not None:
            progress(f"answers:{100 * done // len(bundles)}")
        return findings

    with ThreadPoolExecutor(PARALLEL) as workers:
        return [finding for findings in workers.map(one, bundles) for finding in findings]


def _bundles(items: Sequence[RawStatistic]) -> list[list[RawStatistic]]:
    """Two to four items of one construct and one scale of answers at a time, where there are two."""
    alike: dict[tuple[object, ...], list[RawStatistic]] = {}
    for statistic in items:
        item = statistic.members[0]
        alike.setdefault((item.construct, item.low, item.high), []).append(statistic)
    bundles = []
    for members in alike.values():
        parts = -(-len(members) // BUNDLE)
        bundles += [members[part::parts] for part in range(parts)]
    return bundles


def _audit_bundle(
    bundle: list[RawStatistic], views: Sequence[Mapping[str, Any]], statistics: Sequence[RawStatistic],
    found: RawIncidence, k: int, population: int | None, doubtful: set[tuple[str, int, int]] | None,
) -> Iterator[Finding]:  # fmt: skip
    dice = np.random.default_rng(SEED)
    atoms = len(found.n)
    worlds = _worlds(bundle, views, statistics, found, population)
    if worlds is None:
        return
    heads = worlds.truth.sum(axis=1)
    targets = {
        (int(heap), int(category))
        for heap, category in np.argwhere(worlds.truth > 0)
        if (heads[heap] < k or worlds.truth[heap, category] == heads[heap])
        and (doubtful is None or (bundle[heap // atoms].id, int(heap % atoms), int(category)) in doubtful)
    }
    left = relaxed(worlds, worlds.walk(targets, dice), dice, one_by_one=False)
    for place in sorted({heap // atoms for heap, _ in left}):  # a second look, with more items that may make up for it
        wider = _worlds([bundle[place], *_kin(bundle[place], statistics)], views, statistics, found, population)
        mine = {(heap % atoms, category) for heap, category in left if heap // atoms == place}
        for atom, category in sorted(relaxed(wider, mine, dice) if wider else mine):
            views_ = worlds.blocking((place * atoms + atom, category))
            yield Finding(bundle[place].id, atom, category, tuple(sorted(views_)))


def _kin(statistic: RawStatistic, statistics: Sequence[RawStatistic]) -> list[RawStatistic]:
    """The items that share most scales, areas and indicators with this one."""
    item = statistic.members[0]
    shared = {
        other.id: sum(item in s.members and other.members[0] in s.members for s in statistics)
        for other in statistics
        if other.item is not None and other is not statistic
        and (other.item.low, other.item.high) == (item.low, item.high)
    }  # fmt: skip
    nearest = sorted((name for name in shared if shared[name]), key=lambda name: -shared[name])[: WIDE - 1]
    return [other for other in statistics if other.item is not None and other.id in nearest]


def _worlds(
    bundle: list[RawStatistic], views: Sequence[Mapping[str, Any]], statistics: Sequence[RawStatistic],
    found: RawIncidence, population: int | None,
) -> Worlds | None:  # fmt: skip
    item = bundle[0].members[0]
    values = np.array([np.full(len(found.atom_of), np.nan) if s.values is None else s.values for s in bundle])
    which, person = np.nonzero(~np.isnan(values))
    if not len(person):
        return None
    answers = (values[which, person] - item.low).astype(np.int64)
    worth = 100.0 * np.arange(item.high - item.low + 1) / (item.high - item.low)
    cells = Cells(which, person, answers, worth)
    spreads: list[Spread] = []
    rows = _rows(bundle, views, statistics, found, cells, population, spreads)
    return Worlds(answers, which * len(found.n) + found.atom_of[person], person, len(worth), rows, spreads)


def _rows(
    bundle: list[RawStatistic], views: Sequence[Mapping[str, Any]], statistics: Sequence[RawStatistic],
    found: RawIncidence, cells: Cells, population: int | None, spreads: list[Spread],
) -> Iterator[Row]:  # fmt: skip
    """Every published figure in which the bundle plays a part, one at a time; the organisation's spreads are gathered."""
    for statistic in statistics:
        mine = np.isin(cells.which, [place for place, s in enumerate(bundle) if s.members[0] in statistic.members])
        if not mine.any():
            continue
        weigh = _Weights.of(statistic, cells, mine)
        share = np.where(mine, _share_of_one(statistic)[cells.person], 0.0)
        for place, view in enumerate(views):
            published = view.get(statistic.family, {}).get(statistic.id) if view["shown"] else None
            if published is None:
                continue
            inside = found.members(place)
            index = _index_row(place, published["index"], statistic, inside, cells, weigh)
            yield index
            if statistic.item is not None:
                yield from _count_rows(place, published, statistic.item, mine & inside[cells.person], cells)
            if place == 0:
                about = list(_spread(published, statistic, cells, share, population))
                yield from (_level_row(spread, index, weigh.whole(inside)) for spread in about if spread.limits)
                spreads += about
                if statistic.item is not None:
                    yield from _limits_row(published, statistic.item, mine, cells, population)


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

    def whole(self, inside: Flags) -> int:
        """What the sum of these people would be if all had 100."""
        return self.statistic.unit * self.shares * int((inside & (self.each > 0)).sum())

    def ends(self, figure: Any, inside: Flags, step: float, row: SizeRow) -> tuple[int, int]:
        """The least and greatest sum of these people that print as a figure.

        On a coarser grid than the common one a sum may fall short by a point a person and item: so much is taken off the
        upper end, and nothing counts as possible that is not. A truth that stands on such an end is refused (`Unsound`).
        """
        people = int((inside & (self.each > 0)).sum())
        low, high = whole_ends(figure, self.statistic.unit * self.common * people, step, row)
        if self.shares == self.common:
            return low, high
        short = self.statistic.unit * int(self.statistic.answered[inside & (self.each > 0)].sum())
        return -(-low * self.shares // self.common), high * self.shares // self.common - short

    def total(self, inside: Flags) -> int:
        """The sum of these people."""
        return int((self.statistic.points[inside] * self.each[inside]).sum())


def _table_row(n: int) -> SizeRow:
    row = row_of(n)
    if row is None:
        raise Unsound("a figure is published for too few")
    return row


def _index_row(place: int, figure: Any, statistic: RawStatistic, inside: Flags, cells: Cells, weigh: _Weights) -> Row:
    n = int((inside & ~np.isnan(statistic.scores)).sum())
    row = _table_row(n)
    mine = np.where(inside[cells.person], weigh.of_cell, 0)
    rest = weigh.total(inside) - int((mine * weigh.worth[cells.answers]).sum())
    fine = row.index_step * n * statistic.score_steps >= 200
    ends = weigh.ends(figure, inside, row.index_step if fine else row.share_step, row)
    return Row(place, mine.astype(np.float64), weigh.worth.astype(np.float64), rest, *ends)


def _count_rows(place: int, published: Mapping[str, Any], item: ItemSpec, inside: Flags, cells: Cells) -> Iterator[Row]:
    """The favourable share and the classes of an item's distribution, as counts of people."""
    n = int(inside.sum())
    row = _table_row(n)
    each: Floats = np.where(inside, 1.0, 0.0)
    values = np.arange(item.low, item.low + len(cells.worth))
    if "favourable" in published:
        good = np.where(values >= item.favourable_from, 1.0, 0.0)
        yield Row(place, each, good, 0.0, *whole_ends(published["favourable"], n, row.share_step, row))
    classes = published.get("distribution", ())
    kinds = [values == v for v in values] if len(classes) == 5 else [values <= values[0] + 1, values == values[0] + 2]
    for kind, figure in zip(kinds, classes, strict=False):  # of three, the last is the share itself
        yield Row(place, each, np.where(kind, 1.0, 0.0), 0.0, *whole_ends(figure, n, row.class_step, row))


def _limits_row(
    published: Mapping[str, Any], item: ItemSpec, mine: Flags, cells: Cells, population: int | None
) -> Iterator[Row]:
    """The organisation's limits of a share narrow its count down where they are taken from the answers."""
    share, n = published.get("favourable"), int(mine.sum())
    if share is None or not limits_may_be_exact(share, n):
        return
    alike = []
    for good in range(n + 1):
        limits = estimates.favourable_share(good, n, population=population)
        if list(outward(100 * limits.low, 100 * limits.high, SHARE_GRID)) == list(published["ci"]["favourable"]):
            alike.append(good)
    if not alike:
        raise Unsound("the limits of a share follow from no count")
    values = np.arange(item.low, item.low + len(cells.worth))
    good_answers = np.where(values >= item.favourable_from, 1.0, 0.0)
    each: Floats = np.where(mine, 1.0, 0.0)
    yield Row(0, each, good_answers, 0.0, alike[0], alike[-1])


def _spread(
    published: Mapping[str, Any], statistic: RawStatistic, cells: Cells, share: Floats, population: int | None
) -> Iterator[Spread]:
    """The organisation's spread, and its limits where they are taken from the answers."""
    n = int((~np.isnan(statistic.scores)).sum())
    exact = limits_may_be_exact(published["index"], n)
    sd = published.get("sd")
    if not exact and sd is None:
        return
    low, high = published["ci"]["index"]
    yield Spread(
        share, cells.worth, cells.person, statistic.scores, (low, high) if exact else None,
        estimates.mean_interval(0.0, 1.0, n, population=population).high if exact else 0.0,
        -math.inf if sd is None or sd == 10 else sd - 5.0, math.inf if sd is None else float(sd),
    )  # fmt: skip


def _level_row(spread: Spread, index: Row, whole: int) -> Row:
    """The means that give the published limits while the spread stays: it guides the search, `Spread` decides."""
    known = spread.scores[~np.isnan(spread.scores)]
    half, (low, high) = spread.half * float(known.std(ddof=1)), spread.limits or (0, 100)
    lowest, highest = (low + half, low + 1 + half) if low > 0 else (0.0, 100.0)
    if high < 100:
        lowest, highest = max(lowest, high - 1 - half), min(highest, high - half)
    # outward by a millionth: the truth itself stands on a border, and this row decides nothing
    return replace(index, low=math.floor(whole * (lowest - 1e-6) / 100), high=math.ceil(whole * (highest + 1e-6) / 100))
