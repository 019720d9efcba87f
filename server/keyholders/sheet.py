"""The recovery sheet to print, and the word that a holder's secret is destroyed."""

from dataclasses import dataclass
from typing import ClassVar

import segno
from litestar import Response, Router, get, post
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from litestar.response import Redirect

from server.frame.asked import AppRequest
from server.frame.display import text_of
from server.frame.pages import Shell, show
from server.frame.security import DeskAccount, account_of, checked_form
from server.frame.signed_in import Desk, done, frame
from server.frame.texts import say
from server.keyholders.ceremony import SEALED
from surveys.answers.keys import SEATS
from surveys.lifecycle.context import Site, read_wave_key, read_wraps, wraps_text
from surveys.lifecycle.planning import PlanRefused, confirm_destroyed
from surveys.lifecycle.ready import is_second
from surveys.public.waves import WrongState
from surveys.public.waves import get as get_wave


@dataclass(frozen=True, slots=True)
class SheetPage:
    """The wave key (version 1: the wrapped key) on paper: a QR and its text, and eight empty lines for the words."""

    template: ClassVar[str] = "sheet.html"
    shell: Shell
    desk: Desk
    title: str
    wave: str
    wave_title: str
    qr: str
    text: str


@get("/{wave:str}/sheet", guards=[DeskAccount("recovery")])
async def sheet(request: AppRequest, wave: FromPath[str], site: NamedDependency[Site]) -> Response[str]:
    """Show the recovery sheet while sheets wait sealed."""
    shell, desk = await frame(request)
    record = await get_wave(wave)
    if record.state not in SEALED:
        raise NotFoundException
    text = read_wave_key(site.data, wave).hex() if is_second(site.data, wave) else wraps_text(read_wraps(site, wave))
    picture = segno.make(text, error="l").svg_inline(border=2, omitsize=True)
    title = say(shell.language, "desk.sheet.heading")
    return show(SheetPage(shell, desk, title, wave, text_of(record.title, shell.language), picture, text))


@post("/{wave:str}/destroyed", guards=[DeskAccount(*SEATS)])
async def destroyed(request: AppRequest, wave: FromPath[str], site: NamedDependency[Site]) -> Redirect:
    """Note that one's own words are destroyed."""
    await checked_form(request)
    account = account_of(request)
    try:
        await confirm_destroyed(site, wave, account.role)
    except (PlanRefused, WrongState):
        return done("/keys", "two_keys_not")
    return done("/keys", "secret_destroyed")


ROUTERS = [Router(path="/keys", guards=[DeskAccount(*SEATS)], route_handlers=[sheet, destroyed])]
