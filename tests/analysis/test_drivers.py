"""What goes together with an outcome: Shapley shares against their definition, and three words that noise does not earn."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import drivers
from analysis.drivers import shapley, words


def _correlations(rows: np.ndarray) -> np.ndarray:
    return np.asarray(np.corrcoef(rows, rowvar=False))


def _by_definition(table: np.ndarray) -> list[float]:
    """Every order of entering, each R² by least squares on the data: what the formula adds up."""
    p = table.shape[1] - 1
    z = (table - table.mean(axis=0)) / table.std(axis=0)

    def r2(chosen: tuple[int, ...]) -> float:
        if not chosen:
            return 0.0
        solved, *_ = np.linalg.lstsq(z[:, chosen], z[:, -1], rcond=None)
        return float(1 - ((z[:, -1] - z[:, chosen] @ solved) ** 2).mean())

    orders = list(permutations(range(p)))
    brought = np.zeros(p)
    for order in orders:
        for place, one in enumerate(order):
            brought[one] += r2(order[: place + 1]) - r2(order[:place])
    return [float(total) for total in brought / len(orders)]


@pytest.mark.parametrize("seed", range(5))
def test_shares_are_the_mean_increase_over_all_orders(seed: int) -> None:
    """Lindeman, Merenda and Gold (1980), p. 119, taken by its words."""
    source = np.random.default_rng(seed)
    themes = source.normal(size=(80, 4)) @ source.normal(size=(4, 4))
    table = np.column_stack([themes, themes @ source.normal(size=4) + source.normal(size=80)])
    assert shapley(_correlations(table)) == pytest.approx(_by_definition(table), abs=1e-9)


def test_of_two_predictors_the_closed_form_holds() -> None:
    """r1 = 0.5, r2 = 0.3, r12 = 0.4: R² = (0.25 + 0.09 - 2 * 0.5 * 0.3 * 0.4) / 0.84 = 0.22 / 0.84; LMG1 = (0.25 + R² - 0.09) / 2."""
    made = np.array([[1, 0.4, 0.5], [0.4, 1, 0.3], [0.5, 0.3, 1]])
    r2 = 0.22 / 0.84
    assert shapley(made) == pytest.approx([(0.25 + r2 - 0.09) / 2, (0.09 + r2 - 0.25) / 2], abs=1e-12)


@settings(max_examples=30)
@given(st.integers(0, 10_000), st.integers(2, 6))
def test_shares_sum_to_what_all_explain_and_follow_their_predictors(seed: int, p: int) -> None:
    source = np.random.default_rng(seed)
    table = source.normal(size=(60, p + 1)) @ source.normal(size=(p + 1, p + 1))
    made = _correlations(table)
    found, order = shapley(made), source.permutation(p)
    whole = drivers._r2(made, tuple(range(p)))
    assert found.sum() == pytest.approx(float(whole), abs=1e-8) and (found > -1e-9).all()
    turned = made[np.ix_([*order, p], [*order, p])]
    assert shapley(turned) == pytest.approx(found[order], abs=1e-8)


def test_predictors_that_say_the_same_share_what_they_bring() -> None:
    made = np.array([[1, 1, 0.6], [1, 1, 0.6], [0.6, 0.6, 1]])
    assert shapley(made) == pytest.approx([0.18, 0.18], abs=1e-9)


def _people(n: int, effects: tuple[float, ...], seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    source = np.random.default_rng(seed)
    themes = source.normal(size=(n, len(effects)))
    return themes, themes @ np.array(effects) + source.normal(size=n)


def test_what_drives_is_told_and_what_does_not_is_told_too() -> None:
    assert words(*_people(400, (1.0, 0.0, 0.0, 0.6))) == ("more", "less", "less", "linked")


def test_where_all_drive_alike_none_is_told_apart() -> None:
    apart = sum(word != "linked" for seed in range(20) for word in words(*_people(300, (0.6,) * 4, seed)) or ())
    assert apart <= 8  # of 80 words; five per cent on either side


@pytest.mark.parametrize(
    ("n", "effects"), [(199, (1.0, 1.0, 1.0)), (400, (0.0, 0.0, 0.0)), (400, (1.0, 1.0)), (210, (0.5,) * 22)]
)
def test_of_few_people_little_variance_or_few_themes_nothing_is_said(n: int, effects: tuple[float, ...]) -> None:
    assert words(*_people(n, effects)) is None


def test_only_people_who_answered_all_of_it_count_and_a_constant_says_nothing() -> None:
    themes, outcome = _people(230, (1.0, 0.0, 0.0))
    themes[:31, 1] = np.nan
    assert words(themes, outcome) is None
    assert words(themes[31:], np.ones(199)) is None
    assert words(np.column_stack([themes[31:], np.zeros(199)]), outcome[31:]) is None


def test_the_same_answers_give_the_same_words() -> None:
    assert words(*_people(250, (0.5, 0.3, 0.2))) == words(*_people(250, (0.5, 0.3, 0.2)))
