"""What a frightened person is told: nothing leaves in clear, a wrong code learns nothing, no notice betrays a case."""

import json
import os
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiosmtpd.controller import Controller
from playwright.async_api import Browser, Page, Route

from server.reporters.shown import read_lists
from server.settings import Settings
from surveys.cases import acts, codes, composing
from surveys.cases.acts import Reporter
from surveys.public import house
from surveys.stores import StoreSettings, stores
from tests.journeys.channel import BEGIN, Channel, at_desk, make_channel, phone
from tests.postgres import free_port

SECRET = "parolachenonparte"


@pytest.fixture(scope="module")
def channel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Channel]:
    made = make_channel(tmp_path_factory.mktemp("channel"))
    made.start()
    yield made
    made.stop()


@pytest.fixture
async def client(channel: Channel) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=channel.address, timeout=30) as opened:
        yield opened


async def sealed_report(client: httpx.AsyncClient, text: str = "x", **changes: Any) -> dict[str, Any]:
    """A report as the script would make it."""
    house, chain, _ = read_lists((await client.get("/concern/keyring.json")).json())
    assert house is not None and chain is not None
    me = Reporter(codes.derive(codes.new_code(os.urandom), bytes.fromhex(house.salt)))
    return acts.report(me, chain.newest, house.hash, (), {"text": text}, BEGIN, os.urandom) | changes


async def _written(page: Page, channel: Channel, text: str) -> None:
    await page.goto(f"{channel.address}/concern?lang=it")
    await page.click('a[href="#who"]')
    await page.click('#who a[href="#write"]')
    await page.fill("#text", text)


async def _confirmed(page: Page) -> None:
    await page.click("#to-check")
    await page.click('#check a[href="#code"]')
    await page.wait_for_selector(".secret span")
    words = await page.locator(".secret span").all_inner_texts()
    await page.fill("#part2", words[1])
    await page.fill("#part7", words[6])


async def test_while_the_scripts_have_not_come_nothing_can_be_sent_in_clear(browser: Browser, channel: Channel) -> None:
    """A slow phone: the page is there, its scripts are not. No button, and Enter sends nothing."""
    context, page = await phone(browser, "it-IT")
    posts: list[str] = []
    page.on("request", lambda request: posts.append(request.url) if request.method == "POST" else None)
    await page.route("**/static/*.js", lambda route: route.abort())
    await page.goto(f"{channel.address}/concern?lang=it#write")
    await page.fill("#text", SECRET)
    assert await page.locator("button[type=submit], button:not([type]), input[type=submit]").count() == 0
    await page.click("#write summary")
    for field in ("#d-where", "#d-when", "#d-who"):
        await page.fill(field, SECRET)
        await page.press(field, "Enter")
    await page.check('input[name=danger][value="no"]')
    await page.press('input[name=danger][value="no"]', "Enter")
    await page.goto(f"{channel.address}/concern?lang=it#back")
    await page.fill("#typed", "1234")
    await page.press("#typed", "Enter")
    await page.wait_for_timeout(300)
    assert posts == []
    assert await page.is_visible("#noplain a")
    await context.close()


@pytest.mark.parametrize(
    "broken",
    [
        "() => { Sealing.Encrypter.prototype.encrypt = () => { throw new Error(); }; }",
        "() => { crypto.subtle.deriveBits = () => Promise.reject(new Error()); }",
    ],
    ids=["sealing", "deriving"],
)
async def test_when_sealing_fails_nothing_leaves_and_the_text_survives(
    browser: Browser, channel: Channel, broken: str
) -> None:
    context, page = await phone(browser, "it-IT")
    posts: list[str] = []
    page.on("request", lambda request: posts.append(request.url) if request.method in ("POST", "PUT") else None)
    await _written(page, channel, SECRET)
    await page.evaluate(broken)
    await _confirmed(page)
    await page.click("#send")
    await page.wait_for_selector("#wrong:not([hidden])")
    assert "non inviamo niente" in await page.inner_text("#wrong")
    assert posts == [] and await page.input_value("#text") == SECRET
    await context.close()


async def test_offline_nothing_leaves_the_text_survives_and_it_goes_when_the_network_is_back(
    browser: Browser, channel: Channel
) -> None:
    context, page = await phone(browser, "it-IT")
    await _written(page, channel, SECRET)
    await _confirmed(page)
    await context.set_offline(True)
    await page.click("#send")
    await page.wait_for_selector("#wrong:not([hidden])")
    assert await page.input_value("#text") == SECRET
    await context.set_offline(False)
    await page.click("#send")
    await page.wait_for_selector("#letters h1")
    assert "Ricevuto" in await page.inner_text("#letters")
    await context.close()


async def test_a_report_whose_answer_was_lost_is_sent_again_and_counts_once(browser: Browser, channel: Channel) -> None:
    context, page = await phone(browser, "it-IT")
    await _written(page, channel, "una volta sola")
    await _confirmed(page)
    lost = 0

    async def lose(route: Route) -> None:
        nonlocal lost
        if lost == 0:
            lost += 1
            await route.fetch()
            await route.abort()
        else:
            await route.continue_()

    await page.route("**/concern/sealed", lose)
    await page.click("#send")
    await page.wait_for_selector("#wrong:not([hidden])")
    await page.click("#send")
    await page.wait_for_selector("#letters h1")
    await page.click("#letters button")
    await page.wait_for_selector(".letter")
    assert await page.locator(".letter").count() == 1
    await context.close()


async def test_a_list_of_readers_that_a_server_changed_is_refused_by_the_phone(
    browser: Browser, channel: Channel
) -> None:
    context, page = await phone(browser, "it-IT")
    posts: list[str] = []
    page.on("request", lambda request: posts.append(request.url) if request.method == "POST" else None)

    async def swapped(route: Route) -> None:
        answer = await (await route.fetch()).json()
        answer["rings"][0]["text"] = answer["rings"][0]["text"].replace("persona di fiducia", "persona del capo")
        await route.fulfill(json=answer)

    await page.route("**/concern/keyring.json", swapped)
    await _written(page, channel, SECRET)
    await _confirmed(page)
    await page.click("#send")
    await page.wait_for_selector("#wrong:not([hidden])")
    assert "non è firmato" in await page.inner_text("#wrong")
    assert posts == []
    await context.close()


async def test_the_check_that_it_could_be_you_stays_on_the_phone(browser: Browser, channel: Channel) -> None:
    context, page = await phone(browser, "it-IT")
    await _written(
        page, channel, "Ieri alle 10:42 il signor Bianchi ha gridato. Sono l'unica del turno, chiama 055 123456."
    )
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    await page.click("#to-check")
    found = await page.inner_text("#findings")
    assert all(word in found for word in ("10:42", "Bianchi", "unica", "055 123456"))
    assert requests == []
    await context.close()


@pytest.mark.parametrize("way", ["button", "escape"])
async def test_leaving_quickly_replaces_the_page_and_empties_it(browser: Browser, channel: Channel, way: str) -> None:
    context, page = await phone(browser, "it-IT")
    await context.route(
        "https://www.wikipedia.org/**",
        lambda route: route.fulfill(body="<title>Wikipedia</title>", content_type="text/html"),
    )
    await page.goto(f"{channel.address}/help?lang=it")
    await _written(page, channel, SECRET)
    async with page.expect_navigation():
        if way == "button":
            await page.click("#exit")
        else:
            await page.keyboard.press("Escape")
            await page.keyboard.press("Escape")
    assert page.url.startswith("https://www.wikipedia.org/")
    await page.go_back()
    assert "/concern" not in page.url
    await context.close()


async def test_nothing_of_a_concern_is_stored_on_the_phone(browser: Browser, channel: Channel) -> None:
    context, page = await phone(browser, "it-IT")
    await _written(page, channel, SECRET)
    await _confirmed(page)
    await page.click("#send")
    await page.wait_for_selector("#letters h1")
    left = await page.evaluate(
        "async () => [localStorage.length, sessionStorage.length, document.cookie, (await indexedDB.databases()).length, (await caches.keys()).length]"
    )
    assert left == [0, 0, "", 0, 0] and await context.cookies() == []
    assert page.url.endswith("/concern?lang=it")
    await context.close()


async def test_unknown_wrong_and_deleted_codes_are_answered_with_the_same_bytes(
    client: httpx.AsyncClient, channel: Channel
) -> None:
    there = await sealed_report(client)
    assert (await client.post("/concern/sealed", json=there)).status_code == 200
    asked = {"locator": there["locator"], "auth": there["auth"]}
    assert (await client.post("/concern/thread", json=asked)).status_code == 200
    wrong = [{**asked, "auth": "00" * 32}, {**asked, "locator": "11" * 32}, {"locator": "22" * 32, "auth": "33" * 32}]
    answers = [await client.post("/concern/thread", json=one) for one in wrong]
    assert {(a.status_code, a.content, tuple(sorted(a.headers.items()))) for a in answers} == {
        (404, answers[0].content, tuple(sorted(answers[0].headers.items())))
    }
    pages = []
    for digits in ("".join(codes.to_digits(codes.new_code(os.urandom))) for _ in range(3)):
        number = re.search(r'name="once" value="([^"]+)"', (await client.get("/concern?plain&lang=it")).text)
        assert number is not None
        got = await client.post("/concern?lang=it", data={"once": number[1], "do": "open", "code": digits})
        pages.append(
            (got.status_code, re.sub(r'(?s)<p class="secret".*?</p>|name="(code|once)" value="[^"]*"', "", got.text))
        )
    assert len(set(pages)) == 1


async def test_a_thread_is_filled_up_so_that_its_size_tells_little(client: httpx.AsyncClient) -> None:
    sizes = set()
    for text in ("poco", "molto " * 900):
        there = await sealed_report(client, text)
        await client.post("/concern/sealed", json=there)
        sizes.add(
            len(
                (
                    await client.post("/concern/thread", json={"locator": there["locator"], "auth": there["auth"]})
                ).content
            )
        )
    assert sizes == {64 * 1024}


async def test_twelve_reports_of_one_address_are_all_accepted(client: httpx.AsyncClient) -> None:
    answers = [await client.post("/concern/sealed", json=await sealed_report(client)) for _ in range(12)]
    assert [answer.status_code for answer in answers] == [200] * 12


async def test_a_cut_or_foreign_report_is_refused_and_nothing_breaks(client: httpx.AsyncClient) -> None:
    good = await sealed_report(client)
    for body in (
        b"",
        b"{",
        json.dumps(good | {"messages": ["Y2lhbw=="]}).encode(),
        json.dumps(good | {"more": 1}).encode(),
        b"\xff" * 10,
    ):
        assert (await client.post("/concern/sealed", content=body)).status_code == 400
    assert (await client.put("/concern/piece/zz/0", content=b"x")).status_code == 400
    assert (
        await client.post("/concern", content=b"nonsense", headers={"content-type": "multipart/form-data; boundary=x"})
    ).status_code == 422
    assert (await client.post("/concern", data={"do": "open", "code": "1"})).status_code == 422


async def test_an_upload_that_broke_off_goes_on_where_it_was(client: httpx.AsyncClient) -> None:
    sealed, entry = composing.seal_file("foto.jpg", "image/jpeg", os.urandom(900_000))
    pieces = [sealed[start : start + 262_144] for start in range(0, len(sealed), 262_144)]
    address = f"/concern/piece/{entry['upload']}"
    for number in (0, 2):
        await client.put(f"{address}/{number}", content=pieces[number])
    assert (await client.get(address)).json() == {"kept": [0, 2]}
    for number in range(len(pieces)):
        await client.put(f"{address}/{number}", content=pieces[number])
    report = await sealed_report(client, uploads=[entry["upload"]])
    assert (await client.post("/concern/sealed", json=report)).status_code == 200
    got = await client.post(
        "/concern/file", json={"locator": report["locator"], "auth": report["auth"], "upload": entry["upload"]}
    )
    assert composing.open_file(got.content, entry) == composing.open_file(sealed, entry)
    other = await sealed_report(client)
    await client.post("/concern/sealed", json=other)
    stolen = {"locator": other["locator"], "auth": other["auth"], "upload": entry["upload"]}
    assert (await client.post("/concern/file", json=stolen)).status_code == 404


class _Box:
    """A mail server on loopback that keeps what it gets."""

    def __init__(self) -> None:
        self.got: list[tuple[str, bytes]] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.got.append((envelope.rcpt_tos[0], envelope.content))
        return "250 kept"


async def test_the_daily_notice_is_the_same_for_all_with_and_without_a_case(tmp_path: Path) -> None:
    from server.mail import notices
    from surveys.lifecycle.context import Site
    from tests.conftest import ORGANISATION
    from tests.surveys.cases.people import opened, report

    box, port = _Box(), free_port()
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    settings = Settings(
        StoreSettings(tmp_path / "data"), smtp=f"smtp://127.0.0.1:{port}", mail_from="ascolto@prova.invalid"
    )
    seven = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)  # seven in Rome
    try:
        async with stores(settings.stores) as engines:
            site = Site(engines, settings.data, date(2026, 11, 24), "x")
            made = await opened(site, ORGANISATION)
            assert await notices.send_due(settings, seven - timedelta(minutes=1)) == 0
            assert await notices.send_due(settings, seven) == 4
            assert await notices.send_due(settings, seven + timedelta(hours=3)) == 0
            empty = list(box.got)
            await report(site, made, out=["bruno"])
            assert await notices.send_due(replace(settings), seven + timedelta(days=1)) == 4
    finally:
        controller.stop()
    assert sorted(to for to, _ in empty) == [f"{name}@prova.invalid" for name in ("anna", "bruno", "carla", "esterna")]

    def stripped(message: tuple[str, bytes]) -> bytes:
        return re.sub(rb"(Message-ID|Date): [^\r]*(\r\n [^\r]*)*\r\n", b"", message[1])

    assert sorted(map(stripped, empty)) == sorted(map(stripped, box.got[4:]))
    assert len({re.sub(rb"To: [^\r]*", b"", stripped(message)) for message in box.got}) == 1

    def hour(message: bytes) -> bytes:
        found = re.search(rb"Date: ([^\r]*)", message)
        assert found is not None
        return found[1][-14:]

    assert {hour(message) for _, message in box.got} == {b"07:00:00 +0100"}
    # done from outside: the organisation's address stood in it, HR changed it, and a handler typed her passphrase there
    words = [message_from_bytes(message, policy=default).get_content() for _, message in box.got]
    assert not any(sign in text for text in words for sign in ("://", "ascolto.invalid", "www."))


async def test_an_exported_case_opens_without_browser_and_server(
    browser: Browser, channel: Channel, tmp_path: Path
) -> None:
    import subprocess
    import sys

    async with httpx.AsyncClient(base_url=channel.address, timeout=30) as client:
        await client.post("/concern/sealed", json=await sealed_report(client, "parolaesportata"))
    desk = await at_desk(browser, channel, "ascolto2")
    await desk.locator("#board table button").first.wait_for()
    for place in range(await desk.locator("#board table button").count()):
        await desk.locator("#board table button").nth(place).click()
        await desk.wait_for_selector(".letter")
        if "parolaesportata" in await desk.inner_text("#board"):
            break
        await desk.click('button:has-text("Tutti i casi")')
        await desk.wait_for_selector("#board table")
    async with desk.expect_download() as waiting:
        await desk.click('button:has-text("Esporta")')
    exported = tmp_path / "case.json"
    await (await waiting.value).save_as(exported)
    assert "parolaesportata" not in exported.read_text()
    secrets = channel.known["handlers"]["ascolto2"]
    opening = [
        sys.executable,
        "-m",
        "server.command.cli",
        "case",
        "open",
        str(exported),
        "--house",
        channel.known["house"]["words"],
    ]
    for typed in (secrets["passphrase"], secrets["kit"]):
        ran = subprocess.run(opening, input=typed, capture_output=True, text=True)
        assert ran.returncode == 0 and "parolaesportata" in ran.stdout, ran.stderr
    elsewhere = subprocess.run(
        [*opening[:-1], " ".join(house.words_of("00" * 16))], input=secrets["kit"], capture_output=True, text=True
    )
    assert elsewhere.returncode == 1 and "parolaesportata" not in elsewhere.stdout
    wrong = subprocess.run(opening, input="non è questa", capture_output=True, text=True)
    assert wrong.returncode == 1 and "parolaesportata" not in wrong.stdout
    content = json.loads(exported.read_text())
    content["file"]["messages"][0]["sealed"] = content["file"]["messages"][0]["sealed"][:-8] + "AAAAAAA="
    exported.write_text(json.dumps(content))
    forged = subprocess.run(opening, input=secrets["kit"], capture_output=True, text=True)
    assert forged.returncode == 1


@pytest.mark.parametrize(
    "path",
    [
        "/concern/sealed",
        "/concern/thread",
        "/concern/reply",
        "/concern/file",
        "/concern/proof",
        "/concern/diary/delete",
        "/cases/in",
        "/cases/setup",
    ],
)
async def test_nothing_that_anybody_sends_breaks_an_address(client: httpx.AsyncClient, path: str) -> None:
    good = await sealed_report(client)
    setup = dict.fromkeys(
        ("name", "word", "login", "salt", "bundle", "recipient", "signer", "secret", "second", "contact"), "ü\x00"
    )
    opening = {"locator": "zz", "auth": "é" * 64, "upload": "x"}
    reply = {
        "locator": good["locator"],
        "auth": good["auth"],
        "stream": "notes",
        "number": -1,
        "sealed": "%%%",
        "uploads": ["x"] * 99,
    }
    bodies = [
        b"",
        b"[]",
        b"null",
        b"\xff\xfe",
        b'{"a":' * 5000,
        json.dumps(setup).encode(),
        json.dumps(opening).encode(),
        json.dumps(reply).encode(),
        json.dumps(good | {"case": "f" * 16}).encode(),
        json.dumps(good | {"uploads": ["00" * 16] * 6}).encode(),
        json.dumps({"name": "x" * 900, "login": "y", "second": "z"}).encode(),
    ]
    statuses = [
        (await client.post(path, content=body, headers={"sec-fetch-site": "same-origin"})).status_code
        for body in bodies
    ]
    assert [status for status in statuses if status >= 500 or status < 400] == []
