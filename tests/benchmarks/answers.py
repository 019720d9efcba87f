"""Durable answers over HTTP: one process, SQLite FULL, 32 clients, 47 items, sealed; then a kill -9 in the middle."""

import asyncio
import os
import random
import signal
import time
from pathlib import Path
from urllib.parse import urlencode

from surveys.answers.tables import Slot, Spent
from surveys.questionnaire import shipped
from surveys.slips import SlipCode, digest
from surveys.stores import StoreSettings, stores
from tests.benchmarks.installation import WAVE, opened, resident_mb, served
from tests.benchmarks.wire import FORM, send

CLIENTS = 32


def _body(code: str, number: int, items: list[tuple[str, list[str]]], dice: random.Random) -> bytes:
    fields = {"_code": code, "_wave": WAVE, "_lang": "it", "_attempt": f"{number:032x}"}
    return urlencode({**fields, **{name: dice.choice(codes) for name, codes in items}}).encode()


async def _client(
    port: int, bodies: list[bytes], place: list[int], taken: list[float], acknowledged: list[int]
) -> None:
    """One keep-alive connection that sends forms one after the other."""
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while place[0] < len(bodies):
            number = place[0]
            place[0] += 1
            began = time.perf_counter()
            status, _ = await send(reader, writer, "/answer", bodies[number], FORM)
            taken.append(time.perf_counter() - began)
            if status == 303:
                acknowledged.append(number)
        writer.close()
    except (ConnectionError, asyncio.IncompleteReadError):
        return


async def _run(
    port: int, bodies: list[bytes], stop_after: float | None = None, kill: int = 0
) -> tuple[list[float], list[int], float]:
    place = [0]
    taken: list[float] = []
    acknowledged: list[int] = []
    began = time.perf_counter()
    clients = [asyncio.create_task(_client(port, bodies, place, taken, acknowledged)) for _ in range(CLIENTS)]
    if stop_after:
        await asyncio.sleep(stop_after)
        os.kill(kill, signal.SIGKILL)
    await asyncio.gather(*clients)
    return sorted(taken), acknowledged, time.perf_counter() - began


def fsync_ms(folder: Path) -> float:
    """The median time of an fsync on this disk, in ms."""
    times = []
    with open(folder / "fsync", "wb") as file:
        for _ in range(200):
            file.write(b"x" * 8192)
            began = time.perf_counter()
            file.flush()
            os.fsync(file.fileno())
            times.append(time.perf_counter() - began)
    return sorted(times)[100] * 1000


async def measure(folder: Path, sheets: int = 6000) -> list[tuple[str, str, str]]:
    codes, _ = opened(folder, sheets)
    dice = random.Random(1)
    items = [
        (item.id, [c for c in item.codes if c.isdigit()])
        for item in shipped("full", [], []).items()
        if item.type == "likert"
    ]
    bodies = [_body(code, number, items, dice) for number, code in enumerate(codes)]
    half = sheets // 2
    with served(folder) as (address, running):
        port = int(address.rpartition(":")[2])
        await _run(port, bodies[:100])
        taken, acknowledged, seconds = await _run(port, bodies[100:half])
        memory = resident_mb(running.pid)
        rest = bodies[half:]
        _, before_kill, _ = await _run(port, rest, stop_after=0.6, kill=running.pid)
    async with stores(StoreSettings(folder)):
        spent = {bytes(row["digest"]) for row in await Spent.select(Spent.digest)}
        filled = await Slot.count().where(Slot.taken.eq(True))
    promised = {digest(SlipCode(codes[half + number])) for number in before_kill} | {
        digest(SlipCode(codes[100 + n])) for n in acknowledged
    }
    return [
        ("answers a second, 32 clients, 47 items, sealed, durable", f"{len(acknowledged) / seconds:,.0f}", ">= 1,500"),
        ("p99", f"{taken[int(len(taken) * 0.99)] * 1000:.0f} ms", "< 100 ms"),
        ("refused", str(half - 100 - len(acknowledged)), "0"),
        ("lost after kill -9 (acknowledged, not stored)", str(len(promised - spent)), f"0 of {len(promised):,}"),
        ("doubled (slots filled beyond codes spent)", str(filled - len(spent)), "0"),
        ("web process after these answers, resident", f"{memory:.0f} MB", "<= 150 MB"),
        ("fsync of this disk, median", f"{fsync_ms(folder):.2f} ms", ""),
    ]
