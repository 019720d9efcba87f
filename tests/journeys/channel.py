"""A served concern channel for journeys: invented handlers, a clock that a test moves, people with browsers."""

import asyncio
import json
import os
import re
import shutil
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import httpx
from PIL import Image
from playwright.async_api import Browser, BrowserContext, Page

from server.demonstration import channel
from surveys.lifecycle.context import Site
from surveys.people import accounts
from surveys.public import organisation
from surveys.stores import StoreSettings, stores
from tests import once
from tests.conftest import ORGANISATION
from tests.journeys import forked
from tests.journeys.conftest import environment
from tests.postgres import free_port
from tests.signing_in import forget, next_code

BEGIN = date(2026, 11, 23)
PHONE: dict[str, Any] = {
    "viewport": {"width": 360, "height": 740},
    "is_mobile": True,
    "has_touch": True,
    "device_scale_factor": 2,
}


@dataclass
class Channel:
    """A running server with an open channel; `day` moves its clock."""

    data: Path
    known: dict[str, Any]
    port: int = field(default_factory=free_port)
    process: forked.Server | None = None
    _served_before: bool = False

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def clock(self) -> Path:
        return self.data.parent / "clock"

    def day(self, day: date) -> None:
        self.clock.write_text(day.isoformat())

    def start(self, **extra: str) -> None:
        log = self.data.parent / "server.log"
        self.process = forked.serve(
            self.clock, self.port, log, environment(self.data) | extra, again=self._served_before
        )
        self._served_before = True
        for _ in range(600):  # a machine that does much else starts it slowly
            try:
                with urllib.request.urlopen(f"{self.address}/health", timeout=1):
                    return
            except OSError:
                time.sleep(0.1)
        raise RuntimeError("the server did not come up")

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(20)
            self.process = None

    def memory(self) -> bytes:
        """All readable memory of the web process, as its administrator could take it."""
        assert self.process is not None
        found = []
        with open(f"/proc/{self.process.pid}/maps") as maps, open(f"/proc/{self.process.pid}/mem", "rb", 0) as memory:
            for line in maps:
                span, rights = line.split()[:2]
                if "r" not in rights or "w" not in rights:
                    continue
                low, high = (int(part, 16) for part in span.split("-"))
                try:
                    memory.seek(low)
                    found.append(memory.read(high - low))
                except (OSError, ValueError, OverflowError):
                    continue
        return b"".join(found)

    def second(self, name: str) -> str:
        """A one-time code that was not used yet."""
        return next_code(self.known["handlers"][name]["second"])

    def code(self, name: str) -> str:
        """The same for the office, the staff and the audit."""
        return next_code(self.known["codes"][name])


def make_channel(folder: Path) -> Channel:
    """Stores, organisation and channel on the first day: made once, and copied for each test."""
    template = once.made("channel", _make_template)
    known = json.loads((template / "known.json").read_text("utf-8"))
    made = Channel(folder / "data", known)
    shutil.copytree(template / "data", made.data)
    made.day(BEGIN)
    forget([*known["codes"].values(), *(handler["second"] for handler in known["handlers"].values())])
    return made


@contextmanager
def running(folder: Path) -> Iterator[Channel]:
    """A channel that is served while it is looked at."""
    made = make_channel(folder)
    made.start()
    try:
        yield made
    finally:
        made.stop()


def _make_template(folder: Path) -> None:
    data = folder / "data"

    async def fill() -> dict[str, Any]:
        async with stores(StoreSettings(data)) as engines:
            await organisation.save(engines["public"], ORGANISATION)
            site = Site(engines, data, BEGIN, "administrator")
            known = await channel.make(site) | {"codes": {}}
            for name, role in (("direzione", "hr"), ("rappresentante", "representative"), ("verifica", "auditor")):
                await accounts.add(engines["people"], name, role, f"prova-{name}-lunga")
                known["codes"][name] = await channel.with_codes(site, name)
            return known

    (folder / "known.json").write_text(json.dumps(asyncio.run(fill())), "utf-8")


async def phone(browser: Browser, language: str, *, script: bool = True) -> tuple[BrowserContext, Page]:
    """Another phone, with nothing on it."""
    context = await browser.new_context(**PHONE, locale=language, java_script_enabled=script)
    page = await context.new_page()
    page.set_default_timeout(40_000)
    return context, page


async def at_desk(browser: Browser, channel: Channel, name: str, language: str = "it") -> Page:
    """A handler signs in with both factors and opens her keys."""
    context = await browser.new_context(viewport={"width": 1280, "height": 900}, locale=language)
    page = await context.new_page()
    page.set_default_timeout(45_000)
    await page.goto(f"{channel.address}/cases/in?lang={language}")
    await page.fill("#name", name)
    await page.fill("#pass", channel.known["handlers"][name]["passphrase"])
    await page.fill("#second", channel.second(name))
    async with page.expect_navigation(url="**/cases?lang=*"):
        await page.click("#go")
    await page.fill("#pass", channel.known["handlers"][name]["passphrase"])
    await page.click("#open")
    await page.wait_for_selector("#board h1")
    return page


async def drawn_again(page: Page, place: str) -> str:
    """Read the six words that a page drew and type the two that it asks for; gives the passphrase."""
    await page.wait_for_selector(f"{place} #six li")
    words = await page.locator(f"{place} #six li").all_inner_texts()
    for asked in await page.locator(f"{place} input").all():
        number = str(await asked.get_attribute("id")).removeprefix("word-")
        await asked.fill(words[int(number) - 1])
    return " ".join(words)


async def signed_in(browser: Browser, channel: Channel, name: str) -> Page:
    """Somebody of the office, the staff or the audit signs in."""
    page = await (await browser.new_context(viewport={"width": 1280, "height": 900}, locale="it-IT")).new_page()
    await page.goto(f"{channel.address}/account/in?lang=it")
    await page.fill("input[name=name]", name)
    await page.fill("input[name=password]", f"prova-{name}-lunga")
    await page.fill("input[name=second]", channel.code(name))
    async with page.expect_navigation():
        await page.click("main button")
    return page


def photo_with_place(path: Path) -> bytes:
    """A photo that carries a place, a device and an hour, as phones make them."""
    picture = Image.new("RGB", (640, 480), (180, 40, 40))
    exif = picture.getexif()
    exif[0x010F], exif[0x0110], exif[0x0132] = "SEGRETACAM", "MODELLO-77", "2026:11:23 10:42:00"
    place = exif.get_ifd(0x8825)
    place[1], place[2], place[3], place[4] = "N", (43.0, 46.0, 12.3), "E", (11.0, 15.0, 22.1)
    picture.save(path, "JPEG", exif=exif)
    content = path.read_bytes()
    assert b"SEGRETACAM" in content and b"MODELLO-77" in content
    return content


def everything_stored(folder: Path) -> dict[str, bytes]:
    """Every file of an installation, spools and logs included; ``os.walk`` misses none."""
    return {
        os.path.join(place, name): Path(place, name).read_bytes()
        for place, _, names in os.walk(folder)
        for name in names
        if not name.endswith(".lock")
    }


async def what_is_sent_without_a_script(client: httpx.AsyncClient, do: str, text: str) -> dict[str, str]:
    """The fields of a page without a script, with the code that it drew, two of its parts, and everybody as a reader."""
    page = (await client.get("/concern?plain&lang=en")).text
    code, number = (re.search(rf'name="{name}" value="([^"]+)"', page) for name in ("code", "once"))
    assert code is not None and number is not None
    parts = code[1].split()
    form = {"once": number[1], "do": do, "text": text, "code": code[1], "part2": parts[1], "part6": parts[5]}
    return form | dict.fromkeys(re.findall(r'name="(reads\.[^"]+)"', page), "yes")
