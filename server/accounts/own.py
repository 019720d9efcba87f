"""One's own account: the second factor, the password, and the browsers that are signed in."""

from base64 import b32encode
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import ClassVar

from litestar import Response, Router, get, post
from litestar.di import NamedDependency
from litestar.response import Redirect

from server.frame.asked import AppRequest
from server.frame.display import day
from server.frame.pages import Shell, show
from server.frame.second_factor import drawn, picture_of, secret_of
from server.frame.security import DeskAccount, account_of, checked_form, ended_cookies, session_cookies
from server.frame.signed_in import HOME, Desk, done, frame
from server.frame.texts import say
from server.settings import Settings
from surveys.lifecycle.context import today
from surveys.people import accounts, log, sessions
from surveys.people.accounts import AccountRefused, DoorBusy
from surveys.stores import Engines


@dataclass(frozen=True, slots=True)
class SecondPage:
    """The secret of one's codes, as a picture and as text; kept only when a code of it is shown."""

    template: ClassVar[str] = "second.html"
    shell: Shell
    desk: Desk
    title: str
    secret: str
    picture: str


@dataclass(frozen=True, slots=True)
class SessionLine:
    reference: str
    words: str
    here: bool


@dataclass(frozen=True, slots=True)
class AccountPage:
    """One's sign-ins by day, and the change of the password."""

    template: ClassVar[str] = "account.html"
    shell: Shell
    desk: Desk
    title: str
    lines: tuple[SessionLine, ...]
    has_password: bool


@get("/second")
async def second(request: AppRequest) -> Response[str] | Redirect:
    """Lead somebody without a second factor to one."""
    account = account_of(request)
    if account.enrolled:
        return Redirect(HOME.get(account.role, "/account"), status_code=303)
    return await _second_page(request, *drawn(account.name))


async def _second_page(request: AppRequest, secret: str, picture: str, error: str = "") -> Response[str]:
    shell, desk = await frame(request, error=error)
    page = SecondPage(shell, desk, say(shell.language, "desk.second.title"), secret, picture)
    return show(page, status=422 if error else 200)


@post("/second")
async def enrol(
    request: AppRequest, engines: NamedDependency[Engines], settings: NamedDependency[Settings]
) -> Response[str] | Redirect:
    """Keep the second factor if a code of it is shown; every session that began without it ends, and this browser gets another."""
    data, account = await checked_form(request), account_of(request)
    if account.enrolled:
        return Redirect(HOME.get(account.role, "/account"), status_code=303)
    language = (await frame(request))[0].language
    secret, people = secret_of(data.get("secret", "")), engines["people"]
    if secret is None:
        return await _second_page(request, *drawn(account.name), error=say(language, "desk.second.broken"))
    token = await accounts.enrol(people, account.name, secret, data.get("second", "")[:12], datetime.now(UTC))
    if token is None:
        text = b32encode(secret).decode()
        return await _second_page(request, text, picture_of(account.name, text), say(language, "desk.second.wrong"))
    await log.record(people, today(), account.name, "second factor set")
    to = done(HOME.get(account.role, "/account"), "second_set")
    to.cookies = session_cookies(token, https=settings.https)
    return to


@get("/")
async def own(request: AppRequest) -> Response[str]:
    """Show one's sign-ins."""
    return await _own_page(request)


async def _own_page(request: AppRequest, error: str = "", status: int = 422) -> Response[str]:
    shell, desk = await frame(request, error=error)
    language, account = shell.language, account_of(request)
    lines = tuple(
        SessionLine(
            one.reference,
            say(
                language,
                "desk.account.here" if one.here else "desk.account.session",
                day=day(one.day, language) if one.day else say(language, "desk.account.before"),
            ),
            one.here,
        )
        for one in await sessions.of_account(account.name, request.state.token, datetime.now(UTC))
    )
    title = say(language, "desk.account.title")
    return show(AccountPage(shell, desk, title, lines, account.role != "handler"), status=status if error else 200)


@post("/end")
async def end(request: AppRequest, settings: NamedDependency[Settings]) -> Redirect:
    """End one session of one's own, or all."""
    data, account = await checked_form(request), account_of(request)
    if "reference" in data:
        await sessions.end_one(account.name, data["reference"])
        return done("/account", "session_ended")
    await sessions.end_all(account.name)
    door = "/cases/in" if account.role == "handler" else "/account/in"
    return Redirect(door, status_code=303, cookies=ended_cookies(https=settings.https))


@post("/password", guards=[DeskAccount("hr", "representative", "recovery", "guarantee", "auditor", "administrator")])
async def password(
    request: AppRequest, engines: NamedDependency[Engines], settings: NamedDependency[Settings]
) -> Response[str] | Redirect:
    """Change the password, for whoever shows the old one and a code; every session ends, this one too."""
    data, account, people = await checked_form(request), account_of(request), engines["people"]
    language = (await frame(request))[0].language
    old, new, again, code = (data.get(field, "")[:200] for field in ("old", "new", "again", "second"))
    if new != again or len(new) < accounts.PASSWORD_MINIMUM:
        problem = "differ" if new != again else "short"
        return await _own_page(request, say(language, f"desk.account.{problem}", n=accounts.PASSWORD_MINIMUM))
    try:
        if not await accounts.confirm(people, request.state.token, account, old, code, datetime.now(UTC)):
            return await _own_page(request, say(language, "desk.account.wrong"), 403)
        await accounts.reset(people, account.name, new)
    except DoorBusy:
        return await _own_page(request, say(language, "desk.signin.busy"), 503)
    except AccountRefused:
        return await _own_page(request, say(language, "desk.account.wrong"), 403)
    await log.record(people, today(), account.name, "password changed")
    return Redirect("/account/in?done=password_changed", status_code=303, cookies=ended_cookies(https=settings.https))


ROUTERS = [
    Router(path="/account", guards=[DeskAccount(enrolling=True)], route_handlers=[second, enrol]),
    Router(path="/account", guards=[DeskAccount()], route_handlers=[own, end, password]),
]
