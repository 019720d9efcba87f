"""The independent auditor for large organisations: the same question, asked in windows of atoms (PRIVACY 2.4).

An atom is safe once one change to the truth is found that keeps every shown total and lifts it to k people. A change that
touches a window of atoms alone, and nobody else, is such a change. What no window clears is asked of everyone at once.
Shares no code with the solver, nor with the way in which it cuts an organisation up: windows follow short views.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.sparse import csc_array, csr_array

from analysis.audit.structure import StructureAudit

_linear: Any = linprog  # its stubs know dense matrices only

WINDOWS = (150, 600)
"""Windows have at least so many atoms, the second kind only for what the first left."""
_CLOSE = 1e-7
SEED = 1927


def audit_wide_structure(matrix: csr_array, n: NDArray[np.int64], shown: NDArray[np.bool_], k: int) -> StructureAudit:
    """Check k-protection of a pattern, as `audit_structure` does, for a sparse incidence of views x atoms.

    Parameters
    ----------
    matrix : sparse, views x atoms
    n : respondents per atom, 0 or more
    shown : of each view, whether a reader sees how many people it has
    k : the least number of people; only atoms of fewer are looked at

    Returns
    -------
    The atoms that are exposed, and those for which no change was found: by position.
    """
    visible = matrix[np.flatnonzero(shown)].astype(np.float64)
    totals = visible @ n
    exposed = {
        int(atom)
        for row in np.flatnonzero((totals > 0) & (totals < k))
        for atom in visible.indices[visible.indptr[row] : visible.indptr[row + 1]]
        if 0 < n[atom] < k
    }
    doubtful = {int(atom) for atom in np.flatnonzero((n > 0) & (n < k))} - exposed
    dice = np.random.default_rng(SEED)
    columns = csc_array(visible)
    lengths = np.diff(visible.indptr)
    for size in (*WINDOWS, len(n)):
        for atom in sorted(doubtful):
            if atom in doubtful:
                window = _window(visible, columns, lengths, atom, size, len(n), dice)
                doubtful -= _lifted(columns, n, doubtful, window, atom, k)
        if size >= len(n):
            break
    return StructureAudit(tuple(sorted(exposed | doubtful)))


def _window(
    visible: csr_array,
    columns: csc_array,
    lengths: NDArray[Any],
    atom: int,
    size: int,
    atoms: int,
    dice: np.random.Generator,
) -> NDArray[np.int64]:
    """The atom, all that share its longest view of fewer than `size` atoms, and such views of others until it is full."""
    if size >= atoms:
        return np.arange(atoms)
    chosen: set[int] = set()
    seed = atom
    for _ in range(40):
        rows = columns.indices[columns.indptr[seed] : columns.indptr[seed + 1]]
        short = [row for row in rows if lengths[row] < size]
        if short:
            row = max(short, key=lambda row: (lengths[row], -row))
            chosen |= {int(a) for a in visible.indices[visible.indptr[row] : visible.indptr[row + 1]]}
        chosen.add(seed)
        if len(chosen) >= size:
            break
        seed = int(dice.integers(atoms))
    return np.array(sorted(chosen), dtype=np.int64)


def _lifted(
    columns: csc_array, n: NDArray[np.int64], doubtful: set[int], window: NDArray[np.int64], atom: int, k: int
) -> set[int]:
    """The doubtful atoms that one change inside the window lifts to k; it tries hardest for the given one."""
    inside = columns[:, window]
    rows = np.unique(inside.indices)
    system = csr_array(inside)[rows]
    people = n[window].astype(np.float64)
    place = int(np.searchsorted(window, atom))
    others = [i for i, a in enumerate(window) if int(a) in doubtful]
    for by_the_way in (0.01, 0.0):
        wish = np.zeros(len(window))
        ceiling = np.where(people > 0, np.inf, 0.0)
        if by_the_way:
            wish[others] = -by_the_way
            ceiling[others] = k - people[others]
        wish[place], ceiling[place] = -1.0, k - people[place]
        bounds = np.column_stack([-people, ceiling])
        answer = _linear(wish, A_eq=system, b_eq=np.zeros(len(rows)), bounds=bounds, method="highs")
        if answer.x is not None and answer.x[place] >= k - people[place] - _CLOSE:
            return {int(window[i]) for i in others if people[i] + answer.x[i] >= k - _CLOSE}
    return set()
