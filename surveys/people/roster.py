"""Units and persons as imported: replaced whole, so that a second import is the new truth."""

import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from piccolo.query.functions import Count

from surveys.engines import StoreEngine
from surveys.people.tables import Person, Unit

_CHUNK = 100


@dataclass(frozen=True, slots=True)
class UnitEntry:
    """A unit to keep: stable code, name as people say it, code of the unit above ("" for a territory)."""

    code: str
    name: str
    parent: str


@dataclass(frozen=True, slots=True)
class PersonEntry:
    """A person to keep. `unit` is the code of the smallest unit she belongs to."""

    name: str
    contact: str
    language: str
    unit: str
    gender: str
    age: str
    attributes: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Changes:
    """What a new list changes: who came, who is not in it, who is in another unit; people are told apart by name and contact."""

    before: int
    added: tuple[str, ...]
    left: tuple[str, ...]
    moved: tuple[tuple[str, str, str], ...]
    """Name, and the codes of the unit before and the unit now."""


def changes(before: Sequence[tuple[str, str, str]], persons: Sequence[PersonEntry]) -> Changes:
    """Compare two lists.

    Parameters
    ----------
    before : name, contact and unit of everyone until now
    persons : the new list
    """
    units: dict[tuple[str, str], list[str]] = {}
    for name, contact, unit in before:
        units.setdefault((name, contact), []).append(unit)
    added, moved = [], []
    for person in sorted(persons, key=lambda one: (one.name, one.contact, one.unit)):
        here = units.get((person.name, person.contact))
        if not here:
            added.append(person.name)
        elif person.unit in here:
            here.remove(person.unit)
        else:
            moved.append((person.name, here.pop(0), person.unit))
    left = [name for (name, _), rest in units.items() for _ in rest]
    return Changes(len(before), tuple(added), tuple(sorted(left)), tuple(moved))


def _anything(_: Changes) -> None:
    """Any new list is taken."""


async def replace(
    engine: StoreEngine,
    units: Sequence[UnitEntry],
    persons: Sequence[PersonEntry],
    today: date,
    look: Callable[[Changes], None] = _anything,
) -> Changes:
    """Make these the units and persons. Whoever was here before, by name and contact, keeps id and first day.

    `look` sees what would change, in the transaction that changes it; what it raises leaves everything as it was.
    """
    async with engine.transaction():
        rows_before = await Person.select(Person.id, Person.name, Person.contact, Person.unit, Person.joined)
        found = changes([(row["name"], row["contact"], row["unit"]) for row in rows_before], persons)
        look(found)
        known = {(row["name"], row["contact"]): (int(row["id"]), row["joined"]) for row in rows_before}
        await Unit.delete(force=True)
        await Person.delete(force=True)
        for start in range(0, len(units), _CHUNK):
            await Unit.insert(
                *(
                    Unit(code=unit.code, name=unit.name, parent=unit.parent, position=start + place)
                    for place, unit in enumerate(units[start : start + _CHUNK])
                )
            )
        rows = []
        for person in persons:
            number, joined = known.pop((person.name, person.contact), (secrets.randbits(62), today))
            rows.append(
                Person(
                    id=number,
                    name=person.name,
                    contact=person.contact,
                    language=person.language,
                    unit=person.unit,
                    gender=person.gender,
                    age=person.age,
                    joined=joined,
                    attributes=json.dumps(dict(person.attributes), ensure_ascii=False),
                )
            )
        for start in range(0, len(rows), _CHUNK):
            await Person.insert(*rows[start : start + _CHUNK])
    return found


async def units() -> list[UnitEntry]:
    """All units, parents before children."""
    rows = await Unit.select().order_by(Unit.position)
    return [UnitEntry(row["code"], row["name"], row["parent"]) for row in rows]


async def count() -> int:
    return int(await Person.count())


async def heads() -> tuple[int, list[tuple[UnitEntry, int]]]:
    """How many people there are, and how many in each unit with all units under it: counted by the store, each unit added once."""
    entries = await units()
    rows = await Person.select(Person.unit, Count()).group_by(Person.unit)
    own = {str(row["unit"]): int(row["count"]) for row in rows}
    inside = {entry.code: own.get(entry.code, 0) for entry in entries}
    for entry in reversed(entries):  # parents come first
        if entry.parent in inside:
            inside[entry.parent] += inside[entry.code]
    return sum(own.values()), [(entry, inside[entry.code]) for entry in entries]


def below(entries: Sequence[UnitEntry], code: str) -> set[str]:
    """The codes of a unit and of all units under it; every code if `code` is empty."""
    if not code:
        return {entry.code for entry in entries}
    inside = {code}
    for entry in entries:  # parents come first
        if entry.parent in inside:
            inside.add(entry.code)
    return inside


async def numbers_of(text: str) -> list[int]:
    """The persons of this very name; ``name, unit`` keeps those of a unit apart."""
    name, _, unit = (part.strip() for part in text.partition(","))
    rows = await Person.select(Person.id, Person.unit).where(Person.name == name)
    named = {entry.code: entry.name for entry in await units()}
    return [int(row["id"]) for row in rows if not unit or unit in (row["unit"], named.get(str(row["unit"])))]


async def names() -> list[str]:
    """The names of everyone, in no order: words that a reader of comments should not let out."""
    return sorted(str(row["name"]) for row in await Person.select(Person.name))
