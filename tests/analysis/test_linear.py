"""Linear programmes that start from the last one give the optimum that SciPy's solver gives from nothing."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog
from scipy.sparse import csc_array

from analysis import linear
from analysis.audit import structure
from analysis.audit.structure import audit_structure
from analysis.linear import Answer, Programme

SEEDS = st.integers(0, 2**32 - 1)

DUAL_TOLERANCE = 1e-7
"""The solver's own, of each column: it costs the bound so much times the column's upper limit (seed 23 fell short by 1.3e-6)."""


@settings(deadline=None, max_examples=60)
@given(SEEDS, st.integers(1, 12), st.integers(2, 30))
def test_each_of_many_objectives_in_turn_has_the_optimum_and_the_duals_that_another_solver_finds(
    seed: int, rows: int, columns: int
) -> None:
    dice = np.random.default_rng(seed)
    system = (dice.random((rows, columns)) < 0.4).astype(np.float64)
    right = system @ dice.integers(0, 9, columns)
    programme = Programme(csc_array(system), right, np.zeros(columns), np.full(columns, np.inf))
    for place in range(min(6, columns)):
        cost, high = dice.uniform(-0.01, 0.01, columns), np.full(columns, 20.0)
        cost[place], high[place] = -1.0, 5.0
        found = programme.least(cost, np.zeros(columns), high)
        other = linprog(cost, A_eq=system, b_eq=right, bounds=np.column_stack([np.zeros(columns), high]).tolist())
        assert (found is None) == (other.x is None)
        if found is None:
            continue
        assert float(cost @ found.values) == pytest.approx(other.fun, abs=1e-7)
        assert (
            np.abs(system @ found.values - right).max() < 1e-7
            and (found.values >= -1e-9).all()
            and (found.values <= high + 1e-9).all()
        )
        rest = cost - system.T @ found.duals  # duality: right @ duals and what the upper bounds give
        bound = float(
            right @ found.duals + np.minimum(rest, 0) @ high
        )  # whatever the duals are, it is none above the optimum
        optimum = float(other.fun or 0.0)
        assert optimum - DUAL_TOLERANCE * high.sum() <= bound <= optimum + 1e-6


def test_a_problem_without_an_answer_has_none_and_the_next_one_has_its_own() -> None:
    programme = Programme(csc_array(np.ones((1, 2))), np.array([4.0]), np.zeros(2), np.full(2, np.inf))
    assert programme.least(np.array([-1.0, 0.0]), np.zeros(2), np.ones(2)) is None
    found = programme.least(np.array([-1.0, 0.0]), np.zeros(2), np.full(2, 3.0))
    assert found is not None and found.values.tolist() == [3.0, 1.0]


def test_it_writes_nothing_among_what_a_process_says(capfd: pytest.CaptureFixture[str]) -> None:
    programme = Programme(csc_array(np.ones((1, 2))), np.array([4.0]), np.zeros(2), np.full(2, np.inf))
    assert programme.least(np.ones(2), np.zeros(2), np.full(2, 3.0)) is not None
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    "lie",
    [[6.0, 0.0, 0.0], [6.0, -6.0, 0.0], [-9.0, 9.0, 0.0]],
    ids=["no change", "fewer than nobody", "the wrong heap"],
)
def test_the_auditor_clears_nothing_by_an_answer_that_is_no_change(
    monkeypatch: pytest.MonkeyPatch, lie: list[float]
) -> None:
    """Two views pin three people of nine; a solver that says otherwise is not believed."""
    matrix, n = np.array([[True, True, True], [False, True, True], [False, False, True]]), np.array([3, 6, 9])
    assert audit_structure(matrix, n, np.ones(3, dtype=np.bool_), 5).exposed == (0,)
    monkeypatch.setattr(linear.Programme, "least", lambda *_: Answer(np.array(lie), np.zeros(3)))
    assert audit_structure(matrix, n, np.ones(3, dtype=np.bool_), 5).exposed == (0,)
    assert vars(structure)["Programme"] is linear.Programme
