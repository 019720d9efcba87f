"""Units and persons as imported: replaced whole, so that a second import is the new truth; who stays keeps her row."""

import json
import secrets
from collections.abc import AsyncIterator, Callable, Container, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import msgspec
from piccolo.columns.combination import Where
from piccolo.query.functions import Count

from surveys import cells
from surveys.engines import StoreEngine
from surveys.odd import reading
from surveys.people.matching import Changes as Changes
from surveys.people.matching import Known, Match, match
from surveys.people.matching import PersonEntry as PersonEntry
from surveys.people.tables import Person, PersonLeft, Unit
from surveys.people.undelivered import mend
from surveys.staff_number import key_of

BACK_WITHIN = timedelta(days=365)
"""As long as panels are compared (`surveys.people.panel`): who comes back sooner is no newcomer to them."""
_CHUNK = 100


@dataclass(frozen=True, slots=True)
class UnitEntry:
    """A unit to keep: stable code, name as people say it, code of the unit above ("" for a territory)."""

    code: str
    name: str
    parent: str


async def everyone(which: Where | None = None) -> list[Known]:
    """Everybody on the list, or those of `which`, in no order: all of them, as a list that lacked somebody would take her off it.

    Raises
    ------
    StoreOdd
        If the row of one of them is none that a page wrote.
    """
    rows = Person.select()
    with reading("person"):
        return [_known(row) for row in await (rows if which is None else rows.where(which))]


async def look(persons: Iterable[int] | None = None) -> tuple[list[Known], tuple[str, ...]]:
    """Those of these rows, or of all, that can be read, and the names of the others: to be shown, never to decide by."""
    found, odd = [], []
    if persons is None:
        rows = await cells.read(Person)
    else:
        rows = [row for one in persons for row in await cells.read(Person, id=one)]
    for row in rows:
        try:
            found.append(_known(row))
        except (ValueError, msgspec.MsgspecError):
            odd.append(row["name"] or row["id"] or "?")
    return found, tuple(sorted(odd))


def _known(row: Mapping[str, Any]) -> Known:
    """Somebody of a row, or of its cells as text.

    Raises
    ------
    ValueError, msgspec.MsgspecError
        If it is nobody: a day that is no day, columns that are no text, or nothing where something must be.
    """
    values = {**row, "attributes": msgspec.json.decode(row["attributes"] or "")}
    entry = msgspec.convert(values, PersonEntry, strict=False)
    if not entry.name.strip():
        raise ValueError("nobody")
    return Known(int(row["id"]), msgspec.convert(row["joined"], date | None, strict=False), entry)


async def has_numbers() -> bool:
    """Whether people are told apart by a number: then everybody has one."""
    return await Person.exists().where(Person.number != "")


def _anything(_: Match) -> None:
    """Any new list is taken."""


@asynccontextmanager
async def alone(engine: StoreEngine) -> AsyncIterator[None]:
    """A transaction in which nobody else changes the list: what was looked at in it is still so when it is changed."""
    async with engine.writing_alone(Unit, Person):
        yield


async def replace(
    engine: StoreEngine,
    units: Sequence[UnitEntry],
    persons: Sequence[PersonEntry],
    today: date,
    look: Callable[[Match], None] = _anything,
    decided: Mapping[str, int] | None = None,
) -> Changes:
    """Make these the units and persons. Whoever was here before (`matching`) keeps row and first day, and with them her place
    in every panel; so does who left with a number in the last year and comes back.

    `look` sees what would change, in the transaction that changes it; what it raises leaves everything as it was.
    """
    async with alone(engine):
        found = match(await everyone(), persons, decided)
        look(found)
        back = await _back(today)
        rows, corrected = list[Known](), list[int]()
        for entry, same in found.pairs:
            known = same or back.get(key_of(entry.number))
            if known and is_corrected(known.entry, entry):  # also who is back: nobody knows which address she had
                corrected.append(known.id)
            number, joined = (known.id, known.joined) if known else (secrets.randbits(62), today)
            rows.append(Known(number, joined, entry))
        await write(units, rows)
        await remember_left(found.left, today)
        await forget_left({row.id for row in rows})
        await mend(corrected)
    return found.changes


def is_corrected(before: PersonEntry, after: PersonEntry) -> bool:
    """Whether somebody has another e-mail address than before."""
    return "@" in after.contact and after.contact.casefold() != before.contact.casefold()


async def write(units: Sequence[UnitEntry], people: Sequence[Known]) -> None:
    """Make these all units and all persons, row by row. The caller holds the transaction."""
    await Unit.delete(force=True)
    await Person.delete(force=True)
    for start in range(0, len(units), _CHUNK):
        await Unit.insert(
            *(
                Unit(code=unit.code, name=unit.name, parent=unit.parent, position=start + place)
                for place, unit in enumerate(units[start : start + _CHUNK])
            )
        )
    for start in range(0, len(people), _CHUNK):
        await Person.insert(*(row_of(known) for known in people[start : start + _CHUNK]))


def row_of(known: Known) -> Person:
    """Somebody as the table has her."""
    entry = known.entry
    return Person(
        id=known.id,
        name=entry.name,
        contact=entry.contact,
        language=entry.language,
        unit=entry.unit,
        gender=entry.gender,
        age=entry.age,
        joined=known.joined,
        attributes=json.dumps(dict(entry.attributes), ensure_ascii=False),
        number=entry.number,
        consent=entry.consent,
    )


async def _back(today: date) -> dict[str, Known]:
    """Who left in the last year, by the key of her number; of her entry only that is known."""
    rows = await PersonLeft.select().where(PersonLeft.day > today - BACK_WITHIN)
    nobody = PersonEntry("", "", "", "", "", "", {})
    return {key_of(row["number"]): Known(int(row["id"]), row["joined"], nobody) for row in rows}


async def forget_left(here: Container[int]) -> None:
    """Of those who are back on the list nothing is kept that says that they left."""
    for row in await PersonLeft.select(PersonLeft.id):
        if int(row["id"]) in here:
            await PersonLeft.delete().where(PersonLeft.id == int(row["id"]))


async def returning(entry: PersonEntry, today: date) -> Known | None:
    """Who left in the last year with this number, if anybody did."""
    return (await _back(today)).get(key_of(entry.number))


async def remember_left(people: Iterable[Known], today: date) -> None:
    """Keep the rows of those who leave, by their numbers; who has none cannot be told when she comes back."""
    rows = [
        PersonLeft(id=known.id, number=known.entry.number, joined=known.joined, day=today)
        for known in people
        if known.entry.number
    ]
    for start in range(0, len(rows), _CHUNK):
        await PersonLeft.insert(*rows[start : start + _CHUNK])


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
