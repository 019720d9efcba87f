"""Whatever stands in a cell of the public or the people store - somebody's own SQL, a disk that flipped - no page breaks over it.

On SQLite any cell may hold anything. One cell after the other gets what no page of ours writes, and the pages that read its table are
opened, each by the person whose desk it is. ASCOLTO_CELLS=all in the environment opens every page for every cell and value; else a part.
"""

import os
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import httpx
from piccolo.table import Table

from server.frame.security import COOKIE
from server.settings import Settings
from surveys.engines import PooledSQLite, SQLiteError, StoreEngine
from surveys.people import accounts
from surveys.people import tables as people
from surveys.public import tables as public
from surveys.stores import Engines, StoreSettings, stores
from tests.apps import create_app
from tests.journeys.conftest import Served
from tests.overhearing import overheard, tables_of

ALL = os.environ.get("ASCOLTO_CELLS") == "all"

VALUES = (
    "CAST(X'ff00fe' AS TEXT)",
    "'x'",
    "NULL",
    "''",
    "99999999999999999999",
    "'{'",
    "'never'",
    "'[1]'",
    "'{\"a\": 1}'",
    "X'ff00fe'",
)
"""Words, nothing, more than a number may be, JSON that breaks off, no day, JSON of something else, bytes that are no text."""
RELEASED, OPEN = "primavera-2026", "autunno-2026"
STAFF = (
    "/",
    "/help",
    "/trust",
    "/answer",
    f"/answer/words?wave={OPEN}",
    f"/thanks?wave={OPEN}",
    f"/wave/{OPEN}",
    f"/wave/{RELEASED}",
    f"/wave/{RELEASED}/bulletin.txt",
    f"/wave/{OPEN}/plan.json",
    f"/results/{RELEASED}",
    f"/results/{RELEASED}/release.json",
    "/concern",
    "/concern/keyring.json",
    "/.well-known/ascolto",
    "/.well-known/security.txt",
    "/ready",
    "/account/in",
)
HR = (
    "/account",
    "/hr",
    "/hr/results",
    f"/hr/results/{RELEASED}",
    f"/hr/results/{RELEASED}/areas/3",
    f"/hr/results/{RELEASED}/item/CUL1",
    f"/hr/results/{RELEASED}/release.csv",
    f"/hr/results/{RELEASED}/release.xlsx",
    "/hr/trend",
    "/hr/actions",
    "/hr/indicators",
    "/hr/indicators/2.1",
    "/hr/indicators/3.1",
    "/hr/scorecard",
    "/hr/scorecard/2025-1",
    "/hr/scorecard/2025-1/signed.json",
    "/hr/figures",
    "/hr/figures/2025",
    "/hr/register",
    "/hr/register/1",
    "/hr/register/file/csv",
    "/hr/waves",
    "/hr/waves/new",
    f"/hr/waves/{OPEN}",
    f"/hr/waves/{RELEASED}",
    f"/hr/waves/{OPEN}/preview",
    "/hr/organisation",
    "/hr/people",
    "/hr/people/new",
    "/hr/people/file/csv",
    "/hr/channel",
)
AUDITOR = (
    "/audit",
    "/audit/indicators",
    "/audit/indicators/2.1",
    "/audit/scorecard",
    "/audit/scorecard/2025-1",
    "/audit/figures",
    "/audit/figures/2025",
    "/audit/register",
    "/audit/register/1",
    "/audit/register/file/csv",
    "/audit/channel.json",
)
KEYS = ("/keys", f"/keys/{RELEASED}/release", f"/keys/{OPEN}/plan", "/keys/log")
DESKS = {"": STAFF, "direzione": HR, "verifica": AUDITOR, "rappresentante": KEYS}
SLOW = ("/audit", f"/hr/waves/{OPEN}/preview")
"""Pages that read much, or in a process of their own: opened once a column, where all are."""
ROWS = {
    "account": "\"name\" = 'direzione'",
    "evidence": "\"indicator\" = '2.1'",
    "evidence_document": "\"indicator\" = '2.1'",
    "kept_scorecard": "\"id\" = '2025-1'",
    "wave": f"\"id\" = '{OPEN}'",
}
"""Which row of a table, where it is not the newest."""
TODAY = date.today()
MORE: tuple[Table, ...] = (
    people.TwoKeyAct(id=1, wave=OPEN, act="second", person=0, asked_by="direzione", asked_on=TODAY),
    people.ListBefore(id=1, day=TODAY, actor="direzione", content="[[],[]]"),
    people.PersonLeft(id=1, number="9", joined=TODAY, day=TODAY),
    people.Outbox(id=1, wave=OPEN, kind="invitation", state="failed", named=True),
    public.Comment(id=1, wave=RELEASED, item="OPEN1"),
    public.Releasing(wave=RELEASED, finished=True),
)
"""What the demonstration has none of."""


@dataclass(frozen=True, slots=True)
class Pages:
    """The served application on a copy of the demonstration: its stores, and sessions by account."""

    client: httpx.AsyncClient
    engines: Engines
    sessions: dict[str, str]

    async def open(self, path: str, who: str) -> httpx.Response:
        headers = {"cookie": f"{COOKIE}={self.sessions[who]}"} if who else {}
        return await self.client.get(path, headers=headers)


@asynccontextmanager
async def _pages(served: Served, folder: Path) -> AsyncIterator[Pages]:
    data, sessions = folder / "data", dict[str, str]()
    shutil.copytree(served.data, data)
    async with stores(StoreSettings(data)) as engines:
        for row in MORE:
            await type(row).insert(row)
        for name in filter(None, DESKS):
            password, code = served.password(name), served.code(name)
            entered = await accounts.sign_in(engines["people"], name, password, datetime.now(UTC), second=code)
            sessions[name] = entered.token
    app = create_app(Settings(StoreSettings(data)))
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)  # type: ignore[arg-type]  # Litestar is an ASGI application
    async with app.lifespan(), httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        yield Pages(client, app.state.engines, sessions)


async def _readers(pages: Pages, tables: list[str]) -> dict[str, list[tuple[str, str]]]:
    """By table, the pages whose statements name it."""
    said = await overheard(pages.engines)
    found: dict[str, list[tuple[str, str]]] = {table: [] for table in tables}
    for who, paths in DESKS.items():
        for path in paths:
            said.clear()
            assert (await pages.open(path, who)).status_code in (200, 303, 404), path
            for table in tables_of(said) & found.keys():
                found[table].append((path, who))
    return found


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell, by its table, the rowid of its row and its column."""

    engine: PooledSQLite
    table: str
    row: int
    column: str

    async def value(self) -> str:
        """What stands there, as SQL says it."""
        return str(
            await _one(self.engine, f'SELECT quote("{self.column}") FROM "{self.table}" WHERE rowid = {self.row}')
        )

    async def put(self, value: str) -> bool:
        """Write a value of SQL; False where the database itself refuses it, and of the number that is the row's own place."""
        if await _one(
            self.engine,
            f"SELECT COUNT(*) FROM pragma_table_info('{self.table}') WHERE name = '{self.column}' AND pk AND type = 'INTEGER'",
        ):
            return False
        try:
            await self.engine._run_in_new_connection(
                f'UPDATE "{self.table}" SET "{self.column}" = {value} WHERE rowid = {self.row}'
            )
        except SQLiteError:
            return False
        return True


async def _one(engine: PooledSQLite, statement: str) -> Any:
    rows = await engine._run_in_new_connection(statement)
    return next(iter(rows[0].values())) if rows else None


async def _cells(pages: Pages) -> AsyncIterator[Cell]:
    """One cell of each column that has a row."""
    for store in ("public", "people"):
        engine = pages.engines[store]
        assert isinstance(engine, PooledSQLite)
        for table in await _tables(engine):
            where = ROWS.get(table, f'rowid = (SELECT MAX(rowid) FROM "{table}")')
            row = await _one(engine, f'SELECT rowid FROM "{table}" WHERE {where}')
            if row is not None:
                for column in await engine._run_in_new_connection(f"SELECT name FROM pragma_table_info('{table}')"):
                    yield Cell(engine, table, int(row), str(column["name"]))


async def _tables(engine: StoreEngine) -> list[str]:
    assert isinstance(engine, PooledSQLite)
    names = "SELECT name FROM sqlite_master WHERE type = 'table' AND name <> 'migration'"
    return [str(row["name"]) for row in await engine._run_in_new_connection(names)]


def _tried(place: int, pages: list[tuple[str, str]]) -> Iterator[tuple[str, tuple[str, str]]]:
    """Values and pages for a column: all, or two values and of the pages the sixth part whose turn it is."""
    values = VALUES if ALL else (VALUES[place % len(VALUES)], VALUES[(place + 4) % len(VALUES)])
    for turn, value in enumerate(values):
        for page in pages if ALL else pages[(place + turn) % 6 :: 6]:
            if page[0] not in SLOW or (ALL and turn == 0):
                yield value, page


async def test_whatever_stands_in_a_cell_no_page_breaks(served: Served, tmp_path: Path) -> None:
    """Before this 10 of 11 values in the organisation's row took every page down, front door and help included."""
    broken, opened = [], 0
    async with _pages(served, tmp_path) as pages:
        tables = [name for store in ("public", "people") for name in await _tables(pages.engines[store])]
        reading = await _readers(pages, tables)
        place = 0
        async for cell in _cells(pages):
            place, before, now = place + 1, await cell.value(), ""
            for value, (path, who) in _tried(place, reading[cell.table]):
                if value != now:
                    now = value if await cell.put(value) else ""
                if now:
                    opened += 1
                    found = await pages.open(path, who)
                    if found.status_code >= 500:
                        broken.append((cell.table, cell.column, value, path))
            await cell.put(before)
        assert await _all_open(pages)
    assert broken == []
    assert opened > 400


async def _all_open(pages: Pages) -> bool:
    """Whether every cell was put back: else the walk would go over pages that are refused."""
    found = [(await pages.open(path, who)).status_code for who, paths in DESKS.items() for path in paths]
    return max(found) < 405
