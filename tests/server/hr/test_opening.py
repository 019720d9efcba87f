"""Opening a survey by its page: at once where it is quick; where it takes long the page says how far it is, and it goes on by itself."""

import asyncio
import re
from dataclasses import replace
from datetime import timedelta

import pytest

from server.processes import patient
from surveys.answers import wave as urn_of
from surveys.engines import StoreEngine
from surveys.lifecycle import opening
from surveys.lifecycle.context import Site, today
from surveys.lifecycle.planning import Wish, plan
from surveys.people import roster
from surveys.people.steps import Step, begin, begun
from surveys.public import organisation, waves
from surveys.public.waves import State
from surveys.stores import StoreSettings, stores
from tests import urn
from tests.conftest import DAY, ORGANISATION, WAVE, small_cooperative
from tests.server.hr.offices import Offices, offices


async def _ready(settings: StoreSettings) -> None:
    async with stores(settings) as engines:
        site = Site(engines, settings.data, today(), "hr")
        about = replace(ORGANISATION, help_checked_on=site.day.isoformat())
        await organisation.save(engines["public"], about)
        await roster.replace(engines["people"], *small_cooperative(), DAY)
        await urn.anchor(site)
        await plan(site, Wish(WAVE, {"it": "Autunno", "en": "Autumn"}, site.day, site.day + timedelta(days=14)))
        await urn.get_ready(site, WAVE)


async def _opens(here: Offices) -> str:
    answered = await here.post(f"/hr/waves/{WAVE}/open", "direzione")
    assert answered.status_code == 303, answered.text
    return str(answered.headers["location"])


async def _page(here: Offices) -> str:
    answered = await here.get(f"/hr/waves/{WAVE}?lang=en", "direzione")
    assert answered.status_code == 200
    return answered.text


async def test_a_small_survey_is_open_when_the_page_answers(sqlite_settings: StoreSettings) -> None:
    await _ready(sqlite_settings)
    async with offices(sqlite_settings) as here:
        assert (await _opens(here)).endswith("done=wave_open")
        assert (await waves.get(WAVE)).state == State.OPEN and "being opened" not in await _page(here)


async def test_a_long_opening_goes_on_and_its_page_says_how_far_it_is(
    store_settings: StoreSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _ready(store_settings)
    monkeypatch.setattr(patient, "PATIENCE_SECONDS", 0.0)
    monkeypatch.setattr(urn_of, "_CHUNK", 7)
    held, plain = asyncio.Event(), urn_of._add

    async def add(engine: StoreEngine, wave: str, ids: range) -> None:
        await plain(engine, wave, ids)
        await held.wait()

    monkeypatch.setattr(urn_of, "_add", add)
    async with offices(store_settings) as here:
        assert (await _opens(here)).endswith("done=wave_opening")
        while await opening.progress(WAVE) in (None, (0, opening.slots(60))):
            await asyncio.sleep(0.01)
        page = await _page(here)
        assert re.search(rf"7 of {opening.slots(60)} places", page) and f"/hr/waves/{WAVE}/open" not in page
        again = await here.post(f"/hr/waves/{WAVE}/open", "direzione")  # clicked twice: it is opened once
        assert str(again.headers["location"]).endswith("done=wave_opening")
        held.set()
        async with asyncio.timeout(20):
            while (await waves.get(WAVE)).state != State.OPEN or await begun(WAVE):
                await asyncio.sleep(0.02)
        assert await urn_of.slots_there(WAVE) == opening.slots(60) and "being opened" not in await _page(here)


async def test_an_opening_that_was_cut_off_is_said_until_the_jobs_finish_it(sqlite_settings: StoreSettings) -> None:
    await _ready(sqlite_settings)
    async with offices(sqlite_settings) as here:
        await begin(here.engines["people"], Step(WAVE, "open", today(), "direzione", {}))
        assert f"0 of {opening.slots(60)} places" in await _page(here)


async def test_what_refuses_an_opening_is_said_by_its_page_however_long_it_looks(
    sqlite_settings: StoreSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before, a refusal that came after the page's patience was said nowhere: the form came back, each time."""
    await _ready(sqlite_settings)
    monkeypatch.setattr(patient, "PATIENCE_SECONDS", 0.0)
    async with offices(sqlite_settings) as here:
        await roster.replace(here.engines["people"], *small_cooperative(61), today())
        answered = await here.post(f"/hr/waves/{WAVE}/open?lang=en", "direzione")
        assert answered.status_code == 422 and 'class="err"' in answered.text, answered.text
        assert not await begun(WAVE) and (await waves.get(WAVE)).state == State.READY
        await roster.replace(here.engines["people"], *small_cooperative(), today())
        assert (await _opens(here)).endswith("done=wave_opening")
