"""What one reader signs inside a letter of the old form stops no page: neither a colleague's desk nor the reporter's, with or without a script."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from nacl.signing import SigningKey
from playwright.async_api import Browser

from surveys.cases import codes
from surveys.cases.bundles import HandlerKeys, open_bundle, split
from surveys.cases.codes import Secret
from surveys.cases.composing import own_identity
from surveys.cases.incoming import row_id
from surveys.cases.sealing import CannotOpen, canonical, new_identity, open_sealed, seal
from surveys.cases.thread import hash_of, open_wrap
from surveys.public import channel as channel_record
from surveys.stores import StoreSettings, stores
from tests.journeys.channel import BEGIN, Channel, at_desk, make_channel, phone
from tests.journeys.test_proofs import store
from tests.journeys.test_version_one import _made_old

FILE = {
    "upload": "00" * 16,
    "name": "nota.txt",
    "type": "text/plain",
    "size": 4,
    "identity": new_identity()[0],
    "sha256": "00" * 32,
}
ODD: dict[str, dict[str, Any]] = {
    "text a number": {"text": 5},
    "text a list": {"text": ["a", {"b": 1}]},
    "text none": {"text": None},
    "files a number": {"files": 5},
    "files of numbers": {"files": [5, None, "x"]},
    "files an object": {"files": {"name": "x"}},
    "a file without a name": {"files": [{"upload": "x"}]},
    "a file's name a list": {"files": [FILE | {"name": ["x"]}]},
    "wish a number": {"wish": 5},
    "wish of lists": {"wish": [["x"], 3]},
    "where an object": {"where": {"toString": 5}},
    "what a list": {"what": ["x"], "danger": {"a": 1}, "consent": "no"},
    "names of prototypes": {"__proto__": 5, "constructor": 5, "toString": 5, "files": []},
}


@pytest.fixture
def old(tmp_path: Path) -> Iterator[tuple[Channel, Secret]]:
    channel = make_channel(tmp_path)
    report, _ = asyncio.run(_made_old(channel, anchored=True))
    channel.start()
    yield channel, report
    channel.stop()


def _keys(channel: Channel, name: str) -> HandlerKeys:
    with store(channel) as rows:
        [(salt, bundle)] = rows.execute("SELECT salt, bundle FROM handler WHERE name = ?", (name,)).fetchall()
    return open_bundle(bundle, "pass", split(channel.known["handlers"][name]["passphrase"], bytes(salt))[1])


async def _append(channel: Channel, secret: Secret, more: dict[str, Any], raw: str = "") -> None:
    """Put one more letter of a dishonest reader into the thread, well signed and in its place."""
    async with stores(StoreSettings(channel.data)):
        salt = (await channel_record.load()).salt
    code, keys = codes.derive(secret, bytes.fromhex(salt)), _keys(channel, "ascolto2")
    with store(channel) as rows:
        wraps = [bytes(row[0]) for row in rows.execute("SELECT sealed FROM wrap").fetchall()]
        there = rows.execute(
            'SELECT number, sealed FROM message WHERE "case" = ? ORDER BY number', (code.case,)
        ).fetchall()
        identity = ""
        for wrap in wraps:
            try:
                identity = open_wrap(wrap, own_identity(code), code.case, "thread", {}).identity
            except CannotOpen:
                continue
        before = hash_of(open_sealed(bytes(there[-1][1]), identity, "message"))
        number = there[-1][0] + 1
        body = {
            "v": 1,
            "case": f"{code.case:016x}",
            "stream": "thread",
            "number": number,
            "before": before,
            "from": "ascolto2",
            "kind": "message",
            "day": BEGIN.isoformat(),
            "keyring": "",
            "text": "resto",
        } | more
        text = canonical(body)
        if raw:
            text = text[:-1] + "," + raw + "}"
        key = SigningKey(keys.ed25519)
        signature = key.sign(f"ascolto message v1\n{text}".encode()).signature
        plain = canonical({"body": text, "key": key.verify_key.encode().hex(), "sig": signature.hex()})
        sealed = seal(plain, recipient_of_identity(identity))
        rows.execute(
            'INSERT INTO message (id, "case", stream, number, epoch, sealed, replacement, maker) VALUES (?, ?, ?, ?, 1, ?, ?, ?)',
            (row_id(code.case, "thread", "message", number), code.case, "thread", number, sealed, b"", b""),
        )


def recipient_of_identity(identity: str) -> str:
    from pyrage import x25519

    return str(x25519.Identity.from_str(identity).to_public())


async def _looks(browser: Browser, channel: Channel, secret: Secret) -> dict[str, str]:
    """What each of the three pages shows."""
    found: dict[str, str] = {}
    desk = await at_desk(browser, channel, "ascolto1")
    faults: list[str] = []
    desk.on("pageerror", lambda problem: faults.append(str(problem)))
    await desk.click("#board table button")
    await desk.wait_for_timeout(1200)
    found["desk"] = await desk.inner_text("main") + " ".join(f"FAULT {one}" for one in faults)
    await desk.context.close()
    context, page = await phone(browser, "it-IT")
    await page.goto(f"{channel.address}/concern?lang=it#back")
    await page.fill("#typed", " ".join(codes.to_digits(secret)))
    await page.click("#open")
    await page.wait_for_timeout(1500)
    found["phone"] = await page.inner_text("main")
    await context.close()
    context, page = await phone(browser, "it-IT", script=False)
    await page.goto(f"{channel.address}/concern?lang=it#back")
    await page.fill("#typed", " ".join(codes.to_digits(secret)))
    async with page.expect_navigation():
        await page.click("button[value=open]")
    found["plain"] = await page.inner_text("main")
    await context.close()
    return found


async def test_whatever_a_reader_signs_inside_an_old_letter_the_others_are_read(
    browser: Browser, old: tuple[Channel, Secret]
) -> None:
    """Done by one reader: a number in the place of the files, and no page showed any letter, nor said why."""
    channel, secret = old
    for more in ODD.values():
        await _append(channel, secret, more)
    await _append(
        channel, secret, {}, '"text":"tagliata a metà \\ud83d"'
    )  # a field cut an emoji in two: pages of before sent that
    await _append(channel, secret, {"text": "quella dopo", "files": [FILE, 5]})
    for page, text in (await _looks(browser, channel, secret)).items():
        assert "storia di prima" in text and "quella dopo" in text and "nota.txt" in text, page
        assert "tagliata a metà \ufffd" in text, page
        assert not [sign for sign in ("FAULT", "[object", "{'", "['") if sign in text], page


@pytest.mark.parametrize(
    "more", [{"day": "20261123"}, {"day": "2026-02-30"}, {"from": ["ascolto2"]}, {"from": "constructor"}, {"deep": 0}]
)
async def test_an_old_letter_that_is_none_is_said_by_all_pages_alike(
    browser: Browser, old: tuple[Channel, Secret], more: dict[str, Any]
) -> None:
    channel, secret = old
    deep = more == {"deep": 0}
    await _append(channel, secret, {} if deep else more, '"x":' + "[" * 20_000 + "]" * 20_000 if deep else "")
    for page, text in (await _looks(browser, channel, secret)).items():
        assert "storia di prima" not in text and "FAULT" not in text and "cambiato" in text, (page, text)
