"""Taking an imported file of people into the people store."""

from surveys.importing.people import PeopleImport
from surveys.lifecycle.context import Site
from surveys.people import log
from surveys.people.roster import Changes, PersonEntry, UnitEntry, replace

FEW_LEAVE = 5
"""Up to so many percent of the list may be missing from a new one without a word; a file of two rows is a slip, not a staff."""


class ManyLeave(Exception):
    """More people than usual are not in the new list: nothing was changed until their number is confirmed."""

    def __init__(self, changes: Changes) -> None:
        super().__init__(len(changes.left))
        self.changes = changes


async def import_people(site: Site, found: PeopleImport, leaving: int | None = None) -> Changes:
    """Make the good rows of a file the people and units of the organisation.

    Parameters
    ----------
    site : where
    found : the rows that were read
    leaving : how many people are said to leave, where somebody was asked

    Raises
    ------
    ManyLeave
        If more than five percent are not in the new list and `leaving` is not their number.
    """
    units = [UnitEntry(unit.code, unit.name, unit.parent or "") for unit in found.units]
    persons = [
        PersonEntry(p.name, p.contact, p.language, p.unit, p.gender, p.age, dict(p.attributes)) for p in found.persons
    ]

    def look(changes: Changes) -> None:
        if 100 * len(changes.left) > FEW_LEAVE * changes.before and leaving != len(changes.left):
            raise ManyLeave(changes)

    people = site.engines["people"]
    changed = await replace(people, units, persons, site.day, look)
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
