"""Rows that no page wrote - a broken backup, somebody's own SQL - take no page of HR or the auditor down: they are named, the rest is read."""

from dataclasses import replace
from html import unescape
from typing import Any

import pytest
from piccolo.table import Table

from server.frame.texts import say
from server.papers.pack_evidence import figures_part
from server.papers.pack_part import About, Gap
from server.papers.pack_register import register_part
from surveys.engines import PooledSQLite, SQLiteError
from surveys.lifecycle.context import today
from surveys.people import figures
from surveys.people.figures import Kept
from surveys.people.tables import ReportedYear
from surveys.public import register
from surveys.public.register_entry import REVIEW, Entry
from surveys.public.tables import RegisterAct, RegisterDocument, RegisterEntry
from surveys.stores import StoreSettings
from tests.analysis.pdr125.years import WHOLE
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
    """Every column, each with all that it may come to hold; what the database itself refuses to keep cannot stand in it."""
    async with offices(sqlite_settings) as here:
        await _filled(here)
        engine = table._meta.db
        assert isinstance(engine, PooledSQLite)
        name = table._meta.tablename
        whole = await engine._run_in_new_connection(f'SELECT * FROM "{name}"')
        for cell in CELLS:
            try:
                await engine._run_in_new_connection(f'UPDATE "{name}" SET "{column}" = {cell} WHERE {WHERE[table]}')
            except SQLiteError:  # a key that is another row's, or nothing where something must be
                continue
            for path in (*PATHS, *AUDITED):
                page = await here.get(
                    f"{path}{'&' if '?' in path else '?'}lang=it", "direzione" if "/hr" in path else "verifica"
                )
                found = (200, 404) if path.endswith(("/2", f"/{YEAR}")) else (200,)
                assert page.status_code in found, (cell, path)
                assert GOOD in page.text or path not in LISTED, (cell, path)
                assert f"/figures/{YEAR - 1}?" in page.text or not path.endswith("/figures"), (cell, path)
            await _put_back(engine, name, whole)


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
