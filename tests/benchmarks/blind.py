"""Blind signatures of 3072 bits: issues and verifications a second on one core; the phone's two steps at CPU x4."""

import secrets
import time
from collections.abc import Callable
from pathlib import Path

import brotli
from playwright.async_api import Page, Route, async_playwright

from surveys.blind import PublicKey, SigningKey, blind, finalize, generate_key, prepare, sign_blinded, verify
from tests.browsers import ARGUMENTS, chromium

MODULE = Path(__file__).parents[2] / "server" / "static" / "blind.js"
ISSUES = 500
VERIFICATIONS = 20_000
STEPS = 50
_BYTES = "const bytes = (hex) => Uint8Array.from(hex.match(/../g), (pair) => parseInt(pair, 16));"
# Each step many times without a pause: a throttled browser sleeps between slices, and one short step fits into a slice.
_BLIND = f"""async ([key, times]) => {{
  {_BYTES}
  const {{ blind }} = await import("/blind.js");
  const began = performance.now();
  for (let i = 0; i < times; i += 1) window.kept = await blind(bytes(key));
  return [(performance.now() - began) / times, Array.from(window.kept.z)];
}}"""
_FINALIZE = f"""async ([key, signed, times]) => {{
  {_BYTES}
  const {{ finalize }} = await import("/blind.js");
  const began = performance.now();
  for (let i = 0; i < times; i += 1)
    await finalize(bytes(key), window.kept.prepared, bytes(signed), window.kept.inverse);
  return (performance.now() - began) / times;
}}"""


def _per_second(work: Callable[[int], object], times: int) -> float:
    """By the time this process had a core, so that a neighbour does not count."""
    began = time.process_time()
    for number in range(times):
        work(number)
    return times / (time.process_time() - began)


async def _phone(page: Page, key: SigningKey) -> tuple[float, float, float]:
    """Milliseconds of the first blinding, which also compiles, and of one of many blindings and finishings."""
    der = key.public.to_der().hex()
    cdp = await page.context.new_cdp_session(page)
    await cdp.send("Emulation.setCPUThrottlingRate", {"rate": 4})
    first, _ = await page.evaluate(_BLIND, [der, 1])
    blinding, z = await page.evaluate(_BLIND, [der, STEPS])
    finishing = await page.evaluate(_FINALIZE, [der, sign_blinded(key, bytes(z)).hex(), STEPS])
    return first, blinding, finishing


async def _on_a_phone(key: SigningKey) -> tuple[float, float, float]:
    async def answer(route: Route) -> None:
        module = route.request.url.endswith("/blind.js")
        kind = "text/javascript" if module else "text/html"
        await route.fulfill(body=MODULE.read_text("utf-8") if module else "<!doctype html>", content_type=kind)

    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        page = await browser.new_page()
        await page.route("https://localhost/**", answer)
        await page.goto("https://localhost/")
        times = await _phone(page, key)
        await browser.close()
    return times


def _issued(key: SigningKey, public: PublicKey) -> tuple[bytes, bytes]:
    prepared = prepare(secrets.token_bytes(32))
    z, inverse = blind(public, prepared)
    return prepared, finalize(public, prepared, sign_blinded(key, z), inverse)


async def measure(folder: Path) -> list[tuple[str, str, str]]:
    key = generate_key()
    blinded = [blind(key.public, prepare(secrets.token_bytes(32)))[0] for _ in range(ISSUES)]
    issues = _per_second(lambda number: sign_blinded(key, blinded[number]), ISSUES)
    tokens = [_issued(key, key.public) for _ in range(50)]
    verifications = _per_second(lambda number: verify(key.public, *tokens[number % 50]), VERIFICATIONS)
    first, blinding, finishing = await _on_a_phone(key)
    size = len(brotli.compress(MODULE.read_bytes()))
    return [
        ("blind issues a second, one core", f"{issues:,.0f}", ">= 150"),
        ("token verifications a second, one core", f"{verifications:,.0f}", ">= 10,000"),
        ("phone: blind, the first time, CPU x4", f"{first:.0f} ms", "<= 300 ms"),
        (f"phone: blind, one of {STEPS}, CPU x4", f"{blinding:.0f} ms", "<= 100 ms"),
        (f"phone: finalize, one of {STEPS}, CPU x4", f"{finishing:.0f} ms", "<= 100 ms"),
        ("the phone's module, brotli", f"{size:,} B", "<= 1,200 B"),
    ]
