"""HR keeps the rules of the channel, notes training and opens it: each by the day, none over what another wrote meanwhile."""

import asyncio
import re
from dataclasses import replace
from datetime import date, timedelta
from html import unescape

import pytest

from server.frame.texts import say
from surveys.cases import handlers, keeping
from surveys.lifecycle.context import today
from surveys.people import log
from surveys.public import channel
from surveys.stores import StoreSettings
from tests.server.handlers.desks import desks
from tests.server.hr.offices import Offices, offices

RULES = {"hearing_day": "2026-11-02", "hearing_document": "Verbale 3/2026", "years": "5"}


async def _seen(here: Offices) -> str:
    page = (await here.get("/hr/channel?lang=it")).text
    found = re.search(r'name="seen" value="(\w+)"', page)
    assert found is not None
    return found[1]


async def _save(here: Offices, who: str = "direzione", **other: str) -> tuple[int, str]:
    answered = await here.post("/hr/channel?lang=it", who, **RULES | {"seen": await _seen(here)} | other)
    return answered.status_code, unescape(answered.text)


async def test_the_rules_are_kept_as_typed_and_twice_the_same_is_once(store_settings: StoreSettings) -> None:
    async with offices(store_settings) as here:
        seen = await _seen(here)
        assert [(await _save(here, seen=seen))[0] for _ in range(2)] == [303, 303]
        assert (await channel.load()).rules == ("2026-11-02", "Verbale 3/2026", False, 5)
        newest = (await log.read())[-1]
        assert (newest.actor, newest.act) == ("direzione", "channel rules")


async def test_of_two_who_change_the_rules_the_second_is_told_and_keeps_what_she_typed(
    sqlite_settings: StoreSettings,
) -> None:
    """Could lose: the day on which the unions were heard, or the years that cases are kept."""
    async with offices(sqlite_settings) as here:
        seen = await _seen(here)
        assert (await _save(here, seen=seen, years="3"))[0] == 303
        status, page = await _save(here, "risorse", seen=seen, hearing_document="Verbale 4/2026")
        assert status == 422 and say("it", "hr.organisation.changed") in page and 'value="Verbale 4/2026"' in page
        assert (await channel.load()).rules == ("2026-11-02", "Verbale 3/2026", False, 3)
        assert (await _save(here, "risorse", hearing_document="Verbale 4/2026"))[0] == 303
        assert (await channel.load()).hearing_document == "Verbale 4/2026"


async def test_what_the_jobs_and_a_colleague_write_in_one_moment_stays(store_settings: StoreSettings) -> None:
    """Red before: each wrote the whole record as it had read it, and the last one took back what the others had written."""
    async with desks(store_settings) as served:
        public = served.site.engines["public"]
        before = await channel.load()

        async def year(number: int) -> None:
            bands = {str(number): channel.YearBand("0-4", None)}
            await channel.change(public, lambda now: _with(now, bands))

        await asyncio.gather(*[year(2000 + number) for number in range(8)])
        after = await channel.load()
        assert set(after.bands) == {str(2000 + number) for number in range(8)}
        assert (after.rules, after.opened, after.salt) == (before.rules, before.opened, before.salt)
        assert (await keeping.close_year(public, date(served.site.day.year + 1, 1, 2))).opened == before.opened


def _with(now: channel.ChannelRecord, bands: dict[str, channel.YearBand]) -> channel.ChannelRecord:
    return replace(now, bands={**now.bands, **bands})


@pytest.mark.parametrize("other", [{"years": "0"}, {"years": "6"}, {"years": ""}, {"hearing_day": "ieri"}])
async def test_rules_that_cannot_be_are_refused_in_words(sqlite_settings: StoreSettings, other: dict[str, str]) -> None:
    async with offices(sqlite_settings) as here:
        before = await channel.load()
        status, page = await _save(here, **other)
        assert status == 422 and say("it", "hr.refused.form") in page and await channel.load() == before


async def test_unions_that_are_still_to_be_heard_were_not(sqlite_settings: StoreSettings) -> None:
    """Red before: a day to come counted, and the channel opened without the hearing that the law asks for first."""
    async with offices(sqlite_settings) as here:
        status, page = await _save(here, hearing_day=(today() + timedelta(days=1)).isoformat())
        assert status == 422 and say("it", "hr.refused.to_come") in page
        assert (await channel.load()).hearing_day == ""
        assert (await _save(here, hearing_day=today().isoformat()))[0] == 303


async def test_training_counts_from_its_day_on_and_one_to_come_is_refused(sqlite_settings: StoreSettings) -> None:
    """Red before: a training of the year 2999 was good for nine centuries."""
    async with desks(sqlite_settings) as served:
        here = Offices(served.client, served.sessions, served.site.engines)
        sent = {"handler": "anna"}
        for day, status in ((today() - timedelta(days=3), 303), (date(2999, 1, 1), 422), (today() + timedelta(1), 422)):
            answered = await here.post("/hr/channel/training?lang=it", "direzione", **sent, day=day.isoformat())
            assert answered.status_code == status
        record = await handlers.load("anna")
        assert record is not None and record.trained == today() - timedelta(days=3)
        assert not record.training_is_valid(today() - timedelta(days=4)) and record.training_is_valid(today())
        newest = [line for line in await log.read() if line.act == "handler trained"]
        assert [(line.actor, dict(line.details)) for line in newest] == [
            ("direzione", {"handler": "anna", "on": record.trained.isoformat()})
        ]


@pytest.mark.parametrize("sent", [{"handler": "nessuna", "day": "2026-11-01"}, {"handler": "anna", "day": ""}, {}])
async def test_no_handler_and_no_day_are_refused_in_words(sqlite_settings: StoreSettings, sent: dict[str, str]) -> None:
    async with desks(sqlite_settings) as served:
        here = Offices(served.client, served.sessions, served.site.engines)
        answered = await here.post("/hr/channel/training?lang=it", "direzione", **sent)
        assert answered.status_code == 422 and say("it", "hr.refused.form") in answered.text


async def test_it_opens_when_nothing_is_missing_and_stays_open_when_asked_again(sqlite_settings: StoreSettings) -> None:
    async with desks(sqlite_settings) as served:
        here = Offices(served.client, served.sessions, served.site.engines)
        opened = (await channel.load()).opened
        assert opened and (await here.post("/hr/channel/open", "direzione")).status_code == 303
        assert (await channel.load()).opened == opened
        await channel.change(served.site.engines["public"], _without_hearing)
        refused = await here.post("/hr/channel/open?lang=it", "direzione")
        assert refused.status_code == 422 and say("it", "cli.gap_hearing_day") in refused.text
        assert not (await channel.load()).is_open


def _without_hearing(now: channel.ChannelRecord) -> channel.ChannelRecord:
    return replace(now, hearing_day="", opened="")


@pytest.mark.parametrize("path", ["/hr/channel", "/hr/channel/training", "/hr/channel/open"])
async def test_who_is_not_of_hr_changes_nothing(sqlite_settings: StoreSettings, path: str) -> None:
    async with offices(sqlite_settings) as here:
        before = await channel.load()
        for who in ("verifica", "rappresentante"):
            assert (await here.post(path, who, **RULES)).status_code == 403
        session = {"cookie": f"ascolto={here.sessions['direzione']}"}
        assert (await here.client.post(path, data=RULES, headers=session)).status_code == 403
        assert (await here.client.put(path, headers=session)).status_code == 405
        assert await channel.load() == before


async def test_a_paper_that_is_none_is_not_found(sqlite_settings: StoreSettings) -> None:
    async with offices(sqlite_settings) as here:
        assert (await here.get("/hr/channel/papers/altro")).status_code == 404
