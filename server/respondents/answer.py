"""Answering: the form, a change of language that keeps the answers, and the one sending."""

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import parse_qsl

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.exceptions import ClientException
from litestar.response import Redirect

from server.frame import faults
from server.frame.display import day
from server.frame.pages import MessagePage, Shell, show, staff_shell, static_address
from server.frame.questionnaires import questionnaire_of
from server.frame.texts import choose_language, say
from server.respondents.sheet import Form, answer_page, in_words
from surveys.answers import pairs
from surveys.answers.envelope import seal
from surveys.answers.plans import PlanOther, SignedPlan
from surveys.answers.received import is_received
from surveys.answers.urn import Receipt, TooManyWaiting, Urn
from surveys.blind import TOKEN_LETTERS, PublicKey, TokenRefused, decode_token, token_digest, verify
from surveys.lifecycle import pins
from surveys.lifecycle.context import read_wave_key
from surveys.lifecycle.ready import checked_plan, is_second, unconfirmed
from surveys.public.waves import WaveRecord, open_ids
from surveys.public.waves import get as get_wave
from surveys.questionnaire import InvalidAnswers, Questionnaire
from surveys.tokens import Digest, NotACode, read_code, spent_digest
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


@dataclass(frozen=True, slots=True)
class Frozen:
    """What answering needs of an open wave: checked when this process first needs it, and fixed from then on.

    A wave has a `plan` and a `wave_key`; one of version 1 has none of the two, but `seal_key` and `phone_key`.
    """

    id: str
    questionnaire: Questionnaire
    token_key: bytes
    messages: Mapping[str, str]
    plan: SignedPlan | None = None
    wave_key: bytes = b""
    seal_key: bytes = b""
    phone_key: bytes = b""

    @property
    def seals_on_phone(self) -> bool:
        """Whether a phone with a script always seals her sheet itself."""
        return self.plan is not None

    def sealed(self, sheet: bytes, proof: Digest) -> bytes:
        """Seal what came without a script: in memory, to the holders, as a phone does."""
        if self.plan is None:
            return seal(sheet, self.seal_key)
        return self.layered(pairs.seal(sheet, proof, self.plan.hash, self.plan.points))

    def layered(self, sealed: bytes) -> bytes:
        """What ends in the urn of a sealed sheet."""
        return pairs.layered(sealed, self.wave_key) if self.plan else sealed

    def row_of(self, proof: Digest) -> Digest:
        """What the urn keeps of the code or token that a sheet came with."""
        return spent_digest(proof) if self.plan else proof


_frozen: dict[str, Frozen] = {}
"""Open waves of this process by id; another process makes its own, from the same frozen record."""
_data = Path()


def begin(data: Path) -> None:
    """Begin with a folder of keys, and without what an application before this one had in memory."""
    global _data
    _data = data
    _frozen.clear()


async def _freeze(record: WaveRecord) -> Frozen:
    common = (record.id, questionnaire_of(record), record.token_key, record.messages)
    if not is_second(_data, record.id):
        pins.check(_data, record)
        return Frozen(*common, seal_key=record.seal_key, phone_key=record.phone_key)
    plan = await checked_plan(_data, record)
    if unconfirmed(plan, record.confirmations):
        raise PlanOther("a holder has not confirmed the plan")
    try:
        return Frozen(*common, plan, read_wave_key(_data, record.id))
    except (OSError, ValueError):
        raise PlanOther("the wave key is not here") from None


async def open_wave(wanted: str | None) -> Frozen | None:
    """The wave asked for if it is open, else any open one.

    Raises
    ------
    PlanOther
        If its row, its file and the signatures of its plan do not agree: no answer is taken.
    """
    open_now = await open_ids()
    if not open_now:
        return None
    chosen = wanted if wanted in open_now else open_now[0]
    if chosen not in _frozen:
        _frozen[chosen] = await _freeze(await get_wave(chosen))
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
async def language(request: Request[Any, Any, Any]) -> Response[str] | Redirect:
    """Give the form back in another language with every answer in place; nothing is stored, and nothing shown once it was sent."""
    posted = await _posted(request)
    frame = await staff_shell(request, (posted.get("_lang") or [""])[-1])
    wave = await open_wave((posted.get("_wave") or [""])[0])
    if wave is None or wave.id not in posted.get("_wave", (wave.id,)):
        return _nothing_open(frame)
    if await _is_sent(posted, wave):
        return _thanked(frame.language, wave)
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
    if problems and not await _is_sent(posted, wave):
        page = answer_page(await staff_shell(request, language), wave, posted, _attempt(posted), problems)
        answer = show(page, status=status)
        if status == 503:
            answer.set_header("Retry-After", "20")
        return answer
    return _thanked(language, wave)


def _thanked(language: str, wave: Frozen) -> Redirect:
    return Redirect(f"/thanks?lang={language}&wave={wave.id}", status_code=303)


async def _is_sent(posted: dict[str, list[str]], wave: Frozen) -> bool:
    """Whether this form arrived before: a browser that goes back and sends an older page of it again shows no answer."""
    return await is_received(wave.id, bytes.fromhex(_attempt(posted)))


async def _receive(posted: Form, wave: Frozen, language: str, urn: Urn) -> tuple[list[tuple[str, str]], int]:
    """Put the sheet in the urn, or say what stands in the way: (item id, sentence) pairs and a status."""
    questionnaire = wave.questionnaire
    text = (posted.get("_code") or [""])[0]
    codes = {code for code in posted.get("_code", ()) if code.strip()}
    try:
        proof, is_token = right_of(text, wave)
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
        envelope = wave.sealed(sheet.to_bytes(), proof)
        receipt = await urn.put(wave.id, wave.row_of(proof), attempt, envelope, token=is_token)
    except TooManyWaiting:
        return [("", say(language, "staff.problem.busy"))], 503
    except Exception as problem:  # a full disk, a read-only file, a lost database: whatever it is, nothing was kept and she may try again
        faults.note("urn", problem)
        return [("", say(language, "staff.problem.storage"))], 503
    refused = receipt_in_words(receipt)
    return ([("", say(language, f"staff.problem.{refused[0]}"))], refused[1]) if refused else ([], 303)


def right_of(text: str, wave: Frozen) -> tuple[Digest, bool]:
    """The proof of what somebody answers with (its digest), and whether it is a token: then its signature has been verified.

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
    named = request.query_params.get("wave", "")
    ends = day((await get_wave(named)).ends, frame.language) if named in await open_ids() else ""
    return show(ThanksPage(frame, say(frame.language, "staff.thanks.title"), ends, static_address("thanks.js")))
