"""The 400-person table through tau-ARGUS (PyPI `pytauargus`, of the benchmarks alone), judged by our auditor."""

import os
import tempfile
import time
from pathlib import Path

import numpy as np

from analysis.audit.structure import audit_structure
from tests.benchmarks.suppression import K, cross_of, table

TOTAL = "Total"


def run(method: str) -> str:
    """Suppress with one method: views not shown, atoms exposed, seconds; in a process of its own, for it keeps state."""
    from pytauargus import protect

    people = 400
    groups, units = cross_of(people)
    plan, found = table(people)
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)  # it leaves logs where it runs
        tree = Path(folder) / "unit.hrc"
        lines = []
        for top in [unit for unit in units if unit.parent is None]:
            lines += [_padded(top.code), *(f"@{_padded(unit.code)}" for unit in units if unit.parent == top.code)]
        tree.write_text("\n".join(lines) + "\n")
        began = time.perf_counter()
        made = protect(
            {**{name: [_padded(code) for code in codes] for name, codes in groups.items()}, "one": [1] * people},
            tables=["unit", "gender", "age"],
            response="one",
            safety_rules=f"FREQ({K},30)",
            suppress=f"{method}(1)",
            hrc={"unit": str(tree)},
            hierleadstring="@",
            totcode=TOTAL,
            workdir=folder,
        )
        seconds = time.perf_counter() - began
        names = {_padded(c.code): c.code for dimension in plan.dimensions for c in dimension.categories}
        kept = {_view(row, names) for row in made.tables[0].rows if row["status"] in ("S", "P")}
    sizes = found.sizes()
    shown = np.array([view.id in kept for view in plan.views]) & (sizes > 0)
    exposed = len(audit_structure(found.matrix, found.n, shown, K).exposed)
    return f"{int(((sizes > 0) & ~shown).sum())}; {exposed}; {seconds:.1f}"


def _padded(code: str) -> str:
    """Codes of one width, as this program reads them: s4 as s04, nb as nb_."""
    return f"{code[0]}{int(code[1:]):02d}" if code[1:].isdigit() else code.ljust(3, "_")


def _view(row: dict[str, object], names: dict[str, str]) -> str:
    codes = [
        f"{name}:{names[str(row[name])]}" for name in ("unit", "gender", "age") if str(row[name]) not in (TOTAL, "")
    ]
    return "+".join(codes) or "all"
