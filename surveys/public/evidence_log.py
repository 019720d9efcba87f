"""The log of evidence: each act on an indicator, by whom, on which day, and what stood after it. Appended to, never changed."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from surveys import cells
from surveys.public.tables import EvidenceEntry

SET, ADDED, REMOVED, REVIEWED = "set", "added", "removed", "reviewed"
VOIDED = "voided"
"""The program took a review back: a kept file is no longer what was reviewed."""
STATES = ("not_assessed", "met", "partly", "not_met")
ACTS = (SET, ADDED, REMOVED, REVIEWED, VOIDED)


@dataclass(frozen=True, slots=True)
class Entry:
    """One act. `number` counts the acts of its indicator from 1; `state` is the record after it, as text."""

    indicator: str
    number: int
    day: date
    who: str
    act: str
    state: Mapping[str, Any]


async def enter(indicator: str, day: date, who: str, act: str, state: Mapping[str, Any]) -> None:
    """Append an act, inside the transaction that did it: the key is its number, so no two acts can hold one place."""
    last = await EvidenceEntry.select(EvidenceEntry.number).where(EvidenceEntry.indicator == indicator)
    number = 1 + max((row["number"] for row in last), default=0)
    await EvidenceEntry.insert(
        EvidenceEntry(
            id=f"{indicator}-{number}",
            indicator=indicator,
            number=number,
            day=day,
            who=who,
            act=act,
            state=json.dumps(state, ensure_ascii=False, sort_keys=True),
        )
    )


async def history(indicator: str = "") -> list[Entry]:
    """The acts on one indicator, or on all, that can be read, the newest first."""
    return (await look(indicator))[0]


async def look(indicator: str = "") -> tuple[list[Entry], tuple[str, ...]]:
    """The acts on one indicator, or on all, that can be read, the newest first; and the keys of those that cannot be."""
    found, odd = [], []
    for row in await cells.read(EvidenceEntry, **({"indicator": indicator} if indicator else {})):
        try:
            found.append(_entry(row))
        except (KeyError, TypeError, ValueError):
            odd.append(row["id"] or "?")
    return sorted(found, key=lambda entry: (entry.day, entry.indicator, entry.number), reverse=True), tuple(sorted(odd))


def _entry(row: dict[str, str | None]) -> Entry:
    """An act of a row.

    Raises
    ------
    KeyError, TypeError, ValueError
        If it is none: another act than there is, or a state that is no record.
    """
    indicator, number, who, act, state = (
        cells.text(row[name]) for name in ("indicator", "number", "who", "act", "state")
    )
    after = json.loads(state)
    if act not in ACTS or after["state"] not in STATES:
        raise ValueError("no act")
    "".join(paper["title"] for paper in after["documents"])
    return Entry(indicator, int(number), date.fromisoformat(cells.text(row["day"])), who, act, after)
