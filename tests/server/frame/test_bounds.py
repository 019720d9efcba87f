"""Whatever anybody sends to any address, as nobody or signed in: an answer in words, never a fault."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from server.frame.pages import STATIC, static_address
from server.frame.security import COOKIE, FORM_FIELD
from server.settings import Settings
from surveys.lifecycle.context import Site, today
from surveys.people import accounts
from surveys.stores import StoreSettings, stores
from tests.apps import create_app
from tests.conftest import DAY, WAVE, open_a_wave

NOT_UTF8 = b'--B\r\nContent-Disposition: form-data; name="_code"\r\n\r\n\xff\xfe\x00\r\n--B--\r\n'
NO_SET = b'--B\r\nContent-Disposition: form-data; name="text"\r\nContent-Type: text/plain; charset=utf-99\r\n\r\nx\r\n--B--\r\n'
TOO_LARGE = str(2**63)
PASSWORD = "una-password-lunga"
FORM = "application/x-www-form-urlencoded"
BODIES = {
    "multipart that is not UTF-8": ("multipart/form-data; boundary=B", NOT_UTF8),
    "a part in a character set that is none": ("multipart/form-data; boundary=B", NO_SET),
    "multipart without a boundary": ("multipart/form-data", b"garbage"),
    "a form that is not UTF-8": (FORM, b"_code=%ff%fe&_wave=%00&name=\xff"),
    "a character set that is none": (f"{FORM}; charset=nope", b"a=b"),
    "JSON with large numbers": ("application/json", f'{{"n": {TOO_LARGE}, "number": {TOO_LARGE * 9}}}'.encode()),
    "JSON that is none": ("application/json", b"\xff\xfe{"),
}


SLOW = ("/concern", "/account/in", "/cases/in", "/cases/setup")


@asynccontextmanager
async def _ready(sqlite_settings: StoreSettings) -> AsyncIterator[tuple[httpx.AsyncClient, dict[str, str]]]:
    """A client of an installation with an open wave, and a session of each role."""
    sessions = {"nobody": ""}
    async with stores(sqlite_settings) as engines:
        await open_a_wave(Site(engines, sqlite_settings.data, DAY, "hr"))
        for role in ("hr", "representative", "recovery", "auditor"):
            await accounts.add(engines["people"], role, role, PASSWORD)
            sessions[role] = (await accounts.sign_in(engines["people"], role, PASSWORD, datetime.now(UTC)))[0]
    app = create_app(Settings(sqlite_settings))
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)  # type: ignore[arg-type]  # Litestar is an ASGI application
    async with app.lifespan(), httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client, sessions


def _addresses(value: str) -> list[tuple[str, str]]:
    """Every address of the application with this value in each of its places; the wave's own name where one is asked."""
    app = create_app(Settings(StoreSettings(None)))  # type: ignore[arg-type]  # never opened
    found = []
    for route in app.routes:
        path = re.sub(r"\{wave[^}]*\}", WAVE, route.path)
        found += [(method, re.sub(r"\{[^}]*\}", value, path)) for method in getattr(route, "methods", [])]
    return sorted(set(found))


@pytest.mark.parametrize("who", ["nobody", "hr", "representative", "recovery", "auditor"])
async def test_no_body_and_no_number_at_any_address_is_a_fault(sqlite_settings: StoreSettings, who: str) -> None:
    async with _ready(sqlite_settings) as (client, sessions):
        assert await _faults(client, sessions[who]) == []


async def _faults(client: httpx.AsyncClient, session: str) -> list[tuple[str, str, str]]:
    headers = {"sec-fetch-site": "same-origin", "cookie": f"{COOKIE}={session}"}
    seal = accounts.form_token(session)
    numbers = f"{FORM_FIELD}={seal}&" + "&".join(
        f"{name}={TOO_LARGE}" for name in ("k", "count", "unused", "member", "person", "years", "number", "position")
    )
    faults: list[tuple[str, str, str]] = []
    for value in (TOO_LARGE, "9" * 5000):
        for method, path in _addresses(value):
            if method == "OPTIONS" or path.startswith("/account/out"):
                continue
            if session and path.startswith(SLOW):
                continue  # the same for everybody, and each starts a process or works a password: tried as nobody
            sent = [(FORM, numbers.encode()), *BODIES.values()] if method in ("POST", "PUT") else [("", b"")]
            for kind, body in sent:
                answer = await client.request(
                    method,
                    f"{path}?number={value}&page={value}",
                    content=body,
                    headers={**headers, "content-type": kind},
                )
                faults += [(method, path[:60], kind)] if answer.status_code >= 500 else []
    return faults


async def test_head_is_answered_as_get_without_its_body(sqlite_settings: StoreSettings) -> None:
    async with _ready(sqlite_settings) as (client, _):
        for path in (
            "/",
            "/answer",
            "/trust",
            "/help",
            "/concern",
            "/health",
            "/.well-known/ascolto",
            "/account/in",
            "/not-here",
        ):
            got, head = await client.get(path), await client.head(path)
            assert (head.status_code, head.headers["content-type"], head.content) == (
                got.status_code,
                got.headers["content-type"],
                b"",
            ), path


async def test_a_page_names_its_character_set_once(sqlite_settings: StoreSettings) -> None:
    async with _ready(sqlite_settings) as (client, _):
        assert (await client.get("/")).headers["content-type"] == "text/html; charset=utf-8"
        address = re.search(r"/static/[^\"]+\.js", (await client.get("/answer")).text)
        assert address is not None
        assert (await client.get(address[0])).headers["content-type"] == "text/javascript; charset=utf-8"


@pytest.mark.parametrize(
    ("taken", "given"),
    [
        ("br, gzip", "br"),
        ("gzip;q=1.0, deflate", "gzip"),
        ("identity", ""),
        ("", ""),
        ("br;q=0, gzip;q=0.5", "gzip"),
        ("br; q=0.000, gzip;q=0", ""),
    ],
)
async def test_a_file_is_the_same_however_it_is_packed(sqlite_settings: StoreSettings, taken: str, given: str) -> None:
    async with _ready(sqlite_settings) as (client, _):
        address = static_address("sealing.js")
        got = await client.get(address, headers={"accept-encoding": taken})
        assert got.status_code == 200 and got.content == (STATIC / "sealing.js").read_bytes()  # httpx unpacks it
        assert (got.headers.get("content-encoding", ""), got.headers["vary"]) == (given, "Accept-Encoding")
        assert int(got.headers["content-length"]) < {"br": 26_000, "gzip": 30_000, "": 80_000}[given]


async def test_security_txt_names_whom_to_tell_and_when_it_ends(sqlite_settings: StoreSettings) -> None:
    """RFC 9116, section 2.5: Contact and Expires are required, once in HTTP's plain text in UTF-8."""
    async with _ready(sqlite_settings) as (client, _):
        answer = await client.get("/.well-known/security.txt")
    ends = f"{today() + timedelta(days=180)}T00:00:00Z"
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.text.splitlines() == [
        "Contact: mailto:privacy@prova.invalid",
        f"Expires: {ends}",
        "Preferred-Languages: it, en, ro, sq, fr, es, ar, zh-Hans, uk",
        "Canonical: https://ascolto.invalid/.well-known/security.txt",
    ]
