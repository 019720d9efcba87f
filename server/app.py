"""The web application: the only place where the parts are joined."""

import asyncio
import errno
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import quote

import asyncpg
from litestar import Litestar, Response, Router
from litestar.config.compression import CompressionConfig
from litestar.di import Provide
from litestar.exceptions import HTTPException
from litestar.response import Redirect

from analysis.document import ReleaseInvalid
from server.accounts import own, signin
from server.auditors import pack
from server.concern import wire
from server.frame import faults
from server.frame.asked import AppRequest, site_of
from server.frame.pages import MessagePage, language_of, shell, show, static_address, style
from server.frame.security import EnrolFirst, FormOfBefore, csp, header_setter
from server.frame.signed_in import desk_language
from server.frame.static_files import answer_worker, security_txt, static_file, well_known
from server.frame.texts import catalogue, say
from server.handlers import door as handler_door
from server.handlers import inbox
from server.hr import router as hr
from server.keyholders import ceremony, comments, desk_log, sheet
from server.keyholders import two_keys as second_key
from server.operation import away, metrics, ready
from server.operation.watch import Watch
from server.processes import jobs
from server.reporters import page as concern
from server.reporters import plain, sealed
from server.respondents import answer, door, helping, results, tokens, trust
from server.settings import Settings
from surveys.answers.plans import PlanOther
from surveys.answers.urn import Urn
from surveys.away import StoreAway
from surveys.cases.line import Line
from surveys.lifecycle import accepting, destroying, frozen, pins, reviews, witness
from surveys.lifecycle import comments as comments_of
from surveys.lifecycle.context import Site, today
from surveys.odd import StoreOdd
from surveys.public.readers import ListsRefused
from surveys.public.waves import NoSuchWave
from surveys.stores import Engines, close_stores, open_stores

NO_DISK = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS))


def _message(request: AppRequest, status: int, title: str, text: str) -> Response[str]:
    """A page that needs no store: error pages work when the stores do not."""
    frame = shell(None, language_of(request))
    page = MessagePage(frame, say(frame.language, f"staff.error.{title}"), say(frame.language, f"staff.error.{text}"))
    return show(page, status=status)


def _on_http_error(request: AppRequest, problem: HTTPException) -> Response[Any]:
    """Say in the person's language what is wrong with a request; ask for a sign-in where one is missing."""
    if isinstance(problem, EnrolFirst):
        return Redirect("/account/second", status_code=303)
    if problem.status_code == 401:
        wanted = f"?next={quote(request.url.path)}" if request.method == "GET" else "?done=session_over"
        asked = f"&lang={desk_language(request)}" if "lang" in request.query_params else ""
        return Redirect(f"/account/in{wanted}{asked}", status_code=303)
    if isinstance(problem, FormOfBefore):
        language = desk_language(request)
        title, text = say(language, "desk.signin.before"), say(language, "desk.signin.before_text")
        return show(MessagePage(shell(None, language), title, text), status=403)
    title, text = {
        404: ("not_found", "not_found_text"),
        403: ("forbidden", "not_found_text"),
        405: ("method", "not_found_text"),
        413: ("too_large", "wrong_text"),
    }.get(problem.status_code, ("bad", "wrong_text"))
    return _message(request, problem.status_code, title, text)


def _on_missing(request: AppRequest, _: NoSuchWave) -> Response[str]:
    return _message(request, 404, "not_found", "not_found_text")


def _on_other_plan(request: AppRequest, problem: PlanOther) -> Response[Any]:
    """Take no answer: what the stores say of the wave is not what its people signed."""
    faults.note("plan", problem)
    language = language_of(request)
    moved = isinstance(problem, frozen.AddressOther) and "hr.refused.address" in catalogue(language)
    said = say(language, "hr.refused.address" if moved else "link.page.other_key")
    if request.method == "POST" and request.url.path != "/answer":
        return Response({"problem": said}, status_code=409)
    return show(MessagePage(shell(None, language), say(language, "staff.error.wrong"), said), status=409)


def _on_other_release(request: AppRequest, problem: ReleaseInvalid) -> Response[str]:
    """Show no figure: what is stored is not what this installation signed."""
    faults.note("release", problem)
    language = language_of(request)
    said = say(language, "results.not_ours")
    return show(MessagePage(shell(None, language), say(language, "staff.error.wrong"), said), status=409)


def _on_lists(request: AppRequest, problem: ListsRefused) -> Response[str]:
    """Take and show nothing: what is stored of who reads is not what was signed. Help outside is linked on every page."""
    faults.note("lists", problem)
    language = language_of(request)
    page = MessagePage(shell(None, language), say(language, "staff.error.wrong"), say(language, "concern.wrong.list"))
    return show(page, status=409)


def _on_odd(request: AppRequest, problem: StoreOdd) -> Response[Any]:
    """Show and take nothing: a row on which the whole page stands is none that this program wrote."""
    faults.note("store", problem)
    of_script = request.headers.get("content-type", "").startswith("application/json")
    if of_script or "text/html" not in request.headers.get("accept", "text/html"):
        return Response({"problem": say(language_of(request), "staff.error.odd_text")}, status_code=409)
    return _message(request, 409, "wrong", "odd_text")


def _on_away(request: AppRequest, problem: StoreAway) -> Response[Any]:
    faults.note("request", problem)
    return away.answer(request)


def _on_system_error(request: AppRequest, problem: OSError) -> Response[Any]:
    """A full or unreadable disk under the folder of keys is a store that is away; what else a system refuses is a fault."""
    if problem.errno not in NO_DISK:
        return _on_fault(request, problem)
    return _on_away(request, StoreAway("folder", errno.errorcode[problem.errno]))


def _on_unreadable(request: AppRequest, _: Exception) -> Response[str]:
    """A form that is not UTF-8, or a number that no store can hold: nothing broke, and nothing was done."""
    return _message(request, 400, "bad", "wrong_text")


def _on_fault(request: AppRequest, problem: Exception) -> Response[str]:
    """Say that something broke; the log gets the place, never the request."""
    faults.note("request", problem)
    return _message(request, 500, "wrong", "wrong_text")


class Application(Litestar):
    """Answers HEAD as it would GET, which changes nothing, without the body; counts the requests of desks alone."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        desk = metrics.Tally.desk_of(scope["path"]) if scope["type"] == "http" else ""
        if not desk:
            await self._answer(scope, receive, send)
            return
        began = time.monotonic()

        async def counted(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                self.state.tally.count(desk, message["status"], time.monotonic() - began)
            await send(message)

        await self._answer(scope, receive, counted)

    async def _answer(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await super().__call__(scope, receive, send)
            return

        async def without_body(message: dict[str, Any]) -> None:
            await send({**message, "body": b""} if message["type"] == "http.response.body" else message)

        as_get: Any = {**scope, "method": "GET"}
        await super().__call__(as_get, receive, without_body)  # type: ignore[arg-type]  # plain ASGI messages


def create_app(settings: Settings, *, with_jobs: bool = True) -> Litestar:
    """Join stores, pages and jobs into one application."""
    return begin(joined(https=settings.https), settings, with_jobs=with_jobs)


def begin(app: Litestar, settings: Settings, *, with_jobs: bool = True) -> Litestar:
    """Give an application that serves nothing now its settings, and a state in which nothing was counted.

    Raises
    ------
    RuntimeError
        If the application serves already, or was joined for another kind of address.
    """
    if "engines" in app.state or app.state.https != settings.https:
        raise RuntimeError("this application serves something else")
    app.state.settings, app.state.with_jobs, app.state.tally = settings, with_jobs, metrics.Tally()
    return app


@asynccontextmanager
async def _life(app: Litestar) -> AsyncIterator[None]:
    """From opened stores to closed ones."""
    settings: Settings = app.state.settings
    accepting.begin(settings.data)
    engines: Engines = await open_stores(settings.stores)
    await pins.keep(settings.data)
    await frozen.keep_at_update(settings.data)
    site = Site(engines, settings.data, today(), jobs.ACTOR)
    await witness.keep_at_update(site)
    await comments_of.keep_at_update(site)
    await reviews.keep_at_update(site)
    await destroying.keep_at_update(site)
    urn = Urn(engines["answers"])
    urn.start()
    watch = app.state.watch = Watch(engines, settings.data)
    app.state.engines, app.state.urn, app.state.line = engines, urn, Line(engines["cases"])
    figures = await metrics.serve(settings.metrics, app.state.tally, watch, settings.data) if settings.metrics else None
    telling = asyncio.create_task(watch.tell())
    ticking = jobs.start(settings, engines) if app.state.with_jobs else None
    try:
        yield
    finally:
        await urn.stop()
        if ticking is not None:
            await jobs.stop(ticking)  # with a last stir, of what the urn took until now too
        telling.cancel()
        if figures is not None:
            figures.close()
        await watch.close()
        await close_stores(engines)
        del app.state.engines, app.state.urn, app.state.line, app.state.watch


def joined(*, https: bool) -> Litestar:
    """All pages under their addresses, with what every one of them may ask for; it serves nothing before `begin`."""

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
        found: Settings = app.state.settings
        return found

    staff = Router(
        path="/",
        route_handlers=[
            door.door,
            helping.help_page,
            door.wave_page,
            door.bulletin,
            door.frozen_plan,
            trust.trust,
            answer.form,
            answer.language,
            answer.submit,
            answer.thanks,
            answer_worker,
            *tokens.HANDLERS,
            *results.HANDLERS,
            static_file,
            well_known,
            security_txt,
            *ready.HANDLERS,
            concern.concern,
            plain.form,
        ],
    )
    for_scripts = Router(path="/", route_handlers=sealed.HANDLERS, exception_handlers=dict(wire.PROBLEMS))
    static_address("answer.js")
    app = Application(
        route_handlers=[
            staff,
            for_scripts,
            *signin.ROUTERS,
            *own.ROUTERS,
            *hr.ROUTERS,
            *ceremony.ROUTERS,
            *comments.ROUTERS,
            *sheet.ROUTERS,
            *second_key.ROUTERS,
            *pack.ROUTERS,
            *desk_log.ROUTERS,
            *handler_door.ROUTERS,
            *inbox.ROUTERS,
        ],
        dependencies={
            "urn": Provide(urn_of),
            "line": Provide(line_of),
            "engines": Provide(engines_of),
            "settings": Provide(settings_of),
            "site": Provide(site_of),
        },
        lifespan=[_life],
        before_send=[header_setter(csp(style()), https=https)],
        compression_config=CompressionConfig(
            backend="brotli",
            minimum_size=500,
            brotli_quality=5,
            brotli_gzip_fallback=True,
            gzip_compress_level=9,
            exclude=["/concern/thread", "/concern/file", "^/static/", "^/audit/pack[.]"],
        ),
        exception_handlers={
            PlanOther: _on_other_plan,
            ReleaseInvalid: _on_other_release,
            ListsRefused: _on_lists,
            HTTPException: _on_http_error,
            NoSuchWave: _on_missing,
            Exception: _on_fault,
            StoreAway: _on_away,
            StoreOdd: _on_odd,
            OSError: _on_system_error,
            UnicodeDecodeError: _on_unreadable,
            OverflowError: _on_unreadable,
            asyncpg.DataError: _on_unreadable,
        },
        request_max_body_size=answer.FORM_LIMIT,
        openapi_config=None,
        logging_config=None,
        debug=False,
    )
    app.state.https = https
    return app
