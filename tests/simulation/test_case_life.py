"""Lives of reports by a state machine; `make bench` (part ``simulator``) tells many more, and finds each planted fault."""

import pytest
from hypothesis.stateful import run_state_machine_as_test

from tests.benchmarks.simulator import first_seed
from tests.simulation.case_life import CaseLife
from tests.simulation.cases_planted import PLANTED
from tests.simulation.cases_seeded import live
from tests.simulation.test_life import FEW

SOON = {
    "told before it was refused": 0,
    "new keys without the reporter": 0,
    "a case goes before its last day": 1,
    "files of deleted cases stay": 1,
    "a year forgets what was deleted": 1,
}
"""Planted faults that an early seed finds, always the same."""


def test_no_life_of_a_report_loses_a_word_a_hold_or_a_day_and_none_leaves_a_row() -> None:
    run_state_machine_as_test(CaseLife, settings=FEW)


@pytest.mark.parametrize("seed", [2, 7])
def test_lives_that_found_the_most_planted_faults_find_none_in_what_we_ship(seed: int) -> None:
    live(seed)


@pytest.mark.parametrize("fault", SOON)
def test_a_planted_fault_is_found_by_the_same_seed_each_time(fault: str) -> None:
    assert first_seed(fault, 2, PLANTED, live) == SOON[fault]
