"""The second key: the representative confirms or refuses what HR asked for, once; HR does not agree with itself."""

import pytest

from surveys.lifecycle import two_keys as asking
from surveys.lifecycle.context import Site, today
from surveys.people import two_keys
from surveys.people.two_keys import ASKED, HANDED, REFUSED
from surveys.public import waves
from surveys.stores import StoreSettings, stores
from tests.conftest import WAVE, open_a_wave
from tests.server.hr.offices import Offices
from tests.server.keyholders.seats import is_theirs_alone, seats

pytestmark = pytest.mark.opened


async def _asked(settings: StoreSettings, actor: str = "direzione") -> None:
    """HR asks for a higher least size of groups."""
    async with stores(settings) as engines:
        site = Site(engines, settings.data, today(), actor)
        await open_a_wave(site)
        await asking.ask_higher_k(site, WAVE, "items", 12)


async def _settle(here: Offices, answer: str, who: str = "rappresentante", act: int | str = 0) -> tuple[int, str]:
    number = act or (await two_keys.of_wave(WAVE))[0].id
    answered = await here.post(f"/keys/two-keys/{number}/{answer}", who)
    return answered.status_code, answered.headers.get("location", "")


async def _stands() -> tuple[str, int]:
    return (await two_keys.of_wave(WAVE))[0].state, (await waves.get(WAVE)).rules["k"]["items"]


async def test_what_is_confirmed_is_done_and_what_is_refused_is_not(store_settings: StoreSettings) -> None:
    await _asked(store_settings)
    async with seats(store_settings) as here:
        before = (await waves.get(WAVE)).rules["k"]["items"]
        assert before < 12 and await _stands() == (ASKED, before)
        assert await _settle(here, "confirm") == (303, "/keys?done=two_keys_confirm")
        assert await _stands() == (HANDED, 12)


async def test_what_is_refused_stays_refused(sqlite_settings: StoreSettings) -> None:
    await _asked(sqlite_settings)
    async with seats(sqlite_settings) as here:
        before = (await waves.get(WAVE)).rules["k"]["items"]
        assert await _settle(here, "refuse") == (303, "/keys?done=two_keys_refuse")
        assert await _settle(here, "confirm") == (303, "/keys?done=two_keys_not")
        assert await _stands() == (REFUSED, before)


async def test_confirmed_twice_it_is_done_once(sqlite_settings: StoreSettings) -> None:
    await _asked(sqlite_settings)
    async with seats(sqlite_settings) as here:
        found = [await _settle(here, answer) for answer in ("confirm", "confirm", "refuse")]
        assert [place for _, place in found] == [f"/keys?done=two_keys_{how}" for how in ("confirm", "not", "not")]
        assert await _stands() == (HANDED, 12)


async def test_nobody_but_the_representative_holds_the_second_key(sqlite_settings: StoreSettings) -> None:
    await _asked(sqlite_settings)
    async with seats(sqlite_settings) as here:
        act = (await two_keys.of_wave(WAVE))[0].id
        for answer in ("confirm", "refuse"):
            await is_theirs_alone(here, f"/keys/two-keys/{act}/{answer}", ["representative"], "rappresentante")
        assert (await _stands())[0] == ASKED


async def test_whoever_asked_does_not_confirm_also_where_she_has_the_other_seat_by_now(
    sqlite_settings: StoreSettings,
) -> None:
    """Could let one person do what needs two: HR asks, and signs in the next day as the representative."""
    await _asked(sqlite_settings, actor="rappresentante")
    async with seats(sqlite_settings) as here:
        assert await _settle(here, "confirm") == (303, "/keys?done=two_keys_not")
        assert (await _stands())[0] == ASKED


@pytest.mark.parametrize(("act", "answer"), [(0, "approve"), (999, "confirm"), ("x", "confirm"), ("-1", "refuse")])
async def test_an_act_that_is_none_and_an_answer_that_is_none_are_not_found(
    sqlite_settings: StoreSettings, act: int | str, answer: str
) -> None:
    await _asked(sqlite_settings)
    async with seats(sqlite_settings) as here:
        assert (await _settle(here, answer, act=act))[0] == 404 and (await _stands())[0] == ASKED


async def test_when_the_wave_is_over_nothing_is_confirmed_any_more(sqlite_settings: StoreSettings) -> None:
    await _asked(sqlite_settings)
    async with stores(sqlite_settings) as engines:
        record = await waves.get(WAVE)
        await waves.change(engines["public"], WAVE, record.state, state=waves.State.ENDED)
    async with seats(sqlite_settings) as here:
        assert await _settle(here, "confirm") == (303, "/keys?done=two_keys_not")
        assert (await _stands())[1] < 12
