"""One person of the staff list: found, added, corrected, moved, marked as left; and the whole list as a file."""

import re
from html import unescape

import pytest

from server.frame.texts import say
from surveys.lifecycle import person
from surveys.lifecycle.context import Site
from surveys.people import log, roster
from surveys.people.matching import Known
from surveys.stores import StoreSettings
from tests.conftest import DAY
from tests.server.hr.offices import Offices, offices

LIST = (
    "matricola,nome,contatto,consenso,lingua,territorio,servizio,genere,età,Turno\n"
    "1,Ada Rossi,ada@esempio.invalid,modulo del 3 novembre,it,Prato,Nido,f,30-39,=1+1\n"
    "2,Ugo Neri,+39 055 123456,,ro,Prato,,m,60p,\n"
    "3,Mei Lin,,,zh,Firenze,,nb,u30,\n"
)
MEI = {"number": "3", "name": "Mei Lin", "unit": "firenze", "gender": "nb", "age": "u30", "language": "zh-Hans"}


async def _import(here: Offices, text: str) -> None:
    page = (await here.post("/hr/people", files={"file": ("elenco.csv", text.encode())})).text
    draft = re.findall(r'name="draft" value="([^"]+)"', page)[0]
    assert (await here.post("/hr/people/confirm", draft=draft)).status_code == 303


async def _known(number: str) -> Known:
    return next(known for known in await roster.everyone() if known.entry.number == number)


async def test_somebody_is_found_by_name_number_or_contact_and_no_address_holds_a_name(
    sqlite_settings: StoreSettings,
) -> None:
    async with offices(sqlite_settings) as here:
        await _import(here, LIST)
        for text, found in (
            ("ROSSI", {"1"}),
            ("003", {"3"}),
            ("055 12", {"2"}),
            ("e", {"1", "2", "3"}),
            ("zzz", set()),
        ):
            answered = await here.post("/hr/people/find?lang=it", text=text)
            rows = {f"/hr/people/one/{(await _known(number)).id}" for number in found}
            assert set(re.findall(r"/hr/people/one/\d+", answered.text)) == rows, text
        assert "Rossi" not in str(answered.request.url)


async def test_a_correction_and_a_move_keep_row_first_day_and_other_columns(sqlite_settings: StoreSettings) -> None:
    async with offices(sqlite_settings) as here:
        await _import(here, LIST)
        before = await _known("1")
        page = unescape((await here.get(f"/hr/people/one/{before.id}?lang=it")).text)
        assert 'value="Ada Rossi"' in page and 'value="modulo del 3 novembre"' in page
        told = {
            "number": "1",
            "name": "Ada Bianchi",
            "contact": "b@esempio.invalid",
            "unit": "firenze",
            "consent": "no",
        }
        answered = await here.post(f"/hr/people/one/{before.id}", **told)
        assert answered.headers["location"].endswith("done=person_corrected")
        after = await _known("1")
        assert (after.id, after.joined, after.entry.attributes) == (before.id, before.joined, {"Turno": "=1+1"})
        assert (after.entry.name, after.entry.contact, after.entry.unit) == (
            "Ada Bianchi",
            "b@esempio.invalid",
            "firenze",
        )
        assert (after.entry.consent, after.entry.gender) == ("no", "")
        last = (await log.read())[-1]
        assert (last.actor, last.act, last.details) == ("direzione", "person corrected", {})


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"name": " "}, "import.remedy.name"),
        ({"contact": "mei[at]x"}, "import.remedy.email"),
        ({"number": "02"}, "hr.person.refused_number_twice"),
        ({"number": ""}, "hr.person.refused_number"),
        ({"number": "9" * 61}, "import.remedy.number"),
        ({"unit": "altrove"}, "hr.person.refused_unit"),
        ({"unit": ""}, "import.remedy.territory"),
        ({"gender": "?"}, "import.remedy.gender"),
        ({"consent": "x" * 201}, "import.remedy.consent"),
    ],
)
@pytest.mark.parametrize("new", [True, False])
async def test_what_a_file_would_not_bring_no_hand_writes(
    sqlite_settings: StoreSettings, wrong: dict[str, str], said: str, new: bool
) -> None:
    async with offices(sqlite_settings) as here:
        await _import(here, LIST)
        before = await roster.everyone()
        place = "new" if new else f"one/{(await _known('3')).id}"
        answered = await here.post(f"/hr/people/{place}?lang=it", **MEI | ({"number": "4"} if new else {}) | wrong)
        assert answered.status_code == 422 and say("it", said) in unescape(answered.text)
        assert await roster.everyone() == before


async def test_a_form_that_lacks_fields_is_refused_in_words_and_an_empty_one_is_shown(
    sqlite_settings: StoreSettings,
) -> None:
    """Could break: a page that showed again what was typed had no word for what was not sent."""
    async with offices(sqlite_settings) as here:
        await _import(here, LIST)
        assert (await here.get("/hr/people/new?lang=it")).status_code == 200
        for place in ("new", f"one/{(await _known('3')).id}", "one/7"):
            for typed in ({}, {"name": "Leo"}, {"name": "Leo\x00", "unit": "prato", "number": "9" * 400}):
                assert (await here.post(f"/hr/people/{place}", **typed)).status_code == 422


@pytest.mark.parametrize("sign", ["\x00", "\ud83d", "\u202e"])
async def test_signs_that_no_store_keeps_are_left_out(sqlite_settings: StoreSettings, sign: str) -> None:
    """Could break: a lone surrogate in a name was a fault of the store."""
    async with offices(sqlite_settings) as here:
        await _import(here, LIST)
        site = Site(here.engines, sqlite_settings.data, DAY, "hr")
        await person.add(site, MEI | {"number": "4", "name": f"Leo{sign} Blu"})
        assert (await _known("4")).entry.name == "Leo Blu"


async def test_who_is_marked_as_left_is_off_the_list_and_comes_back_as_herself(sqlite_settings: StoreSettings) -> None:
    async with offices(sqlite_settings) as here:
        await _import(here, LIST)
        mei = await _known("3")
        assert (await here.post(f"/hr/people/one/{mei.id}/left")).headers["location"].endswith("person_left")
        assert await roster.count() == 2
        for path in (f"/hr/people/one/{mei.id}", "/hr/people/one/0", "/hr/people/one/x", f"/hr/people/one/{2**63}"):
            assert (await here.get(path)).status_code == 404
        answered = await here.post("/hr/people/new", **MEI)
        assert answered.headers["location"] == f"/hr/people/one/{mei.id}?done=person_added"
        assert (await _known("3")).entry.name == "Mei Lin" and (await _known("3")).joined == mei.joined
        assert [act.act for act in await log.read()][-2:] == ["person left", "person added"]


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
@pytest.mark.parametrize("language", ["it", "en"])
async def test_the_list_that_is_downloaded_changes_nothing_when_it_is_imported(
    sqlite_settings: StoreSettings, kind: str, language: str
) -> None:
    async with offices(sqlite_settings) as here:
        await _import(here, LIST)
        before = {known.id: known for known in await roster.everyone()}
        file = await here.get(f"/hr/people/file/{kind}?lang={language}")
        assert (await log.read())[-1].act == "people exported"
        page = await here.post("/hr/people?lang=it", files={"file": (f"personale.{kind}", file.content)})
        assert re.findall(r'<td class="num">(\d+)</td>', page.text) == ["0", "0", "0", "0"]
        draft = re.findall(r'name="draft" value="([^"]+)"', page.text)[0]
        await here.post("/hr/people/confirm", draft=draft)
        assert {known.id: known for known in await roster.everyone()} == before


@pytest.mark.parametrize("who", ["verifica", "rappresentante"])
async def test_who_is_not_of_hr_finds_and_changes_nobody(sqlite_settings: StoreSettings, who: str) -> None:
    async with offices(sqlite_settings) as here:
        await _import(here, LIST)
        before, mei = await roster.everyone(), await _known("3")
        for path in ("find", "new", f"one/{mei.id}", f"one/{mei.id}/left", "undo", "confirm"):
            assert (await here.post(f"/hr/people/{path}", who, **MEI)).status_code == 403
        for path in ("new", f"one/{mei.id}", "file/csv", "file/xlsx"):
            assert (await here.get(f"/hr/people/{path}", who)).status_code == 403
        assert await roster.everyone() == before
