"""Other tables of steps and ends, tried on simulated and imported answers: what each proves, and what each hides.

Every table is tried with the views that the counts allow. `findings` are sides that the auditor could not show to be open in
one draw; `coded` is the share of items' figures below the organisation that are
an end; `error` is how far, on average, a published index is from the exact one.
"""

import math
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import numpy as np

from analysis.audit.answers import Published, audit_answers
from analysis.moves import Moves
from analysis.release import _shown_of, _views, base_pattern
from analysis.responses import RawResponses
from analysis.rules import MINIMUM
from analysis.scoring import Instrument
from analysis.statistic import RawStatistic, statistics_of
from analysis.steps import COARSER, FORMER_ROWS, ROWS, Rows, is_coded
from analysis.views import Plan, candidates, incidence
from surveys.importing.mapping import read_mapping
from surveys.importing.responses import read_responses
from surveys.lifecycle.imported import instrument_of, plan_of
from tests.benchmarks.audits import without_moves
from tests.benchmarks.simulated import instrument_and_plan, simulated

RESPONDENTS, ITEMS = 246, 12
K = MINIMUM["items"]
SEEDS = (1, 2)
KINDS = ("ordinary", "skewed", "incomplete", "nearly unanimous", "one bad service")
ROOT = Path(__file__).parents[2]
OSMI = ROOT.parent / "shared" / "data" / "osmi-2014.csv"


def _ends(end: float, under: int = 10**9) -> Rows:
    """The shipped steps with other ends for views of fewer than so many."""
    return tuple(replace(row, index_end=end, share_end=end) if row.least < under else row for row in ROWS)


TABLES: dict[str, tuple[Rows, bool]] = {
    "as shipped": (ROWS, True),
    "shipped, no figure moves": (ROWS, False),
    "before figures moved": (FORMER_ROWS, False),
    "coarser, no figure moves": (COARSER, False),
    "ends 20/80 everywhere": (_ends(20), True),
    "steps half as wide": (
        tuple(
            replace(r, index_step=r.index_step / 2, share_step=r.share_step / 2, class_step=r.class_step / 2)
            for r in ROWS
        ),
        True,
    ),
}


def _tried(
    rows: Rows, raw: RawResponses, plan: Plan, instrument: Instrument, invited: int | None
) -> tuple[int, float, float]:
    found = incidence(plan, raw)
    weights = np.array([view.weight for view in plan.views], dtype=np.int64)
    base = base_pattern(plan, found, K, candidates(plan, found, K))
    items = [s for s in statistics_of(raw, instrument) if s.item is not None][:ITEMS]
    shown = {s.key: _shown_of(s, found, weights, K, base) for s in items}
    dice = np.random.default_rng(1)
    views = _views(plan, found, base, items, shown, invited, Moves(lambda below: int(dice.integers(0, below))), rows)
    findings = audit_answers(Published(views, items, found, rows))
    coded, errors = [], []
    for place, view in enumerate(views):
        for statistic in items if place and view["shown"] else ():
            figure = view.get("items", {}).get(statistic.id, {}).get("index")
            if figure is not None:
                coded.append(is_coded(figure))
                errors += [] if is_coded(figure) else [abs(figure - _exact(statistic, found.people(place)))]
    return len(findings), float(np.mean(coded)), float(np.mean(errors)) if errors else math.nan


def _exact(statistic: RawStatistic, people: np.ndarray) -> float:
    return float(np.nanmean(statistic.scores[people]))


def _sets() -> list[tuple[RawResponses, Plan, Instrument, int | None]]:
    instrument, plan = instrument_and_plan()
    sets: list[tuple[RawResponses, Plan, Instrument, int | None]] = [
        (simulated(kind, RESPONDENTS, seed), plan, instrument, 430) for kind in KINDS for seed in SEEDS
    ]
    if OSMI.exists():
        mapping = read_mapping(ROOT / "docs" / "examples" / "osmi-2014.toml")
        found = read_responses(OSMI, mapping, key=bytes(32))
        sets.append(
            (RawResponses(found.n, found.groups, found.answers), plan_of(mapping), instrument_of(mapping), None)
        )
    return sets


async def measure(folder: Path) -> list[tuple[str, str, str]]:
    rows, sets = [], _sets()
    for name, (table, move) in TABLES.items():
        with nullcontext() if move else without_moves():
            tried = [_tried(table, *one) for one in sets]
        clean, findings = sum(not found for found, _, _ in tried), sum(found for found, _, _ in tried)
        coded, error = float(np.mean([c for _, c, _ in tried])), float(np.nanmean([e for _, _, e in tried]))
        rows.append(
            (
                f"{name}: data sets without a finding, findings",
                f"{clean} of {len(sets)}, {findings}",
                f"coded {coded:.0%}, error {error:.1f} points",
            )
        )
    return rows
