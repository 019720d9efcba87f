"""The respondent's path on an emulated phone: 400 kbit/s, 2,000 ms latency, CPU x4; with and without a script."""

import statistics
from pathlib import Path
from typing import Any

from playwright.async_api import async_playwright

from tests.benchmarks.installation import opened, served
from tests.browsers import ARGUMENTS, chromium

RUNS = 3
_LCP = "new PerformanceObserver(l => window.lcp = l.getEntries().at(-1).startTime).observe({type: 'largest-contentful-paint', buffered: true})"


async def _slow(page: Any) -> dict[str, int]:
    wire = {"bytes": 0, "requests": 0}
    cdp = await page.context.new_cdp_session(page)
    await cdp.send("Network.enable")
    await cdp.send(
        "Network.emulateNetworkConditions",
        {"offline": False, "latency": 2000, "downloadThroughput": 50_000, "uploadThroughput": 50_000},
    )
    await cdp.send("Emulation.setCPUThrottlingRate", {"rate": 4})

    sent: set[str] = set()

    def remember(event: dict[str, Any]) -> None:
        if event["request"]["url"].startswith("http"):  # pictures inside the style sheet are no requests
            sent.add(event["requestId"])

    def count(event: dict[str, Any]) -> None:
        if event["requestId"] in sent:
            wire["bytes"] += int(event["encodedDataLength"])
            wire["requests"] += 1

    cdp.on("Network.requestWillBeSent", remember)
    cdp.on("Network.loadingFinished", count)
    return wire


async def measure(folder: Path) -> list[tuple[str, str, str]]:
    codes, _ = opened(folder)
    paints, first, whole = [], {}, {}
    with served(folder) as (address, _):
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
            for run in range(RUNS):
                context = await browser.new_context(
                    viewport={"width": 360, "height": 740}, locale="ro-RO", device_scale_factor=2
                )
                page = await context.new_page()
                await page.add_init_script(_LCP)
                await _slow(page)
                await page.goto(f"{address}/answer", wait_until="load", timeout=60_000)
                await page.wait_for_timeout(300)
                paints.append(await page.evaluate("window.lcp"))
                plain = await browser.new_context(
                    viewport={"width": 360, "height": 740}, locale="ro-RO", java_script_enabled=False
                )
                page = await plain.new_page()
                wire = await _slow(page)
                await page.goto(f"{address}/answer", timeout=60_000)
                first = dict(wire)
                await page.fill("#code", codes[run])
                await page.click("text=Începe")
                await page.goto(page.url.partition("#")[0] + "#send")
                await page.click("button.go", timeout=60_000)
                await page.wait_for_url("**/thanks**", timeout=60_000)
                whole = dict(wire)
            await browser.close()
    return [
        ("largest contentful paint, median of 3", f"{statistics.median(paints) / 1000:.2f} s", "<= 2.6 s"),
        ("first question view, on the wire", f"{first['bytes']:,} B in {first['requests']}", "<= 10 KB in 1 request"),
        ("whole questionnaire with sending, no script", f"{whole['bytes']:,} B in {whole['requests']}", "<= 25 KB"),
    ]
