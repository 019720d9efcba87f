"""The handlers' door: keys are made and opened in the browser; the passphrase never comes here.

Setting up: an administrator adds the account with a one-time word; the handler makes her keys, her passphrase, her printed
kit and her second factor. Signing in: the browser derives the half of the passphrase that signs in, plus a one-time code.
"""

import os
from base64 import b32decode, b32encode
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar
from urllib.parse import quote

import msgspec
from litestar import Request, Response, Router, get, post
from litestar.di import NamedDependency

from server.desk import Desk, frame
from server.handlers.content import desk_texts, scripts
from server.pages import Shell, show
from server.reporters.page import Script
from server.reporters.sealed import PROBLEMS, answer, body_of
from server.security import is_ours, session_cookies
from server.settings import Settings
from server.texts import say
from surveys.cases import handlers, log
from surveys.cases.handlers import HandlerRecord, HandlerRefused
from surveys.cases.keeper import keeper_at
from surveys.lifecycle.context import today
from surveys.people import accounts
from surveys.people.accounts import SignInRefused
from surveys.stores import Engines


@dataclass(frozen=True, slots=True)
class HandlerDoorPage:
    """Sign in, or make one's keys the first time."""

    template: ClassVar[str] = "handler_door.html"
    shell: Shell
    desk: Desk
    title: str
    setup: bool
    texts: str
    scripts: tuple[Script, ...]


class SignIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Name, the half of the passphrase that signs in (hex), the one-time code."""

    name: str
    login: str
    second: str


class Setup(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A handler's first keys: public halves, the sealed bundle, and her second factor with a code of it."""

    name: str
    word: str
    login: str
    salt: str
    bundle: str
    recipient: str
    signer: str
    secret: str
    second: str
    contact: str


async def _page(request: Request[Any, Any, Any], *, setup: bool) -> Response[str]:
    shell, desk = await frame(request)
    title = say(shell.language, "cases.door.setup" if setup else "cases.door.title")
    return show(HandlerDoorPage(shell, desk, title, setup, desk_texts(shell.language), scripts("door.js")))


@get("/cases/in")
async def sign_in_page(request: Request[Any, Any, Any]) -> Response[str]:
    """Show the sign-in."""
    return await _page(request, setup=False)


@get("/cases/setup")
async def setup_page(request: Request[Any, Any, Any]) -> Response[str]:
    """Show the making of keys."""
    return await _page(request, setup=True)


@get("/cases/salt")
async def salt(request: Request[Any, Any, Any], settings: NamedDependency[Settings]) -> Response[bytes]:
    """The salt of a handler's passphrase; a decoy for a name that nobody has."""
    name = str(request.query_params.get("name", ""))[:60]
    return answer({"salt": (await handlers.salt_for(name, keeper_at(settings.data))).hex()})


@post("/cases/in", status_code=200)
async def sign_in(
    request: Request[Any, Any, Any], engines: NamedDependency[Engines], settings: NamedDependency[Settings]
) -> Response[bytes]:
    """Check both factors and open a session."""
    if not is_ours(request):
        return answer({"problem": "foreign"}, 403)
    given = await body_of(request, SignIn)
    try:
        if not await accounts.has_second(given.name):
            raise SignInRefused(locked=False)  # without a second factor nobody is in: her keys are not made yet
        token, account = await accounts.sign_in(
            engines["people"], given.name[:60], given.login[:64], datetime.now(UTC), second=given.second, handlers=True
        )
    except SignInRefused as problem:
        return answer({"problem": "locked" if problem.locked else "wrong"}, 403)
    await log.record(engines["cases"], keeper_at(settings.data), today(), account.name, "signed_in")
    done = answer({"in": True})
    done.cookies = session_cookies(token, https=settings.https)
    return done


@get("/cases/second")
async def second_factor(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Draw a second factor: its secret as text and as a QR; kept only when a code of it is shown."""
    import segno

    text = b32encode(os.urandom(20)).decode()
    name = quote(str(request.query_params.get("name", ""))[:60])
    code = segno.make(f"otpauth://totp/Ascolto:{name}?secret={text}&issuer=Ascolto", error="m")
    return answer({"secret": text, "picture": code.svg_data_uri(scale=4, border=2, light="#fff")})


@post("/cases/setup", status_code=200)
async def setup(
    request: Request[Any, Any, Any], engines: NamedDependency[Engines], settings: NamedDependency[Settings]
) -> Response[bytes]:
    """Take a handler's public keys and sealed bundle; her one-time word is used up."""
    if not is_ours(request):
        return answer({"problem": "foreign"}, 403)
    problem = await _set_up(await body_of(request, Setup), engines, settings)
    return answer({"problem": problem}, 403) if problem else answer({"made": True})


async def _set_up(given: Setup, engines: Engines, settings: Settings) -> str:
    people, now = engines["people"], datetime.now(UTC)
    if await accounts.has_second(given.name) or await handlers.load(given.name):
        return "wrong"
    try:
        token, account = await accounts.sign_in(people, given.name[:60], given.word, now, handlers=True)
    except SignInRefused as refused:
        return "locked" if refused.locked else "wrong"
    await accounts.sign_out(token)
    try:
        secret, salt = b32decode(given.secret), bytes.fromhex(given.salt)
    except ValueError:
        return "keys"
    if len(secret) != 20 or len(given.login) != 64:
        return "keys"
    contact = "".join(letter for letter in given.contact if letter.isprintable())[:200]
    record = HandlerRecord(account.name, salt, given.bundle, given.recipient, given.signer, contact, None, None, None)
    if not await accounts.set_second(people, account.name, secret, given.second, now):
        return "second"
    try:
        await handlers.keep(engines["cases"], record)
    except HandlerRefused:
        await accounts.forget_second(account.name)
        return "keys"
    await accounts.reset(people, account.name, given.login)
    await log.record(engines["cases"], keeper_at(settings.data), today(), account.name, "made_keys")
    return ""


ROUTERS = [Router(path="/", exception_handlers=dict(PROBLEMS), route_handlers=[sign_in_page, setup_page, salt, sign_in, second_factor, setup])]
