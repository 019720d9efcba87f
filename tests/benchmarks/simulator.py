"""Lives of surveys by seeds: many with no fault, then the first seed that finds each planted fault."""

import asyncio
import time
from collections import Counter
from pathlib import Path

import pytest

from tests import once
from tests.simulation.planted import PLANTED
from tests.simulation.seeded import live

LIVES, TRIES = 300, 150


def first_seed(fault: str, tries: int = TRIES) -> int | None:
    """The first seed whose life finds a planted fault; None if none of them does."""
    with pytest.MonkeyPatch.context() as patch:
        PLANTED[fault](patch)
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
        began = time.monotonic()
        ended = Counter(str(live(seed)) for seed in range(LIVES))
        told = ", ".join(f"{n} {state}" for state, n in sorted(ended.items()))
        found = [(f"{LIVES} lives with no fault: {told}", f"{time.monotonic() - began:.0f} s", "all")]
        for fault in PLANTED:
            seed = first_seed(fault)
            found.append((f"planted: {fault}", "not found" if seed is None else f"by seed {seed}", "found"))
    finally:
        if end:
            end()
    return found
