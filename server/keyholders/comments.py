"""The guarantee team reads comments: opened with its words for one page, let out one by one by two people."""

from dataclasses import dataclass
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
from surveys.answers.keys import SecretRefused
from surveys.lifecycle.comments import WORDING_LETTERS, Readable, WordingTooLong, open_comments, put_forward
from surveys.lifecycle.context import Site
from surveys.lifecycle.planning import GUARANTEE
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
    """Either the request for the team's words, or the comments that wait."""

    template: ClassVar[str] = "comments.html"
    shell: Shell
    desk: Desk
    title: str
    wave: str
    secret: str
    blocks: tuple[CommentBlock, ...]


def pieces_of(comment: Readable) -> tuple[tuple[str, bool], ...]:
    """The text cut at its marks: what may name somebody is true."""
    pieces, start = [], 0
    for mark in comment.marks:
        pieces += [(comment.text[start : mark.start], False), (comment.text[mark.start : mark.end], True)]
        start = mark.end
    return (*pieces, (comment.text[start:], False))


async def _page(request: AppRequest, wave: WaveRecord, secret: str, error: str = "") -> Response[str]:
    blocks: tuple[CommentBlock, ...] = ()
    shell, desk = await frame(request, error=error)
    if secret:
        try:
            opened = await open_comments(wave.id, secret)
        except SecretRefused:
            return await _page(request, wave, "", say(shell.language, "desk.comments.wrong"))
        questions = {item.id: text_of(item.text, shell.language) for item in questionnaire_of(wave).items()}
        me = account_of(request).name
        blocks = tuple(
            CommentBlock(
                c.id, questions.get(c.item, c.item), pieces_of(c), c.wording, c.proposed_by, c.proposed_by == me
            )
            for c in opened
        )
    title = say(shell.language, "desk.comments.heading", title=text_of(wave.title, shell.language))
    return show(CommentsPage(shell, desk, title, wave.id, secret, blocks), status=422 if error else 200)


@get("/{wave:str}/comments")
async def ask(request: AppRequest, wave: FromPath[str]) -> Response[str]:
    """Ask for the team's words."""
    return await _page(request, await get_wave(wave), "")


@post("/{wave:str}/comments", status_code=200)
async def read(request: AppRequest, wave: FromPath[str]) -> Response[str]:
    """Show what waits."""
    data = await checked_form(request)
    return await _page(request, await get_wave(wave), data.get("secret", ""))


@post("/{wave:str}/comments/{comment:int}", status_code=200)
async def decide(
    request: AppRequest, wave: FromPath[str], comment: FromPath[int], site: NamedDependency[Site]
) -> Response[str]:
    """Propose a wording, or agree to one: two different people send the same."""
    data = await checked_form(request)
    secret, error = data.get("secret", ""), ""
    wording = "" if "withhold" in data else data.get("wording", "")
    try:
        await put_forward(site, wave, comment, wording, secret)
    except SecretRefused:
        secret = ""
    except WordingTooLong:
        language = (await frame(request))[0].language
        error = say(language, "desk.comments.long", n=WORDING_LETTERS)
    return await _page(request, await get_wave(wave), secret, error)


ROUTERS = [Router(path="/keys", guards=[DeskAccount(GUARANTEE)], route_handlers=[ask, read, decide])]
