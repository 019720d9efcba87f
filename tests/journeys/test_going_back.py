"""Somebody else takes the phone after she sent: Back, reload, a browser that is opened again, a page that was kept."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import httpx
import pytest
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect
from playwright.async_api import Error as BrowserError

from server.frame.texts import say
from surveys.lifecycle.context import Site
from surveys.stores import StoreSettings, stores
from tests.browsers import ARGUMENTS, chromium
from tests.conftest import DAY, open_a_wave
from tests.journeys.channel import Channel, make_channel, phone, what_is_sent_without_a_script
from tests.journeys.conftest import press

WRITTEN = "parolachenessunodeveleggere"
FILL = f"""() => {{
  for (const fieldset of document.querySelectorAll("section fieldset")) {{
    const choices = fieldset.querySelectorAll("input[type=radio]:not([name=_phone])");
    if (choices.length) choices[1].checked = true;
  }}
  for (const text of document.querySelectorAll("textarea")) text.value = "{WRITTEN}";
  for (const list of document.querySelectorAll("select")) list.selectedIndex = 1;
}}"""
SHOWN = """() => [...document.querySelectorAll("input:checked")].filter((one) => one.value && one.name !== "_phone").length
  + [...document.querySelectorAll("textarea,select")].filter((one) => one.value).length"""


@pytest.fixture(scope="module")
def wave(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Channel]:
    """A served open wave; each test takes a code of its own."""
    made = Channel(tmp_path_factory.mktemp("wave") / "data", {})
    made.day(DAY)

    async def fill() -> None:
        settings = StoreSettings(made.data)
        async with stores(settings) as engines:
            opened = await open_a_wave(Site(engines, settings.data, DAY, "hr"))
            made.known["codes"] = [str(code) for code in opened.codes]

    asyncio.run(fill())
    made.start()
    yield made
    made.stop()


async def _answers(page: Page) -> int:
    """How many answers and texts the page shows, by its fields and by its words."""
    while True:
        try:
            return int(await page.evaluate(SHOWN)) + (await page.content()).count(WRITTEN)
        except BrowserError as moved:
            if "navigation" not in str(moved):
                raise
            await page.wait_for_load_state()  # a slow machine is still between two pages


async def _begin(page: Page, wave: Channel, *switch: str) -> int:
    """Fill the form, in as many languages as named; gives how many answers are there."""
    await page.goto(f"{wave.address}/answer?lang=it")
    await page.evaluate(FILL)
    for language in switch:
        await page.evaluate(f"document.querySelector('#start button[value={language}]').click()")
        await expect(page.locator("html")).to_have_attribute("lang", language)
        await expect(page).to_have_url(re.compile("#start$"))  # with a script the last thing that happens
    return await _answers(page)


async def _send(page: Page, code: str) -> None:
    await page.fill("#code", code)
    async with page.expect_navigation():
        await page.evaluate("document.querySelector('#send button.go').click()")


async def _looked_for(page: Page, steps: int = 5) -> set[int]:
    """Go back as far as there is something, forward again, each page sent anew where the browser asks: all that was shown."""
    found = set[int]()
    for move in (*("goBack",) * steps, *("goForward",) * steps):
        with suppress(BrowserError):
            await (page.go_back(timeout=5000) if move == "goBack" else page.go_forward(timeout=5000))
        await page.wait_for_timeout(200)
        found.add(await _answers(page))
        with suppress(BrowserError):
            await page.reload(timeout=5000)
        await page.wait_for_timeout(200)
        found.add(await _answers(page))
    return found


@pytest.mark.parametrize("script", [True, False])
@pytest.mark.parametrize("switch", [(), ("fr",), ("fr", "ar")])
async def test_no_answer_comes_back_after_sending(
    browser: Browser, wave: Channel, script: bool, switch: tuple[str, ...]
) -> None:
    context = await browser.new_context(java_script_enabled=script)
    page = await context.new_page()
    assert await _begin(page, wave, *switch) > 50
    await _send(page, wave.known["codes"].pop())
    assert page.url.startswith(f"{wave.address}/thanks")
    assert await _looked_for(page) == {0}
    await context.close()


@pytest.mark.parametrize("script", [True, False])
async def test_no_answer_comes_back_of_a_form_that_was_sent_after_it_came_back_with_a_problem(
    browser: Browser, wave: Channel, script: bool
) -> None:
    context = await browser.new_context(java_script_enabled=script)
    page = await context.new_page()
    await _begin(page, wave, "ro")
    if script:  # sealed on the phone: what is wrong is said in the page she is in
        said = await page.text_content("#offline")
        await page.fill("#code", "wrong")
        await page.evaluate("document.querySelector('#send button.go').click()")
        await page.wait_for_function("said => document.getElementById('offline').textContent !== said", arg=said)
    else:
        await _send(page, "wrong")
    assert await _answers(page) > 50  # what she chose is kept until she has sent it
    await _send(page, wave.known["codes"].pop())
    assert page.url.startswith(f"{wave.address}/thanks")
    assert await _looked_for(page) == {0}
    await context.close()


@asynccontextmanager
async def _persistent(folder: Path, *more: str, script: bool) -> AsyncIterator[BrowserContext]:
    async with async_playwright() as playwright:
        context = await playwright.chromium.launch_persistent_context(
            folder,
            executable_path=chromium(),
            args=[*ARGUMENTS, *more],
            java_script_enabled=script,
            ignore_default_args=["--disable-back-forward-cache"],
        )
        yield context
        await context.close()


@pytest.mark.parametrize("script", [True, False])
async def test_a_browser_that_is_opened_again_shows_no_answer(wave: Channel, tmp_path: Path, script: bool) -> None:
    """The session is brought back with `--restore-last-session`: one page that was sent, one that was left in the middle."""
    async with _persistent(tmp_path, script=script) as context:
        sent = context.pages[0]
        await _begin(sent, wave, "fr")
        await _send(sent, wave.known["codes"].pop())
        left = await context.new_page()
        assert await _begin(left, wave) > 50
        await left.wait_for_timeout(1500)
    async with _persistent(tmp_path, "--restore-last-session", script=script) as context:
        await context.pages[0].wait_for_timeout(1500)
        restored = [page for page in context.pages if page.url.startswith(wave.address)]
        assert sorted(page.url.split("?")[0] for page in restored) == [
            f"{wave.address}/answer",
            f"{wave.address}/thanks",
        ]
        for page in restored:
            assert await _answers(page) == 0
            assert await _looked_for(page, 3) == {0}


async def test_a_page_that_the_browser_kept_whole_is_empty(wave: Channel, tmp_path: Path) -> None:
    """Back-forward cache: what pagehide left is what a browser would show, and pageshow loads the page anew."""
    async with _persistent(tmp_path, script=True) as context:
        page = context.pages[0]
        await _begin(page, wave)
        await page.evaluate("dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true }))")
        assert await _answers(page) == 0
        await page.evaluate(FILL)
        async with page.expect_navigation():
            await page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")
        assert await _answers(page) == 0


async def test_her_own_phone_finds_the_draft_until_it_is_sent_and_then_nothing(browser: Browser, wave: Channel) -> None:
    context = await browser.new_context()
    page = await context.new_page()
    await page.goto(f"{wave.address}/answer?lang=it")
    await page.check("input[name=_phone][value=own]")
    await page.evaluate(FILL)
    await page.evaluate("document.querySelector('input[name=CUL1]').click()")
    draft = await page.evaluate("JSON.parse(localStorage['ascolto-draft'])")
    assert 23.9 < (draft["until"] - await page.evaluate("Date.now()")) / 3_600_000 <= 24
    again = await context.new_page()
    await again.goto(f"{wave.address}/answer?lang=it")
    assert await _answers(again) > 50
    await page.close()
    await _send(again, wave.known["codes"].pop())
    await again.wait_for_url("**/thanks**")
    assert await _looked_for(again) == {0}
    await context.close()


async def test_what_she_forgets_after_a_change_of_language_is_gone(browser: Browser, wave: Channel) -> None:
    context = await browser.new_context()
    page = await context.new_page()
    await page.goto(f"{wave.address}/answer?lang=it")
    await page.check("input[name=_phone][value=own]")
    await page.evaluate(FILL)
    async with page.expect_navigation():
        await page.evaluate("document.querySelector('#start button[value=fr]').click()")
    assert await _answers(page) > 50
    await page.check("input[name=_phone][value=own]")
    await page.wait_for_selector("#forget", state="attached")
    await page.evaluate("document.querySelector('#forget').click()")
    await page.wait_for_selector("#forget", state="detached")
    assert await _answers(page) == 0
    await context.close()


@pytest.fixture
def channel(tmp_path: Path) -> Iterator[Channel]:
    folder = tmp_path / "channel"
    folder.mkdir()
    made = make_channel(folder)
    made.start()
    yield made
    made.stop()


async def _texts(page: Page) -> int:
    return (await page.content()).count(WRITTEN) + int(
        await page.evaluate(
            f"[...document.querySelectorAll('textarea,input')].filter((one) => one.value.includes('{WRITTEN}')).length"
        )
    )


async def _texts_looked_for(page: Page) -> set[int]:
    found = set[int]()
    for move in (*("back",) * 4, *("forward",) * 4):
        with suppress(BrowserError):
            await (page.go_back(timeout=8000) if move == "back" else page.go_forward(timeout=8000))
        await page.wait_for_timeout(500)
        found.add(await _texts(page))
        with suppress(BrowserError):
            await page.reload(timeout=8000)
        await page.wait_for_timeout(500)
        found.add(await _texts(page))
    return found


async def test_a_concern_without_a_script_is_shown_once(browser: Browser, channel: Channel) -> None:
    """She forgets a part of the code, sends, opens her letters, writes again, leaves: nothing comes back by the browser."""
    _, page = await phone(browser, "en", script=False)
    await page.goto(f"{channel.address}/concern?plain&lang=en#write")
    await page.fill("#text", WRITTEN)
    await page.goto(f"{channel.address}/concern?plain&lang=en#code")
    parts = [part.strip() for part in await page.locator("#code .secret span").all_inner_texts()]
    await press(page, "#code button[value=send]")
    assert await _texts(page) == 2  # the form came back with her words
    await page.goto(page.url + "#code")
    await page.fill("#part2", parts[1])
    await page.fill("#part6", parts[5])
    await press(page, "#code button[value=send]")
    assert await page.inner_text("h1") == "Received"
    await page.goto(f"{channel.address}/concern?plain&lang=en#back")
    await page.fill("#typed", " ".join(parts))
    await press(page, "#back button[value=open]")
    assert await _texts(page) == 1
    await page.fill("#text", f"{WRITTEN}2")
    await press(page, "button[value=reply]")
    assert await _texts(page) == 2
    await press(page, "main p a.b")
    assert await _texts_looked_for(page) == {0}


async def test_a_concern_with_a_script_leaves_no_text(browser: Browser, channel: Channel) -> None:
    _, page = await phone(browser, "en")
    await page.goto(f"{channel.address}/concern?lang=en#write")
    await page.fill("#text", WRITTEN)
    await page.click("#to-check")
    await page.click("#check a.go")
    parts = await page.locator("#made .secret span").all_inner_texts()
    await page.fill("#part2", parts[1])
    await page.fill("#part6", parts[5])
    await page.click("#send")
    await page.click("text=Open now")
    await page.wait_for_selector(f"text={WRITTEN}")
    await page.evaluate("dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true }))")
    assert await _texts(page) == 0
    await page.goto(f"{channel.address}/?lang=en")
    assert await _texts_looked_for(page) == {0}


async def test_pages_that_older_servers_made_keep_what_is_sent_and_show_nothing(channel: Channel) -> None:
    """A restart in the middle of writing loses no word; a page of before it, sent again, gives none away."""
    async with httpx.AsyncClient(base_url=channel.address, timeout=30) as client:
        form = await what_is_sent_without_a_script(client, "send", WRITTEN)
        channel.stop()
        channel.start()
        first = await client.post("/concern?lang=en", data=form)
        assert (first.status_code, "Received" in first.text) == (200, True)
        again = await client.post("/concern?lang=en", data=form)
        assert (again.status_code, WRITTEN in again.text) == (200, False)
        opened = await client.post("/concern?lang=en", data={**form, "do": "open"})
        assert (opened.status_code, WRITTEN in opened.text) == (422, False)
        fresh = re.search(r'name="once" value="([^"]+)"', opened.text)
        assert fresh is not None
        read = await client.post("/concern?lang=en", data={"once": fresh[1], "do": "open", "code": form["code"]})
        assert read.text.count(WRITTEN) == 1  # once, though sent twice


async def test_a_page_of_an_older_server_never_says_that_a_refused_report_was_received(channel: Channel) -> None:
    """Found from outside: a diary of which nothing was sent was thanked for as a report, where the page was of before a restart."""
    async with httpx.AsyncClient(base_url=channel.address, timeout=30) as client:
        form = await what_is_sent_without_a_script(client, "diary", WRITTEN)
        kept = await client.post("/concern?lang=en", data=form)
        assert kept.status_code == 200
        fresh = re.search(r'name="once" value="([^"]+)"', (await client.get("/concern?plain&lang=en")).text)
        assert fresh is not None
        opened = (
            await client.post("/concern?lang=en", data={"once": fresh[1], "do": "open", "code": form["code"]})
        ).text
        later = re.search(r'name="once" value="([^"]+)"', opened)
        assert later is not None and WRITTEN in opened
        channel.stop()
        channel.start()
        diary = {"once": later[1], "do": "send_diary", "code": form["code"], "pick": "1", "reads.somebody": "yes"}
        sent = await client.post("/concern?lang=en", data=diary)
        assert (sent.status_code, "Received" in sent.text, WRITTEN in sent.text) == (422, False, False)
        assert say("en", "concern.who.changed") in sent.text
