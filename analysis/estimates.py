"""Shares and means with their intervals for a finite population (STATISTICS 2.4)."""

import math
from dataclasses import dataclass

from scipy.stats import norm, t

MOST_SAMPLED = 0.9
"""The finite population correction is taken at most for this share: nobody's answer may follow from "all answered"."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value with its confidence interval, all three on one scale."""

    value: float
    low: float
    high: float


def correction(n: int, population: int | None) -> float:
    """The factor f = (N - n) / (N - 1) by which the variance shrinks; 1 where N is unknown, never under 0.1."""
    if population is None or population <= 1 or n > population:
        return 1.0
    if n > MOST_SAMPLED * population:
        return 0.1
    return (population - n) / (population - 1)


def favourable_share(favourable: int, answered: int, *, population: int | None = None, level: float = 0.95) -> Estimate:
    """Estimate a share by Wilson's interval with the effective size n* = n / f.

    Parameters
    ----------
    favourable, answered : int
        Respondents, ``0 <= favourable <= answered`` and ``answered >= 1``.
    population : int or None
        Everyone invited, or None if unknown (f = 1).
    level : float
        Between 0 and 1.

    Raises
    ------
    ValueError
        If the counts are out of order.

    References
    ----------
    .. [1] E. B. Wilson, JASA 22 (1927) 209-212. Score interval, no continuity correction.
    """
    if not (0 <= favourable <= answered and answered >= 1):
        raise ValueError(f"need 0 <= favourable <= answered, answered >= 1; got {favourable} of {answered}")
    return wilson(favourable / answered, answered / correction(answered, population), level=level)


def wilson(share: float, size: float, *, level: float = 0.95) -> Estimate:
    """Wilson's interval of a share in [0, 1] for an effective size above 0; the share need not be a whole count."""
    if not (0 <= share <= 1 and size > 0):
        raise ValueError(f"need 0 <= share <= 1 and size > 0; got {share} of {size}")
    z = float(norm.ppf(0.5 + level / 2))
    denominator = 1 + z * z / size
    centre = (share + z * z / (2 * size)) / denominator
    half = z / denominator * math.sqrt(share * (1 - share) / size + z * z / (4 * size * size))
    return Estimate(share, max(0.0, centre - half), min(1.0, centre + half))


def mean_interval(
    mean: float, sd: float, answered: int, *, population: int | None = None, level: float = 0.95
) -> Estimate:
    """Estimate a mean by Student's t with the finite population correction 1 - n/N.

    Parameters
    ----------
    mean, sd : float
        Of the respondents; the standard deviation with n - 1.
    answered : int
        At least 2.
    """
    if answered < 2:
        raise ValueError("an interval needs two respondents")
    kept = 1.0
    if population and answered <= population:
        kept = 0.1 if answered > MOST_SAMPLED * population else 1 - answered / population
    half = float(t.ppf(0.5 + level / 2, answered - 1)) * sd / math.sqrt(answered) * math.sqrt(kept)
    return Estimate(mean, mean - half, mean + half)


def worst_case(share: float, answered: int, population: int) -> tuple[float, float]:
    """Bounds of a share if everyone who did not answer were on one side: [r p, r p + 1 - r], r = n/N (Manski)."""
    rate = answered / population
    return rate * share, rate * share + 1 - rate
