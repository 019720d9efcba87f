"""The log of acts in plain sentences, and its heads, which whoever checks keeps elsewhere."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException

from server.frame.asked import AppRequest
from server.frame.display import day
from server.frame.pages import Shell, show
from server.frame.security import DeskAccount
from server.frame.signed_in import Desk, frame
from server.frame.texts import catalogue, say
from server.settings import Settings
from surveys.answers.keys import SEATS
from surveys.lifecycle import heads
from surveys.lifecycle.context import today
from surveys.people import log
from surveys.people.log import Head


@dataclass(frozen=True, slots=True)
class HeadLine:
    """A head of the log to keep: which day's, short to read and whole to copy."""

    when: str
    short: str
    line: str


@dataclass(frozen=True, slots=True)
class LogLine:
    day: str
    who: str
    what: str


@dataclass(frozen=True, slots=True)
class LogPage:
    """The log in plain sentences, and whether its chain holds."""

    template: ClassVar[str] = "log.html"
    shell: Shell
    desk: Desk
    title: str
    verdict: str
    lines: tuple[LogLine, ...]


async def newest_heads(settings: Settings, language: str) -> tuple[HeadLine, ...]:
    """The head of the log as it is now, and as it was when the day began."""
    return shown(settings, language, [("today", await log.head()), ("yesterday", await log.head(before=today()))])


def shown(settings: Settings, language: str, found: Iterable[tuple[str, Head | None]]) -> tuple[HeadLine, ...]:
    """Heads as a page shows them."""
    return tuple(
        HeadLine(say(language, f"desk.heads.{when}", n=head.number), head.short, heads.line_of(settings.data, head))
        for when, head in found
        if head is not None
    )


def as_file(settings: Settings, head: Head | None) -> Response[str]:
    """A head, signed, as a file to keep elsewhere.

    Raises
    ------
    NotFoundException
        If the log is empty.
    """
    if head is None:
        raise NotFoundException
    headers = {"Content-Disposition": f'attachment; filename="ascolto-{head.log}-{head.day.isoformat()}.txt"'}
    return Response(heads.line_of(settings.data, head) + "\n", media_type="text/plain; charset=utf-8", headers=headers)


@get("/log/head.txt", guards=[DeskAccount(*SEATS)])
async def head_file(settings: NamedDependency[Settings]) -> Response[str]:
    """Give the head of the log, signed, as a file to keep elsewhere."""
    return as_file(settings, await log.head())


@get("/log", guards=[DeskAccount(*SEATS)])
async def log_page(request: AppRequest) -> Response[str]:
    """Read the log."""
    shell, desk = await frame(request)
    language = shell.language
    acts = await log.read()
    lines = tuple(LogLine(day(act.day, language), act.actor, _sentence(act, language)) for act in reversed(acts))
    broken = next((act.number for act in acts if not act.intact), None)
    verdict = (
        say(language, "desk.log.intact", n=len(acts))
        if broken is None
        else say(language, "desk.log.broken", number=broken)
    )
    return show(LogPage(shell, desk, say(language, "desk.log.heading"), verdict, lines))


def _sentence(act: log.Act, language: str) -> str:
    key = f"desk.act.{act.act.replace(' ', '_')}"
    plain = f"{act.act} {dict(act.details)}"
    try:
        return say(language, key, **act.details) if key in catalogue(language) else plain
    except (AttributeError, LookupError, TypeError, ValueError):  # details that no page wrote: the chain says so
        return plain


HANDLERS = [log_page, head_file]
