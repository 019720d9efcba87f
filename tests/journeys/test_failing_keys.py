"""Keys that one handler made to mute somebody: her page says so under the keys before, and a colleague's desk answers with new ones."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page

from surveys.cases import codes
from tests.journeys.acting import KEEP, fails, open_first, reopen, thread
from tests.journeys.channel import Channel, at_desk, phone, running
from tests.journeys.test_a_concern import shot
from tests.journeys.test_proofs import report

MUTE = """async (names) => { const now = window.__now; const { fold } = now.opened;
  const made = await FoldDesk.newKeys(now.opened, Board.ring(), Acts.me(), Board.here.desk.day, [...fold.readers.values()], fold.recovery, "");
  for (const { wraps } of made.epochs) for (const name of names) if (wraps[name]) { const one = Protocol.unbase64(wraps[name]); one.fill(7, one.length - 60); wraps[name] = Protocol.base64(one); }
  return (await Board.send(`/cases/case/${fold.case}/write`, { move: "", uploads: [], ...made })).status; }"""
"""Done by an attacker: new keys with wraps of noise."""
WRITE = "(text) => Acts.write(window.__now, 'message', { text })"


@pytest.fixture
def channel(tmp_path: Path) -> Iterator[Channel]:
    with running(tmp_path) as made:
        yield made


async def muted(browser: Browser, channel: Channel, names: list[str]) -> Page:
    """Marta's desk makes keys that open for some no more, and writes under them."""
    marta = await at_desk(browser, channel, "ascolto1")
    await marta.evaluate(KEEP)
    await open_first(marta)
    assert await marta.evaluate(MUTE, names) == 200
    await reopen(marta)
    assert await marta.evaluate(WRITE, "senza di lei")
    return marta


@pytest.mark.parametrize("script", [True, False], ids=["with a script", "without"])
async def test_whoever_cannot_read_on_says_so_and_a_colleague_s_new_keys_give_her_everything(
    browser: Browser, channel: Channel, script: bool
) -> None:
    secret = await report(channel, "la mia storia")
    await muted(browser, channel, ["reporter"])
    _, page = await phone(browser, "it-IT", script=script)

    async def come_back() -> None:
        await page.goto(f"{channel.address}/help?lang=it")
        await page.goto(f"{channel.address}/concern?lang=it#back")
        await page.fill("#typed", " ".join(codes.to_digits(secret)))
        if script:
            await page.click("#open")
            await page.wait_for_selector("#letters h1")
        else:
            async with page.expect_navigation():
                await page.click("button[value=open]")

    await come_back()
    seen = await page.inner_text("main")
    assert "la mia storia" in seen and "Non riesci a leggere oltre?" in seen and "senza di lei" not in seen
    await shot(page, f"fails-1-{'script' if script else 'plain'}")
    await page.click('button:has-text("Di\' che non riesci a leggere")')
    await page.wait_for_selector("text=L'hai detto.")
    assert await page.locator('button:has-text("Di\' che non riesci a leggere")').count() == 0
    paolo = await at_desk(browser, channel, "ascolto2")
    await open_first(paolo)
    assert "Non riesce ad aprire le chiavi di ora: Chi segnala" in await paolo.inner_text("#board")
    await shot(paolo, "fails-2-desk")
    await paolo.click('button:has-text("Fai chiavi nuove")')
    await paolo.wait_for_selector('button:has-text("Fai chiavi nuove")', state="detached")
    await come_back()
    seen = await page.inner_text("main")
    assert "senza di lei" in seen and "Non riesci a leggere oltre?" not in seen
    assert await page.locator("#answer" if script else "#text").count() == 1


async def test_words_of_two_whom_keys_fail_take_nothing_away_and_new_keys_give_all_back(
    browser: Browser, channel: Channel
) -> None:
    secret = await report(channel, "la mia storia")
    marta = await muted(browser, channel, ["reporter", "ascolto2"])
    paolo = await at_desk(browser, channel, "ascolto2")
    await open_first(paolo)
    await paolo.click('summary:has-text("Di\' che le chiavi nuove non si aprono")')
    await shot(paolo, "fails-3-desk")
    await paolo.click('#board details button:has-text("Di\' che le chiavi nuove non si aprono")')
    await paolo.wait_for_selector("text=Dice che queste chiavi non si aprono: Paolo")
    assert await fails(channel, secret) == 200
    await reopen(paolo)
    assert await paolo.locator(".bad").count() > 0 and await paolo.locator("#note").count() == 0
    await reopen(marta)
    shown = await marta.inner_text("#board")
    assert "senza di lei" in shown and "non conta più" not in shown and "Non riesce ad aprire le chiavi di ora" in shown
    await marta.click('button:has-text("Fai chiavi nuove")')
    await marta.wait_for_function("() => document.querySelectorAll('.letter').length === 6")
    await reopen(paolo)
    assert "senza di lei" in await paolo.inner_text("#board") and await paolo.locator("#note").count() == 1
    opened, _ = await thread(channel, secret)
    assert opened.problem == "" and opened.fold is not None and (opened.fold.epoch, opened.fold.void) == (3, set())
