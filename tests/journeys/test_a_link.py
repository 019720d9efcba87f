"""A personal link on an emulated phone: taken after a tap, answered without a network, sent later, found in the list."""

import asyncio
import base64
import csv
import io
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import pytest
from playwright.async_api import Browser, BrowserContext, Page, Route, ViewportSize, expect

from surveys import blind
from surveys.lifecycle import closing, opening
from surveys.lifecycle.context import Site, today
from surveys.lifecycle.planning import Wish, plan
from surveys.people import roster
from surveys.people.tables import Panel
from surveys.public import organisation
from surveys.stores import StoreSettings, stores
from tests.conftest import ORGANISATION, small_cooperative
from tests.journeys.conftest import environment, press, start
from tests.postgres import free_port
from tests.urn import anchor, get_ready

PHONE: ViewportSize = {"width": 360, "height": 740}
WAVE = "collegamenti"


@dataclass(frozen=True, slots=True)
class Linked:
    """A served installation whose people all have a link by text message."""

    address: str
    data: Path
    links: list[str]


async def _open(data: Path, address: str) -> None:
    async with stores(StoreSettings(data)) as engines:
        site = Site(engines, data, today(), "test")
        about = replace(ORGANISATION, help_checked_on=today().isoformat(), address=address)
        await organisation.save(engines["public"], about)
        units, persons = small_cooperative(40)
        persons = [replace(person, contact=f"+39 333 00000{i:02d}", language="sq") for i, person in enumerate(persons)]
        await roster.replace(engines["people"], units, persons, today() - timedelta(days=9))
        await anchor(site)
        await plan(
            site,
            Wish(WAVE, {"it": "Collegamenti"}, today(), today() + timedelta(days=9), form="pulse", channels=("sms",)),
        )
        await get_ready(site, WAVE)
        await opening.open_wave(site, WAVE)


@pytest.fixture(scope="module")
def linked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Linked]:
    data, port = tmp_path_factory.mktemp("links"), free_port()
    address = f"http://127.0.0.1:{port}"
    asyncio.run(_open(data, address))
    process = start(data, port)
    written = data / "texts.csv"
    subprocess.run(
        [
            sys.executable,
            "-m",
            "server.command.cli",
            "wave",
            "links",
            WAVE,
            "--channel",
            "sms",
            "--output",
            str(written),
        ],
        env=environment(data),
        check=True,
        stdout=subprocess.DEVNULL,
    )
    texts = [row[1] for row in csv.reader(io.StringIO(written.read_text()))]
    try:
        yield Linked(address, data, [re.findall(r"http\S+", text)[0] for text in texts])
    finally:
        process.terminate()
        process.wait(20)


async def _phone(browser: Browser) -> BrowserContext:
    return await browser.new_context(viewport=PHONE, locale="it-IT")


async def _take(page: Page) -> None:
    await page.click("#link button.go")
    await page.wait_for_selector("#link [role=status]:has-text('pronto')")


async def _answer_two(page: Page) -> None:
    for item in ("CUL1", "LEA1"):
        await page.locator(f"input[name={item}][value='4']").evaluate("field => field.click()")


async def test_a_mail_scanner_that_opens_a_link_issues_nothing(browser: Browser, linked: Linked) -> None:
    link = linked.links[0]
    for _ in range(3):
        assert httpx.get(link).status_code == 200
    page = await (await _phone(browser)).new_page()  # some scanners run scripts, too; none presses a button
    await page.goto(link)
    await page.wait_for_selector("#link button.go")
    assert "#" not in page.url
    async with stores(StoreSettings(linked.data)):
        assert await Panel.count().where(Panel.issued.is_not_null()) == 0


async def test_a_link_is_taken_answered_and_sent_and_says_so_when_it_is_opened_again(
    browser: Browser, linked: Linked
) -> None:
    context = await _phone(browser)
    page = await context.new_page()
    await page.goto(linked.links[1])
    await _take(page)
    await _answer_two(page)
    await page.goto(page.url.partition("#")[0] + "#send")
    await press(page, "#send button.go")
    assert page.url.startswith(f"{linked.address}/thanks")
    assert await page.evaluate("[localStorage.length, sessionStorage.length]") == [0, 0]
    again = await context.new_page()
    await again.goto(linked.links[1])
    await again.wait_for_selector("#link [role=alert]:has-text('già stato preso')")


async def test_a_shared_phone_keeps_nothing_of_a_token_and_answers_that_were_not_sent(
    browser: Browser, linked: Linked
) -> None:
    """Could stay: the token, the answers, the page, the worker."""
    context = await _phone(browser)
    page = await context.new_page()
    await page.goto(linked.links[3])
    await _take(page)
    await _answer_two(page)
    await page.close()
    page = await context.new_page()
    await page.goto(f"{linked.address}/answer?lang=it")
    assert await page.locator("input[name=LEA1]:checked").count() == 0
    found = await page.evaluate(
        "Promise.all([caches.keys(), navigator.serviceWorker.getRegistrations()]).then(([c, w]) =>"
        " [localStorage.length, sessionStorage.length, c.length, w.length, document.cookie])"
    )
    assert found == [0, 0, 0, 0, ""]


async def test_another_person_s_link_in_the_same_tab_takes_a_code_of_its_own(browser: Browser, linked: Linked) -> None:
    """Done from outside: in a shared tab the second person answered with the first one's token, and the first was blocked for good."""
    page = await (await _phone(browser)).new_page()
    await page.goto(linked.links[4])
    await _take(page)
    hers = await page.input_value("#code")
    await page.goto(f"{linked.address}/help")
    await page.goto(linked.links[5])
    await page.wait_for_selector("#link button.go")
    assert await page.input_value("#code") == ""
    await _take(page)
    assert len(hers) > 100 and await page.input_value("#code") != hers
    await page.goto(f"{linked.address}/help")
    await page.goto(linked.links[5])  # opened again it is still there
    await page.wait_for_selector("#link [role=status]:has-text('pronto')")


async def test_a_second_sheet_on_one_s_own_phone_takes_no_other_s_place(browser: Browser, linked: Linked) -> None:
    """Done from outside: two people of one household were told that their answers leave tonight; one sheet came."""
    context = await _phone(browser)
    await context.clock.set_fixed_time(datetime.now().replace(hour=9))  # after ten there is no evening left to wait for
    for link in (6, 7):
        page = await context.new_page()
        await page.goto(linked.links[link])
        await page.locator("input[name=_phone][value=own]").check()
        await _take(page)
        await _answer_two(page)
        await page.evaluate("location.hash = '#send'")
        await page.wait_for_selector("#tonight")
        await page.click("#tonight")
        if link == 6:
            await page.wait_for_selector("#offline:has-text('stasera')")
            first = await page.evaluate("JSON.parse(localStorage['ascolto-waiting']).attempt")
            await page.close()
        else:
            await page.wait_for_url("**/thanks*")  # it left at once: the other one waits
            assert await page.evaluate("JSON.parse(localStorage['ascolto-waiting']).attempt") == first


@pytest.mark.parametrize("code", ["", "ABCD-EFGH"])
async def test_a_code_that_cannot_be_one_is_said_before_the_sheet_is_sealed(
    browser: Browser, linked: Linked, code: str
) -> None:
    """Done from outside: it was refused in the evening, when nothing of the answers was left."""
    page = await (await _phone(browser)).new_page()
    await page.goto(f"{linked.address}/answer?lang=it")
    await page.locator("input[name=_phone][value=own]").check()
    await page.fill("#code", code)
    await _answer_two(page)
    await page.evaluate("location.hash = '#send'")
    await page.wait_for_selector("#tonight")
    await page.click("#tonight")
    await expect(page.locator("#offline")).to_contain_text("odice")
    assert await page.evaluate("localStorage['ascolto-waiting'] ?? ''") == ""
    assert await page.locator("input[name=LEA1]:checked").count() == 1
    await expect(page.locator("#offline")).to_be_visible()  # where she is, with a way to where the code is typed
    await page.click("#offline a")
    await expect(page.locator("#code")).to_be_visible()


async def test_a_key_that_was_changed_is_seen_by_the_phone(browser: Browser, linked: Linked) -> None:
    """A server that gives one person a key of her own could recognise her token: the page stops before anything is sent."""
    other = base64.b64encode(blind.generate_key().public.to_der()).decode()

    async def changed(route: Route) -> None:
        content = await (await route.fetch()).json()
        await route.fulfill(json=content | {"token_key": other})

    context = await _phone(browser)
    page = await context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    await page.route("**/answer/words*", changed)
    await page.goto(linked.links[8])
    await page.wait_for_selector("#link [role=alert]:has-text('Fermati')")
    assert await page.locator("#link button").count() == 0
    assert not any("/answer/token" in url for url in asked)


async def test_the_meter_says_how_many_are_alike_and_asks_nobody(browser: Browser, linked: Linked) -> None:
    """Forty people in four services of ten; the phone knows planned headcounts, rounded to ten, and no cross of them."""
    context = await _phone(browser)
    page = await context.new_page()
    await page.goto(f"{linked.address}/answer?lang=it")
    await page.evaluate("location.hash = document.querySelector('[data-own]').id")
    await page.select_option("select[name=unit]", "po.nido") if await page.locator(
        "select[name=unit]"
    ).count() else await page.check("input[name=unit][value='po.nido']")
    await page.wait_for_selector("#meter-unit:has-text('10 persone')")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    await page.check("input[name=gender][value=m]")
    await page.wait_for_selector("#meter-gender")
    assert asked == []
    known = httpx.get(f"{linked.address}/answer/words?lang=it").json()["meter"]
    assert {view["people"] % 10 for view in known} == {0}
    assert not any(len(view["filter"]) > 2 for view in known)


async def test_a_sheet_that_waits_is_tried_no_more_once_its_code_was_used(browser: Browser, linked: Linked) -> None:
    """Found from outside: the phone tried it again every minute, for ever."""
    context = await _phone(browser)
    page = await context.new_page()
    await page.goto(linked.links[9])
    await page.locator("input[name=_phone][value=own]").check()
    await _take(page)
    await page.wait_for_selector("#tonight", state="attached")
    await _answer_two(page)
    await page.evaluate("location.hash = '#send'")
    await page.route("**/answer/sealed*", lambda route: route.abort())
    await page.click("#send button.go")
    await page.wait_for_selector("#offline:has-text('chiuse su questo telefono')")
    waiting = await page.evaluate("JSON.parse(localStorage['ascolto-waiting'])")
    other = {"wave": waiting["wave"], "code": waiting["code"], "envelope": waiting["envelope"], "attempt": "b" * 32}
    assert httpx.post(f"{linked.address}/answer/sealed?lang=it", json=other).json() == {"received": True}
    await page.unroute("**/answer/sealed*")
    await page.reload()
    await page.wait_for_selector("#offline:has-text('già stato usato')")
    assert await page.evaluate("localStorage['ascolto-waiting'] ?? ''") == ""


async def test_on_a_phone_of_ones_own_everything_works_without_a_network(
    browser: Browser, linked: Linked, tmp_path: Path
) -> None:
    """Open, say that it is mine, close, come back without a network, answer, send when it returns, check the list."""
    context = await _phone(browser)
    page = await context.new_page()
    await page.goto(linked.links[2])
    await page.locator("input[name=_phone][value=own]").check()
    await _take(page)
    await page.wait_for_selector("#tonight", state="attached")
    for _ in range(50):  # the page is kept for a time without a network
        if await page.evaluate("caches.open('ascolto-answer').then(c => c.keys()).then(k => k.length)") >= 6:
            break
        await asyncio.sleep(0.1)
    await page.close()

    await context.set_offline(True)
    page = await context.new_page()
    await page.goto(f"{linked.address}/answer?lang=it")
    assert await page.locator("#code").is_hidden()
    await _answer_two(page)
    await page.evaluate("location.hash = '#send'")
    await page.click("#send button.go")
    await page.wait_for_selector("#offline:has-text('chiuse su questo telefono')")
    kept = await page.evaluate("JSON.stringify(localStorage)")
    assert "LEA1" not in kept and "ascolto-draft" not in kept
    await page.close()

    await context.set_offline(False)
    page = await context.new_page()
    await page.goto(f"{linked.address}/answer?lang=it")
    await page.wait_for_url("**/thanks*")
    digest = await page.evaluate(f"JSON.parse(localStorage['ascolto-sent'])['{WAVE}']")
    assert re.fullmatch("[0-9a-f]{64}", digest)
    async with stores(StoreSettings(linked.data)) as engines:
        site = Site(engines, linked.data, today(), "test")
        await closing.end(site, WAVE)
        closed = await closing.close(site, WAVE, unused_slips=0)
    await page.goto(f"{linked.address}/wave/{WAVE}?lang=it")
    assert closed.state == "too few"
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    await page.click("#mine")
    await page.wait_for_selector("#check [role=status]:has-text('è nell')")
    assert asked == [f"{linked.address}/wave/{WAVE}/bulletin.txt"]
    await page.screenshot(path=str(tmp_path / "list.png"))
