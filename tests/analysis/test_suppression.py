"""The solver against brute force, the auditor against both, and the examples of PRIVACY 2.2."""

from fractions import Fraction
from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from analysis.audit.structure import audit_structure
from analysis.protect.suppression import repair, solve

K = 5


def _cross(rows: int, columns: int) -> np.ndarray:
    """A two-way table: root, row totals, column totals, cells."""
    atoms = list(product(range(rows), range(columns)))
    views = [[True] * len(atoms)]
    views += [[r == row for r, _ in atoms] for row in range(rows)]
    views += [[c == column for _, c in atoms] for column in range(columns)]
    views += [[atom == cell for atom in atoms] for cell in atoms]
    return np.array(views)


def test_total_and_women_shown_expose_the_two_others_together() -> None:
    """PRIVACY 2.2: total 20, women 18; men 1 and other 1 are hidden, yet their sum is 2."""
    matrix = np.array([[1, 1, 1], [1, 0, 0], [0, 1, 0], [0, 0, 1]], dtype=bool)
    n = np.array([18, 1, 1])
    naive = np.array([True, True, False, False])
    assert audit_structure(matrix, n, naive, K).exposed == (1, 2)
    found = solve(matrix, n, np.ones(4, dtype=np.int64), K)
    assert found.shown.tolist() == [True, False, False, False]
    assert audit_structure(matrix, n, found.shown, K).passed


def test_a_view_of_four_is_never_shown_even_if_asked() -> None:
    matrix = np.array([[1, 1], [0, 1]], dtype=bool)
    assert audit_structure(matrix, np.array([20, 4]), np.array([True, True]), K).exposed == (1,)
    assert solve(matrix, np.array([20, 4]), np.ones(2, dtype=np.int64), K).shown.tolist() == [True, False]


counts = st.lists(st.integers(0, 9), min_size=4, max_size=4).filter(lambda n: sum(n) >= 8)


@settings(deadline=None, max_examples=25)
@given(counts)
def test_the_pattern_passes_the_auditor_and_no_better_one_exists(numbers: list[int]) -> None:
    matrix, n = _cross(2, 2), np.array(numbers)
    keep = matrix @ n > 0
    views, n = matrix[keep], n
    weights = np.arange(1, len(views) + 1)
    found = solve(views, n, weights, K)
    assert found.optimal
    assert audit_structure(views, n, found.shown, K).passed
    best = max(
        (
            int(weights[list((0, *chosen))].sum())
            for size in range(len(views))
            for chosen in combinations(range(1, len(views)), size)
            if audit_structure(views, n, _pattern(len(views), chosen), K).passed
        ),
        default=0,
    )
    assert int(weights[found.shown].sum()) == best


def _pattern(views: int, chosen: tuple[int, ...]) -> np.ndarray:
    shown = np.zeros(views, dtype=bool)
    shown[[0, *chosen]] = True
    return shown


@settings(deadline=None, max_examples=60)
@given(st.lists(st.integers(0, 9), min_size=9, max_size=9).filter(lambda n: sum(n) >= 20), st.data())
def test_a_repaired_pattern_protects_who_answered_one_question(numbers: list[int], data: st.DataObject) -> None:
    matrix, n = _cross(3, 3), np.array(numbers)
    weights = np.ones(len(matrix), dtype=np.int64)
    base = solve(matrix, n, weights, K, allowed=matrix @ n > 0).shown
    answered = np.array([data.draw(st.integers(0, int(count))) for count in numbers])
    repaired, _ = repair(matrix, answered, weights, K, base)
    assert not (repaired & ~base).any()
    assert audit_structure(matrix, answered, repaired, K).passed


def test_the_same_table_gives_the_same_pattern() -> None:
    rng = np.random.default_rng(3)
    matrix, n = _cross(4, 4), rng.integers(0, 9, 16)
    first, second = (
        solve(matrix, n, np.ones(len(matrix), dtype=np.int64), K, allowed=matrix @ n > 0).shown for _ in range(2)
    )
    assert first.tolist() == second.tolist()


def test_fewer_people_than_the_smallest_group_are_refused() -> None:
    with pytest.raises(ValueError, match="fewer people"):
        solve(np.array([[True]]), np.array([4]), np.array([1]), K)


def _span_attack(views: np.ndarray, n: np.ndarray) -> list[tuple[int, ...]]:
    """A third attacker: every set of atoms that shown views add up to, by exact elimination; sets of 1 to k-1 people."""
    found = []
    rows = [[Fraction(int(x)) for x in view] for view in views]
    basis: list[list[Fraction]] = []
    for row in rows:
        row = _reduced(row, basis)
        if any(row):
            lead = next(i for i, x in enumerate(row) if x)
            basis.append([x / row[lead] for x in row])
    for size in range(1, len(n) + 1):
        for atoms in combinations(range(len(n)), size):
            target = [Fraction(int(i in atoms)) for i in range(len(n))]
            if not any(_reduced(target, basis)) and 0 < sum(int(n[i]) for i in atoms) < K:
                found.append(atoms)
    return found


def _reduced(row: list[Fraction], basis: list[list[Fraction]]) -> list[Fraction]:
    for pivot in basis:
        lead = next(i for i, x in enumerate(pivot) if x)
        if row[lead]:
            row = [a - row[lead] * b for a, b in zip(row, pivot, strict=True)]
    return row


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(1, 9), min_size=9, max_size=9))
def test_no_combination_of_shown_views_is_a_group_of_one_to_four(numbers: list[int]) -> None:
    matrix, n = _cross(3, 3), np.array(numbers)
    shown = solve(matrix, n, np.ones(len(matrix), dtype=np.int64), K).shown
    assert _span_attack(matrix[shown], n) == []


def test_the_same_attack_finds_the_leak_when_only_small_views_are_hidden() -> None:
    matrix, n = _cross(3, 3), np.array([2, 8, 7, 6, 9, 8, 7, 6, 9])
    naive = matrix @ n >= K
    assert (0,) in _span_attack(matrix[naive], n)
    assert 0 in audit_structure(matrix, n, naive, K).exposed


def _pinned(matrix: np.ndarray, n: np.ndarray) -> tuple[int, ...]:
    """(P) of PRIVACY 2.2 as it is written: for each small atom the most people it can hold, one LP each, no shortcut."""
    live = np.flatnonzero(n > 0)
    system = matrix[:, live].astype(float)
    exposed = []
    for place, atom in enumerate(live):
        if n[atom] < K:
            wish = np.zeros(len(live))
            wish[place] = -1
            most = linprog(wish, A_eq=system, b_eq=system @ n[live], bounds=(0, None))
            if most.status == 3:  # without bound
                continue
            assert most.x is not None
            if most.x[place] < K - 1e-6:
                exposed.append(int(atom))
    return tuple(exposed)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.integers(0, 9), min_size=12, max_size=12), st.lists(st.booleans(), min_size=19, max_size=19))
def test_the_auditor_finds_exactly_what_the_definition_does(numbers: list[int], chosen: list[bool]) -> None:
    matrix, n = _cross(3, 4), np.array(numbers)
    shown = np.array([True, *chosen])
    assert audit_structure(matrix, n, shown, K).exposed == _pinned(matrix[shown], n)
