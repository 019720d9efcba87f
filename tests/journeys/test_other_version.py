"""By which rules a case is read is not for the database to say; nor that a report was never sent.

Done from outside: one UPDATE of `version`, and a case of today was read by the rules of before, which bind neither the reporter nor
the number: every desk showed "Ritiro tutto, ho mentito" as hers, and answers and notes went to a key of whoever wrote the rows. Where
the letters were taken out, her page said "diary, not sent".
"""

import json
import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pysqlite3.dbapi2 as sqlite
import pytest
from playwright.async_api import Browser

from server.frame.texts import say
from surveys.cases import codes
from surveys.cases.keeper import first_versions_path, keeper_at
from surveys.cases.sealing import new_identity, public_of, seal, sign
from surveys.cases.thread import FIRST
from tests.journeys.channel import BEGIN, Channel, at_desk, phone, running
from tests.journeys.test_proofs import opened_with, read_as_reporter, report, store
from tests.surveys.cases.first_version import WRAP_BYTES

TRUE, FORGED = "il capo mi ha toccata", "Ritiro tutto, ho mentito"


@pytest.fixture
def channel(tmp_path: Path) -> Iterator[Channel]:
    with running(tmp_path) as made:
        yield made


def _recipients(channel: Channel) -> dict[str, str]:
    with closing(sqlite.connect(channel.data / "public.sqlite")) as rows:
        [text] = next(iter(rows.execute("SELECT text FROM ring")))
    found = {}
    for one in json.loads(text)["readers"]:
        body = json.loads(json.loads(one["statement"])["body"])
        found[body["id"]] = body["recipient"]
    return found


def _as_version_one(channel: Channel) -> str:
    """Write the rows of a case of before, under keys of one's own, over those of the only case; gives the private half."""
    seed, (identity, recipient) = os.urandom(32), new_identity()
    keeper = keeper_at(channel.data)
    with store(channel) as rows:
        [case] = next(iter(rows.execute('SELECT id FROM "case"')))
        number = f"{case:016x}"
        rows.execute('UPDATE "case" SET version = 1')
        rows.execute("UPDATE epoch SET link = x''")
        wrap = {"v": 1, "case": number, "stream": "thread", "number": 1, "identity": identity}
        wrap |= {"reporter": public_of(seed), "by": "reporter"}
        for name, to in _recipients(channel).items():
            sealed = seal(sign(wrap, "wrap", seed), to, smallest=WRAP_BYTES)
            rows.execute("UPDATE wrap SET sealed = ? WHERE reader = ?", (sealed, keeper.reader(case, "thread", name)))
        letter = {"v": 1, "case": number, "stream": "thread", "number": 1, "before": FIRST, "from": "reporter"}
        letter |= {"kind": "report", "day": BEGIN.isoformat(), "keyring": "", "text": FORGED}
        rows.execute("UPDATE message SET sealed = ?", (seal(sign(letter, "message", seed), recipient),))
    return identity


@pytest.mark.parametrize("opened_before", [True, False])
async def test_a_case_does_not_become_one_of_version_1(browser: Browser, channel: Channel, opened_before: bool) -> None:
    await report(channel, TRUE)
    desk = await at_desk(browser, channel, "ascolto1")
    if opened_before:
        await desk.click("#board table button")
        await desk.wait_for_selector(f"text={TRUE}")
        await desk.click(f'text="{say("it", "cases.case.back")}"')
        await desk.wait_for_selector("#board table")
    identity = _as_version_one(channel)
    await desk.click("#board table button")
    await desk.wait_for_selector("#board .bad")
    assert FORGED not in await desk.inner_text("body") and await desk.locator("#answer").count() == 0
    assert [plain for plain in opened_with(channel, identity) if FORGED.encode() not in plain] == []
    await desk.context.close()


async def test_a_server_that_says_version_1_where_no_list_of_it_was_published_is_not_believed(
    browser: Browser, channel: Channel
) -> None:
    """The desk's own look: as if the folder of keys had been changed too."""
    await report(channel, TRUE)
    with store(channel) as rows:
        [case] = next(iter(rows.execute('SELECT id FROM "case"')))
    first_versions_path(channel.data).write_text(f'["{keeper_at(channel.data).mark(case)}"]', "utf-8")
    _as_version_one(channel)
    desk = await at_desk(browser, channel, "ascolto1")
    await desk.click("#board table button")
    await desk.wait_for_selector("#board .bad")
    assert FORGED not in await desk.inner_text("body")
    await desk.context.close()


@pytest.mark.parametrize("script", [True, False], ids=["with a script", "without"])
@pytest.mark.parametrize(
    "also", [(), ("DELETE FROM epoch",), ("UPDATE \"case\" SET state = 'diary'", "DELETE FROM epoch")]
)
async def test_a_report_whose_letters_are_hidden_is_no_diary(
    browser: Browser, channel: Channel, also: tuple[str, ...], script: bool
) -> None:
    secret = await report(channel, TRUE)
    with store(channel) as rows:
        for step in ("DELETE FROM message", *also):
            rows.execute(step)
    if script:
        shown, wrong = await read_as_reporter(browser, channel, secret)
    else:
        context, page = await phone(browser, "it-IT", script=False)
        await page.goto(f"{channel.address}/concern?lang=it#back")
        await page.fill("#typed", " ".join(codes.to_digits(secret)))
        async with page.expect_navigation():
            await page.click("button[value=open]")
        shown = wrong = await page.inner_text("main")
        await context.close()
    assert say("it", "concern.thread.state_diary") not in shown
    assert say("it", "concern.wrong.shorter") in wrong or say("it", "concern.back.damaged") in wrong


async def test_requests_to_keep_a_case_are_those_of_signed_notes(browser: Browser, channel: Channel) -> None:
    """Done from outside: a row said two requests, and the page too; the case was to be deleted on its day."""
    await report(channel, TRUE)
    desk = await at_desk(browser, channel, "ascolto1")
    await desk.click("#board table button")
    await desk.click(f'summary:has-text("{say("it", "cases.case.hold")}")')
    assert say("it", "cases.case.hold_note", n=0) in await desk.inner_text("#board")
    await desk.click(f'button:has-text("{say("it", "cases.case.hold")}")')
    await desk.wait_for_selector(f'summary:has-text("{say("it", "cases.case.unhold")}")')
    await desk.click(f'summary:has-text("{say("it", "cases.case.unhold")}")')
    assert say("it", "cases.case.hold_note", n=1) in await desk.inner_text("#board")
    assert await desk.locator("aside .bad").count() == 0
    for change, told in (('holds = \'["aa", "bb"]\'', 2), ("holds = '[]'", 0), ("holds = '[]', held = 1", 2)):
        with store(channel) as rows:
            rows.execute(f'UPDATE "case" SET {change}')
        await desk.click(f'text="{say("it", "cases.case.back")}"')
        await desk.click("#board table button")
        await desk.wait_for_selector("aside .bad")
        assert await desk.inner_text("aside .bad") == say("it", "cases.case.hold_differs", n=1, m=told)
    await desk.context.close()
