"""The door of the office, the staff, the keepers and the audit: both factors, each code once, one sentence for whatever is wrong."""

import re
from html import unescape

import httpx
import pytest

from server.frame.security import COOKIE
from server.frame.texts import say
from surveys.people import log
from surveys.stores import StoreSettings
from tests.server.hr.offices import PASSWORD, Offices, offices
from tests.signing_in import next_code, session_of

HOMES = {"direzione": "/hr", "verifica": "/audit", "rappresentante": "/keys"}


async def _enter(here: Offices, name: str = "direzione", *, site: str = "same-origin", **other: str) -> httpx.Response:
    here.client.cookies.clear()
    data = {"name": name, "password": PASSWORD, "second": ""} | other
    if "second" not in other:
        data["second"] = next_code(here.secrets[name])
    return await here.client.post("/account/in?lang=it", data=data, headers={"sec-fetch-site": site})


def _opens_nothing(answered: httpx.Response) -> bool:
    return not any(line.startswith(f"{COOKIE}=") for line in answered.headers.get_list("set-cookie"))


@pytest.mark.parametrize("name", HOMES)
async def test_both_factors_lead_each_to_her_own_desk(store_settings: StoreSettings, name: str) -> None:
    async with offices(store_settings) as here:
        answered = await _enter(here, name)
        assert (answered.status_code, answered.headers["location"]) == (303, HOMES[name])
        here.sessions[name] = session_of(answered)
        assert (await here.get(HOMES[name], name)).status_code == 200
        newest = (await log.read())[-1]
        assert (newest.actor, newest.act) == (name, "signed in")


async def test_a_code_lets_in_once(sqlite_settings: StoreSettings) -> None:
    async with offices(sqlite_settings) as here:
        shown = next_code(here.secrets["direzione"])
        assert [(await _enter(here, second=shown)).status_code for _ in range(2)] == [303, 403]


@pytest.mark.parametrize(
    "other",
    [
        {"password": "un'altra-password"},
        {"password": ""},
        {"second": "000000x"},
        {"second": ""},
        {"second": "\u0660" * 6},
        {"name": "nessuna"},
        {"name": ""},
        {"name": "x" * 9000},
        {"name": "\x00"},
    ],
)
async def test_whatever_is_wrong_is_said_in_one_sentence(sqlite_settings: StoreSettings, other: dict[str, str]) -> None:
    """Could leak: who has an account, or which of the two was right."""
    async with offices(sqlite_settings) as here:
        name = other.pop("name", "direzione")
        given = {"second": next_code(here.secrets["direzione"])} | other
        answered = await _enter(here, name, **given)
        assert answered.status_code == 403 and _opens_nothing(answered)
        assert say("it", "desk.signin.wrong") in unescape(answered.text)
        assert PASSWORD not in answered.text


async def test_a_form_of_another_site_is_not_read(sqlite_settings: StoreSettings) -> None:
    async with offices(sqlite_settings) as here:
        for site in ("cross-site", "same-site"):
            answered = await _enter(here, site=site)
            assert answered.status_code == 403 and _opens_nothing(answered)
        assert [line for line in await log.read() if line.act == "signed in"] == []


@pytest.mark.parametrize(
    ("then", "to"),
    [
        ("/hr/people", "/hr/people"),
        ("//altrove.invalid", "/hr"),
        ("/\\altrove.invalid", "/hr"),
        ("https://altrove.invalid", "/hr"),
        ("javascript:alert(1)", "/hr"),
        ("", "/hr"),
    ],
)
async def test_she_comes_to_the_page_that_she_wanted_and_never_out_of_the_site(
    sqlite_settings: StoreSettings, then: str, to: str
) -> None:
    async with offices(sqlite_settings) as here:
        answered = await _enter(here, next=then)
        assert (answered.status_code, answered.headers["location"]) == (303, to)


@pytest.mark.parametrize("then", ["/hr\r\nSet-Cookie: x=1", "/hr\n", "/\t/altrove.invalid", "/hr?a=è"])
async def test_an_address_with_odd_signs_sets_no_header_and_is_no_fault(
    sqlite_settings: StoreSettings, then: str
) -> None:
    async with offices(sqlite_settings) as here:
        answered = await _enter(here, next=then)
        assert answered.status_code == 303
        assert re.fullmatch(r"/(?!/)[\x21-\x7e]*", answered.headers["location"])
        assert "x=1" not in " ".join(answered.headers.get_list("set-cookie"))


async def test_a_file_in_a_field_and_no_form_at_all_are_no_fault(sqlite_settings: StoreSettings) -> None:
    async with offices(sqlite_settings) as here:
        headers = {"sec-fetch-site": "same-origin"}
        file = {"name": ("a.txt", b"direzione"), "password": ("b", b"x")}
        assert (await here.client.post("/account/in", files=file, headers=headers)).status_code == 403
        for body, kind in (
            (b"", "text/plain"),
            (b"\xff", "application/x-www-form-urlencoded"),
            (b"{}", "application/json"),
        ):
            answered = await here.client.post("/account/in", content=body, headers=headers | {"content-type": kind})
            assert answered.status_code in (400, 403)
        assert (await here.client.put("/account/in")).status_code == 405
