"""Differences between views, from published values alone (closure rule, PRIVACY 2.6).

Nothing here sees a response: the inputs are stepped indices, lower edges of size bands and the organisation's
published standard deviation. What moving and rounding the figures adds to their variance is part of the error (PRIVACY 2.10).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from scipy.stats import false_discovery_control, norm

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
LEVEL = 0.05
Z = 1.959964


@dataclass(frozen=True, slots=True)
class Difference:
    """A view's index against another's, in points of 0-100; `low` and `high` are the limits of the gap, outward.

    `clear` only if certain after Benjamini-Hochberg and at least 5 points.
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


def differences(
    views: Sequence[Mapping[str, Any]], family: str = "areas", steps: Mapping[str, int] | None = None, rows: Rows = ROWS
) -> list[Difference]:
    """Compare every shown unit with the whole organisation, and women with the contrast group (STATISTICS 2.6).

    Parameters
    ----------
    views : of a document as they are published, the whole organisation first
    family : of the statistics that are compared: those with a published spread, and without a coded end on either side
    steps : of one answer to the items of each statistic, where it is not four
    rows : the table by which the figures were rounded

    Returns
    -------
    `clear` is decided over all comparisons of the family together.
    """
    root = views[0]
    pairs = [
        (view, root) for view in views[1:] if view["shown"] and len(view["filter"]) == 1 and "unit" in view["filter"]
    ]
    shown = {view["id"]: view for view in views if view["shown"]}
    for contrast in ("gender:m", "gender:others"):
        if "gender:f" in shown and contrast in shown:
            pairs.append((shown["gender:f"], shown[contrast]))
    found, chances = [], []
    for view, against in pairs:
        for statistic in sorted(view.get(family, {})):
            sd = root.get(family, {}).get(statistic, {}).get("sd")
            pair = view[family][statistic], against.get(family, {}).get(statistic)
            if sd is None or not pair[1] or any("index" not in f or is_coded(f["index"]) for f in pair):
                continue
            rounding = [_rounding(side, (steps or {}).get(statistic, FINE), rows) for side in (view, against)]
            made, chance = _compare(view, against, family, statistic, float(sd), root, sum(rounding))
            found.append(made)
            chances.append(chance)
    if not found:
        return []
    adjusted = false_discovery_control(chances)
    return [
        replace(d, clear=bool(p < LEVEL and abs(d.gap) >= CLEAR_FROM)) for d, p in zip(found, adjusted, strict=True)
    ]


def _rounding(view: Mapping[str, Any], steps: int, rows: Rows) -> float:
    return index_rounding(band_edges(view["n_band"])[0], steps, rows)


def _compare(
    view: Mapping[str, Any],
    against: Mapping[str, Any],
    family: str,
    statistic: str,
    sd: float,
    root: Mapping[str, Any],
    rounding: float,
) -> tuple[Difference, float]:
    value, reference = as_number(view[family][statistic]["index"]), as_number(against[family][statistic]["index"])
    n, m = band_edges(view["n_band"])[0], band_edges(against["n_band"])[0]
    error = math.sqrt(sd**2 * (1 / n + (0 if against is root else 1 / m)) + rounding)
    gap, half = value - reference, Z * error
    chance = float(2 * norm.sf(abs(gap) / error)) if error > 0 else 1.0
    low, high = max(-100, math.floor(gap - half + 1e-9)), min(100, math.ceil(gap + half - 1e-9))
    made = Difference(view["id"], against["id"], family, statistic, value, reference, gap, low, high, False)
    return made, chance


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
