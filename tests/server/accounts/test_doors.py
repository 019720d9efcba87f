"""The doors over http: cookies, enrolling, one's own account, the change of a handler's passphrase."""

import base64
import json
import re
import secrets
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from html import unescape
from pathlib import Path

import httpx
import pytest

from server.demonstration import channel
from server.frame.security import COOKIE, DESK_PATHS, DOOR_PATHS, FORM_FIELD
from server.frame.texts import say
from server.settings import Settings
from surveys.cases import handlers
from surveys.cases.bundles import kit_seed, make_bundle, open_bundle, split
from surveys.cases.sealing import sign
from surveys.lifecycle.context import Site, today
from surveys.people import accounts, attempts, passwords
from surveys.people.tables import LogEntry
from surveys.public import actions, organisation
from surveys.stores import StoreSettings
from tests.apps import create_app
from tests.conftest import ORGANISATION
from tests.journeys.conftest import environment
from tests.server.hr.offices import offices
from tests.signing_in import code_at, next_code

PASSWORD = "una-password-lunga"
HEADERS = {"Origin": "http://test", "Accept-Language": "en"}


@asynccontextmanager
async def _served(folder: Path, *, https: bool = False) -> AsyncIterator[tuple[httpx.AsyncClient, Site]]:
    settings = replace(Settings(StoreSettings(folder)), https=https)
    app = create_app(settings)
    async with (
        app.lifespan(),
        httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://test", headers=HEADERS) as client,  # type: ignore[arg-type]  # Litestar is an ASGI application
    ):
        yield client, Site(app.state.engines, folder, today(), "administrator")


def _cookies(answered: httpx.Response) -> dict[str, list[tuple[str, str]]]:
    """Every cookie of an answer by name: its value and its path."""
    found: dict[str, list[tuple[str, str]]] = {}
    for line in answered.headers.get_list("set-cookie"):
        name, value = line.split(";")[0].split("=", 1)
        path = re.search(r"Path=([^;]*)", line, re.IGNORECASE)
        assert "HttpOnly" in line and "samesite=strict" in line.lower() and path
        assert "domain" not in line.lower()
        found.setdefault(name, []).append((value, path[1]))
    return found


def _form(page: str) -> str:
    found = re.search(r'name="_form" value="(\w+)"', page)
    assert found
    return found[1]


async def _enter(client: httpx.AsyncClient, name: str, second: str = "", password: str = PASSWORD) -> dict[str, str]:
    """Sign in; gives the headers of the session alone."""
    client.cookies.clear()
    answered = await client.post("/account/in", data={"name": name, "password": password, "second": second})
    assert answered.status_code == 303, answered.text
    client.cookies.clear()
    return {"Cookie": f"ascolto={_cookies(answered)['ascolto'][0][0]}"}


@pytest.mark.parametrize(("https", "prefix"), [(False, ""), (True, "__Secure-")])
async def test_cookies_go_to_desks_and_doors_and_never_to_a_page_of_staff(
    tmp_path: Path, https: bool, prefix: str
) -> None:
    async with _served(tmp_path, https=https) as (client, site):
        await accounts.add(site.engines["people"], "ada", "hr", PASSWORD)
        answered = await client.post("/account/in", data={"name": "ada", "password": PASSWORD})
        cookies = _cookies(answered)
        paths = {name: sorted(path for _, path in values) for name, values in cookies.items()}
        assert paths == {f"{prefix}ascolto": sorted(DESK_PATHS), f"{prefix}ascolto_device": sorted(DOOR_PATHS)}
        assert all(("; secure" in line.lower()) == https for line in answered.headers.get_list("set-cookie"))
        for path in ("/", "/answer", "/concern", "/trust", "/help", "/concern/thread", "/answer/sealed"):
            assert not [paths for paths in (*DESK_PATHS, *DOOR_PATHS) if path == paths or path.startswith(f"{paths}/")]


@pytest.mark.parametrize("role", ["hr", "representative", "recovery", "guarantee", "auditor"])
async def test_no_desk_is_reached_before_a_second_factor_is_set_up(tmp_path: Path, role: str) -> None:
    async with _served(tmp_path) as (client, site):
        await accounts.add(site.engines["people"], "ada", role, PASSWORD)
        thief, here = await _enter(client, "ada"), await _enter(client, "ada")  # somebody else has her first password
        for path in ("/hr", "/hr/people", "/keys", "/keys/log", "/audit", "/audit/scorecard", "/account", "/cases"):
            answered = await client.get(path, headers=here)
            assert (answered.status_code, answered.headers["location"]) == (303, "/account/second"), path
        page = (await client.get("/account/second", headers=here)).text
        secret = re.search(r'name="secret" value="(\w+)"', page)
        assert secret and f">{secret[1]}</code>" in page and "data:image/svg+xml" in page
        step = int(time.time()) // 30
        wrong = {"_form": _form(page), "secret": secret[1], "second": code_at(secret[1], step + 9)}
        refused = await client.post("/account/second", data=wrong, headers=here)
        assert refused.status_code == 422 and secret[1] in refused.text
        nothing = await client.post("/account/second", data=wrong | {"secret": "short"}, headers=here)
        assert nothing.status_code == 422
        kept = await client.post("/account/second", data=wrong | {"second": next_code(secret[1])}, headers=here)
        assert kept.status_code == 303
        for old in (thief, here):  # nobody who has not shown a code goes on
            gone = await client.get("/account", headers=old)
            assert (gone.status_code, gone.headers["location"].split("?")[0]) == (303, "/account/in")
        here = {"Cookie": f"ascolto={_cookies(kept)['ascolto'][0][0]}"}
        assert (await client.get(kept.headers["location"], headers=here)).status_code == 200
        again = await client.post("/account/in", data={"name": "ada", "password": PASSWORD})
        assert again.status_code == 403
        assert (await client.get("/account/second", headers=here)).status_code == 303  # nobody sets it a second time


async def test_two_cookies_of_the_session_s_name_are_none(tmp_path: Path) -> None:
    """Could pass: a cookie that another host of the domain planted beside hers."""
    async with _served(tmp_path) as (client, site):
        await accounts.add(site.engines["people"], "ada", "hr", PASSWORD)
        await channel.with_codes(site, "ada")
        await accounts.add(site.engines["people"], "bea", "hr", PASSWORD)
        here = await _enter(client, "bea")
        assert (await client.get("/hr", headers=here)).headers["location"] == "/account/second"
        doubled = {"Cookie": f"ascolto=planted; {here['Cookie']}"}
        assert (await client.get("/hr", headers=doubled)).headers["location"].startswith("/account/in")


async def test_a_password_is_changed_with_the_old_one_and_a_code_and_ends_every_session(tmp_path: Path) -> None:
    async with _served(tmp_path) as (client, site):
        await accounts.add(site.engines["people"], "ada", "hr", PASSWORD)
        secret = await channel.with_codes(site, "ada")
        step = int(time.time()) // 30
        here = await _enter(client, "ada", code_at(secret, step))
        page = (await client.get("/account", headers=here)).text
        right = {
            "_form": _form(page),
            "old": PASSWORD,
            "new": "una-nuova-password",
            "again": "una-nuova-password",
            "second": code_at(secret, step + 1),
        }
        for change, status in (
            ({"old": "x"}, 403),
            ({"second": "000000"}, 403),
            ({"second": ""}, 403),
            ({"again": "y"}, 422),
            ({"new": "short", "again": "short"}, 422),
            ({"_form": "0" * 64}, 403),
        ):
            assert (await client.post("/account/password", data=right | change, headers=here)).status_code == status, (
                change
            )
        assert (await client.post("/account/password", data=right, headers=here)).status_code == 303
        assert (await client.get("/hr", headers=here)).headers["location"].startswith("/account/in")
        acts = [row["act"] for row in await LogEntry.select().order_by(LogEntry.number)]
        assert acts == ["signed in", "password changed"]


async def test_sessions_are_listed_by_day_and_ended_from_the_page(tmp_path: Path) -> None:
    async with _served(tmp_path) as (client, site):
        await accounts.add(site.engines["people"], "ada", "hr", PASSWORD)
        secret = await channel.with_codes(site, "ada")
        step = int(time.time()) // 30
        first, second = [await _enter(client, "ada", code_at(secret, step + n)) for n in (0, 1)]
        page = (await client.get("/account", headers=first)).text
        assert not re.search(r"\d\d:\d\d", page) and page.count("<li>") == 2
        reference = re.search(r'name="reference" value="(\w+)"', page)
        assert reference
        ended = await client.post("/account/end", data={"_form": _form(page), "reference": reference[1]}, headers=first)
        assert ended.status_code == 303
        assert [(await client.get("/hr", headers=one)).status_code for one in (first, second)] == [200, 303]
        await client.post("/account/end", data={"_form": _form(page)}, headers=first)
        assert (await client.get("/hr", headers=first)).status_code == 303


async def test_a_handler_s_passphrase_is_changed_with_the_old_one_or_the_kit_and_a_code(tmp_path: Path) -> None:
    """Could pass: somebody at a desk that was left open, with the session and the form token alone."""
    async with _served(tmp_path) as (client, site):
        await organisation.save(site.engines["public"], replace(ORGANISATION, help_checked_on=site.day.isoformat()))
        known = (await channel.make(site))["handlers"]["ascolto1"]
        me = await handlers.load("ascolto1")
        assert me is not None
        step = int(time.time()) // 30

        async def enter(passphrase: str, salt: bytes, code: str) -> dict[str, str]:
            client.cookies.clear()
            sent = {"name": "ascolto1", "login": split(passphrase, salt)[0], "second": code}
            answered = await client.post("/cases/in", json=sent)
            assert answered.status_code == 200, answered.text
            session = {"Cookie": f"ascolto={_cookies(answered)['ascolto'][0][0]}"}
            client.cookies.clear()
            desk = (await client.get("/cases/desk.json", headers=session)).json()
            return {**session, "X-Form": desk["form"]}

        here = await enter(known["passphrase"], me.salt, code_at(known["second"], step))
        old, wrap = split(known["passphrase"], me.salt)
        salt = secrets.token_bytes(16)
        keys = open_bundle(me.bundle, "pass", wrap)
        login, new_wrap = split("sei parole nuove", salt)
        wanted = {"login": login, "salt": salt.hex(), "bundle": make_bundle(keys, new_wrap, known["kit"])}
        good = code_at(known["second"], step + 1)
        stranger = sign({"form": here["X-Form"], **wanted}, "passphrase", secrets.token_bytes(32))
        other = sign({"form": here["X-Form"], **wanted, "login": "0" * 64}, "passphrase", keys.ed25519)
        for proof in (
            {},
            {"old": "00" * 32},
            {"proof": stranger},
            {"proof": other},
            {"proof": "x"},
            {"old": old, "second": "000000"},
        ):
            answered = await client.post("/cases/passphrase", json={**wanted, "second": good, **proof}, headers=here)
            assert (answered.status_code, answered.json()) == (403, {"problem": "wrong"}), proof
        kit = open_bundle(me.bundle, "kit", kit_seed(known["kit"]))
        proof = {"proof": sign({"form": here["X-Form"], **wanted}, "passphrase", kit.ed25519)}
        changed = await client.post("/cases/passphrase", json={**wanted, "second": good, **proof}, headers=here)
        assert changed.status_code == 200, changed.text
        assert (await client.get("/cases/desk.json", headers=here)).status_code == 303


async def test_a_full_queue_answers_calmly(tmp_path: Path) -> None:
    taken = [passwords.place() for _ in range(passwords.PLACES)]
    async with _served(tmp_path) as (client, _):
        for one in taken:
            one.__enter__()
        try:
            answered = await client.post("/account/in", data={"name": "ada", "password": PASSWORD})
            at_cases = await client.post("/cases/in", json={"name": "ada", "login": "0" * 64, "second": ""})
        finally:
            for one in taken:
                one.__exit__(None, None, None)
    assert answered.status_code == 503 and "Wait a few seconds" in answered.text
    assert (at_cases.status_code, at_cases.json()) == (503, {"problem": "busy"})


def test_secrets_of_pages_are_twenty_bytes() -> None:
    from server.frame.second_factor import secret_of

    assert secret_of(base64.b32encode(bytes(20)).decode()) == bytes(20)
    assert [secret_of(text) for text in ("", "ü", "AAAA", "1" * 32)] == [None] * 4


def _ascolto(folder: Path, *arguments: str, typed: str = "") -> tuple[int, str]:
    ran = subprocess.run(
        [sys.executable, "-m", "server.command.cli", *arguments],
        env=environment(folder),
        input=typed,
        text=True,
        capture_output=True,
        check=False,
    )
    return ran.returncode, ran.stdout + ran.stderr


async def test_a_lost_phone_is_forgotten_by_the_administrator_and_nobody_chooses_for_a_handler(tmp_path: Path) -> None:
    async with _served(tmp_path) as (_, site):
        await accounts.add(site.engines["people"], "ada", "hr", PASSWORD)
        await accounts.add(site.engines["people"], "marta", "handler", PASSWORD)
        await channel.with_codes(site, "ada")
    for arguments in (("add", "nadia", "--role", "handler"), ("reset", "marta")):
        status, said = _ascolto(tmp_path, "account", *arguments, typed="scelta-da-qualcuno\n")
        assert status == 1 and "nobody chooses a password" in said
    assert _ascolto(tmp_path, "account", "reset", "ada", "--second", typed="un-altra-password\n")[0] == 0
    async with _served(tmp_path) as (client, site):
        assert not await accounts.has_second("ada")
        await accounts.sign_in(site.engines["people"], "marta", PASSWORD, datetime.now(UTC), door="setup")
        answered = await client.post("/account/in", data={"name": "ada", "password": "un-altra-password"})
        assert answered.headers["location"] == "/account/second"
        acts = [(row["actor"], row["act"]) for row in await LogEntry.select().order_by(LogEntry.number)]
        assert acts == [("administrator", "account reset with codes"), ("ada", "signed in")]


async def test_where_no_password_is_typed_one_is_drawn_that_passes_a_flood(tmp_path: Path) -> None:
    async with _served(tmp_path):
        pass
    status, said = _ascolto(tmp_path, "account", "add", "ada", "--role", "hr", typed="\n")
    word = next(part for part in said.split() if passwords.was_drawn(part))
    assert status == 0
    async with _served(tmp_path) as (client, _):
        for _ in range(attempts.FREE):
            await client.post("/account/in", data={"name": "ada", "password": "wrong"})
        refused = await client.post("/account/in", data={"name": "ada", "password": passwords.drawn()})
        entered = await client.post("/account/in", data={"name": "ada", "password": word})
    assert (refused.status_code, entered.status_code) == (403, 303)


def test_a_demonstration_shows_the_code_that_its_accounts_need(tmp_path: Path) -> None:
    secret = base64.b32encode(bytes(20)).decode()
    known = {"accounts": {"direzione": {"second": secret}, "old": {}}, "channel": {"handlers": {}}}
    assert _ascolto(tmp_path, "demo-code", "direzione")[0] == 1  # an installation that is none
    (tmp_path / "demonstration.json").write_text(json.dumps(known))
    before = int(time.time()) // 30
    status, said = _ascolto(tmp_path, "demo-code", "direzione")
    assert status == 0 and said.strip() in {code_at(secret, step) for step in range(before, int(time.time()) // 30 + 1)}
    assert _ascolto(tmp_path, "demo-code", "old")[0] == 1


async def test_what_is_sent_from_a_page_of_an_earlier_session_is_said_not_to_be_taken(
    sqlite_settings: StoreSettings,
) -> None:
    """Done from outside: signed out in another tab, she sent what she had written, and saw an empty sign-in without a word; signed
    in again meanwhile, she read that the address is wrong."""
    said = {"text": "Turni", "owner": "Anna", "due": "2027-01-15"}
    async with offices(sqlite_settings) as here:
        before = here.sessions["risorse"]
        old = await here.client.post(
            "/hr/actions?lang=en",
            data=said | {FORM_FIELD: accounts.form_token(before)},
            headers={"sec-fetch-site": "same-origin", "cookie": f"{COOKIE}={here.sessions['direzione']}"},
        )
        assert (old.status_code, unescape(say("en", "desk.signin.before_text")) in unescape(old.text)) == (403, True)
        assert (await here.post("/account/out", "risorse")).status_code == 303
        ended = await here.post("/hr/actions", "risorse", **said)
        door = await here.client.get(f"{ended.headers['location']}&lang=it")
        assert say("it", "desk.notice.session_over") in unescape(door.text)
        ended = await here.post("/hr/actions?lang=en", "risorse", **said)
        door = await here.client.get(ended.headers["location"], headers={"accept-language": "it"})
        assert say("en", "desk.notice.session_over") in unescape(door.text)  # in the language of the page that she sent
        assert await actions.everything() == []
