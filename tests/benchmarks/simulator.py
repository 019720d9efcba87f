"""Lives of surveys and of reports by seeds: many with no fault, then the first seed that finds each planted fault."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests import once
from tests.simulation import cases_planted, cases_seeded, planted, seeded

LIVES, TRIES = 300, 150
type Plant = Mapping[str, Callable[[pytest.MonkeyPatch], None]]


def first_seed(
    fault: str, tries: int = TRIES, plant: Plant = planted.PLANTED, live: Callable[[int], object] = seeded.live
) -> int | None:
    """The first seed whose life finds a planted fault; None if none of them does."""
    with pytest.MonkeyPatch.context() as patch:
        plant[fault](patch)
        for seed in range(tries):
            try:
                live(seed)
            except Exception:
                return seed
    return None


async def measure(_: Path) -> list[tuple[str, str, str]]:
    """Each figure with its bar; in a thread, as each life has a loop of its own."""
    return await asyncio.to_thread(_rows)


def _rows() -> list[tuple[str, str, str]]:
    end = once.begin()
    try:
        return _of("surveys", seeded.live, planted.PLANTED) + _of("reports", cases_seeded.live, cases_planted.PLANTED)
    finally:
        if end:
            end()


def _of(what: str, live: Callable[[int], object], plant: Plant) -> list[tuple[str, str, str]]:
    began = time.monotonic()
    ended = Counter(str(live(seed)) for seed in range(LIVES))
    told = ", ".join(f"{n} × {state}" for state, n in sorted(ended.items()))
    found = [
        (
            f"{LIVES} lives of {what} with no fault, by how they ended: {told}",
            f"{time.monotonic() - began:.0f} s",
            "all",
        )
    ]
    for fault in plant:
        seed = first_seed(fault, TRIES, plant, live)
        found.append((f"planted: {fault}", "not found" if seed is None else f"by seed {seed}", "found"))
    return found
