"""The answers audit of the 47 items on the default plan at 400 people, and what it finds when the steps are weakened."""

import time
from pathlib import Path
from typing import Any

import numpy as np

from analysis import publication, statistics_of
from analysis.answers_audit import audit_answers
from analysis.publication import SizeRow
from analysis.release import MINIMUM, _audited, _shown_of, _views, base_pattern
from analysis.views import candidates, incidence
from tests.benchmarks.simulated import instrument_and_plan, simulated

INVITED, RESPONDENTS = 430, 400
K = MINIMUM["items"]
ENDS_AT_TEN = tuple(
    SizeRow(r.least, r.index_step, r.share_step, r.classes, r.class_step, 10, 90) for r in publication.ROWS
)
NO_STEPS = (SizeRow(5, 0.125, 0.125, 5, 0.125, 0, 100),)


def _published(kind: str, items: slice) -> tuple[Any, ...]:
    instrument, plan = instrument_and_plan()
    raw = simulated(kind, RESPONDENTS, 1)
    found = incidence(plan, raw)
    weights = np.array([view.weight for view in plan.views], dtype=np.int64)
    base = base_pattern(plan, found, K, candidates(plan, found, K))
    statistics = statistics_of.statistics(raw, instrument)
    if items != slice(None):  # a part of the items alone, for tables under which nearly everything is found
        kept = [s for s in statistics if s.item is not None][items]
        statistics = [s for s in statistics if s in kept]
    shown = {s.key: _shown_of(s, found, weights, K, base) for s in statistics}
    return plan, base, statistics, shown, found, _views(plan, found, base, statistics, shown, INVITED)


def _measured(kind: str, items: slice = slice(None)) -> tuple[float, int, int]:
    _, base, statistics, _, found, views = _published(kind, items)
    began = time.perf_counter()
    findings = audit_answers(views, statistics, found, K, INVITED)
    return time.perf_counter() - began, len(findings), int(base.sum())


def _withdrawn(kind: str) -> tuple[float, int, int]:
    """Seconds until a document passes, the views that it shows in the end, and what a whole audit finds in it."""
    plan, base, statistics, shown, found, _ = _published(kind, slice(None))
    began = time.perf_counter()
    views, base, _ = _audited(plan, found, base, statistics, shown, INVITED, K, lambda _: None)
    seconds = time.perf_counter() - began
    return seconds, len(audit_answers(views, statistics, found, K, INVITED)), int(base.sum())


async def measure(folder: Path) -> list[tuple[str, str, str]]:
    rows = []
    for kind in ("ordinary", "skewed", "incomplete", "one bad service"):
        seconds, findings, shown = _measured(kind)
        rows.append((f"answers audit, 47 items, {RESPONDENTS} people, {kind}", f"{seconds:.0f} s", "<= 120 s"))
        rows.append((f"  findings in what would be published ({shown} views shown)", str(findings), "0, or withdrawn"))
        if findings:
            seconds, left, shown = _withdrawn(kind)
            rows.append((f"  findings in the document, views withdrawn in {seconds:.0f} s ({shown} shown)", str(left), "0"))
    shipped = publication.ROWS
    for name, table in (("ends at 10 and 90 everywhere", ENDS_AT_TEN), ("steps of 0.1 and no ends", NO_STEPS)):
        publication.ROWS = table  # a weakened copy, in this process alone
        try:
            _, findings, _ = _measured("skewed", slice(0, 6))
        finally:
            publication.ROWS = shipped
        rows.append((f"  weakened: {name}, skewed, 6 items: findings", str(findings), "> 0 for steps of 0.1"))
    return rows
