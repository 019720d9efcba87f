"""The web application: the only place where the parts are joined."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from litestar import Litestar, Request, Response, Router
from litestar.config.compression import CompressionConfig
from litestar.di import Provide
from litestar.exceptions import HTTPException

from server import faults, jobs
from server.accounts import signin
from server.hr import router as hr
from server.keyholders import ceremony
from server.auditors import pack
from server.pages import MessagePage, show, staff_shell, static_address, style
from server.respondents import answer, door, results
from server.security import csp, header_setter
from server.settings import Settings
from server.static_files import static_file, well_known, health
from server.texts import say
from surveys.answers.urn import Urn
from surveys.stores import Engines, close_stores, open_stores


async def _on_http_error(request: Request[Any, Any, Any], problem: HTTPException) -> Response[str]:
    """Say in the person's language what is wrong with a request."""
    if problem.status_code == 401:
        return await signin.ask(request)
    frame = await staff_shell(request)
    language = frame.language
    title, text = {
        404: ("not_found", "not_found_text"),
        403: ("forbidden", "not_found_text"),
        405: ("method", "not_found_text"),
        413: ("too_large", "wrong_text"),
    }.get(problem.status_code, ("bad", "wrong_text"))
    page = MessagePage(frame, say(language, f"staff.error.{title}"), say(language, f"staff.error.{text}"))
    return show(page, status=problem.status_code)


async def _on_missing(request: Request[Any, Any, Any], _: LookupError) -> Response[str]:
    return await _on_http_error(request, HTTPException(status_code=404))


async def _on_fault(request: Request[Any, Any, Any], _: Exception) -> Response[str]:
    """Say that something broke; the log gets the place, never the request."""
    faults.note("request")
    try:
        frame = await staff_shell(request)
    except Exception:  # the public store itself is away
        return Response("Ascolto: 503", status_code=503, media_type="text/plain")
    page = MessagePage(frame, say(frame.language, "staff.error.wrong"), say(frame.language, "staff.error.wrong_text"))
    return show(page, status=500)


def create_app(settings: Settings, *, with_jobs: bool = True) -> Litestar:
    """Join stores, pages and jobs into one application."""

    @asynccontextmanager
    async def life(app: Litestar) -> AsyncIterator[None]:
        engines: Engines = await open_stores(settings.stores)
        urn = Urn(engines["answers"])
        urn.start()
        app.state.engines, app.state.urn = engines, urn
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

    async def engines_of() -> Engines:
        found: Engines = app.state.engines
        return found

    async def settings_of() -> Settings:
        return settings

    staff = Router(
        path="/",
        route_handlers=[
            door.door, door.help_page, door.wave_page, answer.form, answer.language, answer.submit, answer.thanks,
            *results.HANDLERS, static_file, well_known, health,
        ],
    )  # fmt: skip
    static_address("answer.js")
    app = Litestar(
        route_handlers=[staff, *signin.ROUTERS, *hr.ROUTERS, *ceremony.ROUTERS, *pack.ROUTERS],
        dependencies={"urn": Provide(urn_of), "engines": Provide(engines_of), "settings": Provide(settings_of)},
        lifespan=[life],
        before_send=[header_setter(csp(style()), https=settings.https)],
        compression_config=CompressionConfig(
            backend="brotli", minimum_size=500, brotli_quality=5, brotli_gzip_fallback=True, gzip_compress_level=9
        ),
        exception_handlers={HTTPException: _on_http_error, LookupError: _on_missing, Exception: _on_fault},  # type: ignore[dict-item]  # handlers of narrower exceptions
        request_max_body_size=answer.FORM_LIMIT,
        openapi_config=None,
        logging_config=None,
        debug=False,
    )
    return app
