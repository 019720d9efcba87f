"""One person of the staff list: found by a form, so that no name stands in an address; added, corrected, marked as left."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from litestar.response import Redirect

from server.frame.asked import AppRequest
from server.frame.pages import Shell, show
from server.frame.security import checked_form
from server.frame.signed_in import Desk, desk_language, done, frame
from server.frame.texts import NAMES, say
from server.hr.people import remedy_of, unit_paths, unreadable
from surveys.importing.words import AGE_BANDS
from surveys.languages import LANGUAGES
from surveys.lifecycle import person as acts
from surveys.lifecycle.context import Site
from surveys.lifecycle.person import CellsRefused
from surveys.people import person as people
from surveys.people import roster
from surveys.people.person import MOST_FOUND, PersonRefused

type Choices = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class FoundPage:
    """Who was found: row, name, and what tells her apart."""

    template: ClassVar[str] = "people_found.html"
    shell: Shell
    desk: Desk
    title: str
    found: tuple[tuple[int, str, str], ...]
    more: bool
    unreadable: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PersonPage:
    """What is known of one person, to correct; `row` is 0 of somebody who is not on the list yet."""

    template: ClassVar[str] = "person.html"
    shell: Shell
    desk: Desk
    title: str
    row: int
    given: Mapping[str, str]
    numbers: bool
    units: Choices
    languages: Choices
    genders: Choices
    ages: Choices


async def _page(request: AppRequest, row: int, given: Mapping[str, str], error: str = "") -> Response[str]:
    shell, desk = await frame(request, error=error)
    language, nothing = shell.language, ("", "–")
    page = PersonPage(
        shell,
        desk,
        given.get("name", "") if row else say(language, "hr.person.new"),
        row,
        {name: acts.plain(given.get(name, "")) for name in acts.FIELDS},
        await roster.has_numbers() or not await roster.count(),
        (*(() if row else (nothing,)), *unit_paths(await roster.units()).items()),
        (nothing, *((code, NAMES[code]) for code in LANGUAGES)),
        (nothing, *((code, say(language, f"hr.person.gender_{code}")) for code in ("f", "m", "nb", "self"))),
        (nothing, *((code, say(language, f"hr.person.age_{code}")) for code, *_ in AGE_BANDS)),
    )
    return show(page, status=422 if error else 200)


def _row(text: str) -> int:
    """The row that an address names.

    Raises
    ------
    NotFoundException
    """
    row = int(text) if text.isascii() and text.isdigit() and len(text) < 20 else 0
    if not 0 < row < 2**62:
        raise NotFoundException
    return row


def _why(problem: CellsRefused | PersonRefused, language: str) -> str:
    """What was refused, in words."""
    if isinstance(problem, PersonRefused):
        return say(language, f"hr.person.refused_{problem.reason}")
    return " ".join(f"“{cell.value}”: {remedy_of(cell, language)}" for cell in problem.cells)


@post("/people/find", status_code=200)
async def find(request: AppRequest) -> Response[str]:
    """Show those in whose name, number or contact a text is."""
    data = await checked_form(request)
    shell, desk = await frame(request)
    found, odd = await people.find(acts.plain(data.get("text", "")))
    units = unit_paths(await roster.units())
    lines = tuple(
        (one.id, one.entry.name, " · ".join(filter(None, (one.entry.number, units.get(one.entry.unit)))))
        for one in found[:MOST_FOUND]
    )
    return show(
        FoundPage(
            shell,
            desk,
            say(shell.language, "hr.person.found"),
            lines,
            len(found) > MOST_FOUND,
            unreadable(odd, shell.language),
        )
    )


@get("/people/new")
async def new(request: AppRequest) -> Response[str]:
    """Show the form of a new person."""
    return await _page(request, 0, {})


@post("/people/new")
async def add(request: AppRequest, site: NamedDependency[Site]) -> Response[str] | Redirect:
    """Put somebody on the list."""
    data = await checked_form(request)
    try:
        row = await acts.add(site, data)
    except (CellsRefused, PersonRefused) as problem:
        return await _page(request, 0, data, _why(problem, desk_language(request)))
    return done(f"/hr/people/one/{row}", "person_added")


@get("/people/one/{person:str}")
async def one(request: AppRequest, person: FromPath[str]) -> Response[str]:
    """Show what is known of somebody."""
    try:
        known = await people.get(_row(person))
    except PersonRefused as problem:
        raise NotFoundException from problem
    return await _page(request, known.id, {name: getattr(known.entry, name) for name in acts.FIELDS})


@post("/people/one/{person:str}")
async def correct(request: AppRequest, person: FromPath[str], site: NamedDependency[Site]) -> Response[str] | Redirect:
    """Write anew what is known of somebody."""
    data, row = await checked_form(request), _row(person)
    try:
        await acts.correct(site, row, data)
    except (CellsRefused, PersonRefused) as problem:
        return await _page(request, row, data, _why(problem, desk_language(request)))
    return done(f"/hr/people/one/{row}", "person_corrected")


@post("/people/one/{person:str}/left")
async def left(request: AppRequest, person: FromPath[str], site: NamedDependency[Site]) -> Redirect:
    """Mark somebody as left."""
    await checked_form(request)
    try:
        await acts.leave(site, _row(person))
    except PersonRefused as problem:
        raise NotFoundException from problem
    return done("/hr/people", "person_left")


HANDLERS = (find, new, add, one, correct, left)
