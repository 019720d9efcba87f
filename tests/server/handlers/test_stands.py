"""A reader's device says how a case stands by its letters: two must find an end before a retention begins."""

from datetime import timedelta
from typing import Any

import pytest

from surveys.stores import StoreSettings
from tests.server.handlers.desks import NOBODY, Desks, case_of, desks, is_hers_alone
from tests.surveys.cases.people import Written


async def _found(served: Desks, who: str, written: Written) -> dict[str, Any]:
    """What her device says after opening the case."""
    fold = (await served.opened(who, written)).fold
    assert fold is not None
    return {
        "state": fold.state,
        "received": fold.received,
        "acknowledged": fold.acknowledged,
        "outcome": fold.outcome,
        "letters": fold.count,
    }


async def _say(served: Desks, who: str, written: Written, **other: Any) -> int:
    said = await _found(served, who, written) | other
    return (await served.ask(who, case_of(written, "/stands"), said)).status_code


async def _ended(served: Desks, written: Written) -> None:
    made = await served.letter("anna", written, "esito", "outcome")
    assert (await served.ask("anna", case_of(written, "/write"), made)).status_code == 200


async def test_an_end_counts_when_two_devices_found_it(store_settings: StoreSettings) -> None:
    async with desks(store_settings) as served:
        written = await served.report()
        await _ended(served, written)
        assert await _say(served, "anna", written) == 200 and not (await served.file("anna", written))["ended"]
        assert await _say(served, "bruno", written) == 200 and (await served.file("anna", written))["ended"]


async def test_said_again_nothing_is_written_a_second_time(sqlite_settings: StoreSettings) -> None:
    async with desks(sqlite_settings) as served:
        written = await served.report()
        assert await _say(served, "anna", written) == 200
        said, lines = await _found(served, "anna", written), await served.told()
        before = await served.stored()
        assert (await served.ask("anna", case_of(written, "/stands"), said)).json() == {"kept": True}
        assert await served.stored() == before and await served.told() == lines


async def test_nobody_but_a_handler_of_this_session_says_how_a_case_stands(sqlite_settings: StoreSettings) -> None:
    async with desks(sqlite_settings) as served:
        written = await served.report()
        await is_hers_alone(served, case_of(written, "/stands"), await _found(served, "anna", written))


async def test_of_a_case_that_is_none_or_not_hers_nothing_is_said(sqlite_settings: StoreSettings) -> None:
    async with desks(sqlite_settings) as served:
        shut = await served.report(out=("bruno",))
        said, before = await _found(served, "anna", shut), await served.stored()
        found = [await served.ask("bruno", path, said) for path in (f"/case/{NOBODY}/stands", case_of(shut, "/stands"))]
        assert [one.status_code for one in found] == [404, 404] and await served.stored() == before


@pytest.mark.parametrize(
    "other",
    [
        {"state": "diary"},
        {"state": "altro"},
        {"state": "outcome"},
        {"state": "contested"},
        {"received": ""},
        {"received": "1999-01-01"},
        {"received": "ieri"},
        {"received": "2999-01-01"},
        {"acknowledged": "2026-11-01"},
        {"letters": "1"},
    ],
)
async def test_what_cannot_stand_so_is_refused_and_nothing_is_kept(
    sqlite_settings: StoreSettings, other: dict[str, str]
) -> None:
    async with desks(sqlite_settings) as served:
        written = await served.report()
        said, before = await _found(served, "anna", written), await served.stored()
        answered = await served.ask("anna", case_of(written, "/stands"), said | other)
        assert (answered.status_code, answered.json()) == (400, {"refused": True}) and await served.stored() == before


async def test_one_desk_alone_does_not_change_the_day_of_receipt(sqlite_settings: StoreSettings) -> None:
    """Done by a colleague: a day of long ago, so that the case is deleted soon."""
    async with desks(sqlite_settings) as served:
        written = await served.report()
        earlier = (served.site.day - timedelta(days=900)).isoformat()
        assert await _say(served, "anna", written, received=earlier) == 400
        assert (await served.file("bruno", written))["received"] == served.site.day.isoformat()
