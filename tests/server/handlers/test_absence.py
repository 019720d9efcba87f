"""A handler says when she is away; she lets nobody in by days on which she was there."""

from datetime import timedelta

import pytest

from surveys.cases import handlers
from surveys.stores import StoreSettings
from tests.server.handlers.desks import Desks, desks, is_hers_alone


async def _away(served: Desks, begins: str, ends: str = "", who: str = "anna") -> int:
    return (await served.ask(who, "/absence", {"begins": begins, "ends": ends})).status_code


async def _known(who: str = "anna") -> tuple[str, str]:
    record = await handlers.load(who)
    assert record is not None
    return str(record.away_from or ""), str(record.away_until or "")


async def test_her_days_stand_until_she_says_that_she_is_back(store_settings: StoreSettings) -> None:
    async with desks(store_settings) as served:
        begins, ends = (str(served.site.day + timedelta(days=days)) for days in (2, 12))
        assert await _away(served, begins, ends) == 200 and await _known() == (begins, ends)
        file = (await served.ask("anna", "/desk.json", method="GET")).json()
        assert (file["away_from"], file["away_until"]) == (begins, ends) and await _known("bruno") == ("", "")
        assert await _away(served, "") == 200 and await _known() == ("", "")
        assert await served.told() == [("anna", "set_absence")] * 2


async def test_said_twice_the_days_stay_and_one_that_is_past_begins_today(sqlite_settings: StoreSettings) -> None:
    """Done by a handler: an absence that began a month ago lets the substitute read at once."""
    async with desks(sqlite_settings) as served:
        today, past = str(served.site.day), str(served.site.day - timedelta(days=30))
        assert await _away(served, past) == 200 and await _known() == (today, "")
        assert await _away(served, today) == await _away(served, today) == 200 and await _known() == (today, "")


async def test_nobody_but_a_handler_of_this_session_says_that_she_is_away(sqlite_settings: StoreSettings) -> None:
    async with desks(sqlite_settings) as served:
        await is_hers_alone(served, "/absence", {"begins": str(served.site.day), "ends": ""})


@pytest.mark.parametrize(
    ("begins", "ends"),
    [("domani", ""), ("2999-01-02", "2999-01-01"), ("2026-13-01", ""), ("2999-01-01", "mai"), ("0000-00-00", "")],
)
async def test_days_that_are_none_are_refused_by_name_and_nothing_is_kept(
    sqlite_settings: StoreSettings, begins: str, ends: str
) -> None:
    async with desks(sqlite_settings) as served:
        before = await served.stored()
        answered = await served.ask("anna", "/absence", {"begins": begins, "ends": ends})
        assert (answered.status_code, answered.json()) == (400, {"problem": "dates"})
        assert await served.stored() == before


async def test_one_whose_keys_are_gone_sets_nothing_and_breaks_nothing(sqlite_settings: StoreSettings) -> None:
    async with desks(sqlite_settings) as served:
        await handlers.forget("anna")
        assert await _away(served, str(served.site.day)) == 200 and await handlers.load("anna") is None
