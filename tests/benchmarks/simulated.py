"""Simulated answers to the 47 items in the benchmark's cooperative: ordinary ones, and kinds that strain protection."""

import numpy as np

from analysis.demographics import Category
from analysis.release import Facts
from analysis.responses import RawResponses
from analysis.scoring import Instrument
from analysis.views import Plan, default_plan
from surveys.lifecycle.instrument import instrument_of
from surveys.questionnaire.shipped import UnitNode, shipped
from tests.benchmarks.installation import cooperative

KINDS = ("ordinary", "skewed", "unanimous", "nearly unanimous", "incomplete", "one bad service")
GENDERS, AGES = ("f", "m", "nb", "self"), ("u30", "30_39", "40_49", "50_59", "60p")


def instrument_and_plan() -> tuple[Instrument, Plan]:
    """The shipped questionnaire and the default plan of the benchmark's six territories and forty services."""
    units = cooperative(1)[0]
    form = shipped("full", [UnitNode(unit.code, unit.name, unit.parent) for unit in units], ("unit", "gender", "age"))
    tree = [Category(unit.code, unit.name, unit.parent or None) for unit in units]
    plan = default_plan(tree, [Category(c, c) for c in GENDERS], [Category(c, c) for c in AGES])
    return instrument_of(form), plan


def simulated(kind: str, respondents: int, seed: int) -> RawResponses:
    """Answers of so many people; the kinds are those of PRIVACY 2.5."""
    dice = np.random.default_rng((seed, KINDS.index(kind)))
    instrument, _ = instrument_and_plan()
    people = cooperative(respondents)[1]
    groups = {
        "unit": [person.unit for person in people],
        "gender": [person.gender if dice.random() > 0.03 else "" for person in people],
        "age": [person.age for person in people],
    }
    bad = np.array([unit == people[0].unit for unit in groups["unit"]])
    answers: dict[str, list[int]] = {}
    for place, item in enumerate(instrument.items):
        size = item.high - item.low + 1
        chances = dice.dirichlet(np.ones(size) * 2)
        if kind == "skewed":
            chances = np.array([0.02, 0.03, 0.05, 0.3, 0.6])[:size] if item.family == "items" else chances
        if kind in ("unanimous", "nearly unanimous") and place % 2 == 0:
            chances = np.full(size, 0.02 if kind == "nearly unanimous" else 0.0)
            chances[-1 if place % 4 else 0] = 1.0
        given = dice.choice(np.arange(item.low, item.high + 1), respondents, p=chances / chances.sum())
        if kind == "one bad service":
            given = np.where(bad, item.low, np.where(dice.random(respondents) < 0.97, item.high, item.high - 1))
        lost = dice.random(respondents) < (0.25 if kind == "incomplete" else 0.04)
        answers[item.id] = np.where(lost, -1, given).tolist()
    return RawResponses(respondents, groups, answers)


def facts(respondents: int, invited: int) -> Facts:
    return Facts(
        "bench",
        "ascolto",
        {"id": "w", "title": {"it": "W"}, "opened": "", "closed": ""},
        {"id": "q", "version": "1", "sha256": ""},
        {"invited": invited, "issued": 0, "drawn": respondents, "received": respondents, "unreadable": 0},
    )
