"""From a published figure back to the whole sums that could have printed it, with every move that its law allows."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.audit.worlds import LARGEST, Row, Unsound
from analysis.moves import COUNTS, law_of
from analysis.scoring import ItemSpec
from analysis.statistic import RawStatistic
from analysis.steps import ROWS, Rows, SizeRow, index_rules, row_of, whole_ends
from analysis.views import RawIncidence

type Places = NDArray[np.int64]


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


@dataclass(frozen=True, slots=True)
class Weights:
    """A statistic's scores in whole numbers: every person's points times `shares` over how many items she answered.

    common : the least common multiple of how many items people answered
    shares : the same; where sums on it would pass 2**52 (some thirty items and more), the largest that does not
    each : of every person who enters it, ``shares // answered``, else 0
    """

    statistic: RawStatistic
    common: int
    shares: int
    each: Places

    @classmethod
    def of(cls, statistic: RawStatistic) -> "Weights":
        """Take the weights of everyone."""
        enters = ~np.isnan(statistic.scores)
        common = math.lcm(*(int(kind) for kind in np.unique(statistic.answered[enters])))
        shares = min(common, int(LARGEST) // (statistic.unit * len(enters)))
        each = np.where(enters, shares // np.maximum(statistic.answered, 1), 0)
        return cls(statistic, common, shares, each)

    def ends(self, figure: Any, people: Places, step: float, end: float) -> tuple[int, int]:
        """The least and greatest sum of these people that a move can print as a figure.

        On a coarser grid than the common one a sum may fall short by a point a person and item: so much is taken off the
        upper end, and nothing counts as possible that is not; where the upper end is everything, there is nothing beyond.

        Parameters
        ----------
        figure : as it is printed
        people : their places, all of whom enter the statistic
        step, end : by which it was rounded
        """
        whole, steps = self.statistic.unit * len(people), self.statistic.steps
        reach = law_of(steps).most * self.statistic.unit * self.common // steps
        low, high = whole_ends(figure, whole * self.common, step, end, reach)
        if self.shares == self.common:
            return low, high
        if high == whole * self.common:
            return -(-low * self.shares // self.common), whole * self.shares
        short = self.statistic.unit * int(self.statistic.answered[people].sum())
        return -(-low * self.shares // self.common), high * self.shares // self.common - short

    def total(self, people: Places) -> int:
        """The sum of these people."""
        return int((self.statistic.points[people] * self.each[people]).sum())


@dataclass(frozen=True, slots=True)
class Printed:
    """A statistic as one view prints it.

    place : of the view
    size : of those who enter, the row of the table
    total : their sum
    low, high : the sums that print the index alike
    counts : of an item, how many gave each answer from the lowest on; else empty
    """

    place: int
    figures: Mapping[str, Any]
    size: SizeRow
    n: int
    total: int
    low: int
    high: int
    counts: Places


def printed_of(weights: Weights, published: Published) -> Iterator[Printed]:
    """A statistic in every view that shows it.

    Raises
    ------
    Unsound
        If it is shown of so few that nothing may be, or a figure does not follow from the answers.
    """
    statistic = weights.statistic
    for place, view in enumerate(published.views):
        figures = view.get(statistic.family, {}).get(statistic.id) if view["shown"] else None
        if figures is None:
            continue
        inside = published.found.people(place)
        people = inside[weights.each[inside] > 0]
        size = row_of(len(people), published.rows)
        if size is None:
            raise Unsound("a figure is published for too few")
        total = weights.total(people)
        low, high = weights.ends(figures["index"], people, *index_rules(size, statistic.steps))
        if not low <= total <= high:
            raise Unsound("a published figure does not follow from the answers")
        yield Printed(place, figures, size, len(people), total, low, high, _counts(statistic, people))


def _counts(statistic: RawStatistic, people: Places) -> Places:
    if statistic.item is None or statistic.values is None:
        return np.empty(0, dtype=np.int64)
    item = statistic.item
    return np.bincount((statistic.values[people] - item.low).astype(np.int64), minlength=item.high - item.low + 1)


def index_row(printed: Printed, weights: Weights, here: Places, people: Places, answers: Places, worth: Places) -> Row:
    """What the index leaves open of some answers, while all others stay.

    Parameters
    ----------
    printed, weights : the statistic, and how a view prints it
    here : the places of these answers among the cells
    people, answers : whose each of them is, and which
    worth : of each answer, in the unit of the statistic's points
    """
    weight = weights.each[people]
    rest = printed.total - int((weight * worth[answers]).sum())
    return Row(here, weight.astype(np.float64), worth.astype(np.float64), rest, printed.low, printed.high)


def count_rows(printed: Printed, item: ItemSpec, here: Places, answers: Places) -> Iterator[Row]:
    """The favourable share and the classes of an item's distribution, as counts of people.

    Parameters
    ----------
    printed, item : the item, and how a view prints it
    here, answers : the places of some answers among the cells, and which they are: all others stay
    """
    figures, row, n = printed.figures, printed.size, printed.n
    values = np.arange(item.low, item.high + 1)
    kinds, shown, steps = [], [], []
    if "favourable" in figures:
        kinds, shown, steps = [values >= item.favourable_from], [figures["favourable"]], [row.share_step]
    classes = figures.get("distribution", ())
    parts = [values == v for v in values] if len(classes) == 5 else [values <= values[0] + 1, values == values[0] + 2]
    for kind, figure in zip(parts, classes, strict=False):  # of three, the last is the share itself
        kinds, shown, steps = [*kinds, kind], [*shown, figure], [*steps, row.class_step]
    ones = np.ones(len(here))
    for kind, figure, step in zip(kinds, shown, steps, strict=True):
        rest = int(printed.counts[kind].sum()) - int(kind[answers].sum())
        ends = whole_ends(figure, n, step, row.share_end, COUNTS.most)
        yield Row(here, ones, np.where(kind, 1.0, 0.0), rest, *ends)
