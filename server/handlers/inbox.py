"""The handlers' desk: one page, and what its script asks for. Only ciphertext passes; a case without her key is not there."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, ClassVar

import msgspec
from litestar import Response, Router, get, post, put
from litestar.di import NamedDependency
from litestar.exceptions import PermissionDeniedException
from litestar.params import FromPath

from server.concern.channel import OpenChannel, list_content
from server.concern.wire import PROBLEMS, answer, body_of, dates_of, file_content
from server.frame.asked import AppRequest
from server.frame.pages import Shell, show
from server.frame.scripts import Script
from server.frame.security import DeskAccount, account_of
from server.frame.signed_in import Desk, frame
from server.frame.texts import say
from server.handlers.content import desk_texts, scripts
from server.settings import Settings
from surveys.cases import clocks, handlers, incoming, log, pieces, standing
from surveys.cases import desk as cases
from surveys.cases.desk import InboxLine, NotAllowed, open_desk
from surveys.cases.keeper import keeper_at
from surveys.cases.sealing import CannotOpen, check
from surveys.cases.writing import Writing, append_letter, confirm
from surveys.lifecycle.clock import day_of
from surveys.lifecycle.context import today
from surveys.people import accounts
from surveys.people.accounts import DoorBusy
from surveys.public import channel, house, readers, statements
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
    """A letter sealed again without its content."""

    number: int
    sealed: str


class Seen(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A letter without its content that a second reader has looked at: its number, and SHA-256 (hex) of what she was given."""

    number: int
    digest: str


class Reads(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An epoch that a second reader's device has opened, and who reads by the letters: names of wraps."""

    number: int
    readers: list[str]


class Stated(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A handler's signed statement of her own keys."""

    statement: str


class Passphrase(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A new passphrase: the half that signs in, its salt, and the keys sealed anew.

    With it a one-time code, and either the half of the old passphrase that signs in (`old`), or for whoever opened her keys
    with the printed kit a signature made with them (`proof`).
    """

    login: str
    salt: str
    bundle: str
    second: str
    old: str = ""
    proof: str = ""


async def _desk(settings: Settings, engines: Engines) -> cases.Desk:
    day = day_of(settings.data, today())
    return await open_desk(engines["cases"], keeper_at(settings.data), await readers.load(settings.data), day)


def _ours(request: AppRequest) -> str:
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
    seat, me, lists = await _desk(settings, engines), await handlers.load(name), await readers.load(settings.data)
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
    seat = await _desk(settings, engines)
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
    seat = await _desk(settings, engines)
    file = await cases.case_file(seat, incoming.case_number(case), account_of(request).name)
    return Response(await pieces.attachment(file.case, upload), media_type="application/octet-stream")


@post("/cases/case/{case:str}/write", request_max_body_size=SEALED_LIMIT, status_code=200)
async def write(
    request: AppRequest,
    case: FromPath[str],
    engines: NamedDependency[Engines],
    settings: NamedDependency[Settings],
) -> Response[bytes]:
    """Add her message, and take the step it names."""
    name, writing = _ours(request), await body_of(request, Writing)
    seat = await _desk(settings, engines)
    async with log.telling(engines["cases"], seat.keeper, seat.day, name, _act(writing)):
        await append_letter(seat, incoming.case_number(case), name, writing)
    return answer({"kept": True})


def _act(writing: Writing) -> str:
    """The line of the log for what was written."""
    if writing.epochs and writing.stream == "thread":
        return "changed_keys"
    return f"moved_{writing.move}" if writing.move else f"wrote_{writing.stream}"


@post("/cases/case/{case:str}/seen", status_code=200)
async def seen(
    request: AppRequest,
    case: FromPath[str],
    engines: NamedDependency[Engines],
    settings: NamedDependency[Settings],
) -> Response[bytes]:
    """A second reader's device has opened a new epoch."""
    name, given = _ours(request), await body_of(request, Reads)
    await confirm(await _desk(settings, engines), incoming.case_number(case), name, given.number, given.readers[:20])
    return answer({"kept": True})


@post("/cases/case/{case:str}/stands", status_code=200)
async def stands(
    request: AppRequest,
    case: FromPath[str],
    engines: NamedDependency[Engines],
    settings: NamedDependency[Settings],
) -> Response[bytes]:
    """A reader's device says how a case stands by its letters."""
    name, said = _ours(request), await body_of(request, standing.Stand)
    seat = await _desk(settings, engines)
    async with engines["cases"].transaction():
        if await standing.say_stand(seat, incoming.case_number(case), name, said):
            await log.record(engines["cases"], seat.keeper, seat.day, name, "said_stand")
    return answer({"kept": True})


@post("/cases/statement", status_code=200)
async def statement(
    request: AppRequest, engines: NamedDependency[Engines], settings: NamedDependency[Settings]
) -> Response[bytes]:
    """Take a handler's signed statement: her own keys, for the signers to read."""
    name, given = _ours(request), await body_of(request, Stated)
    anchor = house.load(settings.data)
    try:
        if anchor is None:
            raise statements.RingRefused("no house")
        stated = statements.read_statement(given.statement, anchor.hash)
        async with log.telling(engines["cases"], keeper_at(settings.data), today(), name, "stated_keys"):
            await handlers.set_statement(name, stated, given.statement)
    except (statements.RingRefused, handlers.HandlerRefused):
        return answer({"problem": "statement"}, 400)
    return answer({"kept": True})


@post("/cases/case/{case:str}/out", status_code=200)
async def step_out(
    request: AppRequest,
    case: FromPath[str],
    engines: NamedDependency[Engines],
    settings: NamedDependency[Settings],
) -> Response[bytes]:
    """A handler in conflict leaves a case."""
    name, seat = _ours(request), await _desk(settings, engines)
    async with log.telling(engines["cases"], seat.keeper, seat.day, name, "stepped_out"):
        await standing.step_out(seat, incoming.case_number(case), name)
    return answer({"kept": True})


@post("/cases/case/{case:str}/hold", status_code=200)
async def hold(
    request: AppRequest,
    case: FromPath[str],
    engines: NamedDependency[Engines],
    settings: NamedDependency[Settings],
) -> Response[bytes]:
    """Ask for a legal hold, or take it back."""
    name, wanted = _ours(request), await body_of(request, Hold)
    seat = await _desk(settings, engines)
    act = "asked_hold" if wanted.wanted else "lifted_hold"
    async with log.telling(engines["cases"], seat.keeper, seat.day, name, act):
        await standing.set_hold(seat, incoming.case_number(case), name, wanted.wanted)
    return answer({"kept": True})


@post("/cases/case/{case:str}/redact", request_max_body_size=SEALED_LIMIT, status_code=200)
async def redact(
    request: AppRequest,
    case: FromPath[str],
    engines: NamedDependency[Engines],
    settings: NamedDependency[Settings],
) -> Response[bytes]:
    """Lay a letter without its content beside the first, until a second reader has looked."""
    name, change = _ours(request), await body_of(request, Redaction)
    seat = await _desk(settings, engines)
    async with log.telling(engines["cases"], seat.keeper, seat.day, name, "redacted"):
        await standing.replace_message(seat, incoming.case_number(case), name, change.number, change.sealed)
    return answer({"kept": True})


@post("/cases/case/{case:str}/redacted", status_code=200)
async def redacted(
    request: AppRequest,
    case: FromPath[str],
    engines: NamedDependency[Engines],
    settings: NamedDependency[Settings],
) -> Response[bytes]:
    """A second reader has found nothing else changed: the content goes."""
    name, given = _ours(request), await body_of(request, Seen)
    seat = await _desk(settings, engines)
    async with log.telling(engines["cases"], seat.keeper, seat.day, name, "redacted"):
        await standing.confirm_replacement(seat, incoming.case_number(case), name, given.number, given.digest)
    return answer({"kept": True})


@put("/cases/piece/{upload:str}/{number:int}", request_max_body_size=pieces.PIECE_BYTES, status_code=200)
async def piece(
    request: AppRequest, upload: FromPath[str], number: FromPath[int], engines: NamedDependency[Engines]
) -> Response[bytes]:
    """Keep a piece of a handler's sealed attachment."""
    _ours(request)
    return answer({"kept": await pieces.keep_piece(engines["cases"], upload, number, await request.body(), today())})


@post("/cases/absence", status_code=200)
async def absence(
    request: AppRequest, engines: NamedDependency[Engines], settings: NamedDependency[Settings]
) -> Response[bytes]:
    """Say when she is away; after seven days the substitute steps in."""
    name, given = _ours(request), await body_of(request, Absence)
    try:
        begins = date.fromisoformat(given.begins) if given.begins else None
        if begins and begins < today() and ((me := await handlers.load(name)) is None or begins != me.away_from):
            begins = today()  # nobody lets the substitute in by days that she was there
        ends = date.fromisoformat(given.ends) if given.ends else None
        async with log.telling(engines["cases"], keeper_at(settings.data), today(), name, "set_absence"):
            await handlers.set_absence(name, begins, ends)
    except (ValueError, handlers.HandlerRefused):
        return answer({"problem": "dates"}, 400)
    return answer({"kept": True})


@post("/cases/passphrase", status_code=200)
async def passphrase(
    request: AppRequest, engines: NamedDependency[Engines], settings: NamedDependency[Settings]
) -> Response[bytes]:
    """Take a new passphrase from whoever shows the old one or the printed kit, and a code; every session of hers ends."""
    name, given = _ours(request), await body_of(request, Passphrase)
    salt = incoming.hexed(given.salt, 16, "salt")
    incoming.hexed(given.login, 32, "login")
    me, old = await handlers.load(name), incoming.hexed(given.old, 32, "old").hex() if given.old else None
    if me is None or (old is None and not _is_of_kit(request, given, me.signer)):
        return answer({"problem": "wrong"}, 403)
    people, account, now = engines["people"], account_of(request), datetime.now(UTC)
    try:
        if not await accounts.confirm(people, request.state.token, account, old, given.second[:12], now):
            return answer({"problem": "wrong"}, 403)
        await handlers.set_bundle(name, salt, given.bundle)
        await accounts.reset(people, name, given.login)
    except DoorBusy:
        return answer({"problem": "busy"}, 503)
    except handlers.HandlerRefused:
        return answer({"problem": "bundle"}, 400)
    await log.record(engines["cases"], keeper_at(settings.data), today(), name, "changed_passphrase")
    return answer({"kept": True})


def _is_of_kit(request: AppRequest, given: Passphrase, signer: str) -> bool:
    """Whether a handler's own key signed exactly this change in this session: whoever opened it with the kit can."""
    try:
        signed = check(given.proof, "passphrase")
    except CannotOpen:
        return False
    form = accounts.form_token(request.state.token)
    wanted = {"form": form, "login": given.login, "salt": given.salt, "bundle": given.bundle}
    return signed.key == signer and dict(signed.body) == wanted


def _not_allowed(_: AppRequest, __: NotAllowed) -> Response[bytes]:
    return answer({"refused": True}, 409)


ROUTERS = [
    Router(
        path="/",
        guards=[DeskAccount("handler")],
        exception_handlers=dict(PROBLEMS) | {NotAllowed: _not_allowed},
        route_handlers=[
            page,
            desk_file,
            case_content,
            attachment,
            write,
            seen,
            stands,
            statement,
            step_out,
            hold,
            redact,
            redacted,
            piece,
            absence,
            passphrase,
        ],
    )
]
