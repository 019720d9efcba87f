"""The whole corpus through `release()`, and small organisations beyond it, read by the exact reader who shares no code with the audit.

``ASCOLTO_ORGANISATIONS=5000`` asks for more organisations of 10 to 60 people than the two hundred of every run.
"""

import os
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from analysis.views import incidence
from tests.analysis.corpus import SETS, data_set, sides_proven
from tests.analysis.waves import LIKERT, PLAN, dice, released

WORKERS = 2
SMALL = int(os.environ.get("ASCOLTO_ORGANISATIONS", "200"))


def _read(seed: int) -> tuple[int, int, int]:
    """Sides proven, persons and questions looked at, and the rung of the document."""
    one = data_set(seed)
    document = released(one.raw, below=dice(seed))
    found = incidence(PLAN, one.raw)
    proven = sum(len(sides_proven(document["views"], found, one.raw, item)) for item in LIKERT)
    return proven, len(one.raw) * len(LIKERT), document["rules"]["rung"]


async def measure(folder: Path) -> list[tuple[str, str, str]]:
    rows = []
    small = [seed for seed in range(SETS, SETS + 2 * SMALL) if len(data_set(seed).raw) <= 60][:SMALL]
    for name, seeds in ((f"corpus of {SETS} data sets", range(SETS)), (f"{SMALL} organisations of 10 to 60", small)):
        began = time.perf_counter()
        with ProcessPoolExecutor(WORKERS) as workers:
            read = list(workers.map(_read, seeds, chunksize=5))
        seconds = time.perf_counter() - began
        rows.append(
            (
                f"{name}: sides proven among persons and questions",
                f"{sum(p for p, _, _ in read)} of {sum(n for _, n, _ in read)}",
                "0",
            )
        )
        rows.append(
            ("  documents on a coarser rung, seconds", f"{sum(rung > 0 for _, _, rung in read)}, {seconds:.0f}", "said")
        )
    return rows
