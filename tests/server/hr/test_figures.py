"""Figures by gender by HR's form: kept whole or not at all, read by HR and the auditor alone, proposed and never decided."""

import re
from dataclasses import replace
from fractions import Fraction
from typing import Any

import httpx
import pytest

from analysis.pdr125.year_figures import Heads, SectorAverage
from surveys.importing.figures import as_workbook, filled_rows
from surveys.importing.forms import MEDIA as KINDS
from surveys.importing.forms import as_csv
from surveys.lifecycle.context import today
from surveys.people import figures
from surveys.people.figures import Kept
from surveys.public import evidence
from surveys.stores import StoreSettings, stores
from tests.analysis.pdr125.years import WHOLE
from tests.server.hr.offices import Offices, offices
from tests.surveys.importing.test_figures import WORDS

LAST = today().year - 1
YEARLY = replace(WHOLE, year=LAST, sector_headcount=None, sector_executives=None)
ALONE = "27.600"
"""What the women of level B earn on average in `WHOLE`, as a page prints it."""


def filled(kind: str = "csv", **other: Any) -> tuple[str, bytes]:
    rows = filled_rows(replace(YEARLY, **other), WORDS, ())
    return f"anno.{kind}", as_csv(rows) if kind == "csv" else as_workbook(rows)


async def seen(here: Offices, path: str = "/hr/figures") -> str:
    found = re.search(r'name="seen" value="(\w+)"', (await here.get(path)).text)
    assert found
    return found[1]


async def send(
    here: Offices, file: tuple[str, bytes] | None = None, who: str = "direzione", **other: str
) -> httpx.Response:
    given = {"year": str(LAST), "source": "Libro unico"} | other
    given.setdefault("seen", await seen(here))
    return await here.post("/hr/figures?lang=it", who, {"file": file or filled()}, **given)


async def _keep(settings: StoreSettings, *years: Kept) -> None:
    async with stores(settings) as engines:
        for one in years:
            await figures.keep(engines["people"], one, figures.mark_of(await figures.everything()))


KEPT = Kept(replace(WHOLE, year=LAST), "Libro unico", "direzione", today())
BEFORE = Kept(replace(WHOLE, year=LAST - 1, unit_heads=Heads(1, 9)), "Libro unico", "direzione", today())


@pytest.mark.parametrize("kind", list(KINDS))
async def test_a_filled_template_is_kept_and_each_indicator_says_what_it_makes_of_it(
    sqlite_settings: StoreSettings, kind: str
) -> None:
    async with offices(sqlite_settings) as here:
        answered = await send(here, filled(kind))
        assert (answered.status_code, answered.headers["location"]) == (
            303,
            f"/hr/figures/{LAST}?done=figures_kept",
        )
        assert await figures.everything() == {LAST: Kept(YEARLY, "Libro unico", "direzione", today())}
        page = (await here.get(f"/hr/figures/{LAST}?lang=it")).text
        # of WHOLE: 20 of 50 heads of units are women; seats 3 of 9; no sector averages yet
        assert "donne: 20 su 50 = 40\u00a0%" in page and "Soddisfa la regola" in page
        assert "genere meno rappresentato: 3 su 9 = 33,33\u00a0%" in page
        assert f"Media di settore: donne nel personale, {LAST}" in page
        assert f"I dati dell&#39;anno prima, {LAST - 1}" in page
        assert "Soddisfa la regola: 1 · " in (await here.get("/hr/figures?lang=it")).text


async def test_the_template_that_is_downloaded_is_read_back_and_has_the_levels_of_the_newest_year(
    sqlite_settings: StoreSettings,
) -> None:
    await _keep(sqlite_settings, KEPT)
    async with offices(sqlite_settings) as here:
        for kind, media in KINDS.items():
            empty = await here.get(f"/hr/figures/template/{kind}")
            assert (empty.status_code, empty.headers["content-type"].partition(";")[0]) == (200, media)
            assert (await send(here, (f"a.{kind}", empty.content))).status_code == 422  # nothing is filled in
            again = await here.get(f"/hr/figures/{LAST}/file/{kind}")
            assert (await send(here, (f"a.{kind}", again.content), source="Rivisto")).status_code == 303
            assert (await figures.everything())[LAST].figures == KEPT.figures
        assert "Retribuzione lorda annua media" in (await here.get("/hr/figures/template/csv")).text
        assert re.findall(r"^pay;.*?;(\w);", (await here.get("/hr/figures/template/csv")).text, re.M) == ["A", "B"]
        assert (await here.get("/hr/figures/template/exe")).status_code == 404
        assert (await here.get(f"/hr/figures/{LAST - 1}/file/csv")).status_code == 404


@pytest.mark.parametrize("who", ["verifica", "rappresentante", ""])
async def test_who_is_not_of_hr_changes_nothing_and_downloads_nothing(sqlite_settings: StoreSettings, who: str) -> None:
    await _keep(sqlite_settings, KEPT)
    async with offices(sqlite_settings) as here:
        here.sessions[""] = "f" * 43
        expected = 403 if who else 303  # to the sign-in
        for path in ("/hr/figures", f"/hr/figures/{LAST}", "/hr/figures/template/csv", f"/hr/figures/{LAST}/file/xlsx"):
            answered = await here.get(path, who)
            assert answered.status_code == expected and ALONE not in answered.text
        for path in ("/hr/figures", f"/hr/figures/{LAST}/sector", f"/hr/figures/{LAST}/remove"):
            answered = await here.post(path, who, year=str(LAST), source="x", seen=await seen(here))
            assert answered.status_code == expected
            assert answered.status_code == 403 or answered.headers["location"].startswith("/account/in")
        assert await figures.everything() == {LAST: KEPT}


async def test_the_auditor_reads_all_of_it_without_a_form_and_nobody_else_does(sqlite_settings: StoreSettings) -> None:
    await _keep(sqlite_settings, KEPT)
    async with offices(sqlite_settings) as here:
        for path in ("/audit/figures", f"/audit/figures/{LAST}"):
            page = await here.get(f"{path}?lang=it", "verifica")
            assert page.status_code == 200
            assert "<input" not in page.text.partition("<main>")[2]
            assert (await here.get(path, "rappresentante")).status_code == 403
        assert ALONE in (await here.get(f"/audit/figures/{LAST}?lang=it", "verifica")).text
        assert (await here.get("/audit/figures/1999", "verifica")).status_code == 404
        for public in ("/", "/results/", "/trust", "/help"):
            assert ALONE not in (await here.client.get(public)).text


async def test_a_file_with_faults_names_each_and_keeps_what_was(sqlite_settings: StoreSettings) -> None:
    await _keep(sqlite_settings, KEPT)
    rows = filled_rows(YEARLY, WORDS, ())
    rows[1][4], rows[2][5] = "trecento", "101"
    async with offices(sqlite_settings) as here:
        answered = await send(here, ("anno.csv", as_csv(rows)), source="Libro <unico>")
        assert answered.status_code == 422 and 'role="alert"' in answered.text
        assert "trecento" in answered.text and "scrivi un numero come 12" in answered.text
        assert f'value="{LAST}"' in answered.text and "Libro &lt;unico&gt;" in answered.text
        rows[1][4] = "300"
        answered = await send(here, ("anno.csv", as_csv(rows)))
        assert "non può essere più dell&#39;organico" in answered.text
        assert await figures.everything() == {LAST: KEPT}


async def test_of_many_faults_twenty_are_told_and_the_rest_is_counted(sqlite_settings: StoreSettings) -> None:
    rows = [filled_rows(None, WORDS, ())[0], *([f"x{i}", "", "", "", "1", "", "", ""] for i in range(33))]
    async with offices(sqlite_settings) as here:
        answered = await send(here, ("anno.csv", as_csv(rows)))
        assert answered.text.count("usa un codice del modello") == 20
        assert "Ci sono 33 celle da correggere" in answered.text and "E altre 13." in answered.text


@pytest.mark.parametrize(
    ("file", "given", "said"),
    [
        (("", b""), {}, "Prima scegli un file."),
        (("a.csv", b""), {}, "vuoto"),
        (("a.xlsx", b"PK\x03\x04"), {}, "rovinato"),
        (("a.csv", b"uno,due\n1,2\n"), {}, "codice / code"),
        (None, {"year": "duemila"}, "quattro cifre"),
        (None, {"year": "1999"}, "quattro cifre"),
        (None, {"year": "9" * 400}, "quattro cifre"),
        (None, {"year": str(LAST + 2)}, "non è ancora cominciato"),
        (None, {"source": " "}, "da dove vengono"),
        (None, {"seen": "0" * 32}, "qualcuno ha cambiato"),
    ],
)
async def test_what_cannot_be_kept_is_refused_in_words(
    sqlite_settings: StoreSettings, file: tuple[str, bytes] | None, given: dict[str, str], said: str
) -> None:
    async with offices(sqlite_settings) as here:
        answered = await send(here, file, **given)
        assert answered.status_code == 422 and said in answered.text
        assert await figures.everything() == {}


async def test_the_same_upload_twice_is_refused_the_second_time_and_a_new_page_replaces(
    sqlite_settings: StoreSettings,
) -> None:
    async with offices(sqlite_settings) as here:
        mark = await seen(here)
        assert (await send(here, seen=mark)).status_code == 303
        assert (await send(here, seen=mark)).status_code == 422
        assert (await send(here, filled(unit_heads=Heads(25, 25)))).status_code == 303
        assert (await figures.everything())[LAST].figures.unit_heads == Heads(25, 25)


AVERAGES = {
    "sector_headcount_share": "62,5",
    "sector_headcount_source": "ISTAT, divisione 88",
    "sector_headcount_year": str(LAST - 1),
}


async def test_sector_averages_are_kept_with_source_and_year_and_stay_when_the_year_is_uploaded_again(
    sqlite_settings: StoreSettings,
) -> None:
    await _keep(sqlite_settings, replace(KEPT, figures=YEARLY))
    async with offices(sqlite_settings) as here:
        path = f"/hr/figures/{LAST}"
        answered = await here.post(f"{path}/sector", seen=await seen(here), **AVERAGES)
        assert answered.status_code == 303
        kept = SectorAverage(Fraction(625, 1000), "ISTAT, divisione 88", LAST - 1)
        assert (await figures.everything())[LAST].figures == replace(YEARLY, sector_headcount=kept)
        assert f"62,5\u00a0% (ISTAT, divisione 88, {LAST - 1})" in (await here.get(f"{path}?lang=it")).text
        await send(here)
        assert (await figures.everything())[LAST].figures.sector_headcount == kept
        await here.post(f"{path}/sector", seen=await seen(here))  # all empty: none
        assert (await figures.everything())[LAST].figures == YEARLY


@pytest.mark.parametrize(
    ("field", "typed", "said"),
    [
        ("share", "tanto", "un numero da 0 a 100"),
        ("share", "101", "un numero da 0 a 100"),
        ("share", "", "un numero da 0 a 100"),
        ("source", "", "chi la pubblica"),
        ("source", "x" * 201, "chi la pubblica"),
        ("year", "ieri", "quattro cifre"),
    ],
)
async def test_a_sector_average_that_cannot_be_is_refused_with_what_was_typed(
    sqlite_settings: StoreSettings, field: str, typed: str, said: str
) -> None:
    await _keep(sqlite_settings, KEPT)
    async with offices(sqlite_settings) as here:
        wrong = AVERAGES | {f"sector_headcount_{field}": typed, "seen": await seen(here)}
        answered = await here.post(f"/hr/figures/{LAST}/sector?lang=it", **wrong)
        assert answered.status_code == 422 and said in answered.text and "personale" in answered.text
        assert f'value="{typed}"' in answered.text
        assert await figures.everything() == {LAST: KEPT}
        late = await here.post(f"/hr/figures/{LAST}/sector?lang=it", **AVERAGES, seen="0" * 32)
        assert late.status_code == 422 and "qualcuno ha cambiato" in late.text


async def test_a_year_that_is_removed_is_gone_and_a_year_that_is_not_there_is_not_found(
    sqlite_settings: StoreSettings,
) -> None:
    await _keep(sqlite_settings, KEPT)
    async with offices(sqlite_settings) as here:
        path = f"/hr/figures/{LAST}"
        assert (await here.post(f"{path}/remove", seen="0" * 32)).status_code == 422
        assert (await here.post(f"{path}/remove", seen=await seen(here))).status_code == 303
        assert await figures.everything() == {}
        for gone in (path, "/hr/figures/1", f"/hr/figures/{'9' * 30}"):
            assert (await here.get(gone)).status_code == 404
            for act in ("remove", "sector"):
                assert (await here.post(f"{gone}/{act}", seen="")).status_code == 404


async def test_beside_the_evidence_the_newest_year_is_proposed_and_no_state_is_set(
    sqlite_settings: StoreSettings,
) -> None:
    await _keep(sqlite_settings, KEPT, BEFORE)
    async with offices(sqlite_settings) as here:
        page = (await here.get("/hr/indicators/4.5?lang=it")).text
        assert f"Proposto dai dati del {LAST}: 40\u00a0%. Soddisfa la regola." in page
        assert "lo stato lo decide una persona" in page
        assert f'href="/hr/figures/{LAST}?lang=it#i4.5"' in page
        assert (
            f'href="/audit/figures/{LAST}?lang=it#i4.5"'
            in (await here.get("/audit/indicators/4.5?lang=it", "verifica")).text
        )
        assert "Da verificare sulla prassi" in (await here.get("/hr/indicators/4.4?lang=it")).text
        assert "Proposto" not in (await here.get("/hr/indicators/1.1?lang=it")).text
        assert {state.state for state in (await evidence.everything()).values()} == set()


async def test_pages_speak_english_too(sqlite_settings: StoreSettings) -> None:
    await _keep(sqlite_settings, KEPT, BEFORE)
    async with offices(sqlite_settings) as here:
        page = (await here.get(f"/hr/figures/{LAST}?lang=en")).text
        assert "women: 20 of 50 = 40\u00a0%" in page and "Meets the rule" in page and "27,600\u00a0€" in page
        assert "Does not meet the rule" in (await here.get(f"/hr/figures/{LAST - 1}?lang=en")).text


async def test_what_may_be_told_outside_leaves_a_level_of_few_out(sqlite_settings: StoreSettings) -> None:
    few = replace(WHOLE.levels[1], name="Z", heads=Heads(1, 9), promoted=Heads(0, 0), pay_women=Fraction(41_234))
    levels = (*WHOLE.levels, few)
    wide = replace(KEPT, figures=replace(KEPT.figures, headcount=Heads(300, 200), levels=levels))
    await _keep(sqlite_settings, wide)
    async with offices(sqlite_settings) as here:
        page = (await here.get(f"/hr/figures/{LAST}?lang=it")).text
        own, _, outside = page.partition("Retribuzioni: che cosa si può dire fuori da qui")
        assert "41.234" in own  # HR reads it
        assert "41.2" not in outside and "2 livelli non si dicono" in outside


async def test_a_year_without_levels_says_nothing_of_pay(sqlite_settings: StoreSettings) -> None:
    await _keep(sqlite_settings, replace(KEPT, figures=replace(KEPT.figures, levels=())))
    async with offices(sqlite_settings) as here:
        page = (await here.get(f"/hr/figures/{LAST}?lang=it")).text
        assert "fuori da qui" not in page and f"Livelli con donne e uomini, {LAST}" in page
        assert "Soddisfa la regola" in page  # 4.5 needs no level


async def test_what_hr_did_is_a_line_of_the_log_that_the_representative_reads(sqlite_settings: StoreSettings) -> None:
    async with offices(sqlite_settings) as here:
        await send(here)
        page = (await here.get("/keys/log?lang=it", "rappresentante")).text
        assert f"Dati per genere del {LAST} salvati." in page and ALONE not in page
