"""Women and the contrast group, of the whole organisation: the point of the standard (STATISTICS 2.6, 2.7).

From published values alone (docs/decisions/0030): areas and scales by their indices and published spread; questions whose
distributions are published on both sides by Brunner and Munzel's test on these. Each kind is a family of its own.
"""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm, t

from analysis.comparison import Difference, Known, Side, called, chance_of, differences, gap_of, side_of
from analysis.moves import COUNTS
from analysis.steps import Figure, as_number, ends_low, is_coded, row_of

WOMEN, CONTRASTS = "gender:f", ("gender:m", "gender:others")
type Floats = NDArray[np.float64]


def compared(
    views: Sequence[Mapping[str, Any]], perception: Mapping[str, Any], quality: Mapping[str, Any], known: Known
) -> list[dict[str, Any]]:
    """All comparisons of a release: units with the whole organisation, women with the contrast group.

    Areas, the scales whose items go together, and of women also each question that bears on an indicator.

    Parameters
    ----------
    views, perception, quality : as they are published
    known : what else is
    """
    held = quality["reliability"]
    scales = [one for one in views[0].get("scales", {}) if held.get(one, {}).get("reading") != "items"]
    items = {item for record in perception.values() for item in record["items"]}
    found = [
        *differences(views, "areas", known),
        *contrasts(views, "areas", known),
        *differences(views, "scales", known, scales),
        *contrasts(views, "scales", known, scales),
        *contrasts(views, "items", known, items),
    ]
    return [{name: value for name, value in asdict(one).items() if value is not None} for one in found]


def contrasts(
    views: Sequence[Mapping[str, Any]], family: str, known: Known, only: Collection[str] | None = None
) -> list[Difference]:
    """Compare women with men, or with all others where those are shown instead.

    Parameters
    ----------
    views : of a document as they are published, the whole organisation first
    family : ``areas``, ``scales`` or ``items``
    known : what else is published
    only : the statistics that are compared; all where it is None

    Returns
    -------
    One difference a statistic, `clear` decided over all of them; empty where either side is not shown.
    """
    root, shown = views[0], {view["id"]: view for view in views if view["shown"]}
    other = next((shown[one] for one in CONTRASTS if one in shown), None)
    if WOMEN not in shown or other is None:
        return []
    found, chances = [], []
    for statistic in sorted(shown[WOMEN].get(family, {})):
        sd = root.get(family, {}).get(statistic, {}).get("sd")
        women, others = (side_of(view, family, statistic, known) for view in (shown[WOMEN], other))
        if sd is None or women is None or others is None or (only is not None and statistic not in only):
            continue
        spread = women.finite / women.n + others.finite / others.n
        error = math.sqrt(sd**2 * spread + women.rounding + others.rounding)
        made = gap_of(women, others, family, statistic, error)
        ranked = _ranked(women, others, known)
        delta = ranked.delta if ranked else 2 * float(norm.cdf(made.gap / (sd * math.sqrt(2)))) - 1
        found.append(replace(made, delta=round(delta, 2)))
        chances.append(ranked.chance if ranked else chance_of(made.gap, error))
    return called(found, chances)


@dataclass(frozen=True, slots=True)
class Ranked:
    """How two distributions differ: Cliff's delta in [-1, 1], above 0 where the first is higher, and its chance."""

    delta: float
    chance: float


def _ranked(women: Side, others: Side, known: Known) -> Ranked | None:
    """The test on published distributions; None where a side has none, or they have other classes."""
    sides = [side.figure.get("distribution", ()) for side in (women, others)]
    if not sides[0] or len(sides[0]) != len(sides[1]):
        return None
    rounding = [_class_rounding(side, known) for side in (women, others)]
    return brunner_munzel(
        *(shares_of(side) for side in sides),
        sizes=(women.n, others.n),
        finite=(women.finite, others.finite),
        rounding=(rounding[0], rounding[1]),
    )


def _class_rounding(side: Side, known: Known) -> float:
    """The variance that move and step add to the share of a class, as a part of 1."""
    row = row_of(side.n, known.rows)
    step = row.class_step if row else 0
    return step**2 / 12 / 100**2 + COUNTS.variance / side.n**2


def shares_of(classes: Sequence[Figure]) -> Floats:
    """Published classes as parts of 1. Coded ends share what the others leave, as far as they may."""
    values = np.array([as_number(one) for one in classes])
    low = np.array([is_coded(one) and ends_low(one) for one in classes])
    if low.any():
        left = max(0.0, 100 - float(values[~low].sum())) / int(low.sum())
        values[low] = np.minimum(values[low], left)
    return values / values.sum() if values.sum() else np.full(len(values), 1 / len(values))


def brunner_munzel(
    first: Floats,
    second: Floats,
    *,
    sizes: tuple[int, int],
    finite: tuple[float, float] = (1.0, 1.0),
    rounding: tuple[float, float] = (0.0, 0.0),
) -> Ranked:
    """Brunner and Munzel's test on shares of ordered classes (Biometrical Journal 42 (2000) 17-25).

    Parameters
    ----------
    first, second : shares of the same classes from the lowest on, each a part of 1 that adds up to it
    sizes : how many people are behind each
    finite : by what factor each sampling variance shrinks in a finite population
    rounding : the variance that publishing adds to each class of a side

    Returns
    -------
    Where everyone is in one class: no difference, with the chance 1.
    """
    above = [
        np.cumsum(other) - other / 2 for other in (second, first)
    ]  # of each class, how many of the other side are below
    means = [float(own @ place) for own, place in zip((first, second), above, strict=True)]
    parts, variance = [], 0.0
    for own, place, mean, n, shrink, added in zip((first, second), above, means, sizes, finite, rounding, strict=True):
        sampling = float(own @ (place - mean) ** 2) * n / (n - 1) / n
        parts.append(sampling)
        variance += shrink * sampling + added * float(((place - mean) ** 2).sum())
    delta = 2 * means[0] - 1
    if variance <= 0 or sum(parts) <= 0:
        return Ranked(delta, 1.0 if delta == 0 else 0.0)
    freedom = sum(parts) ** 2 / sum(part**2 / (n - 1) for part, n in zip(parts, sizes, strict=True) if part)
    return Ranked(delta, float(2 * t.sf(abs(delta) / 2 / math.sqrt(variance), freedom)))
