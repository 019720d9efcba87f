"""The guarantee team reads comments: opened with its words for one sitting, one at a time, let out by two people."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from litestar import Response, Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from server.frame.asked import AppRequest
from server.frame.display import text_of
from server.frame.pages import Shell, show
from server.frame.security import DeskAccount, account_of, checked_form
from server.frame.signed_in import Desk, frame
from server.frame.texts import say
from server.keyholders.carried import carried, carry
from surveys.answers.keys import SecretRefused
from surveys.lifecycle.comments import (
    WORDING_LETTERS,
    CommentDecided,
    Readable,
    WordingTooLong,
    open_comments,
    put_forward,
)
from surveys.lifecycle.context import Site
from surveys.lifecycle.planning import GUARANTEE
from surveys.public import comments
from surveys.public.questionnaires import questionnaire_of
from surveys.public.waves import WaveRecord
from surveys.public.waves import get as get_wave


@dataclass(frozen=True, slots=True)
class CommentBlock:
    """One comment: its question, its text in pieces (each marked or not), the wording in its field, who has proposed it."""

    id: int
    question: str
    pieces: tuple[tuple[str, bool], ...]
    wording: str
    proposed_by: str
    mine: bool


@dataclass(frozen=True, slots=True)
class CommentsPage:
    """Either the request for the team's words, or one comment that waits."""

    template: ClassVar[str] = "comments.html"
    shell: Shell
    desk: Desk
    title: str
    wave: str
    opened: str
    """What the next page of this sitting needs, locked; never the words themselves."""
    progress: str
    block: CommentBlock | None
    after: int
    """The comment to come to when this one is left for later."""


def pieces_of(comment: Readable) -> tuple[tuple[str, bool], ...]:
    """The text cut at its marks: what may name somebody is true."""
    pieces, start = [], 0
    for mark in comment.marks:
        pieces += [(comment.text[start : mark.start], False), (comment.text[mark.start : mark.end], True)]
        start = mark.end
    return (*pieces, (comment.text[start:], False))


@dataclass(frozen=True, slots=True)
class Sitting:
    """What a page is made from: the wave, the words, where they are locked, and which comment was asked for."""

    wave: WaveRecord
    data: Path
    words: str = ""
    at: int = 0


async def _page(request: AppRequest, sitting: Sitting, error: str = "") -> Response[str]:
    shell, desk = await frame(request, error=error)
    wave, language = sitting.wave, shell.language
    title = say(language, "desk.comments.heading", title=text_of(wave.title, language))
    if not sitting.words:
        page = CommentsPage(shell, desk, title, wave.id, "", "", None, 0)
        return show(page, status=422 if error else 200)
    try:
        waiting = await open_comments(wave.id, sitting.words)
        opened = carry(sitting.data, str(request.state.token), wave.id, sitting.words)
    except (SecretRefused, ValueError):
        return await _page(request, Sitting(wave, sitting.data), say(language, "desk.comments.wrong"))
    me = account_of(request).name
    ordered = sorted(waiting, key=lambda one: _turn(one, me))
    place = next((place for place, one in enumerate(ordered) if one.id == sitting.at), 0)
    # beside the loop: some texts take seconds, and staff are answering
    block = await asyncio.to_thread(_block, ordered[place], me, wave, language) if ordered else None
    after = ordered[(place + 1) % len(ordered)].id if ordered else 0
    total, mine = len(await comments.of_wave(wave.id)), sum(one.proposed_by == me for one in waiting)
    progress = say(language, "desk.comments.progress", left=len(waiting), total=total, mine=mine)
    page = CommentsPage(shell, desk, title, wave.id, opened, progress, block, after)
    return show(page, status=422 if error else 200)


def _turn(comment: Readable, me: str) -> int:
    """First what somebody else has proposed, then what nobody has, then what waits for somebody else."""
    return 2 if comment.proposed_by == me else 0 if comment.proposed_by else 1


def _block(comment: Readable, me: str, wave: WaveRecord, language: str) -> CommentBlock:
    questions = {item.id: text_of(item.text, language) for item in questionnaire_of(wave).items()}
    return CommentBlock(
        comment.id,
        questions.get(comment.item, comment.item),
        pieces_of(comment),
        comment.wording,
        comment.proposed_by,
        comment.proposed_by == me,
    )


def _words(request: AppRequest, wave: str, data: Mapping[str, str], folder: Path) -> str:
    """The words as they were typed, or as the page before carried them."""
    return data.get("secret", "") or carried(folder, str(request.state.token), wave, data.get("opened", ""))


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else 0


@get("/{wave:str}/comments")
async def ask(request: AppRequest, wave: FromPath[str], site: NamedDependency[Site]) -> Response[str]:
    """Ask for the team's words."""
    return await _page(request, Sitting(await get_wave(wave), site.data))


@post("/{wave:str}/comments", status_code=200)
async def read(request: AppRequest, wave: FromPath[str], site: NamedDependency[Site]) -> Response[str]:
    """Show one comment that waits."""
    data = await checked_form(request)
    record, words = await get_wave(wave), _words(request, wave, data, site.data)
    error = "" if words else say((await frame(request))[0].language, "desk.comments.over")
    return await _page(request, Sitting(record, site.data, words, _number(data.get("at", ""))), error)


@post("/{wave:str}/comments/{comment:int}", status_code=200)
async def decide(
    request: AppRequest, wave: FromPath[str], comment: FromPath[int], site: NamedDependency[Site]
) -> Response[str]:
    """Propose a wording, or agree to one: two different people send the same."""
    data = await checked_form(request)
    language, words, error, at = (await frame(request))[0].language, "", "", _number(data.get("at", ""))
    words = _words(request, wave, data, site.data)
    wording = "" if "withhold" in data else data.get("wording", "")
    try:
        await put_forward(site, wave, comment, wording, words)
    except SecretRefused:
        words, error = "", say(language, "desk.comments.over")
    except CommentDecided:
        error = say(language, "desk.comments.decided")
    except WordingTooLong:
        error, at = say(language, "desk.comments.long", n=WORDING_LETTERS), comment
    return await _page(request, Sitting(await get_wave(wave), site.data, words, at), error)


ROUTERS = [Router(path="/keys", guards=[DeskAccount(GUARANTEE)], route_handlers=[ask, read, decide])]
