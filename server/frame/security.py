"""Headers on every response, who may open which address, and the proof that a form is ours."""

import base64
import hashlib
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from litestar.connection import ASGIConnection
from litestar.datastructures import Cookie, FormMultiDict, MutableScopeHeaders
from litestar.exceptions import ClientException, NotAuthorizedException, PermissionDeniedException
from litestar.handlers import BaseRouteHandler
from litestar.types import Message, Scope

from server.frame.asked import AppRequest
from surveys.people import accounts
from surveys.people.accounts import SessionToken, SignedIn

COOKIE = "ascolto"
DESK_PATHS = ("/hr", "/keys", "/audit", "/cases", "/account")
"""Where the session cookie is sent: never to a staff page."""
DEVICE_COOKIE = "ascolto_device"
DOOR_PATHS = ("/account/in", "/cases/in")
"""Where a browser says that it signed in before."""
DEVICES = 4
"""So many accounts may share a browser that is known."""
DEVICE_SECONDS = 365 * 24 * 3600
FORM_FIELD = "_form"
OPENED_FILES = "; frame-src blob:"
"""Handlers' pages show an attachment in a frame of an opaque origin, made in the browser."""

OWN_WORKER = "trusted-types ascolto"
"""The answer page may register its service worker: the one address that its policy lets through."""


def csp(*styles: str) -> str:
    """The content security policy, with the hashes of the styles that pages carry inside them."""
    hashes = " ".join(f"'sha256-{base64.b64encode(hashlib.sha256(s.encode()).digest()).decode()}'" for s in styles)
    return (
        f"default-src 'none'; style-src 'self' {hashes}; script-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
    )


def header_setter(policy: str, *, https: bool) -> Callable[[Message, Scope], Awaitable[None]]:
    """A before-send hook: also answers that no route made get the headers."""

    async def set_headers(message: Message, scope: Scope) -> None:
        if message["type"] != "http.response.start":
            return
        headers = MutableScopeHeaders.from_message(message)
        headers["Content-Security-Policy"] = _widened(policy, scope["path"])
        headers["X-Content-Type-Options"] = "nosniff"
        headers["Referrer-Policy"] = "no-referrer"
        headers["Cross-Origin-Opener-Policy"] = "same-origin"
        headers["Cross-Origin-Resource-Policy"] = "same-origin"
        headers["Permissions-Policy"] = "camera=(), microphone=(), geolocation=(), interest-cohort=()"
        if https:
            headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
        if "cache-control" not in headers:
            headers["Cache-Control"] = "no-store"

    return set_headers


def _widened(policy: str, path: str) -> str:
    if path.startswith("/cases"):
        return policy + OPENED_FILES
    return policy.replace("trusted-types 'none'", OWN_WORKER) if path == "/answer" else policy


def named(cookie: str, *, https: bool) -> str:
    """The name of a cookie. ``__Host-`` would want Path=/, which would send it with answers; ``__Secure-`` does not."""
    return f"__Secure-{cookie}" if https else cookie


def _https(connection: ASGIConnection[Any, Any, Any, Any]) -> bool:
    return bool(connection.app.state.https)


def token_of(connection: ASGIConnection[Any, Any, Any, Any]) -> str:
    """The session's token; two cookies of its name are none, since one of them was planted by another host."""
    name = named(COOKIE, https=_https(connection))
    sent = connection.headers.get("cookie", "").replace(" ", "").split(";")
    return connection.cookies.get(name, "") if sum(one.startswith(f"{name}=") for one in sent) == 1 else ""


class EnrolFirst(NotAuthorizedException):
    """The account has no second factor yet: it is led to enrol one before it reaches any desk."""


class FormOfBefore(PermissionDeniedException):
    """A form of another session than the one that sends it: of before somebody signed in again, or of another site."""


class DeskAccount:
    """Guards a router: only these roles pass. The account is then in ``request.state``."""

    def __init__(self, *roles: str, enrolling: bool = False) -> None:
        self.roles = frozenset(roles)
        self.enrolling = enrolling

    async def __call__(self, connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
        token = token_of(connection)
        account = await accounts.signed_in(token, datetime.now(UTC)) if token else None
        if account is None:
            raise NotAuthorizedException
        if not account.enrolled and not self.enrolling:
            raise EnrolFirst
        if self.roles and account.role not in self.roles:
            raise PermissionDeniedException
        connection.state.account = account
        connection.state.token = SessionToken(token)


def account_of(request: AppRequest) -> SignedIn:
    """The signed-in account of a guarded request."""
    account: SignedIn = request.state.account
    return account


def is_ours(request: AppRequest) -> bool:
    """Say whether a post comes from a page of ours, by Fetch metadata or Origin; one that tells neither is not."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = request.headers.get("origin", "")
    try:
        return bool(origin) and urlsplit(origin).netloc == request.headers.get("host", "")
    except ValueError:
        return False


async def form_of(request: AppRequest) -> FormMultiDict:
    """Read a desk form.

    Raises
    ------
    ClientException
        If it says that it is in an encoding that nobody knows.
    """
    try:
        return await request.form()
    except LookupError as problem:
        raise ClientException("an unknown encoding") from problem


async def checked_form(request: AppRequest) -> dict[str, str]:
    """Read a desk form and check its token.

    Raises
    ------
    FormOfBefore
        If the form is not of this session.
    """
    form = await form_of(request)
    values = {name: value for name, value in form.items() if isinstance(value, str)}
    if not accounts.form_token_is(request.state.token, values.get(FORM_FIELD, "")):
        raise FormOfBefore
    return values


def session_cookies(token: str, *, https: bool) -> list[Cookie]:
    """One cookie for each desk address; none for staff pages."""
    return [_cookie(named(COOKIE, https=https), token, path, https=https) for path in DESK_PATHS]


def ended_cookies(*, https: bool) -> list[Cookie]:
    return [_cookie(named(COOKIE, https=https), "", path, https=https, seconds=0) for path in DESK_PATHS]


def devices_of(request: AppRequest) -> list[str]:
    """The tokens by which this browser may be known, of the few accounts that share it."""
    sent = request.cookies.get(named(DEVICE_COOKIE, https=_https(request)), "")
    return [token for token in sent[:200].split(".") if token][:DEVICES]


def device_cookies(request: AppRequest, token: str) -> list[Cookie]:
    """This browser's tokens, the one that was just used in front; sent to the doors alone."""
    tokens = [token, *(other for other in devices_of(request) if other != token)][:DEVICES]
    https = _https(request)
    name = named(DEVICE_COOKIE, https=https)
    return [_cookie(name, ".".join(tokens), path, https=https, seconds=DEVICE_SECONDS) for path in DOOR_PATHS]


def _cookie(name: str, value: str, path: str, *, https: bool, seconds: int | None = None) -> Cookie:
    return Cookie(key=name, value=value, path=path, max_age=seconds, httponly=True, secure=https, samesite="strict")
