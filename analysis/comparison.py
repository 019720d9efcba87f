"""Differences between views, from published values alone (closure rule, PRIVACY 2.6).

Nothing here sees a response: the inputs are stepped indices, lower edges of size bands and the organisation's
published standard deviation. What moving and rounding the figures adds to their variance is part of the error (PRIVACY 2.10).
"""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from analysis import estimates
from analysis.moves import FINE
from analysis.steps import (
    ROWS,
    Figure,
    Rows,
    as_number,
    band_edges,
    ends_low,
    index_rounding,
    is_coded,
    outward,
    share_rounding,
)

CLEAR_FROM = 5.0
"""Points of the index under which a difference is not called one, however certain."""
SMALL = 0.15
"""Cliff's delta from which a difference of women and men is one, however few its points."""
LEVEL = 0.05
Z = 1.959964


@dataclass(frozen=True, slots=True)
class Difference:
    """A view's index against another's, in points of 0-100; `low` and `high` are the limits of the gap, outward.

    `clear` only if certain after Benjamini-Hochberg and large enough. `delta` is Cliff's, of women against the contrast.
    """

    view: str
    against: str
    family: str
    statistic: str
    value: float
    reference: float
    gap: float
    low: int
    high: int
    clear: bool
    delta: float | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """What is published beside the figures and enters the error of a difference.

    steps : of ``family/statistic``, how many one answer has between 0 and 100, where it is not four
    rows : the table by which the figures were rounded
    headcounts : of each planned view HR's headcount, in bands
    """

    steps: Mapping[str, int] = field(default_factory=dict)
    rows: Rows = ROWS
    headcounts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a comparison, as it is published.

    n : the fewest people of its band who can have entered the statistic
    finite : the factor by which the variance shrinks because nearly everyone is asked; by the most people of HR's band
    rounding : the variance that move and step add to the index, in squared points
    """

    view: str
    figure: Mapping[str, Any]
    value: float
    n: int
    finite: float
    rounding: float


def side_of(view: Mapping[str, Any], family: str, statistic: str, known: Known) -> Side | None:
    """A side of a comparison; None where the view has no index of the statistic, or a coded end."""
    figure = view.get(family, {}).get(statistic)
    if figure is None or is_coded(figure["index"]):
        return None
    n = band_edges(band_of(figure, view))[0]
    heads = known.headcounts.get(view["id"])
    finite = estimates.correction(n, band_edges(heads)[1] if heads else None)
    steps = known.steps.get(f"{family}/{statistic}", FINE)
    return Side(view["id"], figure, as_number(figure["index"]), n, finite, index_rounding(n, steps, known.rows))


def band_of(figure: Mapping[str, Any], view: Mapping[str, Any]) -> str:
    """The size band of those who entered a statistic: its own where fewer did than are in the view."""
    return str(figure.get("n_band") or view["n_band"])


def differences(
    views: Sequence[Mapping[str, Any]],
    family: str = "areas",
    known: Known | None = None,
    only: Collection[str] | None = None,
) -> list[Difference]:
    """Compare every shown unit with the whole organisation (STATISTICS 2.6).

    Parameters
    ----------
    views : of a document as they are published, the whole organisation first
    family : of the statistics that are compared: those with a published spread, and without a coded end on either side
    known : what else is published
    only : the statistics that are compared; all where it is None

    Returns
    -------
    `clear` is decided over all comparisons of the family together. The variance is that of the unit alone: where it is a
    part w of the whole, the gap's is 1 - w times as large.
    """
    known, root = known or Known(), views[0]
    found, chances = [], []
    for view in views[1:]:
        for statistic in sorted(view.get(family, {})) if view["shown"] and list(view["filter"]) == ["unit"] else ():
            sd = root.get(family, {}).get(statistic, {}).get("sd")
            here, whole = (side_of(one, family, statistic, known) for one in (view, root))
            if sd is None or here is None or whole is None or (only is not None and statistic not in only):
                continue
            error = math.sqrt(sd**2 * here.finite / here.n + here.rounding + whole.rounding)
            found.append(gap_of(here, whole, family, statistic, error))
            chances.append(chance_of(found[-1].gap, error))
    return called(found, chances)


def gap_of(here: Side, there: Side, family: str, statistic: str, error: float) -> Difference:
    """A gap with its limits at 95 percent, outward; not yet called.

    Parameters
    ----------
    here, there : whose gap it is, and against whom
    family, statistic : which index
    error : its standard error, in points
    """
    gap, half = here.value - there.value, Z * error
    low, high = max(-100, math.floor(gap - half + 1e-9)), min(100, math.ceil(gap + half - 1e-9))
    return Difference(here.view, there.view, family, statistic, here.value, there.value, gap, low, high, False)


def chance_of(gap: float, error: float) -> float:
    """How likely so large a gap is where there is none."""
    return math.erfc(abs(gap) / error / math.sqrt(2)) if error > 0 else 1.0


def called(found: Sequence[Difference], chances: Sequence[float]) -> list[Difference]:
    """Say which are clear, over all of them together: Benjamini-Hochberg, and 5 points or a small effect (STATISTICS 2.6)."""
    return [
        replace(d, clear=bool(p < LEVEL and (abs(d.gap) >= CLEAR_FROM or abs(d.delta or 0) >= SMALL)))
        for d, p in zip(found, adjusted(chances), strict=True)
    ]


def adjusted(chances: Sequence[float]) -> list[float]:
    """Chances after correction for how many there are, in their order (Y. Benjamini, Y. Hochberg, JRSS B 57 (1995) 289-300).

    Our own lines, as pages compare waves and the web process never loads scipy; a test holds them to it.
    """
    found, least = [0.0] * len(chances), 1.0
    for rank, place in sorted(enumerate(sorted(range(len(chances)), key=chances.__getitem__), start=1), reverse=True):
        least = min(least, chances[place] * len(chances) / rank)
        found[place] = least
    return found


def published_interval(
    figure: Figure, band: str, sd: float | None, population: int | None = None, steps: int = FINE, rows: Rows = ROWS
) -> tuple[int, int]:
    """An interval for an index from what is published of it, its move and step in its variance, rounded outward.

    Parameters
    ----------
    figure : published index; from a coded end the interval reaches the end of the scale
    band : size band from five people on; its lower edge stands for the respondents
    sd : published standard deviation; None takes the largest that scores with this mean can have
    population : everyone invited, or None if unknown
    steps : of one answer between 0 and 100
    rows : the table by which the figure was rounded
    """
    n = band_edges(band)[0]
    value = as_number(figure)
    variance = value * (100 - value) if sd is None else sd**2
    half = Z * math.sqrt(variance / n * estimates.correction(n, population) + index_rounding(n, steps, rows))
    return _around(figure, value - half, value + half)


def published_share_interval(
    figure: Figure, band: str, population: int | None = None, rows: Rows = ROWS
) -> tuple[int, int]:
    """An interval for a share in percent from what is published of it: Wilson's, with its move and step, outward.

    Parameters
    ----------
    figure : published share in percent; from a coded end the interval reaches the end of the scale
    band : size band from five people on; its lower edge stands for the respondents
    population : everyone invited, or None if unknown: then nothing is corrected for it
    rows : the table by which the figure was rounded
    """
    n = band_edges(band)[0]
    value, size = as_number(figure), n / estimates.correction(n, population)
    wilson, added = estimates.wilson(value / 100, size), Z**2 * share_rounding(n, rows)
    low, high = (math.sqrt((value - 100 * limit) ** 2 + added) for limit in (wilson.low, wilson.high))
    return _around(figure, value - low, value + high)


def _around(figure: Figure, low: float, high: float) -> tuple[int, int]:
    """Round outward; a coded end says "this or beyond", so that side is open to the end of the scale."""
    if is_coded(figure):
        return outward(0.0, high) if ends_low(figure) else outward(low, 100.0)
    return outward(low, high)
