"""Organisation, channel and actions by HR's forms: kept, refused to others, wrong ones named, twice the same is once."""

import re
from datetime import timedelta
from html import unescape

import pytest

from server.frame.texts import say
from surveys.lifecycle.context import Site, today
from surveys.people import log
from surveys.people.tables import Outbox
from surveys.public import actions, channel, organisation
from surveys.stores import StoreSettings, stores
from tests.conftest import DAY, WAVE
from tests.server.hr.offices import offices
from tests.surveys.test_links import _open as open_with_links

ORGANISATION = {"name": "Cooperativa Prova", "address": "https://ascolto.invalid/", "referente": "Sara, 055 000000"}
ACTION = {
    "text": "Turni pubblicati un mese prima",
    "owner": "Direzione",
    "due": (today() + timedelta(days=30)).isoformat(),
}


async def test_the_organisation_is_kept_as_typed_and_twice_the_same_is_once(sqlite_settings: StoreSettings) -> None:
    async with offices(sqlite_settings) as here:
        for _ in range(2):
            assert (await here.post("/hr/organisation", **ORGANISATION)).status_code == 303
        record = await organisation.load()
        assert record is not None
        assert (record.name, record.address, record.referente) == (
            "Cooperativa Prova",
            "https://ascolto.invalid",
            "Sara, 055 000000",
        )
        assert 'value="Cooperativa Prova"' in (await here.get("/hr/organisation")).text
        said = [act.details for act in await log.read() if act.act == "organisation changed"]
        assert len(said) == 1 and {"address", "name", "referente"} <= set(said[0]["parts"].split(", "))


@pytest.mark.parametrize("wrong", [{"name": ""}, {"name": "  "}, {"help_checked_on": "ieri"}])
async def test_an_organisation_without_a_name_or_with_no_day_is_refused_in_words(
    sqlite_settings: StoreSettings, wrong: dict[str, str]
) -> None:
    async with offices(sqlite_settings) as here:
        answered = await here.post("/hr/organisation", **ORGANISATION | wrong)
        assert answered.status_code == 422 and 'role="alert"' in answered.text
        assert await organisation.load() is None


@pytest.mark.parametrize("years", ["0", "6", "-1", "cinque", "", "1e1"])
async def test_years_of_keeping_outside_the_law_are_refused(sqlite_settings: StoreSettings, years: str) -> None:
    async with offices(sqlite_settings) as here:
        assert (await here.post("/hr/channel", years=years)).status_code == 422
        assert (await here.post("/hr/channel", years="3", hearing_day="mai")).status_code == 422
        assert (await channel.load()).retention_years == 5


async def test_an_action_is_written_finished_and_finished_again(sqlite_settings: StoreSettings) -> None:
    async with offices(sqlite_settings) as here:
        assert (await here.post("/hr/actions", indicator="3.6", back="/hr/indicators/3.6", **ACTION)).status_code == 303
        [action] = await actions.everything()
        assert (action.text, action.owner, action.due.isoformat(), action.done) == (
            ACTION["text"],
            "Direzione",
            ACTION["due"],
            False,
        )
        assert ACTION["text"] in (await here.get("/hr/indicators/3.6")).text
        for _ in range(2):
            assert (await here.post(f"/hr/actions/{action.id}/done", seen=action.mark)).status_code == 303
        [action] = await actions.everything()
        assert action.done
        assert (await here.post("/hr/actions/nessuna/done")).status_code in (303, 404)
        assert len(await actions.everything()) == 1


@pytest.mark.parametrize("wrong", [{"text": ""}, {"owner": " "}, {"due": "presto"}, {"due": ""}])
async def test_an_action_that_lacks_something_is_not_written_and_the_page_says_so(
    sqlite_settings: StoreSettings, wrong: dict[str, str]
) -> None:
    async with offices(sqlite_settings) as here:
        answered = await here.post("/hr/actions", indicator="3.6", back="/hr/indicators/3.6", **ACTION | wrong)
        assert answered.status_code == 422 and say("it", "actions.refused.incomplete") in unescape(answered.text)
        assert await actions.everything() == []


@pytest.mark.parametrize("path", ["/hr/organisation", "/hr/channel", "/hr/channel/open", "/hr/actions"])
@pytest.mark.parametrize("who", ["verifica", "rappresentante"])
async def test_who_is_not_of_hr_changes_no_rule(sqlite_settings: StoreSettings, path: str, who: str) -> None:
    async with offices(sqlite_settings) as here:
        assert (await here.post(path, who, years="1", **ORGANISATION, **ACTION)).status_code == 403
        assert await organisation.load() is None and await actions.everything() == []
        assert (await channel.load()).retention_years == 5


async def test_no_way_back_leads_out_of_the_desk(sqlite_settings: StoreSettings) -> None:
    async with offices(sqlite_settings) as here:
        for back in ("https://evil.invalid/", "//evil.invalid", "/\\evil.invalid", "javascript:alert(1)"):
            answered = await here.post("/hr/actions", back=back, **ACTION)
            assert answered.headers["location"].startswith("/hr")


async def test_another_address_is_in_the_log_and_no_invitation_of_an_open_wave_leads_there(
    sqlite_settings: StoreSettings,
) -> None:
    """Done from outside: HR changed the address for a minute, and each personal link led through a page of its own that read
    answers and names; nothing said so."""
    async with stores(sqlite_settings) as engines:
        site = Site(engines, sqlite_settings.data, DAY, "hr")
        await open_with_links(site)
        known = await organisation.load()
        assert known is not None
        invited = {name: getattr(known, name) for name in ("name", "address", "referente", "canale")}
    async with offices(sqlite_settings) as here:
        ways = [f"/hr/waves/{WAVE}/links/{what}?lang=it" for what in ("invite", "remind", "sms", "letter")]
        ways.append(f"/hr/waves/{WAVE}/slips?lang=it")
        seen = _seen((await here.get("/hr/organisation")).text)
        await here.post("/hr/organisation", **invited | {"address": "http://127.0.0.1:9444", "seen": seen})
        before = await log.read()
        assert (before[-1].act, before[-1].details) == ("address changed", {"address": "http://127.0.0.1:9444"})
        for way in ways:
            answered = await here.post(way, count="1")
            assert answered.status_code in (409, 422) and say("it", "hr.refused.address") in unescape(answered.text)
            assert "9444" not in answered.text
        assert await log.read() == before and await Outbox.count() == 0
        seen = _seen((await here.get("/hr/organisation")).text)
        await here.post("/hr/organisation", **invited | {"seen": seen})
        answered = await here.post(ways[2])
        assert answered.status_code == 200 and f"{known.address}/answer#l=" in answered.text
        assert [act.act for act in await log.read()][-2:] == ["address changed", "links made"]


async def test_of_two_who_change_the_organisation_the_second_is_told_and_nothing_is_lost(
    sqlite_settings: StoreSettings,
) -> None:
    """Could be lost: the help numbers that one corrected while the other had the form open."""
    async with offices(sqlite_settings) as here:
        await here.post("/hr/organisation", **ORGANISATION)
        seen = _seen((await here.get("/hr/organisation?lang=it")).text)
        first = await here.post("/hr/organisation?lang=it", **ORGANISATION | {"referente": "Anna", "seen": seen})
        assert first.status_code == 303
        second = await here.post(
            "/hr/organisation?lang=it", "risorse", **ORGANISATION | {"canale": "cassetta blu", "seen": seen}
        )
        unseen = await here.post("/hr/organisation?lang=it", "risorse", **ORGANISATION)  # a page of before the update
        assert unseen.status_code == 422
        assert second.status_code == 422 and say("it", "hr.organisation.changed") in unescape(second.text)
        assert '<dd dir="auto">Anna</dd>' in second.text and 'value="cassetta blu"' in second.text
        kept = await organisation.load()
        assert kept is not None and (kept.referente, kept.canale) == ("Anna", "")
        again = ORGANISATION | {"canale": "cassetta blu", "seen": _seen(second.text)}
        assert (await here.post("/hr/organisation?lang=it", "risorse", **again)).status_code == 303
        kept = await organisation.load()
        assert kept is not None and kept.canale == "cassetta blu"


async def test_what_was_typed_stays_where_the_organisation_is_refused(sqlite_settings: StoreSettings) -> None:
    async with offices(sqlite_settings) as here:
        answered = await here.post("/hr/organisation", **ORGANISATION | {"name": "", "referente": "Scritta Ora"})
        assert answered.status_code == 422 and 'value="Scritta Ora"' in answered.text


def _seen(page: str) -> str:
    found = re.search(r'name="seen" value="([0-9a-f]{32})"', page)
    assert found
    return found[1]
