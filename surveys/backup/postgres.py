"""One moment over four databases of PostgreSQL while others write, copied into SQLite files as a backup holds them.

A snapshot is of one database. So in each a keeper locks all tables, in the one order of stores, so that nobody writes in any; under
that a reader fixes its snapshot (REPEATABLE READ); then writers go on. Stirring empties tables by TRUNCATE, which older snapshots
see as empty: each keeper keeps so much of its locks that nobody can, until its store is copied.

What a lock is refused for is caught inside the server: its log gets no line that tells when somebody wrote.
"""

import asyncio
import random
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg

from surveys.away import StoreAway
from surveys.backup.archive import BackupRefused
from surveys.backup.contents import LEFT_ROWS, Left, database
from surveys.backup.moment import PATIENCE_SECONDS, StoresBusy, beside, opened_new
from surveys.backup.schemas import Laid, schemas
from surveys.backup.shapes import Shape, migrations, portions, shapes_of, shuffled, size_of
from surveys.engines import SafePostgres, postgres_from_url
from surveys.one_folder import Presence
from surveys.stores import (
    STORES,
    UNDER_WAY,
    FolderRefused,
    StoreSettings,
    StoresUnavailable,
    present,
    refuse_other_versions,
)

LOCK_MS = 300
"""So long at most a keeper waits for its locks while others wait for it: less than the second after which PostgreSQL looks for two
who stand against each other, and ends one of them."""
COPY_SECONDS = 3600
COPIED = ("answers", "people", "cases", "public")
"""Whose tables are stirred come first: as long as they are read they keep their order."""
_LOCK = """
DO $$ BEGIN
 SET LOCAL lock_timeout = {ms};
 LOCK TABLE {tables} IN {mode} MODE;
 PERFORM set_config('ascolto.locked', 'yes', true);
EXCEPTION WHEN lock_not_available OR query_canceled OR deadlock_detected THEN
 PERFORM set_config('ascolto.locked', 'no', true);
END $$
"""
_dice = random.SystemRandom()


@dataclass(frozen=True, slots=True)
class Copied:
    """What lies in the staging folder now, and what lay beside the stores in the same instant."""

    rows: dict[str, dict[str, int]]
    """By store and table."""
    files: dict[str, bytes]
    left: dict[str, Left]
    held_seconds: float


@dataclass(frozen=True, slots=True)
class _Pair:
    """Two connections to one store: one that keeps locks, one that reads."""

    store: str
    shapes: Sequence[Shape]
    keeper: Any
    reader: Any

    async def lock(self, mode: str) -> bool:
        tables = ", ".join(shape.quoted for shape in self.shapes)
        await self.keeper.execute(f"SET LOCAL statement_timeout = {LOCK_MS}")
        await self.keeper.execute(_LOCK.format(ms=LOCK_MS, tables=tables, mode=mode))
        return bool(await self.keeper.fetchval("SELECT current_setting('ascolto.locked') = 'yes'"))

    async def close(self) -> None:
        await asyncio.gather(self.keeper.close(), self.reader.close())


async def copied(settings: StoreSettings, staging: Path) -> Copied:
    """Take one moment of the four databases and lay it down in an empty folder.

    Raises
    ------
    StoresBusy
    BackupRefused
        ``away``, ``version``, ``behind``, ``half`` or ``unreadable``.
    FolderRefused
        The folder of keys that would go into the archive is not the one of these databases.
    """
    laid = schemas(staging)
    async with AsyncExitStack() as stack:
        pairs = {store: await _connected(settings, store, stack) for store in STORES}
        if await pairs["public"].reader.fetchval("SELECT to_regclass($1) IS NOT NULL", UNDER_WAY):
            raise BackupRefused("half")
        stack.push_async_callback((await _present(settings)).leave)
        try:
            began = await _hold(list(pairs.values()))
            files, left = beside(settings.data)
            for pair in pairs.values():
                await pair.keeper.execute("ROLLBACK TO held")
            held = time.monotonic() - began
            rows = {}
            for store in COPIED:
                rows[store] = await _copy_store(pairs[store], laid[store], staging / database(store))
                await pairs[store].close()
        except (asyncpg.PostgresError, asyncpg.InterfaceError) as problem:
            raise BackupRefused("unreadable", problem=type(problem).__name__) from problem
    return Copied(rows, files, left, held)


async def _present(settings: StoreSettings) -> Presence:
    try:
        return await present([_engine(settings, "public")], settings.data)
    except FolderRefused:
        raise
    except StoresUnavailable:
        raise BackupRefused("busy") from None


def _engine(settings: StoreSettings, store: str) -> SafePostgres:
    assert settings.database_url is not None
    return postgres_from_url(
        settings.database_url.format(store=store), store, password=(settings.passwords or {}).get(store)
    )


async def connected(engine: SafePostgres) -> Any:
    """A connection of its own to one store.

    Raises
    ------
    BackupRefused
        ``away`` with the store and what is wrong, a password for one.
    """
    try:
        return await engine.get_new_connection()
    except StoreAway as problem:
        raise BackupRefused("away", store=engine.store, kind=problem.kind) from None
    except asyncpg.PostgresError as problem:
        raise BackupRefused("away", store=engine.store, kind=type(problem).__name__) from None


async def _connected(settings: StoreSettings, store: str, stack: AsyncExitStack) -> _Pair:
    engine = _engine(settings, store)
    both = []
    for _ in range(2):
        both.append(await connected(engine))
        stack.push_async_callback(both[-1].close)
        await both[-1].execute("SET idle_in_transaction_session_timeout = 0")
    return _Pair(store, [migrations(), *shapes_of(store)], *both)


async def _hold(pairs: list[_Pair]) -> float:
    """Hold the writers of all four and fix the four snapshots; gives when the first was held.

    Whoever has one store and wants another is not waited for with ours held: all are let go, and it begins anew.
    """
    give_up = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < give_up:
        for pair in pairs:
            await pair.keeper.execute("BEGIN")
            await pair.reader.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        if await _all(pairs, "ACCESS SHARE"):
            for pair in pairs:
                await pair.keeper.execute("SAVEPOINT held")
            began = time.monotonic()
            if await _all(pairs, "SHARE"):
                for pair in pairs:
                    await pair.reader.execute("SELECT pg_current_snapshot()")  # the snapshot begins here
                return began
        for pair in pairs:
            await pair.keeper.execute("ROLLBACK")
            await pair.reader.execute("ROLLBACK")
        await asyncio.sleep(_dice.uniform(0.05, 0.5))
    raise StoresBusy


async def _all(pairs: list[_Pair], mode: str) -> bool:
    for pair in pairs:
        if not await pair.lock(mode):
            return False
    return True


async def _copy_store(pair: _Pair, laid: Laid, target: Path) -> dict[str, int]:
    ran = {str(row["name"]) for row in await pair.reader.fetch("SELECT name FROM migration")}
    try:
        refuse_other_versions(pair.store, ran)
    except StoresUnavailable as problem:
        raise BackupRefused("version", problem=problem) from None
    if ran != laid.steps:
        raise BackupRefused("behind", store=pair.store)
    laid.schema.begin(target)
    rows = {}
    with opened_new(target) as made:
        for shape in pair.shapes:
            rows[shape.name] = await _copy_rows(pair.reader, pair.store, shape, made)
    laid.schema.end(target)
    if set(rows) != set(laid.schema.tables):
        raise BackupRefused("unreadable", problem=pair.store)  # a table of which no row would be copied
    return rows


async def _copy_rows(reader: Any, store: str, shape: Shape, made: Any) -> int:
    left = LEFT_ROWS.get((store, shape.name), "1 = 0")
    sizes = [
        (row["key"], row["size"])
        for row in await reader.fetch(
            f'SELECT "{shape.key}" AS key, {size_of(shape, "::text")} AS size FROM {shape.quoted} WHERE NOT ({left})',
            timeout=COPY_SECONDS,
        )
    ]
    places = ", ".join("?" for _ in shape.columns)
    for keys in portions(sizes):
        rows = await reader.fetch(
            f'SELECT {shape.listed} FROM {shape.quoted} WHERE "{shape.key}" = ANY($1)', keys, timeout=COPY_SECONDS
        )
        made.execute("BEGIN")
        made.executemany(
            f"INSERT INTO {shape.quoted} ({shape.listed}) VALUES ({places})",
            [shape.to_sqlite(tuple(row)) for row in shuffled(rows)],
        )
        made.execute("COMMIT")
    return len(sizes)
