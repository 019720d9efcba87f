"""The databases: what is deleted is wiped, and PostgreSQL writes down neither statements nor times."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
from piccolo.apps.migrations.tables import Migration
from piccolo.table import Table

from server.check import Finding, failed, good, listed, unsure
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
    "wal_recycle": ("off",),
    "summarize_wal": ("off",),
    "fsync": ("on",),
    "full_page_writes": ("on",),
    "synchronous_commit": ("on", "local", "remote_write", "remote_apply"),
}
"""Settings and what they may be; a version that does not know one cannot have it switched on, nor a server without that module.
A plan that is logged has the keys of codes, or of people, in it; a line for each checkpoint tells of five minutes whether anything came in them,
for as long as logs are kept; a write-ahead log that is kept, or summed up, tells it too, and one whose old files are used again joins people,
codes and sheets until it has come round. The last three: without them a power cut takes
what somebody was thanked for."""
AT_MOST: Mapping[str, int] = {"checkpoint_timeout": 300}
"""Settings in seconds: the write-ahead log of before a stir goes with the next checkpoint."""
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
STRANGE = r"""
WITH others AS (SELECT oid FROM pg_namespace WHERE nspname <> 'information_schema' AND nspname NOT LIKE 'pg\_%'),
 extended AS (SELECT classid, objid FROM pg_depend WHERE deptype = 'e')
SELECT relation.oid::regclass::text AS name FROM pg_class AS relation
 WHERE relkind IN ('r', 'p', 'v', 'm', 'f') AND relnamespace IN (SELECT oid FROM others)
 AND ('pg_class'::regclass, oid) NOT IN (SELECT classid, objid FROM extended)
 AND NOT (relnamespace = current_schema()::regnamespace
  AND coalesce((SELECT relname FROM pg_class WHERE oid = pg_partition_root(relation.oid)), relname) = ANY($1))
UNION SELECT proname FROM pg_proc
 WHERE pronamespace IN (SELECT oid FROM others) AND ('pg_proc'::regclass, oid) NOT IN (SELECT classid, objid FROM extended)
UNION SELECT tgname FROM pg_trigger WHERE NOT tgisinternal
UNION SELECT rulename FROM pg_rewrite JOIN pg_class ON pg_class.oid = ev_class
 WHERE rulename <> '_RETURN' AND relnamespace IN (SELECT oid FROM others)
UNION SELECT polname FROM pg_policy
UNION SELECT pubname FROM pg_publication
UNION SELECT evtname FROM pg_event_trigger
UNION SELECT slot_name FROM pg_replication_slots WHERE database = current_database() OR database IS NULL AND $2
ORDER BY name
"""
"""What lies beside our tables in a store's database and what hands its rows on, by name; of the whole server where that is asked for.
What an extension brings is its own: `pg_stat_statements` has a view."""
STRANGE_IN_FILE = r"""
SELECT name FROM sqlite_schema
WHERE type IN ('trigger', 'view') OR type = 'table' AND name NOT LIKE 'sqlite\_%' ESCAPE '\'
ORDER BY name
"""
COLUMNS = """
SELECT relname AS "table", attname AS "column" FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
WHERE relkind IN ('r', 'p') AND NOT relispartition AND relnamespace = current_schema()::regnamespace AND attnum > 0 AND NOT attisdropped
"""
COLUMNS_IN_FILE = """
SELECT whole.name AS "table", part.name AS "column" FROM sqlite_schema AS whole, pragma_table_xinfo(whole.name) AS part
WHERE whole.type = 'table'
"""
"""Every column, to be held against ours: one of somebody else has a clock as its default, and a stir copies whole rows."""
_ASKED = """
SELECT name, setting || CASE WHEN name = 'wal_recycle' AND source LIKE ANY ('{%user,database,client,session}')
 THEN ' (' || source || ')' ELSE '' END AS setting FROM pg_settings WHERE name = ANY($1)
"""
"""What removes the write-ahead log is no session: what a role or a database was told of it holds for nobody."""


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """What one store's server says to this store's role, and which server it is."""

    settings: Mapping[str, str]
    server: str = ""
    data_folder: str = ""
    sampled: bool = False
    strange: tuple[str, ...] = ()


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
    return iter([*findings, *(await _judge_files(data))])


async def _judge_files(data: Path) -> list[Finding]:
    """What lies in the files beside our tables; of one that is not there, or cannot be read, enough was said."""
    strange = dict[str, tuple[str, ...]]()
    for store in WIPED:
        path = data / f"{store}.sqlite"
        if path.is_file():
            with suppress(OSError, SQLiteError):
                rows = await sqlite_at(path, store)._run_in_new_connection(STRANGE_IN_FILE)
                columns = await sqlite_at(path, store)._run_in_new_connection(COLUMNS_IN_FILE)
                names = [row["name"] for row in rows if row["name"] not in _ours(store)]
                strange[store] = (*names, *_strange_columns(store, columns))
    return [_judge_strange(strange)] if strange else []


def _tables(store: str) -> list[type[Table]]:
    return [Migration, *tables_of(store)]


def _ours(store: str) -> list[str]:
    return [table._meta.tablename for table in _tables(store)]


def _strange_columns(store: str, rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """The columns of our tables that are not ours, as `table.column`."""
    ours = {
        table._meta.tablename: {column._meta.db_column_name for column in table._meta.columns}
        for table in _tables(store)
    }
    found = [(row["table"], row["column"]) for row in rows if row["table"] in ours]
    return sorted(f"{table}.{column}" for table, column in found if column not in ours[table])


def _judge_strange(strange: Mapping[str, Sequence[str]]) -> Finding:
    """Whether a store holds what is not ours: a trigger can write down who sent what, and when."""
    found = [f"{store}: {listed(list(names))}" for store, names in strange.items() if names]
    return failed("strange", things="; ".join(found)) if found else good("strange")


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
        rows = await connection.fetch(_ASKED, [*WANTED, *AT_MOST, ARCHIVE, COUNTS, VERSION])
        server = await connection.fetchval("SELECT concat(pg_postmaster_start_time(), ' ', inet_server_port())")
        sampled = await connection.fetch(SAMPLED, [table._meta.tablename for table in tables_of(store)])
        beside = await connection.fetch(STRANGE, _ours(store), store == "answers")
        strange = *(str(row["name"]) for row in beside), *_strange_columns(store, await connection.fetch(COLUMNS))
        try:
            folder = await connection.fetchval("SELECT setting FROM pg_settings WHERE name = 'data_directory'")
        except asyncpg.PostgresError:
            folder = None
    finally:
        await connection.close()
    found = {row["name"]: row["setting"] for row in rows}
    return ServerSettings(found, server, folder or "", bool(sampled), strange)


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
    for name, most in AT_MOST.items():
        late = {store: one.settings[name] for store, one in told.items() if int(one.settings.get(name, most)) > most}
        where = ", ".join(f"{store}: {value}" for store, value in late.items())
        yield failed("setting", name=name, where=where, wanted=most) if late else good("setting", name=name)
    yield judge_counts(told)
    sampled = ", ".join(store for store, one in told.items() if one.sampled)
    yield failed("samples", stores=sampled) if sampled else good("samples")
    yield _judge_strange({store: one.strange for store, one in told.items()})


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
