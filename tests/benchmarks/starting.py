"""From the start of the web process to its first answer, and what it has loaded."""

import statistics
import time
from pathlib import Path

from tests.benchmarks.installation import opened, process, resident_mb, wait_for
from tests.postgres import free_port


async def measure(folder: Path) -> list[tuple[str, str, str]]:
    opened(folder)
    times, memory = [], 0.0
    for _ in range(5):
        port = free_port()
        began = time.perf_counter()
        running = process(folder, port)
        wait_for(port)
        times.append(time.perf_counter() - began)
        memory = resident_mb(running.pid)
        running.terminate()
        running.wait(20)
    return [
        ("web process ready, median of 5", f"{statistics.median(times):.2f} s", "<= 2 s"),
        ("web process at rest, resident", f"{memory:.0f} MB", "<= 150 MB"),
    ]
