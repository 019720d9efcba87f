"""What a handler does with a case: each act and its line in the log are one commit."""

import msgspec
from litestar import Response, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath

from server.concern.wire import answer, body_of
from server.frame.asked import AppRequest
from server.handlers.seat import ours, seat_of
from server.settings import Settings
from surveys.cases import incoming, log, pieces, standing
from surveys.cases.writing import Writing, append_letter, confirm
from surveys.lifecycle.context import today
from surveys.stores import Engines

SEALED_LIMIT = 64 * 1024 * 1024


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


@post("/cases/case/{case:str}/write", request_max_body_size=SEALED_LIMIT, status_code=200)
async def write(
    request: AppRequest,
    case: FromPath[str],
    engines: NamedDependency[Engines],
    settings: NamedDependency[Settings],
) -> Response[bytes]:
    """Add her message, and take the step it names."""
    name, writing = ours(request), await body_of(request, Writing)
    seat = await seat_of(settings, engines)
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
    name, given = ours(request), await body_of(request, Reads)
    await confirm(await seat_of(settings, engines), incoming.case_number(case), name, given.number, given.readers[:20])
    return answer({"kept": True})


@post("/cases/case/{case:str}/stands", status_code=200)
async def stands(
    request: AppRequest,
    case: FromPath[str],
    engines: NamedDependency[Engines],
    settings: NamedDependency[Settings],
) -> Response[bytes]:
    """A reader's device says how a case stands by its letters."""
    name, said = ours(request), await body_of(request, standing.Stand)
    seat = await seat_of(settings, engines)
    async with engines["cases"].transaction():
        if await standing.say_stand(seat, incoming.case_number(case), name, said):
            await log.record(engines["cases"], seat.keeper, seat.day, name, "said_stand")
    return answer({"kept": True})


@post("/cases/case/{case:str}/out", status_code=200)
async def step_out(
    request: AppRequest,
    case: FromPath[str],
    engines: NamedDependency[Engines],
    settings: NamedDependency[Settings],
) -> Response[bytes]:
    """A handler in conflict leaves a case."""
    name, seat = ours(request), await seat_of(settings, engines)
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
    name, wanted = ours(request), await body_of(request, Hold)
    seat = await seat_of(settings, engines)
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
    name, change = ours(request), await body_of(request, Redaction)
    seat = await seat_of(settings, engines)
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
    name, given = ours(request), await body_of(request, Seen)
    seat = await seat_of(settings, engines)
    async with log.telling(engines["cases"], seat.keeper, seat.day, name, "redacted"):
        await standing.confirm_replacement(seat, incoming.case_number(case), name, given.number, given.digest)
    return answer({"kept": True})


@put("/cases/piece/{upload:str}/{number:int}", request_max_body_size=pieces.PIECE_BYTES, status_code=200)
async def piece(
    request: AppRequest, upload: FromPath[str], number: FromPath[int], engines: NamedDependency[Engines]
) -> Response[bytes]:
    """Keep a piece of a handler's sealed attachment."""
    ours(request)
    return answer({"kept": await pieces.keep_piece(engines["cases"], upload, number, await request.body(), today())})


HANDLERS = (write, seen, stands, step_out, hold, redact, redacted, piece)
