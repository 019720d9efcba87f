"""The log of those who work cases, for the representative: who did what on which day, never on which case."""

from dataclasses import dataclass
from typing import ClassVar

from litestar import Response, Router, get
from litestar.di import NamedDependency

from server.frame.asked import AppRequest
from server.frame.display import day
from server.frame.pages import Shell, show
from server.frame.security import DeskAccount
from server.frame.signed_in import Desk, frame
from server.frame.texts import catalogue, say
from server.keyholders import log_pages
from server.keyholders.log_pages import HeadLine
from server.settings import Settings
from surveys.cases import log
from surveys.cases.keeper import keeper_at
from surveys.lifecycle import heads
from surveys.lifecycle.context import today


@dataclass(frozen=True, slots=True)
class DeskLogPage:
    """The lines, the newest first, whether their chain holds, and its heads, to keep."""

    template: ClassVar[str] = "desk_log.html"
    shell: Shell
    desk: Desk
    title: str
    verdict: str
    heads: tuple[HeadLine, ...]
    lines: tuple[tuple[str, str, str], ...]


@get("/keys/desk-log")
async def desk_log(request: AppRequest, settings: NamedDependency[Settings]) -> Response[str]:
    """Read the log."""
    shell, desk = await frame(request)
    language = shell.language
    lines = await log.read(keeper_at(settings.data))
    broken = next((line.number for line in lines if not line.intact), None)
    key, n = ("broken", broken) if broken is not None else ("intact", len(lines))
    shown = tuple((day(line.day, language), line.who, _act(line.act, language)) for line in reversed(lines))
    verdict = say(language, f"cases.log.{key}", n=n)
    kept = log_pages.shown(settings, language, heads.of_desk(lines, today()))
    return show(DeskLogPage(shell, desk, say(language, "cases.log.title"), verdict, kept, shown))


@get("/keys/desk-log/head.txt")
async def desk_head(settings: NamedDependency[Settings]) -> Response[str]:
    """Give the head of this log, signed, as a file to keep elsewhere."""
    _, head = heads.of_desk(await log.read(keeper_at(settings.data)), today())[0]
    return log_pages.as_file(settings, head)


def _act(act: str, language: str) -> str:
    key = f"cases.log.act_{act}"
    return say(language, key) if key in catalogue(language) else act


ROUTERS = [Router(path="/", guards=[DeskAccount("representative")], route_handlers=[desk_log, desk_head])]
