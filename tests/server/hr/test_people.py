"""The staff list by HR's form: all rows or none, each wrong row named, nobody else's."""

import pytest

from surveys.people import roster
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
