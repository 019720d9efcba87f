"""The staff list by HR's form: all rows or none, each wrong row named, nobody else's."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surveys.lifecycle import clock
from surveys.lifecycle.context import Site, today
from surveys.lifecycle.roster import forget_lists, take_back
from surveys.people import lists, log, roster
from surveys.people.matching import Known, PersonEntry, match
from surveys.people.tables import ListBefore, ListDraft
from surveys.stores import StoreSettings, stores
from tests.conftest import DAY, small_cooperative
from tests.server.hr.offices import Offices, offices

HEAD = "nome,contatto,lingua,unità,territorio,genere,età\n"


async def _send(here: Offices, text: str | None, who: str = "direzione", name: str = "elenco.csv") -> tuple[int, str]:
    files = {"file": (name, text.encode())} if text is not None else {"file": ("", b"")}
    answered = await here.post("/hr/people?lang=it", who, files)
    return answered.status_code, answered.text


async def _of_before(settings: StoreSettings) -> None:
    async with stores(settings) as engines:
        await roster.replace(engines["people"], *small_cooperative(12), DAY)


@pytest.mark.parametrize("who", ["verifica", "rappresentante"])
async def test_who_is_not_of_hr_sees_and_changes_no_list(sqlite_settings: StoreSettings, who: str) -> None:
    await _of_before(sqlite_settings)
    async with offices(sqlite_settings) as here:
        assert (await _send(here, HEAD, who))[0] == 403
        assert (await here.get("/hr/people", who)).status_code == 403
        assert await roster.count() == 12


@pytest.mark.parametrize(
    ("text", "name"),
    [(None, ""), ("", "vuoto.csv"), ("x", "foto.jpg"), ("\0\0", "elenco.xlsx"), ("uno,due\n1,2\n", "a.csv")],
)
async def test_a_file_that_is_no_list_is_refused_in_words_and_the_list_stays(
    sqlite_settings: StoreSettings, text: str | None, name: str
) -> None:
    await _of_before(sqlite_settings)
    async with offices(sqlite_settings) as here:
        status, shown = await _send(here, text, name=name)
        assert status == 422 and ('role="alert"' in shown or "<table" in shown)
        assert await roster.count() == 12


def _list(count: int, first: int = 0, unit: str = "Prato") -> str:
    rows = (f"Persona {n},p{n}@esempio.invalid,it,,{unit},f,30_39" for n in range(first, first + count))
    return HEAD + "\n".join(rows) + "\n"


async def _look(here: Offices, text: str, who: str = "direzione") -> tuple[int, str, str]:
    """Send a file and look: the status, the page and the draft that it keeps."""
    answered = await here.post("/hr/people?lang=it", who, {"file": ("elenco.csv", text.encode())})
    found = re.search(r'name="draft" value="([^"]+)"', answered.text)
    return answered.status_code, unescape(answered.text), found[1] if found else ""


async def _post(here: Offices, text: str, leaving: str = "", **more: str) -> tuple[int, str]:
    """Send a file, and say yes to what it changes."""
    _, _, draft = await _look(here, text)
    answered = await here.post("/hr/people/confirm?lang=it", draft=draft, leaving=leaving, **more)
    return answered.status_code, unescape(answered.text)


async def test_a_file_of_two_rows_does_not_make_two_people_of_a_whole_staff(sqlite_settings: StoreSettings) -> None:
    """Could lose everybody: 430 people became 2, without a question."""
    async with offices(sqlite_settings) as here:
        assert (await _post(here, _list(40)))[0] == 303 and await roster.count() == 40
        for leaving in ("", "2", "37", "39", "-38", "x", "38.0", "9" * 40):
            status, page = await _post(here, _list(2), leaving)
            assert status == 422 and "non ci sono 38 delle 40 persone" in page and "Persona 9" in page, leaving
            assert await roster.count() == 40
        assert (await _post(here, _list(2), "38"))[0] == 303 and await roster.count() == 2


@pytest.mark.parametrize(("kept", "asks"), [(40, False), (38, False), (37, True)])
async def test_up_to_five_of_a_hundred_leave_without_a_word(
    sqlite_settings: StoreSettings, kept: int, asks: bool
) -> None:
    async with offices(sqlite_settings) as here:
        await _post(here, _list(40))
        status, page = await _post(here, _list(kept + 5, first=40 - kept))
        assert (status == 422) is asks and await roster.count() == (40 if asks else kept + 5)
        assert ("Persone nuove: 5" in page) is asks


async def test_who_only_moves_does_not_leave_and_is_counted_as_moved(sqlite_settings: StoreSettings) -> None:
    async with offices(sqlite_settings) as here:
        await _post(here, _list(40))
        assert (await _post(here, _list(40, unit="Firenze")))[0] == 303
        await _post(here, _list(40))
        status, page = await _post(here, _list(20, unit="Firenze"))
        assert status == 422 and "In un'altra unità: 20" in page


def _numbered(*rows: str) -> str:
    return "matricola,nome,contatto,territorio\n" + "\n".join(rows) + "\n"


async def test_what_a_list_changes_is_shown_first_and_nothing_is_written_before_the_yes(
    sqlite_settings: StoreSettings,
) -> None:
    rows = [f"{n},Persona {n},p{n}@esempio.invalid,Prato" for n in range(40)]
    async with offices(sqlite_settings) as here:
        await _post(here, _numbered(*rows))
        before = await roster.everyone()
        rows[:4] = ["0,Ada Bianchi,ada@esempio.invalid,Prato", "1,Persona 1,p1@esempio.invalid,Firenze"]
        status, page, draft = await _look(here, _numbered(*rows, "99,Leo Blu,,Firenze"))
        assert status == 200 and await roster.everyone() == before
        for told in (
            "Persone nuove: 1",
            "Leo Blu</strong> · Firenze",
            "Dati corretti: 1",
            "nome: Persona 0 → Ada Bianchi; contatto: p0@esempio.invalid → ada@esempio.invalid",
            "In un'altra unità: 1",
            "unità: Prato → Firenze",
            "Persone che escono: 2",
        ):
            assert told in page, told
        assert (await here.post("/hr/people/confirm", draft=draft)).status_code == 303
        assert {known.entry.name for known in await roster.everyone()} >= {"Ada Bianchi", "Leo Blu"}
        assert await ListDraft.count() == 0
        again = await here.post("/hr/people/confirm?lang=it", draft=draft)
        assert again.status_code == 422 and "non aspetta più" in again.text


async def test_a_move_between_two_units_of_one_name_says_from_where_to_where(sqlite_settings: StoreSettings) -> None:
    """Could mislead: the nursery of Prato and that of Firenze have one name, and the preview said "Nido → Nido"."""
    head = "matricola,nome,territorio,servizio\n"
    async with offices(sqlite_settings) as here:
        await _post(here, head + "1,Ada,Prato,Nido\n2,Ugo,Firenze,Nido\n")
        _, page, _ = await _look(here, head + "1,Ada,Firenze,Nido\n2,Ugo,Firenze,Nido\n")
        assert "unità: Prato · Nido → Firenze · Nido" in page


async def test_who_is_who_is_asked_and_stays_chosen_while_the_number_of_leavers_is_asked_too(
    sqlite_settings: StoreSettings,
) -> None:
    async with offices(sqlite_settings) as here:
        await _post(here, _list(20))
        mei = next(known.id for known in await roster.everyone() if known.entry.name == "Persona 0")
        text = _numbered(
            *(f"{n},Persona {n},{'nuovo' if n == 0 else f'p{n}'}@esempio.invalid,Prato" for n in range(15))
        )
        _, page, draft = await _look(here, text)
        assert "Da decidere chi sono" in page and f'<option value="{mei}">' in page and "Quante persone" not in page
        answered = await here.post("/hr/people/confirm?lang=it", draft=draft)
        assert answered.status_code == 422 and "Prima scegli chi è ogni persona" in answered.text
        draft = re.findall(r'name="draft" value="([^"]+)"', answered.text)[0]
        answered = await here.post("/hr/people/confirm?lang=it", draft=draft, who_0=str(mei))
        assert answered.status_code == 422 and "non ci sono 5 delle 20" in answered.text
        assert f'name="who_0" value="{mei}"' in answered.text
        draft = re.findall(r'name="draft" value="([^"]+)"', answered.text)[0]
        answered = await here.post("/hr/people/confirm", draft=draft, who_0=str(mei), leaving="5")
        assert answered.status_code == 303
        assert next(known.id for known in await roster.everyone() if known.entry.number == "0") == mei


async def test_a_list_waits_for_its_own_account_for_an_hour_and_against_the_list_that_it_was_held_against(
    sqlite_settings: StoreSettings,
) -> None:
    async with offices(sqlite_settings) as here:
        await _post(here, _list(20))
        _, _, draft = await _look(here, _list(21))
        assert (await here.post("/hr/people/confirm", "risorse", draft=draft)).status_code == 422
        await roster.replace(here.engines["people"], await roster.units(), [], DAY)  # by somebody else, meanwhile
        answered = await here.post("/hr/people/confirm?lang=it", draft=draft)
        assert answered.status_code == 422 and "l'elenco è cambiato" in unescape(answered.text)
        assert await roster.count() == 0
        _, _, draft = await _look(here, _list(21))
        await ListDraft.update({ListDraft.ends: datetime.now(UTC)}).where(ListDraft.id == draft)
        assert (await here.post("/hr/people/confirm", draft=draft)).status_code == 422 and await roster.count() == 0
        await forget_lists(Site(here.engines, sqlite_settings.data, today(), "ascolto"), datetime.now(UTC))
        assert await ListDraft.count() == 0
        assert b"Persona 20" not in (sqlite_settings.data / "people.sqlite").read_bytes()


async def test_the_last_import_is_undone_for_thirty_days_by_a_button_that_says_whose_it_was(
    sqlite_settings: StoreSettings,
) -> None:
    async with offices(sqlite_settings) as here:
        await _post(here, _list(20))
        before, units = await roster.everyone(), await roster.units()
        assert "Annulla l" not in (await here.get("/hr/people?lang=it")).text  # there was no list before
        await _post(here, _list(2, first=18, unit="Firenze"), "18")
        assert "Annulla l'importazione di direzione" in unescape((await here.get("/hr/people?lang=it")).text)
        assert (await here.post("/hr/people/undo", "verifica")).status_code == 403 and await roster.count() == 2
        answered = await here.post("/hr/people/undo")
        assert answered.headers["location"].endswith("import_undone")
        by_id = {known.id: known for known in before}
        assert {known.id: known for known in await roster.everyone()} == by_id and await roster.units() == units
        acts = [(act.actor, act.act, dict(act.details)) for act in await log.read() if "import" in act.act]
        assert acts[-1] == ("direzione", "import taken back", {"by": "direzione", "imported": today().isoformat()})
        assert acts[-2][:2] == ("direzione", "people imported")
        assert (await here.post("/hr/people/undo")).headers["location"].endswith("import_not_undone")


@pytest.mark.parametrize(("days", "there"), [(29, True), (30, False)])
async def test_after_thirty_days_nothing_is_kept_of_the_list_before(site: Site, days: int, there: bool) -> None:
    units, persons = small_cooperative(12)
    people = site.engines["people"]
    await roster.replace(people, units, persons, DAY)
    async with people.transaction():
        await lists.keep_before(DAY, "hr")
        await roster.replace(people, units, persons[:6], DAY)
    later = replace(site, day=DAY + timedelta(days=days))
    assert (await lists.before(later.day) is not None) is there
    for day in (later.day, later.day + timedelta(days=1)):  # what deletes goes by the day before
        clock.look(site.data, day)
    await forget_lists(later, datetime.now(UTC))
    assert await ListBefore.exists() is there and await take_back(later) is there
    assert await roster.count() == (12 if there else 6)


async def test_under_a_clock_that_nobody_believes_no_list_is_deleted(site: Site) -> None:
    """Done from outside: a file that HR looked at deleted the list that could be taken back, on a day years ahead."""
    units, persons = small_cooperative(12)
    people = site.engines["people"]
    async with people.transaction():
        await roster.replace(people, units, persons, DAY)
        await lists.keep_before(DAY, "hr")
    for day in (DAY, DAY + timedelta(days=1), DAY + timedelta(days=900)):
        clock.look(site.data, day)
    await forget_lists(replace(site, day=DAY + timedelta(days=900)), datetime.now(UTC))
    assert await ListBefore.exists()


entries = st.lists(
    st.builds(
        PersonEntry,
        st.sampled_from("abc"),
        st.sampled_from(("", "1")),
        st.just("it"),
        st.sampled_from(("u", "v")),
        st.just(""),
        st.just(""),
        st.just({}),
    ),
    max_size=12,
)


@given(entries, entries)
def test_everybody_came_left_moved_or_stayed(before: list[PersonEntry], after: list[PersonEntry]) -> None:
    """Of homonyms as many as there are: nobody is counted twice or lost."""
    found = match(_known(before), after).changes
    assert found.before == len(before)
    assert len(before) - len(found.left) == len(after) - len(found.added)  # who stayed or moved
    assert len(found.moved) <= len(after) - len(found.added)
    same = match(_known(after), after).changes
    assert (same.added, same.left, same.moved, same.changed) == ((), (), (), ())


def _known(entries: list[PersonEntry]) -> list[Known]:
    return [Known(place, None, entry) for place, entry in enumerate(entries, start=1)]
