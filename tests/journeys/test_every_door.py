"""Every address, method, role and token: nobody passes where the table below does not let her, and nothing breaks.

The table is written here, not read from the code. First everybody without a right to an address
tries it with every method; then thousands of requests of rubbish go to every address from every role:
ASCOLTO_RUBBISH=15000 in the environment makes it the number of a release.
"""

import asyncio
import os
import random
import re
import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from litestar.routes import BaseRoute, HTTPRoute

from server.demonstration import channel
from server.settings import Settings
from surveys.cases.bundles import split
from surveys.lifecycle.context import Site, today
from surveys.people import accounts
from surveys.stores import StoreSettings, stores
from tests.apps import create_app
from tests.journeys.conftest import Served, start
from tests.postgres import free_port
from tests.signing_in import next_code, session_of

HOLDERS = {"hr", "representative", "recovery"}
EVERYBODY = {"hr", "representative", "recovery", "guarantee", "auditor", "handler", "administrator"}
OPEN = (
    "/",
    "/.well-known/",
    "/account/in",
    "/answer",
    "/cases/in",
    "/cases/salt",
    "/cases/second",
    "/cases/setup",
    "/concern",
    "/health",
    "/help",
    "/ready",
    "/results/",
    "/static/",
    "/thanks",
    "/trust",
    "/wave/",
)
"""What needs no sign-in: pages of staff and reporters, and the doors themselves."""
ALLOWED: tuple[tuple[str, set[str]], ...] = (
    ("/account/password", EVERYBODY - {"handler"}),
    ("/account", EVERYBODY),
    ("/audit", {"auditor", "hr"}),
    ("/cases", {"handler"}),
    ("/hr", {"hr"}),
    ("/keys/desk-log", {"representative"}),
    ("/keys/log", HOLDERS),
    ("/keys/two-keys/", {"representative"}),
    (r"/keys/{wave:str}/comments", {"guarantee"}),
    (r"/keys/{wave:str}/sheet", {"recovery"}),
    (r"/keys/{wave:str}/(confirm|destroyed|plan|release|statement)$", HOLDERS),
    ("/keys", HOLDERS | {"guarantee"}),
)
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
NAMED = {
    "hr": "direzione",
    "representative": "rappresentante",
    "recovery": "custode",
    "auditor": "verifica",
    "guarantee": "garanzia",
    "administrator": "tecnica",
    "handler": "ascolto1",
}
REQUESTS = int(os.environ.get("ASCOLTO_RUBBISH", "2500"))
REAL = {
    "wave_id": "primavera-2026",
    "wave": "primavera-2026",
    "indicator": "3.6",
    "item": "CUL1",
    "seat": "hr",
    "step": "close",
    "what": "print",
    "name": "answer.js",
    "kind": "poster",
    "answer": "agree",
    "channel": "email",
}
RUBBISH = (
    "",
    "0",
    "-1",
    "9223372036854775808",
    "9" * 400,
    "%00",
    "a\x00b",
    "../../etc/passwd",
    "..%2f..",
    "è" * 300,
    "😀",
    "' OR 1=1 --",
    "{{7*7}}",
    "<script>",
    "NaN",
    "1e999",
    "2026-02-30",
    "0001-01-01",
    "9999-12-31",
    "\ud83d",
    "null",
    "[]",
    "a" * 20_000,
)
FIELDS = (
    "_form",
    "name",
    "password",
    "second",
    "next",
    "q",
    "code",
    "text",
    "day",
    "begin",
    "end",
    "file",
    "document",
    "kind",
    "wave",
    "number",
    "old",
    "new",
    "CUL1",
    "form",
    "lang",
    "page",
    "order",
    "reason",
    "seat",
    "title",
    "state",
    "language",
    "sheet",
    "z",
    "link",
    "l",
)


@dataclass(frozen=True, slots=True)
class Doors:
    """A running installation, its addresses with their methods, and a session a role."""

    address: str
    log: Path
    routes: dict[str, set[str]]
    sessions: dict[str, str]


def _allowed(path: str) -> set[str] | None:
    """Who may pass at an address; None where no sign-in is asked for."""
    if (
        path == "/"
        or any(path == one or path.startswith(one if one.endswith("/") else f"{one}/") for one in OPEN[1:])
        or path == "/answer-worker.js"
    ):
        return None
    return next(roles for pattern, roles in ALLOWED if re.match(pattern.replace("{wave:str}", r"\{wave:str\}"), path))


async def _prepared(data: Path) -> dict[str, Any]:
    """Two seats that the demonstration leaves empty, and how the handler signs in."""
    known: dict[str, Any] = {}
    async with stores(StoreSettings(data)) as engines:
        for role in ("guarantee", "administrator"):
            await accounts.add(engines["people"], NAMED[role], role, "una frase lunga per provare")
            second = await channel.with_codes(Site(engines, data, today(), "administrator"), NAMED[role])
            known[NAMED[role]] = {"password": "una frase lunga per provare", "second": second}
    return known


def _opened(address: str, known: dict[str, Any]) -> dict[str, str]:
    """A session a role, through the real doors."""
    sessions = {}
    for role, name in NAMED.items():
        account = known[name]
        with httpx.Client(base_url=address, headers={"Origin": address}) as client:
            if role == "handler":
                salt = bytes.fromhex(client.get("/cases/salt", params={"name": name}).json()["salt"])
                login = split(account["passphrase"], salt)[0]
                found = client.post(
                    "/cases/in", json={"name": name, "login": login, "second": next_code(account["second"])}
                )
                assert found.status_code < 300, found.text
            else:
                found = client.post(
                    "/account/in",
                    data={"name": name, "password": account["password"], "second": next_code(account["second"])},
                )
                assert found.status_code == 303, found.text
        sessions[role] = session_of(found)
    return sessions


def _methods(route: BaseRoute) -> set[str]:
    assert isinstance(route, HTTPRoute)  # all of ours are
    return {method for handler in route.route_handlers for method in handler.http_methods}


@pytest.fixture(scope="module")
def doors(served: Served, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doors]:
    """A copy of the demonstration, behind a server of its own: what gets through here may change it."""
    folder, port = tmp_path_factory.mktemp("doors"), free_port()
    data = folder / "data"
    shutil.copytree(served.data, data)
    known = served.known["accounts"] | served.known["channel"]["handlers"] | asyncio.run(_prepared(data))
    app = create_app(Settings(StoreSettings(folder / "none")))
    routes = {route.path: _methods(route) for route in app.routes}
    process = start(data, port, log=folder / "log")
    try:
        address = f"http://127.0.0.1:{port}"
        yield Doors(address, folder / "log", routes, _opened(address, known))
    finally:
        process.terminate()
        process.wait(20)


def _filled(path: str, dice: random.Random | None = None) -> str:
    """An address with something in its places: what exists, or rubbish."""

    def place(found: re.Match[str]) -> str:
        name, kind = found[1].split(":")
        if dice is not None and dice.random() < 0.5:
            return quote(dice.choice(RUBBISH)[:2000].encode("utf-8", "surrogatepass"), safe="%") or "0"
        return "1" if kind == "int" else REAL.get(name, "unknown")

    return re.sub(r"\{([^}]+)\}", place, path)


async def _each(doors: Doors, wanted: list[Any], send: Any) -> list[httpx.Response]:
    """Send what is wanted, four at a time, in order of the list."""
    gate = asyncio.Semaphore(4)
    async with httpx.AsyncClient(base_url=doors.address, timeout=240) as client:

        async def one(what: Any) -> httpx.Response:
            async with gate:
                found: httpx.Response = await send(client, what)
                return found

        return list(await asyncio.gather(*[one(what) for what in wanted]))


def _form_of(token: str) -> str:
    return accounts.form_token(token)


async def test_nobody_passes_an_address_that_is_not_hers_with_any_method_or_token(doors: Doors) -> None:
    tried = [
        (path, method, role, form)
        for path in doors.routes
        for method in METHODS
        for role in ("nobody", "a stranger's cookie", *EVERYBODY)
        for form in ("own", "another's", "none")
        if (allowed := _allowed(path)) is not None
        and role not in allowed
        and (form == "own" or method in ("POST", "PUT"))
    ]

    async def send(client: httpx.AsyncClient, what: tuple[str, str, str, str]) -> httpx.Response:
        path, method, role, form = what
        token = {"nobody": "", "a stranger's cookie": "f" * 43}.get(role) or doors.sessions.get(role, "")
        other = doors.sessions["hr" if role != "hr" else "handler"]
        proof = {"own": _form_of(token), "another's": _form_of(other), "none": ""}[form]
        headers = {"Origin": doors.address, "X-Form": proof} | ({"Cookie": f"ascolto={token}"} if token else {})
        data = {"_form": proof} if method in ("POST", "PUT", "PATCH") else None
        return await client.request(method, _filled(path), headers=headers, data=data)

    answered = await _each(doors, tried, send)
    assert len(tried) > 5_000
    passed = [
        (*what, found.status_code, found.headers.get("location"))
        for what, found in zip(tried, answered, strict=True)
        if not (
            found.status_code in (403, 405)
            or (
                found.status_code == 204 and what[1] == "OPTIONS" and not found.content
            )  # the methods that an address knows
            or (found.status_code == 303 and found.headers["location"].startswith("/account/in"))
        )
    ]
    assert passed == []


async def test_everybody_passes_where_she_may(doors: Doors) -> None:
    """The other side of the table: else a server that refuses everything would pass."""
    tried = [
        (path, role)
        for path in doors.routes
        for role in EVERYBODY
        if "GET" in doors.routes[path] and role in (_allowed(path) or set())
    ]

    async def send(client: httpx.AsyncClient, what: tuple[str, str]) -> httpx.Response:
        return await client.get(_filled(what[0]), headers={"Cookie": f"ascolto={doors.sessions[what[1]]}"})

    refused = [
        (*what, found.status_code)
        for what, found in zip(tried, await _each(doors, tried, send), strict=True)
        if found.status_code in (401, 403) or found.headers.get("location", "").startswith("/account/in")
    ]
    assert refused == []
    assert len(tried) > 40


async def test_of_thousands_of_requests_of_rubbish_none_breaks_anything(doors: Doors) -> None:
    dice = random.Random(2026)
    paths = [
        path
        for path in doors.routes
        if path not in ("/account/out", "/account/end", "/account/second", "/account/password")
    ]
    tried = [(dice.choice(paths), dice.random()) for _ in range(REQUESTS)]

    async def send(client: httpx.AsyncClient, what: tuple[str, float]) -> httpx.Response:
        own = random.Random(what[1])
        role = own.choice(["nobody", *sorted(EVERYBODY)])
        token = doors.sessions.get(role, "")
        method = own.choice(sorted(doors.routes[what[0]])) if own.random() < 0.9 else own.choice(METHODS)
        fields = {own.choice(FIELDS): own.choice(RUBBISH) for _ in range(own.randrange(6))} | (
            {"_form": _form_of(token)} if own.random() < 0.8 else {}
        )
        safe = {name: value.encode("utf-8", "replace").decode() for name, value in fields.items()}
        body: dict[str, Any] = own.choice(
            [
                {"data": safe},
                {"json": safe},
                {"json": own.choice([[], None, 1e308, "x", [[[[]]]], {"name": {"a": 1}}])},
                {
                    "files": {
                        "file": (own.choice(["a.csv", "b.xlsx", "\u202ec.pdf", ""]), own.randbytes(own.randrange(400)))
                    },
                    "data": safe,
                },
                {
                    "content": own.randbytes(own.randrange(600)),
                    "headers": {
                        "Content-Type": own.choice(
                            [
                                "application/json",
                                "application/x-www-form-urlencoded",
                                "multipart/form-data",
                                "multipart/form-data; boundary=x",
                                "text/plain",
                                ";;",
                                "application/json; charset=utf-99",
                            ]
                        )
                    },
                },
            ]
        )
        headers = {
            "Origin": doors.address,
            "X-Form": _form_of(token),
            "Accept-Language": own.choice(["it", "ar", "*", ";q=x", "zz-ZZ", "it;q=9"]),
        }
        headers |= (
            {"Cookie": f"ascolto={token}"}
            if token
            else {"Cookie": own.choice(["", "ascolto", "ascolto=; ascolto=", "ascolto=\\x00", "=;;;"])}
        )
        sent = {**body, "headers": headers | body.get("headers", {})}
        return await client.request(
            method,
            _filled(what[0], own),
            params={own.choice(FIELDS): own.choice(RUBBISH[:-1]).encode("utf-8", "replace").decode()},
            **sent,
        )

    answered = await _each(doors, tried, send)
    broken = Counter(
        (what[0], found.status_code) for what, found in zip(tried, answered, strict=True) if found.status_code >= 500
    )
    assert broken == {}
    kinds = Counter(found.status_code for found in answered)
    assert kinds[200] > REQUESTS / 15  # not everything is refused before it is read
    assert kinds[400] > REQUESTS / 50
    said = doors.log.read_text()
    assert "Ascolto is at" in said and "fault in" not in said and "Traceback" not in said
