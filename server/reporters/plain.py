"""The concern form without a script: passed to a process of its own that seals and ends; here only ciphertext is kept."""

import asyncio
import json
import sys
from base64 import b64decode
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, ClassVar

import msgspec
from litestar import Response, post
from litestar.di import NamedDependency
from multipart import parse_options_header

from server.concern.channel import OpenChannel, list_content, open_channel
from server.concern.turns import SMALL, Busy, Turns, holds_a_file, length_of
from server.concern.wire import dates_of, file_content
from server.frame.asked import AppRequest
from server.frame.display import day as in_words
from server.frame.pages import MessagePage, Shell, show, staff_shell
from server.frame.texts import say
from server.reporters import once
from server.reporters.letters import in_words_of, letters_page
from server.reporters.page import closed_page, concern_page
from server.reporters.sealed import proof_text, reporters_file
from server.settings import Settings
from surveys.cases import intake, keeping, pieces, spool
from surveys.cases.clocks import acknowledge_by
from surveys.cases.codes import NotACode, read_code
from surveys.cases.incoming import AlreadyThere, CaseUnknown, OutOfStep, Reply, Report, ReportRefused, proof_of
from surveys.cases.line import Line
from surveys.stores import Engines

FORM_LIMIT = 10 * 1024 * 1024
LONGEST_SECONDS = 60
TRY_AGAIN_SECONDS = 20
_turns = Turns()
_together = once.Together[dict[str, Any]]()


@dataclass(frozen=True, slots=True)
class SentPage:
    """A report or diary was kept."""

    template: ClassVar[str] = "concern_sent.html"
    shell: Shell
    title: str
    text: str
    next: str


@dataclass(frozen=True, slots=True)
class ProofPage:
    """The signed proof of filing, to be copied."""

    template: ClassVar[str] = "concern_proof.html"
    shell: Shell
    title: str
    proof: str


@post("/concern", request_max_body_size=FORM_LIMIT, status_code=200)
async def form(
    request: AppRequest,
    engines: NamedDependency[Engines],
    settings: NamedDependency[Settings],
    line: NamedDependency[Line],
) -> Response[str]:
    """Take a form: seal it, open a thread, answer in it. One address for all of it."""
    frame = await staff_shell(request)
    channel = await open_channel(settings, engines)
    if channel is None:
        return closed_page(frame)
    length = length_of(request, FORM_LIMIT)
    lane = _turns.lane(length)
    try:
        async with lane.body(length):
            body, kind = await request.body(), request.headers.get("content-type", "")

            async def in_turn() -> dict[str, Any]:
                async with _turns.to_draw(body, lane).turn():
                    return await _through(kind, body, _Talk(channel, settings, line))

            boundary = parse_options_header(kind)[1].get("boundary", "")
            return _page(frame, channel, await _together.end(body, boundary, in_turn))
    except Busy:
        return _busy(frame)


def _busy(frame: Shell) -> Response[str]:
    """Nothing was read: the browser keeps the form, and sends it again when this page is loaded again."""
    title, text = say(frame.language, "staff.error.busy"), say(frame.language, "staff.error.busy_text")
    page = show(MessagePage(frame, title, text), status=503)
    page.set_header("Retry-After", str(TRY_AGAIN_SECONDS))
    return page


async def _through(kind: str, body: bytes, talk: "_Talk") -> dict[str, Any]:
    channel, turn = talk.channel, once.pages.take(body)
    if turn is once.Turn.AGAIN:
        return {"again": "concern.back.again", "back": True}
    given = {
        "shown": turn is once.Turn.FIRST,
        "patient": len(body) > SMALL or holds_a_file(body),
        "day": channel.day.isoformat(),
        "salt": channel.salt,
        "lists": list_content(channel.readers),
        "kind": kind,
        "length": len(body),
    }
    try:
        return await talk.through(given, body)
    except BaseException:
        once.pages.give_back(body)
        raise


class _Talk:
    """Answers the questions of one letter process."""

    def __init__(self, channel: OpenChannel, settings: Settings, line: Line) -> None:
        self.channel, self.settings, self.line = channel, settings, line

    async def through(self, given: dict[str, Any], body: bytes) -> dict[str, Any]:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "server.reporters.process",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            limit=2**26,
        )
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(json.dumps(given).encode() + b"\n")
        process.stdin.write(body)
        try:
            async with asyncio.timeout(LONGEST_SECONDS):
                async for text in process.stdout:
                    message: dict[str, Any] = json.loads(text)
                    if "end" in message:
                        end: dict[str, Any] = message["end"]
                        return end
                    process.stdin.write(json.dumps(await self._answer(message)).encode() + b"\n")
        finally:
            with suppress(ProcessLookupError):
                process.kill()  # it has said its last word, or will not say one
            await process.wait()
        raise RuntimeError("the sealing process ended without a word")

    async def _answer(self, asked: dict[str, Any]) -> dict[str, Any]:
        channel, engine = self.channel, self.channel.engines["cases"]
        try:
            if "piece" in asked:
                return await self._pieces(asked["upload"], b64decode(asked["piece"]))
            if "report" in asked:
                report = msgspec.convert(asked["report"], Report)
                await self.line.receive(channel.keeper, report, channel.accounts, channel.day)
                return {}
            if "reply" in asked:
                reply = msgspec.convert(asked["reply"], Reply)
                await intake.add(engine, channel.keeper, reply, channel.accounts, channel.day)
                return {}
            if asked["do"] == "file":
                file = await reporters_file(channel, asked["locator"], asked["auth"])
                kept = {"years": channel.record.retention_years, "longer": channel.record.kept_longer}
                return file_content(file) | kept | {"dates": dates_of(channel, file)}
            row = await intake.find(proof_of(asked["locator"], asked["auth"]))
            if asked["do"] == "proof":
                return {
                    "proof": proof_text(
                        self.settings,
                        await keeping.filing(channel.keeper, row, asked.get("signer", ""), asked.get("reader", "")),
                    )
                }
            await keeping.delete_by_reporter(engine, row, channel.day)
            return {"deleted": True}
        except AlreadyThere:
            return {"there": True}
        except OutOfStep:
            return {"stale": True}
        except (CaseUnknown, ReportRefused):
            return {"unknown": True, "again": "concern.back.unknown", "back": True}

    async def _pieces(self, upload: str, sealed: bytes) -> dict[str, Any]:
        try:
            await spool.make_sure_of_room(self.settings.data, upload, len(sealed))
        except spool.SpoolFull:
            return {"full": True}
        for number, start in enumerate(range(0, len(sealed), pieces.PIECE_BYTES)):
            piece = sealed[start : start + pieces.PIECE_BYTES]
            await pieces.keep_piece(self.channel.engines["cases"], upload, number, piece, self.channel.day)
        return {}


def _page(frame: Shell, channel: OpenChannel, end: dict[str, Any]) -> Response[str]:
    """The page that says how it ended."""
    language = frame.language
    if "again" in end:
        problem = in_words_of(language, end["again"], photo=end.get("photo", False))
        kept = end.get("form", {})
        if end.get("back"):
            return show(concern_page(frame, channel, plain=True, back_problem=problem), status=422)
        return show(
            concern_page(frame, channel, plain=True, problem=problem, kept=kept, secret=_typed(kept)), status=422
        )
    if "sent" in end:
        by = in_words(acknowledge_by(channel.day), language)
        text = say(language, "concern.sent.text" if end["sent"] == "report" else "concern.sent.diary")
        following = say(language, "concern.sent.next", day=by) if end["sent"] == "report" else ""
        return show(SentPage(frame, say(language, "concern.sent.title"), text, following))
    if "proof" in end:
        return show(ProofPage(frame, say(language, "concern.thread.proof"), end["proof"]))
    if "deleted" in end:
        return show(SentPage(frame, say(language, "concern.page.title"), say(language, "concern.back.unknown"), ""))
    return show(letters_page(frame, channel, end))


def _typed(kept: dict[str, list[str]]) -> Any:
    """The code of a form that came back: the same again, or it would be lost."""
    try:
        return read_code((kept.get("code") or [""])[0])
    except NotACode:
        return None
