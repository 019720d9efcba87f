"""The whole release of the 47 items on the default plan: seconds of its parts, draws that failed, and the reader without moves."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from analysis import figures, moves, steps
from analysis.audit import answers, printed
from analysis.audit.answers import Published, audit_answers
from analysis.moves import Law, Moves
from analysis.release import LADDER, _audited, _shown_of, _views, base_pattern
from analysis.rules import MINIMUM
from analysis.statistic import statistics_of
from analysis.steps import ROWS
from analysis.views import candidates, incidence
from tests.benchmarks.simulated import instrument_and_plan, simulated

INVITED, RESPONDENTS = 430, 400
K = MINIMUM["items"]
KINDS = ("ordinary", "skewed", "incomplete", "nearly unanimous", "one bad service")


@contextmanager
def without_moves() -> Iterator[None]:
    """A weakened copy, in this process alone: no figure moves, and the audit knows it."""
    places = [(m, n) for m in (printed, figures, steps, moves) for n in ("COUNTS", "SUMS") if hasattr(m, n)]
    kept = [getattr(module, name) for module, name in places]
    for module, name in places:
        setattr(module, name, Law(1.0, 0))
    try:
        yield
    finally:
        for (module, name), law in zip(places, kept, strict=True):
            setattr(module, name, law)


class _Below:
    """A source of randomness that gives the same again."""

    def __init__(self, seed: int) -> None:
        self.dice = np.random.default_rng(seed)

    def __call__(self, below: int) -> int:
        return int(self.dice.integers(0, below))


@contextmanager
def _failures() -> Iterator[list[int]]:
    """How many findings each draw had that did not pass."""
    real, failed = answers.audit_answers, []

    def counted(*given: Any, **more: Any) -> list[answers.Finding]:
        findings = real(*given, **more)
        failed.extend([len(findings)] if findings else [])
        return findings

    answers.audit_answers = counted
    try:
        yield failed
    finally:
        answers.audit_answers = real


def _prepared(kind: str) -> tuple[Any, ...]:
    instrument, plan = instrument_and_plan()
    raw = simulated(kind, RESPONDENTS, 1)
    found = incidence(plan, raw)
    weights = np.array([view.weight for view in plan.views], dtype=np.int64)
    base = base_pattern(plan, found, K, candidates(plan, found, K))
    statistics = statistics_of(raw, instrument)
    shown = {s.key: _shown_of(s, found, weights, K, base) for s in statistics}
    return plan, found, base, statistics, shown


async def measure(folder: Path) -> list[tuple[str, str, str]]:
    rows = []
    for kind in KINDS:
        began = time.perf_counter()
        plan, found, base, statistics, shown = _prepared(kind)
        chosen = time.perf_counter()
        with _failures() as failed:
            _, rung = _audited(plan, found, base, statistics, shown, INVITED, _Below(1))
        drawn = time.perf_counter()
        name = f"{kind}, 47 items, {RESPONDENTS} people"
        rows.append(
            (
                f"{name}: views chosen, figures drawn and audited",
                f"{chosen - began:.1f} s, {drawn - chosen:.1f} s",
                "<= 10 s together",
            )
        )
        rows.append((f"  draws that failed, rung of {len(LADDER)}", f"{len(failed)}, {rung}", "0, 0"))
    with without_moves():
        plan, found, base, statistics, shown = _prepared("one bad service")
        views = _views(plan, found, base, statistics, shown, INVITED, Moves(lambda below: below // 2), ROWS)
        findings = audit_answers(Published(views, statistics, found))
    rows.append(("  weakened, no figure moves, one bad service: findings", str(len(findings)), "> 0"))
    return rows
