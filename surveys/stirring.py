"""Stirring: rows are laid down anew in random order, a portion at a time, while people go on writing.

SQLite keeps the cells of a page in the order in which they came, PostgreSQL marks each row with its transaction and its
place (PRIVACY 3.8, "Order inside a page"). A stir takes both away from every row that was there when it began. PostgreSQL wrote each
row into its write-ahead log before: a stir pushes that on, so that the next checkpoint removes what lay there (decision 0018).
"""

import asyncio
import random
import time
from collections.abc import Iterator, Sequence
from itertools import pairwise

import asyncpg
from piccolo.table import Table

from surveys.engines import PooledSQLite, SafePostgres, StoreEngine

ROWS = 500
"""Rows of a portion on SQLite: some tens of milliseconds in which others wait."""
PORTION_BYTES = 8 * 2**20
"""And so many bytes at most, where rows are large: some tenths of a second."""
LOCK_MS = 300
"""How long a portion on PostgreSQL may wait for its lock: whoever comes after it waits as long."""
TRIES = 3
PATIENT_TRIES = 3600
READING_SECONDS = 0.1
_STIR_PART = """
DO $$ BEGIN
 PERFORM set_config('ascolto.stirred', 'no', false);
 BEGIN
  LOCK TABLE {part} IN ACCESS EXCLUSIVE MODE;
 EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
  RETURN;
 END;
 INSERT INTO stirred SELECT * FROM {part};
 TRUNCATE {part};
 INSERT INTO {part} SELECT * FROM stirred ORDER BY random();
 PERFORM set_config('ascolto.stirred', 'yes', false);
END $$
"""
"""What the lock is refused for is caught inside the server: a line in its log would tell which part somebody wrote in, and when."""
_PUSH_ON = """
SELECT count(pg_logical_emit_message(false, 'ascolto', repeat(' ', 1048576)))
FROM generate_series(1, (SELECT setting::bigint FROM pg_settings WHERE name = 'wal_segment_size') / 1048576)
"""
"""One segment of the write-ahead log is filled with blanks. A checkpoint removes whole segments that end before it, so what came last
would stay, with who sent what, until others have filled the rest: where few answer, for days. Anybody may write such a message."""
_dice = random.SystemRandom()


class StillInOrder(Exception):
    """Some portion could not be stirred: somebody, a backup for one, held it all the time. The next stir tries again."""


async def stir(
    engine: StoreEngine, *tables: type[Table], in_place: Sequence[type[Table]] = (), patient: bool = False
) -> None:
    """Lay the rows of these tables down anew in random order; nobody who writes waits longer than for one portion.

    Parameters
    ----------
    in_place : sequence of tables
        Whose rows SQLite overwrites where they lie, so that only PostgreSQL has to move them.
    patient : bool
        Go on trying for an hour where somebody holds a portion.

    Raises
    ------
    StillInOrder
    """
    if isinstance(engine, PooledSQLite):
        for table in tables:
            await _stir_file(engine, table)
        if not await _emptied(engine):
            raise StillInOrder
    else:
        await _stir_parts(engine, [*tables, *in_place], PATIENT_TRIES if patient else TRIES)


async def _emptied(engine: PooledSQLite) -> bool:
    """Empty the write-ahead log between the readings of others; False where one reader stays in it."""
    for _ in range(TRIES):
        if await engine.truncate_wal():
            return True
        await asyncio.sleep(READING_SECONDS)
    return False


async def _stir_file(engine: PooledSQLite, table: type[Table]) -> None:
    """Take each run of keys out and put it back: its cells, and the pages that long ones overflow into, then lie in the order
    of putting back. Indexes are made anew: of a short run few entries lie on one page, and would come back to where they lay.

    Keys tell nothing of the order of arrival, so neither does what stands in which run.
    """
    name = f'"{table._meta.tablename}"'
    columns = ", ".join(f'"{column._meta.db_column_name}"' for column in table._meta.columns)
    size = " + ".join(f"coalesce(octet_length({column}), 0)" for column in columns.split(", "))
    sizes = [
        (row["id"], row["size"])
        for row in await engine._run_in_new_connection(f"SELECT id, {size} AS size FROM {name} ORDER BY id")
    ]
    for low, high in pairwise([-(2**63), *_bounds(sizes), 2**63 - 1]):
        began = time.monotonic()
        async with engine.transaction() as transaction:
            for step in (
                f"CREATE TEMP TABLE stirred AS SELECT * FROM {name} WHERE id >= {low} AND id < {high}",
                f"DELETE FROM {name} WHERE id >= {low} AND id < {high}",
                f"INSERT INTO {name} SELECT * FROM stirred ORDER BY random()",
                "DROP TABLE stirred",
            ):
                await engine._run_in_existing_connection(transaction.connection, step)
        await asyncio.sleep(time.monotonic() - began)  # others have half of the time
    await engine._run_in_new_connection(f"REINDEX {name}")


def _bounds(sizes: Sequence[tuple[int, int]]) -> Iterator[int]:
    """The keys at which a new run begins; the first run is cut somewhere, so that no two stirs cut at the same keys."""
    rows, held = _dice.randrange(ROWS), _dice.randrange(PORTION_BYTES)
    for key, size in sizes:
        if rows and (rows >= ROWS or held + size > PORTION_BYTES):
            yield key
            rows = held = 0
        rows, held = rows + 1, held + size


async def _stir_parts(engine: SafePostgres, tables: Sequence[type[Table]], tries: int) -> None:
    """Rewrite each part of these tables alone, in random order of parts, on one connection apart from the pool."""
    connection = await engine.get_new_connection()
    try:
        for table in tables:
            name = f'"{table._meta.tablename}"'
            await connection.execute(f"CREATE TEMP TABLE stirred (LIKE {name}) ON COMMIT DELETE ROWS")
            parts = await engine.parts(table)
            _dice.shuffle(parts)
            for part in parts:
                began = time.monotonic()
                await _stir_part(connection, part, tries)
                await asyncio.sleep(time.monotonic() - began)  # others have half of the time
            await connection.execute("DROP TABLE stirred")
        await connection.fetchval(_PUSH_ON)
    finally:
        await connection.close()


async def _stir_part(connection: asyncpg.Connection, part: str, tries: int) -> None:
    step = _STIR_PART.format(part=part)  # one trip: there are hundreds of parts, and others wait
    for _ in range(tries):
        async with connection.transaction():
            await connection.execute(f"SET LOCAL lock_timeout = {LOCK_MS}; {step}")
        if await connection.fetchval("SELECT current_setting('ascolto.stirred')") == "yes":
            return
        await asyncio.sleep(1)
    raise StillInOrder(part)
