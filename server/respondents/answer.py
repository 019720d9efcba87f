"""Answering: the form, a change of language that keeps the answers, and the one sending."""

import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar
from urllib.parse import parse_qsl

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.exceptions import ClientException
from litestar.response import Redirect

from server.frame import faults
from server.frame.asked import AppRequest
from server.frame.display import day
from server.frame.pages import MessagePage, Shell, show, staff_shell, static_address
from server.frame.texts import choose_language, say
from server.operation import away
from server.respondents.admission import admit, in_wave, not_a_code
from server.respondents.sheet import Form, answer_page, in_words
from surveys.answers.received import is_received
from surveys.answers.rights import OpenWave, Right
from surveys.answers.urn import Urn
from surveys.away import StoreAway
from surveys.lifecycle.accepting import to_answer, to_send
from surveys.public.waves import get as get_wave
from surveys.public.waves import open_ids
from surveys.questionnaire import InvalidAnswers, read_form
from surveys.slips import NotACode

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


async def _posted(request: AppRequest) -> dict[str, list[str]]:
    """Read a posted form, values by name; empty ones only where they say something."""
    try:
        pairs = _pairs(await request.body())
    except ValueError as problem:
        raise ClientException("not a form") from problem
    answers: dict[str, list[str]] = {}
    for name, value in pairs:
        if value or name in ("_code", "_phone"):
            answers.setdefault(name, []).append(value)
    return answers


def _pairs(body: bytes) -> Iterable[tuple[str, str]]:
    """Names and values of a form. Where nothing is written in another way, as in most sheets, cutting is all that there is to do.

    Raises
    ------
    ValueError
        If it is not UTF-8, or has more than `FIELDS` fields.
    """
    if b"%" in body or b"+" in body:
        return parse_qsl(body.decode(), keep_blank_values=True, errors="strict", max_num_fields=FIELDS)
    fields = body.decode().split("&")
    if len(fields) > FIELDS:
        raise ValueError("more fields than any form has")
    return ((name, value) for name, _, value in (field.partition("=") for field in fields if field))


def _attempt(form: Form) -> str:
    given = (form.get("_attempt") or [""])[0]
    return given if _ATTEMPT.fullmatch(given) else secrets.token_hex(16)


def _nothing_open(frame: Shell) -> Response[str]:
    language = frame.language
    page = MessagePage(frame, say(language, "staff.answer.closed"), say(language, "staff.answer.closed_note"))
    return show(page, status=410)


@get("/answer")
async def form(request: AppRequest) -> Response[str]:
    """Show the empty form of the open wave."""
    frame = await staff_shell(request)
    wave = await to_answer(request.query_params.get("wave"))
    if wave is None:
        return _nothing_open(frame)
    return show(answer_page(frame, wave, {}, secrets.token_hex(16)))


@post("/answer/language", status_code=200, request_max_body_size=FORM_LIMIT)
async def language(request: AppRequest) -> Response[str] | Redirect:
    """Give the form back in another language with every answer in place; nothing is stored, and nothing shown once it was sent."""
    posted = await _posted(request)
    wanted = (posted.get("_lang") or [""])[-1]
    try:
        return await _in_language(request, posted, wanted)
    except StoreAway as problem:
        faults.note("request", problem)
        return away.keep(
            choose_language(wanted, request.headers.get("accept-language", "")), "/answer/language", posted
        )


async def _in_language(request: AppRequest, posted: dict[str, list[str]], wanted: str) -> Response[str] | Redirect:
    frame = await staff_shell(request, wanted)
    wave = await to_send((posted.get("_wave") or [""])[0])
    if wave is None or wave.id not in posted.get("_wave", (wave.id,)):
        return _nothing_open(frame)
    if await _is_sent(posted, wave):
        return _thanked(frame.language, wave)
    return show(answer_page(frame, wave, posted, _attempt(posted)))


@post("/answer", status_code=200, request_max_body_size=FORM_LIMIT)
async def submit(request: AppRequest, urn: NamedDependency[Urn]) -> Response[str] | Redirect:
    """Check one sheet and receive it: in the urn and thanked, or back with everything kept."""
    posted = await _posted(request)
    language = choose_language((posted.get("_lang") or [""])[0], request.headers.get("accept-language", ""))
    try:
        return await _submitted(request, posted, language, urn)
    except StoreAway as problem:
        faults.note("request", problem)
        return away.keep(language, "/answer", posted)


async def _submitted(
    request: AppRequest, posted: dict[str, list[str]], language: str, urn: Urn
) -> Response[str] | Redirect:
    named = (posted.get("_wave") or [""])[0]
    wave, refused = await in_wave(named, lambda wave: _receive(posted, wave, language, urn))
    if wave is None:
        return _nothing_open(await staff_shell(request, language))
    if refused is None or await _is_sent(posted, wave, hers=True):
        return _thanked(language, wave)
    problems, status = refused
    frame = await staff_shell(request, language)
    if wave.id not in posted.get("_wave", (wave.id,)) or await _is_sent(posted, wave):
        # an older page, of a form that arrived with another code, or of a survey that is over, of which nobody knows any more
        # whether it arrived: nothing of hers is shown to whoever has the phone now
        return show(answer_page(frame, wave, {}, secrets.token_hex(16), problems), status=status)
    answer = show(answer_page(frame, wave, posted, _attempt(posted), problems), status=status)
    if status == 503:
        answer.set_header("Retry-After", "20")
    return answer


def _thanked(language: str, wave: OpenWave) -> Redirect:
    return Redirect(f"/thanks?lang={language}&wave={wave.id}", status_code=303)


async def _is_sent(posted: dict[str, list[str]], wave: OpenWave, *, hers: bool = False) -> bool:
    """Whether this form arrived before, with whatever code or with the one that it names now: a browser that goes back and sends
    an older page of it again shows no answer."""
    attempt = bytes.fromhex(_attempt(posted))
    if not hers:
        return await is_received(wave.id, attempt)
    try:
        right = Right.verified((posted.get("_code") or [""])[0], wave)
    except NotACode:
        return False
    return await is_received(wave.id, attempt, right.row)


async def _receive(posted: Form, wave: OpenWave, language: str, urn: Urn) -> tuple[list[tuple[str, str]], int] | None:
    """Put the sheet in the urn, or say what stands in the way: (item id, sentence) pairs and a status."""
    text = (posted.get("_code") or [""])[0]
    try:
        right = Right.verified(text, wave)
    except NotACode:
        return [("", say(language, not_a_code(text)))], 422
    if len({code for code in posted.get("_code", ()) if code.strip()}) > 1:
        return [("", say(language, "staff.problem.bad_code"))], 422
    try:
        sheet = read_form(wave.questionnaire, posted)
    except InvalidAnswers as problem:
        return in_words(problem, wave.questionnaire, language), 422
    refused = await admit(urn, right, sheet, bytes.fromhex(_attempt(posted)))
    return ([("", say(language, refused[0]))], refused[1]) if refused else None


@get("/thanks")
async def thanks(request: AppRequest) -> Response[str]:
    """Say that the sheet arrived, and what comes next."""
    frame = await staff_shell(request)
    named = request.query_params.get("wave", "")
    ends = day((await get_wave(named)).ends, frame.language) if named in await open_ids() else ""
    return show(ThanksPage(frame, say(frame.language, "staff.thanks.title"), ends, static_address("thanks.js")))
