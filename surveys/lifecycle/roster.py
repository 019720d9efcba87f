"""Taking an imported file of people into the people store."""

from collections.abc import Iterable, Mapping, Sequence

from surveys.importing import words
from surveys.importing.people import PeopleImport
from surveys.lifecycle.context import Site
from surveys.people import log, roster
from surveys.people.matching import Changes, Match, PersonEntry
from surveys.people.roster import UnitEntry

FEW_LEAVE = 5
"""Up to so many percent of the list may be missing from a new one without a word; a file of two rows is a slip, not a staff."""


class ListRefused(Exception):
    """A new list is not taken, and nothing was changed."""


class ManyLeave(ListRefused):
    """More people than usual are not in the new list: nothing was changed until their number is confirmed."""

    def __init__(self, changes: Changes) -> None:
        super().__init__(len(changes.left))
        self.changes = changes


class NotDecided(ListRefused):
    """Rows with a new number may be people of the present list, who have none yet: somebody must say who is who."""

    def __init__(self, changes: Changes) -> None:
        super().__init__(len(changes.undecided))
        self.changes = changes


class NumbersMissing(ListRefused):
    """People are told apart by their numbers, and the new list has none."""


async def import_people(
    site: Site, found: PeopleImport, leaving: int | None = None, decided: Mapping[str, int] | None = None
) -> Changes:
    """Make the good rows of a file the people and units of the organisation.

    Parameters
    ----------
    site : where
    found : the rows that were read
    leaving : how many people are said to leave, where somebody was asked
    decided : who is who, where somebody was asked (`surveys.people.matching.match`)

    Raises
    ------
    ListRefused
        As `ManyLeave` if more than five percent are not in the new list and `leaving` is not their number, as `NotDecided`
        or as `NumbersMissing`.
    """
    units, persons = await entries_of(found)

    def look(match: Match) -> None:
        if match.undecided:
            raise NotDecided(match.changes)
        changes = match.changes
        if 100 * len(changes.left) > FEW_LEAVE * changes.before and leaving != len(changes.left):
            raise ManyLeave(changes)

    people = site.engines["people"]
    async with people.transaction():
        if await roster.has_numbers() and not all(person.number for person in persons):
            raise NumbersMissing
        changed = await roster.replace(people, units, persons, site.day, look, decided)
        await log.record(
            people,
            site.day,
            site.actor,
            "people imported",
            people=str(len(persons)),
            added=str(len(changed.added)),
            left=str(len(changed.left)),
        )
    return changed


async def entries_of(found: PeopleImport) -> tuple[list[UnitEntry], list[PersonEntry]]:
    """What a file names, as it is kept: a unit that is there already, by its name and those above it, keeps its code."""
    codes = _codes([UnitEntry(unit.code, unit.name, unit.parent or "") for unit in found.units], await roster.units())
    units = [UnitEntry(codes[unit.code], unit.name, codes.get(unit.parent or "", "")) for unit in found.units]
    persons = [
        PersonEntry(
            p.name, p.contact, p.language, codes[p.unit], p.gender, p.age, dict(p.attributes), p.number, p.consent
        )
        for p in found.persons
    ]
    return units, persons


def _codes(new: Sequence[UnitEntry], present: Sequence[UnitEntry]) -> dict[str, str]:
    """The code that each unit of a file gets."""
    there = {path: code for code, path in _paths(present).items()}
    taken, codes = set(there.values()), {}
    for code, path in _paths(new).items():
        free = code
        while path not in there and free in taken:  # another unit has it
            free += "-2"
        codes[code] = there.get(path, free)
        taken.add(codes[code])
    return codes


def _paths(units: Iterable[UnitEntry]) -> dict[str, tuple[str, ...]]:
    """The names of each unit and of those above it, in plain letters; parents come first."""
    paths: dict[str, tuple[str, ...]] = {}
    for unit in units:
        paths[unit.code] = (*paths.get(unit.parent, ()), words.plain(unit.name) or unit.name)
    return paths
