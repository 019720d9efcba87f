"""What scripts of the answer page ask for: words and keys, the state of a link, a blind signature, a sealed sheet's receipt.

No cookie is read. A link never is in an address; what is not known is refused alike, in the person's language.
"""

import json
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from dataclasses import asdict
from typing import Any

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.exceptions import ClientException

from server.frame.asked import AppRequest
from server.frame.display import day
from server.frame.pages import language_of, static_address
from server.frame.texts import catalogue, say
from server.respondents.admission import admit, in_wave, not_a_code
from server.settings import Settings
from surveys.answers.rights import OpenWave, Right
from surveys.answers.urn import Urn
from surveys.lifecycle.accepting import to_answer, to_send
from surveys.lifecycle.closeness import groups_of
from surveys.lifecycle.context import Site
from surveys.lifecycle.issuing import LinkRefused, issue, state_of
from surveys.slips import NotACode

LIMIT = 32 * 1024
_OVER = ("link.page.over", 410)


class Asking(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A link, and the blinded value where a token is asked for (base64)."""

    link: str
    z: str = ""


class SealedSheet(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A sheet sealed on the phone (base64), with its code or token and the attempt of its form."""

    wave: str
    code: str
    attempt: str
    envelope: str


def _json(content: dict[str, Any], status: int = 200) -> Response[bytes]:
    return Response(json.dumps(content, ensure_ascii=False).encode(), status_code=status, media_type="application/json")


_FINAL = frozenset({"staff.problem.used_code"})
"""What no later try changes, though its status is that of things which pass: a phone stops trying."""


def _problem(language: str, key: str, status: int, **values: object) -> Response[bytes]:
    return _json({"problem": say(language, key, **values)} | ({"final": True} if key in _FINAL else {}), status)


async def _body[Wanted](request: AppRequest, wanted: type[Wanted]) -> Wanted:
    try:
        return msgspec.json.decode(await request.body(), type=wanted)
    except msgspec.MsgspecError as problem:
        raise ClientException("not what this address takes") from problem


def _bytes(text: str) -> bytes:
    try:
        return b64decode(text, validate=True)
    except (NotBase64, ValueError):
        return b""


@get("/answer/words")
async def words(request: AppRequest, settings: NamedDependency[Settings]) -> Response[bytes]:
    """Sentences, keys and addresses that the scripts need, of an ended wave too while its sheets arrive; nothing of anyone."""
    wave = await to_send(request.query_params.get("wave", ""))
    language = language_of(request)
    texts = {key.removeprefix("link."): text for key, text in catalogue(language).items() if key.startswith("link.")}
    texts = {key: text for key, text in texts.items() if not key.startswith("mail.")}
    texts["exclusive"] = say(language, "staff.problem.exclusive", item="{item}")
    texts |= {name: say(language, f"staff.problem.{name}") for name in ("no_code", "bad_code")}
    content: dict[str, Any] = {"texts": texts, "blind": static_address("blind.js")}
    if wave is not None:
        multiple = [item for item in wave.questionnaire.items() if item.multiple]
        content |= {
            "wave": wave.id,
            "token_key": b64encode(wave.token_key).decode(),
            "meter": [asdict(group) for group in await groups_of(settings.data, wave.id)],
            "exclusive": {item.id: list(item.exclusive) for item in multiple},
        } | ({"plan": wave.plan.text} if wave.plan else {"phone_key": b64encode(wave.phone_key).decode()})
    return _json(content)


@post("/answer/link", status_code=200, request_max_body_size=LIMIT)
async def state_of_link(request: AppRequest) -> Response[bytes]:
    """Say whether a token was issued for a link, and on which day: so each person can see what was done in her name."""
    language = language_of(request)
    asked = await _body(request, Asking)
    entry = await state_of(asked.link)
    if entry is None:
        return _problem(language, "link.page.unknown", 404)
    wave = await to_answer(entry.wave)
    if wave is None or wave.id != entry.wave:
        return _problem(language, "link.page.over", 410)
    taken = say(language, "link.page.taken", day=day(entry.issued, language)) if entry.issued else ""
    before = say(language, "link.page.before", day=day(entry.before, language)) if entry.before else ""
    return _json({"wave": entry.wave, "taken": f"{taken} {before}".strip() if taken else "", "before": before})


@post("/answer/token", status_code=200, request_max_body_size=LIMIT)
async def take_token(request: AppRequest, site: NamedDependency[Site]) -> Response[bytes]:
    """Sign the blinded value of a link, once."""
    language = language_of(request)
    asked = await _body(request, Asking)
    try:
        signed = await issue(site, asked.link, _bytes(asked.z))
    except LinkRefused as problem:
        if problem.reason == "taken":
            return _problem(language, "link.page.taken", 409, day=day(problem.when, language))
        status = {"unknown": 404, "over": 410}.get(problem.reason, 422)
        return _problem(language, f"link.page.{problem.reason}", status)
    return _json({"signed": b64encode(signed).decode()})


@post("/answer/sealed", status_code=200, request_max_body_size=LIMIT)
async def take_sealed(request: AppRequest, urn: NamedDependency[Urn]) -> Response[bytes]:
    """Receive a sheet that was sealed on the phone: its words are never in this process."""
    language = language_of(request)
    sent = await _body(request, SealedSheet)
    wave, refused = await in_wave(sent.wave, lambda wave: _receive_sealed(sent, wave, urn))
    if wave is None or refused:
        key, status = refused if wave is not None and refused else _OVER
        return _problem(language, key, status)
    return _json({"received": True})


async def _receive_sealed(sent: SealedSheet, wave: OpenWave, urn: Urn) -> tuple[str, int] | None:
    if wave.id != sent.wave:  # nothing that was sealed for one is opened in another
        return _OVER
    try:
        attempt = bytes.fromhex(sent.attempt)
    except ValueError:
        return "staff.problem.unknown_item", 422
    try:
        right = Right.verified(sent.code, wave)
    except NotACode:
        return not_a_code(sent.code), 422
    return await admit(urn, right, _bytes(sent.envelope), attempt)


HANDLERS = (words, state_of_link, take_token, take_sealed)
