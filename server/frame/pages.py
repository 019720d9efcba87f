"""What every page has, and how a page becomes a response: one frozen dataclass for each template."""

from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import ClassVar, Protocol

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from litestar import Response
from litestar.datastructures import Cookie

from server.frame import texts
from server.frame.asked import AppRequest
from surveys.languages import LANGUAGES, REVIEWED
from surveys.public.organisation import OrganisationRecord, load

HERE = Path(__file__).parents[1]
STATIC = HERE / "static"
AUDIENCES = ("respondents", "reporters", "handlers", "hr", "keyholders", "auditors", "accounts")


@cache
def style() -> str:
    """The one style sheet, carried inside staff pages so that they need a single request."""
    return (STATIC / "style.css").read_text("utf-8")


@cache
def static_address(name: str) -> str:
    """The address of a static file, with a piece of its hash so that it may be cached for ever."""
    digest = sha256((STATIC / name).read_bytes()).hexdigest()[:12]
    stem, _, ending = name.rpartition(".")
    return f"/static/{stem}.{digest}.{ending}"


@cache
def environment() -> Environment:
    folders = [HERE / "templates", *(HERE / audience / "templates" for audience in AUDIENCES)]
    return Environment(
        loader=FileSystemLoader(folders),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@dataclass(frozen=True, slots=True)
class Shell:
    """What surrounds every page."""

    language: str
    direction: str
    language_name: str
    languages: tuple[tuple[str, str], ...]
    organisation: str
    demonstration: bool
    draft: bool
    style: str


class Page(Protocol):
    """A page: a frozen dataclass that names its template."""

    template: ClassVar[str]

    @property
    def shell(self) -> Shell: ...
    @property
    def title(self) -> str: ...


def shell(organisation: OrganisationRecord | None, language: str) -> Shell:
    offered = organisation.languages if organisation else LANGUAGES
    return Shell(
        language=language,
        direction=texts.direction(language),
        language_name=texts.NAMES[language],
        languages=tuple((code, texts.NAMES[code]) for code in offered),
        organisation=organisation.name if organisation else "Ascolto",
        demonstration=bool(organisation and organisation.demonstration),
        draft=language not in REVIEWED,
        style=style(),
    )


def language_of(request: AppRequest, offered: tuple[str, ...] = LANGUAGES) -> str:
    """The language of a request: asked for in the address, else guessed; never remembered."""
    return texts.choose_language(request.query_params.get("lang"), request.headers.get("accept-language", ""), offered)


async def staff_shell(request: AppRequest, language: str | None = None) -> Shell:
    organisation = await load()
    offered = organisation.languages if organisation else LANGUAGES
    return shell(organisation, language if language in offered else language_of(request, offered))


def render(page: Page) -> str:
    """Fill the template of a page; it sees the page and its sentences, nothing else."""

    def t(key: str, **values: object) -> str:
        return texts.say(page.shell.language, key, **values)

    return environment().get_template(page.template).render(page=page, t=t, static=static_address)


def show(page: Page, *, status: int = 200, cookies: list[Cookie] | None = None) -> Response[str]:
    """Answer with a page."""
    return Response(render(page), status_code=status, media_type="text/html", cookies=cookies or [])


@dataclass(frozen=True, slots=True)
class MessagePage:
    """Says one thing: an error, or that something is not here."""

    template: ClassVar[str] = "message.html"
    shell: Shell
    title: str
    text: str
