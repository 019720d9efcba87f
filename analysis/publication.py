"""What a view of each size may show: steps, coded ends, bands (PRIVACY 2.5). Knows no responses."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

type Exact = Fraction | float
"""A value before it is published; from whole sums and counts it is a fraction."""
type Figure = float | str
"""A published value: a multiple of its step, or a coded end like ``<=20``."""

HALF = Fraction(1, 2)


@dataclass(frozen=True, slots=True)
class SizeRow:
    """The rules for one range of respondents. A step of 0 means that the statistic is not shown."""

    least: int
    index_step: float
    share_step: float
    classes: int
    class_step: float
    low_end: int
    high_end: int


ROWS = (
    SizeRow(5, 12.5, 0, 0, 0, 20, 80),
    SizeRow(10, 5, 10, 0, 0, 20, 80),
    SizeRow(20, 2.5, 10, 0, 0, 20, 80),
    SizeRow(50, 2.5, 5, 3, 10, 15, 85),
    SizeRow(200, 1, 5, 5, 5, 10, 90),
)
SIZE_EDGES = (5, 10, 20, 30, 50, 100, 200, 400)
EXPERIENCE_EDGES = (0, 5, 10, 20, 40)
SHARE_STEPS = ((200, 5), (100, 10), (50, 20))
"""From how many people a share of special answers has which step, which is its end too."""
SPREAD_FROM = 50
"""Under so many people a spread would say too much of each."""
SUPPORTIVE_FROM, CRITICAL_UNDER = 60, 50


def row_of(respondents: int) -> SizeRow | None:
    """The rules for this many respondents; None for fewer than 5."""
    return next((row for row in reversed(ROWS) if respondents >= row.least), None)


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


def experience_band(count: int, answered: int) -> str:
    """The band in which a count of experiences is shown: 0-4, 5-9, 10-19, 20-39, 40+.

    The last band begins at half of those who answered at most, and is open: of forty people "40+" would say everybody.
    """
    return _band(count, tuple(edge for edge in EXPERIENCE_EDGES if 2 * edge <= answered), "+")


def stepped(value: Exact, step: float, row: SizeRow) -> Figure:
    """Round half up to a step; the ends are coded, decided on the exact value before rounding.

    In fractions, never in floating point: a sum just over a border and one just under it look alike there, and what a
    figure leaves open is read off the same border (`whole_ends`).

    Parameters
    ----------
    value : Fraction or number
        On 0-100.
    """
    if value <= row.low_end:
        return f"<={row.low_end}"
    if value >= row.high_end:
        return f">={row.high_end}"
    return math.floor(Fraction(value) / Fraction(step) + HALF) * step


def whole_ends(figure: Figure, whole: int, step: float, row: SizeRow) -> tuple[int, int]:
    """The least and the greatest count of which ``stepped(100 * count / whole)`` is this figure; none if least > greatest.

    Parameters
    ----------
    whole : int
        The count that would be 100: people, or the greatest sum of their scores.
    """
    low, high = Fraction(row.low_end * whole, 100), Fraction(row.high_end * whole, 100)
    if isinstance(figure, str):
        return (0, math.floor(low)) if figure.startswith("<") else (math.ceil(high), whole)
    middle, half = Fraction(figure) * whole / 100, Fraction(step) * whole / 200
    least = max(math.ceil(middle - half), math.floor(low) + 1)
    return least, min(math.ceil(middle + half), math.ceil(high)) - 1


def index_figure(value: Exact, respondents: int) -> Figure | None:
    """An index on 0-100 as this many respondents may show it."""
    row = row_of(respondents)
    return None if row is None else stepped(value, row.index_step, row)


def score_figure(value: Exact, respondents: int, score_steps: int) -> Figure | None:
    """An index on 0-100 of scores that can take only ``score_steps + 1`` values for each person.

    The step table is made for five answers: a step then holds at least two sums of scores. A coarser score (yes or no,
    three answers) has fewer sums, so a step might hold one alone, which is an exact count. It then takes the step of a
    share, which for yes or no it is.
    """
    row = row_of(respondents)
    if row is None:
        return None
    if row.index_step * respondents * score_steps >= 200:
        return stepped(value, row.index_step, row)
    return stepped(value, row.share_step, row) if row.share_step else None


def share_figure(percent: Exact, respondents: int) -> Figure | None:
    """A favourable share in percent as this many respondents may show it."""
    row = row_of(respondents)
    return None if row is None or not row.share_step else stepped(percent, row.share_step, row)


def distribution_figures(
    percents: tuple[Exact, ...], respondents: int, favourable: Figure | None
) -> tuple[Figure, ...] | None:
    """Five shares as this many respondents may show them: five classes, three (the last is the share), or none."""
    row = row_of(respondents)
    if row is None or not row.classes or favourable is None or len(percents) != 5:
        return None
    if row.classes == 3:
        low = stepped(percents[0] + percents[1], row.class_step, row)
        return low, stepped(percents[2], row.class_step, row), favourable
    return tuple(stepped(percent, row.class_step, row) for percent in percents)


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


def spread_figure(sd: float) -> int:
    """A standard deviation rounded up to 5 points, never under 10: it widens comparisons, and shows no unanimity."""
    return max(10, math.ceil(sd / 5 - 1e-9) * 5)


def participation_figure(respondents: int, headcount: int, k: int) -> str | None:
    """Participation of a shown view in 10-point steps, ``>=90`` at the top; only from a headcount of 2k."""
    if headcount < 2 * k or respondents > headcount:
        return None
    tens = (20 * respondents + headcount) // (2 * headcount) * 10
    return ">=90" if tens >= 90 else str(tens)


def outward(low: float, high: float, grid: int = 1) -> tuple[int, int]:
    """Limits as whole numbers on a grid, rounded away from the value and kept on 0-100."""
    return max(0, math.floor(low / grid + 1e-9) * grid), min(100, math.ceil(high / grid - 1e-9) * grid)


def limits_may_be_exact(figure: Figure, respondents: int) -> bool:
    """Whether limits may be taken from the answers: whole organisations of 200 and more, and no coded end.

    From whole-number limits and a known size the count behind a share follows: always below 100 respondents, mostly
    below 200, and "everyone" at every size. Elsewhere limits follow from the published figure.
    """
    row = row_of(respondents)
    return row is not None and row.classes == 5 and not is_coded(figure)


def state_of(low: float, high: float) -> str:
    """Supportive from a lower limit of 60, critical under an upper limit of 50, else mixed."""
    if low >= SUPPORTIVE_FROM:
        return "supportive"
    return "critical" if high < CRITICAL_UNDER else "mixed"


def as_number(figure: Figure) -> float:
    """The number of a figure; a coded end counts as its bound."""
    return float(figure.lstrip("<>=")) if isinstance(figure, str) else float(figure)


def is_coded(figure: Figure) -> bool:
    return isinstance(figure, str)


def step_at(figure: Figure, respondents: int) -> float:
    """The step of an index in a view of at least this many respondents."""
    row = row_of(respondents)
    if row is None:
        raise ValueError("too few respondents to show anything")
    return row.index_step
