"""Which views to show: k-protection at the least cost, by a master problem and attacker cuts (PRIVACY 2.2, 2.3).

After M. Fischetti and J. J. Salazar-Gonzalez, Management Science 47 (2001) 1008-1027, in the form of atoms: for every
sensitive atom there must be a world, consistent with everything shown, in which it holds at least k people.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csc_array, csr_array, vstack

from analysis.linear import Answer, Programme

_integer: Any = milp  # its stubs know dense matrices only

type Matrix = NDArray[np.bool_]
type Vector = NDArray[np.int64]
type Shown = NDArray[np.bool_]

ROUND_LIMIT = 2_000
NODE_LIMIT = 2_000_000
SEED = 20010108
_TOLERANCE = 1e-6


class SolverLimit(Exception):
    """The limit of rounds or nodes was reached, or the solver gave no answer: nothing may be shown."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """What to show. `optimal` says that the master problem was solved to proven optimality in every round."""

    shown: Shown
    rounds: int
    lps: int
    optimal: bool


@dataclass(frozen=True, slots=True)
class Cut:
    """A valid inequality that exposed atoms ask for: the hidden views among `views` must weigh at least `need`."""

    atoms: NDArray[np.int64]
    views: NDArray[np.int64]
    weights: NDArray[np.float64]
    need: float


class Attacker:
    """Looks for atoms that everything shown pins below k people.

    Atoms that the shown views cannot tell apart are one to an attacker: people may be moved among them freely. So the
    problems are posed in classes of such atoms, and a class of k people or more exposes none of its atoms.
    """

    def __init__(self, matrix: Matrix, n: Vector, k: int) -> None:
        self.live = np.flatnonzero(n > 0)
        self.matrix = matrix[:, self.live]
        self.n, self.k, self.lps = n[self.live].astype(np.float64), k, 0
        self.sizes = self.matrix.astype(np.float64) @ self.n
        self.total = float(self.n.sum())
        self._rng = np.random.default_rng(SEED)

    def cuts(self, shown: Shown, suspects: NDArray[np.int64] | None = None) -> Iterator[Cut]:
        """One cut for each class that the pattern exposes, of all or of those that hold a suspect.

        Suspects were exposed a moment ago: they are asked at once for their duals.
        """
        rows = np.flatnonzero(shown)
        columns, class_of = np.unique(self.matrix[rows], axis=1, return_inverse=True)
        people = np.bincount(class_of, weights=self.n, minlength=columns.shape[1])
        asked = np.ones(len(self.live), dtype=np.bool_) if suspects is None else np.isin(self.live, suspects)
        waiting = sorted({int(place) for place in class_of[asked] if people[place] < self.k})
        equal, right = csc_array(columns.astype(np.float64)), self.sizes[rows]
        size = equal.shape[1]
        programme = Programme(equal, right, np.zeros(size), np.full(size, np.inf))
        while waiting:  # most are lifted by the way, each problem starting from the last
            place = waiting.pop(0)
            world = None if suspects is not None else self._generous(programme, place, waiting)
            if world is None or world[place] < self.k - _TOLERANCE:
                world, value, duals = self._largest(programme, place)
                if value < self.k - _TOLERANCE and (cut := self._cut(self.live[class_of == place], rows, value, duals)):
                    yield cut
            waiting = [other for other in waiting if world[other] < self.k - _TOLERANCE]

    def _generous(self, programme: Programme, place: int, others: list[int]) -> NDArray[np.float64]:
        """A world that gives one class as much as it can and, by the way, lifts the others that wait."""
        cost = np.zeros(programme.size)
        high = np.full(programme.size, np.inf)
        cost[others] = -0.01 * self._rng.uniform(0.5, 1.5, len(others))
        high[others] = float(self.k)
        cost[place], high[place] = -1.0, float(self.k)
        return self._least(programme, cost, high).values

    def _least(self, programme: Programme, cost: NDArray[np.float64], high: NDArray[np.float64]) -> Answer:
        self.lps += 1
        found = programme.least(cost, np.zeros(programme.size), high)
        if found is None:
            raise SolverLimit("the attacker's problem has no answer")
        return found

    def _largest(self, programme: Programme, place: int) -> tuple[NDArray[np.float64], float, NDArray[np.float64]]:
        """The most people one atom may hold in a consistent world (at most k), that world, and the duals."""
        cost = np.zeros(programme.size)
        cost[place] = -1.0
        high = np.full(programme.size, np.inf)
        high[place] = float(self.k)
        found = self._least(programme, cost, high)
        return found.values, float(found.values[place]), -found.duals

    def _cut(
        self, atoms: NDArray[np.int64], rows: NDArray[np.int64], value: float, duals: NDArray[np.float64]
    ) -> Cut | None:
        need = self.k - value
        gain = np.where(duals > 0, duals * (self.total - self.sizes[rows]), -duals * self.sizes[rows])
        gain = np.minimum(gain, need)
        useful = gain > _TOLERANCE
        return Cut(atoms, rows[useful], gain[useful], need) if useful.any() else None


def _tight(sizes: NDArray[np.float64], k: int, allowed: Shown) -> Shown:
    """Views that may still be shown: allowed, and not of 1 to k-1 people."""
    return allowed & (sizes >= k)


def solve(
    matrix: Matrix,
    n: Vector,
    weights: Vector,
    k: int,
    *,
    allowed: Shown | None = None,
    progress: Callable[[str], None] | None = None,
) -> Pattern:
    """Find the pattern that protects every sensitive atom and hides the least weight.

    Parameters
    ----------
    matrix : bool array, views x atoms; row 0 is the whole organisation and stays shown
    n : respondents per atom, 0 or more, with at least `k` in all
    weights : positive integers, the cost of hiding each view
    k : the least number of people, 2 or more
    allowed : views that may be shown at all; None is all of them
    progress : told ``suppression`` before each choice of views

    Raises
    ------
    SolverLimit
        Limits count rounds and nodes, never seconds, so the same data give the same pattern.
    ValueError
        If fewer than `k` people answered.
    """
    if int(n.sum()) < k:
        raise ValueError("fewer people than the smallest group")
    attacker = Attacker(matrix, n, k)
    may = _tight(attacker.sizes, k, np.ones(len(matrix), dtype=np.bool_) if allowed is None else allowed)
    may[0] = True
    shown = may.copy()
    columns = np.flatnonzero(may)
    place = {int(view): i for i, view in enumerate(columns)}
    lower = np.zeros(len(columns))
    lower[place[0]] = 1.0
    rows: list[tuple[NDArray[np.int64], NDArray[np.float64], float]] = []
    seen: set[tuple[bytes, bytes]] = set()
    for round_ in range(1, ROUND_LIMIT + 1):
        fresh = False
        violated = False
        for cut in attacker.cuts(shown):
            violated = True
            key = (cut.views.tobytes(), np.round(cut.weights, 9).tobytes())
            if key not in seen:
                seen.add(key)
                fresh = True
                rows.append((np.array([place[int(v)] for v in cut.views]), cut.weights, cut.need))
        if not violated:
            return Pattern(shown, round_, attacker.lps, True)
        if not fresh:
            raise SolverLimit("the same cuts came twice")
        if progress is not None:
            progress("suppression")
        shown = _master(columns, len(matrix), weights[columns], lower, rows)
    raise SolverLimit("too many rounds")


def _master(
    columns: NDArray[np.int64],
    views: int,
    weights: Vector,
    lower: NDArray[np.float64],
    cuts: list[tuple[NDArray[np.int64], NDArray[np.float64], float]],
) -> Shown:
    """Show the most weight that all cuts allow: sum of w(1-z) >= need, that is sum of w z <= sum of w - need."""
    data = [
        csr_array((gain, (np.zeros(len(where), dtype=np.int64), where)), shape=(1, len(columns)))
        for where, gain, _ in cuts
    ]
    limits = np.array([gain.sum() - need for _, gain, need in cuts])
    found = _integer(
        -weights.astype(np.float64),
        integrality=np.ones(len(columns)),
        bounds=Bounds(lower, np.ones(len(columns))),
        constraints=LinearConstraint(vstack(data, format="csr"), -np.inf, limits + _TOLERANCE),
        options={"mip_rel_gap": 0.0, "node_limit": NODE_LIMIT},
    )
    if found.status != 0 or found.x is None:
        raise SolverLimit("the choice of views was not solved to optimality")
    shown = np.zeros(views, dtype=np.bool_)
    shown[columns[found.x > 0.5]] = True
    return shown


def repair(matrix: Matrix, n: Vector, weights: Vector, k: int, shown: Shown) -> tuple[Shown, int]:
    """Adapt a pattern to one statistic's own counts (item non-response): hide small views, then greedily what exposes.

    Returns the pattern of the statistic, a part of `shown`, and how many LPs it took. If fewer than `k` people
    entered the statistic, nothing of it is shown.

    Parameters
    ----------
    matrix : bool array, views x atoms; row 0 is the whole organisation
    n : people per atom who enter the statistic, 0 or more
    weights : positive integers, the cost of hiding each view
    k : the least number of people, 2 or more
    shown : the pattern by counts; it is not changed

    Raises
    ------
    SolverLimit
        As `solve`.
    """
    if int(n.sum()) < k:
        return np.zeros_like(shown), 0
    attacker = Attacker(matrix, n, k)
    now = _tight(attacker.sizes, k, shown)
    suspects = None
    for _ in range(ROUND_LIMIT):
        cuts = list(attacker.cuts(now, suspects))
        if not cuts:
            return now, attacker.lps
        suspects = np.concatenate([cut.atoms for cut in cuts])  # hiding more never exposes an atom that was safe
        if not satisfy(cuts, weights, now):
            return np.zeros_like(shown), attacker.lps
    raise SolverLimit("too many rounds")


def satisfy(cuts: list[Cut], weights: Vector, now: Shown) -> bool:
    """Hide views, the most useful for their weight first, until every cut has what it needs; false if none is left.

    Parameters
    ----------
    cuts : what the exposed atoms ask for
    weights : positive, one a view
    now : which views are shown; changed in place, and row 0 never
    """
    missing = np.array([cut.need for cut in cuts])
    while (missing > _TOLERANCE).any():
        use: dict[int, float] = {}
        for cut, need in zip(cuts, missing, strict=True):
            if need > _TOLERANCE:
                for view, gain in zip(cut.views, cut.weights, strict=True):
                    if view and now[view]:
                        use[int(view)] = use.get(int(view), 0.0) + min(float(gain), float(need)) / float(weights[view])
        if not use:
            return False
        best = min(use, key=lambda view: (-use[view], view))
        now[best] = False
        for place, cut in enumerate(cuts):
            missing[place] -= float(cut.weights[cut.views == best].sum())
    return True
