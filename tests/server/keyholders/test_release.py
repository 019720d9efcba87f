"""Two keepers bring their words and release a closed wave: in a process of its own, once, and never with one's words alone."""

import asyncio

import pytest

from surveys.answers.keys import SEATS
from surveys.lifecycle.context import Site, wave_key_path
from surveys.public import releases, waves
from surveys.public.waves import State
from surveys.stores import StoreSettings, stores
from tests import urn
from tests.conftest import DAY, WAVE, end_and_close, open_a_wave
from tests.server.hr.offices import Offices
from tests.server.keyholders.seats import is_theirs_alone, seats
from tests.surveys.test_releasing import fill

pytestmark = pytest.mark.opened
PATH = f"/keys/{WAVE}/release"
HR, RSU, RECOVERY = (str(urn.WORDS[seat]) for seat in ("hr", "representative", "recovery"))


async def _closed(settings: StoreSettings) -> None:
    async with stores(settings) as engines:
        site = Site(engines, settings.data, DAY, "hr")
        await fill(site, await open_a_wave(site), 40)
        await end_and_close(site, unused=20)


async def _ends(here: Offices) -> str:
    """Follow the page of a release to its end; gives where it leads, or what it says."""
    for _ in range(900):
        page = await here.get(f"{PATH}?lang=it", "direzione")
        if page.status_code == 303:
            return str(page.headers["location"])
        if page.status_code == 422:
            return page.text
        assert "In corso." in page.text
        await asyncio.sleep(0.1)
    raise AssertionError("the release did not end")


async def test_the_words_of_two_release_the_wave_and_a_second_try_is_refused(store_settings: StoreSettings) -> None:
    await _closed(store_settings)
    async with seats(store_settings) as here:
        begun = await here.post(PATH, "direzione", first=HR, second=RECOVERY)
        assert (begun.status_code, begun.headers["location"]) == (303, PATH)
        assert await _ends(here) == f"/results/{WAVE}"
        assert (await waves.get(WAVE)).state == State.RELEASED and await releases.ours(WAVE) is not None
        again = await here.post(PATH, "direzione", first=HR, second=RECOVERY)
        assert again.status_code == 422 and not wave_key_path(store_settings.data, WAVE).exists()


async def test_the_words_of_one_alone_open_nothing_and_the_wave_stays_closed(sqlite_settings: StoreSettings) -> None:
    """Could leak: a release by HR alone, with its own words in both fields."""
    await _closed(sqlite_settings)
    async with seats(sqlite_settings) as here:
        for second in (HR, "", "parole che nessuno ha", "x" * 5000, "\x00\u202e"):
            await here.post(PATH, "direzione", first=HR, second=second)
            said = await _ends(here)
            assert not said.startswith("/results") and HR not in said and "parole che nessuno ha" not in said
            assert (await waves.get(WAVE)).state == State.CLOSED and await releases.ours(WAVE) is None
        await here.post(PATH, "custode", first=RSU, second=RECOVERY)
        assert await _ends(here) == f"/results/{WAVE}"


async def test_pressed_by_two_at_once_it_is_released_once(sqlite_settings: StoreSettings) -> None:
    await _closed(sqlite_settings)
    async with seats(sqlite_settings) as here:
        found = await asyncio.gather(
            *[here.post(PATH, who, first=HR, second=RECOVERY) for who in ("direzione", "custode", "direzione")]
        )
        assert {one.status_code for one in found} == {303} and await _ends(here) == f"/results/{WAVE}"


async def test_nobody_without_a_seat_releases(sqlite_settings: StoreSettings) -> None:
    await _closed(sqlite_settings)
    async with seats(sqlite_settings) as here:
        await is_theirs_alone(here, PATH, SEATS, "direzione", first=HR, second=RECOVERY)
        assert await releases.ours(WAVE) is None


@pytest.mark.parametrize("state", [State.OPEN, State.ENDED])
async def test_before_it_is_closed_nothing_is_released(sqlite_settings: StoreSettings, state: State) -> None:
    async with stores(sqlite_settings) as engines:
        await open_a_wave(Site(engines, sqlite_settings.data, DAY, "hr"))
        if state != State.OPEN:
            await waves.change(engines["public"], WAVE, State.OPEN, state=state)
    async with seats(sqlite_settings) as here:
        answered = await here.post(PATH, "direzione", first=HR, second=RECOVERY)
        assert answered.status_code == 422 and (await waves.get(WAVE)).state == state
        assert HR not in answered.text


async def test_of_no_wave_nothing_is_released(sqlite_settings: StoreSettings) -> None:
    async with seats(sqlite_settings) as here:
        assert (await here.post("/keys/nessuna/release", "direzione", first=HR, second=RECOVERY)).status_code == 404
        assert (await here.get("/keys/nessuna/release", "direzione")).status_code == 404
