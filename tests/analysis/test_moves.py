"""The small secret move of each figure, against the law that PRIVACY 2.10 prints."""

from collections import Counter

import numpy as np
import pytest
from scipy.stats import chisquare

from analysis.moves import COUNTS, SUMS, Law, Moves
from tests.laws import probability


@pytest.mark.parametrize(
    ("law", "printed"),
    [
        (COUNTS, [0.56985, 0.2054, 0.00962, 0.00006]),
        (SUMS, [0.26596, 0.21297, 0.10934, 0.03599, 0.0076, 0.00103, 0.00009]),
    ],
)
def test_the_laws_are_those_of_the_experiment(law: Law, printed: list[float]) -> None:
    """PRIVACY 2.10 and the experiment's README: the chance of a move of 0, 1, 2 ... in each direction."""
    assert [probability(law, move) for move in range(law.most + 1)] == pytest.approx(printed, abs=6e-6)
    assert probability(law, law.most + 1) == 0.0
    assert all(probability(law, move) == probability(law, -move) > 0 for move in range(law.most + 1))


@pytest.mark.parametrize("law", [COUNTS, SUMS])
def test_moves_are_drawn_as_often_as_their_law_says(law: Law) -> None:
    """A hundred thousand draws, seeded; chi-square over all moves that are expected five times."""
    dice = np.random.default_rng(7)
    drawn = Counter(law.draw(lambda below: int(dice.integers(0, below))) for _ in range(100_000))
    moves = [move for move in range(-law.most, law.most + 1) if 100_000 * probability(law, move) >= 5]
    expected = np.array([probability(law, move) for move in moves])
    seen = np.array([drawn[move] for move in moves])
    assert set(drawn) <= set(range(-law.most, law.most + 1))
    assert chisquare(seen, expected / expected.sum() * seen.sum()).pvalue > 0.001
    assert law.variance == pytest.approx(float((expected * np.array(moves) ** 2).sum()), abs=1e-3)


def test_the_least_and_the_greatest_random_number_are_the_furthest_moves() -> None:
    assert (COUNTS.draw(lambda _: 0), COUNTS.draw(lambda below: below // 2), COUNTS.draw(lambda below: below - 1)) == (
        -3,
        0,
        3,
    )


def test_the_same_figure_under_another_name_moves_alike_and_another_figure_by_itself() -> None:
    """Could leak: the only item of an indicator, drawn twice, would show its sum at half the noise."""
    dice = np.random.default_rng(1)
    moves = Moves(lambda below: int(dice.integers(0, below)))
    first = [moves.of(SUMS, place) for place in range(40)]
    assert first == [moves.of(SUMS, place) for place in range(40)]
    assert len(set(first)) > 4


def test_without_a_source_of_its_own_no_two_documents_move_alike() -> None:
    """The system's randomness: that forty moves are the same twice has a chance under one in a billion."""
    first, second = (
        [Moves().of(SUMS, place) for place in range(1)]
        + [SUMS.draw(__import__("secrets").randbelow) for _ in range(60)]
        for _ in range(2)
    )
    assert first != second
