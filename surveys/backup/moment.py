"""One moment over the four databases while others write: the writers are held for an instant, and copying goes on at leisure.

Each database alone gives a moment of its own. Between two of them somebody is counted as having taken a code and not as having
spent it, or a wave is closed in one and open in the other. So all four writers are held, a reading transaction is opened in each
under them, the small files beside them are read, and the writers are let go. What is read is what a power cut at that instant
would have left, which the program knows how to go on from.
"""

import random
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pysqlite3.dbapi2 as sqlite

from surveys.backup.contents import LEFT_ROWS, STAGING, Left, database, why_left
from surveys.stores import STORES

PATIENCE_SECONDS = 60.0
"""How long one tries to hold all four writers before giving up."""
TRY_SECONDS = 1.0
"""So long at most somebody who writes waits for those that are not held yet; afterwards all are let go and it begins anew."""
POLL_SECONDS = 0.0005
ROWS = 500
_dice = random.SystemRandom()


class StoresBusy(Exception):
    """The writers could not all be held within `PATIENCE_SECONDS`."""


@dataclass(frozen=True, slots=True)
class Moment:
    """What the four readers see, and what lay beside the databases in the same instant."""

    readers: Mapping[str, Any]
    files: Mapping[str, bytes]
    """The content of each file that goes into the backup, by its path."""
    left: Mapping[str, Left]
    """Why each other file does not."""
    held_seconds: float
    """So long nobody could write."""


@contextmanager
def moment(data: Path, staging: Path) -> Iterator[Moment]:
    """Hold the writers, take the moment, let them go; the readers stay in it until the end.

    Parameters
    ----------
    data : Path
        The data folder.
    staging : Path
        An empty folder, in which `copy_store` will lay the copies.

    Raises
    ------
    StoresBusy
    FileNotFoundError
        If one of the four databases is not there.
    """
    with ExitStack() as stack:
        readers = {store: stack.enter_context(_opened(data / database(store))) for store in STORES}
        for store, reader in readers.items():
            reader.execute("ATTACH DATABASE ? AS copy", (str(staging / database(store)),))
        with ExitStack() as holding:
            writers = [holding.enter_context(_opened(data / database(store))) for store in STORES]
            began = _hold(writers)
            for reader in readers.values():
                reader.execute("BEGIN")
                reader.execute("SELECT count(*) FROM main.sqlite_schema").fetchone()  # the snapshot begins here
            files, left = beside(data)
            for writer in writers:
                writer.execute("ROLLBACK")
            held = time.monotonic() - began
        yield Moment(readers, files, left, held)


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    if not path.is_file():
        raise FileNotFoundError(path)
    connection = sqlite.connect(str(path), isolation_level=None, timeout=0, check_same_thread=False)
    try:
        yield connection
    finally:
        connection.close()


@contextmanager
def held_stores(data: Path) -> Iterator[Mapping[str, Any]]:
    """Hold all four writers to the end: the connections read what nobody changes meanwhile.

    Raises
    ------
    StoresBusy
    FileNotFoundError
    """
    with ExitStack() as stack:
        writers = {store: stack.enter_context(_opened(data / database(store))) for store in STORES}
        _hold(list(writers.values()))
        yield writers


def _hold(writers: list[Any]) -> float:
    """Begin writing in all four, in one order; gives when the first was held.

    Whoever has one store and wants another is not waited for with ours held: all are let go, and it begins anew.
    """
    give_up = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < give_up:
        began = 0.0
        for writer in writers:
            while not _begins(writer):
                if time.monotonic() > (began + TRY_SECONDS if began else give_up):
                    break
                time.sleep(POLL_SECONDS)
            else:
                began = began or time.monotonic()
                continue
            break
        else:
            return began
        for writer in writers:
            if writer.in_transaction:
                writer.execute("ROLLBACK")
        time.sleep(_dice.uniform(0.05, 0.5))
    raise StoresBusy


def _begins(writer: Any) -> bool:
    try:
        writer.execute("BEGIN IMMEDIATE")
    except sqlite.OperationalError as problem:
        if "locked" not in str(problem):
            raise
        return False
    return True


def beside(data: Path) -> tuple[dict[str, bytes], dict[str, Left]]:
    """Read the small files that go in, and say why each other one does not."""
    files, left = dict[str, bytes](), dict[str, Left]()
    databases = {database(store) for store in STORES}
    for path in sorted([*data.iterdir(), *(data / "keys").iterdir()]):
        name = path.relative_to(data).as_posix()
        if name in databases or name == "keys" or name == STAGING:
            continue
        why = Left.UNKNOWN if not path.is_file() else why_left(name)
        try:
            if why is None:
                files[name] = path.read_bytes()
            else:
                left[name] = why
        except FileNotFoundError:
            continue  # renamed or destroyed in this instant
    return files, left


def copy_store(reader: Any, store: str, target: Path) -> dict[str, int]:
    """Lay a store down anew as the reader sees it: rows in random order, no page of what was deleted; gives rows by table.

    Rows are put in one by one in a drawn order, so that neither cells of a page nor hidden row numbers follow the original.
    """
    schema = schema_of(reader)
    schema.begin(target)
    rows = {}
    for table in schema.tables:
        rows[table] = _copy_rows(reader, store, table)
    reader.execute("COMMIT")
    schema.end(target)
    return rows


@dataclass(frozen=True, slots=True)
class Schema:
    """How a store is laid down: its page size, and what makes its tables and then its indexes."""

    page_size: int
    parts: tuple[tuple[str, str, str], ...]
    """Kind, name and statement of each."""

    @property
    def tables(self) -> list[str]:
        return [name for kind, name, _ in self.parts if kind == "table"]

    def begin(self, target: Path) -> None:
        """Make a new file with the tables, empty and without indexes."""
        with opened_new(target) as made:
            made.execute(f"PRAGMA page_size = {self.page_size}")
            self._run(made, tables=True)

    def end(self, target: Path) -> None:
        """Make the rest, when all rows are there."""
        with opened_new(target) as made:
            self._run(made, tables=False)

    def _run(self, made: Any, *, tables: bool) -> None:
        for text in (text for kind, _, text in self.parts if (kind == "table") is tables):
            made.execute(text)


def schema_of(reader: Any) -> Schema:
    """The schema of a store that is open on SQLite."""
    parts = reader.execute(
        "SELECT type, name, sql FROM main.sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'"
    )
    return Schema(reader.execute("PRAGMA main.page_size").fetchone()[0], tuple(parts))


def _copy_rows(reader: Any, store: str, table: str) -> int:
    name = '"' + table.replace('"', '""') + '"'
    left = LEFT_ROWS.get((store, table), "1 = 0")
    numbers = [(row[0],) for row in reader.execute(f"SELECT rowid FROM main.{name} WHERE NOT ({left})")]
    _dice.shuffle(numbers)
    for at in range(0, len(numbers), ROWS):
        reader.executemany(
            f"INSERT INTO copy.{name} SELECT * FROM main.{name} WHERE rowid = ?", numbers[at : at + ROWS]
        )
    return len(numbers)


@contextmanager
def opened_new(target: Path) -> Iterator[Any]:
    """A connection to a copy, which nobody needs after a power cut."""
    connection = sqlite.connect(str(target), isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("PRAGMA synchronous = OFF")
        yield connection
    finally:
        connection.close()
