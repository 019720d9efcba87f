"""The register of the audit: findings, internal audits, reviews by the management and objectives, as numbered lines with documents.

Whoever changes a line says what she saw of it, so that nobody writes over what another wrote meanwhile. Every act is entered in a log
(`register_log`) in the same transaction. A number is given once: what is taken away leaves its number in the log.
"""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import Any

from surveys import cells, shown
from surveys.engines import StoreEngine
from surveys.public import register_log as log
from surveys.public.evidence import checked_paper, is_there, kept_file
from surveys.public.evidence_state import DocumentRecord
from surveys.public.register_entry import MOST, REVIEW, REVIEW_DAYS, Entry, Fault, faults, is_possible
from surveys.public.tables import RegisterDocument, RegisterEntry


class RegisterRefused(ValueError):
    """It is not written as asked: `faults` of the entry, or else the reason ``changed`` (meanwhile), ``gone`` or ``document``."""

    def __init__(self, reason: str = "", found: tuple[Fault, ...] = ()) -> None:
        super().__init__(reason or ", ".join(f"{one.field}: {one.reason}" for one in found))
        self.reason, self.faults = reason, found


@dataclass(frozen=True, slots=True)
class Record:
    """One line as it is kept."""

    number: int
    entry: Entry
    set_on: date
    changed_on: date | None = None
    documents: tuple[DocumentRecord, ...] = ()

    @property
    def mark(self) -> str:
        """What a form shows of it (`shown.mark_of`)."""
        return shown.mark_of(self.as_it_stands())

    def as_it_stands(self) -> dict[str, Any]:
        """The line as plain JSON, for the log."""
        plain = asdict(self.entry) | {"documents": [asdict(one) for one in self.documents]}
        found: dict[str, object] = json.loads(json.dumps(plain, default=str))
        return found


def mark_of(records: Mapping[int, Record]) -> str:
    """What somebody saw who takes in a file: all lines as they stood."""
    return shown.mark_of([(number, record.mark) for number, record in sorted(records.items())])


@asynccontextmanager
async def alone(engine: StoreEngine) -> AsyncIterator[None]:
    """A transaction in which nobody else writes the register: what is read in it is what is changed."""
    async with engine.writing_alone(RegisterEntry, RegisterDocument):
        yield


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Rows that no page of ours wrote so, by what stands where their number should: lines, and lines of which a document is such a row."""

    lines: tuple[str, ...]
    documents: tuple[str, ...]


async def everything() -> dict[int, Record]:
    """All lines that can be read, by their number."""
    return (await look())[0]


async def look() -> tuple[dict[int, Record], Unreadable]:
    """All lines that can be read, by their number; and what cannot be."""
    papers, odd_papers = await _papers()
    found, odd = [], []
    for row in await cells.read(RegisterEntry):
        try:
            found.append(_record(row, papers))
        except (TypeError, ValueError):
            odd.append(row["number"] or "?")
    records = {one.number: one for one in sorted(found, key=lambda one: one.number)}
    return records, Unreadable(tuple(sorted(odd)), tuple(sorted(odd_papers)))


async def _papers() -> tuple[Mapping[str, list[DocumentRecord]], list[str]]:
    """The documents by the line that they name, by their days; and the lines of those that cannot be read."""
    papers: dict[str, list[DocumentRecord]] = {}
    odd = []
    for row in await cells.read(RegisterDocument, "content"):
        entry, on = row.pop("entry"), row.pop("day")
        try:
            paper = DocumentRecord(day=date.fromisoformat(cells.text(on)), **{n: cells.text(c) for n, c in row.items()})
            if not paper.title.strip():
                raise ValueError("a document that nobody can have named")
            papers.setdefault(cells.text(entry), []).append(paper)
        except ValueError:
            odd.append(entry or "?")
    for line in papers.values():
        line.sort(key=lambda one: (one.day, one.id))
    return papers, odd


def _record(row: Mapping[str, str | None], papers: Mapping[str, list[DocumentRecord]]) -> Record:
    """A line of a row.

    Raises
    ------
    ValueError
        If it is none: a number, a kind or a day that is no such thing, or nothing where something must be.
    """
    due, closed_on, name = cells.day(row["due"]), cells.day(row["closed_on"]), cells.text(row["number"])
    texts = {field: cells.text(row[field]) for field in ("kind", *MOST)}
    entry = Entry(due=due, closed_on=closed_on, **texts)
    written, changed = date.fromisoformat(cells.text(row["set_on"])), cells.day(row["changed_on"])
    if not is_possible(entry, changed or written):
        raise ValueError("a line that nobody can have written")
    return Record(int(name), entry, written, changed, tuple(papers.get(name, ())))


def in_order(records: Mapping[int, Record]) -> list[Record]:
    """What is open by the day it is due, then what is over, the newest first."""
    still = [one for one in records.values() if one.entry.closed_on is None]
    over = [one for one in records.values() if one.entry.closed_on is not None]
    still.sort(key=lambda one: (one.entry.due or date.max, one.number))
    return still + sorted(over, key=lambda one: (one.entry.closed_on or date.min, one.number), reverse=True)


def last_held(records: Mapping[int, Record], kind: str) -> Record | None:
    """The newest audit or review that was held."""
    held = [one for one in records.values() if one.entry.kind == kind and one.entry.closed_on]
    return max(held, key=lambda one: (one.entry.closed_on or date.min, one.number), default=None)


def review_is_due(records: Mapping[int, Record], on: date) -> bool:
    """Whether the last review by the management is older than a year; false where none was ever written down."""
    last = last_held(records, REVIEW)
    return bool(last and last.entry.closed_on and (on - last.entry.closed_on).days > REVIEW_DAYS)


def checked(entry: Entry, today: date) -> Entry:
    if found := faults(entry, today):
        raise RegisterRefused(found=found)
    return entry


def _row(number: int, entry: Entry, today: date) -> RegisterEntry:
    return RegisterEntry(number=number, **asdict(entry), set_on=today, changed_on=None)


async def _held(number: int, seen: str) -> Record:
    """A line inside a transaction, as somebody saw it."""
    record = (await everything()).get(number)
    if record is None:
        raise RegisterRefused("gone")
    if record.mark != seen:
        raise RegisterRefused("changed")
    return record


async def add(engine: StoreEngine, entry: Entry, who: str, today: date) -> int:
    """Write a new line and say its number; of one that the same person wrote just before, the same number: a form that was sent twice.

    Raises
    ------
    RegisterRefused
    """
    checked(entry, today)
    async with alone(engine):
        last = await log.last_number()
        written = log.Act(last, 1, today, who, log.ADDED, Record(last, entry, today).as_it_stands())
        if await log.history(last) == [written]:
            return last
        number = 1 + last
        await RegisterEntry.insert(_row(number, entry, today))
        await log.enter(number, today, who, log.ADDED, Record(number, entry, today).as_it_stands())
    return number


async def change(engine: StoreEngine, number: int, seen: str, entry: Entry, who: str, today: date) -> None:
    """Say a line anew, as it was seen (`Record.mark`): with a day of closing it is closed, without one it is open again.

    Raises
    ------
    RegisterRefused
    """
    checked(entry, today)
    async with alone(engine):
        await write(await _held(number, seen), entry, who, today)


async def write(before: Record, entry: Entry, who: str, today: date, **more: str) -> None:
    if entry == before.entry:
        return
    act = log.CHANGED
    if (entry.closed_on is None) != (before.entry.closed_on is None):
        act = log.REOPENED if entry.closed_on is None else log.CLOSED
    values: dict[Any, Any] = asdict(entry) | {"changed_on": today}
    await RegisterEntry.update(values).where(RegisterEntry.number == before.number)
    after = replace(before, entry=entry, changed_on=today)
    await log.enter(before.number, today, who, act, after.as_it_stands() | more)


async def remove(engine: StoreEngine, number: int, seen: str, who: str, today: date) -> None:
    """Take a line and its documents away, as it was seen; the log keeps what stood in it.

    Raises
    ------
    RegisterRefused
    """
    async with alone(engine):
        record = await _held(number, seen)
        await RegisterEntry.delete().where(RegisterEntry.number == number)
        await RegisterDocument.delete().where(RegisterDocument.entry == number)
        await log.enter(number, today, who, log.REMOVED, record.as_it_stands())


async def add_document(
    engine: StoreEngine, number: int, title: str, day: date, today: date, *, who: str, **paper: Any
) -> None:
    """Add a dated document to a line: `link`, or `file_name` and `content`. One that is there just so is not added again.

    Raises
    ------
    EvidenceRefused
        As `evidence.add_document`.
    RegisterRefused
        ``gone``.
    """
    columns = checked_paper(title, day, today, **paper)
    async with alone(engine):
        if number not in await everything():
            raise RegisterRefused("gone")
        if await is_there(RegisterDocument, RegisterDocument.entry == number, columns):
            return
        await RegisterDocument.insert(RegisterDocument(entry=number, **columns))
        await _enter_papers(number, log.DOCUMENT_ADDED, who, today)


async def remove_document(engine: StoreEngine, number: int, document: str, who: str, today: date) -> None:
    """Take a document away; of one that is not there nothing happens."""
    async with alone(engine):
        record = (await everything()).get(number)
        if record is None or document not in [one.id for one in record.documents]:
            return
        await RegisterDocument.delete().where(RegisterDocument.id == document)
        await _enter_papers(number, log.DOCUMENT_REMOVED, who, today)


async def _enter_papers(number: int, act: str, who: str, today: date) -> None:
    await log.enter(number, today, who, act, (await everything())[number].as_it_stands())


async def file_of(number: int, document: str) -> tuple[str, bytes] | None:
    """The name and content of a kept file of a line; None also of one that is no longer what was kept."""
    wanted = (RegisterDocument.id == document) & (RegisterDocument.entry == number)
    columns = RegisterDocument.content, RegisterDocument.sha256, RegisterDocument.file_name
    return kept_file(await RegisterDocument.select(*columns).where(wanted).first())
