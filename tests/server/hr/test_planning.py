"""Planning a wave by HR's form: it works, is refused to others, names what is wrong, and bears being sent twice."""

from datetime import timedelta

import pytest

from server.frame.texts import say
from surveys.lifecycle.context import Site, today
from surveys.people import roster
from surveys.public import waves
from surveys.public.waves import State
from surveys.stores import StoreSettings, stores
from tests.conftest import DAY, small_cooperative
from tests.server.hr.offices import Offices, offices
from tests.urn import anchor

GOOD = {
    "id": "inverno",
    "title": "Inverno",
    "form": "pulse",
    "k": "6",
    "ask_unit": "1",
    "by_email": "1",
    "starts": today().isoformat(),
    "ends": (today() + timedelta(days=14)).isoformat(),
}


async def _people(settings: StoreSettings) -> None:
    async with stores(settings) as engines:
        await roster.replace(engines["people"], *small_cooperative(60), DAY)
        await anchor(Site(engines, settings.data, DAY, "hr"))


async def _plan(here: Offices, who: str = "direzione", **other: str) -> tuple[int, str]:
    answered = await here.post("/hr/waves/new?lang=it", who, **GOOD | other)
    return answered.status_code, answered.text


async def test_a_wave_is_planned_as_the_form_says(sqlite_settings: StoreSettings) -> None:
    await _people(sqlite_settings)
    async with offices(sqlite_settings) as here:
        assert (await _plan(here))[0] == 303
        wave = await waves.get("inverno")
        assert (wave.state, wave.title["it"], wave.title["en"], wave.rules["k"]["items"]) == (
            State.PLANNED,
            "Inverno",
            "Inverno",
            6,
        )
        assert "Inverno" in (await here.get("/hr/waves?lang=it")).text
        assert (await here.get("/hr/waves/inverno?lang=it")).status_code == 200


@pytest.mark.parametrize("who", ["verifica", "rappresentante"])
async def test_who_is_not_of_hr_plans_nothing(sqlite_settings: StoreSettings, who: str) -> None:
    await _people(sqlite_settings)
    async with offices(sqlite_settings) as here:
        assert (await _plan(here, who))[0] == 403
        assert await waves.everything() == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"title": ""},
        {"id": ""},
        {"id": "con spazi"},
        {"id": "x" * 60},
        {"starts": "domani"},
        {"ends": ""},
        {"ends": GOOD["starts"], "starts": GOOD["ends"]},
        {"k": "4"},
        {"k": "molti"},
        {"form": "altro"},
        {"unit": "nessuna"},
        {"starts": "9999-12-31", "ends": "9999-12-31"},
    ],
)
async def test_what_is_wrong_comes_back_in_words_with_everything_that_was_typed(
    sqlite_settings: StoreSettings, wrong: dict[str, str]
) -> None:
    await _people(sqlite_settings)
    async with offices(sqlite_settings) as here:
        status, text = await _plan(here, **wrong)
        assert status == 422 and 'role="alert"' in text and await waves.everything() == []
        if "title" not in wrong:
            assert 'value="Inverno"' in text


async def test_the_same_form_sent_twice_plans_one_wave(sqlite_settings: StoreSettings) -> None:
    await _people(sqlite_settings)
    async with offices(sqlite_settings) as here:
        assert [(await _plan(here))[0] for _ in range(2)] == [303, 422]
        assert [wave.id for wave in await waves.everything()] == ["inverno"]


@pytest.mark.parametrize("step", ["open", "end", "close", "extend"])
async def test_a_step_that_is_not_due_changes_nothing_and_says_so(sqlite_settings: StoreSettings, step: str) -> None:
    await _people(sqlite_settings)
    async with offices(sqlite_settings) as here:
        await _plan(here)
        answered = await here.post(f"/hr/waves/inverno/{step}?lang=it", unused="0", ends=GOOD["ends"])
        assert answered.status_code == 422 and 'role="alert"' in answered.text
        assert (await waves.get("inverno")).state == State.PLANNED


async def test_steps_of_no_wave_and_steps_that_are_none_are_not_found(sqlite_settings: StoreSettings) -> None:
    await _people(sqlite_settings)
    async with offices(sqlite_settings) as here:
        await _plan(here)
        for path in ("/hr/waves/nessuna/end", "/hr/waves/inverno/altro", "/hr/waves/nessuna/slips"):
            assert (await here.post(path, count="1")).status_code == 404, path
        assert (await here.get("/hr/waves/nessuna")).status_code == 404
        assert (await here.post("/hr/waves/inverno/cancel", "rappresentante")).status_code == 403


async def test_a_planned_wave_is_cancelled_once(sqlite_settings: StoreSettings) -> None:
    await _people(sqlite_settings)
    async with offices(sqlite_settings) as here:
        await _plan(here)
        said = [(await here.post("/hr/waves/inverno/cancel?lang=it")) for _ in range(2)]
        assert [one.status_code for one in said] == [303, 422]
        assert say("it", "hr.refused.state") in said[1].text
        assert (await waves.get("inverno")).state == State.CANCELLED
