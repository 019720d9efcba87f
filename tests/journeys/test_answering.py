"""A cleaner answers on a 360 px phone, in Romanian, without a script; and everything that may go wrong on the bus."""

import re

import httpx
import pytest
from playwright.async_api import Browser, Page, Route, ViewportSize, expect

from tests.journeys.conftest import Served, press

PHONE: ViewportSize = {"width": 360, "height": 740}


async def _phone(browser: Browser, *, java_script_enabled: bool | None = None) -> Page:
    context = await browser.new_context(viewport=PHONE, locale="ro-RO", java_script_enabled=java_script_enabled)
    return await context.new_page()


async def _answer_every_section(page: Page) -> None:
    """Go through all sections by the visible buttons, choosing the fourth answer of the first item of each."""
    await page.click("text=Începe")
    while await page.locator("#send:target").count() == 0:
        choices = page.locator("section:target label.o")
        if await choices.count():
            await choices.nth(3).click()
        forward = page.locator("section:target .nav a.go")
        if await forward.count():
            await forward.click()
        else:
            await page.click("section:target .nav a.b >> text=Răspunde la această secțiune")


async def test_a_sheet_goes_from_a_phone_without_script_to_the_thanks(browser: Browser, served: Served) -> None:
    page = await _phone(browser, java_script_enabled=False)
    await page.goto(served.address)
    await press(page, "text=Răspunde la chestionar")
    await page.fill("#code", served.known["codes"][0].lower())
    await _answer_every_section(page)
    await press(page, "button.go")
    assert await page.inner_text("h1") == "Primit."
    assert page.url.startswith(f"{served.address}/thanks")


async def test_changing_language_keeps_every_answer_and_the_place(browser: Browser, served: Served) -> None:
    page = await _phone(browser, java_script_enabled=False)
    await page.goto(f"{served.address}/answer")
    await page.click("text=Începe")
    await page.locator("section:target label.o").nth(3).click()
    await page.locator("section:target summary").first.click()
    await press(page, "section:target button[value=ar]")
    assert page.url.endswith("#s1")
    assert await page.get_attribute("html", "dir") == "rtl"
    assert await page.locator("input[name=CUL1]:checked").get_attribute("value") == "4"


async def test_with_a_script_no_answer_leaves_the_phone_for_another_language(browser: Browser, served: Served) -> None:
    """Done from outside: with the script on, code and answers went to the server in clear whenever somebody changed the language."""
    page = await _phone(browser)
    sent: list[str] = []
    page.on("request", lambda request: sent.append(f"{request.method} {request.url} {request.post_data or ''}"))
    code = served.known["codes"][9]
    await page.goto(f"{served.address}/answer")
    await page.fill("#code", code)
    await page.click("text=Începe")
    await page.locator("section:target label.o").nth(3).click()
    for language, direction in (("ar", "rtl"), ("it", "ltr"), ("ar", "rtl"), ("uk", "ltr"), ("ar", "rtl")):
        await page.locator("section:target summary").first.click()
        await page.click(f"section:target button[value={language}]")
        await expect(page.locator("html")).to_have_attribute("lang", language)
        assert await page.get_attribute("html", "dir") == direction
        await expect(page).to_have_url(f"{served.address}/answer?lang={language}&wave=autunno-2026#s1")
        assert await page.locator("input[name=CUL1]:checked").get_attribute("value") == "4"
        assert await page.input_value("#code") == code
    await page.context.set_offline(True)
    await page.locator("section:target summary").first.click()
    await page.click("section:target button[value=en]")
    await expect(
        page.locator("section:target details [role=alert]")
    ).to_be_visible()  # without a network it says so, where she pressed
    assert await page.input_value("#code") == code
    await page.context.set_offline(False)
    assert [one for one in sent if one.startswith("POST") or code in one or "CUL1" in one] == []
    await page.evaluate("location.hash = 'send'")
    await page.click("#send button.go")
    await page.wait_for_url("**/thanks?**")
    posts = [one for one in sent if one.startswith("POST")]
    assert len(posts) == 1 and "/answer/sealed" in posts[0] and "CUL1" not in posts[0]


async def test_nothing_is_wider_than_a_phone_of_320_pixels(browser: Browser, served: Served) -> None:
    context = await browser.new_context(viewport={"width": 320, "height": 640})
    page = await context.new_page()
    for path in (
        "/",
        "/help",
        "/answer",
        "/answer#s1",
        "/answer#s11",
        "/wave/autunno-2026",
        "/results/primavera-2026",
        "/thanks",
    ):
        await page.goto(f"{served.address}{path}")
        assert await page.evaluate("document.documentElement.scrollWidth") <= 320, path


async def test_the_whole_form_can_be_filled_with_a_keyboard(browser: Browser, served: Served) -> None:
    page = await _phone(browser, java_script_enabled=False)
    await page.goto(f"{served.address}/answer#s1")
    await page.focus("input[name=CUL1]")
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Space")
    assert await page.locator("input[name=CUL1]:checked").count() == 1
    assert await page.locator("input[name=CUL2]:checked").count() == 1


async def test_a_draft_stays_on_her_own_phone_and_goes_with_the_sending(browser: Browser, served: Served) -> None:
    page = await _phone(browser)
    await page.goto(f"{served.address}/answer#{served.known['codes'][1]}")
    assert page.url == f"{served.address}/answer"
    assert await page.input_value("#code") == served.known["codes"][1]
    await page.check("input[name=_phone][value=own]")
    await page.click("text=Începe")
    await page.locator("section:target label.o").nth(2).click()
    again = await page.context.new_page()
    await again.goto(f"{served.address}/answer")
    assert await again.locator("input[name=CUL1]:checked").get_attribute("value") == "3"
    await again.goto(f"{served.address}/answer#send")
    await press(again, "button.go")
    await again.wait_for_url("**/thanks**")
    assert await again.evaluate("Object.keys(localStorage)") == ["ascolto-sent"]  # to look for her code in the list
    assert "CUL1" not in await again.evaluate("localStorage['ascolto-sent']")


async def test_a_shared_phone_keeps_nothing(browser: Browser, served: Served) -> None:
    page = await _phone(browser)
    await page.goto(f"{served.address}/answer")
    await page.click("text=Începe")
    await page.locator("section:target label.o").nth(2).click()
    assert await page.evaluate("[localStorage.length, sessionStorage.length]") == [0, 0]
    assert await page.context.cookies() == []


async def test_without_network_the_page_waits_and_sends_by_itself(browser: Browser, served: Served) -> None:
    page = await _phone(browser)
    await page.goto(f"{served.address}/answer")
    await page.fill("#code", served.known["codes"][2])
    await page.evaluate("location.hash = 'send'")
    await page.context.set_offline(True)
    await page.click("button.go")
    await expect(page.locator("#offline")).to_have_text(
        re.compile("^Nu este rețea")
    )  # after the script failed to come twice
    await page.context.set_offline(False)
    await page.wait_for_url("**/thanks**")


def _post(served: Served, **fields: object) -> httpx.Response:
    return httpx.post(f"{served.address}/answer", data={"_lang": "it", **fields}, follow_redirects=False)


def test_the_same_form_sent_ten_times_is_thanked_ten_times_and_another_form_is_told(served: Served) -> None:
    code = served.known["codes"][3]
    answers = [_post(served, _code=code, _attempt="a" * 32, CUL1="3").status_code for _ in range(10)]
    assert answers == [303] * 10
    other = _post(served, _code=code, _attempt="b" * 32, CUL1="5")
    assert other.status_code == 409
    assert "già stato usato" in other.text


@pytest.mark.parametrize(
    ("fields", "status", "sentence"),
    [
        ({}, 422, "Scrivi il codice del foglio."),
        ({"_code": "not a code"}, 422, "deve avere 16 lettere e numeri"),
        ({"_code": "0000-0000-0000-0000"}, 422, "Non conosciamo questo codice"),
        ({"_code": ["AAAA-AAAA-AAAA-AAAA", "BBBB-BBBB-BBBB-BBBB"]}, 422, "deve avere 16 lettere e numeri"),
        ({"_code": "0000-0000-0000-0000", "XYZ": "1"}, 422, "una domanda che non conosciamo"),
        ({"_code": "0000-0000-0000-0000", "CUL1": "9"}, 422, "non è tra quelle possibili"),
        ({"_code": "0000-0000-0000-0000", "CUL1": ["1", "2"]}, 422, "più di una risposta"),
        ({"_code": "0000-0000-0000-0000", "CUL1": "x" * 1_000_000}, 413, "troppo grande"),
    ],
)
def test_a_wrong_sheet_is_told_what_is_wrong_and_keeps_its_answers(
    served: Served, fields: dict[str, object], status: int, sentence: str
) -> None:
    answered = _post(served, **{"VOI1": "4", **fields})
    assert answered.status_code == status
    assert sentence in answered.text
    if status == 422:
        assert 'name="VOI1" value="4" checked' in answered.text


def test_staff_pages_set_no_cookie_and_are_not_kept(served: Served) -> None:
    for path in ("/", "/help", "/answer", "/wave/autunno-2026", "/results/primavera-2026", "/thanks", "/nothing-here"):
        answered = httpx.get(f"{served.address}{path}")
        assert "set-cookie" not in answered.headers, path
        assert answered.headers["cache-control"] == "no-store", path
        assert answered.headers["referrer-policy"] == "no-referrer", path
        assert "default-src 'none'" in answered.headers["content-security-policy"], path
        assert "unsafe" not in answered.headers["content-security-policy"], path


async def test_a_phone_that_knows_a_plan_sends_nothing_where_the_plan_was_taken_away(
    browser: Browser, served: Served
) -> None:
    """Done by an attacker who writes the key folder: the wave was made one of version 1, and a marked slip was sent in clear."""
    page = await (await browser.new_context(viewport=PHONE, locale="it-IT")).new_page()
    posts: list[str] = []
    page.on("request", lambda request: posts.append(request.url) if request.method == "POST" else None)

    async def first_version(route: Route) -> None:
        found = await route.fetch()
        if "json" in found.headers["content-type"]:
            given = await found.json()
            await route.fulfill(
                json={name: value for name, value in given.items() if name != "plan"} | {"phone_key": "00" * 32}
            )
        else:
            text = await found.text()
            assert "data-pairs" in text
            await route.fulfill(response=found, body=re.sub(r'\sdata-pairs="[^"]*"', "", text))

    await page.route("**/answer?*", first_version)
    await page.route("**/answer/words*", first_version)
    await page.goto(f"{served.address}/answer?lang=it#{served.known['codes'][-1]}.{'ab' * 16}")
    await page.evaluate(
        "document.querySelectorAll('fieldset').forEach((one) => { const first = one.querySelector('input[type=radio]'); if (first) first.checked = true; })"
    )
    await page.evaluate("location.hash = '#send'")
    await page.click("#send button.go")
    await page.wait_for_selector("text=Fermati: la chiave")
    assert posts == []
