"""The handlers' door: the half of a passphrase that signs in and a code of the app, both, each code once."""

from typing import Any

import httpx
import pytest

from server.frame.security import COOKIE
from surveys.cases import handlers
from surveys.stores import StoreSettings
from tests.server.handlers.desks import Desks, desks, login_of
from tests.signing_in import next_code, session_of


async def _enter(served: Desks, name: str = "anna", *, site: str = "same-origin", **other: Any) -> httpx.Response:
    given = {"name": name, "login": login_of(name), "second": ""} | other
    return await served.client.post("/cases/in", json=given, headers={"sec-fetch-site": site})


async def test_both_factors_open_a_session_of_its_own(store_settings: StoreSettings) -> None:
    async with desks(store_settings) as served:
        answered = await _enter(served, second=next_code(served.seconds["anna"]))
        assert (answered.status_code, answered.json()) == (200, {"in": True})
        session = session_of(answered)
        assert session not in {"", served.sessions["anna"]}
        desk = await served.client.get("/cases/desk.json", headers={"cookie": f"{COOKIE}={session}"})
        assert desk.json()["name"] == "anna" and await served.told() == [("anna", "signed_in")]


async def test_a_code_lets_in_once(sqlite_settings: StoreSettings) -> None:
    async with desks(sqlite_settings) as served:
        shown = next_code(served.seconds["anna"])
        assert [(await _enter(served, second=shown)).status_code for _ in range(2)] == [200, 403]


@pytest.mark.parametrize(
    "other",
    [
        {"login": login_of("bruno")},
        {"login": ""},
        {"second": "000000x"},
        {"second": ""},
        {"name": "nessuna"},
        {"name": "a" * 5000},
        {"name": "\x00"},
        {"login": "è" * 64},
    ],
)
async def test_what_is_wrong_is_said_alike_and_opens_nothing(
    sqlite_settings: StoreSettings, other: dict[str, str]
) -> None:
    async with desks(sqlite_settings) as served:
        answered = await _enter(served, **{"second": next_code(served.seconds["anna"])} | other)
        assert (answered.status_code, answered.json()) == (403, {"problem": "wrong"}) and session_of_none(answered)
        assert await served.told() == ([("anna", "failed_1")] if "name" not in other else [])


def session_of_none(answered: httpx.Response) -> bool:
    return not [one for one in answered.headers.get_list("set-cookie") if one.startswith(COOKIE)]


async def test_other_roles_do_not_come_in_here_nor_a_handler_by_the_office(sqlite_settings: StoreSettings) -> None:
    async with desks(sqlite_settings) as served:
        other = await _enter(served, "direzione", second=next_code(served.seconds["direzione"]))
        assert (other.status_code, other.json()) == (403, {"problem": "wrong"})
        given = {"name": "anna", "password": login_of("anna"), "second": next_code(served.seconds["anna"])}
        office = await served.client.post("/account/in", data=given, headers={"sec-fetch-site": "same-origin"})
        assert office.status_code == 403 and session_of_none(office)


async def test_another_site_and_another_method_sign_nobody_in(sqlite_settings: StoreSettings) -> None:
    async with desks(sqlite_settings) as served:
        foreign = await _enter(served, site="cross-site", second=next_code(served.seconds["anna"]))
        assert foreign.status_code == 403 and session_of_none(foreign)
        assert {(await served.client.request(method, "/cases/in")).status_code for method in ("PUT", "DELETE")} == {405}


@pytest.mark.parametrize("body", [b"", b"{}", b"\xff", b'{"name": 1, "login": 2, "second": 3}', b"[" * 10_000])
async def test_what_is_no_sign_in_is_refused(sqlite_settings: StoreSettings, body: bytes) -> None:
    async with desks(sqlite_settings) as served:
        answered = await served.client.post("/cases/in", content=body, headers={"sec-fetch-site": "same-origin"})
        assert (answered.status_code, answered.json()) == (400, {"refused": True})


async def test_a_name_that_nobody_has_gets_a_salt_that_stays(sqlite_settings: StoreSettings) -> None:
    """Could leak: who is a handler, by a salt that is missing or changes."""
    async with desks(sqlite_settings) as served:

        async def salt(name: str) -> str:
            return str((await served.client.get("/cases/salt", params={"name": name})).json()["salt"])

        record = await handlers.load("anna")
        assert record is not None and await salt("anna") == record.salt.hex()
        decoys = [await salt(name) for name in ("nessuna", "nessuna", "altra", "")]
        assert decoys[0] == decoys[1] != decoys[2] and {len(one) for one in decoys} == {32}
