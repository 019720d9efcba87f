"""HR asks for what the representative must confirm: nothing happens before, and what cannot be is refused in words."""

from html import unescape

import pytest

from server.frame.texts import say
from surveys.lifecycle.context import Site, today
from surveys.people import two_keys
from surveys.people.two_keys import ASKED, CONFIRMED, HANDED, RAISE, SECOND_CODE
from surveys.public import waves
from surveys.public.waves import State
from surveys.stores import StoreSettings, stores
from tests.conftest import WAVE, open_a_wave
from tests.server.hr.offices import Offices, offices
from tests.server.mail.inbox import open_for

AT = f"/hr/waves/{WAVE}/two-keys"


async def _opened(settings: StoreSettings) -> None:
    async with stores(settings) as engines:
        await open_a_wave(Site(engines, settings.data, today(), "hr"))


async def _with_links(settings: StoreSettings, channel: str) -> None:
    async with stores(settings) as engines:
        await open_for(Site(engines, settings.data, today(), "direzione"), channel, 60)


async def _ask(here: Offices, what: str, who: str = "direzione", **data: str) -> tuple[int, str]:
    answered = await here.post(f"{AT}/{what}?lang=it", who, **data)
    return answered.status_code, unescape(answered.text)


async def _confirm(here: Offices) -> None:
    act = next(one.id for one in await two_keys.of_wave(WAVE) if one.state == ASKED)
    answered = await here.post(f"/keys/two-keys/{act}/confirm", "rappresentante")
    assert answered.headers["location"] == "/keys?done=two_keys_confirm"


@pytest.mark.opened
async def test_a_higher_least_size_is_there_when_it_is_confirmed_and_not_before(store_settings: StoreSettings) -> None:
    await _opened(store_settings)
    async with offices(store_settings) as here:
        before = (await waves.get(WAVE)).rules["k"]["items"]
        assert (await _ask(here, "raise", family="items", k="12"))[0] == 303
        [asked] = await two_keys.of_wave(WAVE)
        assert (asked.act, asked.state, asked.k, asked.asked_by) == (RAISE, ASKED, 12, "direzione")
        assert (await waves.get(WAVE)).rules["k"]["items"] == before
        await _confirm(here)
        assert (await waves.get(WAVE)).rules["k"]["items"] == 12


async def test_somebody_who_lost_her_link_has_a_second_code_once_it_is_confirmed(store_settings: StoreSettings) -> None:
    await _with_links(store_settings, "sms")
    async with offices(store_settings) as here:
        assert (await _ask(here, "second", name="Persona 7"))[0] == 303
        [asked] = await two_keys.of_wave(WAVE)
        assert (asked.act, asked.state) == (SECOND_CODE, ASKED)
        nobody = await here.post(f"{AT}/file/sms", "direzione")
        assert nobody.status_code == 200 and "#l=" not in nobody.text
        await _confirm(here)
        assert (await two_keys.of_wave(WAVE))[0].state == CONFIRMED
        file = await here.post(f"{AT}/file/sms", "direzione")
        assert file.status_code == 200 and file.text.count("#l=") == 1
        assert (await two_keys.of_wave(WAVE))[0].state == HANDED
        again = await here.post(f"{AT}/file/sms", "direzione")
        assert again.status_code == 200 and "#l=" not in again.text


@pytest.mark.opened
async def test_asked_twice_it_waits_once(sqlite_settings: StoreSettings) -> None:
    await _opened(sqlite_settings)
    async with offices(sqlite_settings) as here:
        assert [(await _ask(here, "raise", family="items", k="12"))[0] for _ in range(2)] == [303, 422]
        assert len(await two_keys.of_wave(WAVE)) == 1


@pytest.mark.opened
@pytest.mark.parametrize(
    ("what", "data", "said"),
    [
        ("raise", {"family": "items", "k": "4"}, "raise"),
        ("raise", {"family": "items", "k": "51"}, "raise"),
        ("raise", {"family": "altro", "k": "12"}, "raise"),
        ("raise", {"family": "items", "k": "molti"}, "form"),
        ("raise", {}, "form"),
        ("spare", {"slips": "9999"}, "spare"),
        ("spare", {"slips": "0"}, "spare"),
        ("spare", {"slips": "-1"}, "spare"),
        ("spare", {"slips": ""}, "form"),
        ("second", {"name": "Nessuna"}, "second_who"),
        ("second", {}, "second_who"),
    ],
)
async def test_what_cannot_be_is_refused_in_words_and_nothing_waits(
    sqlite_settings: StoreSettings, what: str, data: dict[str, str], said: str
) -> None:
    await _opened(sqlite_settings)
    async with offices(sqlite_settings) as here:
        status, page = await _ask(here, what, **data)
        begin = say("it", f"hr.refused.{said}", now=0, highest=0, left=0, cap=0).split("0")[0]
        assert status == 422 and begin in page and await two_keys.of_wave(WAVE) == []


@pytest.mark.opened
async def test_nobody_but_hr_asks_and_nobody_is_given_a_file(sqlite_settings: StoreSettings) -> None:
    await _opened(sqlite_settings)
    async with offices(sqlite_settings) as here:
        for what in ("raise", "spare", "second", "file/sms", "file/letter"):
            for who in ("verifica", "rappresentante"):
                assert (await _ask(here, what, who, family="items", k="12", slips="1", name="x"))[0] == 403
            session = {"cookie": f"ascolto={here.sessions['direzione']}"}
            assert (await here.client.post(f"{AT}/{what}", headers=session)).status_code == 403
            assert (await here.client.put(f"{AT}/{what}", headers=session)).status_code == 405
        assert await two_keys.of_wave(WAVE) == []


@pytest.mark.opened
async def test_a_question_that_is_none_and_a_wave_that_is_none_are_not_found(sqlite_settings: StoreSettings) -> None:
    """Red before: it was told as a field that cannot be read."""
    await _opened(sqlite_settings)
    async with offices(sqlite_settings) as here:
        for what in ("lower", "RAISE", "file/pigeon"):
            assert (await _ask(here, what, family="items", k="12"))[0] == 404, what
        assert (await here.post("/hr/waves/nessuna/two-keys/raise", family="items", k="12")).status_code == 404


@pytest.mark.opened
async def test_when_the_wave_is_over_nothing_is_asked(sqlite_settings: StoreSettings) -> None:
    await _opened(sqlite_settings)
    async with stores(sqlite_settings) as engines:
        await waves.change(engines["public"], WAVE, State.OPEN, state=State.ENDED)
    async with offices(sqlite_settings) as here:
        for what, data in (("raise", {"family": "items", "k": "12"}), ("spare", {"slips": "1"})):
            status, page = await _ask(here, what, **data)
            assert status == 422 and say("it", "hr.refused.state") in page
        assert await two_keys.of_wave(WAVE) == []
