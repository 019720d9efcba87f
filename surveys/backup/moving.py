"""Moving an installation from SQLite to PostgreSQL: every row of the four stores, in no order, compared on both sides.

Nobody writes meanwhile: all four writers are held. The folder of keys and the data folder stay what they are.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import asyncpg
import pysqlite3.dbapi2 as sqlite

from surveys.away import StoreAway, is_away
from surveys.backup.archive import BackupRefused
from surveys.backup.gathering import alone, look
from surveys.backup.making import settled
from surveys.backup.moment import StoresBusy, held_stores
from surveys.backup.postgres import connected
from surveys.backup.shapes import Shape, digest_of, mark_of, migrations, portions, shapes_of, size_of
from surveys.engines import SafePostgres, postgres_from_url
from surveys.stores import MOVED, STORES, UNDER_WAY, StoreSettings, StoresUnavailable, bind, migrate

COPY_SECONDS = 3600
_RELATIONS = """
SELECT count(*) FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
WHERE relkind IN ('r', 'p', 'm', 'S', 'f') AND nspname <> 'information_schema' AND nspname NOT LIKE 'pg\\_%'
"""
_WHERE = "SELECT concat(pg_postmaster_start_time(), ' ', inet_server_port(), ' ', current_database())"


async def move(
    data: Path, target: StoreSettings, day: date, served: Callable[[], bool] = lambda: False
) -> Mapping[str, int]:
    """Copy every row into four empty databases; gives the rows of each store.

    Binds the tables to the target: for a process that does nothing else.

    Parameters
    ----------
    data : Path
        The data folder with the four SQLite files. It is written into at the end alone: that it was moved, and when.
    target : StoreSettings
        The same folder, and where it shall go on.
    day : date
        Of the move.
    served : callable
        Whether somebody serves this folder now: asked when all is copied, and when nobody who starts later would.

    Raises
    ------
    BackupRefused
        The SQLite files are as they were, and the target is as empty as it was; ``move_left`` where it could not be emptied.
    OSError
    """
    look(StoreSettings(data))
    engines = {store: _engine(target, store) for store in STORES}
    with alone(data):
        await _refuse_full(engines)
        try:
            with held_stores(data) as there:
                await _begin(engines["public"])
                try:
                    rows = await _filled(there, target, engines)
                    _mark_moved(data, day)  # before anybody may write here again
                    if served():
                        raise BackupRefused("move_running")
                    await _run(engines["public"], f"DROP TABLE {UNDER_WAY}")
                except BaseException:
                    (data / MOVED).unlink(missing_ok=True)
                    await _empty(engines)
                    raise
        except BaseException as problem:
            raise _refusal(problem) from problem
    return rows


async def _begin(public: SafePostgres) -> None:
    """Say in the target that it is not whole: first, and taken away last, so that a kill leaves no half that serves.

    Raises
    ------
    BackupRefused
        If somebody else moves there since it was looked at: what is in it is not ours to take out.
    """
    try:
        await _run(public, f"CREATE TABLE {UNDER_WAY} ()")
    except (asyncpg.DuplicateTableError, asyncpg.UniqueViolationError):  # the second where both begin in one instant
        raise BackupRefused("move_not_empty", store=public.store) from None


def _mark_moved(data: Path, day: date) -> None:
    """Say in the folder that it was moved, over a power cut too: the target is served from the next step on."""
    with (data / MOVED).open("w", encoding="ascii") as file:
        file.write(day.isoformat())
        file.flush()
        os.fsync(file.fileno())
    settled(data)


def _engine(target: StoreSettings, store: str) -> SafePostgres:
    assert target.database_url is not None
    password = (target.passwords or {}).get(store)
    return postgres_from_url(target.database_url.format(store=store), store, password=password)


async def _run(engine: SafePostgres, step: str) -> None:
    with _server(engine.store):
        connection = await engine.get_new_connection()
        try:
            await connection.execute(step)
        finally:
            await connection.close()


@contextmanager
def _server(store: str) -> Iterator[None]:
    """Tell a server that went away, or has no room, from SQLite's files, which are read beside it.

    Raises
    ------
    StoreAway
    """
    try:
        yield
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as problem:
        if isinstance(problem, StoreAway) or not is_away(problem):
            raise
        raise StoreAway(store, type(problem).__name__) from problem


def _refusal(problem: BaseException) -> BaseException:
    """What is said of a fault: its kind alone where its text might hold a row."""
    away = problem.__cause__ if isinstance(problem, StoresUnavailable) else problem
    if isinstance(away, StoreAway):
        return BackupRefused("away", store=away.store, kind=away.kind)
    if isinstance(problem, StoresBusy):
        return BackupRefused("busy")
    if isinstance(problem, StoresUnavailable):
        return BackupRefused("move_server", problem=problem)
    if isinstance(problem, asyncpg.PostgresError | asyncpg.InterfaceError):
        return BackupRefused("move_server", problem=type(problem).__name__)
    if isinstance(problem, sqlite.DatabaseError):
        return BackupRefused("unreadable", problem=type(problem).__name__)
    return problem


async def _refuse_full(engines: Mapping[str, SafePostgres]) -> None:
    places = set()
    for store, engine in engines.items():
        connection = await connected(engine)
        try:
            places.add(await connection.fetchval(_WHERE))
            if await connection.fetchval(_RELATIONS):
                raise BackupRefused("move_not_empty", store=store)
        finally:
            await connection.close()
    if len(places) != len(engines):
        raise BackupRefused("move_same")


async def _empty(engines: Mapping[str, SafePostgres]) -> None:
    """Take out what was put in: all of it is ours, as there was nothing. Meanwhile the public store says that the four are not
    whole, also where the last step took that away and its answer was lost."""
    await _cleared(engines["public"], f"CREATE TABLE IF NOT EXISTS {UNDER_WAY} ()")
    for store, engine in reversed(list(engines.items())):
        tables = [shape.quoted for shape in (*shapes_of(store), migrations())]
        steps = [f"DROP TABLE IF EXISTS {table} CASCADE" for table in (*tables, UNDER_WAY)]
        if await _cleared(engine, *steps):
            raise BackupRefused("move_left", store=store)


async def _cleared(engine: SafePostgres, *steps: str) -> int:
    """Take steps on a connection of their own; gives how much is in the database then."""
    try:
        connection = await engine.get_new_connection()
        try:
            for step in steps:
                await connection.execute(step)
            return int(await connection.fetchval(_RELATIONS))
        finally:
            await connection.close()
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
        raise BackupRefused("move_left", store=engine.store) from None


async def _filled(
    there: Mapping[str, Any], target: StoreSettings, engines: Mapping[str, SafePostgres]
) -> dict[str, int]:
    await migrate(bind(target))
    rows = {}
    for store in STORES:
        with _server(store):
            rows[store] = await _filled_one(there[store], engines[store])
    return rows


async def _filled_one(there: Any, engine: SafePostgres) -> int:
    store, connection = engine.store, await engine.get_new_connection()
    try:
        await _refuse_other_tables(there, connection, store)
        async with connection.transaction():  # one for all rows: none has a number that tells when it came
            for shape in shapes_of(store):
                await _copy(there, connection, store, shape)
        return sum([await _compared(there, connection, store, shape) for shape in shapes_of(store)])
    finally:
        await connection.close()


async def _refuse_other_tables(there: Any, connection: Any, store: str) -> None:
    """Both sides have been through the same migrations, and no table or column stays behind."""
    steps = {str(row[0]) for row in there.execute("SELECT name FROM migration")}
    if steps != {str(row["name"]) for row in await connection.fetch("SELECT name FROM migration")}:
        raise BackupRefused("behind", store=store)
    tables = there.execute("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
    shapes = {shape.name: set(shape.columns) for shape in (*shapes_of(store), migrations())}
    for (name,) in tables.fetchall():
        columns = {str(row[0]) for row in there.execute("SELECT name FROM pragma_table_info(?)", (name,))}
        if shapes.get(name) != columns:
            raise BackupRefused("move_unknown", store=store, table=name)


def _rows(there: Any, shape: Shape) -> Iterator[list[Any]]:
    """All rows in an order that is drawn, a portion at a time."""
    sizes = there.execute(f"SELECT rowid, {size_of(shape, '')} FROM {shape.quoted}").fetchall()
    for keys in portions(sizes):
        yield [
            there.execute(f"SELECT {shape.listed} FROM {shape.quoted} WHERE rowid = ?", (key,)).fetchone()
            for key in keys
        ]


async def _copy(there: Any, connection: Any, store: str, shape: Shape) -> None:
    places = ", ".join(f"${number}" for number in range(1, len(shape.columns) + 1))
    insert = f"INSERT INTO {shape.quoted} ({shape.listed}) VALUES ({places})"
    for rows in _rows(there, shape):
        try:
            await connection.executemany(insert, [shape.to_postgres(row) for row in rows], timeout=COPY_SECONDS)
        except (ValueError, TypeError, KeyError, asyncpg.DataError, asyncpg.IntegrityConstraintViolationError):
            raise BackupRefused("move_row", store=store, table=shape.name) from None


async def _compared(there: Any, connection: Any, store: str, shape: Shape) -> int:
    """Read both sides anew; gives the rows.

    Raises
    ------
    BackupRefused
        ``move_differs`` with store and table.
    """
    here = [mark_of(shape.plain(row)) for rows in _rows(there, shape) for row in rows]
    arrived = []
    async with connection.transaction(readonly=True):
        cursor = connection.cursor(f"SELECT {shape.listed} FROM {shape.quoted}", prefetch=50, timeout=COPY_SECONDS)
        async for row in cursor:
            arrived.append(mark_of(shape.to_sqlite(tuple(row))))
    if len(here) != len(arrived) or digest_of(here) != digest_of(arrived):
        raise BackupRefused("move_differs", store=store, table=shape.name)
    return len(here)
