"""Every step of a survey's life killed before each thing that lasts, on both engines, then finished by the jobs or taken again."""

import asyncio
from itertools import count
from pathlib import Path

from tests import once, postgres
from tests.simulation.steps import STEPS
from tests.simulation.walking import walk


def _rows(folder: Path) -> list[tuple[str, str, str]]:
    end, found = once.begin(), []
    try:
        with postgres.server() as address:
            for engine, at in (("SQLite", None), ("PostgreSQL", address)):
                for step in STEPS:
                    deaths, faults = walk(step, folder / engine / step, at, count())
                    found.append((f"{engine}: {step}, killed {deaths} times", f"{len(faults)} half done", "0"))
    finally:
        if end:
            end()
    return found


async def measure(folder: Path) -> list[tuple[str, str, str]]:
    """Each figure with its bar; in a thread, as each step has a loop of its own."""
    return await asyncio.to_thread(_rows, folder)
