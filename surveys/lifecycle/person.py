"""One person of the staff list, by hand: read by the rules of a file, and told in the log without a name."""

from collections.abc import Mapping

from surveys.importing.people import read_person
from surveys.importing.sheets import RefusedRow
from surveys.legible import legible
from surveys.lifecycle.context import Site
from surveys.people import log, person
from surveys.people.matching import PersonEntry

FIELDS = ("number", "name", "contact", "consent", "language", "unit", "gender", "age")
MOST_SIGNS = 300
_COLUMNS = {"contact": "email", "unit": "territory"}
"""What a file calls a field, where that is another name; a contact may be a telephone number there too."""


class CellsRefused(Exception):
    """What was typed is wrong in these cells."""

    def __init__(self, cells: list[RefusedRow]) -> None:
        super().__init__(len(cells))
        self.cells = tuple(cells)


async def add(site: Site, typed: Mapping[str, str]) -> int:
    """Put somebody on the list; gives her row.

    Raises
    ------
    CellsRefused
    PersonRefused
    """
    people = site.engines["people"]
    async with people.transaction():
        row = await person.add(people, _entry(site, typed), site.day)
        await log.record(people, site.day, site.actor, "person added")
    return row


async def correct(site: Site, row: int, typed: Mapping[str, str]) -> None:
    """Write anew what is known of somebody, her unit too. Her invitation stays hers.

    Raises
    ------
    CellsRefused
    PersonRefused
    """
    people = site.engines["people"]
    async with people.transaction():
        await person.correct(people, row, _entry(site, typed))
        await log.record(people, site.day, site.actor, "person corrected")


async def leave(site: Site, row: int) -> None:
    """Mark somebody as left.

    Raises
    ------
    PersonRefused
    """
    people = site.engines["people"]
    async with people.transaction():
        await person.leave(people, row, site.day)
        await log.record(people, site.day, site.actor, "person left")


def _entry(site: Site, typed: Mapping[str, str]) -> PersonEntry:
    cells = {_COLUMNS.get(name, name): plain(typed.get(name, "")) for name in FIELDS}
    found, refused = read_person(cells, site.day)
    if found is None:
        raise CellsRefused(refused)
    unit = cells["territory"]
    return PersonEntry(
        found.name, found.contact, found.language, unit, found.gender, found.age, {}, found.number, found.consent
    )


def plain(text: str) -> str:
    """What was typed, without the signs that no store keeps."""
    return legible(text[:MOST_SIGNS])
