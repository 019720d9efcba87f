"""Published worked examples. R. G. Newcombe, Statistics in Medicine 17 (1998) 857-872, table I, method 3 (Wilson)."""

import numpy as np
import pytest
from scipy.stats import hypergeom

from analysis.estimates import correction, wilson


@pytest.mark.parametrize(
    ("favourable", "answered", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_interval_matches_newcombe_1998_table_i_method_3(
    favourable: int, answered: int, low: float, high: float
) -> None:
    got = wilson(favourable / answered, answered)
    assert (got.low, got.high) == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize(
    ("population", "n", "mean", "least"), [(60, 36, 0.955, 0.927), (120, 60, 0.953, 0.881), (400, 240, 0.951, 0.915)]
)
def test_coverage_for_a_finite_population_is_that_of_the_exact_hypergeometric_sums(
    population: int, n: int, mean: float, least: float
) -> None:
    """STATISTICS 2.4: for each true count K, the chance that the interval of a sample holds K/N."""
    intervals = [wilson(x / n, n / correction(n, population)) for x in range(n + 1)]
    coverage = []
    for true in range(population + 1):
        chances = np.asarray(hypergeom.pmf(range(n + 1), population, true, n)).tolist()
        share = true / population
        coverage.append(
            sum(p for p, i in zip(chances, intervals, strict=True) if i.low - 1e-12 <= share <= i.high + 1e-12)
        )
    assert (sum(coverage) / len(coverage), min(coverage)) == pytest.approx((mean, least), abs=2e-3)


def test_an_answer_from_everyone_still_leaves_an_interval() -> None:
    assert correction(400, 400) == 0.1
    assert wilson(1.0, 400 / correction(400, 400)).low < 1


@pytest.mark.parametrize(("share", "size"), [(-0.1, 5), (1.2, 5), (0.5, 0)])
def test_shares_and_sizes_out_of_order_are_refused(share: float, size: float) -> None:
    with pytest.raises(ValueError, match="0 <= share <= 1"):
        wilson(share, size)
