"""The four stores: bound to their engines, brought up to date, opened and closed. They never share a transaction."""

import io
import os
import re
import stat
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence, Set
from contextlib import asynccontextmanager, redirect_stdout
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import asyncpg
from piccolo.table import Table

from surveys.away import StoreAway
from surveys.cases.keeper import KeyAwaited, check_awaited
from surveys.engines import (
    SafePostgres,
    StoreEngine,
    postgres_from_url,
    sqlite_at,
    sqlite_is_sound,
    sqlite_version,
)
from surveys.one_folder import AnotherFolder, Folder, Presence
from surveys.people import sessions, steps
from surveys.public import evidence_state, releases
from surveys.public.signing import installation_key, key_for, public_text

STORES = ("public", "people", "answers", "cases")
POOL_SIZE = 5
MOVED = "moved.day"
"""Lies beside SQLite files whose rows went to PostgreSQL: nobody goes on in the old ones without a word."""
UNDER_WAY = "move_under_way"
"""A table of the public store's database while rows of SQLite go there: a move that was killed leaves it, and nobody takes a half for
the whole."""
_MIGRATION_ID = re.compile(r'^ID = "([^"]+)"', re.MULTILINE)


class Engines:
    """The opened engines by store, and what holds them for one folder of keys: nothing where they lie in it."""

    __slots__ = ("_engines", "presence")

    def __init__(self, engines: Mapping[str, StoreEngine]) -> None:
        self._engines = dict(engines)
        self.presence: Presence | None = None

    @property
    def folder(self) -> Folder:
        """Whether the folder of keys of this process is the one of these stores."""
        return Folder.OK if self.presence is None else self.presence.folder

    def __getitem__(self, store: str) -> StoreEngine:
        return self._engines[store]

    def items(self) -> Iterable[tuple[str, StoreEngine]]:
        return self._engines.items()


class StoresUnavailable(Exception):
    """A store cannot be opened; the text says which, and what to look at."""


class FolderRefused(StoresUnavailable):
    """The databases are in use with another folder of keys."""


class StoresAwaited(StoresUnavailable):
    """A store does not answer yet: what was tried may be tried again."""


@dataclass(frozen=True, slots=True)
class StoreSettings:
    """Where the stores live: a data folder, or PostgreSQL databases named by a URL that holds ``{store}``."""

    data: Path
    database_url: str | None = None
    passwords: Mapping[str, str] | None = None


def tables_of(store: str) -> list[type[Table]]:
    """The tables of a store, without loading Piccolo's migration tools."""
    found = vars(import_module(f"surveys.{store}.tables")).values()
    return [table for table in found if isinstance(table, type) and issubclass(table, Table) and table is not Table]


def bind(settings: StoreSettings) -> Engines:
    """Give each table the engine of its store."""
    engines: dict[str, StoreEngine] = {}
    for store in STORES:
        if settings.database_url:
            password = (settings.passwords or {}).get(store)
            engines[store] = postgres_from_url(settings.database_url.format(store=store), store, password=password)
        else:
            engines[store] = sqlite_at(settings.data / f"{store}.sqlite", store)
        for table in tables_of(store):
            table._meta.db = engines[store]
    return Engines(engines)


async def migrate(engines: Engines) -> None:
    """Bring each store up to date, one after the other, alone among processes."""
    for store, engine in engines.items():
        try:
            async with engine.alone():
                if await _is_behind(store, engine):
                    await _run_forwards(store, engine)
                if isinstance(engine, SafePostgres):
                    await engine.take_no_samples(tables_of(store))
        except StoreAway as problem:
            raise StoresAwaited(str(problem)) from problem
        except (OSError, asyncpg.PostgresError) as problem:
            raise StoresUnavailable(f"the {store} store cannot be opened: {problem}") from problem


async def _refuse_half(public: SafePostgres, data: Path) -> None:
    """Databases to which a move from SQLite was cut off are nobody's yet."""
    try:
        rows = await public._run_in_new_connection(f"SELECT to_regclass('{UNDER_WAY}') IS NOT NULL AS half")
    except StoreAway as problem:
        raise StoresAwaited(str(problem)) from problem
    if rows[0]["half"]:
        raise StoresUnavailable(
            "a move from SQLite to these databases was cut off: drop the four and make them anew, remove"
            f" {data / MOVED} if it is there, and move again. SQLite is as it was"
        )


async def present(engines: Sequence[SafePostgres], data: Path) -> Presence:
    """Hold PostgreSQL's databases for this folder of keys, until the caller leaves them.

    Parameters
    ----------
    engines : sequence of SafePostgres
        That of the public store first.
    data : Path
        The folder, which is there.

    Raises
    ------
    FolderRefused
    StoresUnavailable
    """
    presence = Presence(engines, data)
    try:
        await presence.take()
    except AnotherFolder:
        raise FolderRefused("another folder of keys is in use with these databases") from None
    except StoreAway as problem:
        raise StoresAwaited(str(problem)) from problem
    except asyncpg.PostgresError as problem:
        raise StoresUnavailable(f"the {engines[0].store} store cannot be opened: {problem}") from problem
    except OSError as problem:
        raise StoresUnavailable(f"{data.name} cannot be locked: {problem.strerror}") from problem
    return presence


def close_to_others(data: Path) -> None:
    """Make the data folder and its databases the service's alone: 0700 and 0600, whatever mask they were made under.

    Raises
    ------
    StoresUnavailable
        If somebody else owns one that others may read; the text holds the command that mends it.
    """
    for path in [data, *sorted(data.glob("*.sqlite*"))]:
        mode = 0o700 if path.is_dir() else 0o600
        try:
            if stat.S_IMODE(path.stat().st_mode) & 0o077:
                path.chmod(mode)
        except FileNotFoundError:
            continue  # a log that another process has emptied and removed
        except PermissionError as problem:
            raise StoresUnavailable(
                f"others than the service may read {path}: as its owner run chmod {mode:o} '{path}'"
            ) from problem


def _migration_names(store: str) -> set[str]:
    """The ids of this version's migrations, read as text: importing them loads tools that a start does not need."""
    folder = Path(__file__).parent / store / "migrations"
    texts = (path.read_text("utf-8") for path in folder.glob("*.py") if path.name != "__init__.py")
    return {found[1] for text in texts if (found := _MIGRATION_ID.search(text))}


async def _is_behind(store: str, engine: StoreEngine) -> bool:
    """Say whether a migration of this version has not run: a cheap look that spares loading the migration tools."""
    wanted = _migration_names(store)
    try:
        rows = await engine._run_in_new_connection("SELECT name FROM migration")
    except StoreAway:
        raise
    except Exception as problem:
        if "migration" in str(problem):  # no such table, on either engine: a new store
            return bool(wanted)
        raise StoresUnavailable(f"the {store} store cannot be read: {problem}") from problem
    ran = {row["name"] for row in rows}
    refuse_other_versions(store, ran)
    return not wanted <= ran


def refuse_other_versions(store: str, ran: Set[str]) -> None:
    """Refuse a store by the migrations that it went through.

    Raises
    ------
    StoresUnavailable
        If this version cannot bring it up to date, or a newer one wrote it.
    """
    wanted = _migration_names(store)
    if ran and min(wanted) not in ran:  # the first step holds what was several steps before
        raise StoresUnavailable(
            f"the {store} store was made before version 0.1.0, and this version cannot bring it up to date"
        )
    if ran and max(ran) > max(wanted):  # ids are days: what a later version did, this one would write over unseen
        raise StoresUnavailable(f"the {store} store was written by a newer version: install that version again")


async def _run_forwards(store: str, engine: StoreEngine) -> None:
    os.environ["PICCOLO_CONF"] = "surveys.piccolo_conf"
    from piccolo.apps.migrations.commands.forwards import run_forwards
    from piccolo.apps.migrations.tables import Migration
    from piccolo.conf.apps import AppRegistry

    conf = import_module("surveys.piccolo_conf")
    conf.DB, conf.APP_REGISTRY = engine, AppRegistry([f"surveys.{store}.piccolo_app"])  # type: ignore[attr-defined]  # Piccolo finds its settings in a module
    Migration._meta.db = engine
    try:
        with redirect_stdout(io.StringIO()):
            result = await run_forwards(store)
        if not result.success:
            raise StoresUnavailable(f"the {store} store could not be brought up to date: {result.message}")
    finally:
        conf.DB, conf.APP_REGISTRY = None, AppRegistry([])  # type: ignore[attr-defined]  # Piccolo finds its settings in a module
        Migration._meta._db = None


async def open_stores(settings: StoreSettings) -> Engines:
    """Bind, migrate and open all four stores.

    Raises
    ------
    StoresUnavailable
        If a store cannot be opened, read or brought up to date, or is in use with another folder of keys.
    """
    if not settings.database_url and not sqlite_is_sound():
        raise StoresUnavailable(f"SQLite {sqlite_version()} may lose answers; install the packages of this version")
    try:
        settings.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as problem:
        raise StoresUnavailable(f"{settings.data.name}: {problem.strerror}") from problem
    if not settings.database_url and (settings.data / MOVED).exists():
        raise StoresUnavailable(
            "these stores were moved to PostgreSQL: set ASCOLTO_DATABASE_URL. Only to go on with what lay here before, and to"
            f" lose what came since, remove {settings.data / MOVED}"
        )
    close_to_others(settings.data)
    try:
        check_awaited(settings.data)
    except KeyAwaited as problem:
        raise StoresUnavailable(str(problem)) from None
    engines = bind(settings)
    if held := [engine for _, engine in engines.items() if isinstance(engine, SafePostgres)]:
        engines.presence = await present(held, settings.data)  # before anything is made in the folder or written there
    try:
        if held:
            await _refuse_half(held[0], settings.data)
        installation = installation_key(settings.data)
        releases.begin(public_text(installation))
        sessions.bind(key_for(installation, "sessions"))
        evidence_state.bind(key_for(installation, "reviews"))
        steps.bind(key_for(installation, "steps"))
        await migrate(engines)
        close_to_others(settings.data)  # what was made just now, under whatever mask
        for _, engine in engines.items():
            if isinstance(engine, SafePostgres):
                # no least number of connections: keeping it up would write into the log while the server is away
                await engine.start_connection_pool(min_size=0, max_size=POOL_SIZE)
            else:
                await engine.start_connection_pool()
    except BaseException:
        await close_stores(engines)
        raise
    return engines


async def close_stores(engines: Engines) -> None:
    """Close every connection of every store that has one, and let the databases go."""
    try:
        for _, engine in engines.items():
            if not isinstance(engine, SafePostgres) or engine.pool is not None:
                await engine.close_connection_pool()
    finally:
        if engines.presence is not None:
            await engines.presence.leave()


@asynccontextmanager
async def stores(settings: StoreSettings) -> AsyncIterator[Engines]:
    """Open the stores for one command, and close them whatever happens."""
    engines = await open_stores(settings)
    try:
        yield engines
    finally:
        await close_stores(engines)
