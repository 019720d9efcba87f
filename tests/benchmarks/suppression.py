"""The full cross of unit, gender and age at three sizes, certified as a whole; beside it what others would leave exposed."""

import json
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from analysis.audit.structure import audit_structure
from analysis.audit.structure_wide import audit_wide_structure
from analysis.demographics import Category, Dimension
from analysis.protect.suppression import solve
from analysis.protect.territories import solve_in_parts
from analysis.responses import RawResponses
from analysis.views import Plan, RawIncidence, View, candidates, incidence
from tests.benchmarks.simulated import instrument_and_plan, simulated
from tests.crosses import full_cross_plan

K = 5
CASES = {400: (6, 40, "15 s"), 5_000: (60, 400, "30 s"), 50_000: (600, 4_000, "720 s and 4 GB")}


def cross_of(people: int) -> tuple[dict[str, list[str]], list[Category]]:
    """People spread at random over territories, services, three genders and four ages; and the units."""
    territories, services, _ = CASES[people]
    rng = np.random.default_rng(7)
    units = [Category(f"t{t}", f"T{t}") for t in range(territories)] + [
        Category(f"s{s}", f"S{s}", f"t{s % territories}") for s in range(services)
    ]
    groups = {
        "unit": [f"s{i}" for i in rng.choice(services, people, p=rng.dirichlet(np.ones(services) * 3))],
        "gender": rng.choice(["f", "m", "nb"], people, p=[0.72, 0.25, 0.03]).tolist(),
        "age": rng.choice(list("abcd"), people).tolist(),
    }
    return groups, units


def table(people: int) -> tuple[Any, RawIncidence]:
    """The full cross of these people: its plan and its incidence."""
    groups, units = cross_of(people)
    gender, age = [Category(c, c) for c in ("f", "m", "nb")], [Category(c, c) for c in "abcd"]
    plan = full_cross_plan(units, gender, age)
    return plan, incidence(plan, RawResponses(people, groups, {}))


def run(people: int, *, exact: bool) -> dict[str, Any]:
    """Solve and audit one table in this process: seconds of each, views, what is not shown, memory."""
    _, found = table(people)
    sizes = found.sizes()
    weights = np.ones(len(sizes), dtype=np.int64)
    began = time.perf_counter()
    if exact:
        pattern = solve(found.matrix, found.n, weights, K, allowed=sizes > 0)
    else:
        pattern = solve_in_parts(found.sparse, found.n, weights, K, found.part_of, allowed=sizes > 0)
    solved = time.perf_counter()
    audit = (
        audit_structure(found.matrix, found.n, pattern.shown, K)
        if exact
        else audit_wide_structure(found.sparse, found.n, pattern.shown, K)
    )
    both = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return {
        "solve": solved - began,
        "audit": time.perf_counter() - solved,
        "views": int((sizes > 0).sum()),
        "atoms": len(found.n),
        "hidden": int(((sizes > 0) & ~pattern.shown).sum()),
        "primary": int(((sizes > 0) & (sizes < K)).sum()),
        "lps": pattern.lps,
        "optimal": bool(pattern.optimal),
        "exposed": len(audit.exposed),
        "memory": sum(resource.getrusage(who).ru_maxrss for who in both) / 1024,
    }


def _in_a_process(people: int, *, exact: bool) -> dict[str, Any]:
    program = (
        f"import json; from tests.benchmarks.suppression import run; print(json.dumps(run({people}, exact={exact})))"
    )
    made = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(made.stdout.splitlines()[-1])
    return found


async def measure(folder: Path) -> list[tuple[str, str, str]]:
    rows = []
    for people, exact in ((400, True), (400, False), (5_000, False), (50_000, False)):
        found = _in_a_process(people, exact=exact)
        how = "exact" if exact else "by territory"
        rows += [
            (f"{people:,} people, {how}: chosen and certified", f"{found['solve']:.1f} s", f"<= {CASES[people][2]}"),
            (
                f"  audited apart; exposed, of {found['atoms']:,} atoms",
                f"{found['audit']:.1f} s; {found['exposed']}",
                "0 exposed",
            ),
            (
                f"  not shown of {found['views']:,} views; primary; LPs; memory",
                f"{found['hidden']:,}; {found['primary']:,}; {found['lps']:,}; {found['memory']:.0f} MB",
                "",
            ),
            ("  proven optimum (of each territory, nothing hidden after)", str(found["optimal"]), ""),
        ]
    for every in (False, True):
        program = f"import json; from tests.benchmarks.suppression import default_rows; print(json.dumps(default_rows(every={every})))"
        made = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
        rows += [tuple(row) for row in json.loads(made.stdout.splitlines()[-1])]
    _, found_400 = table(400)
    sizes = found_400.sizes()
    naive = len(audit_structure(found_400.matrix, found_400.n, sizes >= K, K).exposed)
    rows.append(('400 people, plain "n < 5": atoms exposed', str(naive), "(ours: 0)"))
    return rows + [_argus(method) for method in ("MOD", "OPT")]


MORE = {
    "contract": ("perm_full", "perm_part", "fixed", "other"),
    "seniority": ("u1", "1_3", "4_9", "10p"),
    "care": ("none", "children", "adults", "both"),
    "role": ("no", "team", "manager"),
}
"""The item bank's other demographics: for the whole organisation and for each territory."""


def _with_every_demographic(plan: Plan) -> Plan:
    tops = [c for d in plan.dimensions if d.id == "unit" for c in d.categories if c.parent is None]
    more = tuple(Dimension(name, tuple(Category(code, code) for code in codes)) for name, codes in MORE.items())
    views = [
        View(
            f"{name}:{code}+{top.code if top else ''}", ((name, (code,)), *((("unit", (top.code,)),) if top else ())), 3
        )
        for name, codes in MORE.items()
        for code in codes
        for top in (None, *tops)
    ]
    return Plan((*plan.dimensions, *more), (*plan.views, *views))


def default_rows(*, every: bool) -> list[tuple[str, str, str]]:
    """The plan that is shipped, with people who preferred not to say; or with every demographic of the item bank."""
    _, plan = instrument_and_plan()
    raw, dice = simulated("ordinary", 400, 1), np.random.default_rng(5)
    groups = {name: raw.group(name) for name in ("unit", "gender", "age")}
    if every:
        plan = _with_every_demographic(plan)
        groups |= {name: dice.choice([*codes, ""], 400).tolist() for name, codes in MORE.items()}
    found = incidence(plan, RawResponses(400, groups, {}))
    sizes, weights = found.sizes(), np.array([view.weight for view in plan.views], dtype=np.int64)
    allowed = candidates(plan, found, K)
    began = time.perf_counter()
    if every:  # the exact choice takes over six minutes
        shown = solve_in_parts(found.sparse, found.n, weights, K, found.part_of, allowed=allowed).shown
    else:
        shown = solve(found.matrix, found.n, weights, K, allowed=allowed).shown
    seconds = time.perf_counter() - began
    exposed = len(audit_structure(found.matrix, found.n, shown, K).exposed)
    naive = len(audit_structure(found.matrix, found.n, allowed & (sizes >= K), K).exposed)
    asked = "every demographic of the item bank, by territory" if every else "unit, gender and age"
    return [
        (f"400 people, default plan, {asked}, with who did not say", f"{seconds:.1f} s", ""),
        (
            f"  not shown of {int((sizes > 0).sum())} views; under {K}; of {len(found.n)} atoms exposed",
            f"{int(((sizes > 0) & ~shown).sum())}; {int(((sizes > 0) & (sizes < K)).sum())}; {exposed}",
            "0 exposed",
        ),
        ('  plain "n < 5" on the same plan: atoms exposed', str(naive), "(ours: 0)"),
    ]


def _argus(method: str) -> tuple[str, str, str]:
    """The same table through another program, in a process of its own: it keeps global state."""
    program = f"from tests.benchmarks.argus import run; print(run({method!r}))"
    made = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    said = made.stdout.strip().splitlines()[-1] if made.returncode == 0 and made.stdout.strip() else ""
    return (
        f"400 people, tau-ARGUS {method}: views not shown; atoms exposed; s",
        said or "not measured: pytauargus is not installed",
        "(ours: 0 exposed)",
    )
