"""The attacker as an independent check: does anything shown pin a small atom? Shares nothing with the solver but HiGHS, whose
answers it checks.

It knows the incidence, the counts and what is shown, and asks for every atom of 1 to k-1 people whether some world of
k people or more agrees with every shown total. It works with changes to the truth rather than with whole worlds.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_array

from analysis.linear import Programme

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

    Parameters
    ----------
    matrix : views x atoms: which atoms each view holds
    n : respondents per atom, 0 or more
    shown : of each view, whether a reader sees how many people it has
    k : the least number of people; only atoms of fewer are looked at

    Returns
    -------
    The atoms that are exposed, by position; none where nothing is shown.
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
    alike: dict[bytes, list[int]] = {}
    for atom in np.nonzero(n > 0)[0]:  # what no shown view tells apart may be exchanged: people move within a heap
        alike.setdefault(visible[:, atom].tobytes(), []).append(int(atom))
    heaps = list(alike.values())
    held = np.array([people[heap].sum() for heap in heaps])
    system = csc_array(visible[:, [heap[0] for heap in heaps]].astype(np.float64))
    changes = Programme(system, np.zeros(len(visible)), -held, np.full(len(held), np.inf))
    doubtful = {i for i, heap in enumerate(heaps) if held[i] < k and not exposed.issuperset(heap)}
    for heap in sorted(doubtful, key=lambda i: (-held[i], i)):
        if heap in doubtful and not _has_room(changes, system, held, doubtful, heap, k):
            exposed |= small & set(heaps[heap])
            doubtful.discard(heap)
    return StructureAudit(tuple(sorted(exposed)))


def _has_room(
    changes: Programme, system: csc_array, held: NDArray[np.float64], doubtful: set[int], heap: int, k: int
) -> bool:
    """Look for a change x with system @ x = 0, held + x >= 0 and held + x >= k at this heap; strike out all it clears.

    What the solver answers is checked here: a change that is none clears nothing.
    """
    for by_the_way in (0.001, 0.0):  # first raise the others too; if that fails, this heap alone
        wish = np.zeros(len(held))
        ceiling = np.full(len(held), np.inf)
        if by_the_way:
            others = sorted(doubtful)
            wish[others] = -by_the_way
            ceiling[others] = k - held[others]
        wish[heap] = -1.0
        ceiling[heap] = k - held[heap]
        answer = changes.least(wish, -held, ceiling)
        if (
            answer is None
            or np.abs(system @ answer.values).max(initial=0.0) > _CLOSE
            or (answer.values < -held - _CLOSE).any()
        ):
            continue
        if answer.values[heap] >= k - held[heap] - _CLOSE:
            doubtful -= {other for other in doubtful if answer.values[other] >= k - held[other] - _CLOSE}
            return True
    return False
