"""The tables of a store as both engines hold them: which columns, and how a value of one is said in the other.

Between them a value is what lies in a SQLite file: integers, text and bytes. That is also what a backup holds.
"""

import hashlib
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from piccolo.apps.migrations.tables import Migration
from piccolo.columns import JSON, Boolean, Bytea, Date, Text, Timestamp, Timestamptz, Varchar
from piccolo.table import Table

from surveys.stores import tables_of

ROWS = 500
BYTES = 8 * 2**20
"""So many rows, and bytes, are in memory at once; one row alone may be larger."""
_dice = random.SystemRandom()


@dataclass(frozen=True, slots=True)
class Shape:
    """One table: its name, its key and its columns, the key among them."""

    name: str
    key: str
    columns: tuple[str, ...]
    kinds: tuple[type, ...]

    @property
    def quoted(self) -> str:
        return f'"{self.name}"'

    @property
    def listed(self) -> str:
        return ", ".join(f'"{column}"' for column in self.columns)

    def to_postgres(self, row: Sequence[Any]) -> tuple[Any, ...]:
        """A row of a SQLite file as PostgreSQL takes it.

        Raises
        ------
        ValueError, TypeError
            If a value is none of its column.
        """
        return tuple(
            None if value is None else _to_postgres(kind, value) for kind, value in zip(self.kinds, row, strict=True)
        )

    def to_sqlite(self, row: Sequence[Any]) -> tuple[Any, ...]:
        """A row that came from PostgreSQL as a SQLite file holds it."""
        return tuple(_to_sqlite(value) for value in row)

    def plain(self, row: Sequence[Any]) -> tuple[Any, ...]:
        """A row of a SQLite file with what SQLite may write in two ways written in one: JSON that is a number, an instant."""
        return tuple(_plain(kind, value) for kind, value in zip(self.kinds, row, strict=True))


def shape_of(table: type[Table]) -> Shape:
    columns = table._meta.columns
    return Shape(
        table._meta.tablename,
        table._meta.primary_key._meta.db_column_name,
        tuple(column._meta.db_column_name for column in columns),
        tuple(type(column) for column in columns),
    )


def shapes_of(store: str) -> list[Shape]:
    """The tables of a store, without the one that says which migrations ran."""
    return [shape_of(table) for table in tables_of(store)]


def migrations() -> Shape:
    return shape_of(Migration)


def _to_postgres(kind: type, value: Any) -> Any:
    if issubclass(kind, Boolean):
        return {0: False, 1: True}[value]
    if issubclass(kind, Date):
        return date.fromisoformat(value)
    if issubclass(kind, Timestamp | Timestamptz):
        return datetime.fromisoformat(value)
    if issubclass(kind, JSON):
        return value if isinstance(value, str) else str(value)
    wanted: type = bytes if issubclass(kind, Bytea) else str if issubclass(kind, Varchar | Text) else int
    if not isinstance(value, wanted):
        raise TypeError(f"{kind.__name__} holds {type(value).__name__}")
    return value


def size_of(shape: Shape, as_text: str) -> str:
    """An expression for the bytes of a row, without reading what is large; `as_text` makes JSON a text."""
    sized = [
        f'coalesce(octet_length("{column}"{as_text if issubclass(kind, JSON) else ""}), 0)'
        for column, kind in zip(shape.columns, shape.kinds, strict=True)
        if issubclass(kind, Bytea | Text | Varchar | JSON)
    ]
    return " + ".join(sized) or "0"


def _to_sqlite(value: Any) -> Any:
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, datetime):
        return str(value)
    return value.isoformat() if isinstance(value, date) else value


def _plain(kind: type, value: Any) -> Any:
    if value is None:
        return None
    if issubclass(kind, Timestamptz):
        return str(datetime.fromisoformat(value).astimezone(UTC))
    return str(value) if issubclass(kind, JSON) else value


def digest_of(marks: Iterable[bytes]) -> str:
    """What tells these rows from any others, in whatever order they came: SHA-256 over their sorted marks, in hex."""
    return hashlib.sha256(b"".join(sorted(marks))).hexdigest()


def mark_of(row: Sequence[Any]) -> bytes:
    """SHA-256 of one row as a SQLite file holds it, its types told apart."""
    mark = hashlib.sha256()
    for value in row:
        said = value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogatepass")
        mark.update(f"{type(value).__name__} {len(said)} ".encode())
        mark.update(said)
    return mark.digest()


def portions[Key](sizes: Iterable[tuple[Key, int]]) -> Iterator[list[Key]]:
    """All keys in an order that is drawn, so many at a time as fit into memory.

    Parameters
    ----------
    sizes : iterable of (key, bytes)
    """
    drawn = list(sizes)
    _dice.shuffle(drawn)
    some, held = list[Key](), 0
    for key, size in drawn:
        if some and (len(some) >= ROWS or held + size > BYTES):
            yield some
            some, held = [], 0
        some.append(key)
        held += size
    if some:
        yield some


def shuffled[Row](rows: Iterable[Row]) -> list[Row]:
    """The same rows in an order that is drawn."""
    drawn = list(rows)
    _dice.shuffle(drawn)
    return drawn
