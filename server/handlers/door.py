"""The handlers' door: keys are made and opened in the browser; the passphrase never comes here.

Setting up: an administrator adds the account with a one-time word; the handler makes her keys, her printed kit and her
second factor, and is given a passphrase of six words. Signing in: the browser derives the half of the passphrase that signs in, plus a one-time code.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import ClassVar

import msgspec
from litestar import Response, Router, get, post
from litestar.di import NamedDependency

from server.concern.wire import PROBLEMS, answer, body_of
from server.frame.asked import AppRequest
from server.frame.pages import Shell, show
from server.frame.scripts import Script
from server.frame.second_factor import drawn, secret_of
from server.frame.security import device_cookies, devices_of, is_ours, session_cookies
from server.frame.signed_in import Desk, frame
from server.frame.texts import say
from server.handlers.content import desk_texts, scripts
from server.settings import Settings
from surveys.cases import handlers, log
from surveys.cases.handlers import HandlerRecord, HandlerRefused
from surveys.cases.keeper import keeper_at
from surveys.lifecycle.context import today
from surveys.people import accounts
from surveys.people.accounts import DoorBusy, SignInRefused
from surveys.people.attempts import BANDS
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


async def _page(request: AppRequest, *, setup: bool) -> Response[str]:
    shell, desk = await frame(request)
    title = say(shell.language, "cases.door.setup" if setup else "cases.door.title")
    return show(HandlerDoorPage(shell, desk, title, setup, desk_texts(shell.language), scripts("door.js")))


@get("/cases/in")
async def sign_in_page(request: AppRequest) -> Response[str]:
    """Show the sign-in."""
    return await _page(request, setup=False)


@get("/cases/setup")
async def setup_page(request: AppRequest) -> Response[str]:
    """Show the making of keys."""
    return await _page(request, setup=True)


@get("/cases/salt")
async def salt(request: AppRequest, settings: NamedDependency[Settings]) -> Response[bytes]:
    """The salt of a handler's passphrase; a decoy for a name that nobody has."""
    name = str(request.query_params.get("name", ""))[:60]
    return answer({"salt": (await handlers.salt_for(name, keeper_at(settings.data))).hex()})


@post("/cases/in", status_code=200)
async def sign_in(
    request: AppRequest, engines: NamedDependency[Engines], settings: NamedDependency[Settings]
) -> Response[bytes]:
    """Check both factors and open a session."""
    if not is_ours(request):
        return answer({"problem": "foreign"}, 403)
    given = await body_of(request, SignIn)
    people, known = engines["people"], devices_of(request)
    try:
        entered = await accounts.sign_in(
            people,
            given.name[:60],
            given.login[:64],
            datetime.now(UTC),
            second=given.second[:12],
            door="handlers",
            devices=known,
        )
    except SignInRefused as problem:
        await _note_refused(engines, settings, problem)
        return answer({"problem": "wrong"}, 403)
    except DoorBusy:
        return answer({"problem": "busy"}, 503)
    await log.record(engines["cases"], keeper_at(settings.data), today(), entered.account.name, "signed_in")
    done = answer({"in": True})
    done.cookies = [*session_cookies(entered.token, https=settings.https), *device_cookies(request, entered.device)]
    return done


async def _note_refused(engines: Engines, settings: Settings, problem: SignInRefused) -> None:
    """Write a refusal into the handlers' log where the day's count reaches a band; a name that nobody has is not kept."""
    if problem.account and problem.failures_today in BANDS:
        act = f"failed_{problem.failures_today}"
        await log.record(engines["cases"], keeper_at(settings.data), today(), problem.account, act)


@get("/cases/second")
async def second_factor(request: AppRequest) -> Response[bytes]:
    """Draw a second factor: its secret as text and as a QR; kept only when a code of it is shown."""
    secret, picture = drawn(str(request.query_params.get("name", ""))[:60])
    return answer({"secret": secret, "picture": picture})


@post("/cases/setup", status_code=200)
async def setup(
    request: AppRequest, engines: NamedDependency[Engines], settings: NamedDependency[Settings]
) -> Response[bytes]:
    """Take a handler's public keys and sealed bundle; her one-time word is used up."""
    if not is_ours(request):
        return answer({"problem": "foreign"}, 403)
    problem = await _set_up(await body_of(request, Setup), engines, settings)
    return answer({"problem": problem}, 403) if problem else answer({"made": True})


async def _set_up(given: Setup, engines: Engines, settings: Settings) -> str:
    people, now = engines["people"], datetime.now(UTC)
    try:
        token, account, _ = await accounts.sign_in(people, given.name[:60], given.word[:64], now, door="setup")
    except SignInRefused as problem:
        await _note_refused(engines, settings, problem)
        return "wrong"
    except DoorBusy:
        return "busy"
    await accounts.sign_out(token)
    secret = secret_of(given.secret)
    try:
        salt = bytes.fromhex(given.salt)
    except ValueError:
        return "keys"
    if secret is None or len(given.login) != 64 or await handlers.load(account.name):
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


ROUTERS = [
    Router(
        path="/",
        exception_handlers=dict(PROBLEMS),
        route_handlers=[sign_in_page, setup_page, salt, sign_in, second_factor, setup],
    )
]
