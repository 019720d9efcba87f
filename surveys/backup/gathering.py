"""What a backup or a rehearsal begins with: one moment of an installation, laid down in files that nobody else sees."""

import asyncio
import fcntl
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import IO, Any

import pysqlite3.dbapi2 as sqlite

from surveys.backup import postgres
from surveys.backup.archive import SCHEMA, BackupRefused, digest_of
from surveys.backup.contents import STAGING, Left, database
from surveys.backup.moment import StoresBusy, copy_store, moment
from surveys.backup.postgres import Copied
from surveys.cases.keeper import key_digest, key_path
from surveys.lifecycle.copies import LOCK
from surveys.stores import MOVED, STORES, StoreSettings


@dataclass(frozen=True, slots=True)
class Gathered:
    """One moment of an installation: what the archive says of itself, and what it holds, open and without a name on the disk."""

    manifest: Mapping[str, Any]
    contents: Mapping[str, IO[bytes]]
    held_seconds: float
    """So long nobody could write."""
    left: dict[str, Left]
    staging: Path
    """Where the copies lay: gone already, and whatever is made there goes at the end, or with the next who gathers."""


@contextmanager
def gathered(stores: StoreSettings, day: date) -> Iterator[Gathered]:
    """Take one moment, alone among those who do; its copies are gone at the end, whatever ends it.

    Parameters
    ----------
    stores : StoreSettings
        Where stores and data folder are; the folder is of this account.
    day : date
        Stands in the manifest.

    On PostgreSQL with a loop of its own: not from within one.

    Raises
    ------
    BackupRefused
    OSError
    """
    data = stores.data
    look(stores)
    with alone(data), _staging(data) as staging, ExitStack() as stack:
        try:
            found = _gathered(stores, staging, day, stack)
        except StoresBusy:
            raise BackupRefused("busy") from None
        except sqlite.DatabaseError as problem:
            raise BackupRefused("unreadable", problem=problem) from None
        yield found


def look(stores: StoreSettings) -> None:
    """Whether here is an installation of this account.

    Raises
    ------
    BackupRefused
    """
    data = stores.data
    if not stores.database_url and (data / MOVED).exists():
        raise BackupRefused("moved", file=data / MOVED)
    missing = [database(store) for store in STORES if not (data / database(store)).is_file()]
    if missing and not stores.database_url:
        raise BackupRefused("no_stores", folder=data, names=", ".join(missing))
    if data.stat().st_uid != os.geteuid():
        raise BackupRefused("account", folder=data)


@contextmanager
def alone(data: Path) -> Iterator[None]:
    """Nobody else copies this installation meanwhile.

    Raises
    ------
    BackupRefused
    """
    with open(data / LOCK, "w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BackupRefused("another") from None
        yield


@contextmanager
def _staging(data: Path) -> Iterator[Path]:
    """A folder for the copies, on the same disk and as closed as the stores; what a killed backup left there goes first."""
    staging = data / STAGING
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir(mode=0o700)
    try:
        yield staging
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _copied(stores: StoreSettings, staging: Path) -> Copied:
    """Lay one moment of the stores down in the staging folder."""
    if stores.database_url:
        return asyncio.run(postgres.copied(stores, staging))
    with moment(stores.data, staging) as now:
        rows = {}
        for store in postgres.COPIED:  # whose logs show an order first: a reader keeps them full
            rows[store] = copy_store(now.readers[store], store, staging / database(store))
            now.readers[store].close()
        return Copied(rows, dict(now.files), dict(now.left), now.held_seconds)


def _gathered(settings: StoreSettings, staging: Path, day: date, stack: ExitStack) -> Gathered:
    now = _copied(settings, staging)
    stores = {store: {"rows": rows, "steps": _steps(staging / database(store))} for store, rows in now.rows.items()}
    files, left = now.files, now.left
    for name, content in files.items():
        (staging / name).parent.mkdir(mode=0o700, exist_ok=True)
        (staging / name).write_bytes(content)
    opened: dict[str, IO[bytes]] = {}
    for name in [*files, *(database(store) for store in STORES)]:
        opened[name] = stack.enter_context((staging / name).open("rb"))
    shutil.rmtree(staging)  # open still, and gone with this process whatever ends it
    key = key_path(settings.data)
    manifest = {
        "schema": SCHEMA,
        "day": day.isoformat(),
        "sqlite": str(sqlite.sqlite_version),
        "stores": stores,
        "files": {name: {"sha256": digest_of(content), "bytes": content.tell()} for name, content in opened.items()},
        "left": {name: why.value for name, why in left.items()},
        "cases_key": key_digest(key.read_bytes()) if key.exists() else "",
    }
    return Gathered(manifest, opened, now.held_seconds, left, staging)


def _steps(path: Path) -> list[str]:
    """The names of the migrations that a store has been through; SQLite has looked over the whole copy before."""
    there = sqlite.connect(str(path))
    try:
        if (found := there.execute("PRAGMA integrity_check").fetchone()[0]) != "ok":
            raise BackupRefused("unreadable", problem=found)
        return [str(row[0]) for row in there.execute("SELECT name FROM migration ORDER BY name")]
    finally:
        there.close()
