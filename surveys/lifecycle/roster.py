"""Taking an imported file of people into the people store."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from surveys.importing.people import PeopleImport
from surveys.lifecycle import clock
from surveys.lifecycle.context import Site
from surveys.lifecycle.units import NewUnit, codes_of, new_units, with_names
from surveys.people import lists, log, roster
from surveys.people.matching import Changes, Match, PersonEntry, match
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
    return await _take_in(site, *await entries_of(found), leaving, decided)


@dataclass(frozen=True, slots=True)
class Preview:
    """What a list would change, under the id of the draft that waits, with its units; `asks`: whether the number of
    those who leave must be typed. `new_units` may be present ones under another name."""

    draft: str
    changes: Changes
    units: tuple[UnitEntry, ...]
    asks: bool
    new_units: tuple[NewUnit, ...]


class DraftGone(ListRefused):
    """The list that was looked at waits no more."""


class ListChanged(ListRefused):
    """The present list is another one than that which the new list was held against."""


async def preview(site: Site, found: PeopleImport, now: datetime) -> Preview:
    """Say what a file would change, and keep it for an hour; nothing of the list is written.

    Raises
    ------
    NumbersMissing
    """
    units, persons = await entries_of(found)
    await _check_numbers(persons)
    await forget_lists(site, now)
    return await _seen(await lists.keep_draft(site.engines["people"], site.actor, units, persons, now))


async def preview_again(
    site: Site, draft: str, now: datetime, decided: Mapping[str, int], renamed: Mapping[str, str]
) -> Preview:
    """Say once more what a list that waits would change, against the list as it is now and with what was decided so far.

    Parameters
    ----------
    site, draft, now : where, the draft's id, the instant
    decided : who is who (`surveys.people.matching.match`)
    renamed : by the code of a unit that of the present one which it is (`surveys.lifecycle.units.with_names`)

    Raises
    ------
    DraftGone
    """
    waits = await _waiting(site, draft, now)
    return await _seen(
        await lists.keep_draft(site.engines["people"], site.actor, waits.units, waits.persons, now), decided, renamed
    )


async def confirm(
    site: Site,
    draft: str,
    now: datetime,
    leaving: int | None = None,
    decided: Mapping[str, int] | None = None,
    renamed: Mapping[str, str] | None = None,
) -> Changes:
    """Make a list that was looked at the list.

    Parameters
    ----------
    site, draft, now : where, the draft's id, the instant
    leaving : how many people are said to leave, where somebody was asked
    decided : who is who, where somebody was asked
    renamed : which units are present ones under another name

    Raises
    ------
    ListRefused
        As `import_people`; as `DraftGone` or `ListChanged` if it is not what was looked at any more.
    """
    async with roster.alone(site.engines["people"]):
        waits = await _waiting(site, draft, now)
        if waits.mark != await lists.mark():
            raise ListChanged
        units, persons = with_names(waits.units, waits.persons, await roster.units(), renamed or {})
        changed = await _take_in(site, units, persons, leaving, decided)
        await lists.drop_draft(site.actor)
    return changed


async def take_back(site: Site) -> bool:
    """Make the list what it was before the last import, for thirty days; False if nothing can be taken back."""
    people = site.engines["people"]
    async with roster.alone(people):
        found = await lists.take_back(people, site.day)
        if found is not None:
            details = {"imported": found.day.isoformat(), "by": found.actor}
            await log.record(people, site.day, site.actor, "import taken back", **details)
    return found is not None


async def forget_lists(site: Site, now: datetime) -> None:
    """Delete the lists that may be kept no longer (`surveys.people.lists.forget`). May run at any time, and twice."""
    settled = clock.seen(site.data).settled
    await lists.forget(site.engines["people"], settled or date(2000, 1, 1), now)


async def _waiting(site: Site, draft: str, now: datetime) -> lists.Draft:
    found = await lists.draft_of(site.actor, draft, now)
    if found is None:
        raise DraftGone
    return found


async def _seen(
    draft: lists.Draft, decided: Mapping[str, int] | None = None, renamed: Mapping[str, str] | None = None
) -> Preview:
    present = await roster.units()
    units, persons = with_names(draft.units, draft.persons, present, renamed or {})
    changes = match(await roster.everyone(), persons, decided).changes
    asks = not changes.undecided and _many(changes)  # until all are decided nobody knows how many leave
    return Preview(draft.id, changes, tuple(units), asks, new_units(draft.units, present))


def _many(changes: Changes) -> bool:
    return 100 * len(changes.left) > FEW_LEAVE * changes.before


async def _check_numbers(persons: Sequence[PersonEntry]) -> None:
    if await roster.has_numbers() and not all(person.number for person in persons):
        raise NumbersMissing


async def _take_in(
    site: Site,
    units: Sequence[UnitEntry],
    persons: Sequence[PersonEntry],
    leaving: int | None,
    decided: Mapping[str, int] | None,
) -> Changes:
    def look(found: Match) -> None:
        if found.undecided:
            raise NotDecided(found.changes)
        if _many(found.changes) and leaving != len(found.changes.left):
            raise ManyLeave(found.changes)

    people = site.engines["people"]
    async with roster.alone(people):
        await _check_numbers(persons)
        await lists.keep_before(site.day, site.actor)
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
    codes = codes_of([UnitEntry(unit.code, unit.name, unit.parent or "") for unit in found.units], await roster.units())
    units = [UnitEntry(codes[unit.code], unit.name, codes.get(unit.parent or "", "")) for unit in found.units]
    persons = [
        PersonEntry(
            p.name, p.contact, p.language, codes[p.unit], p.gender, p.age, dict(p.attributes), p.number, p.consent
        )
        for p in found.persons
    ]
    return units, persons
