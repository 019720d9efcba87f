"""One folder of keys for four databases: who works on them says with which folder, and a second folder is refused.

Databases of a PostgreSQL are reached from many machines, keys from those alone that share their folder. With two folders each
would send, count and close for itself, and each would have keys of its own.

The first process of a folder draws an id into a file of it, and all hold that file: a copy of the folder has nobody who holds
it, so it gets an id of its own. Each process then holds a lock of the public store whose number comes from the id. It goes with
the session, however the process ends.
"""

import asyncio
import fcntl
import os
import re
import secrets
from collections.abc import Sequence
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import Any

import asyncpg

from surveys.away import StoreAway, named
from surveys.postgres_engine import SafePostgres
from surveys.turns import Busy, in_turn, number_of

FILE = "serving.lock"
KIND = 8127451
"""The first number of these locks: the others of this program have one number alone."""
LOOKING = 8127452
"""Held by whoever looks and takes: of two that start at once one sees the other."""
PATIENCE_SECONDS = 5.0
"""So long a start waits for another folder to go: a session whose process was killed may stand for a moment."""
LOOK_SECONDS = 10.0
ANSWER_SECONDS = 5.0
AGAIN_SECONDS = 2.0
_SETTINGS = {
    "idle_session_timeout": "0",
    "tcp_keepalives_idle": "10",  # of a machine without power the server would wait for hours
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
}
_SET = "SELECT set_config(name, $2, false) FROM pg_settings WHERE name = $1"
_LOCKS = """
SELECT coalesce(bool_or(objid::bigint = $2 AND pid = pg_backend_pid()), false) AS ours,
 coalesce(bool_or(objid::bigint <> $2), false) AS others
FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 2 AND classid::bigint = $1
 AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
_ID = re.compile(rb"[0-9a-f]{32}")


class AnotherFolder(Exception):
    """The databases are in use with another folder of keys."""


class Folder(StrEnum):
    """What is known of the folder of keys that this process works with."""

    OK = "ok"
    UNHELD = "unheld"
    """The connection was lost, and its lock with it."""
    OTHER = "other"
    """Meanwhile the databases are in use with another one."""


class Presence:
    """A process at work on databases with its folder of keys, from `take` to `leave`; one that is lost is taken again."""

    def __init__(self, engines: Sequence[SafePostgres], data: Path) -> None:
        """Of these engines the first is asked; while another folder has the databases, all give nothing."""
        self._engines, self._data = engines, data
        self._file: int | None = None
        self._number = 0
        self._connection: Any = None
        self._ended = asyncio.Event()
        self._keeping: asyncio.Task[None] | None = None
        self._others = False

    @property
    def folder(self) -> Folder:
        if self._others:
            return Folder.OTHER
        return Folder.UNHELD if self._connection is None or self._connection.is_closed() else Folder.OK

    async def take(self) -> None:
        """Hold the databases for this folder.

        Raises
        ------
        AnotherFolder
        StoreAway
            If the public store does not answer, or somebody looks for too long.
        OSError
            If the folder takes no locks.
        """
        try:
            await in_turn(self._entered, PATIENCE_SECONDS)
            await self._hold(PATIENCE_SECONDS)
        except Busy:
            await self.leave()
            raise StoreAway(self._engines[0].store, "Busy") from None
        except BaseException:
            await self.leave()
            raise
        self._keeping = asyncio.create_task(self._keep())

    async def leave(self) -> None:
        """Let the databases go, then the folder: whoever comes next draws an id, and finds nobody with the one before."""
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.gather(self._keeping, return_exceptions=True)
        if self._connection is not None and not self._connection.is_closed():
            with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                await self._connection.execute("SELECT pg_advisory_unlock_all()", timeout=ANSWER_SECONDS)
        self._drop()
        if self._file is not None:
            os.close(self._file)
            self._file = None

    async def _entered(self) -> bool:
        """Share the folder with its other processes; as the first draw its id."""
        file = os.open(self._data / FILE, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            with suppress(BlockingIOError):
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                os.pwrite(file, secrets.token_hex(16).encode(), 0)
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            drawn = os.pread(file, 32, 0)  # while it is shared nobody draws another
            if _ID.fullmatch(drawn):
                self._number = number_of(drawn.decode()) % 2**31
                self._file, file = file, -1
        except BlockingIOError:
            pass  # somebody draws it now
        finally:
            if file >= 0:
                os.close(file)
        return self._file is not None

    async def _hold(self, patience: float) -> None:
        connection = await self._engines[0].get_new_connection()
        others = False

        async def took() -> bool:
            nonlocal others
            if not await connection.fetchval("SELECT pg_try_advisory_lock($1)", LOOKING):
                return False
            try:
                found = await connection.fetchrow(_LOCKS, KIND, self._number)
                others = bool(found["others"])
                if not others:
                    await connection.execute(f"SELECT pg_advisory_lock_shared({KIND}, {self._number})")
            finally:
                await connection.execute(f"SELECT pg_advisory_unlock({LOOKING})")
            return not others

        try:
            with named(self._engines[0].store):
                for setting in _SETTINGS.items():
                    await connection.execute(_SET, *setting)
                await in_turn(took, patience)
        except BaseException as problem:
            connection.terminate()
            if isinstance(problem, Busy) and others:
                raise AnotherFolder from None
            raise
        connection.add_termination_listener(lambda _: self._ended.set())
        self._connection = connection

    async def _keep(self) -> None:
        """Look every few seconds whether the lock is still there, at once when the connection ends; take it again."""
        while True:
            if self._connection is not None:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._ended.wait(), LOOK_SECONDS)
                self._ended.clear()
                if await self._is_held():
                    continue
                self._drop()
            try:
                await self._hold(0)
                self._bar(others=False)
            except AnotherFolder:
                self._bar(others=True)
            except Exception:  # it is away, or somebody looks: what is seen is told by whoever looks at `folder`
                pass
            if self._connection is None:
                await asyncio.sleep(AGAIN_SECONDS)

    async def _is_held(self) -> bool:
        try:
            found = await self._connection.fetchrow(_LOCKS, KIND, self._number, timeout=ANSWER_SECONDS)
            return bool(found["ours"])
        except Exception:
            return False

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None

    def _bar(self, *, others: bool) -> None:
        self._others = others
        for engine in self._engines:
            engine.barred = others
