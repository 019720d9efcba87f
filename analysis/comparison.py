"""Differences between views, from published values alone (closure rule, PRIVACY 2.6).

Nothing here sees a response: the inputs are stepped indices, lower edges of size bands and the organisation's
published standard deviation. Limits are widened by half a step on each side.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from scipy.stats import false_discovery_control, norm

from analysis.publication import as_number, band_edges, is_coded, outward, row_of

CLEAR_FROM = 5.0
"""Points of the index under which a difference is not called one, however certain."""
LEVEL = 0.05


@dataclass(frozen=True, slots=True)
class Difference:
    """A view's index against another's; `clear` only if certain after Benjamini-Hochberg and at least 5 points."""

    view: str
    against: str
    family: str
    statistic: str
    value: float
    reference: float
    gap: float
    clear: bool


def differences(views: Sequence[Mapping[str, Any]], family: str = "areas") -> list[Difference]:
    """Compare every shown view with the whole organisation, and women with the contrast group."""
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
            made, chance = _compare(view, against, family, statistic, float(sd), root)
            found.append(made)
            chances.append(chance)
    if not found:
        return []
    adjusted = false_discovery_control(chances)
    return [
        Difference(
            d.view,
            d.against,
            d.family,
            d.statistic,
            d.value,
            d.reference,
            d.gap,
            bool(p < LEVEL and abs(d.gap) >= CLEAR_FROM),
        )
        for d, p in zip(found, adjusted, strict=True)
    ]


def _compare(
    view: Mapping[str, Any], against: Mapping[str, Any], family: str, statistic: str, sd: float, root: Mapping[str, Any]
) -> tuple[Difference, float]:
    value, reference = as_number(view[family][statistic]["index"]), as_number(against[family][statistic]["index"])
    n, m = band_edges(view["n_band"])[0], band_edges(against["n_band"])[0]
    error = sd * math.sqrt(1 / n + (0 if against is root else 1 / m))
    slack = _half_step(n) + _half_step(m)
    beyond = max(0.0, abs(value - reference) - slack)
    chance = float(2 * norm.sf(beyond / error)) if error > 0 else 1.0
    return Difference(view["id"], against["id"], family, statistic, value, reference, value - reference, False), chance


def _half_step(respondents: int) -> float:
    row = row_of(respondents)
    return row.index_step / 2 if row else 0.0


def published_interval(index: float, band: str, sd: float) -> tuple[int, int]:
    """An interval for a view's index from what is published of it, widened by half a step, rounded outward."""
    n = band_edges(band)[0]
    half = 1.959964 * sd / math.sqrt(n) + _half_step(n)
    return outward(index - half, index + half)
