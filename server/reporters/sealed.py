"""What the script of the concern page sends and asks for: ciphertext and proofs. Nothing here can read a word.

Answers that carry a thread are not compressed and are filled up, so that their size on the wire tells little.
"""

import json

import msgspec
from litestar import Response, get, post, put
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

from server.concern.channel import OpenChannel, list_content, open_channel
from server.concern.wire import LIMIT, answer, body_of, dates_of, file_content, filled
from server.frame.asked import AppRequest
from server.settings import Settings
from surveys.cases import desk, intake, keeping, pieces, spool
from surveys.cases.desk import CaseFile, open_desk
from surveys.cases.incoming import Reply, Report, proof_of
from surveys.cases.keeper import REPORTER, keeper_at
from surveys.cases.line import Line, is_enough
from surveys.lifecycle.clock import day_of
from surveys.lifecycle.context import today
from surveys.public import readers, signing
from surveys.stores import Engines


class Opening(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A code's two proofs; an attachment's name where one is wanted; its two public keys for a proof of filing."""

    locator: str
    auth: str
    upload: str = ""
    signer: str = ""
    reader: str = ""


async def _channel(settings: Settings, engines: Engines) -> OpenChannel:
    found = await open_channel(settings, engines)
    if found is None:
        raise NotFoundException
    return found


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
    return answer(list_content(await readers.load(settings.data)) | {"day": day_of(settings.data, today()).isoformat()})


@post("/concern/sealed", request_max_body_size=LIMIT, status_code=200)
async def sealed(
    request: AppRequest,
    settings: NamedDependency[Settings],
    engines: NamedDependency[Engines],
    line: NamedDependency[Line],
) -> Response[bytes]:
    """Receive a sealed report or diary. When very many come at once, ask for a little work; never refuse one."""
    channel = await _channel(settings, engines)
    report = await body_of(request, Report)
    if not is_enough(report.case, report.work, line.bits()):
        return answer({"bits": line.bits()}, 429)
    await line.receive(channel.keeper, report, channel.accounts, channel.day)
    return answer({"received": True})


@post("/concern/thread", status_code=200)
async def thread(
    request: AppRequest, settings: NamedDependency[Settings], engines: NamedDependency[Engines]
) -> Response[bytes]:
    """Give the sealed thread of a code."""
    channel = await _channel(settings, engines)
    asked = await body_of(request, Opening)
    file = await reporters_file(channel, asked.locator, asked.auth)
    return filled(file_content(file) | {"names": dict(channel.readers.names), "dates": dates_of(channel, file)})


@post("/concern/reply", request_max_body_size=LIMIT, status_code=200)
async def reply(
    request: AppRequest, settings: NamedDependency[Settings], engines: NamedDependency[Engines]
) -> Response[bytes]:
    """Receive one more sealed message of a reporter."""
    channel = await _channel(settings, engines)
    wanted = await body_of(request, Reply)
    await intake.add(engines["cases"], channel.keeper, wanted, channel.accounts, channel.day)
    return answer({"received": True})


@put("/concern/piece/{upload:str}/{number:int}", request_max_body_size=pieces.PIECE_BYTES, status_code=200)
async def piece(
    request: AppRequest,
    upload: FromPath[str],
    number: FromPath[int],
    settings: NamedDependency[Settings],
    engines: NamedDependency[Engines],
) -> Response[bytes]:
    """Keep one piece of a sealed attachment."""
    channel = await _channel(settings, engines)
    try:
        await spool.make_sure_of_room(settings.data, upload)
    except spool.SpoolFull:
        return answer({"full": True}, 507)  # words still fit: attachments must not crowd them out
    there = await pieces.keep_piece(engines["cases"], upload, number, await request.body(), channel.day)
    return answer({"kept": there})


@get("/concern/piece/{upload:str}")
async def pieces_there(upload: FromPath[str]) -> Response[bytes]:
    """Say which pieces arrived, so that an upload that broke off goes on."""
    return answer({"kept": await pieces.pieces_kept(upload)})


@post("/concern/file", status_code=200)
async def attachment(request: AppRequest) -> Response[bytes]:
    """Give one sealed attachment of a code's case."""
    asked = await body_of(request, Opening)
    row = await intake.find(proof_of(asked.locator, asked.auth))
    content = await pieces.attachment(int(row["id"]), asked.upload)
    return Response(content, media_type="application/octet-stream")


@post("/concern/diary/delete", status_code=200)
async def delete_diary(
    request: AppRequest, settings: NamedDependency[Settings], engines: NamedDependency[Engines]
) -> Response[bytes]:
    """Throw away a diary that was never sent."""
    channel = await _channel(settings, engines)
    asked = await body_of(request, Opening)
    row = await intake.find(proof_of(asked.locator, asked.auth))
    await keeping.delete_by_reporter(engines["cases"], row, channel.day)
    return answer({"deleted": True})


@post("/concern/proof", status_code=200)
async def proof(request: AppRequest, settings: NamedDependency[Settings]) -> Response[bytes]:
    """Give the signed proof of filing."""
    asked = await body_of(request, Opening)
    row = await intake.find(proof_of(asked.locator, asked.auth))
    return answer(
        {"proof": proof_text(settings, await keeping.filing(keeper_at(settings.data), row, asked.signer, asked.reader))}
    )


def proof_text(settings: Settings, filing: dict[str, str]) -> str:
    """A text that anyone can check with `ascolto proof verify`: the day, a key's hash, our signature."""
    key = signing.installation_key(settings.data)
    text = json.dumps(filing, sort_keys=True)
    return json.dumps(
        {
            "filing": text,
            "key": signing.public_text(key),
            "signature": signing.sign(key, b"ascolto filing v1\n" + text.encode()),
        }
    )


HANDLERS = [keyring_file, sealed, thread, reply, piece, pieces_there, attachment, delete_diary, proof]
