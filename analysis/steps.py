"""What a view of each size may show: steps, coded ends, bands (PRIVACY 2.5, 2.10). Knows no responses."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise

from analysis.moves import COUNTS, FINE, SQUARE, SUMS, law_of

type Exact = Fraction | float
"""A value before it is published; from whole sums and counts it is a fraction."""
type Figure = float | str
"""A published value: a multiple of its step, or a coded end like ``<=20``."""

HALF = Fraction(1, 2)


@dataclass(frozen=True, slots=True)
class SizeRow:
    """The rules for one range of respondents. A step of 0 means that the statistic is not shown.

    A rounded value at or below an end, or as near to 100, is printed as the end: every figure, coded or not, stands for a
    whole step at least.
    """

    least: int
    index_step: float
    index_end: float
    share_step: float
    share_end: float
    classes: int
    class_step: float


STEPS = "ascolto-steps/2"
ROWS = (
    SizeRow(5, 12.5, 12.5, 0, 10, 0, 0),
    SizeRow(10, 5, 15, 0, 10, 0, 0),
    SizeRow(20, 2.5, 15, 10, 10, 0, 0),
    SizeRow(50, 2.5, 10, 5, 10, 3, 10),
    SizeRow(200, 1, 10, 5, 10, 5, 5),
)
COARSER = tuple(replace(row, least=above.least) for row, above in pairwise(ROWS))
"""The second rung of the ladder: every size shows what the size below it shows, and 5-9 people nothing."""
FORMER_STEPS = "ascolto-steps/1"
FORMER_ROWS = (
    SizeRow(5, 12.5, 20, 0, 20, 0, 0),
    SizeRow(10, 5, 20, 10, 20, 0, 0),
    SizeRow(20, 2.5, 20, 10, 20, 0, 0),
    SizeRow(50, 2.5, 15, 5, 15, 3, 10),
    SizeRow(200, 1, 10, 5, 10, 5, 5),
)
"""Of documents that were released before figures took a random move: they stay as they are, and are checked by these."""
SIZE_EDGES = (5, 10, 20, 30, 50, 100, 200, 400)
EXPERIENCE_EDGES = (0, 5, 10, 20, 40)
SHARE_STEPS = ((200, 5), (100, 10), (50, 20))
"""From how many people a share of special answers has which step, which is its end too."""
SPREAD_FROM = 50
"""Under so many people a spread would say too much of each."""
SUPPORTIVE_FROM, CRITICAL_UNDER = 60, 50


type Rows = tuple[SizeRow, ...]


def row_of(respondents: float, rows: Rows = ROWS) -> SizeRow | None:
    """The rules for this many respondents; None where nothing is shown of so few."""
    return next((row for row in reversed(rows) if respondents >= row.least), None)


def _band(count: int, edges: tuple[int, ...], more: str) -> str:
    least = max((edge for edge in edges if edge <= count), default=None)
    if least is None:
        return f"0-{edges[0] - 1}"
    place = edges.index(least)
    return f"{least}{more}" if place == len(edges) - 1 else f"{least}-{edges[place + 1] - 1}"


def size_band(respondents: int) -> str:
    """The band of a size: 5-9, 10-19, 20-29, 30-49, 50-99, 100-199, 200-399, 400+; 0-4 for headcounts only."""
    return _band(respondents, SIZE_EDGES, "+")


def band_edges(band: str) -> tuple[int, int | None]:
    """The lower and upper edge of a band; no upper edge for the last."""
    if band.endswith("+"):
        return int(band[:-1]), None
    low, _, high = band.partition("-")
    return int(low), int(high)


def typical_of(band: str, most: int | None = None) -> float:
    """The geometric middle of a size band: what stands for the number of people in an error, in neither direction for sure.

    Limits that take the fewest of a band are twice as wide as they say (docs/decisions/0030).

    Parameters
    ----------
    band : from five people on; of the last, which is open, its lower edge stands
    most : how many there can be, where that is known
    """
    low, high = band_edges(band)
    top = low if high is None else high + 1
    if most is not None:
        top = max(low, most if high is None else min(top, most))
    return math.sqrt(low * top)


def experience_band(count: int, answered: int) -> str:
    """The band in which a count of experiences is shown: 0-4, 5-9, 10-19, 20-39, 40+.

    The last band begins at half of those who answered at most, and is open: of forty people "40+" would say everybody.
    """
    return _band(count, tuple(edge for edge in EXPERIENCE_EDGES if 2 * edge <= answered), "+")


def stepped(value: Exact, step: float, end: float) -> Figure:
    """Round half up to a step, then code the ends.

    In fractions, never in floating point: a sum just over a border and one just under it look alike there, and what a
    figure leaves open is read off the same border (`whole_ends`).

    Parameters
    ----------
    value : on 0-100
    step, end : the end is a multiple of the step; a rounded value of so much or less is coded, and one as near to 100
    """
    rounded = math.floor(Fraction(value) / Fraction(step) + HALF) * step
    if rounded <= end:
        return f"<={end:g}"
    return f">={100 - end:g}" if rounded >= 100 - end else rounded


def whole_ends(figure: Figure, whole: int, step: float, end: float, reach: int = 0) -> tuple[int, int]:
    """The least and the greatest count that can stand behind a figure: ``stepped(100 * (count + move) / whole)``.

    Parameters
    ----------
    figure : as `stepped` gives it
    whole : the count that would be 100: people, or the greatest sum of their scores
    step, end : by which it was rounded
    reach : the largest move, in the unit of the count
    """
    half = Fraction(step) / 2
    low, high = Fraction(0), Fraction(101)
    if not isinstance(figure, str):
        low, high = Fraction(figure) - half, Fraction(figure) + half
    elif ends_low(figure):
        high = Fraction(end) + half
    else:
        low = 100 - Fraction(end) - half
    least, most = math.ceil(low * whole / 100), math.ceil(high * whole / 100) - 1
    return max(0, least - reach), min(whole, most + reach)


def _moved(count: Exact, move: Exact, whole: int) -> Fraction:
    """A moved count in percent of the whole, kept on 0-100."""
    return 100 * min(max(Fraction(count) + Fraction(move), Fraction(0)), Fraction(whole)) / whole


def index_rules(row: SizeRow, steps: int) -> tuple[float, float]:
    """The step and the end of an index in a row; a step of 0 means that it is not shown.

    Where an answer has fewer than four steps (yes or no, three answers) the index is a share or nearly one, and takes the
    rules of a share.
    """
    return (row.index_step, row.index_end) if steps >= FINE else (row.share_step, row.share_end)


def index_figure(mean: Exact, respondents: int, steps: int, move: int, rows: Rows = ROWS) -> Figure | None:
    """An index as this many respondents may show it.

    Parameters
    ----------
    mean : of their scores, on 0-100
    respondents, rows : who enter the mean, and the table to round by
    steps : how many steps one answer has between 0 and 100
    move : in such steps of one person
    """
    row = row_of(respondents, rows)
    step, end = index_rules(row, steps) if row else (0, 0)
    if not step:
        return None
    whole = respondents * steps
    return stepped(_moved(Fraction(mean) * whole / 100, move, whole), step, end)


def share_figure(count: int, respondents: int, move: int, rows: Rows = ROWS) -> Figure | None:
    """A favourable share in percent as this many respondents may show it.

    Parameters
    ----------
    count, move : people on the favourable side, ``0 <= count <= respondents``, and how many are added to them
    respondents, rows : who answered the item, and the table to round by
    """
    row = row_of(respondents, rows)
    return (
        None
        if row is None or not row.share_step
        else stepped(_moved(count, move, respondents), row.share_step, row.share_end)
    )


def distribution_figures(
    counts: Sequence[int], respondents: int, favourable: Figure | None, moves: Sequence[int], rows: Rows = ROWS
) -> tuple[Figure, ...] | None:
    """Five shares as this many respondents may show them: five classes, three (the last is the share), or none.

    Parameters
    ----------
    counts, moves : people of each of five answers from the lowest on, and how many are added; else nothing is shown
    respondents, rows : who answered the item, and the table to round by
    favourable : their published share; without it nothing is shown
    """
    row = row_of(respondents, rows)
    if row is None or not row.classes or favourable is None or len(counts) != 5:
        return None
    kinds = [counts[0] + counts[1], counts[2]] if row.classes == 3 else counts
    shown = [
        stepped(_moved(c, m, respondents), row.class_step, row.share_end) for c, m in zip(kinds, moves, strict=False)
    ]
    return (*shown, favourable) if row.classes == 3 else tuple(shown)


def index_rounding(respondents: float, steps: int = FINE, rows: Rows = ROWS) -> float:
    """The variance that move and rounding add to an index, in squared points: step**2 / 12 and the move's (PRIVACY 2.10).

    Parameters
    ----------
    respondents, rows : who enter the index, and its table: where that shows nothing of so few, nothing is added
    steps : of one answer between 0 and 100
    """
    row = row_of(respondents, rows)
    if row is None:
        return 0.0
    return index_rules(row, steps)[0] ** 2 / 12 + law_of(steps).variance * (100 / (respondents * steps)) ** 2


def share_rounding(respondents: float, rows: Rows = ROWS) -> float:
    """The variance that move and rounding add to a share, in squared points."""
    row = row_of(respondents, rows)
    return row.share_step**2 / 12 + COUNTS.variance * (100 / respondents) ** 2 if row else 0.0


def organisation_share(percent: Exact, base: int) -> Figure | None:
    """A share of special answers, whole organisation, as wide as its base allows; None under 50 people.

    The half step beside an end still holds four people, so that no share is an exact count, nobody or everybody.
    """
    step = next((step for least, step in SHARE_STEPS if base >= least), None)
    if step is None:
        return None
    if percent <= step:
        return f"<={step}"
    if percent >= 100 - step:
        return f">={100 - step}"
    return math.floor(Fraction(percent) / step + HALF) * step


def mean_share(shares: Sequence[Figure]) -> Figure:
    """The mean of published shares on steps of five: it says nothing that they do not."""
    mean = sum(Fraction(as_number(share)) for share in shares) / len(shares)
    if mean <= 5:
        return "<=5"
    return ">=95" if mean >= 95 else math.floor(mean / 5 + HALF) * 5


def happened_share(percent: Exact) -> Figure:
    """A share among the people it happened to: 10-point steps, ends coded at 10 and 90: never "all" or "none"."""
    if percent <= 10:
        return "<=10"
    if percent >= 90:
        return ">=90"
    return math.floor(Fraction(percent) / 10 + HALF) * 10


def spread_figure(squares: float, n: int, move: int) -> int:
    """A standard deviation, moved and rounded up to 5 points, never under 10: it widens comparisons, and shows no unanimity.

    Parameters
    ----------
    squares : the sum of squared deviations of n scores on 0-100 from their mean
    n : two people or more
    move : in `SQUARE`
    """
    sd = math.sqrt(max(0.0, squares + move * SQUARE) / (n - 1))
    return max(10, math.ceil(sd / 5 - 1e-9) * 5)


def spread_ends(figure: int, n: int) -> tuple[float, float]:
    """The sums of squares behind a printed spread: ``low < squares <= high``, by any move; no low end where it says 10."""
    reach = SUMS.most * SQUARE
    low = -math.inf if figure == 10 else (figure - 5) ** 2 * (n - 1) - reach
    return low, figure**2 * (n - 1) + reach


def participation_figure(respondents: int, headcount: int, k: int) -> str | None:
    """Participation of a shown view in 10-point steps, ``>=90`` at the top; only from a headcount of 2k.

    Parameters
    ----------
    respondents, headcount : of the view; None where more answered than HR counts
    k : the least number of people
    """
    if headcount < 2 * k or respondents > headcount:
        return None
    tens = (20 * respondents + headcount) // (2 * headcount) * 10
    return ">=90" if tens >= 90 else str(tens)


def outward(low: float, high: float, grid: int = 1) -> tuple[int, int]:
    """Limits as whole numbers on a grid, rounded away from the value and kept on 0-100.

    Parameters
    ----------
    low, high : on the scale of 0-100, or beyond it
    grid : 1 or more, a divisor of 100
    """
    return max(0, math.floor(low / grid + 1e-9) * grid), min(100, math.ceil(high / grid - 1e-9) * grid)


def state_of(low: float, high: float) -> str:
    """Supportive from a lower limit of 60, critical under an upper limit of 50, else mixed."""
    if low >= SUPPORTIVE_FROM:
        return "supportive"
    return "critical" if high < CRITICAL_UNDER else "mixed"


def as_number(figure: Figure) -> float:
    """The number of a figure; a coded end counts as its bound."""
    return float(figure.lstrip("<>=")) if isinstance(figure, str) else float(figure)


def is_coded(figure: Figure) -> bool:
    """Whether a figure says "this or beyond"."""
    return isinstance(figure, str)


def ends_low(figure: Figure) -> bool:
    """Whether a figure says "this or less"."""
    return isinstance(figure, str) and figure.startswith("<=")
