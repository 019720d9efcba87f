"""What one handler asks and needs a second yes: nobody agrees with one tap to something that no sentence on the page says."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page

from server.frame.texts import say
from surveys import signed
from surveys.cases import acts, codes
from surveys.cases.bundles import HandlerKeys, open_bundle, split
from surveys.cases.codes import Secret
from surveys.cases.letters import RECOVERY, Author, payload_of_change
from surveys.public.rings import Ring
from tests.journeys.acting import KEEP, open_first, reopen, thread
from tests.journeys.channel import BEGIN, Channel, at_desk, phone, running
from tests.journeys.test_proofs import report, store


@pytest.fixture
def channel(tmp_path: Path) -> Iterator[Channel]:
    with running(tmp_path) as made:
        yield made


def keys_of(channel: Channel, name: str) -> HandlerKeys:
    with store(channel) as rows:
        salt, bundle = rows.execute("SELECT salt, bundle FROM handler WHERE name = ?", (name,)).fetchone()
    return open_bundle(bundle, "pass", split(channel.known["handlers"][name]["passphrase"], bytes(salt))[1])


async def ask(channel: Channel, desk: Page, secret: Secret, name: str, payload: str) -> None:
    """A dishonest handler's desk sends an ask of her own making."""
    opened, ring = await thread(channel, secret)
    assert opened.fold is not None
    author = Author(name, keys_of(channel, name).ed25519)
    sent = acts.letter(
        opened.fold,
        ring,
        author,
        "ask",
        {"text": "Hai letto?", "payload": payload},
        BEGIN,
        os.urandom,
        {"what": "change", "payload": acts.hash_of(payload)},
    )
    case = opened.fold.case
    status = await desk.evaluate(
        "async ([place, letter]) => (await Board.send(place, { move: '', uploads: [], ...letter })).status",
        [f"/cases/case/{case}/write", sent],
    )
    assert status == 200


def seats(ring: Ring) -> list[dict[str, str]]:
    return [{"seat": one.seat, "recipient": one.recipient} for one in ring.recovery]


async def back(browser: Browser, channel: Channel, secret: Secret) -> Page:
    _, page = await phone(browser, "it-IT")
    await page.goto(f"{channel.address}/concern?lang=it")
    await page.click('a[href="#back"]')
    await page.fill("#typed", " ".join(codes.to_digits(secret)))
    await page.click("#open")
    await page.wait_for_selector('#letters .letter:has-text("Hai letto?")')
    return page


def written(payloads: Sequence[dict[str, Any]]) -> list[str]:
    return [signed.canonical(one) for one in payloads]


async def test_the_recovery_key_that_she_left_out_comes_back_only_where_the_page_says_so(
    browser: Browser, channel: Channel
) -> None:
    secret = await report(channel, "la mia storia", out=(RECOVERY,))
    opened, ring = await thread(channel, secret)
    assert opened.fold is not None and opened.fold.recovery == [] and len(seats(ring)) == 3
    desk = await at_desk(browser, channel, "ascolto1")
    await ask(channel, desk, secret, "ascolto1", payload_of_change([], [], seats(ring)))
    page = await back(browser, channel, secret)
    letter = await page.inner_text('.letter:has-text("Hai letto?")')
    assert "anche la chiave di riserva apra quello che hai scritto" in letter
    assert all(one.name in letter for one in ring.recovery)
    assert await page.locator("text=Sono d'accordo").count() == 1
    other = await at_desk(browser, channel, "ascolto2")
    await other.click("#board table button")
    await other.wait_for_selector("text=anche la chiave di riserva apra questo caso")
    shown = await other.inner_text("#board")
    assert all(one.name in shown for one in ring.recovery)
    await other.click('button:has-text("Sono d\'accordo")')
    await other.wait_for_selector('button:has-text("Sono d\'accordo")', state="detached")
    after, _ = await thread(channel, secret)
    assert after.problem == "" and after.fold is not None and after.fold.recovery == seats(ring)


async def test_an_ask_that_says_nothing_or_says_it_in_another_way_than_it_is_done_has_no_button(
    browser: Browser, channel: Channel
) -> None:
    secret = await report(channel, "la mia storia", out=(RECOVERY, "ascolto2"))
    desk = await at_desk(browser, channel, "ascolto1")
    _, ring = await thread(channel, secret)
    spy = {"seat": "a", "recipient": seats(ring)[1]["recipient"]}
    plain: dict[str, Any] = {"gains": [], "leaves": [], "recovery": []}
    for payload in [
        *written([plain, {**plain, "more": 1}, {"gains": [], "leaves": []}, {**plain, "recovery": [spy]}]),
        '{"gains": []}',
        "[]",
    ]:
        await ask(channel, desk, secret, "ascolto1", payload)
    paolo = {
        "id": "ascolto2",
        "recipient": keys_of(channel, "ascolto2").recipient,
        "signer": keys_of(channel, "ascolto2").signer,
    }
    marta = {
        "id": "ascolto1",
        "recipient": keys_of(channel, "ascolto1").recipient,
        "signer": keys_of(channel, "ascolto1").signer,
    }
    never = [
        ([paolo], []),
        ([marta], []),
        ([{**paolo, "id": "salute"}], []),
        ([], ["nobody"]),
        ([marta], ["ascolto1"]),
        ([], ["ascolto1", "esterna"]),
        ([], ["ascolto1"]),
        ([], ["esterna"]),
    ]
    for gains, leaves in never:
        await ask(channel, desk, secret, "ascolto1", payload_of_change(gains, leaves))
    await ask(
        channel, desk, secret, "ascolto1", payload_of_change([], [], seats(ring))
    )  # one that is whole has its button
    page = await back(browser, channel, secret)
    await page.wait_for_selector("text=Sono d'accordo")
    assert await page.locator('.letter:has-text("Hai letto?")').count() == 15
    assert await page.locator("text=Sono d'accordo").count() == 1


async def test_nobody_takes_another_s_ask_from_the_page_by_naming_it(browser: Browser, channel: Channel) -> None:
    """Done by the one who should go: new keys for everybody, which need no ask, named hers, and no desk showed it any more."""
    await report(channel, "la mia storia")
    marta, paolo = await at_desk(browser, channel, "ascolto1"), await at_desk(browser, channel, "ascolto2")
    for desk in (marta, paolo):
        await desk.evaluate(KEEP)
        await open_first(desk)
    assert await marta.evaluate("() => Acts.ask(window.__now, Acts.without(window.__now.opened.fold, 'ascolto2'))")
    await reopen(paolo)
    assert await paolo.evaluate(
        "() => { const { fold } = window.__now.opened; return Acts.change(window.__now, [...fold.readers.values()], fold.recovery, [...fold.asks.keys()][0]); }"
    )
    for desk in (marta, paolo):
        await reopen(desk)
        await desk.wait_for_selector(f'section:has(h2:text-is("{say("it", "cases.ask.title")}")):has-text("Paolo")')
    await marta.context.close()
    await paolo.context.close()
