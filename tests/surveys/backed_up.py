"""Keys, copies and counts for the tests of backups."""

import io
from contextlib import closing
from pathlib import Path
from typing import Any

import pyrage
import pysqlite3.dbapi2 as sqlite

from surveys.backup.archive import unseal
from surveys.backup.making import Made, make
from surveys.stores import StoreSettings
from tests.conftest import DAY


class Keys:
    """A pair of age keys and the file that age-keygen would write."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        made = pyrage.x25519.Identity.generate()
        self.public, self.file = str(made.to_public()), folder / "key.txt"
        self.file.write_text(f"# created: 2026-11-02T08:00:00Z\n# public key: {self.public}\n{made}\n")
        self.identity = made

    def plain(self, file: Path) -> bytes:
        """The archive inside a backup."""
        out = io.BytesIO()
        with file.open("rb") as source:
            unseal(source, [self.identity], out)
        return out.getvalue()


def backed_up(stores: Path | StoreSettings, folder: Path, keys: Keys, keep: int = 0) -> Made:
    """A backup of stores on SQLite in a data folder, or wherever they are."""
    folder.mkdir(exist_ok=True)
    return make(
        stores if isinstance(stores, StoreSettings) else StoreSettings(stores), folder, [keys.public], DAY, keep
    )


def rows(data: Path, store: str, query: str) -> list[Any]:
    with closing(sqlite.connect(data / f"{store}.sqlite")) as there:
        return list(there.execute(query).fetchall())


def write(data: Path, store: str, *steps: str) -> None:
    with closing(sqlite.connect(data / f"{store}.sqlite", isolation_level=None)) as there:
        for step in steps:
            there.execute(step)


def everything_under(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}
