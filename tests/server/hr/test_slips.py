"""Slips by HR's pages: a batch is printed, printed again, handed over, or void once the representative agrees."""

import re

import pytest

from server.frame.texts import say
from surveys.answers import batches
from surveys.lifecycle.context import Site
from surveys.people import two_keys
from surveys.public import waves
from surveys.stores import StoreSettings, stores
from tests.conftest import DAY, WAVE, open_a_wave
from tests.server.hr.offices import Offices, offices
from tests.server.papers.pdfs import pages_of

PAGE = f"/hr/waves/{WAVE}"


def _codes(pdf: bytes) -> set[str]:
    return {*re.findall(r"\b[0-9A-Z]{4}(?:-[0-9A-Z]{4}){3}\b", "".join(pages_of(pdf)))}


async def _opened(settings: StoreSettings) -> None:
    async with stores(settings) as engines:
        await open_a_wave(Site(engines, settings.data, DAY, "hr"), slips=50)


async def _to(here: Offices, what: str, who: str = "direzione", **data: str) -> tuple[int, bytes]:
    answered = await here.post(f"{PAGE}/slips{what}?lang=it", who, **data)
    return answered.status_code, answered.content


async def test_a_batch_is_printed_twice_with_the_same_codes_and_then_handed_over(
    sqlite_settings: StoreSettings,
) -> None:
    await _opened(sqlite_settings)
    async with offices(sqlite_settings) as here:
        status, first = await _to(here, "", count="6")
        assert status == 200 and len(_codes(first)) == 6
        status, again = await _to(here, "/2/again")
        assert status == 200 and _codes(again) == _codes(first)
        assert (await _to(here, "/2/hand-over"))[0] == 303
        page = (await here.get(f"{PAGE}?lang=it")).text
        assert say("it", "hr.wave.batch_handed") in page and "/slips/2/again" not in page and "/slips/1/again" in page
        status, refused = await _to(here, "/2/again")
        assert status == 422 and say("it", "hr.refused.batch").encode() in refused


async def test_a_spoiled_batch_is_void_once_the_representative_confirms(sqlite_settings: StoreSettings) -> None:
    await _opened(sqlite_settings)
    async with offices(sqlite_settings) as here:
        assert (await _to(here, "/1/void", spoiled="50"))[0] == 303
        assert (await batches.of_wave(WAVE))[0].state == "printed"
        [asked] = await two_keys.of_wave(WAVE)
        keys = (await here.get("/keys?lang=it", "rappresentante")).text
        assert f"/keys/two-keys/{asked.id}/confirm" in keys and "Blocco di fogli 1" in keys
        assert (await here.post(f"/keys/two-keys/{asked.id}/confirm", "rappresentante")).status_code == 303
        assert ((await batches.of_wave(WAVE))[0].state, (await waves.get(WAVE)).slips) == ("void", 0)
        assert (await _to(here, "", count="60"))[0] == 200


@pytest.mark.parametrize("what", ["", "/1/again", "/1/hand-over", "/1/void"])
@pytest.mark.parametrize("who", ["verifica", "rappresentante"])
async def test_who_is_not_of_hr_prints_and_changes_no_slip(sqlite_settings: StoreSettings, who: str, what: str) -> None:
    await _opened(sqlite_settings)
    async with offices(sqlite_settings) as here:
        assert (await _to(here, what, who, count="1", spoiled="1"))[0] == 403
        assert [(one.slips, one.state) for one in await batches.of_wave(WAVE)] == [(50, "printed")]
        assert await two_keys.of_wave(WAVE) == []


async def test_no_such_batch_no_such_act_and_no_number_are_told_in_words(sqlite_settings: StoreSettings) -> None:
    await _opened(sqlite_settings)
    async with offices(sqlite_settings) as here:
        for what in ("/9/again", "/9/hand-over", "/9/void"):
            status, page = await _to(here, what, spoiled="1")
            assert (status, say("it", "hr.refused.batch").encode() in page) == (422, True)
        assert (await _to(here, "/1/burn"))[0] == 404
        for count in ("", "many", "-1", "11"):
            assert (await _to(here, "", count=count))[0] == 422
