"""The management's answer by HR's form: of two who write at once, the second reads the first and loses nothing of her own."""

import re
from html import unescape
from typing import Any

import pytest

from server.frame.texts import say
from surveys.languages import LANGUAGES
from surveys.public import promises, waves
from surveys.public.waves import State, WaveRecord
from surveys.stores import StoreSettings
from tests.conftest import DAY
from tests.server.hr.offices import Offices
from tests.server.hr.readings import reading

FIRST = {"answer_it": "A Prato i turni escono due settimane prima.", "answer_ro": "La Prato, turele apar mai devreme."}
SECOND = {f"answer_{code}": "" for code in LANGUAGES} | {
    "answer_it": "Ci vediamo in ogni servizio entro marzo.",
    "answer_en": "We meet in each service by March.",
}


async def seen(here: Offices, page: str) -> str:
    """The mark that the form of the answer carries."""
    found = re.search(r'name="seen" value="(\w+)"', (await here.get(page)).text)
    assert found
    return found[1]


def _fields(page: str) -> dict[str, str]:
    return {name: unescape(words) for name, words in re.findall(r'<textarea id="(answer_[\w-]+)"[^>]*>([^<]*)<', page)}


@pytest.mark.parametrize("path", ["/hr/results/adesso", "/hr/waves/nulla"])
async def test_who_answers_second_reads_what_the_first_published_beside_her_own_words(tmp_path: Any, path: str) -> None:
    """Was lost: two people write for an hour, and the one who sends last wipes out the other in nine languages."""
    async with reading(StoreSettings(tmp_path)) as here:
        public = here.engines["public"]
        await waves.add(public, WaveRecord("nulla", {"it": "Nulla"}, State.PLANNED, starts=DAY, ends=DAY))
        await promises.sign(public, "nulla", DAY.replace(year=DAY.year + 1), "Rosa", DAY)
        await waves.change(public, "nulla", State.PLANNED, state=State.CANCELLED)
        wave, both = path.rpartition("/")[2], [await seen(here, path), await seen(here, path)]
        first = await here.post(f"{path}/answer?lang=it", by="Rosa", seen=both[0], **FIRST)
        assert first.status_code == 303
        for old in (both[1], "", "0" * 32):
            told = await here.post(f"{path}/answer?lang=it", "risorse", by="Anna", seen=old, **SECOND)
            page = unescape(told.text)
            assert told.status_code == 422 and say("it", "hr.promise.refused.changed") in page
            assert FIRST["answer_ro"] in re.findall(r"<blockquote[^>]*>([^<]+)<", page)
            assert _fields(page) == SECOND
            kept = await promises.of(wave)
            assert kept is not None and (kept.answer["ro"], kept.answered_by) == (FIRST["answer_ro"], "Rosa")
        again = SECOND | {"answer_ro": FIRST["answer_ro"], "by": "Anna"}
        again["seen"] = re.findall(r'name="seen" value="(\w+)"', page)[0]
        assert (await here.post(f"{path}/answer?lang=it", "risorse", **again)).is_redirect
        kept = await promises.of(wave)
        assert kept is not None and {f"answer_{code}" for code in kept.answer} == {
            "answer_it",
            "answer_en",
            "answer_ro",
        }


async def test_another_refusal_does_not_make_seen_what_was_published_meanwhile(tmp_path: Any) -> None:
    """Would be lost: too short at first, sent again longer, and over an answer that nobody was told of."""
    async with reading(StoreSettings(tmp_path)) as here:
        path = "/hr/results/adesso"
        old = await seen(here, path)
        await here.post(f"{path}/answer", by="Rosa", seen=old, **FIRST)
        short = await here.post(f"{path}/answer?lang=it", "risorse", by="Anna", seen=old, answer_it="Poco")
        assert short.status_code == 422 and f'name="seen" value="{old}"' in short.text
