"""Targets that no whole change was found for, asked as linear programmes over fractions of people."""

from typing import Any

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import csr_array, diags_array, eye_array, kron, vstack

from analysis.worlds import Floats, Places, Target, Worlds

_linear: Any = linprog  # its stubs know dense matrices only

ONE_BY_ONE = 40
"""If more targets are left than this, none of them is asked alone: they count as not cleared."""


def relaxed(worlds: Worlds, open_: set[Target], rng: np.random.Generator, *, one_by_one: bool = True) -> set[Target]:
    """Strike out the pairs that fractions of people may leave: linear programmes; returns what is proven.

    Figures that are whole counts are tightened to whole numbers first, and a pair is struck out only if its count
    can fall or rise by one whole person. All pairs that are left are wished for at once, as long as that frees any,
    and then one by one.
    """
    first, group = _alike(worlds)
    heads = np.bincount(group, minlength=len(first))
    system = _system(worlds, first)
    low, high = _tightened(worlds)
    system = diags_array(1 / worlds.grain) @ system  # each row in people: whole numbers of ten digits are no good to a solver
    ends = np.concatenate([(high - worlds.constant) / worlds.grain, (worlds.constant - low) / worlds.grain])
    problem = {
        "A_ub": vstack([system, -system], format="csr"),
        "b_ub": np.minimum(ends, 1e9),
        "A_eq": kron(eye_array(len(heads)), np.ones((1, worlds.categories)), format="csr"),
        "b_eq": heads, "bounds": (0, None), "method": "highs-ipm",
    }  # fmt: skip
    columns = {
        (heap, category): np.flatnonzero(worlds.heap_of[first] == heap) * worlds.categories + category
        for heap, category in open_
    }
    left = set(open_)
    before = len(left) + 1
    while len(left) < before:  # each of these solutions frees as many as it can
        before = len(left)
        _solve(worlds, problem, columns, [(t, float(rng.uniform(0.5, 1.5))) for t in sorted(left)], left)
    for target in sorted(left) if one_by_one and len(left) <= ONE_BY_ONE else ():
        rises = worlds.truth[target] < worlds.truth[target[0]].sum()  # where all answer alike, it can only fall
        for sign in (1.0, -1.0) if rises else (1.0,):
            if target in left:
                _solve(worlds, problem, columns, [(target, sign)], left)
    return left


def _alike(worlds: Worlds) -> tuple[Places, Places]:
    """Groups of cells that no figure tells apart: one cell of each, and the group of every cell."""
    order = np.lexsort((worlds.row_of, worlds.cell_of))
    ends = np.cumsum(np.bincount(worlds.cell_of, minlength=len(worlds.answers)))
    groups: dict[tuple[int, bytes, bytes], int] = {}
    first: list[int] = []
    group = np.empty(len(worlds.answers), dtype=np.int64)
    for cell, heap in enumerate(worlds.heap_of):
        mine = order[ends[cell - 1] if cell else 0 : ends[cell]]
        key = (int(heap), worlds.row_of[mine].tobytes(), worlds.weight_of[mine].tobytes())
        if key not in groups:
            groups[key] = len(first)
            first.append(cell)
        group[cell] = groups[key]
    return np.array(first, dtype=np.int64), group


def _system(worlds: Worlds, first: Places) -> Any:
    """The figures as rows over how many of each group give each answer."""
    place = np.full(len(worlds.answers), -1)
    place[first] = np.arange(len(first))
    mine = place[worlds.cell_of] >= 0
    rows, groups = worlds.row_of[mine], place[worlds.cell_of[mine]]
    data = worlds.weight_of[mine][:, None] * worlds.worth[rows]
    places = groups[:, None] * worlds.categories + np.arange(worlds.categories)
    each = (np.repeat(rows, worlds.categories), places.ravel())
    found = csr_array((data.ravel(), each), shape=(len(worlds.constant), len(first) * worlds.categories))
    found.eliminate_zeros()  # answers that count nothing in a figure: two entries in five
    return found


def _solve(
    worlds: Worlds, problem: dict[str, Any], columns: dict[Target, Places],
    wishes: list[tuple[Target, float]], left: set[Target],
) -> None:  # fmt: skip
    """Lower (or raise, for a wish below 0) some counts, and strike out every pair that this solution frees."""
    if not wishes:
        return
    cost = np.zeros(problem["A_ub"].shape[1])
    for target, sign in wishes:
        cost[columns[target]] = sign
    found = _linear(cost, **problem)
    if found.x is None:
        return
    for target in sorted(left):
        if abs(float(found.x[columns[target]].sum()) - float(worlds.truth[target])) >= 1 - 1e-6:
            left.discard(target)


def _tightened(worlds: Worlds) -> tuple[Floats, Floats]:
    """The bounds of rows, moved inward to sums that whole people can reach: multiples of what all changes share."""
    low, high = worlds.low.copy(), worlds.high.copy()
    for row in range(len(low)):
        mine = worlds.weight_of[worlds.row_of == row]
        weights = np.unique(mine).astype(np.int64)
        worth = np.unique(worlds.worth[row]).astype(np.int64)
        if not len(weights) or len(worth) < 2:
            continue
        grid = int(np.gcd.reduce(weights)) * int(np.gcd.reduce(np.diff(worth)))
        base = int(worlds.constant[row]) + int(worth[0]) * int(mine.sum())  # what the least answers sum to
        low[row], high[row] = base - (base - low[row]) // grid * grid, base + (high[row] - base) // grid * grid
    return low, high
