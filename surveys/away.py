"""A store that is away for now: its server stopped or stands still, its file is locked or unreadable, its disk is full.

What a database says then is told apart here from what only a fault of the program can cause.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg
import pysqlite3.dbapi2 as sqlite

_SQLITE = frozenset((3, 5, 6, 7, 8, 10, 11, 13, 14, 26))
"""SQLite's primary result codes (sqlite.org/rescode.html): PERM, BUSY, LOCKED, NOMEM, READONLY, IOERR, CORRUPT, FULL, CANTOPEN, NOTADB."""
_POSTGRES = (
    OSError,  # refused, reset, timed out
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,  # it starts, stops, or ended our connection
    asyncpg.InsufficientResourcesError,  # a full disk, no connection left
    asyncpg.PostgresIOError,
    asyncpg.ReadOnlySQLTransactionError,  # a copy that was not made the first
)


class StoreAway(OSError):
    """A store does not answer now; nothing of the step that was asked for was kept. `kind` is what the database calls it."""

    def __init__(self, store: str, kind: str) -> None:
        super().__init__(f"the {store} store is away: {kind}")
        self.store, self.kind = store, kind


def is_away(problem: BaseException) -> bool:
    """Whether this fault of a database goes by itself when the database comes back."""
    if isinstance(problem, sqlite.Error):
        return getattr(problem, "sqlite_errorcode", 0) & 0xFF in _SQLITE
    closed = isinstance(problem, asyncpg.InterfaceError) and "clos" in str(problem)
    return closed or isinstance(problem, _POSTGRES)


@contextmanager
def named(store: str) -> Iterator[None]:
    """Give what a store says when it is away the name of the store.

    Raises
    ------
    StoreAway
    """
    try:
        yield
    except StoreAway:
        raise
    except Exception as problem:
        if not is_away(problem):
            raise
        kind = getattr(problem, "sqlite_errorname", "") or type(problem).__name__
        raise StoreAway(store, kind) from problem
