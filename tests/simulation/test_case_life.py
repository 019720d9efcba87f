"""Lives of reports by a state machine; `make bench` (part ``simulator``) tells many more, and finds each planted fault."""

from hypothesis.stateful import run_state_machine_as_test

from tests.simulation.case_life import CaseLife
from tests.simulation.test_life import FEW


def test_no_life_of_a_report_loses_a_word_a_hold_or_a_day_and_none_leaves_a_row() -> None:
    run_state_machine_as_test(CaseLife, settings=FEW)
