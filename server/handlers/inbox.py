"""The handlers' desk: one page, and what its script asks for. Only ciphertext passes; a case without her key is not there."""

from dataclasses import dataclass
from datetime import date
from typing import Any, ClassVar

import msgspec
from litestar import Request, Response, Router, get, post, put
from litestar.di import NamedDependency
from litestar.exceptions import PermissionDeniedException
from litestar.params import FromPath

from server.desk import Desk, frame
from server.handlers.content import desk_texts, scripts
from server.pages import Shell, show
from server.reporters.channel import OpenChannel, keyring_content
from server.reporters.page import Script
from server.reporters.sealed import PROBLEMS, answer, body_of, dates_of, file_content
from server.security import DeskAccount, account_of
from server.settings import Settings
from server.texts import say
from surveys.cases import clocks, handlers, incoming, log, pieces
from surveys.cases import desk as cases
from surveys.cases.desk import InboxLine, NotAllowed, Rekey, Writing, open_desk
from surveys.cases.keeper import keeper_at
from surveys.lifecycle.context import today
from surveys.people import accounts
from surveys.public import channel, keyring
from surveys.stores import Engines

SEALED_LIMIT = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class HandlerDeskPage:
    """The desk: its script opens keys, inbox and cases."""

    template: ClassVar[str] = "handler_desk.html"
    shell: Shell
    desk: Desk
    title: str
    texts: str
    scripts: tuple[Script, ...]


class Absence(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """From when to when a handler is away; both empty: she is back."""

    begins: str
    ends: str


class Hold(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whether this handler wants a case held."""

    wanted: bool


class Redaction(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A message sealed again without what is not needed."""

    number: int
    sealed: str


class Passphrase(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A new passphrase: the half that signs in, its salt, and the keys sealed anew."""

    login: str
    salt: str
    bundle: str


async def _desk(settings: Settings, engines: Engines) -> cases.Desk:
    versions = await keyring.versions()
    if not versions:
        raise PermissionDeniedException
    return await open_desk(engines["cases"], keeper_at(settings.data), versions, today())


def _ours(request: Request[Any, Any, Any]) -> str:
    """The handler of a script's request, which carries the session's form token in a header.

    Raises
    ------
    PermissionDeniedException
        If it does not: another site cannot set it.
    """
    if not accounts.form_token_is(request.state.token, request.headers.get("x-form", "")):
        raise PermissionDeniedException
    return account_of(request).name


@get("/cases")
async def page(request: Request[Any, Any, Any]) -> Response[str]:
    """Show the desk; it stays closed until the passphrase opens it here."""
    shell, frame_of = await frame(request)
    title = say(shell.language, "cases.desk.title")
    return show(HandlerDeskPage(shell, frame_of, title, desk_texts(shell.language), scripts("desk.js", "desk-case.js")))


@get("/cases/desk.json")
async def desk_file(
    request: Request[Any, Any, Any], engines: NamedDependency[Engines], settings: NamedDependency[Settings]
) -> Response[bytes]:
    """Her sealed bundle, the keyrings, her absence and her inbox, the nearest deadline first."""
    name = account_of(request).name
    seat, me = await _desk(settings, engines), await handlers.load(name)
    lines = sorted(await cases.inbox(seat, name), key=lambda line: _sooner(line, seat.day))
    content = {
        "name": name, "day": seat.day.isoformat(), "form": accounts.form_token(request.state.token),
        "salt": me.salt.hex() if me else "", "bundle": me.bundle if me else "", "keyrings": keyring_content(seat.keyrings),
        "trained": str(me.trained or "") if me else "", "trained_now": bool(me and me.training_is_valid(seat.day)),
        "away_from": str(me.away_from or "") if me else "", "away_until": str(me.away_until or "") if me else "",
        "outside": bool((reader := seat.keyring.reader(name)) and reader.outside),
        "inbox": [_line(line, seat.day) for line in lines],
    }  # fmt: skip
    return answer(content)


def _sooner(line: InboxLine, day: date) -> str:
    duties = clocks.duties(line.days, day)
    return min((duty.by.isoformat() for duty in duties), default="9999")


def _line(line: InboxLine, day: date) -> dict[str, Any]:
    return {
        "case": f"{line.case:016x}", "state": line.days.state, "rekey": line.rekey, "held": line.held,
        "received": str(line.days.received), "pressing": clocks.pressing(line.days, day),
        "duties": [{"what": d.what, "by": d.by.isoformat(), "late": d.is_late(day)} for d in clocks.duties(line.days, day)],
    }  # fmt: skip


@get("/cases/case/{case:str}")
async def case_content(
    request: Request[Any, Any, Any], case: FromPath[str], engines: NamedDependency[Engines],
    settings: NamedDependency[Settings],
) -> Response[bytes]:
    """One case, sealed."""  # fmt: skip
    name = account_of(request).name
    seat = await _desk(settings, engines)
    file = await cases.case_file(seat, incoming.case_number(case), name)
    await log.record(engines["cases"], seat.keeper, seat.day, name, "opened_a_case")
    line = InboxLine(file.case, file.days, file.rekey, file.held)
    record = await channel.load()
    shown = OpenChannel(record, seat.keyrings, seat.keeper, engines, seat.day)
    extra = {"holds": file.holds, "my_hold": file.my_hold, "uploads": list(file.uploads), "dates": dates_of(shown, file)}
    return answer(file_content(file) | _line(line, seat.day) | extra)


@get("/cases/case/{case:str}/file/{upload:str}")
async def attachment(
    request: Request[Any, Any, Any], case: FromPath[str], upload: FromPath[str], engines: NamedDependency[Engines],
    settings: NamedDependency[Settings],
) -> Response[bytes]:
    """One sealed attachment."""  # fmt: skip
    seat = await _desk(settings, engines)
    file = await cases.case_file(seat, incoming.case_number(case), account_of(request).name)
    return Response(await pieces.attachment(file.case, upload), media_type="application/octet-stream")


@post("/cases/case/{case:str}/write", request_max_body_size=SEALED_LIMIT, status_code=200)
async def write(
    request: Request[Any, Any, Any], case: FromPath[str], engines: NamedDependency[Engines],
    settings: NamedDependency[Settings],
) -> Response[bytes]:
    """Add her message, and take the step it names."""  # fmt: skip
    name, writing = _ours(request), await body_of(request, Writing)
    seat = await _desk(settings, engines)
    await cases.write(seat, incoming.case_number(case), name, writing)
    await log.record(engines["cases"], seat.keeper, seat.day, name, f"moved_{writing.move}" if writing.move else f"wrote_{writing.stream}")
    return answer({"kept": True})


@post("/cases/case/{case:str}/rekey", request_max_body_size=SEALED_LIMIT, status_code=200)
async def rekey(
    request: Request[Any, Any, Any], case: FromPath[str], engines: NamedDependency[Engines],
    settings: NamedDependency[Settings],
) -> Response[bytes]:
    """Put the case under new keys, without whoever left."""  # fmt: skip
    name, change = _ours(request), await body_of(request, Rekey)
    seat = await _desk(settings, engines)
    await cases.rekey(seat, incoming.case_number(case), name, change)
    await log.record(engines["cases"], seat.keeper, seat.day, name, "changed_keys")
    return answer({"kept": True})


@post("/cases/case/{case:str}/out", status_code=200)
async def step_out(
    request: Request[Any, Any, Any], case: FromPath[str], engines: NamedDependency[Engines],
    settings: NamedDependency[Settings],
) -> Response[bytes]:
    """A handler in conflict leaves a case."""  # fmt: skip
    name, seat = _ours(request), await _desk(settings, engines)
    await cases.step_out(seat, incoming.case_number(case), name)
    await log.record(engines["cases"], seat.keeper, seat.day, name, "stepped_out")
    return answer({"kept": True})


@post("/cases/case/{case:str}/hold", status_code=200)
async def hold(
    request: Request[Any, Any, Any], case: FromPath[str], engines: NamedDependency[Engines],
    settings: NamedDependency[Settings],
) -> Response[bytes]:
    """Ask for a legal hold, or take it back."""  # fmt: skip
    name, wanted = _ours(request), await body_of(request, Hold)
    seat = await _desk(settings, engines)
    await cases.set_hold(seat, incoming.case_number(case), name, wanted.wanted)
    await log.record(engines["cases"], seat.keeper, seat.day, name, "asked_hold" if wanted.wanted else "lifted_hold")
    return answer({"kept": True})


@post("/cases/case/{case:str}/redact", request_max_body_size=SEALED_LIMIT, status_code=200)
async def redact(
    request: Request[Any, Any, Any], case: FromPath[str], engines: NamedDependency[Engines],
    settings: NamedDependency[Settings],
) -> Response[bytes]:
    """Put a message without what is not needed in the place of the first."""  # fmt: skip
    name, change = _ours(request), await body_of(request, Redaction)
    seat = await _desk(settings, engines)
    await cases.replace_message(seat, incoming.case_number(case), name, change.number, change.sealed)
    await log.record(engines["cases"], seat.keeper, seat.day, name, "redacted")
    return answer({"kept": True})


@put("/cases/piece/{upload:str}/{number:int}", request_max_body_size=pieces.PIECE_BYTES, status_code=200)
async def piece(
    request: Request[Any, Any, Any], upload: FromPath[str], number: FromPath[int], engines: NamedDependency[Engines]
) -> Response[bytes]:
    """Keep a piece of a handler's sealed attachment."""
    _ours(request)
    return answer({"kept": await pieces.keep_piece(engines["cases"], upload, number, await request.body(), today())})


@post("/cases/absence", status_code=200)
async def absence(
    request: Request[Any, Any, Any], engines: NamedDependency[Engines], settings: NamedDependency[Settings]
) -> Response[bytes]:
    """Say when she is away; after seven days the substitute steps in."""
    name, given = _ours(request), await body_of(request, Absence)
    try:
        begins = date.fromisoformat(given.begins) if given.begins else None
        ends = date.fromisoformat(given.ends) if given.ends else None
        await handlers.set_absence(name, begins, ends)
    except (ValueError, handlers.HandlerRefused):
        return answer({"problem": "dates"}, 400)
    await log.record(engines["cases"], keeper_at(settings.data), today(), name, "set_absence")
    return answer({"kept": True})


@post("/cases/passphrase", status_code=200)
async def passphrase(
    request: Request[Any, Any, Any], engines: NamedDependency[Engines], settings: NamedDependency[Settings]
) -> Response[bytes]:
    """Take a new passphrase; every session of hers ends, this one too."""
    name, given = _ours(request), await body_of(request, Passphrase)
    salt = incoming.hexed(given.salt, 16, "salt")
    incoming.hexed(given.login, 32, "login")
    try:
        await handlers.set_bundle(name, salt, given.bundle)
    except handlers.HandlerRefused:
        return answer({"problem": "bundle"}, 400)
    await accounts.reset(engines["people"], name, given.login)
    await log.record(engines["cases"], keeper_at(settings.data), today(), name, "changed_passphrase")
    return answer({"kept": True})


def _not_allowed(_: Request[Any, Any, Any], __: NotAllowed) -> Response[bytes]:
    return answer({"refused": True}, 409)


ROUTERS = [
    Router(
        path="/", guards=[DeskAccount("handler")], exception_handlers=dict(PROBLEMS) | {NotAllowed: _not_allowed},
        route_handlers=[page, desk_file, case_content, attachment, write, rekey, step_out, hold, redact, piece, absence, passphrase],
    )
]  # fmt: skip
