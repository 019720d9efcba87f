"""Signing in and out. The token of a session is new at each sign-in, whatever cookie came along."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar

from litestar import Request, Response, Router, get, post
from litestar.di import NamedDependency
from litestar.response import Redirect

from server.desk import HOME, Desk, frame
from server.pages import Shell, show
from server.security import COOKIE, DeskAccount, checked_form, ended_cookies, is_ours, session_cookies
from server.settings import Settings
from server.texts import say
from surveys.people import accounts
from surveys.people.accounts import SignInRefused
from surveys.stores import Engines


@dataclass(frozen=True, slots=True)
class SignInPage:
    """Name and password."""

    template: ClassVar[str] = "signin.html"
    shell: Shell
    desk: Desk
    title: str
    next: str


async def ask(request: Request[Any, Any, Any], *, status: int = 401, error: str = "", then: str = "") -> Response[str]:
    """Show the form; afterwards the account goes to where it wanted."""
    shell, desk = await frame(request, error=error)
    wanted = then or request.query_params.get("next", "")
    return show(SignInPage(shell, desk, say(shell.language, "desk.signin.title"), _ours(wanted)), status=status)


def _ours(address: str) -> str:
    """An address of this site's desks, or nothing: never a way out of it."""
    return address if address.startswith("/") and not address.startswith(("//", "/\\")) else ""


@get("/account/in")
async def form(request: Request[Any, Any, Any]) -> Response[str]:
    """Show the sign-in form."""
    return await ask(request, status=200)


@post("/account/in")
async def sign_in(
    request: Request[Any, Any, Any], engines: NamedDependency[Engines], settings: NamedDependency[Settings]
) -> Response[str] | Redirect:
    """Check name and password; a form of another site is not read."""
    data = await request.form()
    then = _ours(str(data.get("next", "")))
    language = (await frame(request))[0].language
    if not is_ours(request):
        return await ask(request, status=403, error=say(language, "desk.signin.foreign"), then=then)
    name, password = str(data.get("name", ""))[:60], str(data.get("password", ""))[:200]
    try:
        token, account = await accounts.sign_in(engines["people"], name, password, datetime.now(UTC))
    except SignInRefused as problem:
        key = "locked" if problem.locked else "wrong"
        return await ask(request, status=403, error=say(language, f"desk.signin.{key}"), then=then)
    home = HOME.get(account.role, "/account")
    return Redirect(then or home, status_code=303, cookies=session_cookies(token, https=settings.https))


@post("/account/out", guards=[DeskAccount()])
async def sign_out(request: Request[Any, Any, Any]) -> Redirect:
    """End this session."""
    await checked_form(request)
    await accounts.sign_out(request.cookies.get(COOKIE, ""))
    return Redirect("/account/in", status_code=303, cookies=ended_cookies())


ROUTERS = [Router(path="/", route_handlers=[form, sign_in, sign_out])]
