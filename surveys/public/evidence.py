"""Evidence records: the state of each indicator as a person set it, its documents, and a second person's review."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import date

from surveys.engines import StoreEngine
from surveys.public.tables import Evidence, EvidenceDocument

STATES = ("not_assessed", "met", "partly", "not_met")
FILE_LIMIT = 10 * 1024 * 1024


class EvidenceRefused(ValueError):
    """The record cannot be written as asked; the first argument is the reason's key."""


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
    documents: tuple[DocumentRecord, ...] = ()


async def everything() -> dict[str, EvidenceState]:
    """The records that exist, by indicator."""
    documents: dict[str, list[DocumentRecord]] = {}
    columns = (EvidenceDocument.id, EvidenceDocument.indicator, EvidenceDocument.title, EvidenceDocument.day,
               EvidenceDocument.link, EvidenceDocument.file_name, EvidenceDocument.sha256)  # fmt: skip
    for row in await EvidenceDocument.select(*columns).order_by(EvidenceDocument.day):
        indicator = row.pop("indicator")
        documents.setdefault(indicator, []).append(DocumentRecord(**row))
    found = {indicator: EvidenceState(indicator, documents=tuple(papers)) for indicator, papers in documents.items()}
    for row in await Evidence.select():
        found[row["indicator"]] = EvidenceState(**row, documents=tuple(documents.get(row["indicator"], ())))
    return found


async def of(indicator: str) -> EvidenceState:
    return (await everything()).get(indicator, EvidenceState(indicator))


async def add_document(
    engine: StoreEngine,
    indicator: str,
    title: str,
    day: date,
    *,
    link: str = "",
    file_name: str = "",
    content: bytes = b"",
) -> None:
    """Add a dated document.

    Raises
    ------
    EvidenceRefused
        ``title``, ``source`` (neither a link nor a file), ``link`` (not http or https) or ``size`` (over 10 MiB).
    """
    if not title.strip():
        raise EvidenceRefused("title")
    if bool(link) == bool(content):
        raise EvidenceRefused("source")
    if link and not link.startswith(("https://", "http://")):
        raise EvidenceRefused("link")
    if len(content) > FILE_LIMIT:
        raise EvidenceRefused("size")
    sha256 = hashlib.sha256(content).hexdigest() if content else ""
    await EvidenceDocument.insert(
        EvidenceDocument(
            id=secrets.token_hex(16), indicator=indicator, title=title.strip(), day=day, link=link,
            file_name=file_name, content=content, sha256=sha256,
        )
    )  # fmt: skip


async def remove_document(engine: StoreEngine, document: str) -> None:
    """Remove a document; a record that stood on it alone is no longer assessed."""
    async with engine.transaction():
        row = await EvidenceDocument.select(EvidenceDocument.indicator).where(EvidenceDocument.id == document).first()
        if row is None:
            return
        await EvidenceDocument.delete().where(EvidenceDocument.id == document)
        if not await EvidenceDocument.exists().where(EvidenceDocument.indicator == row["indicator"]):
            await Evidence.delete().where(Evidence.indicator == row["indicator"])


async def file_of(document: str) -> tuple[str, bytes] | None:
    """The name and content of a kept file."""
    row = await EvidenceDocument.select().where(EvidenceDocument.id == document).first()
    return (row["file_name"], bytes(row["content"])) if row and row["content"] else None


async def set_state(engine: StoreEngine, record: EvidenceState) -> None:
    """Write what one person found; an earlier review no longer counts.

    Raises
    ------
    EvidenceRefused
        ``state``, or ``document`` when an assessed state has no dated document.
    """
    if record.state not in STATES:
        raise EvidenceRefused("state")
    async with engine.transaction():
        has_document = await EvidenceDocument.exists().where(EvidenceDocument.indicator == record.indicator)
        if record.state != "not_assessed" and not has_document:
            raise EvidenceRefused("document")
        await Evidence.delete().where(Evidence.indicator == record.indicator)
        await Evidence.insert(
            Evidence(
                indicator=record.indicator, state=record.state, figure=record.figure, source=record.source,
                note=record.note, valid_until=record.valid_until, set_by=record.set_by, set_on=record.set_on,
                reviewed_by="", reviewed_on=None,
            )
        )  # fmt: skip


async def review(engine: StoreEngine, indicator: str, reviewer: str, today: date) -> None:
    """Confirm another person's finding.

    Raises
    ------
    EvidenceRefused
        ``same`` if the reviewer set the state herself, ``nothing`` if nothing was set.
    """
    async with engine.transaction():
        row = await Evidence.select().where(Evidence.indicator == indicator).first()
        if row is None or row["state"] == "not_assessed":
            raise EvidenceRefused("nothing")
        if row["set_by"] == reviewer:
            raise EvidenceRefused("same")
        await Evidence.update({Evidence.reviewed_by: reviewer, Evidence.reviewed_on: today}).where(
            Evidence.indicator == indicator
        )
