"""A holder confirms that she stands in the signed plan, by her device; with the third the wave is ready, and never before."""

import json
from typing import Any

import pytest

from surveys.answers import holders, plans
from surveys.answers.keys import SEATS
from surveys.lifecycle.context import plan_path, today
from surveys.public import waves
from surveys.public.waves import State
from surveys.stores import StoreSettings
from tests import urn
from tests.conftest import WAVE
from tests.server.hr.offices import Offices
from tests.server.keyholders.seats import SEATED, is_theirs_alone, planned, seats, signed, stated

PATH = f"/keys/{WAVE}/confirm"
DONE, NOT = "/keys?done=plan_confirmed", "/keys?done=plan_not_confirmed"


async def _said(seat: str, plan: str = "") -> str:
    """What the device of a seat signs of the plan that lies there, or of another."""
    record, house = await waves.get(WAVE), urn.team().anchor.hash
    there = plans.read(json.loads(record.signed_plan)["plan"], house).hash
    return holders.confirm(urn.keys_of(urn.WORDS[seat], house, WAVE, seat), plan or there, seat, today())


async def _to(here: Offices, who: str, text: str) -> tuple[str, State]:
    answered = await here.post(PATH, who, signed=text)
    assert answered.status_code == 303
    return answered.headers["location"], (await waves.get(WAVE)).state


async def test_the_wave_is_ready_with_the_third_word_and_not_before(store_settings: StoreSettings) -> None:
    async with seats(store_settings, planned, stated, signed) as here:
        found = [await _to(here, who, await _said(seat)) for seat, who in SEATED.items()]
        assert found == [(DONE, State.PLANNED), (DONE, State.PLANNED), (DONE, State.READY)]


async def test_one_who_says_it_three_times_counts_once(sqlite_settings: StoreSettings) -> None:
    async with seats(sqlite_settings, planned, stated, signed) as here:
        found = [await _to(here, "direzione", await _said("hr")) for _ in range(3)]
        assert found == [(DONE, State.PLANNED)] * 3 and set((await waves.get(WAVE)).confirmations) == {"hr"}


async def test_a_word_of_another_seat_or_of_another_plan_is_none(sqlite_settings: StoreSettings) -> None:
    async with seats(sqlite_settings, planned, stated, signed) as here:
        for text in (await _said("recovery"), await _said("hr", "00" * 32), "", "x", "{}", "\x00"):
            assert await _to(here, "direzione", text) == (NOT, State.PLANNED)
        assert (await waves.get(WAVE)).confirmations == {}


async def test_nobody_without_a_seat_confirms(sqlite_settings: StoreSettings) -> None:
    async with seats(sqlite_settings, planned, stated, signed) as here:
        await is_theirs_alone(here, PATH, SEATS, "direzione", signed=await _said("hr"))


async def test_a_plan_whose_file_is_gone_or_other_is_confirmed_by_nobody(sqlite_settings: StoreSettings) -> None:
    """Done by whoever writes the databases: another plan in the row than the one that two seats signed."""
    async with seats(sqlite_settings, planned, stated, signed) as here:
        text, place = await _said("hr"), plan_path(sqlite_settings.data, WAVE)
        kept = place.read_bytes()
        for other in (kept + b" ", b"", None):
            place.write_bytes(other) if other is not None else place.unlink()
            assert await _to(here, "direzione", text) == (NOT, State.PLANNED)
        place.write_bytes(kept)
        assert await _to(here, "direzione", text) == (DONE, State.PLANNED)


@pytest.mark.parametrize("steps", [(planned,), (planned, stated)])
async def test_where_no_plan_is_signed_there_is_nothing_to_confirm(
    sqlite_settings: StoreSettings, steps: tuple[Any, ...]
) -> None:
    async with seats(sqlite_settings, *steps) as here:
        assert await _to(here, "direzione", "x") == (NOT, State.PLANNED)
        assert (await here.get(f"/keys/{WAVE}/plan", "direzione")).status_code == 404
        assert (await here.post("/keys/nessuna/confirm", "direzione", signed="x")).status_code == 404
