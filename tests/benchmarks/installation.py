"""An installation with one open wave, for measuring: 430 people, the default plan, a code for each."""

import asyncio
import os
import random
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from surveys.cases import handlers
from surveys.cases.handlers import HandlerRecord
from surveys.lifecycle import opening, printing
from surveys.lifecycle.channel import open_channel
from surveys.lifecycle.context import Site, today
from surveys.lifecycle.planning import Wish, plan
from surveys.people import roster
from surveys.people.roster import PersonEntry, UnitEntry
from surveys.public import channel, organisation
from surveys.stores import StoreSettings, stores
from tests.conftest import ORGANISATION
from tests.postgres import free_port
from tests.urn import anchor, get_ready, team

WAVE = "misura"


def cooperative(people: int) -> tuple[list[UnitEntry], list[PersonEntry]]:
    """Six territories, forty services of uneven size, people by a fixed seed: the size of PRIVACY 2.4."""
    dice = random.Random(40)
    tops = [UnitEntry(f"t{t}", f"Territorio {t + 1}", "") for t in range(6)]
    units = [*tops, *(UnitEntry(f"t{s % 6}.s{s}", f"Servizio {s + 1}", f"t{s % 6}") for s in range(40))]
    units.sort(key=lambda unit: unit.code)
    leaves = [unit.code for unit in units if unit.parent]
    sizes = [dice.expovariate(1) + 0.2 for _ in leaves]
    return units, [
        PersonEntry(
            f"Persona {i}",
            "",
            "it",
            dice.choices(leaves, sizes)[0],
            dice.choices("fm", (75, 25))[0],
            dice.choice(("u30", "30_39", "40_49", "50_59", "60p")),
            {},
        )
        for i in range(people)
    ]


async def _open(data: Path, people: int, settings: StoreSettings | None = None) -> tuple[list[str], dict[str, str]]:
    async with stores(settings or StoreSettings(data)) as engines:
        site = Site(engines, data, today(), "bench")
        await organisation.save(engines["public"], replace(ORGANISATION, help_checked_on=today().isoformat()))
        await roster.replace(engines["people"], *cooperative(people), today() - timedelta(days=9))
        await anchor(site)
        await plan(site, Wish(WAVE, {"it": "Misura"}, today(), today() + timedelta(days=9)))
        secrets = await get_ready(site, WAVE)
        await opening.open_wave(site, WAVE)
        return [str(code) for code in await printing.print_slips(site, WAVE, people)], {
            k: str(v) for k, v in secrets.items()
        }


async def channel_beside(site: Site) -> None:
    """The channel beside the wave, under the list of readers that is there."""
    made = team()
    for name, keys in made.keys.items():
        stated = made.statement(name, site.day)
        record = HandlerRecord(
            name, bytes(16), "{}", keys.recipient, keys.signer, f"{name}@prova.invalid", site.day, None, None, stated
        )
        await handlers.keep(site.engines["cases"], record)
    heard = replace(
        await channel.load(), salt=made.anchor.salt, hearing_day=site.day.isoformat(), hearing_document="Verbale"
    )
    await channel.save(site.engines["public"], heard)
    await open_channel(site)


def opened(data: Path, people: int = 430, settings: StoreSettings | None = None) -> tuple[list[str], dict[str, str]]:
    """Make the installation in a thread of its own loop: codes and secrets."""
    import threading

    found: list[tuple[list[str], dict[str, str]]] = []
    thread = threading.Thread(target=lambda: found.append(asyncio.run(_open(data, people, settings))))
    thread.start()
    thread.join()
    return found[0]


def process(data: Path, port: int, database_url: str | None = None) -> "subprocess.Popen[bytes]":
    environment = {**os.environ, "ASCOLTO_DATA": str(data), "OMP_NUM_THREADS": "1"}
    if database_url:
        environment["ASCOLTO_DATABASE_URL"] = database_url
    return subprocess.Popen(
        [sys.executable, "-m", "server.command.cli", "serve", "--port", str(port)],
        env=environment,
        stdout=subprocess.DEVNULL,
    )


def wait_for(port: int) -> None:
    for _ in range(6000):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=1):
                return
        except OSError:
            time.sleep(0.01)
    raise RuntimeError("the server did not come up")


@contextmanager
def served(data: Path, database_url: str | None = None) -> Iterator[tuple[str, "subprocess.Popen[bytes]"]]:
    port = free_port()
    running = process(data, port, database_url)
    try:
        wait_for(port)
        yield f"http://127.0.0.1:{port}", running
    finally:
        running.terminate()
        running.wait(20)


def resident_mb(pid: int) -> float:
    """Resident memory of a process and its highest, in MB, from /proc."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1]) / 1024
