"""The register of the audit: lines written, said anew, closed, opened again, taken away, with their documents."""

from dataclasses import replace
from datetime import date

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from server.certification.indicators import give
from server.certification.register import register_page
from server.certification.register_entry import FIELDS, entry_page, in_words, new_page
from server.frame.asked import AppRequest
from server.frame.security import account_of, checked_form
from server.frame.signed_in import NOTHING_REFUSED, Refused, desk_language, done
from server.frame.texts import say
from server.hr.indicators import UPLOAD_LIMIT, sent_file
from surveys.lifecycle.context import today
from surveys.public import register
from surveys.public.evidence import EvidenceRefused
from surveys.public.register import Record, RegisterRefused
from surveys.public.register_entry import Fault, entry_of
from surveys.stores import Engines

BASE = "/hr/register"
MOST_TYPED = 10_000
"""So much of a field is read; what is longer than it may be is refused by its name, with what was typed."""


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _typed(data: dict[str, str]) -> dict[str, str]:
    """The fields of a form, as typed."""
    return {name: data[name][:MOST_TYPED] for name in FIELDS if name in data}


async def _record(number: int) -> Record:
    record = (await register.everything()).get(number)
    if record is None:
        raise RegisterRefused("gone")
    return record


async def _again(
    request: AppRequest, number: int, problem: RegisterRefused, refused: Refused = NOTHING_REFUSED
) -> Response[str] | Redirect:
    """The page of a line with what was refused, or the whole register where the line is gone."""
    language = desk_language(request)
    if problem.reason == "gone":
        return done(BASE, "register_gone")
    errors = in_words(problem.faults, language, refused.fields)
    if problem.reason:
        errors = (say(language, f"register.refused.{problem.reason}"),)
    return await entry_page(request, number, BASE, can_edit=True, errors=errors, refused=refused)


@get("/register")
async def whole(request: AppRequest) -> Response[str]:
    """Show the register."""
    return await register_page(request, BASE, can_edit=True)


@get("/register/new")
async def new(request: AppRequest) -> Response[str]:
    """Show the form of a new line."""
    return await new_page(request, BASE, {"indicator": request.query_params.get("indicator", "")[:8]})


@post("/register")
async def add(request: AppRequest, engines: NamedDependency[Engines]) -> Response[str] | Redirect:
    """Write a new line."""
    typed = _typed(await checked_form(request))
    try:
        entry = entry_of(typed, _day(typed.get("due", "")), None)
        number = await register.add(engines["public"], entry, account_of(request).name, today())
    except RegisterRefused as problem:
        return await new_page(request, BASE, typed, in_words(problem.faults, desk_language(request), typed))
    return done(f"{BASE}/{number}", "register_added")


@get("/register/{number:int}")
async def one(request: AppRequest, number: FromPath[int]) -> Response[str]:
    """Show one line."""
    return await entry_page(request, number, BASE, can_edit=True)


@post("/register/{number:int}")
async def change(
    request: AppRequest, number: FromPath[int], engines: NamedDependency[Engines]
) -> Response[str] | Redirect:
    """Say a line anew; whether it is open stays as it is."""
    data = await checked_form(request)
    typed = _typed(data)
    try:
        record = await _record(number)
        entry = entry_of(typed, _day(typed.get("due", "")), record.entry.closed_on)
        await register.change(engines["public"], number, data.get("seen", ""), entry, account_of(request).name, today())
    except RegisterRefused as problem:
        return await _again(request, number, problem, Refused("change", typed))
    return done(f"{BASE}/{number}", "register_changed")


@post("/register/{number:int}/close")
async def close(
    request: AppRequest, number: FromPath[int], engines: NamedDependency[Engines]
) -> Response[str] | Redirect:
    """Close a line: on which day, and how it ended."""
    data = await checked_form(request)
    typed = {name: text for name, text in _typed(data).items() if name in ("closed_on", "outcome", "team")}
    try:
        record = await _record(number)
        on = _day(typed.get("closed_on", ""))
        if on is None:
            raise RegisterRefused(found=(Fault("closed_on", "closed_on"),))
        said = entry_of({"team": record.entry.team} | typed, None, on)
        entry = replace(record.entry, closed_on=on, outcome=said.outcome, team=said.team)
        await register.change(engines["public"], number, data.get("seen", ""), entry, account_of(request).name, today())
    except RegisterRefused as problem:
        return await _again(request, number, problem, Refused("close", typed))
    return done(f"{BASE}/{number}", "register_closed")


@post("/register/{number:int}/reopen")
async def reopen(
    request: AppRequest, number: FromPath[int], engines: NamedDependency[Engines]
) -> Response[str] | Redirect:
    """Open a line again."""
    data = await checked_form(request)
    try:
        entry = replace((await _record(number)).entry, closed_on=None)
        await register.change(engines["public"], number, data.get("seen", ""), entry, account_of(request).name, today())
    except RegisterRefused as problem:
        return await _again(request, number, problem)
    return done(f"{BASE}/{number}", "register_reopened")


@post("/register/{number:int}/remove")
async def remove(
    request: AppRequest, number: FromPath[int], engines: NamedDependency[Engines]
) -> Response[str] | Redirect:
    """Take a line away."""
    data = await checked_form(request)
    try:
        await register.remove(engines["public"], number, data.get("seen", ""), account_of(request).name, today())
    except RegisterRefused as problem:
        return await _again(request, number, problem)
    return done(BASE, "register_removed")


@post("/register/{number:int}/documents", request_max_body_size=UPLOAD_LIMIT)
async def add_document(
    request: AppRequest, number: FromPath[int], engines: NamedDependency[Engines]
) -> Response[str] | Redirect:
    """Add a dated document: a link or a file."""
    data = await checked_form(request)
    name, content = await sent_file(request)
    when, link, who = _day(data.get("day", "")), data.get("link", "")[:500].strip(), account_of(request).name
    try:
        if when is None:
            raise EvidenceRefused("day")
        title, paper = data.get("title", "")[:200], {"link": link, "file_name": name, "content": content}
        await register.add_document(engines["public"], number, title, when, today(), who=who, **paper)
    except EvidenceRefused as problem:
        errors = (say(desk_language(request), f"evidence.refused.{problem}"),)
        return await entry_page(request, number, BASE, can_edit=True, errors=errors, refused=Refused("document", data))
    except RegisterRefused as problem:
        return await _again(request, number, problem, Refused("document", data))
    return done(f"{BASE}/{number}", "document_added")


@post("/register/{number:int}/documents/{document:str}/remove")
async def remove_document(
    request: AppRequest, number: FromPath[int], document: FromPath[str], engines: NamedDependency[Engines]
) -> Redirect:
    """Take a document away."""
    await checked_form(request)
    await register.remove_document(engines["public"], number, document, account_of(request).name, today())
    return done(f"{BASE}/{number}", "document_removed")


@get("/register/{number:int}/documents/{document:str}")
async def document_file(number: FromPath[int], document: FromPath[str]) -> Response[bytes]:
    """Give a document."""
    return give(await register.file_of(number, document))


HANDLERS = (whole, new, add, one, change, close, reopen, remove, add_document, remove_document, document_file)
