"""The attacker as an independent check: does anything shown pin a small atom? Shares no code with the solver.

It knows the incidence, the counts and what is shown, and asks for every atom of 1 to k-1 people whether some world of
k people or more agrees with every shown total. It works with changes to the truth rather than with whole worlds.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.sparse import csc_array

_linear: Any = linprog  # its stubs know dense matrices only

VERSION = "ascolto-auditor 1"
_CLOSE = 1e-7


@dataclass(frozen=True, slots=True)
class StructureAudit:
    """The verdict on one statistic's structure: atoms that are exposed, by position."""

    exposed: tuple[int, ...]

    @property
    def passed(self) -> bool:
        return not self.exposed


def audit_structure(
    matrix: NDArray[np.bool_], n: NDArray[np.int64], shown: NDArray[np.bool_], k: int
) -> StructureAudit:
    """Check k-protection of a pattern: (P) of PRIVACY 2.2 for each atom with ``0 < n < k``.

    A shown view of 1 to k-1 people exposes its atoms by itself; an LP without an answer counts as exposed.
    """
    people = n.astype(np.float64)
    small = {int(atom) for atom in np.nonzero((n > 0) & (n < k))[0]}
    if not shown.any():
        return StructureAudit(())
    visible = matrix[shown]
    totals = visible @ people
    exposed: set[int] = set()
    for row, total in zip(visible, totals, strict=True):
        if 0 < total < k:
            exposed |= small & {int(atom) for atom in np.nonzero(row)[0]}
    exists = np.nonzero(n > 0)[0]
    where = {int(atom): position for position, atom in enumerate(exists)}
    system = csc_array(visible[:, exists].astype(np.float64))
    floor = -people[exists]
    nothing = np.zeros(system.shape[0])
    for atom in sorted(small - exposed, key=lambda a: (-int(n[a]), a)):
        if atom in small and not _has_room(system, nothing, floor, where, small, atom, n, k):
            exposed.add(atom)
            small.discard(atom)
    return StructureAudit(tuple(sorted(exposed)))


def _has_room(
    system: csc_array, nothing: NDArray[np.float64], floor: NDArray[np.float64], where: dict[int, int], small: set[int],
    atom: int, n: NDArray[np.int64], k: int,
) -> bool:  # fmt: skip
    """Look for a change x with system @ x = 0, n + x >= 0 and n + x >= k at this atom; strike out all it clears."""
    wish = np.zeros(len(floor))
    ceiling = np.full(len(floor), np.inf)
    for other in small:
        wish[where[other]] = -0.001  # by the way, raise the others too
        ceiling[where[other]] = k - n[other]
    wish[where[atom]] = -1.0
    ceiling[where[atom]] = k - n[atom]
    answer = _linear(wish, A_eq=system, b_eq=nothing, bounds=np.column_stack([floor, ceiling]), method="highs")
    if answer.x is None:
        return False
    cleared = {other for other in small if answer.x[where[other]] >= k - n[other] - _CLOSE}
    if atom not in cleared:
        alone = np.zeros(len(floor))
        alone[where[atom]] = -1.0
        free = np.full(len(floor), np.inf)
        free[where[atom]] = k - n[atom]
        answer = _linear(alone, A_eq=system, b_eq=nothing, bounds=np.column_stack([floor, free]), method="highs")
        if answer.x is None or answer.x[where[atom]] < k - n[atom] - _CLOSE:
            return False
        cleared.add(atom)
    small -= cleared
    return True
