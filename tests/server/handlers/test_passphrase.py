"""A handler changes her passphrase: with the old one or her printed kit, and a code; every session of hers ends."""

import json
import os
from typing import Any

import httpx
import pytest

from surveys.cases import handlers
from surveys.cases.sealing import sign
from surveys.people import accounts, passwords
from surveys.people.tables import Account
from surveys.stores import StoreSettings
from tests.server.handlers.desks import Desks, desks, is_hers_alone, login_of
from tests.signing_in import next_code

NEW = login_of("le sei parole nuove")


def _change(**other: Any) -> dict[str, Any]:
    given = {"login": NEW, "salt": os.urandom(16).hex(), "bundle": json.dumps({"pass": "x", "kit": "y"}), "second": ""}
    return given | other


async def _ask(served: Desks, who: str = "anna", **other: Any) -> tuple[int, object]:
    second = next_code(served.seconds[who])
    answered = await served.ask(who, "/passphrase", _change(**{"second": second, "old": login_of(who)} | other))
    return answered.status_code, answered.json()


async def _enters(login: str) -> bool:
    """Whether it is what signs anna in; asked of the store, as a code of her app comes every half minute."""
    row = await Account.select().where(Account.name == "anna").first()
    return row is not None and await passwords.is_right(row["password"], login)


def _signed(served: Desks, change: dict[str, Any], who: str = "anna", form: str = "") -> str:
    """What her device signs with the keys that the kit opened."""
    body = {name: change[name] for name in ("login", "salt", "bundle")}
    body["form"] = form or accounts.form_token(served.sessions[who])
    return sign(body, "passphrase", served.team.keys[who].ed25519)


async def test_the_old_one_and_a_code_put_the_new_one_in_place_and_end_every_session(
    store_settings: StoreSettings,
) -> None:
    async with desks(store_settings) as served:
        salt = os.urandom(16).hex()
        assert await _ask(served, salt=salt) == (200, {"kept": True})
        record = await handlers.load("anna")
        assert record is not None and record.salt.hex() == salt
        assert (await served.ask("anna", "/desk.json", method="GET")).status_code == 303
        assert (await served.ask("bruno", "/desk.json", method="GET")).status_code == 200
        assert await _enters(NEW) and not await _enters(login_of("anna"))
        assert ("anna", "changed_passphrase") in await served.told()


async def test_the_kit_takes_the_old_ones_place_for_exactly_this_change(sqlite_settings: StoreSettings) -> None:
    async with desks(sqlite_settings) as served:
        change = _change(second=next_code(served.seconds["anna"]))
        change["proof"] = _signed(served, change)
        for altered in ({"bundle": "{}"}, {"login": login_of("di un altro")}, {"salt": "00" * 16}):
            answered = await served.ask("anna", "/passphrase", change | altered)
            assert (answered.status_code, answered.json()) == (403, {"problem": "wrong"})
        assert (await served.ask("anna", "/passphrase", change)).json() == {"kept": True}
        assert await _enters(NEW)


async def test_a_proof_of_another_or_of_another_session_is_none(sqlite_settings: StoreSettings) -> None:
    """Done by a colleague at a screen that was left open: her own keys sign a change of the other's passphrase."""
    async with desks(sqlite_settings) as served:
        change, before = _change(second=next_code(served.seconds["anna"])), await handlers.load("anna")
        form = accounts.form_token(served.sessions["anna"])
        other = accounts.form_token(served.sessions["bruno"])
        for proof in (_signed(served, change, "bruno", form), _signed(served, change, "anna", other), "", "x", "{}"):
            answered = await served.ask("anna", "/passphrase", change | {"proof": proof})
            assert (answered.status_code, answered.json()) == (403, {"problem": "wrong"})
        assert await handlers.load("anna") == before and await _enters(login_of("anna"))


async def test_sent_twice_the_second_finds_no_session(sqlite_settings: StoreSettings) -> None:
    async with desks(sqlite_settings) as served:
        change = _change(second=next_code(served.seconds["anna"]), old=login_of("anna"))
        found: list[httpx.Response] = [await served.ask("anna", "/passphrase", change) for _ in range(2)]
        assert [one.status_code for one in found] == [200, 303] and await _enters(NEW)


async def test_nobody_but_a_handler_of_this_session_changes_it(sqlite_settings: StoreSettings) -> None:
    async with desks(sqlite_settings) as served:
        change = _change(second=next_code(served.seconds["anna"]), old=login_of("anna"))
        await is_hers_alone(served, "/passphrase", change)
        assert await _enters(login_of("anna"))


@pytest.mark.parametrize(
    ("other", "status", "said"),
    [
        ({"old": login_of("bruno")}, 403, {"problem": "wrong"}),
        ({"second": "000000x"}, 403, {"problem": "wrong"}),
        ({"bundle": ""}, 400, {"problem": "bundle"}),
        ({"bundle": "x" * 30_000}, 400, {"problem": "bundle"}),
        ({"salt": "zz"}, 400, {"refused": True}),
        ({"login": "00"}, 400, {"refused": True}),
        ({"old": "x"}, 400, {"refused": True}),
        ({"altro": "x"}, 400, {"refused": True}),
    ],
)
async def test_what_is_wrong_is_said_and_the_old_one_still_opens(
    sqlite_settings: StoreSettings, other: dict[str, str], status: int, said: dict[str, object]
) -> None:
    async with desks(sqlite_settings) as served:
        before = await handlers.load("anna")
        assert await _ask(served, **other) == (status, said)
        assert await handlers.load("anna") == before and await _enters(login_of("anna"))


async def test_too_many_wrong_ones_end_the_session(sqlite_settings: StoreSettings) -> None:
    """Done by whoever finds a screen that was left open: guesses at the old passphrase."""
    async with desks(sqlite_settings) as served:
        change = _change(second="000000x", old=login_of("bruno"))
        statuses = [(await served.ask("anna", "/passphrase", change)).status_code for _ in range(20)]
        assert 303 in statuses and statuses == sorted(statuses, reverse=True) and statuses.count(403) <= 10
