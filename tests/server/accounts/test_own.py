"""What one does with one's own account: sign out, end sessions, change the password, set a second factor; nobody's but one's own."""

import os
from base64 import b32encode
from datetime import UTC, datetime
from html import unescape

import pytest

from server.frame.security import COOKIE
from server.frame.texts import say
from surveys.lifecycle.context import today
from surveys.people import accounts, log, passwords, sessions
from surveys.people.tables import Account
from surveys.stores import StoreSettings
from tests.server.hr.offices import PASSWORD, Offices, offices
from tests.signing_in import next_code, session_of

NEW = "un'altra-password-lunga"


async def _open(here: Offices, who: str) -> bool:
    return (await here.get("/account", who)).status_code == 200


async def _elsewhere(here: Offices) -> None:
    """HR is signed in on another device too."""
    here.sessions["elsewhere"] = await sessions.begin("direzione", datetime.now(UTC), today(), coded=True)


async def test_signing_out_ends_this_session_and_no_other(store_settings: StoreSettings) -> None:
    async with offices(store_settings) as here:
        await _elsewhere(here)
        out = await here.post("/account/out", "direzione")
        assert (out.status_code, out.headers["location"]) == (303, "/account/in")
        assert not await _open(here, "direzione") and await _open(here, "elsewhere") and await _open(here, "risorse")
        again = await here.post("/account/out", "direzione")
        assert (again.status_code, again.headers["location"].split("?")[0]) == (303, "/account/in")


async def test_one_session_or_all_of_ones_own_are_ended(store_settings: StoreSettings) -> None:
    async with offices(store_settings) as here:
        await _elsewhere(here)
        listed = await sessions.of_account("direzione", here.sessions["direzione"], datetime.now(UTC))
        other = next(one.reference for one in listed if not one.here)
        ended = await here.post("/account/end", "direzione", reference=other)
        assert ended.status_code == 303 and await _open(here, "direzione") and not await _open(here, "elsewhere")
        assert (await here.post("/account/end", "direzione", reference=other)).status_code == 303
        assert (await here.post("/account/end", "direzione")).headers["location"] == "/account/in"
        assert not await _open(here, "direzione") and await _open(here, "risorse")


async def test_the_session_of_somebody_else_is_ended_by_nobody(sqlite_settings: StoreSettings) -> None:
    async with offices(sqlite_settings) as here:
        theirs = (await sessions.of_account("risorse", here.sessions["risorse"], datetime.now(UTC)))[0].reference
        for reference in (theirs, "", "x", "è", here.sessions["risorse"]):
            await here.post("/account/end", "direzione", reference=reference)
        assert await _open(here, "risorse") and await _open(here, "direzione")


async def _opens(name: str, password: str) -> bool:
    """Whether a password is the one that is kept."""
    row = await Account.select().where(Account.name == name).first()
    return row is not None and await passwords.is_right(row["password"], password)


async def _change(here: Offices, who: str = "direzione", **other: str) -> tuple[int, str]:
    data = {"old": PASSWORD, "new": NEW, "again": NEW} | other
    if "second" not in other:
        data["second"] = next_code(here.secrets[who])
    answered = await here.post("/account/password?lang=it", who, **data)
    return answered.status_code, unescape(answered.text)


async def test_a_new_password_takes_the_old_ones_place_and_every_session_ends(store_settings: StoreSettings) -> None:
    async with offices(store_settings) as here:
        await _elsewhere(here)
        assert (await _change(here))[0] == 303
        assert (
            not await _open(here, "direzione") and not await _open(here, "elsewhere") and await _open(here, "risorse")
        )
        assert await _opens("direzione", NEW) and not await _opens("direzione", PASSWORD)
        assert ("direzione", "password changed") in [(line.actor, line.act) for line in await log.read()]


@pytest.mark.parametrize(
    ("other", "status", "said"),
    [
        ({"old": "non è questa"}, 403, "wrong"),
        ({"second": "000000x"}, 403, "wrong"),
        ({"again": NEW + "x"}, 422, "differ"),
        ({"new": "corta", "again": "corta"}, 422, "short"),
        ({"new": "", "again": ""}, 422, "short"),
    ],
)
async def test_what_is_wrong_is_said_and_the_old_one_still_opens(
    sqlite_settings: StoreSettings, other: dict[str, str], status: int, said: str
) -> None:
    async with offices(sqlite_settings) as here:
        found, page = await _change(here, **other)
        assert found == status and say("it", f"desk.account.{said}", n=accounts.PASSWORD_MINIMUM) in page
        assert NEW not in page and PASSWORD not in page
        assert await _opens("direzione", PASSWORD) and not await _opens("direzione", NEW)


async def test_sent_twice_the_second_finds_no_session(sqlite_settings: StoreSettings) -> None:
    async with offices(sqlite_settings) as here:
        sent = {"second": next_code(here.secrets["direzione"])}
        assert [(await _change(here, **sent))[0] for _ in range(2)] == [303, 303]
        assert await _opens("direzione", NEW)


async def test_nobody_changes_it_from_another_page_or_without_a_session(sqlite_settings: StoreSettings) -> None:
    async with offices(sqlite_settings) as here:
        session = {"cookie": f"{COOKIE}={here.sessions['direzione']}"}
        sent = {"old": PASSWORD, "new": NEW, "again": NEW, "second": next_code(here.secrets["direzione"])}
        foreign = accounts.form_token(here.sessions["risorse"])
        for path in ("/account/password", "/account/end", "/account/out"):
            for form in ({}, {"_form": ""}, {"_form": foreign}, {"_form": "è"}):
                assert (await here.client.post(path, data=sent | form, headers=session)).status_code == 403
            assert (await here.client.post(path, data=sent)).status_code in (303, 403)
            assert (await here.client.put(path, headers=session)).status_code == 405
        assert await _open(here, "direzione") and await _opens("direzione", PASSWORD)


async def test_a_second_factor_is_set_by_a_code_of_it_once_and_begins_a_new_session(
    store_settings: StoreSettings,
) -> None:
    async with offices(store_settings) as here:
        await accounts.add(here.engines["people"], "nuova", "hr", PASSWORD)
        entered = await accounts.sign_in(here.engines["people"], "nuova", PASSWORD, datetime.now(UTC))
        here.sessions["nuova"] = before = entered[0]
        assert (await here.get("/hr", "nuova")).headers["location"] == "/account/second"
        secret = b32encode(os.urandom(20)).decode()
        for wrong in ({"secret": secret, "second": "000000x"}, {"secret": "corto", "second": "1"}, {}):
            assert (await here.post("/account/second", "nuova", **wrong)).status_code == 422
        kept = await here.post("/account/second", "nuova", secret=secret, second=next_code(secret))
        assert kept.status_code == 303 and kept.headers["location"].startswith("/hr")
        assert not await _open(here, "nuova")  # the session of before ended
        here.sessions["nuova"] = session_of(kept)
        assert here.sessions["nuova"] != before and await _open(here, "nuova")
        other = b32encode(os.urandom(20)).decode()
        again = await here.post("/account/second", "nuova", secret=other, second=next_code(other))
        assert (again.status_code, again.headers["location"]) == (303, "/hr")
        entered = await accounts.sign_in(
            here.engines["people"], "nuova", PASSWORD, datetime.now(UTC), second=next_code(secret)
        )
        assert entered.account.enrolled  # by a code of the first secret: the other was not kept
