"""The concern channel: weight and paint on a slow phone, reports a second, return by code, and a flood beside one hand."""

import asyncio
import json
import os
import random
import statistics
import time
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from playwright.async_api import async_playwright

from surveys.cases import acts, codes
from surveys.cases.acts import Reporter
from surveys.cases.codes import CodeKeys
from surveys.lifecycle.context import Site, today
from surveys.public import readers
from surveys.public.rings import Ring
from surveys.stores import StoreSettings, stores
from tests.benchmarks.answers import _body
from tests.benchmarks.installation import channel_beside, opened, served
from tests.benchmarks.phone import _LCP, RUNS, _slow
from tests.benchmarks.wire import FORM, JSON, send
from tests.browsers import ARGUMENTS, chromium

AT_ONCE = 32
FLOOD = 10_000
A_SECOND = 50


def _p95(times: Sequence[float]) -> str:
    return f"{sorted(times)[int(len(times) * 0.95)] * 1000:.0f} ms"


async def _prepare(folder: Path) -> tuple[Ring, str]:
    async with stores(StoreSettings(folder)) as engines:
        await channel_beside(Site(engines, folder, today(), "administrator"))
        found = await readers.load(folder)
        assert found.chain is not None and found.house is not None
        return found.chain.newest, found.house.hash


def _report(ring: Ring, house: str, day: date) -> tuple[dict[str, Any], bytes]:
    """A sealed report of about 1,200 letters under random keys: the phone's work is not the server's."""
    me = Reporter(CodeKeys(*(os.urandom(32) for _ in range(8))))
    made = acts.report(me, ring, house, (), {"text": "parole " * 170}, day, os.urandom)
    return made, json.dumps(made).encode()


async def _many(port: int, path: str, bodies: Sequence[bytes], at_once: int) -> tuple[list[float], list[int], float]:
    """Send bodies over so many connections; gives times, statuses and the whole."""
    place, times, statuses = iter(range(len(bodies))), [], []

    async def client() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for number in place:
            began = time.perf_counter()
            status, _ = await send(reader, writer, path, bodies[number], JSON)
            times.append(time.perf_counter() - began)
            statuses.append(status)
        writer.close()

    began = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(at_once)))
    return times, statuses, time.perf_counter() - began


async def _burst(port: int, codes_: list[str], bodies: Sequence[bytes]) -> tuple[list[float], int]:
    """Fifty survey answers within ten seconds, while reports come in."""
    dice = random.Random(2)

    async def answer(number: int) -> int:
        await asyncio.sleep(dice.random() * 10)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        status, _ = await send(reader, writer, "/answer", _body(codes_[number], number, [], dice), FORM)
        writer.close()
        return status

    async def reports() -> list[float]:
        times = []
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for body in bodies:
            began = time.perf_counter()
            await send(reader, writer, "/concern/sealed", body, JSON)
            times.append(time.perf_counter() - began)
            await asyncio.sleep(10 / len(bodies))
        writer.close()
        return times

    statuses, times = await asyncio.gather(asyncio.gather(*(answer(n) for n in range(50))), reports())
    return times, statuses.count(303)


async def _flood(port: int, ring: Ring, bodies: Sequence[bytes]) -> tuple[list[float], list[int], float]:
    """Ten thousand reports at fifty a second; half-way one person sends a form by hand, without a script."""
    times: list[float] = []
    statuses: list[int] = []
    queue: asyncio.Queue[bytes | None] = asyncio.Queue()

    async def client() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while (body := await queue.get()) is not None:
            began = time.perf_counter()
            status, _ = await send(reader, writer, "/concern/sealed", body, JSON)
            times.append(time.perf_counter() - began)
            statuses.append(status)
        writer.close()

    async def by_hand() -> float:
        await asyncio.sleep(FLOOD / A_SECOND / 2)
        secret = codes.new_code(os.urandom)
        words = codes.to_words(secret)
        form = {"do": "send", "text": "a mano", "code": " ".join(words), "part2": words[1], "part7": words[6]}
        form |= {f"reads.{one.id}": "yes" for one in ring.readers} | (
            {"reads.recovery": "yes"} if ring.recovery else {}
        )
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        began = time.perf_counter()
        status, content = await send(reader, writer, "/concern?lang=it", urlencode(form).encode(), FORM)
        assert status == 200 and b"Ricevuto" in content
        writer.close()
        return time.perf_counter() - began

    clients = [asyncio.create_task(client()) for _ in range(AT_ONCE)]
    hand = asyncio.create_task(by_hand())
    began = time.perf_counter()
    for number, body in enumerate(bodies):
        await asyncio.sleep(max(0.0, began + number / A_SECOND - time.perf_counter()))
        queue.put_nowait(body)
    for _ in clients:
        queue.put_nowait(None)
    await asyncio.gather(*clients)
    return times, statuses, await hand


async def _phone(address: str) -> tuple[float, int, int]:
    """Largest paint (median), bytes of the first page, bytes of the whole path with sealing, on a slow phone."""
    paints, first, whole = [], 0, 0
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        for run in range(RUNS):
            context = await browser.new_context(
                viewport={"width": 360, "height": 740}, locale="it-IT", device_scale_factor=2
            )
            page = await context.new_page()
            page.set_default_timeout(120_000)
            await page.add_init_script(_LCP)
            wire = await _slow(page)
            await page.goto(f"{address}/concern", wait_until="load", timeout=120_000)
            await page.wait_for_timeout(300)
            paints.append(await page.evaluate("window.lcp"))
            if run == 0:
                plain = await browser.new_context(
                    viewport={"width": 360, "height": 740}, locale="it-IT", java_script_enabled=False
                )
                other = await plain.new_page()
                only = await _slow(other)
                await other.goto(f"{address}/concern", timeout=60_000)
                first = only["bytes"]
                await _write(page)
                whole = wire["bytes"]
        await browser.close()
    return statistics.median(paints) / 1000, first, whole


async def _write(page: Any) -> None:
    await page.click('a[href="#who"]')
    await page.click('#who a[href="#write"]')
    await page.fill("#text", "parole " * 100)
    await page.click("#to-check")
    await page.click('#check a[href="#code"]')
    await page.wait_for_selector(".secret span")
    words = await page.locator(".secret span").all_inner_texts()
    await page.fill("#part2", words[1])
    await page.fill("#part7", words[6])
    await page.click("#send")
    await page.wait_for_selector("#letters h1")


async def measure(folder: Path) -> list[tuple[str, str, str]]:
    codes_, _ = opened(folder, 200)
    ring, house = await _prepare(folder)
    made = [_report(ring, house, today()) for _ in range(FLOOD + 2200)]
    bodies = [body for _, body in made]
    with served(folder) as (address, _):
        port = int(address.rpartition(":")[2])
        paint, first, whole = await _phone(address)
        await _many(port, "/concern/sealed", bodies[:100], AT_ONCE)
        times, statuses, seconds = await _many(port, "/concern/sealed", bodies[100:2100], AT_ONCE)
        opening = [json.dumps({"locator": one["locator"], "auth": one["auth"]}).encode() for one, _ in made[100:500]]
        returns, found, _ = await _many(port, "/concern/thread", opening, 4)
        wrong = [json.dumps({"locator": one["locator"], "auth": "00" * 32}).encode() for one, _ in made[100:500]]
        unknown = [json.dumps({"locator": os.urandom(32).hex(), "auth": "00" * 32}).encode() for _ in range(400)]
        wrong_times, _, _ = await _many(port, "/concern/thread", wrong, 1)
        unknown_times, _, _ = await _many(port, "/concern/thread", unknown, 1)
        during, answered = await _burst(port, codes_, bodies[2100:2200])
        flood_times, flood_statuses, hand = await _flood(port, ring, bodies[2200:])
    gap = abs(statistics.median(wrong_times) - statistics.median(unknown_times)) * 1000
    return [
        ("reporter's first page, on the wire", f"{first:,} B", "<= 20 KB"),
        ("largest contentful paint, slow 3G and CPU x4, median of 3", f"{paint:.2f} s", "<= 2.8 s"),
        ("whole path with sealing script", f"{whole:,} B", "<= 80 KB"),
        ("reports a second, 32 at once, durable", f"{statuses.count(200) / seconds:,.0f}", ">= 200"),
        ("p95 of these", _p95(times), "< 200 ms"),
        ("errors", str(len(statuses) - statuses.count(200)), "0"),
        ("return by code, p95 on the server", _p95(returns), "< 150 ms"),
        ("threads found", f"{found.count(200)} of {len(found)}", "all"),
        ("wrong proof against unknown code, medians apart", f"{gap:.2f} ms", "alike"),
        ("reports during 50 survey answers in 10 s, p95", _p95(during), "< 1 s"),
        ("survey answers received meanwhile", f"{answered} of 50", "all"),
        (f"{FLOOD:,} reports at {A_SECOND} a second: accepted", f"{flood_statuses.count(200):,}", "all"),
        ("their p95", _p95(flood_times), ""),
        ("one form by hand without a script in the middle", f"{hand:.2f} s", "<= 10 s"),
    ]
