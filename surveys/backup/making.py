"""Making a backup: what is gathered, sealed into a file under its name, and no more of those than are wanted."""

import fcntl
import os
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from surveys.backup.archive import BackupRefused, recipients_of, seal
from surveys.backup.contents import Left
from surveys.backup.gathering import Gathered, gathered
from surveys.stores import StoreSettings

NAME = re.compile(r"ascolto-(\d{4}-\d\d-\d\d)-([1-9]\d{0,5})\.age", re.ASCII)
PARTIAL = ".partial"
MARK = "backup.day"
"""Holds the day of the last backup, for `ascolto check`."""


@dataclass(frozen=True, slots=True)
class Made:
    """A backup that is on disk under its name."""

    file: Path
    held_seconds: float
    left: dict[str, Left]
    removed: list[Path]


def make(stores: StoreSettings, folder: Path, to: Sequence[str], day: date, keep: int = 0) -> Made:
    """Write a backup of an installation, while others write there.

    Parameters
    ----------
    stores : StoreSettings
        Where its stores and its data folder are; the folder is of this account.
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
    if not folder.is_dir():
        raise BackupRefused("no_folder", folder=folder)
    if folder.resolve().is_relative_to(stores.data.resolve()):
        raise BackupRefused("inside", folder=folder)
    with gathered(stores, day) as found:
        made = _write(folder, day, found, recipients)
    (stores.data / MARK).write_text(day.isoformat())
    return Made(made, found.held_seconds, found.left, _let_go(folder, keep, made))


def _write(folder: Path, day: date, found: Gathered, recipients: Sequence[Any]) -> Path:
    """Under another name first: whoever finds the final one finds a whole backup."""
    _clear(folder)
    number = max([n for there, n, _ in _backups(folder) if there == day.isoformat()], default=0) + 1
    target = folder / f"ascolto-{day.isoformat()}-{number}.age"
    partial = target.with_name(target.name + PARTIAL)
    try:
        with open(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            seal(file, found.manifest, found.contents, recipients)
            file.flush()
            os.fsync(file.fileno())
        partial.chmod(0o600)  # one that a killed backup left may have had another
        partial.rename(target)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    settled(folder)
    return target


def _clear(folder: Path) -> None:
    """Remove what killed backups began, of whatever day: whoever has the key reads it as far as it goes, and nobody counts it."""
    for path in folder.glob(f"*{PARTIAL}"):
        if NAME.fullmatch(path.name.removesuffix(PARTIAL)) and not path.is_symlink():
            with suppress(OSError), path.open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # another installation's that is being made stays
                path.unlink()


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
