"""The staff list by HR's form: all rows or none, each wrong row named, nobody else's."""

from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surveys.people import roster
from surveys.people.matching import Known, PersonEntry, match
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


async def _post(here: Offices, text: str, leaving: str = "") -> tuple[int, str]:
    answered = await here.post(
        "/hr/people?lang=it", "direzione", {"file": ("elenco.csv", text.encode())}, leaving=leaving
    )
    return answered.status_code, answered.text


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
        assert ("Nuove: 5." in page) is asks


async def test_who_only_moves_does_not_leave_and_is_counted_as_moved(sqlite_settings: StoreSettings) -> None:
    async with offices(sqlite_settings) as here:
        await _post(here, _list(40))
        assert (await _post(here, _list(40, unit="Firenze")))[0] == 303
        await _post(here, _list(40))
        status, page = await _post(here, _list(20, unit="Firenze"))
        assert status == 422 and "In un'altra unità: 20." in unescape(page)


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
