"""The one page of the concern channel: help first, who reads, the text, the code. The same for everyone."""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from litestar import Response, get
from litestar.di import NamedDependency

from server.concern.channel import OpenChannel, ReaderLine, holder_names, house_lines, open_channel, reader_lines
from server.frame.asked import AppRequest
from server.frame.display import month_forms
from server.frame.pages import Shell, show, staff_shell, static_address
from server.frame.scripts import Script, script
from server.frame.texts import catalogue, say
from server.reporters import once
from server.reporters.places import small_places
from server.settings import Settings
from surveys.cases.codes import WORDS, Secret, new_code, to_digits, to_words
from surveys.stores import Engines

TEXT_LIMIT = 30_000
"""Characters of one message."""
KINDS = ("harassment", "sexual", "discrimination", "violence", "work", "advice")
WISHES = ("advice", "stop", "talk", "check", "know")
SCRIPTS = ("sealing.js", "concern-protocol.js", "signed.js", "fold.js", "signs.js", "concern.js", "letters.js")
_SCRIPT_TEXTS = ("check", "code", "sent", "back", "thread", "kind", "write", "who", "wrong")


@dataclass(frozen=True, slots=True)
class Code:
    """A code as a page shows it: its parts, and the two that are asked for (from 1)."""

    parts: tuple[str, ...]
    words: bool
    asked: tuple[int, int]
    typed: str


@dataclass(frozen=True, slots=True)
class Kept:
    """What was typed in a form that comes back."""

    fields: tuple[tuple[str, tuple[str, ...]], ...] = ()

    def get(self, name: str, otherwise: Sequence[str] = ()) -> Sequence[str]:
        return dict(self.fields).get(name, otherwise)


@dataclass(frozen=True, slots=True)
class ConcernPage:
    """Everything before sending, in sections of one page; `kept` is what was typed when a form comes back. `paused` while the
    list of readers waits to be signed anew: a code still opens, nothing new is taken."""

    template: ClassVar[str] = "concern.html"
    shell: Shell
    title: str
    readers: tuple[ReaderLine, ...]
    holders: str
    fingerprint: str
    house: str
    paused: bool
    kinds: tuple[tuple[str, str], ...]
    wishes: tuple[tuple[str, str], ...]
    code: Code
    plain: bool
    scripts: tuple[Script, ...]
    channel: str
    limit: int
    once: str
    problem: str = ""
    back_problem: str = ""
    kept: Kept = field(default_factory=Kept)


@dataclass(frozen=True, slots=True)
class ClosedPage:
    """The channel is not open: says so, and where help is."""

    template: ClassVar[str] = "concern_closed.html"
    shell: Shell
    title: str


def code_of(secret: Secret, language: str) -> Code:
    """Show a code as Italian words on the Italian page, as digits on all others."""
    if language == "it":
        return Code(to_words(secret), True, (2, WORDS - 1), " ".join(to_digits(secret)))
    return Code(to_digits(secret), False, (2, 6), " ".join(to_digits(secret)))


def _channel_content(channel: OpenChannel, language: str, places: Sequence[tuple[str, str]]) -> str:
    """What the script needs; public, and the same for everyone."""
    texts = {
        key.removeprefix("concern."): text
        for key, text in catalogue(language).items()
        if key.startswith(tuple(f"concern.{table}." for table in _SCRIPT_TEXTS)) or key == "concern.page.paused"
    }
    return json.dumps(
        {
            "salt": channel.salt,
            "day": channel.day.isoformat(),
            "language": language,
            "years": channel.record.retention_years,
            "longer": channel.record.kept_longer,
            "files": channel.record.other_files,
            "printed": channel.readers.house.printed if channel.readers.house else "",
            "words": static_address("words.txt"),
            "months": month_forms(language),
            "limit": TEXT_LIMIT,
            "texts": texts,
            "places": list(places),
        },
        ensure_ascii=False,
    )


def concern_page(
    frame: Shell,
    channel: OpenChannel,
    *,
    plain: bool,
    secret: Secret | None = None,
    problem: str = "",
    back_problem: str = "",
    kept: Mapping[str, Sequence[str]] | None = None,
    places: Sequence[tuple[str, str]] = (),
) -> ConcernPage:
    """Make the page; a form that came back keeps what was typed."""
    language = frame.language
    ring = channel.ring
    return ConcernPage(
        shell=frame,
        title=say(language, "concern.page.title"),
        readers=reader_lines(ring, language),
        holders=holder_names(ring),
        fingerprint=house_lines(channel.readers)[1],
        house=house_lines(channel.readers)[0],
        paused=ring is None,
        kinds=tuple((kind, say(language, f"concern.write.what_{kind}")) for kind in KINDS),
        wishes=tuple((wish, say(language, f"concern.write.wish_{wish}")) for wish in WISHES),
        code=code_of(secret or new_code(os.urandom), language),
        plain=plain,
        scripts=() if plain else tuple(script(name) for name in SCRIPTS),
        channel="" if plain else _channel_content(channel, language, places),
        limit=TEXT_LIMIT,
        once=once.pages.number(),
        problem=problem,
        back_problem=back_problem,
        kept=Kept(tuple((name, tuple(values)) for name, values in (kept or {}).items())),
    )


def closed_page(frame: Shell) -> Response[str]:
    return show(ClosedPage(frame, say(frame.language, "concern.page.title")))


@get("/concern")
async def concern(
    request: AppRequest, engines: NamedDependency[Engines], settings: NamedDependency[Settings]
) -> Response[str]:
    """Show the page; with ``?plain`` for browsers whose script does not start."""
    frame = await staff_shell(request)
    channel = await open_channel(settings, engines)
    if channel is None:
        return closed_page(frame)
    plain = "plain" in request.query_params
    places = () if plain else await small_places(frame.language, channel.day)
    return show(concern_page(frame, channel, plain=plain, places=places))
