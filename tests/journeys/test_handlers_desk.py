"""The handlers' desk in a browser: making keys, shutting somebody out, redaction, hold, stepping out, the list signed anew."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from mnemonic import Mnemonic
from playwright.async_api import Browser

from server.frame.texts import say
from surveys.cases import codes
from surveys.public import house
from tests.journeys.acting import KEEP, open_first, reopen
from tests.journeys.channel import BEGIN, Channel, at_desk, drawn_again, phone, running
from tests.journeys.conftest import environment
from tests.journeys.test_concern_promises import sealed_report
from tests.journeys.test_proofs import report, store
from tests.signing_in import next_code


@pytest.fixture
def channel(tmp_path: Path) -> Iterator[Channel]:
    with running(tmp_path) as made:
        yield made


async def _report(channel: Channel, text: str) -> None:
    async with httpx.AsyncClient(base_url=channel.address, timeout=30) as client:
        assert (await client.post("/concern/sealed", json=await sealed_report(client, text))).status_code == 200


def _sealed(channel: Channel) -> list[bytes]:
    """The letters of the only thread as they are stored, in order."""
    with store(channel) as rows:
        return [
            bytes(row[0]) for row in rows.execute("SELECT sealed FROM message WHERE stream = 'thread' ORDER BY number")
        ]


async def _until(fits: Callable[[], bool]) -> None:
    for _ in range(100):
        if fits():
            return
        await asyncio.sleep(0.1)
    raise AssertionError("it did not come")


def _shell(channel: Channel, *arguments: str, typed: str = "") -> str:
    """Run `ascolto` as an administrator would; its words."""
    ran = subprocess.run(
        [sys.executable, "-m", "server.command.cli", *arguments],
        env=environment(channel.data),
        input=typed,
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


async def test_shutting_out_redacting_holding_and_stepping_out(browser: Browser, channel: Channel) -> None:
    await _report(channel, "testo con il nome Filomena")
    anna = await at_desk(browser, channel, "ascolto1")
    await open_first(anna)
    await anna.click('.letter summary:has-text("Togli")')
    await anna.fill(".letter details textarea", "testo senza nome")
    await anna.click('.letter button:has-text("Chiedi")')
    await anna.wait_for_selector("text=Aspetta un'altra persona")
    assert "Filomena" in await anna.inner_text("#board")
    before = _sealed(channel)
    paolo = await at_desk(browser, channel, "ascolto2")
    await open_first(paolo)
    asked = await paolo.inner_text('section:has(h2:text-is("Da fare in due"))')
    assert "Adesso c'è scritto: «testo con il nome Filomena»" in asked and "Al suo posto: «testo senza nome»" in asked
    await paolo.click('button:has-text("Sono d\'accordo")')
    await paolo.wait_for_selector("text=Parti tolte")
    assert "Filomena" not in await paolo.inner_text("#board") and "testo senza nome" in await paolo.inner_text("#board")
    assert _sealed(channel)[0] == before[0]
    await reopen(anna)
    await anna.wait_for_selector("text=Parti tolte")
    await _until(lambda: _sealed(channel)[0] != before[0])  # the second look let the content go
    await reopen(anna)
    assert "Filomena" not in await anna.inner_text("#board") and await anna.locator(".bad").count() == 0
    await anna.fill("#note", "una nota")
    await anna.click('aside button:has-text("Aggiungi")')
    await anna.wait_for_selector("text=una nota")
    await anna.set_input_files(
        "#attach", {"name": "trascrizione.txt", "mimeType": "text/plain", "buffer": b"parole trascritte"}
    )
    await anna.fill("#answer", "Ecco la trascrizione.")
    await anna.click("#send")
    await anna.wait_for_selector('button:has-text("trascrizione.txt")')
    await anna.click('aside summary:has-text("Chiedi di non cancellarlo")')
    await anna.click('aside button:has-text("Chiedi di non cancellarlo")')
    await anna.wait_for_selector('summary:has-text("Togli la richiesta")')
    await anna.click('aside summary:has-text("Escludi Paolo")')
    await anna.click('aside button:has-text("Escludi Paolo")')
    await anna.wait_for_selector("text=chiede che Paolo Esempio non legga più")
    livia = await at_desk(browser, channel, "esterna")
    assert await livia.locator("#board table button").count() == 0  # two inside are there: the substitute waits
    channel.day(BEGIN + timedelta(days=100))  # the outcome is late
    livia = await at_desk(browser, channel, "esterna")
    await open_first(livia)
    await livia.click('button:has-text("Sono d\'accordo")')
    await livia.wait_for_selector('aside summary:has-text("Escludi Paolo")', state="detached")
    await reopen(anna)
    await anna.wait_for_selector('summary:has-text("Escludi Avv.")')
    assert "Paolo" not in await anna.inner_text(
        'aside section:has(h2:text-is("Chi legge")) > p'
    ) and "una nota" in await anna.inner_text("aside")
    paolo = await at_desk(browser, channel, "ascolto2")
    assert "Nessun caso per te" in await paolo.inner_text("#board")
    await anna.click('aside summary:has-text("Sono in conflitto")')
    await anna.click('aside button:has-text("Sono in conflitto")')
    await anna.wait_for_selector("text=Nessun caso per te")
    await reopen(livia)
    await livia.click('button:has-text("Cambia le chiavi")')
    await livia.wait_for_selector('button:has-text("Cambia le chiavi")', state="detached")
    text = await livia.inner_text("#board")
    assert "testo senza nome" in text and "una nota" in text and "Marta Inventata, " not in text


async def test_a_letter_that_was_not_taken_waits_in_its_case_and_a_session_that_is_over_is_said(
    browser: Browser, channel: Channel
) -> None:
    """Done from outside: "read again and send again", and the letter was gone once she had read again; signed out in another tab,
    "try again" for ever."""
    await _report(channel, "testo")
    anna, paolo = await at_desk(browser, channel, "ascolto1"), await at_desk(browser, channel, "ascolto2")
    for desk in (anna, paolo):
        await open_first(desk)
    await anna.fill("#answer", "prima")
    await anna.click("#send")
    await anna.wait_for_selector('.letter:has-text("prima")')
    await paolo.select_option("#kind", "question")
    await paolo.fill("#answer", "seconda")
    await paolo.click("#send")
    await paolo.wait_for_selector(f'text="{say("it", "cases.case.stale")}"')
    await reopen(paolo)
    assert await paolo.input_value("#answer") == "seconda" and await paolo.input_value("#kind") == "question"
    await paolo.click("#send")
    await paolo.wait_for_selector('.letter:has-text("seconda")')
    assert await paolo.input_value("#answer") == "" and len(_sealed(channel)) == 3
    await paolo.fill("#answer", "terza")
    await paolo.context.clear_cookies()  # as signing out in another tab leaves this one
    await paolo.click("#send")
    await paolo.wait_for_selector(f'text="{say("it", "cases.case.session_over")}"')
    assert await paolo.input_value("#answer") == "terza" and len(_sealed(channel)) == 3


async def test_the_list_of_cases_stands_within_a_phones_screen_and_each_cell_says_what_it_is(
    browser: Browser, channel: Channel
) -> None:
    await _report(channel, "testo")
    desk = await at_desk(browser, channel, "ascolto1")
    await desk.set_viewport_size({"width": 360, "height": 740})
    wide = await desk.evaluate(
        "() => [document.documentElement, document.querySelector('#board .scroll')].map((e) => e.scrollWidth - e.clientWidth)"
    )
    assert wide == [0, 0]
    heads = await desk.evaluate(
        "() => [...document.querySelectorAll('#board td')].map((e) => getComputedStyle(e, '::before').content)"
    )
    names = ("case", "state", "next", "by", "received")
    assert heads == [f'"{say("it", f"cases.desk.{name}")}: "' for name in names]


async def test_notes_under_keys_that_were_undone_are_counted_on_the_desk_that_had_read_them(
    browser: Browser, channel: Channel
) -> None:
    """In a thread of November 2026, when one reader could go back alone; the reporter's page marks what counts no more."""
    secret = await report(channel, "la mia storia")
    anna = await at_desk(browser, channel, "ascolto1")
    await open_first(anna)
    change = "async () => { const { fold } = window.__now.opened; return Acts.change(window.__now, [...fold.readers.values()], fold.recovery, ''); }"
    await anna.evaluate(KEEP)
    await reopen(anna)
    assert await anna.evaluate(change)
    await reopen(anna)
    await anna.fill("#note", "una nota")
    await anna.click('aside button:has-text("Aggiungi")')
    await anna.wait_for_selector('aside .letter:has-text("una nota")')
    paolo = await at_desk(browser, channel, "ascolto2")
    await paolo.evaluate(KEEP)
    await open_first(paolo)
    assert await paolo.evaluate(BROKEN) == 200
    await reopen(anna)
    await anna.wait_for_selector("text=Note scritte sotto una chiave annullata, che non si leggono più: 1.")
    assert "una nota" not in await anna.inner_text("aside")
    for script in (True, False):
        _, page = await phone(browser, "en-GB", script=script)
        await page.goto(f"{channel.address}/concern?lang=en#back")
        await page.fill("#typed", " ".join(codes.to_digits(secret)))
        await page.click("#open" if script else "button[value=open]")
        await page.wait_for_selector('.letter:has-text("counts no more")')
        assert await page.locator('.letter:has-text("counts no more")').count() == 1


async def test_a_day_that_never_was_leaves_the_row_correctable_and_a_link_of_noise_takes_no_old_key_away(
    browser: Browser, channel: Channel
) -> None:
    await _report(channel, "la mia storia")
    anna = await at_desk(browser, channel, "ascolto1")
    await anna.evaluate(KEEP)
    await open_first(anna)
    sent = "async (day) => { const { fold } = window.__now.opened; const one = await Fold.letter(fold, Board.ring(), Acts.me(), 'acknowledge', day, { text: 'arrivato' }); return (await Board.send(`/cases/case/${fold.case}/write`, { move: 'acknowledge', uploads: [], ...one })).status; }"
    assert await anna.evaluate(sent, "2199-01-01") == 200
    with store(channel) as rows:
        rows.execute("UPDATE \"case\" SET state = 'received', acknowledged = NULL")
    paolo = await at_desk(browser, channel, "ascolto2")
    await open_first(paolo)
    await _until(lambda: _stood(channel) == ("acknowledged", BEGIN.isoformat()))
    await reopen(anna)
    noise = """async () => { const { fold } = window.__now.opened;
      const made = await FoldDesk.newKeys(window.__now.opened, Board.ring(), Acts.me(), Board.here.desk.day, [...fold.readers.values()], fold.recovery, "");
      const link = Protocol.unbase64(made.epochs[0].link); link.fill(7, link.length - 60); made.epochs[0].link = Protocol.base64(link);
      return (await Board.send(`/cases/case/${fold.case}/write`, { move: "", uploads: [], ...made })).status; }"""
    assert await anna.evaluate(noise) == 200
    await reopen(paolo)
    assert "la mia storia" in await paolo.inner_text("#board") and await paolo.locator(".bad").count() == 0
    await paolo.wait_for_timeout(1000)
    with store(channel) as rows:
        assert rows.execute("SELECT confirmed FROM epoch WHERE stream = 'thread' AND number = 2").fetchone() == (0,)


def _stood(channel: Channel) -> tuple[object, ...]:
    with store(channel) as rows:
        found: tuple[object, ...] = rows.execute('SELECT state, acknowledged FROM "case"').fetchone()
    return found


"""The page keeps its case to itself: what it opened is noted beside it, for acts that no button offers now."""


def _row(channel: Channel) -> tuple[object, ...]:
    with store(channel) as rows:
        found: tuple[object, ...] = rows.execute('SELECT state, outcome, ended FROM "case"').fetchone()
    return found


async def test_an_end_waits_for_a_second_desk_and_a_row_that_says_otherwise_is_put_right(
    browser: Browser, channel: Channel
) -> None:
    await _report(channel, "la mia storia")
    anna = await at_desk(browser, channel, "ascolto1")
    await open_first(anna)
    await anna.select_option("#kind", "outcome")
    await anna.fill("#answer", "Ecco l'esito. Abbiamo ascoltato tutti e cambiato i turni.")
    await anna.click("#send")
    await anna.wait_for_selector('.letter:has-text("Ecco l\'esito.")')
    end = ("outcome", BEGIN.isoformat(), 0)
    await _until(lambda: _row(channel) == end)
    await anna.click('#board button:has-text("Tutti i casi")')
    await anna.wait_for_selector('#board td:has-text("va visto da una seconda persona")')
    await open_first(anna)
    await anna.wait_for_timeout(500)
    assert _row(channel) == end  # her own look is not a second one
    with store(channel) as rows:
        rows.execute("UPDATE \"case\" SET state = 'final', outcome = '2020-01-01', ended = 1")
    paolo = await at_desk(browser, channel, "ascolto2")
    await open_first(paolo)
    await _until(lambda: _row(channel) == end)
    await reopen(anna)
    await _until(lambda: _row(channel) == (*end[:2], 1))
    await anna.click('#board button:has-text("Tutti i casi")')
    await anna.wait_for_selector("#board table button")
    assert "seconda persona" not in await anna.inner_text("#board")


async def test_a_new_handler_makes_keys_in_the_browser_and_works_once_two_have_signed(
    browser: Browser, channel: Channel, tmp_path: Path
) -> None:
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
    passphrase = await drawn_again(page, "#drawn")
    assert len(passphrase.split()) == 6 and await page.locator("#pass, #again").count() == 0
    await page.fill("#second", next_code(secret))
    await page.fill("#kit-word", "sbagliata")
    await page.click("#go")
    assert "quinta parola" in await page.inner_text("#wrong")
    await page.fill("#kit-word", kit[4])
    await page.click("#go")
    await page.wait_for_selector("text=Le chiavi ci sono")
    assert len(sent) > 1 and not [body for body in sent if passphrase in body or kit[4] in body]
    _shell(channel, "handler", "training", "nuova", "--day", "2026-11-23")
    await _report(channel, "prima")
    channel.known["handlers"]["nuova"] = {"passphrase": passphrase, "second": secret, "kit": " ".join(kit)}
    words = await _states_her_keys(browser, channel)
    file = str(tmp_path / "elenco.json")
    readers = ["ascolto1:persona di fiducia", "nuova:referente", "esterna:consigliera:outside"]
    _shell(
        channel, "keyring", "draft", "--output", file, *(part for reader in readers for part in ("--reader", reader))
    )
    for seat in ("legal", "reserve"):
        seed = Mnemonic("italian").to_mnemonic(bytes.fromhex(channel.known["seats"][seat]))
        shown = _shell(channel, "keyring", "sign", file, typed=f"s\ns\ns\n{seed}\n")
        assert words in shown and channel.known["house"]["words"] in shown
    assert len(json.loads(Path(file).read_text())["signatures"]) == 2
    await asyncio.to_thread(_shell, channel, "keyring", "publish", file)
    await _second_report(channel)
    desk = await at_desk(browser, channel, "nuova")
    assert await desk.locator("#board table button").count() == 1
    await open_first(desk)
    assert "dopo" in await desk.inner_text("#board")
    gone = await at_desk(browser, channel, "ascolto2")
    assert "Non sei (ancora) nell'elenco" in await gone.inner_text("#board") and "Nessun caso" in await gone.inner_text(
        "#board"
    )


async def _second_report(channel: Channel) -> None:
    """A report under the second ring."""
    async with httpx.AsyncClient(base_url=channel.address, timeout=30) as client:
        assert (await client.post("/concern/sealed", json=await sealed_report(client, "dopo"))).status_code == 200


async def _states_her_keys(browser: Browser, channel: Channel) -> str:
    """She signs her own statement at her desk; gives the six words she reads to each signer."""
    desk = await at_desk(browser, channel, "nuova")
    await desk.fill("#own-name", "Nadia Nuova")
    await desk.click('#board button:has-text("Firma")')
    return await desk.inner_text("#board .secret")


async def test_two_recovery_holders_open_what_the_command_wrote_out_and_the_log_says_so(
    channel: Channel, tmp_path: Path
) -> None:
    await _report(channel, "parolarecuperata")
    folder = tmp_path / "fuori"
    await asyncio.to_thread(_shell, channel, "recovery", "export", "--output", str(folder))
    exported = str(next(folder.iterdir()))
    holders, words = channel.known["recovery"], channel.known["house"]["words"]
    said = _shell(
        channel,
        "case",
        "open",
        exported,
        "--house",
        words,
        "--recovery",
        "ac",
        typed=f"{holders['a']}\n{holders['c']}\n",
    )
    assert "parolarecuperata" in said
    for arguments, typed in (
        (("--house", words, "--recovery", "ac"), f"{holders['a']}\n{holders['a']}\n"),
        (("--recovery", "ac"), f"{holders['a']}\n{holders['c']}\n"),
        (("--house", " ".join(house.words_of("00" * 16)), "--recovery", "ac"), f"{holders['a']}\n{holders['c']}\n"),
    ):
        ran = subprocess.run(
            [sys.executable, "-m", "server.command.cli", "case", "open", exported, *arguments],
            env=environment(channel.data),
            input=typed,
            capture_output=True,
            text=True,
        )
        assert ran.returncode == 1 and "parolarecuperata" not in ran.stdout


async def test_a_forgotten_passphrase_is_replaced_with_the_printed_kit(browser: Browser, channel: Channel) -> None:
    await _report(channel, "parolavecchia")
    said = await asyncio.to_thread(_shell, channel, "handler", "word", "ascolto1")
    word = next(part for part in said.split() if part.count("-") == 3)
    page = await (await browser.new_context(locale="it-IT")).new_page()
    page.set_default_timeout(45_000)
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
    drawn = await drawn_again(page, "#new-words")
    await page.fill("#old-pass", channel.known["handlers"]["ascolto1"]["kit"])
    await page.fill("#new-second", channel.second("ascolto1"))
    async with page.expect_navigation(url="**/cases/in"):
        await page.click('button:has-text("Cambia e rientra")')
    channel.known["handlers"]["ascolto1"]["passphrase"] = drawn
    desk = await at_desk(browser, channel, "ascolto1")
    await open_first(desk)
    assert "parolavecchia" in await desk.inner_text("#board")


BROKEN = """async () => { const { fold } = window.__now.opened; const back = fold.undo.get(fold.act);
  const number = window.__now.file.messages.filter((row) => row.stream === "thread").length + 1;
  const place = { ...Fold.placeAfter(back, Board.ring()), number, before: fold.act };
  const made = Fold.write(place, Acts.me(), "broken", Board.here.desk.day, { text: "" }, Protocol.random(32), { change: fold.act });
  const letter = { stream: "thread", number, epoch: back.epoch, sealed: Protocol.base64(await Fold.seal(made.plain, back.to)) };
  return (await Board.send(`/cases/case/${fold.case}/write`, { move: "", uploads: [], ...letter })).status; }"""
"""What a desk wrote to go back before the newest change alone."""


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
