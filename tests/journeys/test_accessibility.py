"""axe-core finds nothing on any page: WCAG 2.2 AA, light and dark, Italian and Arabic, phone and computer."""

from pathlib import Path
from typing import Literal

import pytest
from playwright.async_api import Browser, Page

from surveys.lifecycle.context import today
from tests.journeys.channel import Channel, at_desk
from tests.journeys.conftest import Served, press

type Scheme = Literal["light", "dark"]

AXE = (Path(__file__).parent.parent / "vendor" / "axe.min.js").read_text("utf-8")
RULES = ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]
STAFF = (
    "/",
    "/help",
    "/answer",
    "/answer#s1",
    "/answer#s10",
    "/answer#s10b",
    "/answer#s11",
    "/answer#send",
    "/wave/autunno-2026",
    "/results/primavera-2026",
    "/thanks",
    "/nothing",
    "/concern",
    "/concern#guide",
    "/concern#who",
    "/concern#write",
    "/concern#back",
    "/cases/in",
    "/cases/setup",
)
DESK = (
    "/account",
    "/hr",
    "/hr/results/primavera-2026",
    "/hr/results/primavera-2026/item/CUL1",
    "/hr/results/primavera-2026/group/unit:li",
    "/hr/results/primavera-2026/areas/1",
    "/hr/trend",
    "/hr/actions",
    f"/hr/scorecard/{today().year - 1}-1",
    "/hr/indicators",
    "/hr/indicators/3.6",
    "/hr/indicators/5.1",
    "/hr/figures",
    f"/hr/figures/{today().year - 1}",
    "/hr/register",
    "/hr/register/1",
    "/hr/register/new",
    "/hr/register/import",
    "/hr/scorecard",
    "/hr/waves",
    "/hr/waves/new",
    "/hr/waves/autunno-2026",
    "/hr/people",
    "/hr/organisation",
    "/hr/channel",
    "/keys",
    "/audit",
    "/audit/indicators",
    "/audit/scorecard",
    "/audit/figures",
    "/audit/register",
    "/audit/register/1",
)


async def _violations(page: Page) -> list[str]:
    await page.evaluate(AXE)
    found = await page.evaluate("rules => axe.run(document, {runOnly: rules})", RULES)
    return [f"{v['id']}: {v['nodes'][0]['html'][:120]}" for v in found["violations"]]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", ["it", "ar"])
async def test_staff_pages_have_no_barrier(browser: Browser, served: Served, scheme: Scheme, language: str) -> None:
    context = await browser.new_context(viewport={"width": 360, "height": 740}, color_scheme=scheme)
    page = await context.new_page()
    for path in STAFF:
        base, _, fragment = path.partition("#")
        await page.goto(f"{served.address}{base}?lang={language}" + (f"#{fragment}" if fragment else ""))
        assert await _violations(page) == [], path
        await page.goto("about:blank")


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_desk_pages_have_no_barrier(browser: Browser, served: Served, scheme: Scheme) -> None:
    context = await browser.new_context(viewport={"width": 1280, "height": 900}, color_scheme=scheme, locale="it-IT")
    page = await context.new_page()
    await page.goto(f"{served.address}/account/in")
    assert await _violations(page) == []
    await page.fill("#name", "direzione")
    await page.fill("#password", served.password("direzione"))
    await page.fill("#second", served.code("direzione"))
    await press(page, "button.go")
    for path in DESK:
        await page.goto(f"{served.address}{path}")
        assert await _violations(page) == [], path
    await page.goto(f"{served.address}/hr/results/primavera-2026")
    assert await page.eval_on_selector(".heatbox", "box => box.scrollWidth <= box.clientWidth")  # the map is seen whole
    await page.set_viewport_size({"width": 360, "height": 740})
    wide = {}
    for path in DESK:
        await page.goto(f"{served.address}{path}")
        wide[path] = await page.evaluate("document.documentElement.scrollWidth")
    assert {path: width for path, width in wide.items() if width > 360} == {}  # a table may scroll within itself


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_the_channel_has_no_barrier_while_it_is_used(browser: Browser, served: Served, scheme: Scheme) -> None:
    """Check, code, letters, and the handlers' case: pages that a script draws."""
    context = await browser.new_context(viewport={"width": 360, "height": 740}, color_scheme=scheme)
    page = await context.new_page()
    await page.goto(f"{served.address}/concern?lang=ar")
    await page.click('a[href="#who"]')
    await page.click('#who a[href="#write"]')
    await page.fill("#text", "كلمات، Mario Rossi 10:42")
    await page.click("#to-check")
    assert await _violations(page) == []
    await page.click('#check a[href="#code"]')
    await page.wait_for_selector(".secret span")
    assert await _violations(page) == []
    blocks = await page.locator(".secret span").all_inner_texts()
    await page.fill("#part2", blocks[1])
    await page.fill("#part6", blocks[5])
    await page.click("#send")
    await page.wait_for_selector("#letters h1")
    assert await _violations(page) == []
    await page.click("#letters button")
    await page.wait_for_selector(".letter")
    assert await _violations(page) == []
    channel = Channel(served.data, served.known["channel"], int(served.address.rpartition(":")[2]))
    desk = await at_desk(browser, channel, "ascolto1")
    assert await _violations(desk) == []
    await desk.locator("#board table button").first.click()
    await desk.wait_for_selector(".letter")
    assert await _violations(desk) == []
