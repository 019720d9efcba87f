"""The handlers' desk in a browser: making keys, shutting somebody out, redaction, hold, stepping out, the list signed anew."""

import asyncio
import base64
import json
import os
import re
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from mnemonic import Mnemonic
from playwright.async_api import Browser, Page

from surveys.cases import codes, composing
from surveys.cases.composing import Entry
from surveys.public import keyring
from tests.journeys.channel import BEGIN, Channel, at_desk, make_channel
from tests.journeys.conftest import environment
from tests.journeys.test_concern_promises import sealed_report


@pytest.fixture
def channel(tmp_path: Path) -> Iterator[Channel]:
    made = make_channel(tmp_path)
    made.start()
    yield made
    made.stop()


async def _report(channel: Channel, text: str) -> None:
    async with httpx.AsyncClient(base_url=channel.address, timeout=30) as client:
        assert (await client.post("/concern/sealed", json=await sealed_report(client, text))).status_code == 200


async def _open_first(desk: Page) -> None:
    await desk.click("#board table button")
    await desk.wait_for_selector(".letter")


def _shell(channel: Channel, *arguments: str, typed: str = "") -> str:
    """Run `ascolto` as an administrator would; its words."""
    ran = subprocess.run([sys.executable, "-m", "server.cli", *arguments], env=environment(channel.data), input=typed, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


async def test_shutting_out_redacting_holding_and_stepping_out(browser: Browser, channel: Channel) -> None:
    await _report(channel, "testo con il nome Filomena")
    anna = await at_desk(browser, channel, "ascolto1")
    await _open_first(anna)
    await anna.click('.letter summary:has-text("Togli")')
    await anna.fill(".letter details textarea", "testo senza nome")
    await anna.click('button:has-text("Sostituisci")')
    await anna.wait_for_selector("text=Parti tolte")
    assert "Filomena" not in await anna.inner_text("#board") and "testo senza nome" in await anna.inner_text("#board")
    await anna.fill("#note", "una nota")
    await anna.click('aside button:has-text("Aggiungi")')
    await anna.wait_for_selector("text=una nota")
    await anna.set_input_files("#attach", {"name": "trascrizione.txt", "mimeType": "text/plain", "buffer": b"parole trascritte"})
    await anna.fill("#answer", "Ecco la trascrizione.")
    await anna.click("#send")
    await anna.wait_for_selector('button:has-text("trascrizione.txt")')
    await anna.click('aside summary:has-text("Chiedi di non cancellarlo")')
    await anna.click('aside button:has-text("Chiedi di non cancellarlo")')
    await anna.wait_for_selector('summary:has-text("Togli la richiesta")')
    await anna.click('aside summary:has-text("Escludi Paolo")')
    await anna.click('aside button:has-text("Escludi Paolo")')
    await anna.wait_for_selector('aside summary:has-text("Escludi Paolo")', state="detached")
    await anna.wait_for_selector('summary:has-text("Escludi Avv.")')
    text = await anna.inner_text("#board")
    assert "Paolo" not in text and "una nota" in text and "testo senza nome" in text
    paolo = await at_desk(browser, channel, "ascolto2")
    assert "Nessun caso per te" in await paolo.inner_text("#board")
    livia = await at_desk(browser, channel, "esterna")
    assert await livia.locator("#board table button").count() == 1
    await anna.click('aside summary:has-text("Sono in conflitto")')
    await anna.click('aside button:has-text("Sono in conflitto")')
    await anna.wait_for_selector("text=Nessun caso per te")
    await _open_first(livia)
    await livia.wait_for_selector("text=testo senza nome")
    text = await livia.inner_text("#board")
    assert "testo senza nome" in text and "una nota" in text and "Marta Inventata, " not in text


async def test_a_new_handler_makes_keys_in_the_browser_and_works_once_two_have_signed(browser: Browser, channel: Channel, tmp_path: Path) -> None:
    said = _shell(channel, "handler", "invite", "nuova")
    word = next(part for part in said.split() if part.count("-") == 3)
    page = await (await browser.new_context(locale="it-IT")).new_page()
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.post_data or ""))
    await page.goto(f"{channel.address}/cases/setup?lang=it")
    await page.wait_for_selector("#kit li")
    secret, kit = await page.inner_text("#factor code"), await page.locator("#kit li").all_inner_texts()
    await page.fill("#name", "nuova")
    await page.fill("#word", word)
    for field in ("#pass", "#again"):
        await page.fill(field, "quattro parole a caso")
    await page.fill("#second", _code(secret, 0))
    await page.fill("#kit-word", "sbagliata")
    await page.click("#go")
    assert "quinta parola" in await page.inner_text("#wrong")
    await page.fill("#kit-word", kit[4])
    await page.click("#go")
    await page.wait_for_selector("text=Le chiavi ci sono")
    assert len(sent) > 1 and not [body for body in sent if "quattro parole" in body or kit[4] in body]
    _shell(channel, "handler", "training", "nuova", "--day", "2026-11-23")
    await _report(channel, "prima")
    file = str(tmp_path / "elenco.json")
    readers = ["ascolto1:Marta Inventata:persona di fiducia", "nuova:Nadia Nuova:referente", "esterna:Avv. Livia Finta:consigliera:outside"]
    _shell(channel, "keyring", "draft", "--output", file, *(part for reader in readers for part in ("--reader", reader)))
    for seed in channel.known["signers"].values():
        _shell(channel, "keyring", "sign", file, typed=Mnemonic("italian").to_mnemonic(bytes.fromhex(seed)))
    assert len(json.loads(Path(file).read_text())["signatures"]) == 2
    await asyncio.to_thread(_shell, channel, "keyring", "publish", file)
    await _second_report(channel)
    channel.known["handlers"]["nuova"] = {"passphrase": "quattro parole a caso", "second": secret, "kit": " ".join(kit)}
    channel.used["nuova"] = int(time.time()) // 30
    desk = await at_desk(browser, channel, "nuova")
    assert await desk.locator("#board table button").count() == 1
    await _open_first(desk)
    assert "dopo" in await desk.inner_text("#board")
    gone = await at_desk(browser, channel, "ascolto2")
    assert "Non sei (ancora) nell'elenco" in await gone.inner_text("#board") and "Nessun caso" in await gone.inner_text("#board")


def _code(secret: str, later: int) -> str:
    return TOTP(base64.b32decode(secret), 6, SHA1(), 30).generate(int(time.time()) + later).decode()


async def _second_report(channel: Channel) -> None:
    """A report under the second keyring."""
    async with httpx.AsyncClient(base_url=channel.address, timeout=30) as client:
        versions = (await client.get("/concern/keyring.json")).json()["keyrings"]
        ring = keyring.verify(versions[0]["text"], versions[0]["signatures"])
        ring = keyring.verify(versions[1]["text"], versions[1]["signatures"], ring)
        salt = re.search(r"&#34;salt&#34;: &#34;([0-9a-f]{32})", (await client.get("/concern?lang=en")).text)
        assert salt
        keys = codes.derive(codes.new_code(os.urandom), bytes.fromhex(salt[1]))
        body = composing.compose(keys, [Entry("report", {"text": "dopo"})], BEGIN, ring, ring.fingerprint)
        assert (await client.post("/concern/sealed", json=body)).status_code == 200


async def test_the_recovery_key_is_announced_in_the_threads_it_opens(channel: Channel, tmp_path: Path) -> None:
    await _report(channel, "parolarecuperata")
    folder = tmp_path / "fuori"
    await asyncio.to_thread(_shell, channel, "recovery", "export", "--output", str(folder))
    exported = next(folder.iterdir())
    nested = tmp_path / "recovery-ac.age"
    nested.write_bytes(bytes.fromhex(channel.known["recovery"]["files"]["ac"]))
    holders = channel.known["recovery"]["holders"]
    said = _shell(channel, "case", "open", str(exported), "--recovery", str(nested), typed=f"{holders['c']}\n{holders['a']}\n")
    assert "parolarecuperata" in said
    with sqlite3.connect(f"file:{channel.data / 'cases.sqlite'}?mode=ro", uri=True) as store:
        assert store.execute('SELECT count(*) FROM "case" WHERE recovered IS NOT NULL').fetchone() == (1,)


async def test_a_forgotten_passphrase_is_replaced_with_the_printed_kit(browser: Browser, channel: Channel) -> None:
    await _report(channel, "parolavecchia")
    said = await asyncio.to_thread(_shell, channel, "handler", "word", "ascolto1")
    word = next(part for part in said.split() if part.count("-") == 3)
    page = await (await browser.new_context(locale="it-IT")).new_page()
    page.set_default_timeout(20_000)
    await page.goto(f"{channel.address}/cases/in?lang=it")
    await page.fill("#name", "ascolto1")
    await page.fill("#pass", word)
    await page.fill("#second", channel.second("ascolto1"))
    async with page.expect_navigation(url="**/cases?lang=*"):
        await page.click("#go")
    await page.fill("#pass", word)
    await page.click("#open")
    await page.wait_for_selector("#wrong:not([hidden])")
    await page.fill("#pass", channel.known["handlers"]["ascolto1"]["kit"])
    await page.click("#open")
    await page.wait_for_selector("#board table")
    await page.click('summary:has-text("Cambia la frase")')
    for field in ("#new-pass", "#new-again"):
        await page.fill(field, "una frase tutta nuova")
    async with page.expect_navigation(url="**/cases/in"):
        await page.click('button:has-text("Cambia e rientra")')
    channel.known["handlers"]["ascolto1"]["passphrase"] = "una frase tutta nuova"
    desk = await at_desk(browser, channel, "ascolto1")
    await _open_first(desk)
    assert "parolavecchia" in await desk.inner_text("#board")
