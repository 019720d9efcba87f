"""People and units: import from a file, refused as a whole while one row is wrong."""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import msgspec
from litestar import Response, get, post
from litestar.datastructures import UploadFile
from litestar.di import NamedDependency
from litestar.response import Redirect

from server.frame.asked import AppRequest
from server.frame.pages import Shell, show
from server.frame.security import checked_form
from server.frame.signed_in import Desk, done, frame
from server.frame.texts import catalogue, say
from server.processes import workers
from server.settings import Settings
from surveys.importing.people import PeopleImport, RefusedRow
from surveys.importing.sheets import FileUnreadable
from surveys.lifecycle.context import Site
from surveys.lifecycle.roster import ManyLeave, NotDecided, NumbersMissing, import_people
from surveys.people import roster
from surveys.people.roster import Changes

UPLOAD_LIMIT = 51 * 1024 * 1024
READING_SECONDS = 30


@dataclass(frozen=True, slots=True)
class RefusedLine:
    row: int
    column: str
    value: str
    remedy: str


@dataclass(frozen=True, slots=True)
class PeoplePage:
    """How many people, in which units; the import."""

    template: ClassVar[str] = "people.html"
    shell: Shell
    desk: Desk
    title: str
    people: int
    units: tuple[tuple[int, str, int], ...]
    refused: tuple[RefusedLine, ...]
    asked: "Asked | None"


@dataclass(frozen=True, slots=True)
class Asked:
    """What a new list would change, while it waits for the number of those who leave."""

    text: str
    leaving: int
    others: str
    names: tuple[str, ...]
    more: int


MOST_NAMES = 100


async def _page(
    request: AppRequest, refused: tuple[RefusedRow, ...] = (), error: str = "", changes: Changes | None = None
) -> Response[str]:
    shell, desk = await frame(request, error=error)
    language = shell.language
    everybody, units = await roster.heads()
    lines, depth = [], {"": 0}
    for entry, inside in units:
        depth[entry.code] = depth.get(entry.parent, 0) + 1
        lines.append((depth[entry.code] - 1, entry.name, inside))
    page = PeoplePage(
        shell,
        desk,
        say(language, "hr.people.heading"),
        everybody,
        tuple(lines),
        tuple(RefusedLine(r.row, r.column, r.value, _remedy(r, language)) for r in refused),
        _asked(changes, language) if changes else None,
    )
    return show(page, status=422 if refused or error or changes else 200)


def _asked(changes: Changes, language: str) -> Asked:
    leaving = len(changes.left)
    return Asked(
        say(language, "hr.people.many_leave", n=leaving, before=changes.before),
        leaving,
        say(language, "hr.people.others", added=len(changes.added), moved=len(changes.moved)),
        tuple(entry.name for entry in changes.left[:MOST_NAMES]),
        max(0, leaving - MOST_NAMES),
    )


def _remedy(row: RefusedRow, language: str) -> str:
    key = f"import.remedy.{row.remedy_key}"
    return say(language, key) if key in catalogue(language) else row.remedy


async def _read(settings: Settings, path: str) -> PeopleImport | FileUnreadable:
    """Read a staff list in a process of its own: a workbook that unpacks to very much holds up nobody."""
    try:
        answer = await workers.run(settings, "people", {"path": path}, seconds=READING_SECONDS)
    except workers.WorkFailed:
        return FileUnreadable("heavy")
    if "unreadable" in answer:
        return FileUnreadable(answer["unreadable"], **answer["params"])
    return msgspec.convert(answer["found"], PeopleImport)


@get("/people")
async def people(request: AppRequest) -> Response[str]:
    """Show people and units."""
    return await _page(request)


@post("/people", request_max_body_size=UPLOAD_LIMIT)
async def import_file(
    request: AppRequest, settings: NamedDependency[Settings], site: NamedDependency[Site]
) -> Response[str] | Redirect:
    """Import a file of people: all rows, or none."""
    data = await checked_form(request)
    language = (await frame(request))[0].language
    upload = (await request.form()).get("file")
    if not isinstance(upload, UploadFile) or not upload.filename:
        return await _page(request, error=say(language, "import.file.none"))
    kind = "".join(letter for letter in Path(upload.filename).suffix if letter.isalnum() and letter.isascii())
    with tempfile.NamedTemporaryFile(suffix=f".{kind[:9]}" if kind else "", dir=settings.data) as file:
        file.write(await upload.read())
        file.flush()
        found = await _read(settings, file.name)
    if isinstance(found, FileUnreadable):
        return await _page(request, error=say(language, f"import.file.{found.reason}", **found.params))
    if found.refused:
        return await _page(request, tuple(found.refused))
    try:
        await import_people(site, found, _number(data.get("leaving", "")))
    except ManyLeave as problem:
        return await _page(request, changes=problem.changes)
    except NotDecided as problem:
        names = ", ".join(one.entry.name for one in problem.changes.undecided[:MOST_NAMES])
        return await _page(request, error=say(language, "hr.people.undecided", names=names))
    except NumbersMissing:
        return await _page(request, error=say(language, "hr.people.no_numbers"))
    return done("/hr/people", "people_imported")


def _number(text: str) -> int | None:
    typed = text.strip()
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 9 else None


HANDLERS = (people, import_file)
