"""Units of a new staff list: which of them were there, under this name or another one. A unit that keeps its code stays comparable."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from surveys.importing import words
from surveys.people.matching import PersonEntry
from surveys.people.roster import UnitEntry


@dataclass(frozen=True, slots=True)
class NewUnit:
    """A unit that was not there under this name, and those under the same unit that are there no more: it may be one of them."""

    unit: UnitEntry
    perhaps: tuple[UnitEntry, ...]


def codes_of(new: Sequence[UnitEntry], present: Sequence[UnitEntry]) -> dict[str, str]:
    """The code that each unit of a file gets: that of the unit with its name and the names above it, else one of its own."""
    there = {path: code for code, path in _paths(present).items()}
    taken, codes = set(there.values()), {}
    for code, path in _paths(new).items():
        free = code
        while path not in there and free in taken:  # another unit has it
            free += "-2"
        codes[code] = there.get(path, free)
        taken.add(codes[code])
    return codes


def new_units(units: Sequence[UnitEntry], present: Sequence[UnitEntry]) -> tuple[NewUnit, ...]:
    """The units of a list that may be present ones under another name; what is under such a one follows it by its own name."""
    here, codes = {unit.code for unit in units}, {unit.code for unit in present}
    gone = [unit for unit in present if unit.code not in here]
    found = (
        NewUnit(unit, tuple(one for one in gone if one.parent == unit.parent))
        for unit in units
        if unit.code not in codes
    )
    return tuple(one for one in found if one.perhaps)


def with_names(
    units: Sequence[UnitEntry],
    persons: Sequence[PersonEntry],
    present: Sequence[UnitEntry],
    renamed: Mapping[str, str],
) -> tuple[list[UnitEntry], list[PersonEntry]]:
    """The same list, where units that are present ones under another name have their codes, and so have those under them.

    Parameters
    ----------
    units, persons : of the new list; parents before children
    present : the units as they are
    renamed : by the code of a new unit that of the present one; what `new_units` does not offer, or offers twice, is passed over
    """
    offered = {one.unit.code: {unit.code for unit in one.perhaps} for one in new_units(units, present)}
    codes: dict[str, str] = {}
    for new, old in renamed.items():
        if old in offered.get(new, ()) and old not in codes.values():
            codes[new] = old
    of_parent = {(unit.parent, _plain(unit)): unit.code for unit in present}
    for unit in units:  # what is under a unit of another name has its own name still
        if unit.parent in codes and (same := of_parent.get((codes[unit.parent], _plain(unit)))):
            codes[unit.code] = same
    return (
        [
            replace(unit, code=codes.get(unit.code, unit.code), parent=codes.get(unit.parent, unit.parent))
            for unit in units
        ],
        [replace(person, unit=codes.get(person.unit, person.unit)) for person in persons],
    )


def _paths(units: Iterable[UnitEntry]) -> dict[str, tuple[str, ...]]:
    """The names of each unit and of those above it, in plain letters; parents come first."""
    paths: dict[str, tuple[str, ...]] = {}
    for unit in units:
        paths[unit.code] = (*paths.get(unit.parent, ()), _plain(unit))
    return paths


def _plain(unit: UnitEntry) -> str:
    return words.plain(unit.name) or unit.name
