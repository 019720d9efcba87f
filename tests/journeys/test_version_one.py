"""What the version before left in the cases store goes on: it is read, answered and marked, on pages with and without a script."""

import asyncio
import json
import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pysqlite3.dbapi2 as sqlite
import pytest
from playwright.async_api import Browser, Route

from server.concern.channel import list_content
from server.reporters.shown import read_lists
from surveys import signed
from surveys.cases import codes
from surveys.cases.bundles import HandlerKeys, open_bundle, split
from surveys.cases.codes import Secret
from surveys.cases.composing import Entry
from surveys.cases.export import lists_of
from surveys.cases.keeper import first_versions_path, keeper_at
from surveys.cases.sealing import CannotOpen, new_identity, public_of
from surveys.public import channel as channel_record
from surveys.public import house as house_file
from surveys.public import keyring, readers, rings
from surveys.public.keyring import KeyringRefused, Reader, Signer
from surveys.public.tables import Keyring as KeyringRow
from surveys.public.tables import Ring as RingRow
from surveys.stores import StoreSettings, stores
from tests.journeys.channel import BEGIN, Channel, at_desk, make_channel, phone, running
from tests.journeys.test_proofs import store
from tests.surveys.cases import first_version


async def _made_old(channel: Channel, *, anchored: bool) -> tuple[Secret, Secret]:
    """Put a keyring, a report and a diary of version 1 into the stores, under the demonstration's handlers' keys."""
    async with stores(StoreSettings(channel.data)) as engines:
        record = await channel_record.load()
        keys: dict[str, HandlerKeys] = {}
        with store(channel) as rows:
            for name, salt, bundle in rows.execute("SELECT name, salt, bundle FROM handler").fetchall():
                passphrase = channel.known["handlers"][name]["passphrase"]
                keys[name] = open_bundle(bundle, "pass", split(passphrase, bytes(salt))[1])
        seeds = {seat: os.urandom(32) for seat in ("legal", "staff")}
        signers = [Signer(seat, seat, public_of(seed)) for seat, seed in seeds.items()]
        readers = [Reader(n, n.title(), {"it": "r"}, n == "esterna", k.recipient, k.signer) for n, k in keys.items()]
        text = first_version.draft_keyring(BEGIN, signers, readers)
        signatures = [first_version.sign_keyring(text, seed) for seed in seeds.values()]
        ring = keyring.verify(text, signatures)
        await KeyringRow.insert(KeyringRow(number=1, text=text, signatures=json.dumps(signatures)))
        if anchored:  # as the first ring is drafted where keyrings are: it names the last of them
            [first] = await RingRow.select().order_by(RingRow.number)
            named = signed.canonical({**json.loads(first["text"]), "before": ring.fingerprint})
            made_by = [rings.sign(named, bytes.fromhex(channel.known["seats"][seat])) for seat in ("legal", "staff")]
            await RingRow.update({RingRow.text: named, RingRow.signatures: json.dumps(made_by)}, force=True)
        if not anchored:
            await RingRow.delete(force=True)
            house_file.path_of(channel.data).unlink()
        made = []
        for kind, words in (("report", "storia di prima"), ("diary", "diario di prima")):
            secret = codes.new_code(os.urandom)
            code = codes.derive(secret, bytes.fromhex(record.salt))
            await first_version.keep(
                engines["cases"],
                keeper_at(channel.data),
                code,
                [Entry(kind, {"text": words})],
                BEGIN,
                ring if kind == "report" else None,
            )
            made.append(secret)
    first_versions_path(channel.data).unlink(missing_ok=True)  # the version before had no such file
    with store(channel) as rows:  # what a column of bytes that was added later reads as in SQLite
        rows.execute("UPDATE epoch SET link = '', maker = ''")
        rows.execute("UPDATE message SET replacement = '', maker = ''")
    return made[0], made[1]


@pytest.fixture(params=[True, False], ids=["list signed anew", "just updated"])
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Channel, Secret, Secret, bool]]:
    channel = make_channel(tmp_path)
    report, diary = asyncio.run(_made_old(channel, anchored=request.param))
    channel.start()
    yield channel, report, diary, request.param
    channel.stop()


async def test_a_case_of_the_version_before_is_read_answered_and_marked(
    browser: Browser, old: tuple[Channel, Secret, Secret, bool]
) -> None:
    channel, report, diary, anchored = old
    desk = await at_desk(browser, channel, "ascolto1")
    await desk.click("#board table button")
    await desk.wait_for_selector("text=storia di prima")
    assert "Forma vecchia" in await desk.inner_text("#board")
    assert await desk.locator('summary:has-text("Escludi"), summary:has-text("Togli ciò")').count() == 0
    await desk.fill("#answer", "risposta nella forma vecchia")
    await desk.click("#send")
    await desk.wait_for_selector('.letter:has-text("risposta nella forma vecchia")')

    context, page = await phone(browser, "it-IT")
    await page.goto(f"{channel.address}/concern?lang=it")
    assert (
        await page.locator('a[href="#write"].go').count() > 0
    ) is anchored  # nothing new without a list that was signed anew
    await page.click('a[href="#back"]')
    await page.fill("#typed", " ".join(codes.to_words(report)))
    await page.click("#open")
    await page.wait_for_selector('.letter:has-text("risposta nella forma vecchia")')
    assert "Forma vecchia" in await page.inner_text("#letters")
    await page.fill("#answer", "e io rispondo")
    await page.click("#reply")
    await page.wait_for_selector('.letter:has-text("e io rispondo")')
    await context.close()

    context, page = await phone(browser, "it-IT", script=False)
    for secret, words in ((report, "e io rispondo"), (diary, "diario di prima")):
        await page.goto(f"{channel.address}/help?lang=it")
        await page.goto(f"{channel.address}/concern?lang=it#back")
        await page.fill("#typed", " ".join(codes.to_digits(secret)))
        async with page.expect_navigation():
            await page.click("button[value=open]")
        assert words in await page.inner_text("main")
    await page.fill("#text", "ancora nel diario")
    async with page.expect_navigation():
        await page.click("button[value=reply]")
    assert (
        "ancora nel diario" in await page.inner_text("main")
        and await page.locator("button[value=send_diary]").count() == 0
    )
    await context.close()


async def test_in_an_old_case_too_no_key_or_signer_that_the_row_names_is_believed(
    browser: Browser, old: tuple[Channel, Secret, Secret, bool]
) -> None:
    from surveys.cases.sealing import new_identity
    from tests.journeys.test_proofs import opened_with

    channel, report, _, _ = old
    identity, recipient = new_identity()
    with store(channel) as rows:
        rows.execute('UPDATE "case" SET rekey = 1, reader = ?, signer = ?', (recipient, "ab" * 32))
        rows.execute("UPDATE epoch SET recipient = ?", (recipient,))
    desk = await at_desk(browser, channel, "ascolto1")
    await desk.click("#board table button")
    await desk.wait_for_selector("text=storia di prima")
    await desk.fill("#answer", "riservata")
    await desk.click("#send")
    await desk.wait_for_selector('.letter:has-text("riservata")')
    context, page = await phone(browser, "it-IT")
    await page.goto(f"{channel.address}/concern?lang=it")
    await page.click('a[href="#back"]')
    await page.fill("#typed", " ".join(codes.to_digits(report)))
    await page.click("#open")
    await page.wait_for_selector('.letter:has-text("riservata")')
    await page.fill("#answer", "anche la mia")
    await page.click("#reply")
    await page.wait_for_selector('.letter:has-text("anche la mia")')
    await context.close()
    assert opened_with(channel, identity) == []


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Channel]:
    with running(tmp_path) as made:
        yield made


NOT_SIGNED = "non è firmato come deve"


def _keyring_of_an_attacker() -> dict[str, Any]:
    """Well signed, by himself, with his keys under the handlers' names."""
    seeds = {seat: os.urandom(32) for seat in ("legal", "staff")}
    names = ("ascolto1", "ascolto2", "esterna")
    mine = [
        Reader(n, n.title(), {"it": "r"}, n == "esterna", new_identity()[1], public_of(os.urandom(32))) for n in names
    ]
    text = first_version.draft_keyring(
        BEGIN, [Signer(seat, seat, public_of(seed)) for seat, seed in seeds.items()], mine
    )
    return {"text": text, "signatures": [first_version.sign_keyring(text, seed) for seed in seeds.values()]}


async def test_a_keyring_that_the_first_ring_does_not_name_is_said_by_every_page_and_gets_no_letter(
    browser: Browser, fresh: Channel
) -> None:
    """Done by an attacker: beside cases of version 2 alone he put a keyring of his own, and rewrote one of them as old."""
    desk, second = await at_desk(browser, fresh, "ascolto1"), await at_desk(browser, fresh, "ascolto2")
    theirs = _keyring_of_an_attacker()
    with closing(sqlite.connect(fresh.data / "public.sqlite")) as rows, rows:
        rows.execute(
            "INSERT INTO keyring (number, text, signatures) VALUES (1, ?, ?)",
            (theirs["text"], json.dumps(theirs["signatures"])),
        )
    for script in (True, False):
        context, page = await phone(browser, "it-IT", script=script)
        answered = await page.goto(f"{fresh.address}/concern?lang=it")
        assert answered is not None and answered.status == 409
        assert NOT_SIGNED in await page.inner_text("main") and await page.locator("main form, #write").count() == 0
        assert await page.locator('a[href^="/help"]').count() > 0
        await context.close()
    await desk.reload()
    await desk.wait_for_selector(f"#wrong:has-text('{NOT_SIGNED}')")
    await second.evaluate("Board.showInbox()")  # what leads back to the list
    await second.wait_for_selector(f"#wrong:has-text('{NOT_SIGNED}')")


async def test_pages_that_are_given_such_a_keyring_find_it_themselves(browser: Browser, fresh: Channel) -> None:
    """The server is not asked: what looks is the reporter's page and the handler's."""
    theirs = _keyring_of_an_attacker()

    async def with_keyring(route: Route) -> None:
        given = await (await route.fetch()).json()
        (given["lists"] if "lists" in given else given)["keyrings"] = [theirs]
        await route.fulfill(json=given)

    context, page = await phone(browser, "it-IT")
    await page.route("**/concern/keyring.json", with_keyring)
    posts: list[str] = []
    page.on("request", lambda request: posts.append(request.url) if request.method == "POST" else None)
    await page.goto(f"{fresh.address}/concern?lang=it")
    await page.click('a[href="#who"]')
    await page.click('#who a[href="#write"]')
    await page.fill("#text", "parola")
    await page.click("#to-check")
    await page.click('#check a[href="#code"]')
    await page.wait_for_selector(".secret span")
    await page.wait_for_selector(f"#wrong:has-text('{NOT_SIGNED}')")
    assert posts == []
    await context.close()

    desk = await at_desk(browser, fresh, "ascolto1")
    await desk.route("**/cases/desk.json", with_keyring)
    await desk.evaluate("Board.showInbox()")
    await desk.wait_for_selector(f"#board:has-text('{NOT_SIGNED}')")
    assert await desk.locator("#board table").count() == 0


async def test_a_written_out_case_with_such_a_keyring_is_not_opened(fresh: Channel) -> None:
    async with stores(StoreSettings(fresh.data)):
        lists = list_content(await readers.load(fresh.data))
    house, _, old = lists_of({"v": 2, "lists": lists}, fresh.known["house"]["printed"].replace(" ", ""))
    assert house is not None and old == []
    with pytest.raises(CannotOpen, match="list of readers"):
        lists_of({"v": 2, "lists": lists | {"keyrings": [_keyring_of_an_attacker()]}}, house.printed)
    with pytest.raises(KeyringRefused):
        read_lists(lists | {"keyrings": [_keyring_of_an_attacker()]})
