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
from PIL import Image
from playwright.async_api import Browser, Page, Route

from server.demonstration import channel as demonstration
from server.frame.texts import say
from surveys.cases import codes
from surveys.lifecycle.channel import publish_ring
from surveys.lifecycle.context import Site
from surveys.public import house as house_file
from surveys.public import rings
from surveys.public.rings import Wanted
from surveys.stores import StoreSettings, stores
from tests.journeys.channel import BEGIN, Channel, at_desk, phone, running
from tests.journeys.test_proofs import report, store

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
        chain = await rings.load(anchor)
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
        chain = await rings.load(anchor)
        assert chain is not None
        keys, _ = await demonstration.enrol(site, "ascolto3")
        stated = rings.state(anchor, "ascolto3", "Carla Nuova", (keys.recipient, keys.signer, keys.ed25519), BEGIN)
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
    await page.click("#send-diary" if script else "button[value=send_diary]")
    await page.wait_for_selector(f'text="{CHANGED}"')
    assert _cases(channel) == before
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
    await _another_reader(channel)
    await page.click("#send")
    await page.wait_for_selector(f'text="{CHANGED}"')
    shown = await page.locator("#who legend").all_inner_texts()
    assert _cases(channel) == 0 and "Carla Nuova" in shown and "Paolo Esempio" not in shown
    await page.click('#who a[href="#write"]')
    await page.click("#to-check")
    await page.click('#check a[href="#code"]')
    await page.click("#send")
    await page.wait_for_selector("#letters h1")
    assert _cases(channel) > 0
    await context.close()


async def test_without_a_script_another_letter_with_the_same_words_is_another_letter(
    browser: Browser, channel: Channel
) -> None:
    """Done from outside: "I agree to say who I am" with the words of the message before was lost without a word."""
    context, page = await phone(browser, "it-IT", script=False)
    await page.goto(f"{channel.address}/concern?lang=it")
    await _write(page, script=False)
    code = " ".join(await page.locator(".secret span").all_inner_texts())
    async with page.expect_navigation():
        await page.click("button[value=send]")
    await page.goto(f"{channel.address}/help?lang=it")
    await page.goto(f"{channel.address}/concern?lang=it#back")
    await page.fill("#typed", code)
    async with page.expect_navigation():
        await page.click("button[value=open]")
    for kind, letters in (
        ("message", 2),
        ("consent_yes", 3),
        ("consent_no", 4),
        ("retaliation", 5),
        ("retaliation", 5),
    ):
        await page.select_option("#kind", kind)
        await page.fill("#text", "va bene")
        async with page.expect_navigation():
            await page.click("button[value=reply]")
        assert await page.locator("article.letter").count() == letters
    await context.close()


@pytest.mark.parametrize("script", [True, False], ids=["with a script", "without"])
async def test_a_proof_of_another_day_than_her_report_s_is_not_given(
    browser: Browser, channel: Channel, script: bool
) -> None:
    """Done from outside: `ascolto proof verify` called "sent on 2025-03-01" right, of a report of today."""
    secret = await report(channel, "storia")
    context, page = await phone(browser, "it-IT", script=script)

    async def proof() -> str:
        await page.goto(f"{channel.address}/help?lang=it")
        await page.goto(f"{channel.address}/concern?lang=it#back")
        await page.fill("#typed", " ".join(codes.to_digits(secret)))
        await page.click("#open" if script else "button[value=open]")
        await page.wait_for_selector(f'summary:has-text("{say("it", "concern.thread.proof")}")')
        await page.click(f'summary:has-text("{say("it", "concern.thread.proof")}")')
        await page.click(f'button:has-text("{say("it", "concern.thread.proof")}")')
        await page.wait_for_selector('pre:visible, [role="alert"]:visible')
        return await page.inner_text("main")

    for day, given in ((BEGIN, True), (BEGIN + timedelta(days=1), True), (BEGIN + timedelta(days=2), False)):
        with store(channel) as rows:
            rows.execute('UPDATE "case" SET received = ?', (day.isoformat(),))
        shown = await proof()
        assert (day.isoformat() in shown and "signature" in shown) == given
        assert (say("it", "concern.thread.proof_other") in shown) != given
    with store(channel) as rows:
        rows.execute('UPDATE "case" SET received = ?', ((BEGIN - timedelta(days=1)).isoformat(),))
    assert "signature" not in await proof()
    await context.close()


async def test_nobody_lets_the_substitute_in_by_days_that_she_was_there(browser: Browser, channel: Channel) -> None:
    desk = await at_desk(browser, channel, "ascolto1")
    await desk.click(f'summary:has-text("{say("it", "cases.desk.away")}")')
    await desk.fill("#away-from", (BEGIN - timedelta(days=20)).isoformat())
    await desk.click(f'button:has-text("{say("it", "cases.desk.away_save")}")')
    await desk.wait_for_timeout(500)
    with store(channel) as rows:
        [begins] = next(iter(rows.execute("SELECT away_from FROM handler WHERE name = 'ascolto1'")))
    assert str(begins) == BEGIN.isoformat()
    await desk.context.close()


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


async def test_a_page_that_stayed_open_for_days_writes_with_the_day_of_sending(
    browser: Browser, channel: Channel
) -> None:
    """Done from outside: the proof of a report from such a page was refused for ever, with an accusation."""
    context, page = await phone(browser, "it-IT")
    await page.goto(f"{channel.address}/concern?lang=it")
    channel.day(BEGIN + timedelta(days=3))
    await _write(page, script=True)
    await page.click("#send")
    await page.wait_for_selector("#letters h1")
    await page.click("#letters button")
    await page.wait_for_selector(f'summary:has-text("{say("it", "concern.thread.proof")}")')
    assert "26 novembre 2026" in await page.inner_text("#letters")
    await page.click(f'summary:has-text("{say("it", "concern.thread.proof")}")')
    await page.click(f'button:has-text("{say("it", "concern.thread.proof")}")')
    await page.wait_for_selector("pre:visible")
    assert (BEGIN + timedelta(days=3)).isoformat() in await page.inner_text("pre")
    await context.close()


async def test_a_report_is_not_taken_without_a_photo_that_made_way_while_it_was_sent(
    browser: Browser, channel: Channel, tmp_path: Path
) -> None:
    """Done from outside: a stranger's pieces pushed one of two photos out, and the page said "closed and delivered"."""
    Image.effect_noise((900, 900), 90).convert("RGB").save(tmp_path / "foto.jpg", quality=95)
    context, page = await phone(browser, "it-IT")
    await page.goto(f"{channel.address}/concern?lang=it")
    await page.click('a[href="#who"]')
    await page.click('#who a[href="#write"]')
    await page.set_input_files("#files", tmp_path / "foto.jpg")
    await page.wait_for_selector("#chosen li")
    took: list[int] = []

    async def make_way(route: Route) -> None:
        if not took:
            with store(channel) as rows:
                took.append(rows.execute("DELETE FROM piece").rowcount)
        await route.continue_()

    await page.route("**/concern/sealed", make_way)
    await page.fill("#text", "vedi foto")
    await page.click("#to-check")
    await page.click('#check a[href="#code"]')
    await page.wait_for_selector(".secret span")
    parts = await page.locator(".secret span").all_inner_texts()
    for n in (2, 7):
        await page.fill(f"#part{n}", parts[n - 1])
    await page.click("#send")
    await page.wait_for_selector("#letters h1")
    with store(channel) as rows:
        [kept] = next(iter(rows.execute('SELECT count(*) FROM piece WHERE "case" IS NOT NULL')))
    assert took[0] > 0 and kept == took[0]
    await context.close()


async def test_a_list_that_was_renewed_while_her_thread_is_open_loses_no_word(
    browser: Browser, channel: Channel
) -> None:
    """Done from outside: a reader answered under a renewed list, and her reply was gone under "your text is still here"."""
    secret = await report(channel, "storia")
    context, page = await phone(browser, "it-IT")
    await page.goto(f"{channel.address}/concern?lang=it#back")
    await page.fill("#typed", " ".join(codes.to_digits(secret)))
    await page.click("#open")
    await page.wait_for_selector("#answer")
    await _without_recovery(channel)
    desk = await at_desk(browser, channel, "ascolto1")
    await desk.click("#board table button")
    await desk.fill("#answer", "risposta sotto il nuovo elenco")
    await desk.click("#send")
    await desk.wait_for_selector("text=risposta sotto il nuovo elenco")
    await page.select_option("#kind", "retaliation")
    await page.fill("#answer", "mi hanno cambiato i turni")
    await page.click("#reply")
    await page.wait_for_selector("text=risposta sotto il nuovo elenco")
    await page.wait_for_selector(f'text="{say("it", "concern.thread.stale")}"')
    assert await page.input_value("#answer") == "mi hanno cambiato i turni"
    assert await page.input_value("#kind") == "retaliation"
    await page.click("#reply")
    await page.wait_for_selector('article:has-text("mi hanno cambiato i turni")')
    await desk.context.close()
    await context.close()
