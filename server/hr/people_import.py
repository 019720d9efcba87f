"""A new staff list: read in a process of its own, looked at, then taken as the list; refused as a whole while one row is wrong."""

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar

import msgspec
from litestar import Response, post
from litestar.datastructures import UploadFile
from litestar.di import NamedDependency
from litestar.response import Redirect

from server.frame.asked import AppRequest
from server.frame.pages import Shell, show
from server.frame.security import checked_form
from server.frame.signed_in import Desk, desk_language, done, frame
from server.frame.texts import say
from server.hr.people import people_page, unit_paths
from server.processes import workers
from server.settings import Settings
from surveys.importing.people import PeopleImport
from surveys.importing.sheets import FileUnreadable
from surveys.lifecycle import copies
from surveys.lifecycle import roster as importing
from surveys.lifecycle.context import Site
from surveys.lifecycle.roster import DraftGone, ListChanged, ManyLeave, NotDecided, NumbersMissing, Preview
from surveys.odd import StoreOdd
from surveys.people import roster
from surveys.people.matching import Change, Changes, PersonEntry
from surveys.staff_number import key_of

UPLOAD_LIMIT = 51 * 1024 * 1024
READING_SECONDS = 30
MOST_ROWS = 200
"""So many rows of each kind are shown."""
CHOICE = "who_"
"""The fields of a form that say who a row is begin so; her number follows."""
UNIT = "unit_"
"""And those that say which unit it is: its code in the new list follows, its value is the code of now."""


@dataclass(frozen=True, slots=True)
class Part:
    """One kind of change: its name, how many there are, rows of a name and what changes, and how many more there are."""

    name: str
    count: int
    rows: tuple[tuple[str, str], ...]
    more: int


@dataclass(frozen=True, slots=True)
class Question:
    """A row or a unit of which somebody may say who or which it is: its field, in words, what it may be, and what was chosen."""

    field: str
    who: str
    choices: tuple[tuple[str, str], ...]
    chosen: str = ""


@dataclass(frozen=True, slots=True)
class PreviewPage:
    """What a new list would change; the yes."""

    template: ClassVar[str] = "people_preview.html"
    shell: Shell
    desk: Desk
    title: str
    draft: str
    parts: tuple[Part, ...]
    numbered: int
    questions: tuple[Question, ...]
    units: tuple[Question, ...]
    chosen: tuple[tuple[str, str], ...]
    """Fields and values of what was decided before."""
    leaving: int
    many_leave: str


async def _page(
    request: AppRequest, found: Preview, data: Mapping[str, str] | None = None, error: str = ""
) -> Response[str]:
    data = data or {}
    shell, desk = await frame(request, error=error)
    language, changes = shell.language, found.changes
    units = unit_paths(await roster.units()) | unit_paths(found.units)
    leaving = len(changes.left)
    page = PreviewPage(
        shell,
        desk,
        say(language, "hr.people.preview"),
        found.draft,
        _parts(changes, units, language),
        changes.numbered,
        questions := tuple(_questions(changes, units, language)),
        tuple(_new_units(found, units, data, language)),
        _chosen(data, {one.field for one in questions}),
        leaving,
        say(language, "hr.people.many_leave", n=leaving, before=changes.before) if found.asks else "",
    )
    return show(page, status=422 if error else 200)


def _parts(changes: Changes, units: Mapping[str, str], language: str) -> tuple[Part, ...]:
    asked = {id(one.entry) for one in changes.undecided}
    added = [entry for entry in changes.added if id(entry) not in asked]
    kinds: dict[str, list[tuple[str, str]]] = {
        "added": [(entry.name, units.get(entry.unit, "")) for entry in added],
        "changed": [(one.after.name, _what(one, units, language)) for one in changes.changed],
        "moved": [(one.after.name, _what(one, units, language)) for one in changes.moved],
        "left": [(entry.name, units.get(entry.unit, "")) for entry in changes.left],
    }
    return tuple(
        Part(say(language, f"hr.people.part_{kind}"), len(rows), tuple(rows[:MOST_ROWS]), max(0, len(rows) - MOST_ROWS))
        for kind, rows in kinds.items()
    )


def _what(change: Change, units: Mapping[str, str], language: str) -> str:
    """Each field before and after, in words."""
    told = []
    for field in fields(PersonEntry):
        values = getattr(change.before, field.name), getattr(change.after, field.name)
        if values[0] == values[1] or (field.name == "number" and key_of(values[0]) == key_of(values[1])):
            continue
        name = say(language, f"hr.people.field_{field.name}")
        if field.name == "attributes":
            told.append(name)
        else:
            before, after = (units.get(value, value) if field.name == "unit" else value for value in values)
            told.append(f"{name}: {before or '–'} → {after or '–'}")
    return "; ".join(told)


def _chosen(data: Mapping[str, str], open_: Container[str]) -> tuple[tuple[str, str], ...]:
    return tuple((name, value) for name, value in data.items() if name.startswith(CHOICE) and name not in open_)


def _questions(changes: Changes, units: Mapping[str, str], language: str) -> Iterable[Question]:
    def told(entry: PersonEntry) -> str:
        return ", ".join(filter(None, (entry.number, entry.name, entry.contact, units.get(entry.unit, ""))))

    for one in changes.undecided:
        field = CHOICE + key_of(one.entry.number)
        people = ((str(known.id), told(known.entry)) for known in one.perhaps)
        choices = (("", say(language, "hr.people.choose")), *people, ("0", say(language, "hr.people.is_new")))
        yield Question(field, told(one.entry), choices)


def _new_units(found: Preview, units: Mapping[str, str], data: Mapping[str, str], language: str) -> Iterable[Question]:
    for one in found.new_units:
        choices = (("", say(language, "hr.people.new_unit")), *((unit.code, units[unit.code]) for unit in one.perhaps))
        field = UNIT + one.unit.code
        yield Question(field, one.unit.name, choices, data.get(field, ""))


@post("/people", request_max_body_size=UPLOAD_LIMIT)
async def import_file(
    request: AppRequest, settings: NamedDependency[Settings], site: NamedDependency[Site]
) -> Response[str]:
    """Show what a file of people would change: nothing is written but the file's own rows, for an hour."""
    await checked_form(request)
    language = desk_language(request)
    found = await _read(settings, (await request.form()).get("file"))
    if isinstance(found, FileUnreadable):
        return await people_page(request, error=say(language, f"import.file.{found.reason}", **found.params))
    if found is None or found.refused:
        error = "" if found else say(language, "import.file.none")
        return await people_page(request, tuple(found.refused) if found else (), error)
    try:
        return await _page(request, await importing.preview(site, found, datetime.now(UTC)))
    except NumbersMissing:
        return await people_page(request, error=say(language, "hr.people.no_numbers"))
    except StoreOdd:
        return await people_page(request, odd=(await roster.look())[1])


async def _read(settings: Settings, sent: object) -> PeopleImport | FileUnreadable | None:
    """Read a staff list in a process of its own: a workbook that unpacks to very much holds up nobody. None without a file."""
    if not isinstance(sent, UploadFile) or not sent.filename:
        return None
    kind = "".join(letter for letter in Path(sent.filename).suffix if letter.isalnum() and letter.isascii())
    with copies.passing(settings.data, f".{kind[:9]}" if kind else "") as file:
        file.write(await sent.read())
        file.flush()
        try:
            answer = await workers.run(settings, "people", {"path": file.name}, seconds=READING_SECONDS)
        except workers.WorkFailed:
            return FileUnreadable("heavy")
    if "unreadable" in answer:
        return FileUnreadable(answer["unreadable"], **answer["params"])
    return msgspec.convert(answer["found"], PeopleImport)


@post("/people/confirm")
async def confirm(request: AppRequest, site: NamedDependency[Site]) -> Response[str] | Redirect:
    """Take the list that was looked at, or show it again with what lacks."""
    data, now = await checked_form(request), datetime.now(UTC)
    draft, language = data.get("draft", ""), desk_language(request)
    try:
        await importing.confirm(site, draft, now, _number(data.get("leaving", "")), _decided(data), _renamed(data))
    except (ManyLeave, NotDecided, ListChanged, NumbersMissing) as problem:
        return await _again(request, site, draft, data, type(problem).__name__)
    except DraftGone:
        return await people_page(request, error=say(language, "hr.people.draft_gone"))
    except StoreOdd:
        return await people_page(request, odd=(await roster.look())[1])
    return done("/hr/people", "people_imported")


async def _again(request: AppRequest, site: Site, draft: str, data: Mapping[str, str], why: str) -> Response[str]:
    keys = {"ManyLeave": "leaving_first", "NotDecided": "choose_first", "ListChanged": "list_changed"}
    error = say(desk_language(request), f"hr.people.{keys.get(why, 'no_numbers')}")
    found = await importing.preview_again(site, draft, datetime.now(UTC), _decided(data), _renamed(data))
    return await _page(request, found, data, error)


def _decided(data: Mapping[str, str]) -> dict[str, int]:
    """Who is who, by the keys of the numbers; what is no choice of the form decides nothing."""
    chosen = {name.removeprefix(CHOICE): _number(value) for name, value in data.items() if name.startswith(CHOICE)}
    return {number: who for number, who in chosen.items() if who is not None}


def _renamed(data: Mapping[str, str]) -> dict[str, str]:
    """Which unit is which of now, by the code in the new list."""
    return {name.removeprefix(UNIT): old for name, old in data.items() if name.startswith(UNIT) and old}


def _number(text: str) -> int | None:
    typed = text.strip()
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 20 else None


HANDLERS = (import_file, confirm)
