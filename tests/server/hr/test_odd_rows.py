"""Rows that no page wrote - a broken backup, somebody's own SQL - take no page of HR or the auditor down: they are named, the rest is read."""

import re
from dataclasses import replace
from html import unescape
from typing import Any

import pytest
from httpx import Response
from piccolo.table import Table

from server.frame.texts import say
from server.papers.pack_evidence import figures_part
from server.papers.pack_part import About, Gap
from server.papers.pack_register import register_part
from surveys.engines import PooledSQLite, SQLiteError
from surveys.languages import LANGUAGES
from surveys.lifecycle.context import Site, today
from surveys.odd import StoreOdd
from surveys.people import figures, panel, roster
from surveys.people.figures import Kept
from surveys.people.roster import PersonEntry, UnitEntry
from surveys.people.tables import ReportedYear
from surveys.public import actions, evidence, evidence_state, organisation, register, waves
from surveys.public.evidence_state import EvidenceState
from surveys.public.register_entry import REVIEW, Entry
from surveys.public.tables import RegisterAct, RegisterDocument, RegisterEntry
from surveys.public.waves import State, WaveRecord
from surveys.stores import StoreSettings
from tests.analysis.pdr125.years import WHOLE
from tests.conftest import ORGANISATION
from tests.overhearing import overheard, tables_of
from tests.server.hr.offices import Offices, offices

NOW = today()
GOOD, ODD = "Riga che resta intera", "Riga che si rompe"
YEAR = WHOLE.year
CELLS = (
    "X'ff00fe'",
    "'bogus'",
    "'2026-13-45'",
    "''",
    "'{'",
    "'{\"year\": 1}'",
    "'[[]]'",
    "-1",
    "9e99",
    "'\u0661'",
    "NULL",
)
"""What a cell may hold after the worst: bytes, words, a day that there is not, nothing, JSON of something else, numbers."""
PATHS = (
    "/hr",
    "/hr/register",
    "/hr/register?state=late&kind=review",
    "/hr/register/1",
    "/hr/register/2",
    "/hr/register/new",
    "/hr/register/import",
    "/hr/register/file/csv",
    "/hr/register/file/xlsx",
    "/hr/indicators/1.5",
    "/hr/indicators/5.1",
    "/hr/figures",
    f"/hr/figures/{YEAR}",
    f"/hr/figures/{YEAR - 1}",
    "/hr/figures/template/csv",
    f"/hr/figures/{YEAR - 1}/file/csv",
)
AUDITED = (
    "/audit",
    "/audit/register",
    "/audit/register/1",
    "/audit/register/2",
    "/audit/figures",
    f"/audit/figures/{YEAR}",
)

LISTED = ("/hr/register", "/hr/register/1", "/hr/register/file/csv", "/audit/register", "/audit/register/1")
"""Where the line that is whole is read."""


async def _filled(here: Offices) -> None:
    """Two lines of the register, the second closed, with a document each; two years of figures."""
    public, who = here.engines["public"], "anna"
    for title in (GOOD, ODD):
        await register.add(public, Entry(REVIEW, title, owner="Rosa", indicator="1.5", due=NOW), who, NOW)
    for number in (1, 2):
        link = "https://example.org"
        await register.add_document(public, number, f"Verbale {number}", NOW, NOW, who=who, link=link)
    for year in (YEAR - 1, YEAR):
        seen = figures.mark_of(await figures.everything())
        await figures.keep(here.engines["people"], _kept(year), seen)


def _kept(year: int) -> Kept:
    return Kept(replace(WHOLE, year=year), "Libro unico", "anna", NOW)


def _columns() -> list[tuple[type[Table], str]]:
    tables = RegisterEntry, RegisterDocument, RegisterAct, ReportedYear
    return [(table, column._meta.name) for table in tables for column in table.all_columns()]


WHERE = {
    RegisterEntry: '"number" = 2',
    RegisterDocument: '"entry" = 2',
    RegisterAct: '"entry" = 2',
    ReportedYear: f'"year" = {YEAR}',
}


@pytest.mark.parametrize(("table", "column"), _columns(), ids=lambda one: getattr(one, "__name__", one))
async def test_whatever_stands_in_a_cell_every_page_opens_and_the_other_rows_are_read(
    sqlite_settings: StoreSettings, table: type[Table], column: str
) -> None:
    """Every column, each with all that it may come to hold, and the pages that read its table; what the database itself refuses to
    keep cannot stand in it."""
    async with offices(sqlite_settings) as here:
        await _filled(here)
        engine = table._meta.db
        assert isinstance(engine, PooledSQLite)
        name = table._meta.tablename
        whole = await engine._run_in_new_connection(f'SELECT * FROM "{name}"')
        said, reading = await overheard(here.engines), []
        for path in (*PATHS, *AUDITED):
            said.clear()
            assert (await _opened(here, path)).status_code == 200, path
            if name in tables_of(said):
                reading.append(path)
        assert len(reading) > 4
        for cell in CELLS:
            try:
                await engine._run_in_new_connection(f'UPDATE "{name}" SET "{column}" = {cell} WHERE {WHERE[table]}')
            except SQLiteError:  # a key that is another row's, or nothing where something must be
                continue
            for path in reading:
                page = await _opened(here, path)
                found = (200, 404) if path.endswith(("/2", f"/{YEAR}")) else (200,)
                assert page.status_code in found, (cell, path)
                assert GOOD in page.text or path not in LISTED, (cell, path)
                assert f"/figures/{YEAR - 1}?" in page.text or not path.endswith("/figures"), (cell, path)
            await _put_back(engine, name, whole)


async def _opened(here: Offices, path: str) -> Response:
    return await here.get(f"{path}{'&' if '?' in path else '?'}lang=it", "direzione" if "/hr" in path else "verifica")


async def _put_back(engine: PooledSQLite, table: str, rows: list[dict[str, Any]]) -> None:
    await engine._run_in_new_connection(f'DELETE FROM "{table}"')
    for row in rows:
        marks = ", ".join("?" for _ in row)
        await engine._run_in_new_connection(f'INSERT INTO "{table}" VALUES ({marks})', list(row.values()))


async def test_what_cannot_be_read_is_named_in_words_and_counted_nowhere(sqlite_settings: StoreSettings) -> None:
    """Would mislead: a finding that is gone from the table, and no word that there was one."""
    async with offices(sqlite_settings) as here:
        await _filled(here)
        await RegisterEntry.update({RegisterEntry.kind: "bogus"}).where(RegisterEntry.number == 2)
        await RegisterDocument.update({RegisterDocument.title: ""}).where(RegisterDocument.entry == 1)
        await RegisterAct.update({RegisterAct.state: "{}"}).where(RegisterAct.id == "1-1")
        await ReportedYear.update({ReportedYear.figures: "{}"}).where(ReportedYear.year == YEAR)
        counted = {"open": say("it", "register.open_count", n=1), "late": say("it", "register.late_none")}
        heading = say("it", "register.heading", n=1, **counted)
        for base, who in (("/hr", "direzione"), ("/audit", "verifica")):
            for page in ("register", "register/2"):
                text = unescape((await here.get(f"{base}/{page}?lang=it", who)).text)
                assert say("it", "register.unreadable_line", n="2") in text and ODD not in text
                assert say("it", "register.unreadable_document", n="1") in text
                assert heading in text
            one = unescape((await here.get(f"{base}/register/1?lang=it", who)).text)
            assert say("it", "register.unreadable_act", n="1-1") in one and GOOD in one
            for page in ("figures", f"figures/{YEAR}"):
                text = unescape((await here.get(f"{base}/{page}?lang=it", who)).text)
                assert say("it", "figures.unreadable", year=YEAR) in text
        about = About(sqlite_settings.data, NOW, "it")
        assert (await figures_part(about)).broken == (Gap("figures", "record", str(YEAR)),)
        assert (await register_part(about)).broken == (Gap("register", "record", "#1"), Gap("register", "record", "#2"))
        await figures.keep(here.engines["people"], _kept(YEAR), figures.mark_of(await figures.everything()))
        assert list(await figures.everything()) == [YEAR, YEAR - 1]


async def _of_desk(here: Offices) -> None:
    """A wave, an action, a document and a list of people, each beside one of its kind."""
    public = here.engines["public"]
    for name in ("primo", "secondo"):
        await waves.add(public, WaveRecord(name, {"it": name, "en": name}, State.CLOSED, opened=NOW))
        await actions.add("", "1.1", f"Azione {name}", "Anna", NOW, NOW)
        await evidence.add_document(public, "1.1", f"Piano {name}", NOW, NOW, who="anna", link="https://example.org")
    units = [UnitEntry("po", "Prato", "")]
    people = [PersonEntry(name, "", "it", "po", "f", "30_39", {}) for name in ("Ada Intera", "Bea Rotta")]
    await roster.replace(here.engines["people"], units, people, NOW)


async def test_on_the_pages_of_hr_what_cannot_be_read_is_named_and_the_rest_stands(
    sqlite_settings: StoreSettings,
) -> None:
    """Would mislead: an action, a document, a survey, somebody of the list gone, and no word that there was one."""
    async with offices(sqlite_settings) as here:
        await _of_desk(here)
        second = next(one for one in await actions.everything() if one.text == "Azione secondo")
        for store, statement in (
            ("public", "UPDATE action SET due = 'never' WHERE text = 'Azione secondo'"),
            ("public", "UPDATE evidence_document SET day = 'never' WHERE title = 'Piano secondo'"),
            ("public", "UPDATE wave SET closed = 'never' WHERE id = 'secondo'"),
            ("people", "UPDATE person SET attributes = '{' WHERE name = 'Bea Rotta'"),
        ):
            engine = here.engines[store]
            assert isinstance(engine, PooledSQLite)
            await engine._run_in_new_connection(statement)
        for path, good, odd, said in (
            ("/hr/actions", "Azione primo", "Azione secondo", say("it", "actions.unreadable", n=second.id)),
            (
                "/hr/indicators/1.1",
                ">Piano primo</a>",
                ">Piano secondo</a>",
                say("it", "evidence.unreadable_document", n="1.1"),
            ),
            ("/hr/waves", "primo", "/hr/waves/secondo", say("it", "hr.waves.unreadable", n="secondo")),
        ):
            text = unescape((await here.get(f"{path}?lang=it")).text)
            assert good in text and odd not in text and said in text, path
        found = unescape((await here.post("/hr/people/find?lang=it", text="a")).text)
        assert "Ada Intera</a>" in found and "Bea Rotta</a>" not in found
        assert say("it", "hr.people.unreadable", n="Bea Rotta") in found
        sent = await here.post(
            "/hr/people?lang=it", "direzione", {"file": ("elenco.csv", b"nome,territorio\nAda,Prato\n")}
        )
        assert sent.status_code == 422 and say("it", "hr.people.unreadable", n="Bea Rotta") in unescape(sent.text)
        assert (
            await here.get("/hr/people/file/csv")
        ).status_code == 409  # a file without her would take her off the list


async def test_a_list_is_not_taken_in_while_a_row_of_the_present_one_cannot_be_read(sqlite_site: Site) -> None:
    """Would harm: who cannot be read is taken off the list, comes back as somebody new, and a panel differs by one."""
    engine, units = sqlite_site.engines["people"], [UnitEntry("po", "Prato", "")]
    people = [PersonEntry(f"Persona {n}", "", "it", "po", "f", "30_39", {}) for n in range(40)]
    await roster.replace(engine, units, people, NOW)
    assert isinstance(engine, PooledSQLite)
    await engine._run_in_new_connection("UPDATE person SET joined = 'never' WHERE name = 'Persona 7'")
    with pytest.raises(StoreOdd):
        await roster.replace(engine, units, people[:30], NOW)
    with pytest.raises(StoreOdd):
        await panel.members("")
    assert await roster.count() == 40


@pytest.mark.parametrize("content", ["x", "", "{", "[1]", '{"name": 1}', '{"name": "a", "help_checked_on": "never"}'])
async def test_without_the_organisation_every_page_says_in_her_language_that_it_shows_nothing(
    sqlite_settings: StoreSettings, content: str, capsys: pytest.CaptureFixture[str]
) -> None:
    async with offices(sqlite_settings) as here:
        await organisation.save(here.engines["public"], ORGANISATION)
        engine = here.engines["public"]
        assert isinstance(engine, PooledSQLite)
        await engine._run_in_new_connection("UPDATE organisation SET content = ?", [content])
        for language in LANGUAGES:
            page = await here.client.get(f"/?lang={language}")
            assert page.status_code == 409 and say(language, "staff.error.odd_text") in unescape(page.text)
            help_page = await here.client.get(f"/help?lang={language}")  # the numbers outside need no row
            assert help_page.status_code == 200 and "1522" in help_page.text and "112" in help_page.text
        assert (await here.get("/hr?lang=it")).status_code == 409
        assert (await here.client.get("/answer")).status_code == 409
        assert (await here.client.get("/health")).status_code == 200
    said = {line for line in capsys.readouterr().err.splitlines() if line.startswith("fault")}
    assert {re.sub(r"\d+", "0", line) for line in said} == {"fault in store: StoreOdd at reading:0"}  # and no content


async def test_a_state_that_says_released_shows_no_result(sqlite_settings: StoreSettings) -> None:
    """Would harm: a survey of twelve people made public by one word in the database."""
    async with offices(sqlite_settings) as here:
        await _of_desk(here)
        for state in ("released", "RELEASED", "x", ""):
            engine = here.engines["public"]
            assert isinstance(engine, PooledSQLite)
            await engine._run_in_new_connection("UPDATE wave SET state = ? WHERE id = 'secondo'", [state])
            assert (await here.client.get("/results/secondo")).status_code in (404, 409)
            assert (await here.get("/hr/results/secondo")).status_code in (404, 409)
            assert "/results/secondo" not in (await here.client.get("/")).text


async def test_a_review_of_documents_one_of_which_cannot_be_read_does_not_count(sqlite_site: Site) -> None:
    engine = sqlite_site.engines["public"]
    for title in ("Piano", "Verbale"):
        await evidence.add_document(engine, "1.1", title, NOW, NOW, who="anna", link="https://example.org")
    await evidence.set_state(engine, EvidenceState("1.1", "met", set_by="anna", set_on=NOW))
    await evidence.review(engine, "1.1", "berta", (await evidence.of("1.1")).mark, NOW)
    assert (await evidence.of("1.1")).reviewed_by == "berta"
    assert isinstance(engine, PooledSQLite)
    await engine._run_in_new_connection("UPDATE evidence_document SET day = '{' WHERE title = 'Verbale'")
    assert (await evidence.of("1.1")).reviewed_by == ""
    assert (await evidence.look())[1] == evidence_state.Unreadable(documents=("1.1",))
