"""A unit that only has another name stays the unit that it was: nobody moves, and its results stay comparable."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surveys.lifecycle.units import new_units, with_names
from surveys.people import roster
from surveys.people.matching import PersonEntry
from surveys.people.roster import UnitEntry
from surveys.stores import StoreSettings
from tests.server.hr.offices import offices
from tests.server.hr.test_people import _look, _post

HEAD = "matricola,nome,territorio,servizio,squadra\n"
BEFORE = HEAD + "1,Ada,Prato,Pulizie,A\n2,Ugo,Prato,Pulizie,B\n3,Mei,Prato,Nido,\n4,Leo,Firenze,Pulizie,\n"
AFTER = BEFORE.replace("Prato,Pulizie", "Prato,Igiene")


async def _codes() -> dict[str, str]:
    return {unit.name: unit.code for unit in await roster.units() if unit.code.startswith("prato")}


async def test_hr_says_that_a_unit_has_a_new_name_and_it_keeps_its_code_its_teams_and_its_people(
    sqlite_settings: StoreSettings,
) -> None:
    async with offices(sqlite_settings) as here:
        await _post(here, BEFORE)
        before = await _codes()
        _, page, draft = await _look(here, AFTER)
        assert "Unità con un altro nome?" in page and "In un'altra unità: 2" in page
        [field] = re.findall(r'<select id="(unit_[^"]+)"', page)
        assert re.findall(r'<option value="(prato[^"]*)"', page) == [
            "prato.pulizie"
        ]  # not that of Firenze, nor the nursery
        answered = await here.post("/hr/people/confirm", draft=draft, **{field: "prato.pulizie"})
        assert answered.status_code == 303
        assert await _codes() == {
            **{name: code for name, code in before.items() if name != "Pulizie"},
            "Igiene": "prato.pulizie",
        }
        assert {known.entry.name: known.entry.unit for known in await roster.everyone()}["Ada"] == "prato.pulizie.a"
        _, page, _ = await _look(here, AFTER)  # the next list in the new names asks nothing
        assert "Unità con un altro nome?" not in page and "In un'altra unità: " not in page


async def test_without_a_word_it_is_a_new_unit(sqlite_settings: StoreSettings) -> None:
    async with offices(sqlite_settings) as here:
        await _post(here, BEFORE)
        await _post(here, AFTER)
        assert (await _codes())["Igiene"] == "prato.igiene"


async def test_what_was_chosen_stays_chosen_while_the_number_of_leavers_is_asked(
    sqlite_settings: StoreSettings,
) -> None:
    async with offices(sqlite_settings) as here:
        await _post(here, BEFORE)
        _, _, draft = await _look(here, AFTER.replace("4,Leo,Firenze,Pulizie,\n", ""))
        answered = await here.post("/hr/people/confirm?lang=it", draft=draft, **{"unit_prato.igiene": "prato.pulizie"})
        assert answered.status_code == 422 and '<option value="prato.pulizie" selected>' in answered.text
        assert "In un'altra unità: 2" not in answered.text


@pytest.mark.parametrize("old", ["prato.nido", "firenze.pulizie", "prato", "x", "prato.pulizie.a"])
async def test_a_name_that_is_no_new_one_of_that_unit_is_not_taken(sqlite_settings: StoreSettings, old: str) -> None:
    """Could merge two units into one code: the nursery is still there, and Firenze's service is another one."""
    async with offices(sqlite_settings) as here:
        await _post(here, BEFORE)
        _, _, draft = await _look(here, AFTER)
        assert (await here.post("/hr/people/confirm", draft=draft, **{"unit_prato.igiene": old})).status_code == 303
        codes = [unit.code for unit in await roster.units()]
        assert "prato.igiene" in codes and len(codes) == len(set(codes))


_names = st.sampled_from(["a", "b", "c", "d"])


def _tree(paths: set[tuple[str, str]]) -> list[UnitEntry]:
    tops = sorted({top for top, _ in paths})
    return [UnitEntry(top, top, "") for top in tops] + [UnitEntry(f"{t}.{u}", u, t) for t, u in sorted(paths)]


@given(
    st.sets(st.tuples(_names, _names), min_size=1),
    st.sets(st.tuples(_names, _names), min_size=1),
    st.data(),
)
def test_whatever_is_chosen_no_two_units_get_one_code_and_everybody_is_in_a_unit(
    before: set[tuple[str, str]], after: set[tuple[str, str]], data: st.DataObject
) -> None:
    present, units = _tree(before), _tree(after)
    every = [unit.code for unit in (*present, *units)]
    renamed = data.draw(st.dictionaries(st.sampled_from(every), st.sampled_from(every)))
    persons = [PersonEntry(unit.code, "", "it", unit.code, "f", "", {}) for unit in units]
    made, people = with_names(units, persons, present, renamed)
    codes = [unit.code for unit in made]
    assert len(codes) == len(set(codes)) and {person.unit for person in people} == set(codes)
    assert all(unit.parent in ("", *codes) for unit in made)
    assert [unit.name for unit in made] == [unit.name for unit in units]
    offered = {one.unit.code for one in new_units(units, present)}
    kept = {unit.code: new.code for unit, new in zip(units, made, strict=True) if unit.code != new.code}
    assert all(old in {unit.code for unit in present} for old in kept.values()) and (kept == {} or offered)
