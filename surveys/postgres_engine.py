"""PostgreSQL with transactions that do not leak, waits that end, and nothing of a person in its statistics.

As Piccolo ships it a COMMIT that fails leaks the connection and leaves the task inside a dead transaction.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

import asyncpg
from piccolo.engine.postgres import PostgresEngine, PostgresTransaction
from piccolo.table import Table

from surveys.away import StoreAway, is_away, named
from surveys.turns import in_turn, number_of

REWRITE_SECONDS = 3600
CONNECT_SECONDS = 10
_NEVER_IDLE = "SELECT set_config(name, '0', false) FROM pg_settings WHERE name = 'idle_session_timeout'"
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
        self.engine.refuse_barred()
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
    barred = False
    """Set while the databases are in use with another folder of keys (`surveys.one_folder`): nothing is read or written then."""

    def refuse_barred(self) -> None:
        if self.barred:
            raise StoreAway(self.store, "OtherFolder")

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
        self.refuse_barred()
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
        """Hold this store for one process: an advisory lock on a connection of its own.

        Raises
        ------
        StoreAway
            If the connection, and the lock with it, is lost meanwhile.
        """
        async with self._held_by() as connection:
            await connection.execute("SELECT pg_advisory_lock(8127450)")
            yield

    @asynccontextmanager
    async def writing_alone(self, *tables: type[Table], readers: bool = True) -> AsyncIterator[None]:
        """A transaction in which nobody else writes these tables, nor reads them unless `readers`: what is read in it stays true."""
        async with self.transaction() as transaction:
            names = ", ".join(f'"{table._meta.tablename}"' for table in tables)
            await transaction.connection.execute(f"LOCK TABLE {names} IN {'' if readers else 'ACCESS '}EXCLUSIVE MODE")
            yield

    @asynccontextmanager
    async def held(self, name: str, patience: float) -> AsyncIterator[None]:
        """Hold one thing of this store by its name: an advisory lock on a connection of its own (see `PooledSQLite.held`).

        Raises
        ------
        Busy
        StoreAway
            If the connection, and the lock with it, is lost meanwhile.
        """
        async with self._held_by() as connection:

            async def took() -> bool:
                return bool(await connection.fetchval("SELECT pg_try_advisory_lock($1)", number_of(name)))

            await in_turn(took, patience)
            yield

    @asynccontextmanager
    async def _held_by(self) -> AsyncIterator[Any]:
        """A connection whose locks are held to the end. Where it ends before, what goes on under it is cut off at once: somebody
        else may have taken the locks, and finishes it."""
        connection = await self.get_new_connection()
        lost = False

        def stop(_: object) -> None:
            nonlocal lost
            lost = True
            with suppress(RuntimeError):  # what was done is over
                limit.reschedule(0)

        try:
            async with asyncio.timeout(None) as limit:
                connection.add_termination_listener(stop)
                try:
                    await connection.execute(_NEVER_IDLE)  # it only waits, for as long as a step takes
                    yield connection
                finally:
                    connection.remove_termination_listener(stop)
        except TimeoutError as problem:
            if not lost:
                raise
            raise StoreAway(self.store, "LockLost") from problem
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
