"""People and units: how many there are, and the last import taken back."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.response import Redirect

from server.frame.asked import AppRequest
from server.frame.display import day
from server.frame.pages import Shell, show
from server.frame.security import checked_form
from server.frame.signed_in import Desk, done, frame
from server.frame.texts import catalogue, say
from surveys.importing.sheets import RefusedRow
from surveys.lifecycle.context import Site, today
from surveys.lifecycle.roster import take_back
from surveys.people import lists, roster
from surveys.people.roster import UnitEntry


@dataclass(frozen=True, slots=True)
class RefusedLine:
    row: int
    column: str
    value: str
    remedy: str


@dataclass(frozen=True, slots=True)
class PeoplePage:
    """How many people, in which units; the import, and how the last one is taken back."""

    template: ClassVar[str] = "people.html"
    shell: Shell
    desk: Desk
    title: str
    people: int
    units: tuple[tuple[int, str, int], ...]
    refused: tuple[RefusedLine, ...]
    undo: str
    unreadable: tuple[str, ...]


def unreadable(odd: Iterable[str], language: str) -> tuple[str, ...]:
    """Whose row cannot be read, a sentence each."""
    return tuple(say(language, "hr.people.unreadable", n=name) for name in odd)


async def people_page(
    request: AppRequest, refused: tuple[RefusedRow, ...] = (), error: str = "", odd: tuple[str, ...] = ()
) -> Response[str]:
    """The page as it is, with what was refused, and whose rows stand in the way."""
    shell, desk = await frame(request, error=error)
    language = shell.language
    everybody, units = await roster.heads()
    lines, depth = [], {"": 0}
    for entry, inside in units:
        depth[entry.code] = depth.get(entry.parent, 0) + 1
        lines.append((depth[entry.code] - 1, entry.name, inside))
    before = await lists.before(today())
    page = PeoplePage(
        shell,
        desk,
        say(language, "hr.people.heading"),
        everybody,
        tuple(lines),
        tuple(RefusedLine(r.row, r.column, r.value, remedy_of(r, language)) for r in refused),
        say(language, "hr.people.undo", day=day(before.day, language), who=before.actor) if before else "",
        unreadable(odd, language),
    )
    return show(page, status=422 if refused or error or odd else 200)


def unit_paths(units: Sequence[UnitEntry]) -> dict[str, str]:
    """Each unit by its code: its name after those above it, as two of one name are told apart."""
    paths: dict[str, str] = {}
    for unit in units:
        paths[unit.code] = " · ".join(filter(None, (paths.get(unit.parent, ""), unit.name)))
    return paths


def remedy_of(row: RefusedRow, language: str) -> str:
    """How a cell that is wrong is corrected."""
    key = f"import.remedy.{row.remedy_key}"
    return say(language, key) if key in catalogue(language) else row.remedy


@get("/people")
async def people(request: AppRequest) -> Response[str]:
    """Show people and units."""
    return await people_page(request)


@post("/people/undo")
async def undo(request: AppRequest, site: NamedDependency[Site]) -> Redirect:
    """Take the last import back."""
    await checked_form(request)
    return done("/hr/people", "import_undone" if await take_back(site) else "import_not_undone")


HANDLERS = (people, undo)
