"""A holder's device sends the statement of her public halves: her seat's, once a wave, while the wave is planned."""

import pytest

from surveys.answers import holders
from surveys.answers.keys import SEATS
from surveys.lifecycle.context import today
from surveys.public import waves
from surveys.stores import StoreSettings
from tests import urn
from tests.conftest import WAVE
from tests.server.keyholders.seats import SEATED, is_theirs_alone, planned, seats, signed, stated

PATH = f"/keys/{WAVE}/statement"
KEPT, TAKEN = "/keys?done=secret_kept", "/keys?done=seat_taken"


def statement(seat: str, name: str = "", wave: str = WAVE) -> str:
    house = urn.team().anchor.hash
    mine = urn.keys_of(urn.WORDS[seat], house, wave, seat)
    return holders.state(mine, house, wave, seat, name or SEATED[seat], today())


async def _states(wave: str = WAVE) -> dict[str, str]:
    return dict((await waves.get(wave)).statements())


async def test_each_seat_sends_its_own_and_the_page_says_who_has(store_settings: StoreSettings) -> None:
    async with seats(store_settings, planned) as here:
        texts = {seat: statement(seat) for seat in SEATS}
        for seat, who in SEATED.items():
            answered = await here.post(PATH, who, signed=texts[seat])
            assert (answered.status_code, answered.headers["location"]) == (303, KEPT)
        assert await _states() == texts
        page = (await here.get("/keys?lang=it", "custode")).text
        assert all(name in page for name in SEATED.values())


async def test_a_second_statement_of_a_seat_is_refused_in_words_and_the_first_stays(
    sqlite_settings: StoreSettings,
) -> None:
    async with seats(sqlite_settings, planned) as here:
        first = statement("hr")
        found = [await here.post(PATH, "direzione", signed=first) for _ in range(2)]
        assert [one.headers["location"] for one in found] == [KEPT, TAKEN] and await _states() == {"hr": first}


async def test_nobody_without_a_seat_states_keys(sqlite_settings: StoreSettings) -> None:
    async with seats(sqlite_settings, planned) as here:
        await is_theirs_alone(here, PATH, SEATS, "direzione", signed=statement("hr"))


@pytest.mark.parametrize("text", ["", "x", "{}", "\x00", "è" * 9000, "another seat's", "another wave's"])
async def test_what_is_not_the_statement_of_her_seat_is_refused(sqlite_settings: StoreSettings, text: str) -> None:
    """Done by HR: a statement for the seat of another, so that one person holds two."""
    others = {"another seat's": ("representative", WAVE), "another wave's": ("hr", "altra")}
    async with seats(sqlite_settings, planned) as here:
        seat, wave = others.get(text, ("", ""))
        answered = await here.post(PATH, "direzione", signed=statement(seat, wave=wave) if seat else text)
        assert (answered.status_code, answered.headers["location"]) == (303, TAKEN) and await _states() == {}


async def test_of_no_wave_nothing_is_kept(sqlite_settings: StoreSettings) -> None:
    async with seats(sqlite_settings, planned) as here:
        assert (await here.post("/keys/nessuna/statement", "direzione", signed=statement("hr"))).status_code == 404


async def test_words_are_made_no_more_when_the_plan_is_signed(sqlite_settings: StoreSettings) -> None:
    """Could leak: a key put in the place of a holder's after two seats have looked at the plan."""
    async with seats(sqlite_settings, planned, stated, signed) as here:
        before = await _states()
        assert (await here.post(PATH, "direzione", signed=statement("hr"))).headers["location"] == TAKEN
        assert await _states() == before
