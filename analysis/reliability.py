"""How well the items of a scale go together: McDonald's omega (STATISTICS 2.8)."""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

LEAST_PEOPLE, LEAST_ITEMS = 200, 3
"""Under 200 people a coefficient is nearly an equation of their answers (PRIVACY 2.10)."""


def complete(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Only people who answered every item; `rows` is people x items."""
    return rows[~np.isnan(rows).any(axis=1)]


def mcdonald_omega(rows: NDArray[np.float64]) -> float | None:
    """One factor by minimum residuals: (sum l)^2 / ((sum l)^2 + sum (1 - l^2)); None where it is not defined.

    References
    ----------
    .. [1] R. P. McDonald, Test Theory (1999), ch. 6. Minres: H. H. Harman and W. H. Jones, Psychometrika 31 (1966).
    """
    found = complete(rows)
    if found.shape[1] < LEAST_ITEMS or len(found) < 3 or (found.std(axis=0) == 0).any():
        return None
    correlations = np.corrcoef(found, rowvar=False)
    off = ~np.eye(found.shape[1], dtype=np.bool_)

    def residual(loadings: NDArray[np.float64]) -> float:
        return float(((correlations - np.outer(loadings, loadings))[off] ** 2).sum())

    start = np.full(found.shape[1], 0.5)
    solved = minimize(
        residual,
        start,
        method="L-BFGS-B",
        bounds=[(-0.999, 0.999)] * len(start),
        options={"ftol": 1e-14, "gtol": 1e-10},
    )
    loadings = solved.x
    common = loadings.sum() ** 2
    return float(common / (common + (1 - loadings**2).sum()))


def reading(value: float | None) -> str:
    """What an alpha or omega allows: ``items``, ``care``, ``fine`` or ``alike``; where it is not defined, ``items``.

    It is not left out there: a reading that is missing would prove that everyone answered a question alike.
    """
    if value is None or value < 0.6:
        return "items"
    if value < 0.7:
        return "care"
    return "alike" if value > 0.95 else "fine"
