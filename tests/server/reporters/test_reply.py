"""One more letter of a reporter: kept once, by her code alone, in its place; a contest lets the substitute in."""

from typing import Any

import pytest

from surveys.stores import StoreSettings
from tests.server.handlers.desks import Desks, case_of, desks
from tests.server.reporters.phones import REFUSED, UNKNOWN, Phone, is_by_this_method_alone
from tests.surveys.cases.people import Written

RECEIVED = (200, {"received": True})
STALE = (409, {"stale": True})


def _case(phone: Phone) -> Written:
    return Written(phone.secret, phone.keys, int(phone.me.case, 16))


async def _reporter(served: Desks) -> Phone:
    phone = Phone(served)
    await phone.reports("aiuto")
    return phone


async def test_her_word_is_read_by_handlers(store_settings: StoreSettings) -> None:
    async with desks(store_settings) as served:
        phone = await _reporter(served)
        assert await phone.send("/reply", await phone.letter("anche ieri")) == RECEIVED
        assert await served.texts("anna", _case(phone)) == await phone.texts() == ["aiuto", "anche ieri"]


async def test_sent_twice_it_stands_once(sqlite_settings: StoreSettings) -> None:
    async with desks(sqlite_settings) as served:
        phone = await _reporter(served)
        made = await phone.letter("una volta")
        first = await phone.send("/reply", made)
        before = await served.stored()
        assert (first, await phone.send("/reply", made)) == (RECEIVED, STALE) and await served.stored() == before


async def test_a_letter_written_beside_that_of_a_handler_is_told_to_look_again(sqlite_settings: StoreSettings) -> None:
    async with desks(sqlite_settings) as served:
        phone = await _reporter(served)
        hers = await phone.letter("intanto")
        answer = await served.letter("anna", _case(phone), "risposta")
        await served.ask("anna", case_of(_case(phone), "/write"), answer)
        assert await phone.send("/reply", hers) == STALE
        assert await phone.send("/reply", await phone.letter("intanto")) == RECEIVED
        assert await phone.texts() == ["aiuto", "risposta", "intanto"]


async def test_a_contest_after_an_outcome_is_seen_by_the_outside_handler(sqlite_settings: StoreSettings) -> None:
    async with desks(sqlite_settings) as served:
        phone = await _reporter(served)
        assert (await served.ask("esterna", f"/case/{phone.me.case}", method="GET")).status_code == 404
        made = await served.letter("anna", _case(phone), "chiuso", "outcome")
        await served.ask("anna", case_of(_case(phone), "/write"), made)
        assert await phone.send("/reply", await phone.letter("non è vero", "contest")) == RECEIVED
        assert (await served.file("esterna", _case(phone)))["state"] == "contested"


async def test_by_another_code_nothing_is_added(sqlite_settings: StoreSettings) -> None:
    """Done by whoever knows one half of a code: a letter in another's thread."""
    async with desks(sqlite_settings) as served:
        phone, other = await _reporter(served), await _reporter(served)
        made, before = await phone.letter("x"), await served.stored()
        for wrong in ({"auth": other.me.proofs["auth"]}, {"locator": other.me.proofs["locator"]}):
            assert await phone.send("/reply", made | wrong) == UNKNOWN
        assert await served.stored() == before


@pytest.mark.parametrize(
    ("other", "found"),
    [
        ({"stream": "notes"}, REFUSED),
        ({"stream": "altro"}, REFUSED),
        ({"number": 9}, STALE),
        ({"number": 0}, STALE),
        ({"number": -1}, STALE),
        ({"number": 2**70}, STALE),
        ({"epoch": 5}, REFUSED),
        ({"sealed": ""}, REFUSED),
        ({"sealed": "QUJD"}, REFUSED),
        ({"uploads": ["00" * 16]}, REFUSED),
        ({"uploads": ["00" * 16] * 6}, REFUSED),
        ({"contest": "sì"}, REFUSED),
        ({"altro": 1}, REFUSED),
    ],
)
async def test_what_is_no_letter_is_refused_and_nothing_is_kept(
    sqlite_settings: StoreSettings, other: dict[str, Any], found: tuple[int, object]
) -> None:
    async with desks(sqlite_settings) as served:
        phone = await _reporter(served)
        made, before = await phone.letter("x"), await served.stored()
        assert await phone.send("/reply", made | other) == found and await served.stored() == before


async def test_by_no_other_method_is_anything_added(sqlite_settings: StoreSettings) -> None:
    async with desks(sqlite_settings) as served:
        await is_by_this_method_alone(served, "/reply")
