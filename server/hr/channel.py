"""The office's side of the concern channel: its gate, its papers, its yearly band. Nothing of any case comes here."""

from dataclasses import dataclass, replace
from datetime import date
from typing import Any, ClassVar

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from litestar.response import Redirect

from server.concern.channel import house_lines
from server.concern.facts import HandlerLine, band_lines, handler_lines
from server.frame.asked import AppRequest
from server.frame.display import day as in_words
from server.frame.pages import Shell, show
from server.frame.security import checked_form
from server.frame.signed_in import NOTHING_REFUSED, Desk, Refused, desk_language, done, frame
from server.frame.texts import say
from server.hr.organisation import is_day
from server.processes.workers import run
from server.settings import Settings
from surveys.cases import handlers
from surveys.cases.clocks import RETENTION_YEARS
from surveys.languages import LANGUAGES
from surveys.legible import legible
from surveys.lifecycle import channel as life
from surveys.lifecycle.channel import ChannelChanged, ChannelNotReady, DayToCome
from surveys.lifecycle.context import Site, today
from surveys.public import channel, organisation, readers

PAPERS = ("notice", "register", "dpia", "hearing")


@dataclass(frozen=True, slots=True)
class ChannelPage:
    """What stands before opening, who is on the list, papers, bands."""

    template: ClassVar[str] = "channel.html"
    shell: Shell
    desk: Desk
    title: str
    opened: str
    missing: tuple[str, ...]
    seen: str
    """The mark of the rules as the form shows them."""
    hearing_day: str
    hearing_document: str
    other_files: bool
    years: int
    most_years: int
    handlers: tuple[HandlerLine, ...]
    fingerprint: str
    until: str
    bands: tuple[tuple[str, str, str], ...]
    papers: tuple[tuple[str, str], ...]


async def _page(request: AppRequest, site: Site, error: str = "", refused: Refused = NOTHING_REFUSED) -> Response[str]:
    shell, desk = await frame(request, error=error, refused=refused)
    language, record, lists = shell.language, await channel.load(), await readers.load(site.data)
    missing = await life.gaps(site)
    page = ChannelPage(
        shell,
        desk,
        say(language, "hr.channel.heading"),
        in_words(record.opened, language),
        tuple(say(language, f"cli.gap_{gap}") for gap in missing),
        record.shown,
        record.hearing_day,
        record.hearing_document,
        record.other_files,
        record.retention_years,
        RETENTION_YEARS,
        await handler_lines(language, today(), site.data),
        " · ".join(filter(None, house_lines(lists))),
        in_words(str(lists.chain.newest.until) if lists.chain else "", language),
        band_lines(record, language),
        tuple((kind, say(language, f"hr.channel.paper_{kind}")) for kind in PAPERS),
    )
    return show(page, status=422 if error else 200)


@get("/channel")
async def channel_page(request: AppRequest, site: NamedDependency[Site]) -> Response[str]:
    """Show the channel as the office sees it."""
    return await _page(request, site)


@post("/channel")
async def save_channel(
    request: AppRequest,
    site: NamedDependency[Site],
) -> Response[str] | Redirect:
    """Keep hearing, files and retention."""
    data, language = await checked_form(request), desk_language(request)
    heard, years = data.get("hearing_day", ""), data.get("years", "")
    if (heard and not is_day(heard)) or years not in {str(n) for n in range(1, RETENTION_YEARS + 1)}:
        return await _page(request, site, say(language, "hr.refused.form"), Refused("settings", data))
    changed = replace(
        await channel.load(),
        hearing_day=heard,
        hearing_document=legible(data.get("hearing_document", "")[:300]),
        other_files="other_files" in data,
        retention_years=int(years),
    )
    try:
        await life.set_rules(site, changed, data.get("seen", ""))
    except DayToCome:
        return await _page(request, site, _to_come(language, "hearing_day"), Refused("settings", data))
    except ChannelChanged:
        return await _page(request, site, say(language, "hr.organisation.changed"), Refused("settings", data))
    return done("/hr/channel", "saved")


def _to_come(language: str, field: str) -> str:
    """Why a day is not taken, and of which field."""
    return f"{say(language, f'hr.channel.{field}')}: {say(language, 'hr.refused.to_come')}"


@post("/channel/training")
async def save_training(request: AppRequest, site: NamedDependency[Site]) -> Response[str] | Redirect:
    """Record the day of a handler's training."""
    data, language = await checked_form(request), desk_language(request)
    day, name = data.get("day", ""), data.get("handler", "")
    if not is_day(day) or await handlers.load(name) is None:
        return await _page(request, site, say(language, "hr.refused.form"))
    try:
        await life.note_training(site, name, date.fromisoformat(day))
    except DayToCome:
        return await _page(request, site, _to_come(language, "trained"))
    return done("/hr/channel", "saved")


@post("/channel/open")
async def open_channel(
    request: AppRequest,
    site: NamedDependency[Site],
) -> Response[str] | Redirect:
    """Open the channel, or say what is missing."""
    await checked_form(request)
    language = (await frame(request))[0].language
    try:
        await life.open_channel(site)
    except ChannelNotReady as problem:
        gaps = "; ".join(say(language, f"cli.gap_{gap}") for gap in problem.gaps)
        return await _page(request, site, gaps)
    return done("/hr/channel", "opened")


@get("/channel/papers/{kind:str}")
async def paper(
    request: AppRequest, kind: FromPath[str], settings: NamedDependency[Settings], site: NamedDependency[Site]
) -> Response[bytes]:
    """Give the poster (PDF, all languages) or a document to edit, made now from what is known."""
    shell, _ = await frame(request)
    language = shell.language
    if kind not in (*PAPERS, "poster"):
        raise NotFoundException
    about, record, lists = await organisation.load(), await channel.load(), await readers.load(settings.data)
    given: dict[str, Any] = {
        "kind": kind,
        "language": language,
        "languages": list(about.languages if about else LANGUAGES),
        "organisation": about.name if about else "",
        "address": about.address if about else "",
        "fingerprint": lists.house.printed if lists.house else "",
        "words": " ".join(lists.house.words) if lists.house else "",
        "readers": [
            [line.name, line.role, line.outside] for line in await handler_lines(language, today(), settings.data)
        ],
        "controller": about.notice.controller if about else "",
        "contact": about.notice.contact if about else "",
        "retention_years": record.retention_years,
        "hearing_day": in_words(record.hearing_day, language),
        "hearing_document": record.hearing_document,
        "checked_day": in_words(about.help_checked_on if about else "", language),
        "opened_day": in_words(record.opened, language),
    }
    made = await run(settings, "paper", given)
    ending = "pdf" if kind == "poster" else "docx"
    media = (
        "application/pdf"
        if kind == "poster"
        else "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
    )
    headers = {"Content-Disposition": f'attachment; filename="ascolto-{kind}-{language}.{ending}"'}
    return Response(bytes.fromhex(made["content"]), media_type=media, headers=headers)


HANDLERS = (channel_page, save_channel, save_training, open_channel, paper)
