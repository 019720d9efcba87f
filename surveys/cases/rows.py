"""Rows of cases, where one of them is nothing that this program writes: it takes no other case with it."""

from collections.abc import Mapping
from typing import Any

from piccolo.columns.combination import Where

from surveys.cases.clocks import State
from surveys.cases.tables import Case
from surveys.odd import StoreOdd, reading

type Row = Mapping[str, Any]

SENT: Where = Case.state != State.DIARY


_ANSWERS = ("contested", "rekey", "held")


def _whole(row: Row) -> Row:
    """A row whose yes or no is there: SQLite gives an empty text as nothing, which would be a no."""
    if any(row[name] is None for name in _ANSWERS):
        raise StoreOdd("case")
    return row


async def row_of(case: int) -> Row | None:
    """The row of a case.

    Raises
    ------
    StoreOdd
        If it cannot be read.
    """
    with reading("case"):
        row: Row | None = await Case.select().where(Case.id == case).first()
        return None if row is None else _whole(row)


async def all_rows(which: Where | None = None) -> tuple[list[Row], list[int]]:
    """The cases whose rows can be read, all or those meant, and the numbers of the others: a driver fails at the first such row,
    with all of them."""
    asked, numbers = (Case.select(), Case.select(Case.id))
    if which is not None:
        asked, numbers = asked.where(which), numbers.where(which)
    try:
        with reading("case"):
            return [_whole(row) for row in await asked], []
    except StoreOdd:
        pass
    found: list[Row] = []
    odd: list[int] = []
    for number in await numbers:
        try:
            row = await row_of(int(number["id"]))
        except StoreOdd:
            odd.append(int(number["id"]))
        else:
            found += [row] if row is not None else []
    return found, odd
