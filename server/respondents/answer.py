"""Answering: the form, a change of language that keeps the answers, and the one sending."""

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from json import dumps, loads
from typing import Any, ClassVar
from urllib.parse import parse_qsl

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.exceptions import ClientException
from litestar.response import Redirect

from server import faults
from server.display import day
from server.pages import MessagePage, Shell, show, staff_shell, static_address
from server.respondents.sheet import Form, answer_page, in_words
from server.texts import choose_language, say
from surveys.answers.envelope import seal
from surveys.answers.urn import Receipt, TooManyWaiting, Urn
from surveys.blind import TOKEN_LETTERS, PublicKey, TokenRefused, decode_token, token_digest, verify
from surveys.public.waves import WaveRecord, open_ids
from surveys.public.waves import get as get_wave
from surveys.questionnaire import InvalidAnswers, Questionnaire
from surveys.tokens import Digest, NotACode, read_code
from surveys.tokens import digest as slip_digest

FORM_LIMIT = 128 * 1024
FIELDS = 1000
"""More fields than any form of ours has; a body of more is not read further."""
_ATTEMPT = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class ThanksPage:
    """The same page for the first and the tenth sending."""

    template: ClassVar[str] = "thanks.html"
    shell: Shell
    title: str
    ends: str
    script: str


@lru_cache(maxsize=8)
def _read_questionnaire(text: str) -> Questionnaire:
    return Questionnaire.from_json(loads(text))


def questionnaire_of(wave: WaveRecord) -> Questionnaire:
    """The frozen questionnaire of a wave; parsed once for each text."""
    return _read_questionnaire(dumps(wave.questionnaire, sort_keys=True))


@dataclass(frozen=True, slots=True)
class Frozen:
    """What answering needs of an open wave: all of it is fixed from the opening on."""

    id: str
    questionnaire: Questionnaire
    seal_key: bytes
    phone_key: bytes
    token_key: bytes
    messages: Mapping[str, str]


_frozen: dict[str, Frozen] = {}
"""Open waves of this process by id; another process makes its own, from the same frozen record."""


def forget_waves() -> None:
    """Begin without what an application before this one, in the same process, had in memory."""
    _frozen.clear()


async def open_wave(wanted: str | None) -> Frozen | None:
    """The wave asked for if it is open, else any open one."""
    open_now = await open_ids()
    if not open_now:
        return None
    chosen = wanted if wanted in open_now else open_now[0]
    if chosen not in _frozen:
        record = await get_wave(chosen)
        _frozen[chosen] = Frozen(chosen, questionnaire_of(record), record.seal_key, record.phone_key, record.token_key, record.messages)
    return _frozen[chosen]


async def _posted(request: Request[Any, Any, Any]) -> dict[str, list[str]]:
    """Read a posted form, values by name; empty ones only where they say something."""
    body = await request.body()
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, errors="strict", max_num_fields=FIELDS)
    except ValueError as problem:
        raise ClientException("not a form") from problem
    answers: dict[str, list[str]] = {}
    for name, value in pairs:
        if value or name in ("_code", "_phone"):
            answers.setdefault(name, []).append(value)
    return answers


def _attempt(form: Mapping[str, list[str]]) -> str:
    given = (form.get("_attempt") or [""])[0]
    return given if _ATTEMPT.fullmatch(given) else secrets.token_hex(16)


def _nothing_open(frame: Shell) -> Response[str]:
    language = frame.language
    page = MessagePage(frame, say(language, "staff.answer.closed"), say(language, "staff.answer.closed_note"))
    return show(page, status=410)


@get("/answer")
async def form(request: Request[Any, Any, Any]) -> Response[str]:
    """Show the empty form of the open wave."""
    frame = await staff_shell(request)
    wave = await open_wave(request.query_params.get("wave"))
    if wave is None:
        return _nothing_open(frame)
    return show(answer_page(frame, wave, {}, secrets.token_hex(16)))


@post("/answer/language", status_code=200, request_max_body_size=FORM_LIMIT)
async def language(request: Request[Any, Any, Any]) -> Response[str]:
    """Give the form back in another language with every answer in place; nothing is stored."""
    posted = await _posted(request)
    frame = await staff_shell(request, (posted.get("_lang") or [""])[-1])
    wave = await open_wave((posted.get("_wave") or [""])[0])
    if wave is None:
        return _nothing_open(frame)
    return show(answer_page(frame, wave, posted, _attempt(posted)))


@post("/answer", status_code=200, request_max_body_size=FORM_LIMIT)
async def submit(request: Request[Any, Any, Any], urn: NamedDependency[Urn]) -> Response[str] | Redirect:
    """Check one sheet and receive it: in the urn and thanked, or back with everything kept."""
    posted = await _posted(request)
    language = choose_language((posted.get("_lang") or [""])[0], request.headers.get("accept-language", ""))
    named = (posted.get("_wave") or [""])[0]
    wave = _frozen.get(named) or await open_wave(named)  # a code of a closed wave is unknown to the urn
    if wave is None:
        return _nothing_open(await staff_shell(request, language))
    problems, status = await _receive(posted, wave, language, urn)
    if problems:
        page = answer_page(await staff_shell(request, language), wave, posted, _attempt(posted), problems)
        return show(page, status=status)
    return Redirect(f"/thanks?lang={language}&wave={wave.id}", status_code=303)


async def _receive(posted: Form, wave: Frozen, language: str, urn: Urn) -> tuple[list[tuple[str, str]], int]:
    """Put the sheet in the urn, or say what stands in the way: (item id, sentence) pairs and a status."""
    questionnaire = wave.questionnaire
    text = (posted.get("_code") or [""])[0]
    codes = {code for code in posted.get("_code", ()) if code.strip()}
    try:
        digest, is_token = right_of(text, wave)
    except NotACode:
        return [("", say(language, not_a_code(text)))], 422
    if len(codes) > 1:
        return [("", say(language, "staff.problem.bad_code"))], 422
    try:
        sheet = questionnaire.read(posted)
    except InvalidAnswers as problem:
        return in_words(problem, questionnaire, language), 422
    attempt = bytes.fromhex(_attempt({name: list(values) for name, values in posted.items()}))
    try:
        receipt = await urn.put(wave.id, digest, attempt, seal(sheet.to_bytes(), wave.seal_key), token=is_token)
    except TooManyWaiting:
        return [("", say(language, "staff.problem.busy"))], 503
    except Exception as problem:  # a full disk, a read-only file, a lost database: whatever it is, nothing was kept and she may try again
        faults.note("urn", problem)
        return [("", say(language, "staff.problem.storage"))], 503
    refused = receipt_in_words(receipt)
    return ([("", say(language, f"staff.problem.{refused[0]}"))], refused[1]) if refused else ([], 303)


def right_of(text: str, wave: Frozen) -> tuple[Digest, bool]:
    """The digest of what somebody answers with, and whether it is a token: then its signature has been verified.

    Raises
    ------
    NotACode
        If it can be neither a slip's code nor a token of this wave; forged, foreign and damaged tokens alike.
    """
    if len(text) < TOKEN_LETTERS:
        return slip_digest(read_code(text)), False
    try:
        prepared, signature = decode_token(text.strip())
    except TokenRefused as problem:
        raise NotACode("not a token") from problem
    if not wave.token_key or not verify(_token_key(wave.token_key), prepared, signature):
        raise NotACode("not a token of this wave")
    return Digest(token_digest(prepared)), True


def not_a_code(text: str) -> str:
    """The sentence for what somebody cannot answer with; the same for every token that is none of this wave."""
    if len(text) >= TOKEN_LETTERS - 100:
        return "link.page.broken"
    return "staff.problem.bad_code" if text.strip() else "staff.problem.no_code"


@lru_cache(maxsize=8)
def _token_key(der: bytes) -> PublicKey:
    return PublicKey.from_der(der)


def receipt_in_words(receipt: Receipt) -> tuple[str, int] | None:
    """What is wrong with a receipt: the key of a sentence and a status; None if it was received."""
    match receipt:
        case Receipt.RECEIVED:
            return None
        case Receipt.USED:
            return "used_code", 409
        case Receipt.UNKNOWN:
            return "unknown_code", 422


@get("/thanks")
async def thanks(request: Request[Any, Any, Any]) -> Response[str]:
    """Say that the sheet arrived, and what comes next."""
    frame = await staff_shell(request)
    wave = await open_wave(request.query_params.get("wave"))
    ends = day((await get_wave(wave.id)).ends, frame.language) if wave else ""
    return show(ThanksPage(frame, say(frame.language, "staff.thanks.title"), ends, static_address("thanks.js")))
