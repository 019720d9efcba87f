"""Indicators: evidence set by a person, reviewed by another, beside what people say."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

from litestar import Response, get, post
from litestar.datastructures import UploadFile
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from litestar.response import Redirect

from server.certification.indicators import give_file, list_page, one_page
from server.frame.asked import AppRequest
from server.frame.security import account_of, checked_form
from server.frame.signed_in import done, frame
from server.frame.texts import say
from surveys import certification
from surveys.legible import legible
from surveys.lifecycle.context import today
from surveys.public import evidence
from surveys.public.evidence import EvidenceRefused
from surveys.stores import Engines

UPLOAD_LIMIT = evidence.FILE_LIMIT + 100_000


@get("/indicators")
async def indicators(request: AppRequest) -> Response[str]:
    """List all indicators."""
    return await list_page(request, "/hr/indicators")


@get("/indicators/{indicator:str}")
async def indicator_page(request: AppRequest, indicator: FromPath[str]) -> Response[str]:
    """Show one indicator."""
    return await one_page(request, indicator, "/hr/indicators", can_edit=True)


_FIELDS = ("state", "figure", "source", "valid", "note", "title", "day", "link")


async def _again(request: AppRequest, indicator: str, reason: str, data: Mapping[str, str]) -> Response[str]:
    """The page with the reason; what was typed stays in its form."""
    error = say((await frame(request))[0].language, f"evidence.refused.{reason}")
    typed = {field: data[field] for field in _FIELDS if field in data}
    return await one_page(request, indicator, "/hr/indicators", can_edit=True, error=error, typed=typed)


async def _posted(request: AppRequest, indicator: str) -> dict[str, str]:
    """A form about an indicator of the practice; about any other nothing is written."""
    data = await checked_form(request)
    if not certification.is_known(indicator):
        raise NotFoundException
    return data


@post("/indicators/{indicator:str}")
async def set_state(
    request: AppRequest, indicator: FromPath[str], engines: NamedDependency[Engines]
) -> Response[str] | Redirect:
    """Set the state of an indicator; a review by a second account is then needed."""
    data = await _posted(request, indicator)
    before = await evidence.of(indicator)
    try:
        valid = date.fromisoformat(data["valid"]) if data.get("valid") else None
        record = replace(
            before,
            state=data.get("state", ""),
            figure=legible(data.get("figure", "")[:100]),
            source=legible(data.get("source", "")[:200]),
            note=legible(data.get("note", "")[:1000], lines=True),
            valid_until=valid,
            set_by=account_of(request).name,
            set_on=today(),
        )
        await evidence.set_state(engines["public"], record, data.get("seen"))
    except EvidenceRefused as problem:
        return await _again(request, indicator, str(problem), data)
    except ValueError:
        return await _again(request, indicator, "day", data)
    return done(f"/hr/indicators/{indicator}", "evidence_set")


@post("/indicators/{indicator:str}/review")
async def review(
    request: AppRequest, indicator: FromPath[str], engines: NamedDependency[Engines]
) -> Response[str] | Redirect:
    """Confirm what another account found."""
    data = await _posted(request, indicator)
    try:
        await evidence.review(engines["public"], indicator, account_of(request).name, data.get("seen", ""), today())
    except EvidenceRefused as problem:
        return await _again(request, indicator, str(problem), data)
    return done(f"/hr/indicators/{indicator}", "evidence_reviewed")


async def sent_file(request: AppRequest) -> tuple[str, bytes]:
    """The name and content of a file that a form brought; both empty without one."""
    upload = (await request.form()).get("file")
    if not isinstance(upload, UploadFile) or not upload.filename:
        return "", b""
    return "".join(letter for letter in upload.filename if letter.isprintable())[-100:], await upload.read()


@post("/indicators/{indicator:str}/documents", request_max_body_size=UPLOAD_LIMIT)
async def add_document(
    request: AppRequest, indicator: FromPath[str], engines: NamedDependency[Engines]
) -> Response[str] | Redirect:
    """Add a dated document: a link or a file."""
    data = await _posted(request, indicator)
    name, content = await sent_file(request)
    try:
        when = date.fromisoformat(data.get("day", ""))
        await evidence.add_document(
            engines["public"],
            indicator,
            data.get("title", "")[:200],
            when,
            today(),
            who=account_of(request).name,
            link=data.get("link", "")[:500].strip(),
            file_name=name,
            content=content,
        )
    except EvidenceRefused as problem:
        return await _again(request, indicator, str(problem), data)
    except ValueError:
        return await _again(request, indicator, "day", data)
    return done(f"/hr/indicators/{indicator}", "document_added")


@post("/indicators/{indicator:str}/documents/{document:str}/remove")
async def remove_document(
    request: AppRequest,
    indicator: FromPath[str],
    document: FromPath[str],
    engines: NamedDependency[Engines],
) -> Redirect:
    """Remove a document."""
    await checked_form(request)
    await evidence.remove_document(engines["public"], indicator, document, who=account_of(request).name, today=today())
    return done(f"/hr/indicators/{indicator}", "document_removed")


@get("/indicators/{indicator:str}/documents/{document:str}")
async def document_file(indicator: FromPath[str], document: FromPath[str]) -> Response[bytes]:
    """Give a kept file, always as a download."""
    return await give_file(document)


HANDLERS = (indicators, indicator_page, set_state, review, add_document, remove_document, document_file)
