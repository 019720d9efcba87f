"""A reporter loses no word, no photo and no proof: lists that are renewed, answers that are lost, pages that stayed open, same words.

Each was done from outside against the version before; where nobody was to blame, the page accused somebody.
"""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from PIL import Image
from playwright.async_api import Browser, Route, expect

from server.frame.texts import say
from surveys.cases import codes
from tests.journeys.channel import BEGIN, Channel, at_desk, phone, running
from tests.journeys.test_proofs import report, store
from tests.journeys.test_who_was_asked import CHANGED, _without_recovery, _write


@pytest.fixture
def channel(tmp_path: Path) -> Iterator[Channel]:
    with running(tmp_path) as made:
        yield made


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


@pytest.mark.parametrize("right", [True, False], ids=["with the parts of the code", "without"])
async def test_two_taps_on_send_without_a_script_end_as_one(browser: Browser, channel: Channel, right: bool) -> None:
    """Done from outside: "this page was sent already" instead of "Received", and a form that came back had lost its words."""
    context, page = await phone(browser, "it-IT", script=False)
    await page.goto(f"{channel.address}/concern?lang=it")
    await _write(page, script=False)
    if not right:
        await page.fill("#part2", "sbagliata")
    button = page.locator("button[value=send]")
    await button.scroll_into_view_if_needed()
    place = await button.bounding_box()
    assert place is not None
    for _ in range(2):
        async with page.expect_request("**/concern?lang=it"):
            await page.mouse.click(place["x"] + 20, place["y"] + 10)
    if right:
        await expect(page.locator("h1")).to_have_text(say("it", "concern.sent.title"))
    else:
        await expect(page.locator("[role=alert] p").first).to_have_text(say("it", "concern.code.wrong"))
        assert await page.input_value("#text") == "mi ha molestata"
    with store(channel) as rows:
        assert rows.execute("SELECT count(*) FROM message").fetchone() == (int(right),)
    await context.close()


async def test_without_a_script_a_letter_that_is_not_taken_comes_back_in_its_thread(
    browser: Browser, channel: Channel, tmp_path: Path
) -> None:
    """Done from outside: a letter whose photo was refused came back in the form of a first report, as if it were one; of what kind
    it was, and that the photo has to be chosen anew, was forgotten without a word."""
    (tmp_path / "foto.heic").write_bytes(b"not drawn here")
    secret = await report(channel, "storia")
    context, page = await phone(browser, "it-IT", script=False)
    await page.goto(f"{channel.address}/concern?lang=it#back")
    await page.fill("#typed", " ".join(codes.to_digits(secret)))
    async with page.expect_navigation():
        await page.click("button[value=open]")
    await page.select_option("#kind", "retaliation")
    await page.fill("#text", "me la fanno pagare")
    await page.set_input_files("#photo", tmp_path / "foto.heic")
    async with page.expect_navigation():
        await page.click("button[value=reply]")
    assert await page.inner_text("h1") == say("it", "concern.thread.title")
    refused, again = (say("it", f"concern.write.files_{key}") for key in ("refused", "again"))
    assert await page.inner_text("[role=alert]") == f"{refused} {again}"
    assert await page.input_value("#text") == "me la fanno pagare"
    assert await page.input_value("#kind") == "retaliation"
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


async def test_words_added_after_an_answer_that_was_lost_wait_in_the_box(browser: Browser, channel: Channel) -> None:
    """Done from outside: the report had arrived; what she added before she pressed again was gone without a word."""
    context, page = await phone(browser, "it-IT")
    await page.goto(f"{channel.address}/concern?lang=it")
    await _write(page, script=True)
    lost: list[int] = []

    async def lose(route: Route) -> None:
        if lost:
            await route.continue_()
            return
        lost.append((await route.fetch()).status)
        await route.abort()

    await page.route("**/concern/sealed", lose)
    await page.click("#send")
    await page.wait_for_selector(f'text="{say("it", "concern.code.failed")}"')
    await page.click('#code a[href="#write"]')
    await page.fill("#text", "mi ha molestata, e si chiama Rossi")
    await page.click("#to-check")
    await page.click('#check a[href="#code"]')
    await page.click("#send")
    await page.wait_for_selector("#answer")
    assert lost == [200] and await page.input_value("#answer") == "mi ha molestata, e si chiama Rossi"
    assert say("it", "concern.thread.stale") in await page.inner_text("#wrong")
    await context.close()


async def test_a_draft_of_the_version_before_brings_her_words_and_asks_again_who_reads(
    browser: Browser, channel: Channel
) -> None:
    context, page = await phone(browser, "it-IT")
    await page.goto(f"{channel.address}/concern?lang=it")
    await page.add_init_script('sessionStorage.setItem("ascolto.draft", JSON.stringify({text: "parole di prima"}))')
    await page.reload()
    assert await page.input_value("#text") == "parole di prima"
    assert await page.is_visible("#who") and CHANGED in await page.inner_text("#wrong")
    await context.close()


@pytest.mark.parametrize("script", [True, False], ids=["with a script", "without"])
async def test_what_the_server_does_not_take_is_never_said_to_be_received(
    browser: Browser, channel: Channel, script: bool
) -> None:
    """Found from outside: a text of signs that JSON writes in seven bytes was "received", without a script, and nothing was kept."""
    context, page = await phone(browser, "it-IT", script=script)
    await page.goto(f"{channel.address}/concern?lang=it")
    await _write(page, script=script)
    await page.evaluate("location.replace('#write')") if script else await page.goto(
        f"{page.url.partition('#')[0]}#write"
    )
    await page.fill("#text", "\x01" * 30_000)
    await page.click("#to-check")
    if script:
        await page.click('#check a[href="#code"]')
    await page.click("#send" if script else "button[value=send]")
    await page.wait_for_selector(f':text("{say("it", "concern.write.long")}"):visible', timeout=15_000)
    assert await page.input_value("#text") == "\x01" * 30_000
    with store(channel) as rows:
        assert rows.execute('SELECT count(*) FROM "case"').fetchone() == (0,)
    await context.close()
