"""Evidence records: the state of each indicator as a person set it, its documents, and a second person's review.

Every act is entered in a log with what stood after it (`evidence_log`), in the same transaction.
"""

import hashlib
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import date
from typing import Any

import msgspec
from piccolo.columns import Column
from piccolo.columns.combination import Where

from surveys import cells
from surveys.cells import octets
from surveys.engines import StoreEngine
from surveys.public import evidence_log
from surveys.public.evidence_state import (
    EARLIEST,
    LATEST,
    DocumentRecord,
    EvidenceState,
    Unreadable,
    as_unreviewed,
    signature_of,
    stands,
)
from surveys.public.tables import Evidence, EvidenceDocument, RegisterDocument

FILE_LIMIT = 10 * 1024 * 1024


class EvidenceRefused(ValueError):
    """The record cannot be written as asked; the first argument is the reason's key."""


@asynccontextmanager
async def _alone(engine: StoreEngine) -> AsyncIterator[None]:
    """A transaction in which nobody else writes evidence: what is read in it is what is reviewed."""
    async with engine.writing_alone(Evidence, EvidenceDocument):
        yield


async def _unreview(indicator: str) -> None:
    nobody: dict[Column | str, object] = {
        Evidence.reviewed_by: "",
        Evidence.reviewed_on: None,
        Evidence.reviewed_mark: "",
        Evidence.review_signature: "",
    }
    await Evidence.update(nobody).where(Evidence.indicator == indicator)


async def _enter(indicator: str, day: date, who: str, act: str) -> None:
    await evidence_log.enter(indicator, day, who, act, (await of(indicator)).as_it_stands())


async def everything() -> dict[str, EvidenceState]:
    """The records that can be read, by indicator."""
    return (await look())[0]


async def look() -> tuple[dict[str, EvidenceState], Unreadable]:
    """The records that can be read, by indicator; and what cannot be: without a document, a review of it does not count."""
    documents, odd_papers = await _papers()
    found = {indicator: EvidenceState(indicator, documents=tuple(papers)) for indicator, papers in documents.items()}
    odd = []
    for row in await cells.read(Evidence):
        try:
            state = _state(row, documents)
        except (ValueError, msgspec.ValidationError):
            odd.append(row["indicator"] or "?")
        else:
            found[state.indicator] = state
    return found, Unreadable(tuple(sorted(odd)), tuple(sorted(odd_papers)))


async def _papers() -> tuple[dict[str, list[DocumentRecord]], list[str]]:
    """The documents by indicator, by their days; and the indicators of those that cannot be read."""
    documents: dict[str, list[DocumentRecord]] = {}
    odd = []
    for row in await cells.read(EvidenceDocument, "content"):
        indicator = row.pop("indicator")
        try:
            paper = msgspec.convert(row, DocumentRecord, strict=False)
            if not paper.title.strip() or not EARLIEST <= paper.day <= LATEST:
                raise ValueError("a document that nobody can have named")
            documents.setdefault(cells.text(indicator), []).append(paper)
        except (ValueError, msgspec.ValidationError):
            odd.append(indicator or "?")
    for papers in documents.values():
        papers.sort(key=lambda one: one.day)
    return documents, odd


def _state(row: dict[str, str | None], documents: Mapping[str, list[DocumentRecord]]) -> EvidenceState:
    """A record of a row: unreviewed where its review is of something else.

    Raises
    ------
    ValueError, msgspec.ValidationError
        If it is none: a day that is no day, or nothing where something must be.
    """
    signature = cells.text(row.pop("review_signature"))
    if row["state"] not in evidence_log.STATES:  # no page of ours writes such a thing: nothing is assessed by it
        row["state"], row["reviewed_by"] = "not_assessed", ""
    state = msgspec.convert(row, EvidenceState, strict=False)
    state = replace(state, documents=tuple(documents.get(state.indicator, ())))
    return state if stands(state, signature) else as_unreviewed(state)


async def sign_at_update(engine: StoreEngine) -> None:
    """Take down, once in the life of an installation, the reviews of the version before, which signed none."""
    async with _alone(engine):
        for row in await Evidence.select().where(Evidence.reviewed_by != ""):
            row.pop("review_signature")
            papers = (await of(row["indicator"])).documents
            state = EvidenceState(**row, documents=papers)
            state = replace(state, reviewed_mark=state.mark)
            signed: dict[Column | str, object] = {
                Evidence.reviewed_mark: state.mark,
                Evidence.review_signature: signature_of(state),
            }
            await Evidence.update(signed).where(Evidence.indicator == state.indicator)


async def void_changed_files(engine: StoreEngine, today: date, who: str) -> tuple[str, ...]:
    """Take back the reviews of records whose kept files are no longer what was kept; gives their indicators. One file at a time."""
    changed = set()
    for row in await EvidenceDocument.select(EvidenceDocument.id, EvidenceDocument.indicator, EvidenceDocument.sha256):
        if row["sha256"] and await file_of(row["id"]) is None:
            changed.add(row["indicator"])
    voided = []
    for indicator in sorted(changed):
        async with _alone(engine):
            if (await of(indicator)).reviewed_by:
                await _unreview(indicator)
                await _enter(indicator, today, who, evidence_log.VOIDED)
                voided.append(indicator)
    return tuple(voided)


async def of(indicator: str) -> EvidenceState:
    return (await everything()).get(indicator, EvidenceState(indicator))


def checked_paper(
    title: str, day: date, today: date, *, link: str = "", file_name: str = "", content: bytes = b""
) -> dict[str, Any]:
    """The columns of a dated document that may be kept.

    Raises
    ------
    EvidenceRefused
        ``title`` (nothing that can be read, or signs that show nothing or turn the line round), ``day_out`` (before 1950 or after
        today), ``source`` (neither a link nor a file), ``link`` (not http or https) or ``size`` (over 10 MiB).
    """
    if not title.isprintable() or not any(letter.isalnum() for letter in title):
        raise EvidenceRefused("title")
    if not EARLIEST <= day <= today:
        raise EvidenceRefused("day_out")
    if bool(link) == bool(content):
        raise EvidenceRefused("source")
    if link and not link.startswith(("https://", "http://")):
        raise EvidenceRefused("link")
    if len(content) > FILE_LIMIT:
        raise EvidenceRefused("size")
    return {
        "id": secrets.token_hex(16),
        "title": title.strip(),
        "day": day,
        "link": link,
        "file_name": file_name,
        "content": content,
        "sha256": hashlib.sha256(content).hexdigest() if content else "",
    }


async def is_there(table: type[EvidenceDocument | RegisterDocument], of: Where, columns: Mapping[str, Any]) -> bool:
    """Whether a record has a document that is the same in all but its number: a form that was sent twice."""
    said = {name: value for name, value in columns.items() if name != "id"}
    alike = of & (table.title == columns["title"]) & (table.sha256 == columns["sha256"])
    for row in await table.select().where(alike):
        if {name: octets(row[name]) if name == "content" else row[name] for name in said} == said:
            return True
    return False


async def add_document(
    engine: StoreEngine,
    indicator: str,
    title: str,
    day: date,
    today: date,
    *,
    who: str,
    link: str = "",
    file_name: str = "",
    content: bytes = b"",
) -> None:
    """Add a dated document; a review of what was there before no longer counts. One that is there just so is not added again.

    Raises
    ------
    EvidenceRefused
        As `checked_paper`.
    """
    columns = checked_paper(title, day, today, link=link, file_name=file_name, content=content)
    async with _alone(engine):
        if await is_there(EvidenceDocument, EvidenceDocument.indicator == indicator, columns):
            return
        await EvidenceDocument.insert(EvidenceDocument(indicator=indicator, **columns))
        await _unreview(indicator)
        await _enter(indicator, today, who, evidence_log.ADDED)


async def remove_document(engine: StoreEngine, indicator: str, document: str, *, who: str, today: date) -> None:
    """Remove a document; a review of it no longer counts, and a record that stood on it alone is no longer assessed."""
    async with _alone(engine):
        row = await EvidenceDocument.select(EvidenceDocument.indicator).where(EvidenceDocument.id == document).first()
        if row is None or row["indicator"] != indicator:
            return
        await EvidenceDocument.delete().where(EvidenceDocument.id == document)
        if not await EvidenceDocument.exists().where(EvidenceDocument.indicator == row["indicator"]):
            await Evidence.delete().where(Evidence.indicator == row["indicator"])
        await _unreview(row["indicator"])
        await _enter(row["indicator"], today, who, evidence_log.REMOVED)


async def file_of(document: str) -> tuple[str, bytes] | None:
    """The name and content of a kept file; None also of one that is no longer what was kept."""
    return kept_file(await EvidenceDocument.select().where(EvidenceDocument.id == document).first())


def kept_file(row: dict[str, Any] | None) -> tuple[str, bytes] | None:
    """The name and content in the row of a document; None of a link, and of a file that is not the one that was kept."""
    content = octets(row["content"]) if row else b""
    if not row or not content or hashlib.sha256(content).hexdigest() != row["sha256"]:
        return None
    return row["file_name"], content


async def set_state(engine: StoreEngine, record: EvidenceState, seen: str | None = None) -> None:
    """Write what one person found; an earlier review no longer counts.

    Raises
    ------
    EvidenceRefused
        ``state``, ``day`` (of the finding), or ``document`` when an assessed state has no dated document.
    """
    if record.state not in evidence_log.STATES:
        raise EvidenceRefused("state")
    if record.set_on is None:
        raise EvidenceRefused("day")
    async with _alone(engine):
        if seen is not None and (await of(record.indicator)).mark != seen:
            raise EvidenceRefused("changed")
        has_document = await EvidenceDocument.exists().where(EvidenceDocument.indicator == record.indicator)
        if record.state != "not_assessed" and not has_document:
            raise EvidenceRefused("document")
        await Evidence.delete().where(Evidence.indicator == record.indicator)
        await Evidence.insert(
            Evidence(
                indicator=record.indicator,
                state=record.state,
                figure=record.figure,
                source=record.source,
                note=record.note,
                valid_until=record.valid_until,
                set_by=record.set_by,
                set_on=record.set_on,
                reviewed_by="",
                reviewed_on=None,
                reviewed_mark="",
                review_signature="",
            )
        )
        await _enter(record.indicator, record.set_on, record.set_by, evidence_log.SET)


async def review(engine: StoreEngine, indicator: str, reviewer: str, seen: str, today: date) -> None:
    """Confirm another person's finding, as the reviewer saw it (`EvidenceState.mark`).

    Raises
    ------
    EvidenceRefused
        ``same`` if the reviewer set the state herself, ``nothing`` if nothing was set, ``changed`` if it is not what she saw.
    """
    async with _alone(engine):
        found = await of(indicator)
        if found.state == "not_assessed":
            raise EvidenceRefused("nothing")
        if found.set_by == reviewer:
            raise EvidenceRefused("same")
        if found.mark != seen:
            raise EvidenceRefused("changed")
        seen_by: dict[Column | str, object] = {
            Evidence.reviewed_by: reviewer,
            Evidence.reviewed_on: today,
            Evidence.reviewed_mark: found.mark,
            Evidence.review_signature: signature_of(replace(found, reviewed_by=reviewer, reviewed_on=today)),
        }
        await Evidence.update(seen_by).where(Evidence.indicator == indicator)
        await _enter(indicator, today, reviewer, evidence_log.REVIEWED)
