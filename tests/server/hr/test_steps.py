"""HR takes a survey through its life: a later end, the end, the closing, the cancelling; each once, in its time, by who may."""

from datetime import date, timedelta
from html import unescape

import pytest

from server.frame.texts import say
from surveys.lifecycle.context import Site, today
from surveys.people import log, two_keys
from surveys.people.two_keys import END
from surveys.public import waves
from surveys.public.waves import State
from surveys.stores import StoreSettings, stores
from tests.conftest import WAVE
from tests.server.hr.offices import Offices, offices
from tests.server.mail.inbox import open_for

AT = f"/hr/waves/{WAVE}"


async def _begun(settings: StoreSettings, days_ago: int = 0) -> None:
    """A survey of fifteen days that was opened so many days ago; nobody has answered."""
    async with stores(settings) as engines:
        began = Site(engines, settings.data, today() - timedelta(days=days_ago), "direzione")
        await open_for(began, "email", 40)


async def _take(here: Offices, step: str, who: str = "direzione", **data: str) -> tuple[int, str]:
    answered = await here.post(f"{AT}/{step}?lang=it", who, **data)
    return answered.status_code, unescape(answered.text) if answered.status_code == 422 else ""


async def _state() -> State:
    return (await waves.get(WAVE)).state


async def test_a_later_end_is_taken_and_an_earlier_one_or_one_too_far_is_refused(store_settings: StoreSettings) -> None:
    await _begun(store_settings)
    async with offices(store_settings) as here:
        later = today() + timedelta(days=20)
        assert (await _take(here, "extend", ends=later.isoformat()))[0] == 303
        assert (await waves.get(WAVE)).ends == later
        for ends in (today(), later - timedelta(days=1), today() + timedelta(days=400), date(9999, 12, 31)):
            status, page = await _take(here, "extend", ends=ends.isoformat())
            assert status == 422 and 'role="alert"' in page and (await waves.get(WAVE)).ends == later
        for typed in ("", "domani", "2026-13-40"):
            status, page = await _take(here, "extend", ends=typed)
            assert status == 422 and say("it", "hr.refused.form") in page


async def test_an_end_before_the_last_day_is_asked_of_the_representative(sqlite_settings: StoreSettings) -> None:
    await _begun(sqlite_settings)
    async with offices(sqlite_settings) as here:
        assert (await _take(here, "end"))[0] == 303 and await _state() == State.OPEN
        [asked] = await two_keys.of_wave(WAVE)
        assert (asked.act, asked.asked_by) == (END, "direzione")
        assert (await _take(here, "end"))[0] == 422 and len(await two_keys.of_wave(WAVE)) == 1
        await here.post(f"/keys/two-keys/{asked.id}/confirm", "rappresentante")
        assert await _state() == State.ENDED


async def test_a_survey_whose_days_are_over_ends_and_closes_once(store_settings: StoreSettings) -> None:
    await _begun(store_settings, days_ago=20)
    async with offices(store_settings) as here:
        assert await _state() == State.OPEN
        assert [(await _take(here, "end"))[0] for _ in range(2)] == [303, 422] and await _state() == State.ENDED
        assert (await _take(here, "close", unused="0"))[0] == 303
        assert await _state() == State.TOO_FEW  # nobody answered
        assert (await _take(here, "close", unused="0"))[0] == 422
        acts = [line.act for line in await log.read()]
        assert acts.count("wave ended") == 1


@pytest.mark.parametrize("unused", ["", "-1", "molti", "1", "9" * 30, "\u0663"])
async def test_a_count_of_slips_that_cannot_be_closes_nothing(sqlite_settings: StoreSettings, unused: str) -> None:
    await _begun(sqlite_settings, days_ago=20)
    async with offices(sqlite_settings) as here:
        await _take(here, "end")
        status, page = await _take(here, "close", unused=unused)
        assert status == 422 and 'role="alert"' in page and await _state() == State.ENDED


async def test_an_open_survey_is_cancelled_once_and_nothing_of_it_goes_on(sqlite_settings: StoreSettings) -> None:
    await _begun(sqlite_settings)
    async with offices(sqlite_settings) as here:
        assert [(await _take(here, "cancel"))[0] for _ in range(2)] == [303, 422]
        assert await _state() == State.CANCELLED
        for step, data in (("open", {}), ("end", {}), ("close", {"unused": "0"}), ("extend", {"ends": "2027-01-01"})):
            assert (await _take(here, step, **data))[0] == 422 and await _state() == State.CANCELLED


@pytest.mark.parametrize("step", ["open", "extend", "end", "close", "cancel"])
async def test_nobody_but_hr_takes_a_step(sqlite_settings: StoreSettings, step: str) -> None:
    await _begun(sqlite_settings)
    async with offices(sqlite_settings) as here:
        before = await waves.get(WAVE)
        data = {"unused": "0", "ends": (today() + timedelta(days=20)).isoformat()}
        for who in ("verifica", "rappresentante"):
            assert (await _take(here, step, who, **data))[0] == 403
        session = {"cookie": f"ascolto={here.sessions['direzione']}"}
        assert (await here.client.post(f"{AT}/{step}", data=data, headers=session)).status_code == 403
        assert (await here.client.put(f"{AT}/{step}", headers=session)).status_code == 405
        assert await waves.get(WAVE) == before
        assert (await here.post(f"/hr/waves/nessuna/{step}", "direzione", **data)).status_code == 404
