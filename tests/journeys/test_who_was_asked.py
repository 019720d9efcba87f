"""Whoever gets a key of a report was asked about on the page that its reporter saw, whatever list stands in the store when she sends.

Done from outside: her page named Marta, Carla and Livia; one row was taken out before she pressed Send, and Paolo, whom two
seats had taken off the list, read "Paolo mi ha molestata".
"""

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pysqlite3.dbapi2 as sqlite
import pytest
from playwright.async_api import Browser, Page

from server.demonstration import channel as demonstration
from server.frame.texts import say
from surveys.lifecycle.channel import publish_ring
from surveys.lifecycle.context import Site
from surveys.public import house as house_file
from surveys.public import ring_store, rings, statements
from surveys.public.rings import Wanted
from surveys.stores import StoreSettings, stores
from tests.journeys.channel import BEGIN, Channel, phone, running
from tests.journeys.test_proofs import store

CHANGED = say("it", "concern.who.changed")
RECOVERY = 'input[name="reads.recovery"]'


@pytest.fixture
def channel(tmp_path: Path) -> Iterator[Channel]:
    with running(tmp_path) as made:
        yield made


async def _without_recovery(channel: Channel) -> None:
    """Two seats take the recovery key off the list."""
    async with stores(StoreSettings(channel.data)) as engines:
        anchor = house_file.load(channel.data)
        assert anchor is not None
        chain = await ring_store.load(anchor)
        assert chain is not None and chain.newest.recovery
        wanted = [Wanted(one.statement, one.role, one.outside) for one in chain.newest.readers]
        text = rings.draft(anchor, BEGIN, wanted, before=chain.newest)
        signatures = [rings.sign(text, bytes.fromhex(channel.known["seats"][seat])) for seat in ("legal", "staff")]
        await publish_ring(Site(engines, channel.data, BEGIN + timedelta(days=1), "administrator"), text, signatures)


async def _another_reader(channel: Channel) -> None:
    """Two seats put Carla on the list in Paolo's place."""
    async with stores(StoreSettings(channel.data)) as engines:
        site = Site(engines, channel.data, BEGIN, "administrator")
        anchor = house_file.load(channel.data)
        assert anchor is not None
        chain = await ring_store.load(anchor)
        assert chain is not None
        keys, _ = await demonstration.enrol(site, "ascolto3")
        stated = statements.state(anchor, "ascolto3", "Carla Nuova", (keys.recipient, keys.signer, keys.ed25519), BEGIN)
        stay = [Wanted(r.statement, r.role, r.outside) for r in chain.newest.readers if r.id != "ascolto2"]
        text = rings.draft(
            anchor, BEGIN, [Wanted(stated, {"it": "referente"}), *stay], chain.newest.recovery, before=chain.newest
        )
        signatures = [rings.sign(text, bytes.fromhex(channel.known["seats"][seat])) for seat in ("legal", "staff")]
        await publish_ring(site, text, signatures)


def _take_the_newest_list_out(channel: Channel) -> None:
    with closing(sqlite.connect(channel.data / "public.sqlite")) as rows, rows:
        assert rows.execute("DELETE FROM ring WHERE number = 2").rowcount == 1


def _cases(channel: Channel) -> int:
    with store(channel) as rows:
        return int(rows.execute("SELECT count(*) FROM wrap").fetchone()[0])


async def _write(page: Page, *, script: bool) -> None:
    await page.click('a[href="#who"]')
    await page.click('#who a[href="#write"]')
    await page.fill("#text", "mi ha molestata")
    await page.click("#to-check")
    if script:
        await page.click('#check a[href="#code"]')
    await page.wait_for_selector(".secret span")
    parts = await page.locator(".secret span").all_inner_texts()
    for n in (2, 7):
        await page.fill(f"#part{n}", parts[n - 1])


@pytest.mark.parametrize("script", [True, False], ids=["with a script", "without"])
async def test_nobody_gets_a_key_whom_the_page_did_not_name(browser: Browser, channel: Channel, script: bool) -> None:
    await _without_recovery(channel)
    context, page = await phone(browser, "it-IT", script=script)
    await page.goto(f"{channel.address}/concern?lang=it")
    assert await page.locator(RECOVERY).count() == 0
    if script:  # its list is asked for when it is needed, after the page
        _take_the_newest_list_out(channel)
    await _write(page, script=script)
    if not script:
        _take_the_newest_list_out(channel)
    await page.click("#send" if script else "button[value=send]")
    await page.wait_for_selector(f'text="{CHANGED}"')
    assert _cases(channel) == 0
    assert await page.locator(RECOVERY).count() == 2  # she is asked now
    assert await page.input_value("#text") == "mi ha molestata"
    if not script:
        await page.click('a[href="#who"]:visible')
    await page.check(f"{RECOVERY}[value=no]")
    if script:
        await page.click('#who a[href="#write"]')
        await page.click("#to-check")
        await page.click('#check a[href="#code"]')
        await page.click("#send")
        await page.wait_for_selector("#letters h1")
    else:
        await page.click('#who a[href="#write"]')
        await page.click("#to-check")
        parts = await page.locator(".secret span").all_inner_texts()
        for n in (2, 7):
            await page.fill(f"#part{n}", parts[n - 1])
        async with page.expect_navigation():
            await page.click("button[value=send]")
    assert _cases(channel) > 0
    await context.close()


@pytest.mark.parametrize("script", [True, False], ids=["with a script", "without"])
async def test_parts_of_a_diary_go_to_nobody_whom_the_page_did_not_name(
    browser: Browser, channel: Channel, script: bool
) -> None:
    await _without_recovery(channel)
    context, page = await phone(browser, "it-IT", script=script)
    await page.goto(f"{channel.address}/concern?lang=it")
    await _write(page, script=script)
    code = " ".join(await page.locator(".secret span").all_inner_texts())
    if script:
        await page.click("#diary")
        await page.wait_for_selector("#letters h1")
    else:
        async with page.expect_navigation():
            await page.click("button[value=diary]")
    before = _cases(channel)
    await page.goto(f"{channel.address}/help?lang=it")
    await page.goto(f"{channel.address}/concern?lang=it#back")
    if script:
        _take_the_newest_list_out(channel)
    await page.fill("#typed", code)
    await page.click("#open" if script else "button[value=open]")
    await page.wait_for_selector("[name=pick]")
    if not script:
        _take_the_newest_list_out(channel)
    await page.check("[name=pick]")
    kept_out = f'{"#letters " if script else ""}input[name="{"diary." if script else ""}reads.ascolto2"][value=no]'
    await page.check(kept_out)
    await page.click("#send-diary" if script else "button[value=send_diary]")
    await page.wait_for_selector(f'text="{CHANGED}"')
    assert _cases(channel) == before
    assert await page.is_checked(kept_out)  # whom she kept out stays out
    await page.wait_for_selector(
        '#letters input[name="diary.reads.recovery"]' if script else RECOVERY
    )  # she is asked now
    await page.check("[name=pick]")
    await page.click("#send-diary" if script else "button[value=send_diary]")
    await page.wait_for_selector("[name=pick]", state="detached")
    await context.close()
    assert _cases(channel) > before


async def test_a_list_that_is_published_while_she_writes_is_shown_and_answered_first(
    browser: Browser, channel: Channel
) -> None:
    """Done from outside, by nobody's fault: the page said that there was nothing with this code, and said it for ever."""
    context, page = await phone(browser, "it-IT")
    await page.goto(f"{channel.address}/concern?lang=it")
    await _write(page, script=True)
    await page.wait_for_selector('#will li:has-text("Paolo")')
    await page.click('#will a[href="#who"]')
    await page.check('input[name="reads.ascolto1"][value=no]')
    await page.click('#who a[href="#write"]')
    await page.click("#to-check")
    await page.click('#check a[href="#code"]')
    await _another_reader(channel)
    await page.click("#send")
    await page.wait_for_selector(f'text="{CHANGED}"')
    shown = await page.locator("#who legend").all_inner_texts()
    assert _cases(channel) == 0 and "Carla Nuova" in shown and "Paolo Esempio" not in shown
    assert await page.is_checked('input[name="reads.ascolto1"][value=no]')  # whom she kept out stays out
    await page.click('#who a[href="#write"]')
    await page.click("#to-check")
    await page.click('#check a[href="#code"]')
    await page.click("#send")
    await page.wait_for_selector("#letters h1")
    assert _cases(channel) > 0
    await context.close()


async def test_a_draft_that_is_brought_back_knows_whom_she_keeps_out(browser: Browser, channel: Channel) -> None:
    """Done from outside: after a reload "no" to the accused was "yes" again, and he read it."""
    context, page = await phone(browser, "it-IT")
    await page.goto(f"{channel.address}/concern?lang=it")
    await page.click('a[href="#who"]')
    await page.check('input[name="reads.ascolto2"][value=no]')
    await page.check(f"{RECOVERY}[value=no]")
    await page.click('#who a[href="#write"]')
    await page.check("#keep")
    await page.fill("#text", "mi ha molestata")
    await page.click("#write details summary")
    await page.check('input[name="danger"] >> nth=0')
    danger = await page.locator("input[name=danger]:checked").get_attribute("value")
    await page.reload()
    assert await page.input_value("#text") == "mi ha molestata"
    for name in ("reads.ascolto2", "reads.recovery"):
        assert await page.is_checked(f'input[name="{name}"][value=no]')
    assert await page.is_checked('input[name="reads.ascolto1"][value=yes]')
    assert await page.locator("input[name=danger]:checked").get_attribute("value") == danger
    await page.goto(f"{channel.address}/concern?lang=it#write")
    await page.click("#to-check")
    await page.click('#check a[href="#code"]')
    await page.wait_for_selector("#will li")
    assert await page.locator("#will li:visible").all_inner_texts() == ["Marta Inventata", "Avv. Livia Finta"]
    await context.close()
