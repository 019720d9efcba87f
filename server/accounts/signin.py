"""Signing in and out. The token of a session is new at each sign-in, whatever cookie came along."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import ClassVar

from litestar import Response, Router, get, post
from litestar.di import NamedDependency
from litestar.response import Redirect

from server.frame.asked import AppRequest
from server.frame.pages import Shell, show
from server.frame.security import (
    DeskAccount,
    checked_form,
    device_cookies,
    devices_of,
    ended_cookies,
    form_of,
    is_ours,
    session_cookies,
)
from server.frame.signed_in import HOME, Desk, frame
from server.frame.texts import say
from server.settings import Settings
from surveys.lifecycle.context import today
from surveys.people import accounts, acts, log
from surveys.people.accounts import DoorBusy, SignInRefused
from surveys.stores import Engines


@dataclass(frozen=True, slots=True)
class SignInPage:
    """Name, password, and the code of an account that has a second factor."""

    template: ClassVar[str] = "signin.html"
    shell: Shell
    desk: Desk
    title: str
    next: str


async def ask(request: AppRequest, *, status: int = 401, error: str = "", then: str = "") -> Response[str]:
    """Show the form; afterwards the account goes to where it wanted."""
    shell, desk = await frame(request, error=error)
    wanted = then or request.query_params.get("next", "")
    return show(SignInPage(shell, desk, say(shell.language, "desk.signin.title"), _ours(wanted)), status=status)


def _ours(address: str) -> str:
    """An address of this site's desks, or nothing: never a way out of it."""
    return address if address.startswith("/") and not address.startswith(("//", "/\\")) else ""


@get("/account/in")
async def form(request: AppRequest) -> Response[str]:
    """Show the sign-in form."""
    return await ask(request, status=200)


@post("/account/in")
async def sign_in(
    request: AppRequest, engines: NamedDependency[Engines], settings: NamedDependency[Settings]
) -> Response[str] | Redirect:
    """Check name, password and code; a form of another site is not read."""
    data = await form_of(request)
    then = _ours(str(data.get("next", "")))
    language = (await frame(request))[0].language
    if not is_ours(request):
        return await ask(request, status=403, error=say(language, "desk.signin.foreign"), then=then)
    name, password, second = (str(data.get(field, ""))[:200] for field in ("name", "password", "second"))
    people, known = engines["people"], devices_of(request)
    try:
        entered = await accounts.sign_in(people, name, password, datetime.now(UTC), second=second, devices=known)
    except SignInRefused as problem:
        await acts.refused(people, today(), problem)
        return await ask(request, status=403, error=say(language, "desk.signin.wrong"), then=then)
    except DoorBusy:
        return await ask(request, status=503, error=say(language, "desk.signin.busy"), then=then)
    await log.record(people, today(), entered.account.name, "signed in")
    home = then or HOME.get(entered.account.role, "/account") if entered.account.enrolled else "/account/second"
    cookies = [*session_cookies(entered.token, https=settings.https), *device_cookies(request, entered.device)]
    return Redirect(home, status_code=303, cookies=cookies)


@post("/account/out", guards=[DeskAccount(enrolling=True)])
async def sign_out(request: AppRequest, settings: NamedDependency[Settings]) -> Redirect:
    """End this session."""
    await checked_form(request)
    await accounts.sign_out(request.state.token)
    return Redirect("/account/in", status_code=303, cookies=ended_cookies(https=settings.https))


ROUTERS = [Router(path="/", route_handlers=[form, sign_in, sign_out])]
