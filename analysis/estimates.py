"""Shares with their intervals for a finite population (STATISTICS 2.4)."""

import math
from dataclasses import dataclass
from statistics import NormalDist

MOST_SAMPLED = 0.9
"""The finite population correction is taken at most for this share: nobody's answer may follow from "all answered"."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value with its confidence interval, all three on one scale."""

    value: float
    low: float
    high: float


def correction(n: float, population: int | None) -> float:
    """The factor f = (N - n) / (N - 1) by which the variance shrinks; 1 where N is unknown, never under 0.1."""
    if population is None or population <= 1 or n > population:
        return 1.0
    if n > MOST_SAMPLED * population:
        return 0.1
    return (population - n) / (population - 1)


def wilson(share: float, size: float, *, level: float = 0.95) -> Estimate:
    """Wilson's interval (Journal of the American Statistical Association 22 (1927) 209-212) of a share.

    Parameters
    ----------
    share : in [0, 1]; it need not be a whole count
    size : effective number of answers, above 0: ``n / correction(n, N)``, or n where N is unknown
    level : of confidence, between 0 and 1

    Raises
    ------
    ValueError
        If share or size is out of bounds.
    """
    if not (0 <= share <= 1 and size > 0):
        raise ValueError(f"need 0 <= share <= 1 and size > 0; got {share} of {size}")
    z = NormalDist().inv_cdf(0.5 + level / 2)
    denominator = 1 + z * z / size
    centre = (share + z * z / (2 * size)) / denominator
    half = z / denominator * math.sqrt(share * (1 - share) / size + z * z / (4 * size * size))
    return Estimate(share, max(0.0, centre - half), min(1.0, centre + half))
