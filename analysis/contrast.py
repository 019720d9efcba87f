"""Women and the contrast group, of the whole organisation: the point of the standard (STATISTICS 2.6).

From published values alone (docs/decisions/0030): areas and scales by their indices and published spread; questions whose
distributions are published on both sides by Brunner and Munzel's test on these. All of them are one family.
"""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm, t

from analysis.comparison import Gap, Known, Side, called, chance_of, gap_of, side_of, unit_gaps
from analysis.moves import COUNTS
from analysis.steps import Figure, as_number, band_edges, ends_low, is_coded, row_of

WOMEN, CONTRASTS = "gender:f", ("gender:m", "gender:others")
ORDER = ("areas", "scales", "items")
type Floats = NDArray[np.float64]


def compared(
    views: Sequence[Mapping[str, Any]], perception: Mapping[str, Any], quality: Mapping[str, Any], known: Known
) -> list[dict[str, Any]]:
    """All comparisons of a release: units with the whole organisation, women with the contrast group.

    Areas, the scales whose items go together, and of women also each question that bears on an indicator. What is clear is
    decided over all units together, and over everything of women together.

    Parameters
    ----------
    views, perception, quality : as they are published
    known : what else is
    """
    held = quality["reliability"]
    scales = [one for one in views[0].get("scales", {}) if held.get(one, {}).get("reading") != "items"]
    items = {item for record in perception.values() for item in record["items"]}
    units = called([*unit_gaps(views, "areas", known), *unit_gaps(views, "scales", known, scales)])
    women = called(
        [
            *gender_gaps(views, "areas", known),
            *gender_gaps(views, "scales", known, scales),
            *gender_gaps(views, "items", known, items),
        ]
    )
    found = sorted(units + women, key=lambda one: ORDER.index(one.family))
    return [{name: value for name, value in asdict(one).items() if value is not None} for one in found]


def gender_gaps(
    views: Sequence[Mapping[str, Any]], family: str, known: Known, only: Collection[str] | None = None
) -> list[Gap]:
    """Compare women with men, or with all others where those are shown instead.

    Parameters
    ----------
    views : of a document as they are published, the whole organisation first
    family : ``areas``, ``scales`` or ``items``
    known : what else is published
    only : the statistics that are compared; all where it is None

    Returns
    -------
    One gap a statistic; empty where either side is not shown.
    """
    root, shown = views[0], {view["id"]: view for view in views if view["shown"]}
    other = next((shown[one] for one in CONTRASTS if one in shown), None)
    if WOMEN not in shown or other is None:
        return []
    found: list[Gap] = []
    for statistic in sorted(shown[WOMEN].get(family, {})):
        sd = root.get(family, {}).get(statistic, {}).get("sd")
        women, others = (
            side_of(view, family, statistic, known, most)
            for view, most in zip((shown[WOMEN], other), _most(shown[WOMEN], other, known), strict=True)
        )
        if sd is None or women is None or others is None or (only is not None and statistic not in only):
            continue
        error = math.sqrt(women.described(sd) + others.described(sd))
        made = gap_of(women, others, family, statistic, error)
        ranked = _ranked(women, others, known)
        delta = ranked.delta if ranked else 2 * float(norm.cdf(made.gap / (sd * math.sqrt(2)))) - 1
        drawn = math.sqrt(women.drawn(sd) + others.drawn(sd))
        found.append((replace(made, delta=round(delta, 2)), ranked.chance if ranked else chance_of(made.gap, drawn)))
    return found


def _most(women: Mapping[str, Any], others: Mapping[str, Any], known: Known) -> tuple[int | None, int | None]:
    """How many of each there can be: nobody is in both, and together they are no more than have answered."""
    if known.received is None:
        return None, None
    least = [band_edges(view["n_band"])[0] for view in (others, women)]
    return known.received - least[0], known.received - least[1]


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
    sizes: tuple[float, float],
    rounding: tuple[float, float] = (0.0, 0.0),
) -> Ranked:
    """Brunner and Munzel's test on shares of ordered classes (Biometrical Journal 42 (2000) 17-25).

    Parameters
    ----------
    first, second : shares of the same classes from the lowest on, each a part of 1 that adds up to it
    sizes : how many people are behind each
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
    for own, place, mean, n, added in zip((first, second), above, means, sizes, rounding, strict=True):
        sampling = float(own @ (place - mean) ** 2) * n / (n - 1) / n
        parts.append(sampling)
        variance += sampling + added * float(((place - mean) ** 2).sum())
    delta = 2 * means[0] - 1
    if variance <= 0 or sum(parts) <= 0:
        return Ranked(delta, 1.0 if delta == 0 else 0.0)
    freedom = sum(parts) ** 2 / sum(part**2 / (n - 1) for part, n in zip(parts, sizes, strict=True) if part)
    return Ranked(delta, float(2 * t.sf(abs(delta) / 2 / math.sqrt(variance), freedom)))
