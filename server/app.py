"""The web application: the only place where the parts are joined."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import quote

from litestar import Litestar, Request, Response, Router
from litestar.config.compression import CompressionConfig
from litestar.di import Provide
from litestar.exceptions import HTTPException
from litestar.response import Redirect

from server import faults, jobs
from server.accounts import signin
from server.auditors import pack
from server.handlers import door as handler_door
from server.handlers import inbox
from server.hr import router as hr
from server.keyholders import ceremony, comments, desk_log, sheet
from server.keyholders import two_keys as second_key
from server.pages import MessagePage, language_of, shell, show, static_address, style
from server.reporters import page as concern
from server.reporters import plain, sealed
from server.respondents import answer, door, results, tokens, trust
from server.security import csp, header_setter
from server.settings import Settings
from server.static_files import answer_worker, health, static_file, well_known
from server.texts import say
from surveys.answers.urn import Urn
from surveys.cases.line import Line
from surveys.public.waves import NoSuchWave
from surveys.stores import Engines, close_stores, open_stores


def _message(request: Request[Any, Any, Any], status: int, title: str, text: str) -> Response[str]:
    """A page that needs no store: error pages work when the stores do not."""
    frame = shell(None, language_of(request))
    page = MessagePage(frame, say(frame.language, f"staff.error.{title}"), say(frame.language, f"staff.error.{text}"))
    return show(page, status=status)


def _on_http_error(request: Request[Any, Any, Any], problem: HTTPException) -> Response[Any]:
    """Say in the person's language what is wrong with a request; ask for a sign-in where one is missing."""
    if problem.status_code == 401:
        wanted = f"?next={quote(request.url.path)}" if request.method == "GET" else ""
        return Redirect(f"/account/in{wanted}", status_code=303)
    title, text = {
        404: ("not_found", "not_found_text"),
        403: ("forbidden", "not_found_text"),
        405: ("method", "not_found_text"),
        413: ("too_large", "wrong_text"),
    }.get(problem.status_code, ("bad", "wrong_text"))
    return _message(request, problem.status_code, title, text)


def _on_missing(request: Request[Any, Any, Any], _: NoSuchWave) -> Response[str]:
    return _message(request, 404, "not_found", "not_found_text")


def _on_fault(request: Request[Any, Any, Any], problem: Exception) -> Response[str]:
    """Say that something broke; the log gets the place, never the request."""
    faults.note("request", problem)
    return _message(request, 500, "wrong", "wrong_text")


def create_app(settings: Settings, *, with_jobs: bool = True) -> Litestar:
    """Join stores, pages and jobs into one application."""

    @asynccontextmanager
    async def life(app: Litestar) -> AsyncIterator[None]:
        answer.forget_waves()
        engines: Engines = await open_stores(settings.stores)
        urn = Urn(engines["answers"])
        urn.start()
        app.state.engines, app.state.urn, app.state.line = engines, urn, Line(engines["cases"])
        ticking = jobs.start(settings, engines) if with_jobs else None
        try:
            yield
        finally:
            if ticking is not None:
                await jobs.stop(ticking)
            await urn.stop()
            await close_stores(engines)

    async def urn_of() -> Urn:
        found: Urn = app.state.urn
        return found

    async def line_of() -> Line:
        found: Line = app.state.line
        return found

    async def engines_of() -> Engines:
        found: Engines = app.state.engines
        return found

    async def settings_of() -> Settings:
        return settings

    staff = Router(
        path="/",
        route_handlers=[
            door.door, door.help_page, door.wave_page,
            door.bulletin, door.frozen_plan, trust.trust, answer.form, answer.language, answer.submit, answer.thanks, answer_worker, *tokens.HANDLERS,
            *results.HANDLERS, static_file, well_known, health, concern.concern, plain.form,
        ],
    )  # fmt: skip
    for_scripts = Router(path="/", route_handlers=sealed.HANDLERS, exception_handlers=dict(sealed.PROBLEMS))
    static_address("answer.js")
    app = Litestar(
        route_handlers=[staff, for_scripts, *signin.ROUTERS, *hr.ROUTERS, *ceremony.ROUTERS, *comments.ROUTERS, *sheet.ROUTERS, *second_key.ROUTERS, *pack.ROUTERS, *desk_log.ROUTERS, *handler_door.ROUTERS, *inbox.ROUTERS],
        dependencies={"urn": Provide(urn_of), "line": Provide(line_of), "engines": Provide(engines_of), "settings": Provide(settings_of)},
        lifespan=[life],
        before_send=[header_setter(csp(style()), https=settings.https)],
        compression_config=CompressionConfig(
            backend="brotli", minimum_size=500, brotli_quality=5, brotli_gzip_fallback=True, gzip_compress_level=9,
            exclude=["/concern/thread", "/concern/file"],
        ),
        exception_handlers={HTTPException: _on_http_error, NoSuchWave: _on_missing, Exception: _on_fault},
        request_max_body_size=answer.FORM_LIMIT,
        openapi_config=None,
        logging_config=None,
        debug=False,
    )
    return app
