"""A holder says that her words are destroyed: after the release, once, for her own seat alone."""

import pytest

from surveys.answers.keys import SEATS
from surveys.lifecycle.context import today
from surveys.people import log
from surveys.public import waves
from surveys.public.tables import Wave
from surveys.public.waves import State
from surveys.stores import StoreSettings
from tests.conftest import WAVE
from tests.server.keyholders.seats import is_theirs_alone, planned, seats, signed, stated

PATH = f"/keys/{WAVE}/destroyed"
DONE, NOT = "/keys?done=secret_destroyed", "/keys?done=two_keys_not"


async def _released() -> None:
    """The wave's row as a release leaves it: this page reads nothing else of one."""
    await Wave.update({Wave.state: State.RELEASED.value}).where(Wave.id == WAVE)


async def _gone() -> dict[str, str]:
    return {seat: one["destroyed"] for seat, one in (await waves.get(WAVE)).holders.items() if "destroyed" in one}


async def test_her_word_stands_with_its_day_and_in_the_log(store_settings: StoreSettings) -> None:
    async with seats(store_settings, planned, stated, signed) as here:
        await _released()
        assert (await here.post(PATH, "custode")).headers["location"] == DONE
        assert await _gone() == {"recovery": today().isoformat()}
        newest = (await log.read())[-1]
        assert (newest.actor, newest.act) == ("custode", "secret destroyed")


async def test_said_twice_it_is_refused_in_words(sqlite_settings: StoreSettings) -> None:
    async with seats(sqlite_settings, planned, stated, signed) as here:
        await _released()
        assert [(await here.post(PATH, "custode")).headers["location"] for _ in range(2)] == [DONE, NOT]
        assert len([line for line in await log.read() if line.act == "secret destroyed"]) == 1


async def test_nobody_without_a_seat_says_it(sqlite_settings: StoreSettings) -> None:
    async with seats(sqlite_settings, planned, stated, signed) as here:
        await _released()
        await is_theirs_alone(here, PATH, SEATS, "custode")


@pytest.mark.parametrize("state", [state for state in State if state != State.RELEASED])
async def test_before_the_release_nobody_says_it(sqlite_settings: StoreSettings, state: State) -> None:
    """Could lose: a holder who destroys her words while sheets wait for them."""
    async with seats(sqlite_settings, planned, stated, signed) as here:
        await Wave.update({Wave.state: state.value}).where(Wave.id == WAVE)
        assert (await here.post(PATH, "custode")).headers["location"] == NOT and await _gone() == {}


async def test_of_no_wave_it_is_not_said(sqlite_settings: StoreSettings) -> None:
    async with seats(sqlite_settings, planned) as here:
        assert (await here.post("/keys/nessuna/destroyed", "custode")).status_code == 404
