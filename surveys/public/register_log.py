"""The log of the register: each act on a line, by whom, on which day, and what stood after it. Appended to, never changed."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from surveys import cells
from surveys.public.register_entry import MOST
from surveys.public.tables import RegisterAct

ADDED, CHANGED, CLOSED, REOPENED, REMOVED = "added", "changed", "closed", "reopened", "removed"
DOCUMENT_ADDED, DOCUMENT_REMOVED = "document_added", "document_removed"
ACTS = (ADDED, CHANGED, CLOSED, REOPENED, REMOVED, DOCUMENT_ADDED, DOCUMENT_REMOVED)
FROM_FILE = "from_file"
"""In the state of an act that an imported file did: the SHA-256 of the file."""


@dataclass(frozen=True, slots=True)
class Act:
    """One act. `number` counts the acts on its line from 1; `state` is the line after it, or the last one before it was taken away."""

    entry: int
    number: int
    day: date
    who: str
    act: str
    state: Mapping[str, Any]


async def enter(entry: int, day: date, who: str, act: str, state: Mapping[str, Any]) -> None:
    """Append an act, inside the transaction that did it: the key is its number, so no two acts can hold one place."""
    number = 1 + await RegisterAct.count().where(RegisterAct.entry == entry)
    await RegisterAct.insert(_row(Act(entry, number, day, who, act, state)))


async def enter_new(states: Mapping[int, Mapping[str, Any]], day: date, who: str) -> None:
    """Append the first act of each of many new lines."""
    rows = [_row(Act(entry, 1, day, who, ADDED, state)) for entry, state in states.items()]
    for begin in range(0, len(rows), 100):
        await RegisterAct.insert(*rows[begin : begin + 100])


def _row(act: Act) -> RegisterAct:
    state = json.dumps(act.state, ensure_ascii=False, sort_keys=True)
    return RegisterAct(
        id=f"{act.entry}-{act.number}",
        entry=act.entry,
        number=act.number,
        day=act.day,
        who=act.who,
        act=act.act,
        state=state,
    )


async def last_number() -> int:
    """The highest number that a line ever had; of lines that were taken away too. What is no number counts for nothing."""
    (row,) = await RegisterAct.raw('SELECT MAX(CAST("entry" AS BIGINT)) AS "last" FROM "register_act"')
    return int(row["last"] or 0)


async def history(entry: int) -> list[Act]:
    """The acts on one line that can be read, the newest first."""
    return (await look(entry=entry))[0]


async def look(**wanted: str | int) -> tuple[list[Act], tuple[str, ...]]:
    """The acts of one line (`entry`) or of one kind (`act`) that can be read, the newest first; and the keys of those that cannot be."""
    found, odd = [], []
    for row in await cells.read(RegisterAct, **wanted):
        try:
            found.append(_act(row))
        except (KeyError, TypeError, ValueError):
            odd.append(row["id"] or "?")
    return sorted(found, key=lambda act: (act.day, act.entry, act.number), reverse=True), tuple(sorted(odd))


def _act(row: dict[str, str | None]) -> Act:
    """An act of a row.

    Raises
    ------
    KeyError, TypeError, ValueError
        If it is none: another act than there is, or a state that is no line.
    """
    entry, number, who, act, state = (cells.text(row[name]) for name in ("entry", "number", "who", "act", "state"))
    if act not in ACTS:
        raise ValueError("no act")
    after = json.loads(state)
    cells.day(after["due"])
    "".join([*(after[name] or "" for name in MOST), *(paper["title"] for paper in after["documents"])])
    return Act(int(entry), int(number), date.fromisoformat(cells.text(row["day"])), who, act, after)
