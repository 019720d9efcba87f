"""What the script of the concern page sends and asks for: ciphertext and proofs. Nothing here can read a word.

Answers that carry a thread are not compressed and are filled up, so that their size on the wire tells little.
"""

import json
from base64 import b64encode
from typing import Any

import msgspec
from litestar import Request, Response, get, post, put
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

from server import faults
from server.reporters.channel import OpenChannel, list_content, open_channel
from server.reporters.turns import Busy, Turns, length_of
from server.settings import Settings
from surveys.cases import clocks, desk, intake, keeping, pieces, spool
from surveys.cases.desk import CaseFile, open_desk
from surveys.cases.incoming import CaseUnknown, OutOfStep, Reply, Report, ReportRefused, proof_of
from surveys.cases.keeper import REPORTER
from surveys.cases.line import Line, is_enough
from surveys.public import readers, signing
from surveys.public.readers import ListsRefused
from surveys.stores import Engines

LIMIT = 8 * 1024 * 1024
FILL = 64 * 1024
_turns = Turns()


class Opening(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A code's two proofs; an attachment's name where one is wanted; its two public keys for a proof of filing."""

    locator: str
    auth: str
    upload: str = ""
    signer: str = ""
    reader: str = ""


def answer(content: dict[str, Any], status: int = 200) -> Response[bytes]:
    """JSON, not kept anywhere."""
    return Response(json.dumps(content, ensure_ascii=False).encode(), status_code=status, media_type="application/json")


def filled(content: dict[str, Any]) -> Response[bytes]:
    """JSON filled up with spaces to a multiple of 64 KiB; the compressor leaves these addresses alone."""
    plain = json.dumps(content, ensure_ascii=False).encode()
    return Response(plain.ljust(-(-len(plain) // FILL) * FILL), media_type="application/json")


async def body_of[Wanted](request: Request[Any, Any, Any], wanted: type[Wanted]) -> Wanted:
    """Read a body of JSON.

    Raises
    ------
    ReportRefused
        If it is not what is wanted.
    Busy
        If there is no room for it now: nothing was read, and the page keeps the text.
    """
    length = length_of(request, LIMIT)
    try:
        async with _turns.lane(length).body(length):
            return msgspec.json.decode(await request.body(), type=wanted)
    except msgspec.MsgspecError as problem:
        raise ReportRefused("body") from problem


async def _channel(settings: Settings, engines: Engines) -> OpenChannel:
    found = await open_channel(settings, engines)
    if found is None:
        raise NotFoundException
    return found


def refused(_: Request[Any, Any, Any], problem: Exception) -> Response[bytes]:
    """Say by a status what is wrong, alike for every code that opens nothing."""
    match problem:
        case CaseUnknown():
            return answer({"unknown": True}, 404)
        case Busy():
            return answer({"busy": True}, 503)
        case OutOfStep():
            return answer({"stale": True}, 409)
        case ListsRefused():
            faults.note("lists", problem)
            return answer({"lists": "ring_broken"}, 409)
        case _:
            return answer({"refused": True}, 400)


def file_content(file: CaseFile) -> dict[str, Any]:
    """A case file as JSON: ciphertext in base64. State, days and names are there for cases of version 1 and for lists; of
    version 2 a page reads them in the letters."""
    days = file.days
    return {
        "case": f"{file.case:016x}", "version": file.version, "state": days.state, "contested": file.contested,
        **{name: str(getattr(days, name) or "") for name in ("received", "acknowledged", "outcome")},
        "recovered": str(file.recovered or ""), "readers": list(file.readers),
        "epochs": [
            {"stream": e.stream, "number": e.number, "wrap": b64encode(e.wrap).decode(), "link": b64encode(e.link).decode(), "at": e.at, "confirmed": e.confirmed}
            | ({"pairs": {pair: b64encode(sealed).decode() for pair, sealed in e.pairs.items()}} if e.pairs else {})
            for e in file.epochs
        ],
        "messages": [
            {"stream": m.stream, "number": m.number, "epoch": m.epoch, "sealed": b64encode(m.sealed).decode()}
            | ({"replacement": b64encode(m.replacement).decode()} if m.replacement else {})
            for m in file.messages
        ],
    }  # fmt: skip


async def reporters_file(channel: OpenChannel, locator: str, auth: str) -> CaseFile:
    """The case of a code, for the reporter.

    Raises
    ------
    CaseUnknown
    """
    row = await intake.find(proof_of(locator, auth))
    seat = await open_desk(channel.engines["cases"], channel.keeper, channel.readers, channel.day)
    return await desk.case_file(seat, int(row["id"]), REPORTER, row)


@get("/concern/keyring.json")
async def keyring_file(settings: NamedDependency[Settings], engines: NamedDependency[Engines]) -> Response[bytes]:
    """House, rings and keyrings, to be checked by whoever asks."""
    return answer(list_content(await readers.load(settings.data)))


@post("/concern/sealed", request_max_body_size=LIMIT, status_code=200)
async def sealed(
    request: Request[Any, Any, Any], settings: NamedDependency[Settings], engines: NamedDependency[Engines],
    line: NamedDependency[Line],
) -> Response[bytes]:
    """Receive a sealed report or diary. When very many come at once, ask for a little work; never refuse one."""  # fmt: skip
    channel = await _channel(settings, engines)
    report = await body_of(request, Report)
    if not is_enough(report.case, report.work, line.bits()):
        return answer({"bits": line.bits()}, 429)
    await line.receive(channel.keeper, report, channel.accounts, channel.day)
    return answer({"received": True})


@post("/concern/thread", status_code=200)
async def thread(
    request: Request[Any, Any, Any], settings: NamedDependency[Settings], engines: NamedDependency[Engines]
) -> Response[bytes]:
    """Give the sealed thread of a code."""
    channel = await _channel(settings, engines)
    asked = await body_of(request, Opening)
    file = await reporters_file(channel, asked.locator, asked.auth)
    return filled(file_content(file) | {"names": dict(channel.readers.names), "dates": dates_of(channel, file)})


def dates_of(channel: OpenChannel, file: CaseFile) -> dict[str, str]:
    """What comes next and by when, in ISO days."""
    days, found = file.days, {}
    if days.received is not None:
        found["acknowledge"] = str(clocks.acknowledge_by(days.received))
        found["outcome"] = str(clocks.outcome_by(days))
    if (late := clocks.overdue_since(days, channel.day)) is not None:
        found["late"] = str(late)
    if days.outcome is not None:
        found["second"] = str(clocks.add_months(days.outcome, clocks.OUTCOME_MONTHS))
        found["keep"] = str(clocks.keep_until(days.outcome, channel.record.retention_years))
    return found


@post("/concern/reply", request_max_body_size=LIMIT, status_code=200)
async def reply(
    request: Request[Any, Any, Any], settings: NamedDependency[Settings], engines: NamedDependency[Engines]
) -> Response[bytes]:
    """Receive one more sealed message of a reporter."""
    channel = await _channel(settings, engines)
    wanted = await body_of(request, Reply)
    await intake.add(engines["cases"], channel.keeper, wanted, channel.accounts, channel.day)
    return answer({"received": True})


@put("/concern/piece/{upload:str}/{number:int}", request_max_body_size=pieces.PIECE_BYTES, status_code=200)
async def piece(
    request: Request[Any, Any, Any], upload: FromPath[str], number: FromPath[int],
    settings: NamedDependency[Settings], engines: NamedDependency[Engines],
) -> Response[bytes]:
    """Keep one piece of a sealed attachment."""  # fmt: skip
    channel = await _channel(settings, engines)
    try:
        await spool.make_sure_of_room(settings.data)
    except spool.SpoolFull:
        return answer({"full": True}, 507)  # words still fit: attachments must not crowd them out
    there = await pieces.keep_piece(engines["cases"], upload, number, await request.body(), channel.day)
    return answer({"kept": there})


@get("/concern/piece/{upload:str}")
async def pieces_there(upload: FromPath[str]) -> Response[bytes]:
    """Say which pieces arrived, so that an upload that broke off goes on."""
    return answer({"kept": await pieces.pieces_kept(upload)})


@post("/concern/file", status_code=200)
async def attachment(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Give one sealed attachment of a code's case."""
    asked = await body_of(request, Opening)
    row = await intake.find(proof_of(asked.locator, asked.auth))
    content = await pieces.attachment(int(row["id"]), asked.upload)
    return Response(content, media_type="application/octet-stream")


@post("/concern/diary/delete", status_code=200)
async def delete_diary(
    request: Request[Any, Any, Any], settings: NamedDependency[Settings], engines: NamedDependency[Engines]
) -> Response[bytes]:
    """Throw away a diary that was never sent."""
    channel = await _channel(settings, engines)
    asked = await body_of(request, Opening)
    row = await intake.find(proof_of(asked.locator, asked.auth))
    await keeping.delete_by_reporter(engines["cases"], row, channel.day)
    return answer({"deleted": True})


@post("/concern/proof", status_code=200)
async def proof(request: Request[Any, Any, Any], settings: NamedDependency[Settings]) -> Response[bytes]:
    """Give the signed proof of filing."""
    asked = await body_of(request, Opening)
    row = await intake.find(proof_of(asked.locator, asked.auth))
    return answer({"proof": proof_text(settings, await keeping.filing(row, asked.signer, asked.reader))})


def proof_text(settings: Settings, filing: dict[str, str]) -> str:
    """A text that anyone can check with `ascolto proof verify`: the day, a key's hash, our signature."""
    key = signing.installation_key(settings.data)
    text = json.dumps(filing, sort_keys=True)
    return json.dumps(
        {"filing": text, "key": signing.public_text(key), "signature": signing.sign(key, b"ascolto filing v1\n" + text.encode())}
    )  # fmt: skip


HANDLERS = [keyring_file, sealed, thread, reply, piece, pieces_there, attachment, delete_diary, proof]
PROBLEMS: dict[int | type[Exception], Any] = dict.fromkeys((CaseUnknown, OutOfStep, ReportRefused, Busy, ListsRefused), refused)
