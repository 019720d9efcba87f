"""Durable answers over HTTP beside a bare application of the same framework, in turn in one run: slips and tokens, both engines, one
process and two. 32 clients, 47 items, sealed.
"""

import asyncio
import random
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from surveys.answers.tables import Slot, Spent
from surveys.blind import encode_token
from surveys.lifecycle.context import Site, today
from surveys.questionnaire import shipped
from surveys.stores import StoreSettings, stores
from tests.benchmarks.answers import _body, _client
from tests.benchmarks.installation import opened, served, wait_for
from tests.benchmarks.spending import _tokens
from tests.postgres import free_port, fresh_databases, server

CLIENTS, ROUNDS, EACH, WARM = 32, 5, 1500, 200


@dataclass(slots=True)
class Rates:
    """Answers a second of each round, how long each took, and how many were not taken."""

    rounds: list[float] = field(default_factory=list)
    taken: list[float] = field(default_factory=list)
    refused: int = 0

    async def run(self, ports: Sequence[int], bodies: list[bytes], *, warm: bool = False) -> None:
        place, taken, acknowledged = [0], list[float](), list[int]()
        began = time.perf_counter()
        clients = [_client(ports[n % len(ports)], bodies, place, taken, acknowledged) for n in range(CLIENTS)]
        await asyncio.gather(*clients)
        if not warm:
            self.rounds.append(len(acknowledged) / (time.perf_counter() - began))
            self.taken += taken
        self.refused += len(bodies) - len(acknowledged)

    def rows(self, name: str, bar: str) -> list[tuple[str, str, str]]:
        spread = f"{median(self.rounds):,.0f} ({min(self.rounds):,.0f}–{max(self.rounds):,.0f})"
        late = sorted(self.taken)[int(len(self.taken) * 0.99)] * 1000
        return [(name, spread, bar), ("  p99, refused", f"{late:.0f} ms, {self.refused}", "< 100 ms, 0")]


@contextmanager
def bare() -> Iterator[int]:
    """The bare application, served; gives its port."""
    port = free_port()
    running = subprocess.Popen([sys.executable, "-m", "tests.benchmarks.bare", str(port)], stdout=subprocess.DEVNULL)
    try:
        wait_for(port)
        yield port
    finally:
        running.terminate()
        running.wait(20)


def _forms(codes: Sequence[str]) -> Iterator[list[bytes]]:
    """Forms with these codes, a round at a time."""
    dice = random.Random(3)
    likert = [item for item in shipped("full", [], []).items() if item.type == "likert"]
    items = [(item.id, [code for code in item.codes if code.isdigit()]) for item in likert]
    bodies = [_body(code, number, items, dice) for number, code in enumerate(codes)]
    yield bodies[:WARM]
    for start in range(WARM, len(bodies), EACH):
        yield bodies[start : start + EACH]


async def _codes(settings: StoreSettings, kind: str) -> list[str]:
    """An installation with an open wave; its slips, or finished tokens of it."""
    count = WARM + EACH * ROUNDS
    slips, _ = opened(settings.data, count, settings)
    if kind == "slips":
        return slips
    async with stores(settings) as engines:
        return [encode_token(*token) for token in _tokens(Site(engines, settings.data, today(), "bench"), count)]


async def _measured(settings: StoreSettings, kind: str, processes: int) -> tuple[Rates, Rates, int]:
    """Of ours, of the bare application, and how many sheets the urn holds that no code was spent for, or the other way round."""
    forms = _forms(await _codes(settings, kind))
    ours, ceiling = Rates(), Rates()
    with ExitStack() as running:
        addresses = [running.enter_context(served(settings.data, settings.database_url))[0] for _ in range(processes)]
        ports = [int(address.rpartition(":")[2]) for address in addresses]
        plain = running.enter_context(bare())
        await ours.run(ports, next(forms), warm=True)
        for bodies in forms:
            await ceiling.run([plain], bodies)
            await ours.run(ports, bodies)
    async with stores(settings):
        odd = abs(await Slot.count().where(Slot.taken.eq(True)) - await Spent.count())
    return ours, ceiling, odd


async def measure(folder: Path) -> list[tuple[str, str, str]]:
    found = []
    with server(durable=True) as address:
        for engine in ("SQLite", "PostgreSQL"):
            one = 0.0
            for kind, processes in (("slips", 1), ("tokens", 1), ("slips", 2)):
                name = f"{engine}_{kind}_{processes}".lower()
                url = fresh_databases(address, name) if engine == "PostgreSQL" else None
                ours, ceiling, odd = await _measured(StoreSettings(folder / name, url), kind, processes)
                rate, plain = median(ours.rounds), median(ceiling.rounds)
                found += ours.rows(f"{engine}, {kind}, {processes} process(es), a second", ">= 2,500")
                found.append(("  of a bare application", f"{rate / plain:.2f} of {plain:,.0f}", ">= 0.50"))
                found.append(("  codes without a sheet, sheets without a code", str(odd), "0"))
                if processes == 2:
                    found.append(("  two processes, of one", f"{rate / one:.2f}", ">= 0.95"))
                elif kind == "slips":
                    one = rate
    return found
