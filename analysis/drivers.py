"""Which themes go together with an outcome: Shapley shares of R², whole organisation only, told in three words (STATISTICS 2.10).

It goes together with; it does not prove a cause.
"""

from itertools import combinations
from math import factorial

import numpy as np
from numpy.typing import NDArray

type Floats = NDArray[np.float64]

LEAST_PEOPLE, LEAST_EACH = 200, 10
"""People who answered all of it: under 200 a coefficient is nearly an equation of their answers (PRIVACY 2.10); ten for each theme."""
LEAST_THEMES = 3
LEAST_R2 = 0.1
"""Under a tenth of the variance nothing is said."""
DRAWS, SURE = 1000, 0.95
"""Bootstrap draws, and the share of them in which a theme must lie on the same side of the mean to be told apart."""
_SEED = 20220316
"""The same answers give the same words."""
MORE, LINKED, LESS = "more", "linked", "less"


def shapley(correlations: Floats) -> Floats:
    """The mean increase of R² that each predictor brings over all orders of entering.

    Parameters
    ----------
    correlations : (..., p + 1, p + 1)
        Correlation matrices; the last variable is the outcome. Predictors that say the same share what they bring.

    Returns
    -------
    (..., p) shares; they sum to R².

    References
    ----------
    .. [1] R. H. Lindeman, P. F. Merenda and R. Z. Gold, Introduction to Bivariate and Multivariate Analysis (1980), p. 119.
    """
    p = correlations.shape[-1] - 1
    explained: dict[tuple[int, ...], Floats] = {(): np.zeros(correlations.shape[:-2])}
    for size in range(1, p + 1):
        for chosen in combinations(range(p), size):
            explained[chosen] = _r2(correlations, chosen)
    shares = np.zeros((*correlations.shape[:-2], p))
    for chosen, without in explained.items():
        weight = factorial(len(chosen)) * factorial(p - len(chosen) - 1) / factorial(p) if len(chosen) < p else 0.0
        for one in set(range(p)) - set(chosen):
            shares[..., one] += weight * (explained[tuple(sorted((*chosen, one)))] - without)
    return shares


def _r2(correlations: Floats, chosen: tuple[int, ...]) -> Floats:
    """R² of the outcome on some predictors; by the pseudoinverse, so that collinear ones do no harm."""
    inside = correlations[..., chosen, :][..., :, chosen]
    outcome = correlations[..., chosen, -1]
    solved = (np.linalg.pinv(inside, hermitian=True) @ outcome[..., None])[..., 0]
    return np.asarray((solved * outcome).sum(axis=-1))


def words(themes: Floats, outcome: Floats) -> tuple[str, ...] | None:
    """How much each theme goes together with an outcome: ``more``, ``linked`` or ``less``; None where nothing may be said.

    Parameters
    ----------
    themes : (n, p)
        Indices of people; NaN where a person has none.
    outcome : (n,)

    Returns
    -------
    A theme is told apart where in 95 of 100 bootstrap draws its share lies on the same side of the mean share.
    """
    table = np.column_stack([themes, outcome])
    table = table[~np.isnan(table).any(axis=1)]
    p = themes.shape[1]
    if len(table) < max(LEAST_PEOPLE, LEAST_EACH * p) or p < LEAST_THEMES or (table.std(axis=0) == 0).any():
        return None
    correlations: Floats = np.asarray(np.corrcoef(table, rowvar=False), dtype=np.float64)
    if shapley(correlations).sum() < LEAST_R2:
        return None
    above = _shares_above(table, p)
    return tuple(MORE if one >= SURE else LESS if one <= 1 - SURE else LINKED for one in above.tolist())


def _shares_above(table: Floats, p: int) -> Floats:
    """For each theme, in how many of the draws its Shapley share is above the mean of all."""
    source = np.random.default_rng(_SEED)
    drawn = []
    for _ in range(DRAWS):
        sample = table[source.integers(0, len(table), len(table))]
        if (sample.std(axis=0) > 0).all():
            drawn.append(np.corrcoef(sample, rowvar=False))
    shares = shapley(np.array(drawn))
    return np.asarray((shares > shares.sum(axis=-1, keepdims=True) / p).mean(axis=0))
