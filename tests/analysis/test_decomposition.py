"""The choice of views in parts: protected as a whole, never better than the optimum, the same for the same data."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from analysis.audit.structure import audit_structure
from analysis.audit.structure_wide import audit_wide_structure
from analysis.demographics import Category
from analysis.protect import territories
from analysis.protect.suppression import SolverLimit, solve
from analysis.protect.territories import solve_in_parts
from analysis.responses import RawResponses
from analysis.views import RawIncidence, incidence
from tests.crosses import full_cross_plan

K = 5
UNITS = [Category(f"t{t}", "") for t in range(3)] + [
    Category(f"t{t}s{s}", "", f"t{t}") for t in range(3) for s in range(2)
]
PLAN = full_cross_plan(UNITS, [Category(c, c) for c in "fm"], [Category(c, c) for c in "ab"])


def _found(seed: int, people: int, nobody_in: str = "") -> RawIncidence:
    dice = np.random.default_rng(seed)
    services = [unit.code for unit in UNITS if unit.parent and unit.code[:2] != nobody_in]
    shares = dice.dirichlet(np.ones(len(services)))
    groups = {
        "unit": dice.choice(services, people, p=shares).tolist(),
        "gender": dice.choice(["f", "m"], people, p=[0.8, 0.2]).tolist(),
        "age": dice.choice(["a", "b"], people).tolist(),
    }
    return incidence(PLAN, RawResponses(people, groups, {}))


def _solved(found: RawIncidence) -> np.ndarray:
    weights = np.ones(len(PLAN.views), dtype=np.int64)
    return solve_in_parts(found.sparse, found.n, weights, K, found.part_of, allowed=found.sizes() > 0, workers=1).shown


@pytest.mark.parametrize("seed", range(6))
def test_in_parts_everything_is_protected_and_nothing_is_better_than_the_optimum(seed: int) -> None:
    found = _found(seed, 60 + 10 * seed)
    shown = _solved(found)
    assert audit_structure(found.matrix, found.n, shown, K).passed
    assert audit_wide_structure(found.sparse, found.n, shown, K).passed
    assert not (shown & (found.sizes() < K)).any()
    best = solve(found.matrix, found.n, np.ones(len(PLAN.views), dtype=np.int64), K, allowed=found.sizes() > 0).shown
    assert shown.sum() <= best.sum()
    assert (shown == _solved(found)).all()


def test_a_territory_of_fewer_than_five_people_shows_nothing_of_its_own() -> None:
    dice = np.random.default_rng(1)
    units = ["t0s0"] * 3 + dice.choice(["t1s0", "t1s1", "t2s0", "t2s1"], 60).tolist()
    groups = {"unit": units, "gender": ["f", "m"] * 31 + ["f"], "age": ["a"] * 30 + ["b"] * 33}
    found = incidence(PLAN, RawResponses(63, groups, {}))
    shown = _solved(found)
    names = [view.id for view, kept in zip(PLAN.views, shown, strict=True) if kept]
    assert "all" in names and not any(name.startswith("unit:t0") for name in names)
    assert audit_structure(found.matrix, found.n, shown, K).passed


def _two_parts() -> tuple[csr_array, np.ndarray, np.ndarray]:
    """Each part hides its one small group well; but the view of all such groups, six people in all, and the rest together
    with the parts' totals leave one of them alone: what is local optimum is exposed by a view of everyone."""
    rows = [
        [1, 1, 1, 1],  # everyone
        [1, 1, 0, 0],
        [0, 0, 1, 1],  # the parts
        [1, 0, 0, 0],
        [0, 1, 0, 0],
        [0, 0, 1, 0],
        [0, 0, 0, 1],  # their groups
        [1, 0, 1, 0],
        [0, 1, 0, 1],  # the same groups of everyone
    ]
    return csr_array(np.array(rows, dtype=np.int8)), np.array([2, 20, 9, 20]), np.array([0, 0, 1, 1])


def test_what_a_view_of_everyone_exposes_is_repaired() -> None:
    matrix, n, part_of = _two_parts()
    weights = np.ones(matrix.shape[0], dtype=np.int64)
    local = np.array([True, True, True, False, False, True, True, True, True])
    assert audit_structure(matrix.toarray().astype(bool), n, local, K).exposed == (
        0,
    )  # the parts alone would show this
    assert audit_wide_structure(matrix, n, local, K).exposed == (0,)
    made = solve_in_parts(matrix, n, weights, K, part_of, allowed=np.ones(9, dtype=bool), workers=1)
    assert not made.optimal
    assert audit_structure(matrix.toarray().astype(bool), n, made.shown, K).passed
    assert made.shown.sum() >= 4


def test_a_limit_that_is_reached_shows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    matrix, n, part_of = _two_parts()
    monkeypatch.setattr(territories, "ROUND_LIMIT", 1)
    with pytest.raises(SolverLimit):
        solve_in_parts(matrix, n, np.ones(9, dtype=np.int64), K, part_of, allowed=np.ones(9, dtype=bool), workers=1)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(0, 9), min_size=6, max_size=6), st.lists(st.booleans(), min_size=9, max_size=9))
def test_both_auditors_judge_every_pattern_alike(numbers: list[int], more: list[bool]) -> None:
    rows = [
        [1] * 6,
        [1, 1, 1, 0, 0, 0],
        [0, 0, 0, 1, 1, 1],
        [1, 0, 0, 1, 0, 0],
        [0, 1, 0, 0, 1, 0],
        [0, 0, 1, 0, 0, 1],
        [1, 0, 0, 0, 0, 0],
        [0, 0, 0, 0, 1, 0],
        [1, 1, 0, 1, 1, 0],
    ]
    matrix, n = csr_array(np.array(rows, dtype=np.int8)), np.array(numbers)
    shown = np.array([True, *more[1:]])
    dense = audit_structure(matrix.toarray().astype(bool), n, shown, K).exposed
    assert audit_wide_structure(matrix, n, shown, K).exposed == dense


def test_a_release_of_a_large_organisation_takes_the_same_road(monkeypatch: pytest.MonkeyPatch) -> None:
    from analysis import release
    from tests.analysis.waves import released, wave

    monkeypatch.setattr(release, "EXACT_ATOMS", 3)
    document = released(wave(90, A1=[1, 2, 3, 4, 5] * 18))
    assert document["certificate"]["families"]["items"] == "pass"
    assert sum(view["shown"] for view in document["views"]) > 3
