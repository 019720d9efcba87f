"""The databases: what is deleted is wiped, and PostgreSQL writes down neither statements nor times."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg

from server.check import Finding, failed, good, unsure
from surveys.engines import (
    SAMPLED,
    PooledSQLite,
    SafePostgres,
    SQLiteError,
    sqlite_at,
    sqlite_is_sound,
    sqlite_version,
)
from surveys.public import organisation
from surveys.stores import STORES, StoreSettings, StoresUnavailable, bind, refuse_other_versions, tables_of

WANTED: Mapping[str, tuple[str, ...]] = {
    "log_statement": ("none", "ddl"),
    "log_duration": ("off",),
    "log_min_duration_statement": ("-1",),
    "log_min_duration_sample": ("-1",),
    "log_transaction_sample_rate": ("0",),
    "log_connections": ("off", ""),
    "log_disconnections": ("off",),
    "log_parameter_max_length_on_error": ("0",),
    "log_error_verbosity": ("terse",),
    "log_lock_waits": ("off",),
    "log_temp_files": ("-1",),
    "log_min_messages": ("warning", "error", "log", "fatal", "panic", "notice", "info"),
    "log_statement_stats": ("off",),
    "log_parser_stats": ("off",),
    "log_planner_stats": ("off",),
    "log_executor_stats": ("off",),
    "debug_print_parse": ("off",),
    "debug_print_rewritten": ("off",),
    "debug_print_plan": ("off",),
    "auto_explain.log_min_duration": ("-1",),
    "pgaudit.log": ("none", ""),
    "track_commit_timestamp": ("off",),
    "log_checkpoints": ("off",),
    "wal_keep_size": ("0",),
    "summarize_wal": ("off",),
    "fsync": ("on",),
    "full_page_writes": ("on",),
    "synchronous_commit": ("on", "local", "remote_write", "remote_apply"),
}
"""Settings and what they may be; a version that does not know one cannot have it switched on, nor a server without that module.
A plan that is logged has the keys of codes, or of people, in it; a line for each checkpoint tells of five minutes whether anything came in them,
for as long as logs are kept; a write-ahead log that is kept, or summed up, tells it too. The last three: without them a power cut takes
what somebody was thanked for."""
ARCHIVE = "archive_mode"
COUNTS = "track_counts"
"""While PostgreSQL counts, it keeps the microsecond in which it last looked over each table, and from version 16 on that in which
each table and index was last read. Tables of many parts then tell when each row came; stirring does not reach it."""
VERSION = "server_version_num"
OLDEST = 140000
"""The oldest PostgreSQL that is still mended at the end of 2026 (postgresql.org/support/versioning)."""
IN_ORDER = ("answers", "people", "cases")
"""The stores in which that would tell something of a person."""
WIPED = ("answers", "cases", "people", "public")
"""The stores in which freed pages must be overwritten."""
_ASKED = "SELECT name, setting FROM pg_settings WHERE name = ANY($1)"


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """What one store's server says to this store's role, and which server it is."""

    settings: Mapping[str, str]
    server: str = ""
    data_folder: str = ""
    sampled: bool = False


async def public_address(settings: StoreSettings) -> str:
    """The address that `ascolto init` wrote down; empty if nothing can be read. Makes no store."""
    if not settings.database_url and not (settings.data / "public.sqlite").is_file():
        return ""
    try:
        bind(settings)
        record = await organisation.load()
    except Exception:  # no store yet, or one this account may not read: then only this machine is contacted
        return ""
    return record.address if record else ""


async def wipes(engine: PooledSQLite) -> bool:
    """Whether an engine's connections overwrite what they free."""
    connection = await engine.get_connection()
    try:
        async with connection.execute("PRAGMA secure_delete") as cursor:
            row: Any = await cursor.fetchone()
    finally:
        await connection.close()
    return bool(row["secure_delete"] == 1)


def judge_version() -> Finding:
    """Which SQLite the service runs with, and whether it is one that loses nothing."""
    version = sqlite_version()
    return good("sqlite", version=version) if sqlite_is_sound() else failed("sqlite", version=version)


async def judge_sqlite(data: Path) -> Iterator[Finding]:
    """Ask SQLite, through the engine that the service uses, whether it overwrites what it frees. Makes no store."""
    findings = [judge_version()]
    for store in WIPED:
        path = data / f"{store}.sqlite"
        try:
            if not path.is_file():
                raise FileNotFoundError(path)
            on = await wipes(sqlite_at(path, store))
        except (OSError, SQLiteError):
            findings.append(unsure("secure_delete", store=store))
            continue
        findings.append(good("secure_delete", store=store) if on else failed("secure_delete", store=store))
    return iter(findings)


async def judge_versions(settings: StoreSettings) -> Iterator[Finding]:
    """Whether this program knows what each store was brought to; one that a newer program wrote is left to that one. Makes no store."""
    findings, engines = list[Finding](), bind(settings)
    for store in STORES:
        if not settings.database_url and not (settings.data / f"{store}.sqlite").is_file():
            findings.append(unsure("store_version", store=store))
            continue
        try:
            rows = await engines[store]._run_in_new_connection("SELECT name FROM migration")
            refuse_other_versions(store, {row["name"] for row in rows})
        except StoresUnavailable as problem:
            findings.append(failed("store_version", problem=problem))
        except (OSError, asyncpg.PostgresError, SQLiteError):
            findings.append(unsure("store_version", store=store))
        else:
            findings.append(good("store_version", store=store))
    return iter(findings)


async def _ask(engine: SafePostgres, store: str) -> ServerSettings:
    connection = await engine.get_new_connection()
    try:
        rows = await connection.fetch(_ASKED, [*WANTED, ARCHIVE, COUNTS, VERSION])
        server = await connection.fetchval("SELECT concat(pg_postmaster_start_time(), ' ', inet_server_port())")
        sampled = await connection.fetch(SAMPLED, [table._meta.tablename for table in tables_of(store)])
        try:
            folder = await connection.fetchval("SELECT setting FROM pg_settings WHERE name = 'data_directory'")
        except asyncpg.PostgresError:
            folder = None
    finally:
        await connection.close()
    return ServerSettings({row["name"]: row["setting"] for row in rows}, server, folder or "", bool(sampled))


async def judge_postgres(settings: StoreSettings) -> Iterator[Finding]:
    """Ask each store's server, as that store's own role: a role or a database may have settings of its own."""
    told, silent = dict[str, ServerSettings](), list[str]()
    engines = bind(settings)
    for store in STORES:
        engine = engines[store]
        assert isinstance(engine, SafePostgres)
        try:
            told[store] = await _ask(engine, store)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            silent.append(store)
    if silent:
        return iter([failed("postgres", stores=", ".join(silent))])
    return iter([*judge_settings(told), judge_server_version(told), *judge_servers(told, settings.data)])


def judge_settings(told: Mapping[str, ServerSettings]) -> Iterator[Finding]:
    """Each setting once, over all stores."""
    for name, may_be in WANTED.items():
        wrong = {
            store: one.settings[name] for store, one in told.items() if one.settings.get(name, may_be[0]) not in may_be
        }
        where = ", ".join(f"{store}: {value}" for store, value in wrong.items())
        yield failed("setting", name=name, where=where, wanted=may_be[0]) if wrong else good("setting", name=name)
    yield judge_counts(told)
    sampled = ", ".join(store for store, one in told.items() if one.sampled)
    yield failed("samples", stores=sampled) if sampled else good("samples")


def judge_server_version(told: Mapping[str, ServerSettings]) -> Finding:
    """Which PostgreSQL runs, and whether anybody still mends it."""
    numbers = {int(one.settings.get(VERSION, "0")) for one in told.values()}
    said = ", ".join(f"{number // 10000}.{number % 10000}" for number in sorted(numbers))
    return good("server_version", version=said) if min(numbers) >= OLDEST else failed("server_version", version=said)


def judge_counts(told: Mapping[str, ServerSettings]) -> Finding:
    """Whether a server, which would keep the time of a last look or reading, counts nothing."""
    wrong = [store for store in IN_ORDER if store in told and told[store].settings.get(COUNTS, "off") != "off"]
    if not wrong:
        return good("setting", name=COUNTS)
    return failed("setting", name=COUNTS, where=", ".join(f"{store}: on" for store in wrong), wanted="off")


def judge_servers(told: Mapping[str, ServerSettings], data: Path) -> Iterator[Finding]:
    """No archive of the answers' log of commits, which holds a time for each; the keys not among the server's own files."""
    answers = told["answers"]
    yield failed("archive") if answers.settings.get(ARCHIVE, "off") != "off" else good("archive")
    if not answers.data_folder:
        yield unsure("keys_server")
    elif (data / "keys").resolve().is_relative_to(Path(answers.data_folder).resolve()):
        yield failed("keys_server")
    else:
        yield good("keys_server")
    shared = [store for store in STORES if store != "answers" and told[store].server == answers.server]
    yield unsure("own_server", stores=", ".join(shared)) if shared else good("own_server")
