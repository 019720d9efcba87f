"""Who of a new staff list is whom of the present one: by the staff number; without numbers by name and contact, as people wrote them."""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from surveys.staff_number import key_of

NEW = 0
"""What is decided of a row that is nobody of the present list."""


@dataclass(frozen=True, slots=True)
class PersonEntry:
    """A person to keep. `unit` is the code of the smallest unit she belongs to; `number` what HR knows her by, "" without."""

    name: str = field(repr=False)
    contact: str = field(repr=False)
    language: str
    unit: str
    gender: str
    age: str
    attributes: Mapping[str, str]
    number: str = field(default="", repr=False)
    consent: str = ""


@dataclass(frozen=True, slots=True)
class Known:
    """A person of the present list: her row, and the day on which she came."""

    id: int
    joined: date | None
    entry: PersonEntry


@dataclass(frozen=True, slots=True)
class Change:
    """One person before and after."""

    before: PersonEntry
    after: PersonEntry


@dataclass(frozen=True, slots=True)
class Undecided:
    """A row with a number that nobody has, which may be one of several people who have none yet."""

    entry: PersonEntry
    perhaps: tuple[Known, ...]


@dataclass(frozen=True, slots=True)
class Changes:
    """What a new list changes: everybody of it is added, moved, changed or the same; everybody who is not in it leaves.

    `moved` are in another unit, whatever else changed; `changed` in the same one. Those who are `undecided` count as added.
    """

    before: int
    added: tuple[PersonEntry, ...]
    left: tuple[PersonEntry, ...]
    moved: tuple[Change, ...]
    changed: tuple[Change, ...]
    undecided: tuple[Undecided, ...] = ()
    numbered: int = 0
    """How many people get their number: for these alone that is no change."""


@dataclass(frozen=True, slots=True)
class Match:
    """Each entry of a new list with who she is (None: nobody until now), and who is left over."""

    pairs: tuple[tuple[PersonEntry, Known | None], ...]
    left: tuple[Known, ...]
    undecided: tuple[Undecided, ...]

    @property
    def changes(self) -> Changes:
        met = [Change(known.entry, entry) for entry, known in self.pairs if known]
        moved = tuple(one for one in met if one.before.unit != one.after.unit)
        changed = tuple(one for one in met if one.before.unit == one.after.unit and _differs(one))
        return Changes(
            len(met) + len(self.left),
            _by_name(entry for entry, known in self.pairs if known is None),
            _by_name(known.entry for known in self.left),
            tuple(sorted(moved, key=lambda one: one.after.name)),
            tuple(sorted(changed, key=lambda one: one.after.name)),
            self.undecided,
            sum(not one.before.number and bool(one.after.number) for one in met),
        )


def match(before: Sequence[Known], entries: Sequence[PersonEntry], decided: Mapping[str, int] | None = None) -> Match:
    """Find who is who.

    By number first. A number that nobody has is taken by the one person without a number who has this very name, contact and
    unit; where none or several have, and somebody without a number has this name or this contact, it stays undecided.

    Parameters
    ----------
    before : the present list
    entries : the new one; no two with one number
    decided : by the key of a number the row that it belongs to, or `NEW`
    """
    found: dict[int, Known] = {}
    free = {known.id: known for known in before}

    def pair(place: int, known: Known) -> None:
        found[place] = free.pop(known.id)

    numbers = {key_of(known.entry.number): known for known in before if known.entry.number}
    for place, entry in enumerate(entries):
        if entry.number and (same := numbers.get(key_of(entry.number))):
            pair(place, same)
    numberless = [known for known in before if not known.entry.number]
    open_, undecided = [place for place, entry in enumerate(entries) if entry.number and place not in found], []
    _pair_the_only_ones(open_, numberless, entries, pair)
    of_name = _grouped((known for known in numberless if known.id in free), lambda known: known.entry.name.casefold())
    of_contact = _grouped(
        (known for known in numberless if known.id in free), lambda known: known.entry.contact.casefold()
    )
    for place in (place for place in open_ if place not in found):
        entry = entries[place]
        fits = [*of_name.get(entry.name.casefold(), ())]
        fits += of_contact.get(entry.contact.casefold(), ()) if entry.contact else ()
        perhaps = tuple({known.id: known for known in fits if known.id in free}.values())
        choice = (decided or {}).get(key_of(entry.number))
        if chosen := next((known for known in perhaps if known.id == choice), None):
            pair(place, chosen)
        elif perhaps and choice != NEW:
            undecided.append(Undecided(entry, perhaps))
    for key in (_whole, _name_and_contact):
        _pair_in_turn(entries, found, numberless, free, key, pair)
    pairs = tuple((entry, found.get(place)) for place, entry in enumerate(entries))
    return Match(pairs, tuple(free.values()), tuple(undecided))


def _pair_the_only_ones(
    open_: Sequence[int],
    numberless: Sequence[Known],
    entries: Sequence[PersonEntry],
    pair: Callable[[int, Known], None],
) -> None:
    """Rows with a new number and people without one who are each other's only match in name, contact and unit."""
    rows, people = (
        _grouped(open_, lambda place: _whole(entries[place])),
        _grouped(numberless, lambda k: _whole(k.entry)),
    )
    for key, places in rows.items():
        if len(places) == 1 and len(people.get(key, ())) == 1:
            pair(places[0], people[key][0])


def _pair_in_turn(
    entries: Sequence[PersonEntry],
    found: Mapping[int, Known],
    numberless: Sequence[Known],
    free: Mapping[int, Known],
    key: Callable[[PersonEntry], Hashable],
    pair: Callable[[int, Known], None],
) -> None:
    """Rows without a number and people without one, of one key as many as there are on both sides."""
    people = _grouped((known for known in numberless if known.id in free), lambda known: key(known.entry))
    for place, entry in enumerate(entries):
        if not entry.number and place not in found and (same := people.get(key(entry))):
            pair(place, same.pop(0))


def _grouped[T](things: Iterable[T], key: Callable[[T], Hashable]) -> dict[Hashable, list[T]]:
    groups: dict[Hashable, list[T]] = {}
    for thing in things:
        groups.setdefault(key(thing), []).append(thing)
    return groups


def _name_and_contact(entry: PersonEntry) -> Hashable:
    return entry.name.casefold(), entry.contact.casefold()


def _whole(entry: PersonEntry) -> Hashable:
    return entry.name.casefold(), entry.contact.casefold(), entry.unit


def _differs(change: Change) -> bool:
    """Whether anything but the number is another: that is the same, or new to somebody who had none."""
    return replace(change.before, number="") != replace(change.after, number="")


def _by_name(entries: Iterable[PersonEntry]) -> tuple[PersonEntry, ...]:
    return tuple(sorted(entries, key=lambda one: (one.name, one.contact, one.unit)))
