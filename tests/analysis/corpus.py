"""Three hundred seeded data sets, and an exact reader of what is released of them who shares no code with the audit."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp

from analysis.responses import RawResponses
from analysis.steps import ROWS, Figure
from analysis.views import RawIncidence
from tests.analysis.waves import LIKERT, wave

KINDS = (
    "ordinary",
    "skewed",
    "nearly unanimous",
    "never",
    "one bad service",
    "tiny",
    "with don't-knows",
    "with a joiner",
)
SETS = 300
LARGE = 10
"""Every tenth has 60 to 430 people, the others 10 to 60."""


@dataclass(frozen=True)
class DataSet:
    seed: int
    kind: str
    raw: RawResponses


def data_set(seed: int) -> DataSet:
    """The data set of a seed: its kind goes round, its size and answers are drawn."""
    rng = np.random.default_rng((2026, seed))
    kind = KINDS[seed % len(KINDS)]
    n = int(rng.integers(60, 431) if seed % LARGE == LARGE - 1 else rng.integers(10, 61))
    if kind == "tiny":
        n = int(rng.integers(10, 15))
    return DataSet(seed, kind, wave(n, genders=None, **{name: _column(kind, n, rng) for name in LIKERT}))


def _column(kind: str, n: int, rng: np.random.Generator) -> list[int]:
    spread = {
        "skewed": [0.02, 0.03, 0.1, 0.35, 0.5],
        "nearly unanimous": [0, 0, 0, 0.05, 0.95],
        "never": [0.97, 0.02, 0.01, 0, 0],
    }.get(kind, list(rng.dirichlet(np.ones(5) * 2)))
    answers = 1 + rng.choice(5, n, p=spread)
    if kind == "one bad service":
        answers = np.where(np.arange(n) % 3 == 0, rng.choice([1, 2], n, p=[0.95, 0.05]), np.maximum(answers, 4))
    if kind == "with don't-knows":
        answers = np.where(rng.random(n) < 0.25, -3, answers)
    if kind == "with a joiner":  # everyone alike but the last, who came since
        answers = np.full(n, 4)
        answers[-1] = 1
    return [int(answer) for answer in answers]


def printed(count: int, whole: int, step: float, end: float) -> Figure:
    """What a count prints as, said once more in whole numbers alone: eighths of a point, so that half steps are whole."""
    eighths = int(8 * step)
    rounded = (1600 * count + eighths * whole) // (2 * eighths * whole) * step
    if rounded <= end:
        return f"<={end:g}"
    return f">={100 - end:g}" if rounded >= 100 - end else rounded


def _possible(figure: Figure, whole: int, step: float, end: float, most: int) -> list[int]:
    """The counts of which some move prints this figure."""
    moved = [
        count
        for count in range(-most, whole + most + 1)
        if printed(min(max(count, 0), whole), whole, step, end) == figure
    ]
    return [max(0, moved[0] - most), min(whole, moved[-1] + most)]


def _bounds(
    views: Sequence[Mapping[str, Any]], found: RawIncidence, answered: Any, item: str, *, moves: bool
) -> tuple[Any, Any, Any]:
    """What one item's figures leave open, as rows over the counts of each atom and answer; `answered` people of each atom."""
    rows, ends = [], []
    for place, view in enumerate(views):
        shown = view.get("items", {}).get(item) if view["shown"] else None
        if shown is None:
            continue
        inside = found.matrix[place].astype(float)
        n = int((inside * answered).sum())
        row = next(one for one in reversed(ROWS) if n >= one.least)
        figures: list[tuple[Figure, list[float], int, float, float, int]] = [
            (shown["index"], [0, 1, 2, 3, 4], 4 * n, row.index_step, row.index_end, 6)
        ]
        if "favourable" in shown:
            figures.append((shown["favourable"], [0, 0, 0, 1, 1], n, row.share_step, row.share_end, 3))
        classes = shown.get("distribution", [])
        kinds: list[list[float]] = np.eye(5).tolist() if len(classes) == 5 else [[1, 1, 0, 0, 0], [0, 0, 1, 0, 0]]
        figures += [(f, kind, n, row.class_step, row.share_end, 3) for f, kind in zip(classes, kinds, strict=False)]
        for figure, worth, whole, step, end, most in figures:
            rows.append(np.kron(inside, worth))
            ends.append(_possible(figure, whole, step, end, most if moves else 0))
    low, high = np.array(ends).reshape(-1, 2).T
    return np.array(rows), low, high


def sides_proven(
    views: Sequence[Mapping[str, Any]], found: RawIncidence, raw: RawResponses, item: str, *, moves: bool = True
) -> set[int]:
    """The atoms in which all who answered are proven favourable, or none: integer programmes over counts of answers.

    The reader knows who answered, the table and the largest moves; `moves` is whether figures moved at all. What is true is
    one of the worlds that are left open: only what is true of an atom can be proven of it, so only that is asked.
    """
    there = raw.answer(item) >= 0
    answered = np.bincount(found.atom_of[there], minlength=len(found.n))
    rows, low, high = _bounds(views, found, answered, item, moves=moves)
    if not len(rows):  # nothing is printed of it
        return set()
    true = np.bincount(5 * found.atom_of[there] + raw.answer(item)[there] - 1, minlength=5 * len(answered))
    assert ((low <= rows @ true) & (rows @ true <= high)).all()
    heads = np.kron(np.eye(len(answered)), np.ones(5))
    limits = [LinearConstraint(rows, low, high), LinearConstraint(heads, answered, answered)]
    proven = set()
    for atom in np.flatnonzero(answered):
        wish = np.zeros(5 * len(answered))
        wish[5 * atom + 3 : 5 * atom + 5] = 1.0
        favourable = int(wish @ true)
        if favourable in (0, answered[atom]):
            sign = 1.0 if favourable else -1.0
            best = milp(
                sign * wish,
                integrality=np.ones(len(wish), dtype=np.int64),
                bounds=Bounds(0, np.inf),
                constraints=limits,
            )
            assert best.success
            if round(abs(best.fun)) == favourable:
                proven.add(int(atom))
    return proven
