"""Making a backup: the moment, the copies, the sealed file under its name, and no more of them than are wanted."""

import fcntl
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import IO, Any

import pysqlite3.dbapi2 as sqlite

from surveys.backup.archive import SCHEMA, BackupRefused, digest_of, recipients_of, seal
from surveys.backup.contents import Left, database
from surveys.backup.moment import StoresBusy, copy_store, moment
from surveys.cases.keeper import key_digest, key_path
from surveys.stores import STORES

NAME = re.compile(r"ascolto-(\d{4}-\d\d-\d\d)-([1-9]\d{0,5})\.age", re.ASCII)
PARTIAL = ".partial"
STAGING = "backup.part"
MARK = "backup.day"
"""Holds the day of the last backup, for `ascolto check`."""


@dataclass(frozen=True, slots=True)
class Made:
    """A backup that is on disk under its name."""

    file: Path
    held_seconds: float
    left: dict[str, Left]
    removed: list[Path]


def make(data: Path, folder: Path, to: Sequence[str], day: date, keep: int = 0) -> Made:
    """Write a backup of a data folder on SQLite, while others write there.

    Parameters
    ----------
    data : Path
        The data folder, of this account.
    folder : Path
        Where the file goes; it is there, and not inside the data folder.
    to : sequence of str
        Public age keys, at least one.
    day : date
        Stands in its name and in its manifest.
    keep : int
        How many of the newest backups of this folder stay, this one among them; 0 keeps all.

    Raises
    ------
    BackupRefused
        Nothing stands under the final name, and no other backup was removed.
    OSError
    """
    recipients = recipients_of(to)
    _look(data, folder)
    with _alone(data), _staging(data) as staging:
        try:
            made, held, left = _sealed(data, staging, folder, recipients, day)
        except StoresBusy:
            raise BackupRefused("busy") from None
        except sqlite.DatabaseError as problem:
            raise BackupRefused("unreadable", problem=problem) from None
        (data / MARK).write_text(day.isoformat())
        return Made(made, held, left, _let_go(folder, keep, made))


def _look(data: Path, folder: Path) -> None:
    missing = [database(store) for store in STORES if not (data / database(store)).is_file()]
    if missing:
        raise BackupRefused("no_stores", folder=data, names=", ".join(missing))
    if data.stat().st_uid != os.geteuid():
        raise BackupRefused("account", folder=data)
    if not folder.is_dir():
        raise BackupRefused("no_folder", folder=folder)
    if folder.resolve().is_relative_to(data.resolve()):
        raise BackupRefused("inside", folder=folder)


@contextmanager
def _alone(data: Path) -> Iterator[None]:
    with open(data / "backup.lock", "w") as handle:
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


def _sealed(
    data: Path, staging: Path, folder: Path, recipients: Sequence[Any], day: date
) -> tuple[Path, float, dict[str, Left]]:
    with ExitStack() as stack:
        with moment(data, staging) as now:
            held, files, left = now.held_seconds, dict(now.files), dict(now.left)
            stores: dict[str, dict[str, Any]] = {}
            for store in (
                "answers",
                "people",
                "cases",
                "public",
            ):  # whose logs show an order first: a reader keeps them full
                stores[store] = {"rows": copy_store(now.readers[store], store, staging / database(store))}
                now.readers[store].close()
        for store, about in stores.items():
            about["steps"] = _steps(staging / database(store))
        for name, content in files.items():
            (staging / name).parent.mkdir(mode=0o700, exist_ok=True)
            (staging / name).write_bytes(content)
        opened: dict[str, IO[bytes]] = {}
        for name in [*files, *(database(store) for store in STORES)]:
            opened[name] = stack.enter_context((staging / name).open("rb"))
        shutil.rmtree(staging)  # open still, and gone with this process whatever ends it
        key = key_path(data)
        manifest = {
            "schema": SCHEMA,
            "day": day.isoformat(),
            "sqlite": str(sqlite.sqlite_version),
            "stores": stores,
            "files": {
                name: {"sha256": digest_of(content), "bytes": content.tell()} for name, content in opened.items()
            },
            "left": {name: why.value for name, why in left.items()},
            "cases_key": key_digest(key.read_bytes()) if key.exists() else "",
        }
        return _write(folder, day, manifest, opened, recipients), held, left


def _steps(path: Path) -> list[str]:
    """The names of the migrations that a store has been through; SQLite has looked over the whole copy before."""
    there = sqlite.connect(str(path))
    try:
        if (found := there.execute("PRAGMA integrity_check").fetchone()[0]) != "ok":
            raise BackupRefused("unreadable", problem=found)
        return [str(row[0]) for row in there.execute("SELECT name FROM migration ORDER BY name")]
    finally:
        there.close()


def _write(
    folder: Path, day: date, manifest: dict[str, Any], contents: dict[str, IO[bytes]], recipients: Sequence[Any]
) -> Path:
    """Under another name first: whoever finds the final one finds a whole backup."""
    number = max([n for there, n, _ in _backups(folder) if there == day.isoformat()], default=0) + 1
    target = folder / f"ascolto-{day.isoformat()}-{number}.age"
    partial = target.with_name(target.name + PARTIAL)
    try:
        with open(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            seal(file, manifest, contents, recipients)
            file.flush()
            os.fsync(file.fileno())
        partial.chmod(0o600)  # one that a killed backup left may have had another
        partial.rename(target)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    settled(folder)
    return target


def settled(folder: Path) -> None:
    """Keep the names in a folder over a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _backups(folder: Path) -> list[tuple[str, int, Path]]:
    """Our own files of a folder by day and number, oldest first."""
    found = ((NAME.fullmatch(path.name), path) for path in folder.iterdir() if path.is_file() and not path.is_symlink())
    return sorted((name[1], int(name[2]), path) for name, path in found if name)


def _let_go(folder: Path, keep: int, made: Path) -> list[Path]:
    """Remove all but the newest; the one just made stays, whatever day the clock says."""
    old = [path for _, _, path in _backups(folder)][:-keep] if keep else []
    gone = [path for path in old if path != made]
    for path in gone:
        path.unlink(missing_ok=True)
    if gone:
        settled(folder)
    return gone
