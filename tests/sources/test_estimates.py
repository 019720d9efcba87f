"""Published worked examples. R. G. Newcombe, Statistics in Medicine 17 (1998) 857-872, table I, method 3 (Wilson)."""

import math

import pytest
from scipy.stats import hypergeom

from analysis.estimates import correction, favourable_share, mean_interval, worst_case


@pytest.mark.parametrize(
    ("favourable", "answered", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_interval_matches_newcombe_1998_table_i_method_3(
    favourable: int, answered: int, low: float, high: float
) -> None:
    got = favourable_share(favourable, answered)
    assert (got.low, got.high) == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize(
    ("population", "n", "mean", "least"), [(60, 36, 0.955, 0.927), (120, 60, 0.953, 0.881), (400, 240, 0.951, 0.915)]
)
def test_coverage_for_a_finite_population_is_that_of_the_exact_hypergeometric_sums(
    population: int, n: int, mean: float, least: float
) -> None:
    """STATISTICS 2.4: for each true count K, the chance that the interval of a sample holds K/N."""
    intervals = [favourable_share(x, n, population=population) for x in range(n + 1)]
    coverage = []
    for true in range(population + 1):
        chances = hypergeom.pmf(range(n + 1), population, true, n)
        share = true / population
        coverage.append(
            sum(p for p, i in zip(chances, intervals, strict=True) if i.low - 1e-12 <= share <= i.high + 1e-12)
        )
    assert (sum(coverage) / len(coverage), min(coverage)) == pytest.approx((mean, least), abs=2e-3)


def test_the_worked_example_of_indicator_3_6_is_critical() -> None:
    """STATISTICS 3: N = 412, n = 246, P = 44.1, SD = 27 gives 42.0 to 46.2."""
    got = mean_interval(44.1, 27, 246, population=412)
    assert (round(got.low, 1), round(got.high, 1)) == (41.9, 46.3)
    assert 27 / math.sqrt(246) * math.sqrt(1 - 246 / 412) == pytest.approx(1.09, abs=5e-3)


def test_an_answer_from_everyone_still_leaves_an_interval() -> None:
    assert correction(400, 400) == 0.1
    assert favourable_share(400, 400, population=400).low < 1


def test_worst_case_bounds_put_everyone_silent_on_one_side() -> None:
    assert worst_case(0.5, 200, 400) == (0.25, 0.75)


@pytest.mark.parametrize(("favourable", "answered"), [(-1, 5), (6, 5), (0, 0)])
def test_counts_out_of_order_are_refused(favourable: int, answered: int) -> None:
    with pytest.raises(ValueError, match="0 <= favourable <= answered"):
        favourable_share(favourable, answered)
