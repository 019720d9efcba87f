"""The log of evidence: each act on an indicator, by whom, on which day, and what stood after it. Appended to, never changed."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from surveys.public.tables import EvidenceEntry

SET, ADDED, REMOVED, REVIEWED = "set", "added", "removed", "reviewed"
VOIDED = "voided"
"""The program took a review back: a kept file is no longer what was reviewed."""
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
    """The acts on one indicator, or on all, the newest first."""
    query = EvidenceEntry.select()
    rows = await (query.where(EvidenceEntry.indicator == indicator) if indicator else query)
    found = [
        Entry(row["indicator"], row["number"], row["day"], row["who"], row["act"], json.loads(row["state"]))
        for row in rows
    ]
    return sorted(found, key=lambda entry: (entry.day, entry.indicator, entry.number), reverse=True)
