"""How sure a reader who knows the law of the moves is on which side people stand: a part of the corpus, by kind of data."""

from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from tests.analysis.belief import Beliefs, beliefs
from tests.analysis.corpus import KINDS, SETS, data_set
from tests.analysis.test_answers_audit import published
from tests.analysis.waves import dice

WORKERS = 2
SEEDS = range(0, SETS, 3)


def _read(seed: int) -> tuple[str, Beliefs]:
    one = data_set(seed)
    return one.kind, beliefs(published(one.raw, dice(seed)))


async def measure(folder: Path) -> list[tuple[str, str, str]]:
    with ProcessPoolExecutor(WORKERS) as workers:
        read = list(workers.map(_read, SEEDS, chunksize=2))
    rows = []
    for kind in KINDS:
        mine = [found for name, found in read if name == kind]
        total, known = sum(found.looked_at for found in mine), sum(found.known for found in mine)
        sure, likely = sum(found.sure for found in mine), sum(found.likely for found in mine)
        surest = max((found.surest for found in mine), default=0.0)
        rows.append(
            (
                f"{kind}: sides believed at 99 and 95 percent of {total}, surest",
                f"{sure}, {likely}, {surest:.3f}",
                f"0, <= 1 % ({known} more by how all answered)",
            )
        )
    return rows
