"""SQLite made fit for many writers: one durable writer, a few readers, and transactions that end clean.

SQLite as Piccolo ships it opens a connection for each query and begins transactions DEFERRED, which locks under load; a COMMIT that
fails leaks the connection and leaves the task inside a dead transaction. Python's own SQLite is the machine's, whatever its
age: ours comes with the program.
"""

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import aiosqlite
import pysqlite3.dbapi2 as sqlite
from piccolo.engine.sqlite import ADAPTERS, CONVERTERS, SQLiteEngine, SQLiteTransaction, TransactionType, dict_factory
from piccolo.table import Table

from surveys.away import StoreAway, is_away, named
from surveys.odd import StoreOdd
from surveys.turns import in_turn, number_of

SOUND_SQLITE = (3, 51, 3)
"""Before it, a write-ahead log could lose commits when two connections wrote and emptied it at one moment."""
READERS = 4
BUSY_SECONDS = 30
CHECKPOINT_MILLISECONDS = 100
"""So long the emptying of a log waits for somebody who reads in it: those who answer wait as long."""
_READS = ("SELECT", "PRAGMA", "EXPLAIN")


for _kind, _adapter in ADAPTERS.items():
    sqlite.register_adapter(_kind, _adapter)


def _reading(kind: str, convert: Callable[[bytes], Any]) -> Callable[[bytes], Any]:
    """A cell as what its column holds; SQLite itself keeps anything in any column."""

    def read(cell: bytes) -> Any:
        try:
            return convert(cell)
        except (ArithmeticError, ValueError) as problem:
            raise StoreOdd(kind) from problem

    return read


def _truth(cell: bytes) -> bool:
    """Yes or no; Piccolo's own reading takes for "no" whatever is not 1, as if a case were not contested or not held."""
    if cell not in (b"0", b"1"):
        raise ValueError("neither yes nor no")
    return cell == b"1"


for _name, _converter in (CONVERTERS | {"BOOLEAN": _truth}).items():
    sqlite.register_converter(_name, _reading(_name, _converter))

SQLiteError = sqlite.Error


def sqlite_version() -> str:
    """The SQLite that all stores are opened with: one that this program brings, not the machine's."""
    return str(sqlite.sqlite_version)


def sqlite_is_sound() -> bool:
    """Whether it is one that loses no commit."""
    return bool(sqlite.sqlite_version_info >= SOUND_SQLITE)


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
        """Run one statement to its end: an unread row would keep it open and forbid VACUUM.

        Raises
        ------
        StoreAway
        StoreOdd
            If a cell is nothing that its column can hold.
        """
        with named(self.store):
            try:
                async with connection.execute(query, args or []) as cursor:
                    return await cursor.fetchall()
            except sqlite.OperationalError as problem:
                if "decode to UTF-8" in str(problem):
                    raise StoreOdd("TEXT") from problem
                raise

    def transaction(
        self, transaction_type: TransactionType = TransactionType.immediate, allow_nested: bool = True
    ) -> SQLiteTransaction:
        """Begin IMMEDIATE: a DEFERRED transaction that reads, then writes, fails under load instead of waiting."""
        return _PooledTransaction(self, transaction_type=transaction_type, allow_nested=allow_nested)

    def atomic(self, transaction_type: TransactionType = TransactionType.immediate) -> Any:
        return super().atomic(transaction_type=transaction_type)

    async def in_one_turn[T](self, work: Callable[[Any], T]) -> T:
        """Do many statements of the transaction that is open here, on its bare connection, in one turn of its thread.

        Parameters
        ----------
        work : given the `sqlite3` connection of the transaction; neither begins nor ends it
        """
        transaction = self.current_transaction.get()
        assert transaction is not None, "a turn belongs to a transaction"
        connection = transaction.connection
        with named(self.store):
            done: T = await connection._execute(work, connection._conn)
            return done

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        """Hold this store for one process: an exclusive lock on a file beside the database."""
        with open(f"{self.path}.lock", "w") as handle:
            await asyncio.to_thread(fcntl.flock, handle, fcntl.LOCK_EX)
            yield

    @asynccontextmanager
    async def writing_alone(self, *_tables: type[Table], readers: bool = True) -> AsyncIterator[None]:
        """A transaction in which nobody else writes: what is read in it stays true. Every one is IMMEDIATE; who reads waits for none."""
        async with self.transaction():
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
        path = f"{self.path}.{number_of(name):x}.lock"
        with open(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b") as handle:

            async def took() -> bool:
                try:
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    return False
                return True

            await in_turn(took, patience)
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
