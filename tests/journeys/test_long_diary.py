"""A diary that grew long is sent as far as a letter holds, or not at all: what leaves can be read by whoever it is for."""

import base64
import json
import os
import urllib.request
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from playwright.async_api import Browser, Page

from server.frame.texts import say
from surveys.cases import acts, codes
from surveys.cases.acts import Reporter
from surveys.cases.opening import open_case
from surveys.cases.sealed_case import SealedCase, SealedEpochRow, SealedLetter
from surveys.public import house
from tests.journeys.channel import BEGIN, Channel, at_desk, phone, running
from tests.journeys.test_proofs import store

MANY = [f"giorno {n}" for n in range(61)]
"""One part more than a report of a diary may have."""
LONG = ["a" * 29_000, "b" * 29_000, "c" * 4_000]
"""Together more letters than a text may have."""
WIDE = ["є" * 17_000, "ж" * 17_000]
"""A letter of their size is larger than the server takes."""


@pytest.fixture(scope="module")
def channel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Channel]:
    with running(tmp_path_factory.mktemp("diaries")) as made:
        yield made


def _post(channel: Channel, address: str, content: dict[str, Any]) -> None:
    asked = urllib.request.Request(  # the channel of this test
        f"{channel.address}{address}", json.dumps(content).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(asked, timeout=20) as answer:
        assert answer.status == 200


def _diary(channel: Channel, parts: Sequence[str]) -> str:
    """A diary of so many parts, written on her phone; gives its code."""
    anchor = house.load(channel.data)
    assert anchor is not None
    secret = codes.new_code(os.urandom)
    me = Reporter(codes.derive(secret, bytes.fromhex(anchor.salt)))
    identity = me.party.first["diary"]
    made = acts.diary(me, anchor.hash, {"text": parts[0]}, BEGIN, os.urandom)
    _post(channel, "/concern/sealed", made)
    letters = [_row(1, made["letters"][0])]
    for number, text in enumerate(parts[1:], start=2):
        case = SealedCase(me.case, [SealedEpochRow("diary", 1, b"", b"")], letters)
        opened = open_case(case, me.party, anchor.hash, None)
        assert identity and len(opened.diary) == number - 1
        one = acts.diary(me, anchor.hash, {"text": text}, BEGIN, os.urandom, opened)
        _post(channel, "/concern/reply", one)
        letters.append(_row(number, one["sealed"]))
    return " ".join(codes.to_words(secret))


def _row(number: int, sealed: str) -> SealedLetter:
    return SealedLetter("diary", number, 1, base64.b64decode(sealed))


@pytest.mark.parametrize("script", [True, False], ids=["with a script", "without"])
@pytest.mark.parametrize("parts", [MANY, LONG, WIDE], ids=["many", "long", "wide"])
async def test_of_a_diary_no_more_is_sent_than_its_readers_can_open(
    browser: Browser, channel: Channel, parts: list[str], script: bool
) -> None:
    """Found from outside: 61 parts became a report that nobody could open, and she could not open her diary any more."""
    code = _diary(channel, parts)
    context, page = await phone(browser, "it-IT", script=script)
    await _open(page, channel, code, script)
    await page.wait_for_selector("[name=pick]")
    await _pick(page, script, 0)
    await page.wait_for_selector(f'main :text("{say("it", "concern.write.long")}")')
    with store(channel) as rows:
        assert [state for (state,) in rows.execute('SELECT state FROM "case"')].count("diary") == 1
    await _pick(page, script, 1)
    await page.wait_for_selector("#kind")
    assert await page.locator("article.letter").count() == len(parts) + 1
    await context.close()
    desk = await at_desk(browser, channel, "ascolto1")
    assert parts[-1] in await _all(desk)
    await desk.context.close()


@pytest.mark.parametrize("script", [True, False], ids=["with a script", "without"])
async def test_a_diary_is_shown_also_where_the_report_made_from_it_does_not_open(
    browser: Browser, channel: Channel, script: bool
) -> None:
    """Reports that were lost before hid the diary from which they came."""
    code = _diary(channel, ["lunedì: la prima volta", "martedì: di nuovo"])
    context, page = await phone(browser, "it-IT", script=script)
    await _open(page, channel, code, script)
    await page.wait_for_selector("[name=pick]")
    with store(channel) as rows:
        before = [one for (one,) in rows.execute("SELECT id FROM message")]
    await _pick(page, script, 1)
    await page.wait_for_selector("#kind")
    with store(channel) as rows:
        marks = ", ".join("?" for _ in before)
        ((letter, sealed),) = rows.execute(f"SELECT id, sealed FROM message WHERE id NOT IN ({marks})", before)
        rows.execute("UPDATE message SET sealed = ? WHERE id = ?", (os.urandom(len(sealed)), letter))
    page = await context.new_page()
    await _open(page, channel, code, script)
    await page.wait_for_selector(f'main :text("{say("it", "concern.thread.state_lost")}")')
    told = await page.locator("article.letter").all_inner_texts()
    assert [text in one for text, one in zip(["lunedì: la prima volta", "martedì: di nuovo"], told, strict=True)] == [
        True
    ] * 2
    assert not any("\n\n\n" in one for one in told)  # no gap that is the template's own
    assert await page.locator("[role=alert]:visible").count() == 1
    assert await page.locator("main :is(textarea, [name=pick], [value=delete], [value=reply]):visible").count() == 0
    older: dict[str, str | float | bool] = {
        "do": "reply",
        "kind": "diary",
        "code": code,
        "text": "mercoledì",
    }  # a page of before it was lost
    sent = await context.request.post(f"{channel.address}/concern?lang=it", form=older)
    assert (sent.status, say("it", "concern.sent.title") in await sent.text()) == (422, False)
    with store(channel) as rows:
        assert list(rows.execute("SELECT count(*) FROM message")) == [(len(before) + 1,)]
        rows.execute("UPDATE message SET sealed = ? WHERE id = ?", (sealed, letter))
    await context.close()


async def _open(page: Page, channel: Channel, code: str, script: bool) -> None:
    await page.goto(f"{channel.address}/concern?lang=it#back")
    await page.fill("#typed", code)
    await page.click("#open" if script else "button[value=open]")


async def _all(desk: Page) -> str:
    """What the desk can open, of this report and of those before it."""
    read = ""
    for place in range(await desk.locator("#board table button").count()):
        await desk.locator("#board table button").nth(place).click()
        await desk.wait_for_selector("article.letter")
        assert not await desk.locator("p.bad:visible").count()
        read += await desk.inner_text("article.letter")
        await desk.click('#board button:has-text("Tutti i casi")')
        await desk.wait_for_selector("#board table button")
    return read


async def _pick(page: Page, script: bool, first: int) -> None:
    """Choose all parts from one on, keep nobody out, and send."""
    tick = "(boxes, first) => boxes.forEach((box, place) => { box.checked = place >= first; })"
    await page.eval_on_selector_all("[name=pick]", tick, first)
    await page.click("#send-diary" if script else "button[value=send_diary]")
