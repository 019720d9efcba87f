"""What stands of an indicator: its finding, its documents, and the review of a second person, which this program signs. Pure."""

import hmac
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import Any

from surveys.shown import mark_of

EARLIEST, LATEST = date(1950, 1, 1), date(2099, 12, 31)
"""No document of an equality policy is older, or of a day after."""


@dataclass(frozen=True, slots=True)
class DocumentRecord:
    """A dated document: a link, or a file kept in the public store."""

    id: str
    title: str
    day: date
    link: str
    file_name: str
    sha256: str


@dataclass(frozen=True, slots=True)
class EvidenceState:
    """One indicator's evidence. It is assessed only with a document and the review of a second account."""

    indicator: str
    state: str = "not_assessed"
    figure: str = ""
    source: str = ""
    note: str = ""
    valid_until: date | None = None
    set_by: str = ""
    set_on: date | None = None
    reviewed_by: str = ""
    reviewed_on: date | None = None
    reviewed_mark: str = ""
    """What was reviewed: `mark` in that moment; empty in records of before marks were kept."""
    documents: tuple[DocumentRecord, ...] = ()

    @property
    def mark(self) -> str:
        """What a review is of, and what a form shows: the finding and its documents (`shown.mark_of`). Reviews and the log keep it."""
        papers = [(d.id, d.title, str(d.day), d.link, d.file_name, d.sha256) for d in self.documents]
        found = (
            self.indicator,
            self.state,
            self.figure,
            self.source,
            self.note,
            str(self.valid_until),
            self.set_by,
            str(self.set_on),
            papers,
        )
        return mark_of(found)

    def as_it_stands(self) -> dict[str, object]:
        """The record as plain JSON, for the log and for scorecards that are kept."""
        plain = asdict(self) | {"mark": self.mark}
        found: dict[str, object] = json.loads(json.dumps(plain, default=str))
        return found


def from_plain(plain: Mapping[str, Any]) -> EvidenceState:
    """Read what `EvidenceState.as_it_stands` wrote; a mark that is not of this record makes it another record.

    Raises
    ------
    KeyError, TypeError, ValueError
        If it is something else, or its own mark is not its.
    """
    values = {name: part for name, part in plain.items() if name != "mark"}
    for name in ("valid_until", "set_on", "reviewed_on"):
        values[name] = date.fromisoformat(values[name]) if values[name] else None
    papers = tuple(DocumentRecord(**{**one, "day": date.fromisoformat(one["day"])}) for one in plain["documents"])
    found = EvidenceState(**{**values, "documents": papers})
    if found.mark != plain["mark"]:
        raise ValueError(f"the mark of {found.indicator} is another record's")
    return found


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Rows that no page of ours wrote so, by the indicator that they name: records, and indicators of which a document is such a row."""

    records: tuple[str, ...] = ()
    documents: tuple[str, ...] = ()


class _Own:
    """The secret that says of a review that this program took it down; no store holds it."""

    key = b""


def bind(key: bytes) -> None:
    """Begin with this installation's secret for reviews."""
    _Own.key = key


def signature_of(state: EvidenceState) -> str:
    """That this program took the review of this record down."""
    said = json.dumps([state.indicator, state.mark, state.reviewed_by, str(state.reviewed_on)])
    return hmac.new(_Own.key, said.encode(), "sha256").hexdigest()


def stands(state: EvidenceState, signature: str) -> bool:
    """Whether a review is of this record and was taken down here: whoever writes the store alone makes none."""
    if not state.reviewed_by:
        return True
    return state.reviewed_mark == state.mark and hmac.compare_digest(signature.encode(), signature_of(state).encode())


def as_unreviewed(state: EvidenceState) -> EvidenceState:
    """What was changed behind a review, by whatever hand, is not what was reviewed."""
    return replace(state, reviewed_by="", reviewed_on=None, reviewed_mark="")
