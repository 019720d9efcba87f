"""The whole release of the full questionnaire at 5,000 and 50,000 people: territories and services grow with them."""

import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from analysis.demographics import Category
from analysis.release import release
from analysis.responses import RawResponses
from analysis.rules import Rules
from analysis.views import default_plan
from surveys.lifecycle.instrument import instrument_of
from surveys.questionnaire import UnitNode, shipped
from tests.benchmarks.simulated import facts
from tests.benchmarks.suppression import cross_of

BARS = {5_000: "<= 180 s", 50_000: "<= 720 s, 1.5 GB"}


def run(people: int) -> None:
    """Release so many people in this process; says seconds, views, those shown, and megabytes."""
    groups, units = cross_of(people)
    nodes = [UnitNode(unit.code, str(unit.name), unit.parent or "") for unit in units]
    instrument = instrument_of(shipped("full", nodes, ("unit", "gender", "age")))
    plan = default_plan(units, [Category(c, c) for c in ("f", "m", "nb")], [Category(c, c) for c in "abcd"])
    dice = np.random.default_rng(3)
    answers = {}
    for item in instrument.items:
        codes = np.arange(item.low, item.high + 1)
        given = dice.choice(codes, people, p=dice.dirichlet(np.ones(len(codes)) * 3))
        answers[item.id] = np.where(dice.random(people) < 0.04, -1, given).tolist()
    began = time.perf_counter()
    made = release(RawResponses(people, groups, answers), plan, instrument, Rules(), facts(people, 2 * people))
    seconds = time.perf_counter() - began
    views = made.to_json()["views"]
    shown = sum(view["shown"] for view in views)
    both = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    print(seconds, len(views), shown, max(resource.getrusage(who).ru_maxrss for who in both) / 1024)


async def measure(folder: Path) -> list[tuple[str, str, str]]:
    rows = []
    for people, bar in BARS.items():
        command = [sys.executable, "-m", "tests.benchmarks.sizes", str(people)]
        said = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
        seconds, views, shown, memory = (float(part) for part in said[-4:])
        what = f"{people:,} people: release of the full form; {views:,.0f} views, {shown:,.0f} shown"
        rows.append((what, f"{seconds:.0f} s, {memory:,.0f} MB", bar))
    return rows


if __name__ == "__main__":
    run(int(sys.argv[1]))
