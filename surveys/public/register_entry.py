"""What a line of the register of the audit is, and what may not stand in one. Pure: the store and the reader of files hold to it alike."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Final

from analysis.pdr125.catalogue import load_catalogue
from surveys.legible import legible

FINDINGS: Final = ("non_conformity", "observation", "opportunity")
"""What an audit finds."""
AUDIT, REVIEW, OBJECTIVE = "internal_audit", "review", "objective"
KINDS = (*FINDINGS, AUDIT, REVIEW, OBJECTIVE)
MOST: Mapping[str, int] = {
    "clause": 20,
    "indicator": 8,
    "title": 300,
    "evidence": 2000,
    "owner": 100,
    "outcome": 2000,
    "team": 300,
}
"""So many letters each text may have."""
LONG_TEXTS = ("evidence", "outcome")
"""Texts that may have several lines."""
FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2099, 12, 31)
REVIEW_DAYS = 365
"""The practice asks for a review by the management every year (docs/pdr125.md, 8)."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What is said in one line. `closed_on` is the day on which a finding was closed, an audit or a review held, an objective ended.

    `due` is by when; `outcome` says how it ended; `team` is who audits, or who took part; `owner` who sees to it.
    """

    kind: str
    title: str
    clause: str = ""
    indicator: str = ""
    evidence: str = ""
    owner: str = ""
    due: date | None = None
    closed_on: date | None = None
    outcome: str = ""
    team: str = ""

    def is_late(self, on: date) -> bool:
        return self.closed_on is None and self.due is not None and self.due < on


@dataclass(frozen=True, slots=True)
class Fault:
    """A field that cannot stay as it is, and the key of what to do about it."""

    field: str
    reason: str


def entry_of(texts: Mapping[str, str], due: date | None, closed_on: date | None) -> Entry:
    """An entry of typed texts, without signs that show nothing or turn the line round."""
    return Entry(
        kind=texts.get("kind", ""),
        due=due,
        closed_on=closed_on,
        **{name: legible(texts.get(name, ""), lines=name in LONG_TEXTS) for name in MOST},
    )


def faults(entry: Entry, today: date) -> tuple[Fault, ...]:
    """Everything that keeps an entry from being written; nothing of one that may be."""
    found = [Fault(name, "long") for name, most in MOST.items() if len(getattr(entry, name)) > most]
    if entry.kind not in KINDS:
        found.append(Fault("kind", "kind"))
    for name in ("title", "owner"):
        if not any(letter.isalnum() for letter in getattr(entry, name)):
            found.append(Fault(name, name))
    if entry.indicator and entry.indicator not in known_indicators():
        found.append(Fault("indicator", "indicator"))
    if entry.due is None or not FIRST_DAY <= entry.due <= LAST_DAY:
        found.append(Fault("due", "due" if entry.due is None else "due_out"))
    return (*found, *_faults_of_end(entry, today))


def _faults_of_end(entry: Entry, today: date) -> tuple[Fault, ...]:
    """What is over says how it ended; an audit also who audited."""
    if entry.closed_on is None:
        return ()
    found = []
    if not FIRST_DAY <= entry.closed_on <= today:
        found.append(Fault("closed_on", "closed_out"))
    if not entry.outcome:
        found.append(Fault("outcome", "outcome"))
    if entry.kind == AUDIT and not entry.team:
        found.append(Fault("team", "team"))
    return tuple(found)


def is_possible(entry: Entry, written: date) -> bool:
    """Whether a line of the store can be shown: what every version of this program asks of one, on the day on which it was written."""
    if entry.kind not in KINDS or not entry.title.strip() or not entry.owner.strip():
        return False
    over = entry.closed_on is None or FIRST_DAY <= entry.closed_on <= written
    return entry.due is not None and FIRST_DAY <= entry.due <= LAST_DAY and over


@cache
def known_indicators() -> frozenset[str]:
    """The indicators of the practice, in any size band."""
    return frozenset(one.id for area in load_catalogue().areas for one in area.indicators)
