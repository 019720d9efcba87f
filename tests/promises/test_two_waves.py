"""Promise: who subtracts one wave from the next learns nothing certain; and the one case in which he may."""

from collections.abc import Callable

import numpy as np
import pytest

from analysis.publication import Figure, index_figure

type Publish = Callable[[float, int], Figure]
SIZES = (5, 9, 10, 19, 20, 30, 49, 50, 120, 199, 200, 250)
TRIALS = 400
CHOICES = 5


def _exact_to_a_tenth(index: float, n: int) -> Figure:
    """A weakened copy: means to one decimal, as most survey tools show them."""
    return round(index, 1)


def _sums(n: int, publish: Publish) -> np.ndarray:
    """The published figure of every sum of answers 0-4 that n people can have."""
    return np.array([str(publish(100 * total / (4 * n), n)) for total in range(4 * n + 1)])


def _open(n: int, first: int, second: int, publish: Publish, others_changed: int) -> int:
    """How many answers of the one joiner agree with both figures, if so much of the others' sum may have changed."""
    before, after = _sums(n, publish), _sums(n + 1, publish)
    possible = before == before[first]
    published = after == after[second]
    answers = set()
    for change in range(-others_changed, others_changed + 1):
        for answer in range(CHOICES):
            totals = np.flatnonzero(possible) + change + answer
            totals = totals[(totals >= 0) & (totals < len(published))]
            if published[totals].any():
                answers.add(answer)
    return len(answers)


def _waves(n: int) -> list[tuple[int, int]]:
    """Sums of one item before and after one person joined, by a fixed seed; everyone else answers the same again."""
    dice = np.random.default_rng((11, n))
    found = []
    for _ in range(TRIALS):
        answers = dice.choice(CHOICES, n + 1, p=dice.dirichlet(np.ones(CHOICES) * 2))
        found.append((int(answers[:-1].sum()), int(answers.sum())))
    return found


@pytest.mark.parametrize("n", SIZES)
def test_who_joined_between_two_waves_stays_open_if_one_other_person_may_have_changed_her_mind(n: int) -> None:
    """An attacker who knows the joiner and both figures, but not that every single other answer stayed as it was."""
    assert min(_open(n, first, second, index_figure, CHOICES - 1) for first, second in set(_waves(n))) >= 4


@pytest.mark.parametrize("n", SIZES)
def test_if_it_is_known_that_nobody_else_changed_few_joiners_are_read_and_without_steps_all(n: int) -> None:
    """PRIVACY 2.5 says that a step of 100/(2n+1) keeps a joiner open; this is what remains if everything else is known."""
    waves = _waves(n)
    shipped = sum(_open(n, *sums, index_figure, 0) == 1 for sums in waves) / TRIALS
    weakened = sum(_open(n, *sums, _exact_to_a_tenth, 0) == 1 for sums in waves) / TRIALS
    assert shipped <= 0.11
    assert weakened == 1.0 or n > 100  # tenths are steps too, for large groups
