"""One person of the staff list: found, added, corrected, marked as left."""

import json
import secrets
from dataclasses import replace
from datetime import date

from surveys import cells
from surveys.engines import StoreEngine
from surveys.people import roster
from surveys.people.matching import Known, PersonEntry
from surveys.people.tables import Person
from surveys.people.undelivered import mend
from surveys.staff_number import key_of

MOST_FOUND = 20
_NOT_SOUGHT = ("language", "unit", "gender", "age", "joined", "attributes", "consent")


class PersonRefused(Exception):
    """Nothing was changed; `reason` is ``gone``, ``unit``, ``number``, ``number_twice`` or ``duplicate``."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


async def get(person: int) -> Known:
    """Somebody of the list.

    Raises
    ------
    PersonRefused
        ``gone``, if nobody has this row.
    """
    found = next((known for known in await roster.everyone(Person.id == person)), None)
    if found is None:
        raise PersonRefused("gone")
    return found


async def find(text: str) -> tuple[list[Known], tuple[str, ...]]:
    """Those in whose name, number or contact this text is, by name, one more than are shown, at most; and the names of those of them
    whose row cannot be read."""
    wanted, number = text.strip().casefold(), key_of(text)
    if not wanted:
        return [], ()
    rows = await cells.read(Person, *_NOT_SOUGHT)
    fits = [
        int(row["id"] or 0)
        for row in sorted(rows, key=lambda row: (row["name"] or "", row["id"] or ""))
        if wanted in (row["name"] or "").casefold()
        or wanted in (row["contact"] or "").casefold()
        or (row["number"] and key_of(row["number"]) == number)
    ]
    return await roster.look(fits[: MOST_FOUND + 1])


async def add(engine: StoreEngine, entry: PersonEntry, today: date) -> int:
    """Put somebody on the list; who left with this number in the last year has her row again. Gives the row.

    Raises
    ------
    PersonRefused
    """
    async with roster.alone(engine):
        await _check(entry, None)
        before = await roster.returning(entry, today)
        known = replace(before, entry=entry) if before else Known(secrets.randbits(62), today, entry)
        await Person.insert(roster.row_of(known))
        await roster.forget_left({known.id})
        if before:  # her invitations are hers again, at the address that she has now
            await mend([known.id] if "@" in entry.contact else [])
    return known.id


async def correct(engine: StoreEngine, person: int, entry: PersonEntry) -> None:
    """Write anew what is known of somebody; her row, her first day and her other columns stay.

    Raises
    ------
    PersonRefused
    """
    async with roster.alone(engine):
        before = await get(person)
        await _check(entry, before)
        entry = replace(entry, attributes=before.entry.attributes)
        values = roster.row_of(replace(before, entry=entry)).to_dict()
        values["attributes"] = json.dumps(dict(entry.attributes), ensure_ascii=False)
        await Person.update({name: value for name, value in values.items() if name != "id"}).where(Person.id == person)
        if roster.is_corrected(before.entry, entry):
            await mend([person])


async def leave(engine: StoreEngine, person: int, today: date) -> None:
    """Take somebody off the list.

    Raises
    ------
    PersonRefused
    """
    async with roster.alone(engine):
        known = await get(person)
        await Person.delete().where(Person.id == person)
        await roster.remember_left([known], today)


async def _check(entry: PersonEntry, before: Known | None) -> None:
    """On a list with numbers everybody has her own; on one without, nobody has one, and no two have one name and contact."""
    people = [known for known in await roster.everyone() if before is None or known.id != before.id]
    if entry.unit not in {unit.code for unit in await roster.units()}:
        raise PersonRefused("unit")
    if people and bool(entry.number) != await roster.has_numbers():
        raise PersonRefused("number")
    if entry.number and key_of(entry.number) in {key_of(known.entry.number) for known in people}:
        raise PersonRefused("number_twice")
    same = {(known.entry.name.casefold(), known.entry.contact.casefold()) for known in people}
    if not entry.number and (entry.name.casefold(), entry.contact.casefold()) in same:
        raise PersonRefused("duplicate")
