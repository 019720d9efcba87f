"""The two database engines of Ascolto: Piccolo's own, made fit for many writers.

SQLite as Piccolo ships it opens a connection for each query and begins transactions DEFERRED, which locks under load;
on both engines a COMMIT that fails leaks the connection and leaves the task inside a dead transaction. Both are mended
here and nowhere else. Python's own SQLite is the machine's, whatever its age: ours comes with the program.
"""

import asyncio
import fcntl
import hashlib
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import aiosqlite
import asyncpg
import pysqlite3.dbapi2 as sqlite
from piccolo.engine.postgres import PostgresEngine, PostgresTransaction
from piccolo.engine.sqlite import ADAPTERS, CONVERTERS, SQLiteEngine, SQLiteTransaction, TransactionType, dict_factory
from piccolo.table import Table

from surveys.away import StoreAway, is_away, named

SOUND_SQLITE = (3, 51, 3)
"""Before it, a write-ahead log could lose commits when two connections wrote and emptied it at one moment."""
READERS = 4
BUSY_SECONDS = 30
CHECKPOINT_MILLISECONDS = 100
"""So long the emptying of a log waits for somebody who reads in it: those who answer wait as long."""
REWRITE_SECONDS = 3600
TRY_SECONDS = 0.05
CONNECT_SECONDS = 10
ACQUIRE_SECONDS = 5
"""So long a step waits for one of the few connections to PostgreSQL: where the server stands still all of them are taken."""
SAMPLED = """
SELECT DISTINCT root::regclass::text AS relation, quote_ident(attname) AS name, format_type(atttypid, atttypmod) AS type,
 EXISTS (SELECT FROM pg_partitioned_table, pg_attribute AS key WHERE partrelid = root AND key.attrelid = root
  AND key.attname = column_of.attname AND key.attnum = ANY(partattrs::int2[])) AS divides
FROM pg_attribute AS column_of JOIN pg_class ON pg_class.oid = attrelid,
 LATERAL (SELECT coalesce(pg_partition_root(pg_class.oid), pg_class.oid) AS root) AS whole
WHERE relkind IN ('r', 'p') AND (SELECT relname FROM pg_class WHERE oid = root) = ANY($1)
 AND attnum > 0 AND NOT attisdropped AND attstattarget IS DISTINCT FROM 0
"""
"""The columns of these tables, or of a part of them, of which PostgreSQL may keep samples; `divides` marks the key by
which a table is divided, whose type cannot be set."""
_READS = ("SELECT", "PRAGMA", "EXPLAIN")


for _kind, _adapter in ADAPTERS.items():
    sqlite.register_adapter(_kind, _adapter)
for _name, _converter in CONVERTERS.items():
    sqlite.register_converter(_name, _converter)

SQLiteError = sqlite.Error


def sqlite_version() -> str:
    """The SQLite that all stores are opened with: one that this program brings, not the machine's."""
    return str(sqlite.sqlite_version)


def sqlite_is_sound() -> bool:
    """Whether it is one that loses no commit."""
    return bool(sqlite.sqlite_version_info >= SOUND_SQLITE)


class Busy(Exception):
    """Another process, or another task, holds what was asked for."""


def _number_of(name: str) -> int:
    """A lock's name as 63 bits, which is what PostgreSQL's advisory locks go by."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8]) >> 1


async def _in_turn(took: Callable[[], Awaitable[bool]], patience: float) -> None:
    """Try until it is ours, a few times a second.

    Raises
    ------
    Busy
        If it is not after `patience` seconds.
    """
    end = asyncio.get_running_loop().time() + patience
    while not await took():
        if asyncio.get_running_loop().time() >= end:
            raise Busy
        await asyncio.sleep(TRY_SECONDS)


class _PooledTransaction(SQLiteTransaction):
    """A transaction on the one writer connection; always leaves it clean and free."""

    engine: "PooledSQLite"

    async def __aenter__(self) -> SQLiteTransaction:
        if self._parent is not None:
            return self._parent
        await self.engine.write_lock.acquire()
        try:
            with named(self.engine.store):
                self.connection = await self.engine.writer()
                try:
                    await self.begin()
                except BaseException:  # cancelled: the connection's thread may begin all the same
                    await self._undo()
                    await self.engine.give_back_writer(self.connection)
                    raise
        except BaseException:
            self.engine.write_lock.release()
            raise
        self.context = self.engine.current_transaction.set(self)
        return self

    async def __aexit__(self, exception_type: Any, exception: Any, traceback: Any) -> bool:
        if self._parent:
            return exception is None
        try:
            with named(self.engine.store):
                if exception is not None:
                    if not self._rolled_back:
                        await self._undo()
                    if isinstance(exception, sqlite.Error):  # of a statement that was run past the engine
                        raise exception
                elif not self._committed and not self._rolled_back:
                    try:
                        await self.commit()
                    except BaseException:
                        await self._undo()
                        raise
        finally:
            self.engine.current_transaction.reset(self.context)
            if exception is not None and is_away(exception):
                await self.engine.forget_pages(self.connection)
            await self.engine.give_back_writer(self.connection)
            self.engine.write_lock.release()
        return False

    async def _undo(self) -> None:
        """Roll back, if there is still something to: of a commit that was cancelled while it ran nobody knows before whether it went
        through. What is raised then must stay the cancelling: a service that is asked to end would go on."""
        try:
            await self.rollback()
        except sqlite.OperationalError as problem:
            if "no transaction is active" not in str(problem):
                raise


class PooledSQLite(SQLiteEngine):
    """One durable writer and a few readers per file: WAL, synchronous FULL, foreign keys, IMMEDIATE transactions.

    Before `start_connection_pool` each query opens a connection of its own, as migrations need.
    """

    __slots__ = ("_free_readers", "_readers", "_writer", "page_size", "store", "write_lock")

    def __init__(self, path: Path, *, page_size: int = 4096) -> None:
        self.page_size = page_size
        self._writer: aiosqlite.Connection | None = None
        self._readers: list[aiosqlite.Connection] = []
        self._free_readers: asyncio.Queue[aiosqlite.Connection] = asyncio.Queue()
        self.write_lock = asyncio.Lock()
        self.store = path.stem
        super().__init__(path=str(path), timeout=BUSY_SECONDS)

    async def get_connection(self) -> aiosqlite.Connection:
        """Open one connection with our settings; the caller closes it."""
        with named(self.store):
            connection = await aiosqlite.Connection(partial(sqlite.connect, **self.connection_kwargs), 64)
        connection.row_factory = dict_factory  # type: ignore[assignment]  # Piccolo reads rows as dicts
        for setting in (
            f"page_size = {self.page_size}",  # before the first table, else ignored
            "journal_mode = WAL",
            "synchronous = FULL",
            "foreign_keys = 1",
            "wal_autocheckpoint = 200",
            "secure_delete = ON",
        ):
            try:
                await self._fetch(connection, f"PRAGMA {setting}", None)
            except BaseException:
                await connection.close()  # its thread would keep the process from ending
                raise
        return connection

    async def writer(self) -> aiosqlite.Connection:
        return self._writer if self._writer is not None else await self.get_connection()

    async def give_back_writer(self, connection: aiosqlite.Connection) -> None:
        if connection is not self._writer:
            await connection.close()

    async def start_connection_pool(self, **_: Any) -> None:
        """Open the writer and the readers; the event loop that calls is the one that uses them."""
        self.write_lock = asyncio.Lock()
        self._free_readers = asyncio.Queue()
        self._writer = await self.get_connection()
        for _number in range(READERS):
            reader = await self.get_connection()
            self._readers.append(reader)
            self._free_readers.put_nowait(reader)

    async def close_connection_pool(self) -> None:
        """Close every connection: their threads are not daemons and would keep the process from ending."""
        writer, self._writer = self._writer, None
        readers, self._readers = self._readers, []
        for connection in [*readers, *([writer] if writer else [])]:
            await connection.close()

    async def _run_in_new_connection(
        self, query: str, args: list[Any] | None = None, query_type: str = "generic", table: Any = None
    ) -> Any:
        if self._writer is None:
            connection = await self.get_connection()
            try:
                return await self._fetch(connection, query, args)
            finally:
                await connection.close()
        if query.lstrip()[:7].upper().startswith(_READS):
            reader = await self._free_readers.get()
            try:
                return await self._fetch(reader, query, args)
            except StoreAway:
                await self.forget_pages(reader)
                raise
            finally:
                self._free_readers.put_nowait(reader)
        async with self.write_lock:
            try:
                return await self._fetch(self._writer, query, args)
            except StoreAway:
                await self.forget_pages(self._writer)
                raise

    async def forget_pages(self, connection: aiosqlite.Connection) -> None:
        """Keep no page of a file that could not be read: one that is whole again is read anew, without a restart."""
        with suppress(Exception):
            await self._fetch(connection, "PRAGMA shrink_memory", None)

    async def _run_in_existing_connection(
        self, connection: Any, query: str, args: list[Any] | None = None, query_type: str = "generic", table: Any = None
    ) -> Any:
        return await self._fetch(connection, query, args)

    async def _fetch(self, connection: aiosqlite.Connection, query: str, args: list[Any] | None) -> Any:
        """Run one statement to its end: an unread row would keep it open and forbid VACUUM."""
        with named(self.store):
            async with connection.execute(query, args or []) as cursor:
                return await cursor.fetchall()

    def transaction(
        self, transaction_type: TransactionType = TransactionType.immediate, allow_nested: bool = True
    ) -> SQLiteTransaction:
        """Begin IMMEDIATE: a DEFERRED transaction that reads, then writes, fails under load instead of waiting."""
        return _PooledTransaction(self, transaction_type=transaction_type, allow_nested=allow_nested)

    def atomic(self, transaction_type: TransactionType = TransactionType.immediate) -> Any:
        return super().atomic(transaction_type=transaction_type)

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        """Hold this store for one process: an exclusive lock on a file beside the database."""
        with open(f"{self.path}.lock", "w") as handle:
            await asyncio.to_thread(fcntl.flock, handle, fcntl.LOCK_EX)
            yield

    @asynccontextmanager
    async def held(self, name: str, patience: float) -> AsyncIterator[None]:
        """Hold one thing of this store by its name, among tasks and processes.

        Parameters
        ----------
        name : of anything but the store itself, which `alone` holds
        patience : seconds, 0 or more

        Raises
        ------
        Busy
            If somebody else holds it so long.
        """
        path = f"{self.path}.{_number_of(name):x}.lock"
        with open(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b") as handle:

            async def took() -> bool:
                try:
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    return False
                return True

            await _in_turn(took, patience)
            yield

    async def rewrite(self, *_tables: type[Table]) -> None:
        """Rewrite the whole file and empty the write-ahead log: no old page and no order of arrival stays behind."""
        async with self.write_lock:
            connection = await self.writer()
            try:
                await self._fetch(connection, "VACUUM", None)
                await self._fetch(connection, "PRAGMA wal_checkpoint(TRUNCATE)", None)
            finally:
                await self.give_back_writer(connection)

    async def is_here(self) -> bool:
        """Whether the file takes a writer; nothing is written.

        Raises
        ------
        StoreAway
        """
        async with self.transaction():
            pass
        return True

    async def truncate_wal(self) -> bool:
        """Empty the write-ahead log, whose frames lie in the order of arrival; False where somebody reads in it just now.

        Nobody who answers waits for such a reader: the next try empties it.
        """
        async with self.write_lock:
            connection = await self.writer()
            try:
                await self._fetch(connection, f"PRAGMA busy_timeout = {CHECKPOINT_MILLISECONDS}", None)
                rows = await self._fetch(connection, "PRAGMA wal_checkpoint(TRUNCATE)", None)
                return not rows or not rows[0]["busy"]
            finally:
                try:
                    await self._fetch(connection, f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}", None)
                finally:
                    await self.give_back_writer(connection)


class _SafePostgresTransaction(PostgresTransaction):
    """A transaction that gives its connection back whatever happens in BEGIN, COMMIT or ROLLBACK."""

    engine: "SafePostgres"

    async def __aenter__(self) -> PostgresTransaction:
        if self._parent is not None:
            return self._parent
        with named(self.engine.store):
            self.connection = await self.get_connection()
            try:
                self.transaction = self.connection.transaction()
                await self.begin()
            except BaseException:
                await self._free()
                raise
        self.context = self.engine.current_transaction.set(self)
        return self

    async def __aexit__(self, exception_type: Any, exception: Any, traceback: Any) -> bool:
        if self._parent:
            return exception is None
        try:
            with named(self.engine.store):
                if exception is not None:
                    if not self._rolled_back:
                        await self._undo(exception)
                    if isinstance(
                        exception, (asyncpg.PostgresError, asyncpg.InterfaceError, ConnectionError, TimeoutError)
                    ):
                        raise exception  # of a statement that was run on the connection itself
                elif not self._committed and not self._rolled_back:
                    await self.commit()
        finally:
            self.engine.current_transaction.reset(self.context)
            await self._free()
        return False

    async def _undo(self, problem: BaseException) -> None:
        """Roll back; where the server went away in the middle, what is raised stays what happened first."""
        try:
            await self.rollback()
        except Exception:
            if not is_away(problem):
                raise

    async def get_connection(self) -> Any:
        if self.engine.pool:
            return await self.engine.pool.acquire(timeout=ACQUIRE_SECONDS)
        return await self.engine.get_new_connection()

    async def _free(self) -> None:
        if self.engine.pool:
            await self.engine.pool.release(self.connection)
        else:
            await self.connection.close()


class SafePostgres(PostgresEngine):
    """Piccolo's PostgreSQL engine with transactions that do not leak, and waits that end."""

    store = ""

    async def check_version(self) -> None:
        """Connect to nothing while an engine is only made; `ascolto check` names the version."""

    async def get_new_connection(self) -> Any:
        with named(self.store):
            return await super().get_new_connection()

    async def start_connection_pool(self, **kwargs: Any) -> None:
        with named(self.store):
            await super().start_connection_pool(**kwargs)

    async def _run_in_pool(self, query: str, args: Sequence[Any] | None = None) -> Any:
        assert self.pool is not None
        with named(self.store):
            async with self.pool.acquire(timeout=ACQUIRE_SECONDS) as connection:
                return await connection.fetch(query, *(args or ()))

    async def _run_in_new_connection(self, query: str, args: Sequence[Any] | None = None) -> Any:
        with named(self.store):
            return await super()._run_in_new_connection(query, args)

    def transaction(self, allow_nested: bool = True) -> PostgresTransaction:
        return _SafePostgresTransaction(engine=self, allow_nested=allow_nested)

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        """Hold this store for one process: an advisory lock on a connection of its own."""
        connection = await self.get_new_connection()
        try:
            await connection.execute("SELECT pg_advisory_lock(8127450)")
            yield
        finally:
            await connection.close()

    @asynccontextmanager
    async def held(self, name: str, patience: float) -> AsyncIterator[None]:
        """Hold one thing of this store by its name: an advisory lock on a connection of its own (see `PooledSQLite.held`)."""
        connection = await self.get_new_connection()
        try:

            async def took() -> bool:
                return bool(await connection.fetchval("SELECT pg_try_advisory_lock($1)", _number_of(name)))

            await _in_turn(took, patience)
            yield
        finally:
            await connection.close()

    async def is_here(self) -> bool:
        """Whether the server answers and takes what is written; nothing is.

        Raises
        ------
        StoreAway
        """
        rows = await self._run_in_pool("SELECT current_setting('transaction_read_only') = 'off' AS here")
        return bool(rows[0]["here"])

    async def rewrite(self, *tables: type[Table]) -> None:
        """Lay what lives in these tables down anew, in random order, and nothing of what was deleted or changed.

        Not by VACUUM FULL, which keeps every old row that some open transaction, a backup for one, might still look at.
        Each table in a transaction of its own: two locks at a time could stand against those of somebody who writes.
        """
        for name in [part for table in tables for part in await self.parts(table)]:
            async with self.transaction() as transaction:
                for step in (
                    f"LOCK TABLE {name} IN ACCESS EXCLUSIVE MODE",
                    f"CREATE TEMP TABLE stirred ON COMMIT DROP AS SELECT * FROM {name}",
                    f"TRUNCATE {name}",
                    f"INSERT INTO {name} SELECT * FROM stirred ORDER BY random()",
                ):
                    await transaction.connection.execute(step, timeout=REWRITE_SECONDS)

    async def parts(self, table: type[Table]) -> list[str]:
        """The parts of a divided table, as a statement names them; the table itself where it is whole."""
        name = f'"{table._meta.tablename}"'
        rows = await self._run_in_new_connection(
            f"SELECT inhrelid::regclass::text AS part FROM pg_inherits WHERE inhparent = '{name}'::regclass"
        )
        return [str(row["part"]) for row in rows] or [name]

    async def divide(self, table: str, parts: int) -> None:
        """Divide a whole table by its key into parts that are written apart, in the transaction of a migration.

        No column of it is ever sampled. Uniqueness of the key stays PostgreSQL's business.
        """
        connection: Any = self.current_transaction.get().connection  # type: ignore[union-attr]  # a migration runs in one
        indexes = await connection.fetch(
            "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = $1 AND indexname <> $2",
            table,
            f"{table}_pkey",
        )
        if await connection.fetchval("SELECT relkind = 'p' FROM pg_class WHERE oid = $1::text::regclass", table):
            return
        columns = await connection.fetch(
            "SELECT quote_ident(attname) AS name FROM pg_attribute"
            " WHERE attrelid = $1::text::regclass AND attnum > 0 AND NOT attisdropped",
            table,
        )
        for step in (
            f"ALTER TABLE {table} DROP CONSTRAINT {table}_pkey",
            *(f"DROP INDEX {index['indexname']}" for index in indexes),
            f"ALTER TABLE {table} RENAME TO {table}_whole",
            f"CREATE TABLE {table} (LIKE {table}_whole INCLUDING DEFAULTS, PRIMARY KEY (id)) PARTITION BY HASH (id)",
            *(
                f"CREATE TABLE {table}_{part} PARTITION OF {table} FOR VALUES WITH (MODULUS {parts}, REMAINDER {part})"
                for part in range(parts)
            ),
            *(f"ALTER TABLE {table} ALTER COLUMN {column['name']} SET STATISTICS 0" for column in columns),
            f"INSERT INTO {table} SELECT * FROM {table}_whole",
            f"DROP TABLE {table}_whole",
            *(index["indexdef"] for index in indexes),
        ):
            await connection.execute(step, timeout=REWRITE_SECONDS)

    async def take_no_samples(self, tables: Sequence[type[Table]]) -> None:
        """Keep ANALYZE, which the server runs by itself, from copying values of any column into its statistics.

        There they would outlive the rows they were taken from, whatever is deleted and rewritten.
        A change of type, even to the same, drops what was sampled before.
        """
        columns = await self._run_in_new_connection(SAMPLED, [[table._meta.tablename for table in tables]])
        async with self.transaction() as transaction:
            for column in columns:
                table, name, kind = column["relation"], column["name"], column["type"]
                forgotten = "" if column["divides"] else f"ALTER COLUMN {name} TYPE {kind}, "
                await transaction.connection.execute(
                    f"ALTER TABLE {table} {forgotten}ALTER COLUMN {name} SET STATISTICS 0"
                )


type StoreEngine = PooledSQLite | SafePostgres


class KeyTaken(Exception):
    """Another process has kept a row under this key meanwhile."""


async def insert_new[Row: Table](table: type[Row], *rows: Row) -> None:
    """Insert rows under keys that are new, in a transaction that the caller ends.

    A plain INSERT would have PostgreSQL write a key that is taken into its log, with the time.

    Raises
    ------
    KeyTaken
        If a key was not new.
    """
    kept = await table.insert(*rows).on_conflict(action="DO NOTHING").returning(table._meta.primary_key)
    if len(kept) != len(rows):
        raise KeyTaken


def postgres_from_url(url: str, store: str, *, password: str | None) -> SafePostgres:
    """Make an engine from a `postgresql://` address; the password comes apart from it, never in it."""
    config: dict[str, Any] = {"dsn": url, "command_timeout": 60, "timeout": CONNECT_SECONDS}
    if password is not None:
        config["password"] = password
    engine = SafePostgres(config=config)
    engine.store = store
    return engine


def sqlite_at(path: Path, store: str) -> PooledSQLite:
    """Make the engine of one store file; answers keep one envelope a page. Every store wipes what it frees."""
    os.makedirs(path.parent, mode=0o700, exist_ok=True)
    page_size = 8192 if store == "answers" else 4096
    return PooledSQLite(path, page_size=page_size)
