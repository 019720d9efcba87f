"""The staff list of HR: persons and the tree of their units. All rows that are wrong are told at once."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from surveys.importing import words
from surveys.importing.forms import armed, seen
from surveys.importing.sheets import LIMIT_BYTES, FileUnreadable, RefusedRow, Rows, read_rows
from surveys.languages import LANGUAGES
from surveys.staff_number import key_of

__all__ = ["PeopleImport", "PersonRow", "RefusedRow", "UnitRow", "read_people"]

MOST_ROWS = 50_000
MOST_CELLS = 1_000_000
UNPACKED_BYTES = 64 * 1024 * 1024
"""A staff list of 50,000 people unpacks to some 20 MB."""
_EMAIL = re.compile(r"[^@\s,;]+@[^@\s,;]+\.[^@\s,;.]+")
_PHONE = re.compile(r"\+?[\d\s().\-/]{6,20}")
_LEVELS = ("territory", "service", "team")
LONGEST_NUMBER, LONGEST_NOTE = 60, 200
_REMEDIES = {
    "number": "Write the person's own number, as in the other rows, of at most 60 letters.",
    "number_twice": "This number is in the list already: each person has her own.",
    "consent": "Write a note of at most 200 letters.",
    "name": "Write the name of the person.",
    "email": "Write one e-mail address, or leave the cell empty.",
    "phone": "Write a telephone number of at least six digits, or leave the cell empty.",
    "language": "Write one of: " + ", ".join(LANGUAGES) + ", or leave the cell empty.",
    "territory": "Write the territory where the person works most.",
    "service": "A team needs the service it belongs to.",
    "gender": "Write f, m, nb (non-binary), self (another way), or leave the cell empty.",
    "age": "Write an age band (u30, 30-39, 40-49, 50-59, 60p) or an age, or leave the cell empty.",
    "birth": "Write the date of birth as 1985-03-27 or 27/03/1985, or the year, or leave the cell empty.",
    "duplicate": "This person is in the list already. Remove one row, or tell two persons apart by a contact.",
}


@dataclass(frozen=True, slots=True)
class PersonRow:
    """One person. `unit` is the code of the smallest unit named; `age` a band of the bank; "" where not said.

    `attributes` holds the columns that are none of ours, by their header.
    """

    name: str
    contact: str
    language: str
    unit: str
    gender: str
    age: str
    attributes: Mapping[str, str]
    number: str = ""
    """What tells her apart; in a file that has numbers each person has one."""
    consent: str = ""


@dataclass(frozen=True, slots=True)
class UnitRow:
    """A unit: stable code such as ``po.asilo-blu``, name as first written, code of the unit above (None at the top)."""

    code: str
    name: str
    parent: str | None


@dataclass(frozen=True, slots=True)
class PeopleImport:
    """What a file holds: the rows that are right, the units they name (parents first), and every cell that is wrong."""

    persons: list[PersonRow]
    units: list[UnitRow]
    refused: list[RefusedRow]
    encoding: str = "utf-8"
    encoding_guessed: bool = False


@dataclass(slots=True)
class _Reading:
    """The state of one pass over a file."""

    columns: Mapping[str, tuple[int, str]]
    others: tuple[tuple[int, str], ...]
    today: date
    persons: list[PersonRow] = field(default_factory=list)
    units: dict[str, UnitRow] = field(default_factory=dict)
    refused: list[RefusedRow] = field(default_factory=list)
    seen: set[tuple[str, ...]] = field(default_factory=set)
    without: list[RefusedRow] = field(default_factory=list)
    """Rows without a number: wrong if another row has one."""
    numbered: bool = False


def read_people(path: Path, *, today: date | None = None, limit_bytes: int = LIMIT_BYTES) -> PeopleImport:
    """Read a staff list.

    Parameters
    ----------
    path : Path
        CSV or XLSX. Needed are a name and a territory or a service; staff number, contact, language, service, team, gender, age band
        or date of birth are read where present, in Italian or English; other columns are kept as attributes.
    today : date
        The day on which ages are counted; the present one by default.

    Raises
    ------
    FileUnreadable
        If the file cannot be read, or a needed column is missing.
    """
    rows = read_rows(path, limit_bytes=limit_bytes, unpacked=UNPACKED_BYTES)
    reading = _start(rows, today or date.today())
    taken = 0
    for number, cells in rows.numbered:
        taken += len(cells)
        if number > MOST_ROWS or taken > MOST_CELLS:
            raise FileUnreadable("long", limit=MOST_ROWS if number > MOST_ROWS else MOST_CELLS)
        _take(reading, number, [seen(cell if rows.encoding == "xlsx" else armed(cell)) for cell in cells])
    persons = reading.persons
    if reading.numbered:
        persons = [person for person in persons if person.number]
        reading.refused = sorted([*reading.refused, *reading.without], key=lambda one: one.row)
    return PeopleImport(persons, _in_order(reading.units), reading.refused, rows.encoding, rows.encoding_guessed)


def read_person(cells: Mapping[str, str], today: date) -> tuple[PersonRow | None, list[RefusedRow]]:
    """Read one person as a row of a file would be: she, or what is wrong with each cell.

    Parameters
    ----------
    cells : by what they hold (`words.COLUMNS`), without blanks around
    today : the day on which ages are counted
    """
    reading = _Reading({meaning: (place, meaning) for place, meaning in enumerate(cells)}, (), today)
    _take(reading, 1, [*cells.values()])
    return (reading.persons[0] if reading.persons else None), reading.refused


def _start(rows: Rows, today: date) -> _Reading:
    columns: dict[str, tuple[int, str]] = {}
    others = []
    for place, header in enumerate(rows.header):
        meaning = words.column_of(header)
        if meaning in columns:
            raise FileUnreadable("duplicate_header", column=f"{columns[meaning][1]}, {header}")
        if meaning:
            columns[meaning] = (place, header)
        elif header:
            others.append((place, header))
    found = ", ".join(header for header in rows.header if header)
    if "name" not in columns:
        raise FileUnreadable("missing_column", column="nome", columns=found)
    if "territory" not in columns and "service" not in columns:
        raise FileUnreadable("missing_column", column="territorio", columns=found)
    return _Reading(columns, tuple(others), today)


def _take(reading: _Reading, number: int, cells: list[str]) -> None:
    """Take one row in, or note everything that is wrong with it."""
    wrong: list[RefusedRow] = []

    def cell(meaning: str) -> str:
        return cells[reading.columns[meaning][0]] if meaning in reading.columns else ""

    def refusal(column: str, remedy: str) -> RefusedRow:
        header = reading.columns[column][1] if column in reading.columns else column
        return RefusedRow(number, header, cell(column)[:60], remedy, _REMEDIES[remedy])

    def refuse(column: str, remedy: str) -> None:
        wrong.append(refusal(column, remedy))

    name = " ".join(f"{cell('name')} {cell('surname')}".split())
    if not name:
        refuse("name", "name")
    email, phone = cell("email"), cell("phone")
    if email and not _EMAIL.fullmatch(email) and not _is_phone(email):
        refuse("email", "email")
    if phone and not _is_phone(phone):
        refuse("phone", "phone")
    language, gender = words.language_of(cell("language")), words.gender_of(cell("gender"))
    if language is None:
        refuse("language", "language")
    if gender is None:
        refuse("gender", "gender")
    age = words.age_of(cell("age"))
    if age is None:
        refuse("age", "age")
    if not age and cell("birth"):
        age = words.age_of_birth(cell("birth"), reading.today)
        if age is None:
            refuse("birth", "birth")
    path = _path(reading, cell, refuse)
    staff_number, consent = cell("number"), cell("consent")
    if len(staff_number) > LONGEST_NUMBER:
        refuse("number", "number")
    if len(consent) > LONGEST_NOTE:
        refuse("consent", "consent")
    who = (name.casefold(), (email or phone).casefold())
    key = who if who[1] else (*who, *(value.casefold() for value in cells))
    if staff_number:
        reading.numbered, key = True, (key_of(staff_number),)
    if not wrong and key in reading.seen:
        refuse("number" if staff_number else "name", "number_twice" if staff_number else "duplicate")
    if not staff_number:
        reading.without.append(refusal("number", "number"))
    reading.refused += wrong
    if wrong or language is None or gender is None or age is None:
        return
    reading.seen.add(key)
    unit = _add_units(reading.units, path)
    attributes = {header: cells[place] for place, header in reading.others if cells[place]}
    contact = email or phone
    reading.persons.append(PersonRow(name, contact, language, unit, gender, age, attributes, staff_number, consent))


def _is_phone(text: str) -> bool:
    return bool(_PHONE.fullmatch(text)) and sum(letter.isdigit() for letter in text) >= 6


def _path(reading: _Reading, cell: Callable[[str], str], refuse: Callable[[str, str], None]) -> list[str]:
    """The names of the units of a row, from the top."""
    levels = [level for level in _LEVELS if level in reading.columns]
    names = [" ".join(cell(level).split()) for level in levels]
    filled = [bool(name) for name in names]
    if not filled[0]:
        refuse(levels[0], "territory")
    elif filled != sorted(filled, reverse=True):
        refuse("service", "service")
    return [name for name in names if name]


def _add_units(units: dict[str, UnitRow], path: list[str]) -> str:
    """Add the units of a path that are new; the code of the smallest."""
    code, parent = "", None
    for name in path:
        code = f"{parent}.{words.slug(name)}" if parent else words.slug(name)
        units.setdefault(code, UnitRow(code, name, parent))
        parent = code
    return code


def _in_order(units: Mapping[str, UnitRow]) -> list[UnitRow]:
    """By name, each unit followed by those below it: the same order whatever the order of the rows."""

    def names(unit: UnitRow) -> list[str]:
        above = units[unit.parent] if unit.parent else None
        return [*(names(above) if above else []), words.plain(unit.name) or unit.name]

    return sorted(units.values(), key=names)
