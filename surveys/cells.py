"""Rows cell by cell: what a broken backup or somebody's own SQL left in one of them takes no other row with it.

A database's driver turns cells into days and numbers itself, and fails at the first that is none, with all rows. Here they come as text.
"""

from datetime import date
from typing import Any

from piccolo.table import Table

from surveys.engines import PooledSQLite


async def read(table: type[Table], *left_out: str, **wanted: str | int) -> list[dict[str, str | None]]:
    """The rows of a table, all or those in which a column is as wanted, without the columns left out: each cell as text, None where
    there is nothing. In no order."""
    names = [column._meta.name for column in table.all_columns() if column._meta.name not in left_out]
    # on SQLite any cell may hold any bytes: as TEXT they would have to be UTF-8
    kind = "BLOB" if isinstance(table._meta.db, PooledSQLite) else "TEXT"
    cells = ", ".join(f'CAST("{name}" AS {kind}) AS "{name}"' for name in names)
    where = " WHERE " + " AND ".join(f'"{name}" = {{}}' for name in wanted) if wanted else ""
    rows = await table.raw(f'SELECT {cells} FROM "{table._meta.tablename}"{where}', *wanted.values())
    return [{name: _text(row[name]) for name in names} for row in rows]


def _text(cell: Any) -> str | None:
    return cell.decode(errors="replace") if isinstance(cell, bytes) else cell


def day(cell: str | None) -> date | None:
    """A cell that may be a day.

    Raises
    ------
    ValueError
        If it is something else.
    """
    return None if cell is None else date.fromisoformat(cell)


def text(cell: str | None) -> str:
    """A cell that is a text.

    Raises
    ------
    ValueError
        If it is empty in the database's sense.
    """
    if cell is None:
        raise ValueError("no text")
    return cell


def octets(cell: object) -> bytes:
    """A cell that holds bytes; nothing where something else stands. Of a number `bytes` would make as many as it says."""
    return bytes(cell) if isinstance(cell, bytes | bytearray | memoryview) else b""
