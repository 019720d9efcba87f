"""Gives out what was typeset of a release: gathered here, set in a process that ends, and written into the log of acts."""

import base64
from collections.abc import Mapping
from typing import Any

from litestar import Response

from server.frame.asked import AppRequest
from server.frame.pages import MessagePage, show
from server.frame.security import account_of
from server.frame.signed_in import desk_language, frame
from server.frame.texts import say
from server.papers.board import board_report
from server.papers.told import told_poster
from server.processes import workers
from server.settings import Settings
from surveys.languages import LANGUAGES
from surveys.lifecycle.context import today
from surveys.people import log
from surveys.public import organisation
from surveys.stores import Engines

SECONDS = 40
"""A report takes about one."""


async def give_report(request: AppRequest, wave: str, settings: Settings, engines: Engines) -> Response[Any]:
    """The board report of a release in the desk's language."""
    language = desk_language(request)
    given = {"template": "board", "facts": await board_report(wave, language)}
    await _noted(request, engines, wave, "report")
    return await _set(request, settings, given, f"{wave}-{language}.pdf")


async def give_poster(request: AppRequest, wave: str, settings: Settings, engines: Engines) -> Response[Any]:
    """The poster of a release, or of one territory of it: one page for each language of the organisation."""
    about, view = await organisation.load(), request.query_params.get("group", "all")
    languages = about.languages if about else LANGUAGES
    facts = await told_poster(wave, view, languages)
    await _noted(request, engines, wave, "poster")
    given = {"template": "told", "facts": facts, "qr": facts["address"], "pages": len(languages)}
    return await _set(request, settings, given, f"{wave}-poster.pdf")


async def _noted(request: AppRequest, engines: Engines, wave: str, kind: str) -> None:
    await log.record(engines["people"], today(), account_of(request).name, "results exported", wave=wave, kind=kind)


async def _set(request: AppRequest, settings: Settings, given: Mapping[str, Any], name: str) -> Response[Any]:
    """The PDF, or a page that says that there is none and what to do."""
    try:
        made = await workers.run(settings, "print", given, seconds=SECONDS)
    except workers.WorkFailed:
        shell = (await frame(request))[0]
        said = say(shell.language, "staff.error.wrong"), say(shell.language, "board.no_paper")
        return show(MessagePage(shell, *said), status=503)
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(base64.b64decode(made["pdf"]), media_type="application/pdf", headers=headers)
