"""The choice of views for large organisations: each territory to its optimum, then certified all together (PRIVACY 2.4).

A territory's own views touch its own atoms alone, so each territory is solved by itself. Views of everyone tie the
territories together: a world must then keep their totals, too. It is looked for in a few territories at a time while the
others stay as they truly are, which is a world of the whole; only what finds none is asked of the whole. What is exposed
there loses views, greedily, and is asked again. Nothing is left uncertified.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.sparse import csr_array

from analysis.protect.suppression import ROUND_LIMIT, Cut, Pattern, Shown, SolverLimit, Vector, satisfy, solve

_linear: Any = linprog  # its stubs know dense matrices only

NEIGHBOURS = (12, 60, 300)
"""So many territories at a time are looked at, the next more only for what the fewer left open."""
SEED = 20010108
_CLOSE = 1e-6
type Part = tuple[NDArray[np.bool_], Vector, Vector, int, NDArray[np.bool_]]


def _solve_part(part: Part) -> tuple[Shown, int, bool]:
    matrix, n, weights, k, allowed = part
    found = solve(matrix, n, weights, k, allowed=allowed)
    return found.shown, found.lps, found.optimal


def solve_in_parts(
    matrix: csr_array,
    n: Vector,
    weights: Vector,
    k: int,
    part_of: Vector,
    *,
    allowed: Shown,
    progress: Callable[[str], None] | None = None,
    workers: int = 2,
) -> Pattern:
    """Find a pattern that protects every sensitive atom: the optimum of each part, certified and repaired as a whole.

    Parameters
    ----------
    matrix : sparse, views x atoms; row 0 is the whole organisation and stays shown
    n : respondents per atom
    weights : positive integers, the cost of hiding each view
    k : the least number of people, 2 or more
    part_of : the part of each atom, 0 or more; -1 for atoms of none, which only views of everyone count
    allowed : views that may be shown at all
    progress : told ``suppression:`` and the percent that is done
    workers : processes that solve parts beside each other; the pattern does not depend on them

    Returns
    -------
    `optimal` says that every part was solved to its optimum with its own total shown and that no view was hidden
    afterwards: the pattern is then optimal among those that show every such total.

    Raises
    ------
    SolverLimit
        Limits count rounds and nodes, never seconds.
    ValueError
        If fewer than `k` people answered.
    """
    if int(n.sum()) < k:
        raise ValueError("fewer people than the smallest group")
    say = progress or (lambda _: None)
    sizes = matrix.astype(np.int64) @ n
    shown: Shown = allowed & (sizes >= k)
    shown[0] = True
    local = _views_of_parts(matrix, part_of)
    lps, optimal = 0, True
    parts = [rows for rows in local.values() if len(rows)]
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        jobs = pool.map(_solve_part, (_part(matrix, n, weights, k, shown, rows) for rows in parts), chunksize=8)
        for done, (rows, (kept, asked, best)) in enumerate(zip(parts, jobs, strict=True), start=1):
            shown[rows] &= kept
            lps, optimal = lps + asked, optimal and best
            say(f"suppression:{60 * done // len(parts)}")
    whole = _Whole(matrix, n, k, part_of, local)
    for round_ in range(1, ROUND_LIMIT + 1):
        cuts = whole.cuts(shown, lambda share: say(f"suppression:{60 + int(39 * share)}"))
        if not cuts:
            return Pattern(shown, round_, lps + whole.lps, optimal)
        optimal = False
        if not satisfy(cuts, weights, shown):
            raise SolverLimit("an exposed group cannot be protected by hiding views")
    raise SolverLimit("too many rounds")


def _views_of_parts(matrix: csr_array, part_of: Vector) -> dict[int, NDArray[np.int64]]:
    """The views whose atoms all lie in one part, by part; each part's largest view first."""
    found: dict[int, list[int]] = {}
    for view in range(1, matrix.shape[0]):
        inside = part_of[matrix.indices[matrix.indptr[view] : matrix.indptr[view + 1]]]
        if len(inside) and inside[0] >= 0 and (inside == inside[0]).all():
            found.setdefault(int(inside[0]), []).append(view)
    widths = np.diff(matrix.indptr)
    return {part: np.array(sorted(rows, key=lambda row: (-widths[row], row))) for part, rows in sorted(found.items())}


def _atoms(matrix: csr_array, rows: Sequence[int] | NDArray[np.int64]) -> NDArray[np.int64]:
    return np.unique(matrix[rows].indices).astype(np.int64)


def _part(matrix: csr_array, n: Vector, weights: Vector, k: int, shown: Shown, rows: NDArray[np.int64]) -> Part:
    """One part as a problem of its own; a total of fewer than k people leaves nothing to show."""
    atoms = _atoms(matrix, rows)
    dense = matrix[rows][:, atoms].toarray().astype(np.bool_)
    may = shown[rows].copy()
    if int(n[atoms].sum()) < k or not dense[0].all():
        may[:] = False
        dense, atoms = np.ones((len(rows), 1), dtype=np.bool_), np.array([0])
        return dense, np.array([k]), weights[rows], k, may
    return dense, n[atoms], weights[rows], k, may


class _Whole:
    """The attacker on everything shown, by neighbourhoods of parts."""

    def __init__(
        self, matrix: csr_array, n: Vector, k: int, part_of: Vector, local: dict[int, NDArray[np.int64]]
    ) -> None:
        self.matrix, self.n, self.k, self.part_of, self.local, self.lps = matrix, n, k, part_of, local, 0
        everywhere = np.ones(matrix.shape[0], dtype=np.bool_)
        for rows in local.values():
            everywhere[rows] = False
        self.wide = np.flatnonzero(everywhere)
        self.sizes = (matrix.astype(np.int64) @ n).astype(np.float64)

    def cuts(self, shown: Shown, progress: Callable[[float], None]) -> list[Cut]:
        """One cut for each atom that no neighbourhood and not the whole could certify."""
        small = {int(atom) for atom in np.flatnonzero((self.n > 0) & (self.n < self.k))}
        parts = sorted({int(part) for part in np.unique(self.part_of)})
        for step, size in enumerate(NEIGHBOURS):
            if not small:
                return []
            groups = list(self._groups(parts, size, small))
            for place, group in enumerate(groups):
                small -= self._certified(shown, group, small)
                progress((step + place / len(groups)) / len(NEIGHBOURS))
            if size >= len(parts):
                break
        return [cut for atom in sorted(small) if (cut := self._exact(shown, atom))]

    def _groups(self, parts: list[int], size: int, small: set[int]) -> Iterator[list[int]]:
        """Windows of so many parts, one after the other; those without an open atom are left out."""
        open_ = {int(self.part_of[atom]) for atom in small}
        for start in range(0, len(parts), size):
            if open_ & set(window := parts[start : start + size]):
                yield window

    def _certified(self, shown: Shown, group: list[int], small: set[int]) -> set[int]:
        """The small atoms of these parts that a world of their own certifies."""
        atoms = np.flatnonzero(np.isin(self.part_of, group))
        rows = np.concatenate([self.wide, *(self.local[part] for part in group if part in self.local)])
        system = self.matrix[rows[shown[rows]]][:, atoms].astype(np.float64)
        system = system[np.diff(system.indptr) > 0]
        asked = {place for place, atom in enumerate(atoms) if int(atom) in small}
        left = set(asked)
        dice = np.random.default_rng(SEED)
        before = len(left) + 1
        while left and len(left) < before:
            before = len(left)
            left -= self._lifted(system, atoms, left, dice.uniform(0.5, 1.5, len(atoms)))
        for place in sorted(left):
            if place in left:
                wish = np.full(len(atoms), 0.001)
                wish[place] = 1.0
                left -= self._lifted(system, atoms, left, wish)
        return {int(atoms[place]) for place in asked - left}

    def _lifted(
        self, system: csr_array, atoms: NDArray[np.int64], left: set[int], wish: NDArray[np.float64]
    ) -> set[int]:
        """Move people among these atoms so that as many as can be of those left hold k; which do."""
        people = self.n[atoms].astype(np.float64)
        places = sorted(left)
        cost, ceiling = np.zeros(len(atoms)), np.where(people > 0, np.inf, 0.0)
        cost[places] = -wish[places]
        ceiling[places] = self.k - people[places]
        self.lps += 1
        found = _linear(
            cost,
            A_eq=system,
            b_eq=np.zeros(system.shape[0]),
            bounds=np.column_stack([-people, ceiling]),
            method="highs",
        )
        if found.x is None:
            raise SolverLimit("the attacker's problem has no answer")
        return {place for place in places if people[place] + found.x[place] >= self.k - _CLOSE}

    def _exact(self, shown: Shown, atom: int) -> Cut | None:
        """The most people an atom may hold when everyone may move; a cut if that is fewer than k."""
        rows = np.flatnonzero(shown)
        system = self.matrix[rows].astype(np.float64)
        cost = np.zeros(system.shape[1])
        cost[atom] = -1.0
        ceiling = np.where(self.n > 0, np.inf, 0.0)
        ceiling[atom] = float(self.k)
        self.lps += 1
        bounds = np.column_stack([np.zeros(len(ceiling)), ceiling])
        found = _linear(cost, A_eq=system, b_eq=self.sizes[rows], bounds=bounds, method="highs")
        if found.x is None:
            raise SolverLimit("the attacker's problem has no answer")
        need = self.k - float(found.x[atom])
        if need <= _CLOSE:
            return None
        duals = -np.asarray(found.eqlin.marginals, dtype=np.float64)
        gain = np.minimum(
            np.where(duals > 0, duals * (self.sizes[0] - self.sizes[rows]), -duals * self.sizes[rows]), need
        )
        useful = gain > _CLOSE
        return Cut(np.array([atom]), rows[useful], gain[useful], need)
