"""What a person is told while a store is away: in her language, without asking any store, and with what she sent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from litestar import Response

from server.frame.asked import AppRequest
from server.frame.pages import MessagePage, Shell, language_of, shell, show
from server.frame.texts import say

RETRY_SECONDS = 30


@dataclass(frozen=True, slots=True)
class KeptPage:
    """A form that could not be taken, whole, to be sent again: where to, and its fields as they came."""

    template: ClassVar[str] = "kept.html"
    shell: Shell
    title: str
    text: str
    button: str
    action: str
    fields: tuple[tuple[str, str], ...]


def _later(answer: Response[Any]) -> Response[Any]:
    answer.set_header("Retry-After", str(RETRY_SECONDS))
    return answer


def answer(request: AppRequest) -> Response[Any]:
    """Say that a store is away: a page, or to a script the sentence that it shows."""
    language = language_of(request)
    said = say(language, "staff.problem.storage" if request.url.path == "/answer/sealed" else "staff.away.text")
    navigates = "text/html" in request.headers.get("accept", "")
    if not navigates and (request.method == "POST" or request.url.path == "/answer/words"):
        return _later(Response({"problem": said, "busy": True}, status_code=503))
    return _later(show(MessagePage(shell(None, language), say(language, "staff.away.title"), said), status=503))


def keep(language: str, action: str, posted: Mapping[str, Sequence[str]]) -> Response[Any]:
    """Give an answer sheet back that could not be taken: nothing of it was kept here, and one press sends it again."""
    sends = action == "/answer"
    page = KeptPage(
        shell(None, language),
        say(language, "staff.away.title"),
        say(language, "staff.problem.storage" if sends else "staff.away.text"),
        say(language, "staff.answer.send" if sends else "staff.shell.language_go"),
        action,
        tuple((name, value) for name, values in posted.items() for value in values),
    )
    return _later(show(page, status=503))
