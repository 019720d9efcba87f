"""The log of the register: each act on a line, by whom, on which day, and what stood after it. Appended to, never changed."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from surveys.public.tables import RegisterAct

ADDED, CHANGED, CLOSED, REOPENED, REMOVED = "added", "changed", "closed", "reopened", "removed"
DOCUMENT_ADDED, DOCUMENT_REMOVED = "document_added", "document_removed"
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
    """The highest number that a line ever had; of lines that were taken away too."""
    row = await RegisterAct.select(RegisterAct.entry).order_by(RegisterAct.entry, ascending=False).first()
    return int(row["entry"]) if row else 0


async def history(entry: int) -> list[Act]:
    """The acts on one line, the newest first."""
    return _acts(await RegisterAct.select().where(RegisterAct.entry == entry))


async def removals() -> list[Act]:
    """The lines that were taken away, as they stood, the newest first."""
    return _acts(await RegisterAct.select().where(RegisterAct.act == REMOVED))


def _acts(rows: list[dict[str, Any]]) -> list[Act]:
    found = [
        Act(row["entry"], row["number"], row["day"], row["who"], row["act"], json.loads(row["state"])) for row in rows
    ]
    return sorted(found, key=lambda act: (act.day, act.entry, act.number), reverse=True)
