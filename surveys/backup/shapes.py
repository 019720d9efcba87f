"""The tables of a store as both engines hold them: which columns, and how a value of one is said in the other.

Between them a value is what lies in a SQLite file: integers, text and bytes. That is also what a backup holds.
"""

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from piccolo.apps.migrations.tables import Migration
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

    def to_sqlite(self, row: Sequence[Any]) -> tuple[Any, ...]:
        """A row that came from PostgreSQL as a SQLite file holds it."""
        return tuple(_to_sqlite(kind, value) for kind, value in zip(self.kinds, row, strict=True))


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


def _to_sqlite(kind: type, value: Any) -> Any:
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, datetime):
        return str(value)
    return value.isoformat() if isinstance(value, date) else value


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
