"""Taking an imported file of people into the people store."""

from surveys.importing.people import PeopleImport
from surveys.lifecycle.context import Site
from surveys.people import log
from surveys.people.roster import PersonEntry, UnitEntry, replace


async def import_people(site: Site, found: PeopleImport) -> None:
    """Make the good rows of a file the people and units of the organisation."""
    units = [UnitEntry(unit.code, unit.name, unit.parent or "") for unit in found.units]
    persons = [
        PersonEntry(p.name, p.contact, p.language, p.unit, p.gender, p.age, dict(p.attributes)) for p in found.persons
    ]
    people = site.engines["people"]
    await replace(people, units, persons, site.day)
    await log.record(people, site.day, site.actor, "people imported", people=str(len(persons)))
