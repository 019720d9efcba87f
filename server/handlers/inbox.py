"""The handlers' desk: one page, and what its script asks for. Only ciphertext passes; a case without her key is not there."""

from dataclasses import dataclass
from datetime import date
from typing import Any, ClassVar

from litestar import Response, Router, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from server.concern.channel import OpenChannel, list_content
from server.concern.wire import PROBLEMS, answer, dates_of, file_content
from server.frame.asked import AppRequest
from server.frame.pages import Shell, show
from server.frame.scripts import Script
from server.frame.security import DeskAccount, account_of
from server.frame.signed_in import Desk, frame
from server.frame.texts import say
from server.handlers import acting, own
from server.handlers.content import desk_texts, scripts
from server.handlers.seat import seat_of
from server.settings import Settings
from surveys.cases import clocks, handlers, incoming, log, pieces
from surveys.cases import desk as cases
from surveys.cases.desk import InboxLine, NotAllowed
from surveys.people import accounts
from surveys.public import channel, readers
from surveys.stores import Engines


@dataclass(frozen=True, slots=True)
class HandlerDeskPage:
    """The desk: its script opens keys, inbox and cases."""

    template: ClassVar[str] = "handler_desk.html"
    shell: Shell
    desk: Desk
    title: str
    texts: str
    scripts: tuple[Script, ...]


@get("/cases")
async def page(request: AppRequest) -> Response[str]:
    """Show the desk; it stays closed until the passphrase opens it here."""
    shell, frame_of = await frame(request)
    title = say(shell.language, "cases.desk.title")
    return show(
        HandlerDeskPage(
            shell,
            frame_of,
            title,
            desk_texts(shell.language),
            scripts("desk-memory.js", "desk.js", "desk-acts.js", "desk-case.js"),
        )
    )


@get("/cases/desk.json")
async def desk_file(
    request: AppRequest, engines: NamedDependency[Engines], settings: NamedDependency[Settings]
) -> Response[bytes]:
    """Her sealed bundle, the keyrings, her absence and her inbox, the nearest deadline first."""
    name = account_of(request).name
    seat, me, lists = await seat_of(settings, engines), await handlers.load(name), await readers.load(settings.data)
    found, odd = await cases.look(seat, name)
    lines = sorted(found, key=lambda line: _sooner(line, seat.day))
    record = await channel.load()
    content = {
        "name": name,
        "day": seat.day.isoformat(),
        "form": accounts.form_token(request.state.token),
        "salt": me.salt.hex() if me else "",
        "bundle": me.bundle if me else "",
        "statement": me.statement if me else "",
        "lists": list_content(lists),
        "trained": str(me.trained or "") if me else "",
        "trained_now": bool(me and me.training_is_valid(seat.day)),
        "away_from": str(me.away_from or "") if me else "",
        "away_until": str(me.away_until or "") if me else "",
        "outside": bool(seat.current.get(name)),
        "on_list": name in seat.current,
        "years": record.retention_years,
        "longer": record.kept_longer,
        "paused": lists.chain is None,
        "inbox": [_line(line, seat.day) for line in lines],
        "unreadable": [f"{case:016x}" for case in odd],
    }
    return answer(content)


def _sooner(line: InboxLine, day: date) -> str:
    duties = clocks.duties(line.days, day)
    return min((duty.by.isoformat() for duty in duties), default="9999")


def _line(line: InboxLine, day: date) -> dict[str, Any]:
    return {
        "case": f"{line.case:016x}",
        "state": line.days.state,
        "rekey": line.rekey,
        "held": line.held,
        "ended": line.ended,
        "received": str(line.days.received or ""),
        "pressing": clocks.pressing(line.days, day),
        "duties": [
            {"what": d.what, "by": d.by.isoformat(), "late": d.is_late(day)} for d in clocks.duties(line.days, day)
        ],
    }


@get("/cases/case/{case:str}")
async def case_content(
    request: AppRequest,
    case: FromPath[str],
    engines: NamedDependency[Engines],
    settings: NamedDependency[Settings],
) -> Response[bytes]:
    """One case, sealed."""
    name = account_of(request).name
    seat = await seat_of(settings, engines)
    file = await cases.case_file(seat, incoming.case_number(case), name)
    await log.record(engines["cases"], seat.keeper, seat.day, name, "opened_a_case")
    line = InboxLine(file.case, file.days, file.rekey, file.held, file.ended)
    record = await channel.load()
    shown = OpenChannel(record, await readers.load(settings.data), seat.keeper, engines, seat.day)
    extra = {
        "holds": file.holds,
        "my_hold": file.my_hold,
        "uploads": list(file.uploads),
        "dates": dates_of(shown, file),
    }
    return answer(file_content(file) | _line(line, seat.day) | extra)


@get("/cases/case/{case:str}/file/{upload:str}")
async def attachment(
    request: AppRequest,
    case: FromPath[str],
    upload: FromPath[str],
    engines: NamedDependency[Engines],
    settings: NamedDependency[Settings],
) -> Response[bytes]:
    """One sealed attachment."""
    seat = await seat_of(settings, engines)
    file = await cases.case_file(seat, incoming.case_number(case), account_of(request).name)
    return Response(await pieces.attachment(file.case, upload), media_type="application/octet-stream")


def _not_allowed(_: AppRequest, __: NotAllowed) -> Response[bytes]:
    return answer({"refused": True}, 409)


ROUTERS = [
    Router(
        path="/",
        guards=[DeskAccount("handler")],
        exception_handlers=dict(PROBLEMS) | {NotAllowed: _not_allowed},
        route_handlers=[page, desk_file, case_content, attachment, *acting.HANDLERS, *own.HANDLERS],
    )
]
