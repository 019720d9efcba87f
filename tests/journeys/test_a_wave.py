"""HR, the representative and the keeper of the reserve envelope run a whole wave in the browser, from people to results."""

import asyncio
import hashlib
import os
import re
import shutil
import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from mnemonic import Mnemonic
from playwright.async_api import Browser, Page

from surveys.lifecycle.context import Site, today
from surveys.public import organisation
from surveys.stores import StoreSettings, stores
from tests import once
from tests.journeys.conftest import environment, press, start
from tests.postgres import free_port, fresh_databases
from tests.signing_in import next_code, session_of
from tests.urn import anchor, spent, team

PASSWORD = "una-password-lunga"
_secrets: dict[tuple[str, str], str] = {}
"""The secret of the codes that an account of an installation set up."""


def _ascolto(data: Path, *arguments: str, typed: str = "") -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "server.command.cli", *arguments],
        env=environment(data),
        input=typed,
        text=True,
        capture_output=True,
        check=False,
    )


async def _anchor(data: Path) -> None:
    """House file and ring, as two signers made them before."""
    async with stores(StoreSettings(data, os.environ.get("ASCOLTO_DATABASE_URL"))) as engines:
        await anchor(Site(engines, data, today(), "administrator"))


def _make_installation(data: Path, address: str) -> None:
    made = _ascolto(
        data,
        "init",
        "--name",
        "Cooperativa Vera",
        "--address",
        address,
        "--referente",
        "Ada, 055 1",
        "--canale",
        "cassetta",
        "--help-checked-on",
        today().isoformat(),
        "--controller",
        "la cooperativa",
        "--purpose",
        "ascoltare",
        "--retention",
        "un anno",
        "--contact",
        "privacy@vera.invalid",
    )
    assert made.returncode == 0, made.stderr
    for name, role in (
        ("hr", "hr"),
        ("rsu", "representative"),
        ("busta", "recovery"),
        ("audit", "auditor"),
        ("ascolto-1", "guarantee"),
        ("ascolto-2", "guarantee"),
    ):
        added = _ascolto(data, "account", "add", name, "--role", role, typed=f"{PASSWORD}\n")
        assert added.returncode == 0, added.stderr
    asyncio.run(_anchor(data))


def _copy_installation(data: Path, address: str) -> None:
    """On SQLite it is made once for all tests; only its address differs."""
    made = once.made("installation", lambda folder: _make_installation(folder / "data", "http://127.0.0.1:1"))
    shutil.copytree(made / "data", data)

    async def move() -> None:
        async with stores(StoreSettings(data)) as engines:
            record = await organisation.load()
            assert record is not None
            await organisation.save(engines["public"], replace(record, address=address))

    asyncio.run(move())


@pytest.fixture
def installation(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[str, Path]]:
    """A real, empty installation with an account for each seat, served: on SQLite, or where a test says so on PostgreSQL."""
    on_postgres = getattr(request, "param", "sqlite") == "postgres"
    if on_postgres:
        address = fresh_databases(request.getfixturevalue("postgres_server"), f"j{uuid.uuid4().hex[:12]}")
        monkeypatch.setenv("ASCOLTO_DATABASE_URL", address)
    data, port = tmp_path / "data", free_port()
    address = f"http://127.0.0.1:{port}"
    if on_postgres:
        _make_installation(data, address)
    else:
        _copy_installation(data, address)
    process = start(data, port)
    try:
        yield address, data
    finally:
        process.terminate()
        process.wait(20)


async def _signed_in(browser: Browser, address: str, name: str) -> Page:
    context = await browser.new_context(viewport={"width": 1280, "height": 900}, locale="en-GB", accept_downloads=True)
    page = await context.new_page()
    await page.goto(f"{address}/account/in")
    await page.fill("#name", name)
    await page.fill("#password", PASSWORD)
    if secret := _secrets.get((address, name)):
        await page.fill("#second", next_code(secret))
    await press(page, "button.go")
    if not secret:  # the first sign-in leads to the codes before any desk
        assert page.url.split("?")[0] == f"{address}/account/second"
        _secrets[address, name] = await page.inner_text("#secret")
        await page.fill("#second", next_code(_secrets[address, name]))
        await press(page, "button.go")
    return page


async def _make_secret(page: Page, address: str) -> str:
    """A holder's words are made in her browser, which asks for two of them; the guarantee team's are made by the server."""
    await page.goto(f"{address}/keys")
    await press(page, "button.go")
    await page.wait_for_selector("ol.words li")
    words = await page.locator("ol.words li").all_inner_texts()
    sent: list[str] = []  # without the wave's id, which begins with one of the words there are
    page.on("request", lambda request: sent.append((request.post_data or "").replace("prova-1", "")))
    if await page.locator("#holder").count():
        for n in (0, 1):
            asked = int((await page.inner_text(f"#ask{n}")).split()[-1])
            await page.fill(f"#part{n}", words[asked - 1])
        await press(page, "button.go")
        assert "statement" not in words and not any(
            word in body for word in words for body in sent
        )  # nothing but her statement left
    else:
        await page.fill("#secret", " ".join(words))
        await press(page, "button.go")
    assert "The secret is recorded" in await page.inner_text("main")
    return " ".join(words)


def _sign_the_plan(data: Path, folder: Path) -> None:
    """Two signers hear each holder's six words and sign away from the server; one who is unsure signs nothing."""
    file = str(folder / "plan.json")
    assert _ascolto(data, "wave", "draft", "prova-1", "--output", file).returncode == 0
    assert _ascolto(data, "wave", "publish", file).returncode == 1
    assert _ascolto(data, "wave", "sign", file, typed="y\nn\n").returncode == 1
    for seat in ("legal", "staff"):
        words = Mnemonic("italian").to_mnemonic(team().seats[seat])
        signed = _ascolto(data, "wave", "sign", file, typed=f"y\ny\ny\n{words}\n")
        assert signed.returncode == 0, signed.stderr
    published = _ascolto(data, "wave", "publish", file)
    assert published.returncode == 0, published.stderr


async def _confirm(page: Page, address: str, words: str) -> None:
    """A holder's browser finds her key in the plan; with other words it does not, and sends nothing."""
    await page.goto(f"{address}/keys")
    await press(page, "a[href*='/plan']")
    assert await page.locator("ol.words li").count() == 12
    await page.fill("#part0", " ".join(reversed(words.split())))
    await page.click("button.go")
    await page.wait_for_selector("#wrong:not([hidden])", timeout=60_000)
    await page.fill("#part0", words)
    await press(page, "button.go")
    assert "You confirmed the plan" in await page.inner_text("main")


def _staff_list(path: Path) -> Path:
    rows = ["nome,territorio,servizio,genere,fascia d'età"]
    for i in range(48):
        territory, service = ("Prato", "Firenze")[i % 2], ("Nido", "Cura")[i // 2 % 2]
        rows.append(f"Persona {i},{territory},{service},{'fm'[i % 3 == 0]},{('30-39', '50-59')[i % 2]}")
    path.write_text("\n".join(rows), "utf-8")
    return path


@pytest.mark.parametrize("installation", ["sqlite", "postgres"], indirect=True)
async def test_a_wave_from_the_staff_list_to_the_results(
    browser: Browser, installation: tuple[str, Path], tmp_path: Path
) -> None:
    address, data = installation
    hr = await _signed_in(browser, address, "hr")

    bad = tmp_path / "bad.csv"
    bad.write_text("nome,territorio,servizio,genere\nAda,Prato,Nido,femmina\nBea,,Nido,xyz\n", "utf-8")
    await hr.goto(f"{address}/hr/people")
    await hr.set_input_files("#file", bad)
    await press(hr, "button.go")
    assert "Nothing was imported" in await hr.inner_text(".err")
    assert "3" in await hr.inner_text(".err tbody tr >> nth=0")
    await hr.set_input_files("#file", _staff_list(tmp_path / "staff.csv"))
    await press(hr, "button.go")
    assert "Nothing has changed yet" in await hr.inner_text("main")
    await press(hr, "button.go")
    assert "48 people" in await hr.inner_text("main")

    await hr.goto(f"{address}/hr/waves/new")
    await hr.fill("#title", "Prova")
    await hr.fill("#id", "prova-1")
    await press(hr, "button.go")
    assert "the secret of the representative" in await hr.inner_text("main")
    await press(hr, "form[action*='/open'] button")
    assert "the secret of the personnel office" in await hr.inner_text(".err")

    secrets = [await _make_secret(hr, address)]
    seats = [await _signed_in(browser, address, name) for name in ("rsu", "busta", "ascolto-1", "ascolto-2")]
    representative, envelope, reader, second_reader = seats
    secrets += [await _make_secret(seat, address) for seat in seats[:3]]
    _sign_the_plan(data, tmp_path)
    for page, words in ((hr, secrets[0]), (representative, secrets[1]), (envelope, secrets[2])):
        await _confirm(page, address, words)
    await hr.goto(f"{address}/hr/waves/prova-1")
    await press(hr, "form[action*='/open'] button")
    for _ in range(120):
        if await hr.locator("#count").count():
            break
        await asyncio.sleep(0.5)
        await hr.goto(
            f"{address}/hr/waves/prova-1"
        )  # a busy server says that it goes on, and asks to load the page again

    await hr.fill("#count", "48")
    async with hr.expect_download() as downloading:
        await hr.click("form[action*='/slips'] button")
    slips = tmp_path / "slips.pdf"
    await (await downloading.value).save_as(slips)
    text = subprocess.run(["pdftotext", "-layout", str(slips), "-"], capture_output=True, text=True, check=True).stdout
    codes = re.findall(r"\b[0-9A-HJKMNP-TV-Z]{4}(?:-[0-9A-HJKMNP-TV-Z]{4}){3}\b", text)
    assert len(codes) == 48
    await _two_keys(hr, representative, address)
    await _recovery_sheet(envelope, data, address)
    plan = tmp_path / "plan.json"
    plan.write_bytes(httpx.get(f"{address}/wave/prova-1/plan.json").content)

    for i, code in enumerate(codes[:40]):
        sheet = {
            "_code": code,
            "_lang": "it",
            "_attempt": f"{i:032x}",
            "CUL1": str(1 + i % 5),
            "SAF1": "4",
            "gender": "fm"[i % 3 == 0],
        }
        if i < 12:
            sheet["OPN1"] = f"Turni più lunghi, dice Persona {i}"
        assert httpx.post(f"{address}/answer", data=sheet, follow_redirects=False).status_code == 303

    await hr.goto(f"{address}/hr/waves/prova-1")
    later = (today() + timedelta(days=25)).isoformat()
    await hr.fill("form[action*='/extend'] #ends", later)
    await press(hr, "form[action*='/extend'] button")
    assert "The end was moved" in httpx.get(f"{address}/wave/prova-1?lang=en").text
    await press(hr, "form[action*='/end'] button")
    assert "The representative finds it under Keys" in await hr.inner_text("main")
    await representative.goto(f"{address}/keys?lang=en")
    assert "before its last day" in await representative.inner_text("main")
    await press(representative, "form[action*='/confirm'] button")
    await hr.goto(f"{address}/hr/waves/prova-1?lang=en")
    await hr.fill("#unused", "20")
    await press(hr, "form[action*='/close'] button")
    assert "more sheets received (40) than slips drawn (28)" in await hr.inner_text(".err")
    await hr.fill("#unused", "8")
    await press(hr, "form[action*='/close'] button")
    assert "The survey is closed" in await hr.inner_text("main")
    late = httpx.post(f"{address}/answer", data={"_code": codes[41], "_lang": "en", "CUL1": "1"})
    assert late.status_code == 410

    for first, second in ((secrets[0], secrets[0]), (secrets[0], "abaco " * 8)):
        await _release(hr, address, first, second)
        assert "A secret is wrong" in await hr.inner_text(".err")
    await _release(hr, address, secrets[0], secrets[2])
    assert hr.url == f"{address}/results/prova-1"
    assert "40 of 48" in await hr.inner_text("main")

    bulletin = httpx.get(f"{address}/wave/prova-1/bulletin.txt").text.split()
    assert spent(codes[0].replace("-", "")).hex() in bulletin
    assert spent(codes[41].replace("-", "")).hex() not in bulletin
    assert (
        hashlib.sha256(codes[0].replace("-", "").encode()).hexdigest() not in bulletin
    )  # that one is sealed in the sheet
    assert bulletin[-40:] == sorted(bulletin[-40:])
    document = httpx.get(f"{address}/results/prova-1/release.json").json()
    assert document["participation"] == {
        "invited": 48,
        "issued": 0,
        "drawn": 40,
        "received": 40,
        "second_codes": 1,
        "spare_slips": 0,
        "unreadable": 0,
    }
    assert document["certificate"]["answers"] == "pass"
    saved = tmp_path / "release.json"
    saved.write_bytes(httpx.get(f"{address}/results/prova-1/release.json").content)
    assert _ascolto(data, "release", "verify", str(saved), "--plan", str(plan)).returncode == 0
    plan.write_text(plan.read_text().replace('"items":5', '"items":6'))
    lowered = _ascolto(data, "release", "verify", str(saved), "--plan", str(plan))
    assert (lowered.returncode, "smallest group for items was lowered" in lowered.stdout) == (1, True)
    saved.write_text(saved.read_text().replace('"received":40', '"received":41'))
    assert _ascolto(data, "release", "verify", str(saved)).returncode == 1

    await hr.goto(f"{address}/hr/results/prova-1")
    shown, hidden = (sum(view["shown"] is state for view in document["views"]) for state in (True, False))
    assert await hr.locator("table.heat tbody tr").count() == shown and hidden > 0
    await hr.wait_for_selector(f"main:has-text('Groups not shown: {hidden}.')")
    for ending, start_of_file in (("xlsx", b"PK"), ("csv", b"\xef\xbb\xbf")):
        cookies = {c["name"]: c["value"] for c in await hr.context.cookies(f"{address}/hr")}
        assert httpx.get(f"{address}/hr/results/prova-1/release.{ending}", cookies=cookies).content.startswith(
            start_of_file
        )
    await _comments(reader, second_reader, secrets[3], address)
    await representative.goto(f"{address}/keys")
    await press(representative, "form[action*='/destroyed'] button")
    assert "Written in the log" in await representative.inner_text("main")
    await representative.goto(f"{address}/keys/log")
    log = await representative.inner_text("main")
    assert "The chain is whole" in log
    assert "Survey prova-1 opened: 48 people invited." in log
    assert "a second code was allowed, by two keys" in log
    assert "smallest group (comments) raised to 12, by two keys" in log
    assert "the words are destroyed (representative)" in log


async def _two_keys(hr: Page, representative: Page, address: str) -> None:
    """HR asks for a second code, twice for one person, and for larger groups of comments; the representative decides."""
    await hr.goto(f"{address}/hr/waves/prova-1")
    for name, answer in (
        ("Nessuna Così", "Nobody of this name"),
        ("Persona 7", "Asked."),
        ("Persona 7", "already waiting"),
        ("Persona 8", "Asked."),
    ):
        await hr.fill("#name", name)
        await press(hr, "form[action*='/two-keys/second'] button")
        assert answer in await hr.inner_text("main"), name
    await hr.select_option("#family", "comments")
    await hr.fill("#k", "12")
    await press(hr, "form[action*='/two-keys/raise'] button")
    await representative.goto(f"{address}/keys")
    for said, button in (("Persona 7", "confirm"), ("Persona 8", "refuse"), ("comments", "confirm")):
        line = representative.locator("p", has_text=said)
        async with representative.expect_navigation():
            await line.locator("xpath=following-sibling::div[1]").locator(f"form[action*='/{button}'] button").click()
    assert "Persona" not in await representative.inner_text("main")


async def _recovery_sheet(envelope: Page, data: Path, address: str) -> None:
    """The sheet's text puts the keys back after their file was lost."""
    await envelope.goto(f"{address}/keys")
    await press(envelope, "a[href*='/sheet']")
    text = await envelope.inner_text("p.wraps")
    assert await envelope.locator(".qr svg").count() == 1
    (data / "keys" / "prova-1.wave.key").unlink()
    sheet = data / "sheet.txt"
    sheet.write_text(text)
    assert _ascolto(data, "wave", "restore", "prova-1", str(sheet)).returncode == 0
    assert _ascolto(data, "wave", "restore", "prova-1", str(sheet)).returncode == 1


async def _comments(first: Page, second: Page, words: str, address: str) -> None:
    """Two readers agree on a wording without the names; staff read it beside the results."""
    for reader in (first, second):
        await reader.goto(f"{address}/keys/prova-1/comments")
        await reader.fill("#secret", words)
        await press(reader, "button.go")
        block = reader.locator("section.card").first
        assert "Persona" in await block.locator("mark").first.inner_text()
    wording = await first.locator("textarea").first.input_value()
    assert "Persona" not in wording
    place = await first.locator("section.card form").first.get_attribute("action") or ""
    for reader in (first, second):
        async with reader.expect_navigation():
            await reader.locator(f"form[action='{place}'] button.go").click()
    assert wording.replace("[…]", "").split(",")[0] in httpx.get(f"{address}/results/prova-1?lang=it").text


async def _release(page: Page, address: str, first: str, second: str) -> None:
    await page.goto(f"{address}/keys/prova-1/release")
    await page.fill("#first", first)
    await page.fill("#second", second)
    await press(page, "button.go")
    for _ in range(60):
        if "/results/" in page.url or await page.locator(".err").count():
            return
        await page.wait_for_timeout(500)
        await page.reload()


async def test_each_seat_sees_its_own_desk_only(browser: Browser, installation: tuple[str, Path]) -> None:
    address, _ = installation
    for name, closed in (
        ("rsu", ("/hr", "/hr/people", "/audit")),
        ("audit", ("/hr", "/keys")),
        ("busta", ("/hr", "/keys/../hr")),
    ):
        page = await _signed_in(browser, address, name)
        for path in closed:
            answered = await page.goto(f"{address}{path}")
            assert answered is not None and answered.status == 403, (name, path)
    for path in ("/hr", "/hr/people", "/keys", "/audit", "/hr/indicators/3.6"):
        assert httpx.get(f"{address}{path}", follow_redirects=False).status_code == 303, path


def test_a_session_never_takes_a_token_that_came_with_the_request(installation: tuple[str, Path]) -> None:
    address, _ = installation
    with httpx.Client(base_url=address, cookies={"ascolto": "chosen-by-an-attacker"}) as client:
        signed = client.post("/account/in", data={"name": "hr", "password": PASSWORD}, headers={"Origin": address})
        assert signed.status_code == 303
        tokens = {
            value.split(";")[0] for value in signed.headers.get_list("set-cookie") if value.startswith("ascolto=")
        }
        assert len(tokens) == 1
        assert "chosen-by-an-attacker" not in str(tokens)
        assert all(
            "HttpOnly" in value and "samesite=strict" in value.lower()
            for value in signed.headers.get_list("set-cookie")
        )
    foreign = httpx.post(
        f"{address}/account/in", data={"name": "hr", "password": PASSWORD}, headers={"Origin": "http://evil.invalid"}
    )
    assert foreign.status_code == 403


def test_a_form_without_the_token_of_its_session_changes_nothing(installation: tuple[str, Path]) -> None:
    address, _ = installation
    with httpx.Client(base_url=address, headers={"Origin": address}) as client:
        cookies = {"ascolto": session_of(client.post("/account/in", data={"name": "hr", "password": PASSWORD}))}
        page = httpx.get(f"{address}/account/second", cookies=cookies).text
        form, secret = (re.search(rf'name="{name}" value="(\w+)"', page) for name in ("_form", "secret"))
        assert form and secret
        kept = {"_form": form[1], "secret": secret[1], "second": next_code(secret[1])}
        enrolled = httpx.post(f"{address}/account/second", data=kept, cookies=cookies)
        assert enrolled.status_code == 303
        cookies = {"ascolto": session_of(enrolled)}  # the one without codes has ended
        for proof in ({}, {"_form": "0" * 64}):
            assert (
                httpx.post(f"{address}/hr/organisation", data={"name": "Preso", **proof}, cookies=cookies).status_code
                == 403
            )
        assert "Preso" not in httpx.get(f"{address}/").text


def test_wrong_passwords_stop_strangers_and_the_administrator_lets_in_anew(installation: tuple[str, Path]) -> None:
    address, data = installation

    def enter(password: str) -> httpx.Response:
        form = {"name": "hr", "password": password}
        return httpx.post(f"{address}/account/in?lang=en", data=form, headers={"Origin": address})

    assert [enter("no").status_code for _ in range(5)] == [403] * 5
    waits = enter(PASSWORD)
    assert waits.status_code == 403 and "15 minutes" in waits.text and "set-cookie" not in waits.headers
    assert waits.text.replace(enter("no").text, "") == ""  # a right password is told from a wrong one by nothing
    assert _ascolto(data, "account", "reset", "hr", typed="un-altra-password\n").returncode == 0
    again = enter("un-altra-password")
    assert (again.status_code, again.headers["location"]) == (303, "/account/second")
