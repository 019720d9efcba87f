"""Lives of surveys by a state machine; `make bench` (part ``simulator``) tells many more, and finds each planted fault."""

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.benchmarks.simulator import first_seed
from tests.simulation.life import Life
from tests.simulation.planted import PLANTED
from tests.simulation.seeded import live

FEW = settings(
    max_examples=4,
    stateful_step_count=20,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
SOON = {
    "nothing that was cut off is finished": 0,
    "a step that writes nothing down before": 0,
    "a closing keeps the slips": 0,
    "any clock is believed": 1,
    "a code answers twice": 1,
}
"""Planted faults that an early seed finds. The seed is part of the test: it lives the same life each time."""


def test_no_life_of_a_survey_loses_an_answer_or_leaves_a_step_half_done() -> None:
    run_state_machine_as_test(Life, settings=FEW)


@pytest.mark.parametrize("seed", [23, 46])
def test_the_lives_that_once_lost_a_batch_do_no_more(seed: int) -> None:
    """A process that died between the two names of a file left one that was written over."""
    live(seed)


@pytest.mark.parametrize("fault", SOON)
def test_a_planted_fault_is_found_by_the_same_seed_each_time(fault: str) -> None:
    assert fault in PLANTED and first_seed(fault, 4) == SOON[fault]
