"""What a planned wave will likely show: the choice of views, tried on the staff list at expected response rates.

No answer exists yet. People who might answer are drawn at random from the panel, some times for each rate, and the views
are chosen as at a release. Runs in a short-lived process: it loads scipy.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.release import base_pattern
from analysis.responses import RawResponses
from analysis.rules import Rules
from analysis.views import Plan, candidates, incidence
from surveys.odd import reading
from surveys.people import panel
from surveys.people.panel import Member
from surveys.public.waves import WaveRecord

RATES = (0.5, 0.6, 0.7)
DRAWS = 5
SEED = 1936


@dataclass(frozen=True, slots=True)
class Expected:
    """One rate: for each view in how many of the draws it was shown, and in how many men gave way to "all others"."""

    rate: float
    respondents: int
    shown: dict[str, int]
    residual: int


async def preview(record: WaveRecord) -> list[Expected]:
    """Try the plan of a wave on its panel.

    Raises
    ------
    StoreOdd
        If panel, plan or rules of the wave are none that were ever planned.
    """
    with reading("wave"):
        unit = str(record.panel["unit"])
        plan = Plan.from_json(dict(record.plan))
        rules = Rules(**{f"k_{family}": k for family, k in record.rules["k"].items()})
    members = await panel.members(unit)
    return [_at(rate, members, plan, rules.k_items) for rate in RATES]


def _at(rate: float, members: Sequence[Member], plan: Plan, k: int) -> Expected:
    dice = np.random.default_rng((SEED, round(100 * rate)))
    count = max(k, round(rate * len(members)))
    shown = dict.fromkeys((view.id for view in plan.views), 0)
    residual = 0
    for _ in range(DRAWS):
        drawn = [members[i] for i in dice.choice(len(members), min(count, len(members)), replace=False)]
        groups = {
            dimension.id: [_code(member, dimension.id, {c.code for c in dimension.categories}) for member in drawn]
            for dimension in plan.dimensions
        }
        found = incidence(plan, RawResponses(len(drawn), groups, {}))
        allowed = candidates(plan, found, k)
        pattern = base_pattern(plan, found, k, allowed)
        for view, is_shown in zip(plan.views, pattern, strict=True):
            shown[view.id] += int(is_shown)
        residual += int(any(v.id == "gender:others" and ok for v, ok in zip(plan.views, allowed, strict=True)))
    return Expected(rate, count, shown, residual)


def _code(member: Member, dimension: str, known: set[str]) -> str:
    code = panel.category_of(member, dimension)
    while code and code not in known and "." in code:  # a team counts in its service
        code = code.rpartition(".")[0]
    return code if code in known else ""
