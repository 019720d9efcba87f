"""The register of the audit in a file: written with lists to choose from, and read back as typed lines, whole or not at all.

A row is one line of the register. A number says which one it says anew; a row without one is new. Names of columns and kinds are
Italian and English beside each other, so that whoever fills the file in needs no other page.
"""

import io
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from surveys.importing.forms import UNDATED, armed, places_of
from surveys.importing.sheets import FileUnreadable, RefusedRow, read_rows
from surveys.public.register_entry import KINDS, MOST, Entry, entry_of, faults

LIMIT_BYTES = 2 * 1024 * 1024
UNPACKED_BYTES = 16 * 1024 * 1024
MOST_ROWS = 2_000
COLUMNS = {
    "number": "numero / number",
    "kind": "tipo / kind",
    "clause": "clausola / clause",
    "indicator": "indicatore / indicator",
    "title": "rilievo / finding",
    "evidence": "prova / evidence",
    "owner": "chi / owner",
    "due": "entro / due",
    "closed_on": "chiuso il / closed on",
    "outcome": "esito / outcome",
    "team": "gruppo / team",
}
"""The header of the file. A file may name a column by either half."""
DAYS = ("due", "closed_on")
SHOWN_SIGNS = 60
_ENGLISH = {
    "number": "Write the number of a line of the register, or leave the cell empty for a new one.",
    "number_twice": "This number stands in an earlier row already. Keep one of the two.",
    "row_twice": "An earlier row says exactly the same. Keep one of the two.",
    "kind": "Choose a kind from the list.",
    "clause_day": "The spreadsheet made a day of the clause. Make the column text and write it again.",
    "day": "Write a day such as 30/11/2026 or 2026-11-30.",
    "due": "Write by when.",
    "due_out": "Write a day between 2000 and 2099.",
    "closed_out": "Write a day that is not after today.",
    "title": "Say in a few words what was found or planned.",
    "owner": "Say who sees to it.",
    "indicator": "Write an indicator of the practice, such as 1.5, or leave the cell empty.",
    "outcome": "What is closed says how it ended: fill in the outcome, or leave the day of closing empty.",
    "team": "An audit that was held says who audited: fill in the team.",
    "long": "Shorten the text.",
}
_ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})")
_DAY_FIRST = re.compile(r"(\d{1,2})[./-](\d{1,2})[./-](\d{4})")

type Row = tuple[int | None, Entry]


@dataclass(frozen=True, slots=True)
class RegisterImport:
    """What a file holds: its rows, or every cell that is wrong; never both."""

    rows: tuple[Row, ...]
    refused: tuple[RefusedRow, ...]


def written_rows(rows: Sequence[Row], kinds: Mapping[str, str]) -> list[list[str]]:
    """The register as rows of text, the header first; `kinds` is what each kind is called in the file."""
    texts = [list(COLUMNS.values())]
    for number, entry in rows:
        values = {name: getattr(entry, name) for name in MOST}
        values |= {"number": str(number or ""), "kind": kinds[entry.kind]}
        values |= {name: str(getattr(entry, name) or "") for name in DAYS}
        texts.append([values[name] for name in COLUMNS])
    return texts


def as_workbook(
    rows: Sequence[Sequence[str]], kinds: Sequence[str], clauses: Sequence[str], indicators: Sequence[str]
) -> bytes:
    """Rows as a workbook: kinds, clauses and indicators to choose from, days as days, all other cells text."""
    import xlsxwriter  # loaded when somebody asks for a workbook: a start does not need it

    target = io.BytesIO()
    book = xlsxwriter.Workbook(target, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    book.set_properties({"created": UNDATED})
    text = book.add_format({"text_wrap": True, "valign": "top", "num_format": "@"})
    days = book.add_format({"valign": "top", "num_format": "dd/mm/yyyy", "align": "left"})
    bold = book.add_format({"bold": True})
    sheet, lists = book.add_worksheet("registro"), book.add_worksheet("elenchi")
    lists.hide()
    places = {name: place for place, name in enumerate(COLUMNS)}
    widths = {"title": 44, "evidence": 44, "outcome": 44, "kind": 34, "owner": 24, "team": 30}
    for name, place in places.items():
        sheet.set_column(place, place, widths.get(name, 16), days if name in DAYS else text)
    for row, cells in enumerate(rows):
        for place, cell in enumerate(cells):
            if row and cell and place in (places["due"], places["closed_on"]):
                sheet.write_datetime(row, place, date.fromisoformat(cell), days)
            else:
                sheet.write_string(row, place, cell, text if row else bold)
    for place, (name, choices) in enumerate((("kind", kinds), ("clause", clauses), ("indicator", indicators))):
        lists.write_column(0, place, choices)
        column = "ABC"[place]
        source = f"=elenchi!${column}$1:${column}${len(choices)}"
        rule = {"validate": "list", "source": source, "show_error": name != "clause"}
        sheet.data_validation(1, places[name], MOST_ROWS, places[name], rule)
    sheet.freeze_panes(1, 0)
    sheet.autofilter(0, 0, max(1, len(rows) - 1), len(COLUMNS) - 1)
    book.close()
    return target.getvalue()


def read_register(path: Path, kinds: Mapping[str, str], numbers: Sequence[int], today: date) -> RegisterImport:
    """Read a file of the register.

    Parameters
    ----------
    path : Path
        CSV or XLSX, up to 2 MB and 2,000 rows, with every column of `COLUMNS`.
    kinds : mapping
        What kinds may be called, in small letters, and which they are.
    numbers : sequence
        The numbers of the lines that there are.
    today : date
        Nothing was closed after it.

    Raises
    ------
    FileUnreadable
        If the file as a whole cannot be read, or a column is missing.
    """
    rows = read_rows(path, limit_bytes=LIMIT_BYTES, unpacked=UNPACKED_BYTES)
    of_workbook = rows.encoding == "xlsx"
    reading = _Reading(places_of(rows.header, COLUMNS, COLUMNS), kinds, frozenset(numbers), today)
    for number, cells in rows.numbered:
        if number > MOST_ROWS + 1:
            raise FileUnreadable("long", limit=MOST_ROWS)
        reading.take(number, cells if of_workbook else [armed(cell) for cell in cells])
    return RegisterImport((), tuple(reading.refused)) if reading.refused else RegisterImport(tuple(reading.rows), ())


@dataclass(slots=True)
class _Reading:
    """One pass over a file: the rows that are right, and what is wrong with the others."""

    places: Mapping[str, int]
    kinds: Mapping[str, str]
    numbers: frozenset[int]
    today: date
    rows: list[Row] = field(default_factory=list)
    refused: list[RefusedRow] = field(default_factory=list)
    taken: set[object] = field(default_factory=set)

    def take(self, row: int, cells: list[str]) -> None:
        """Take one row in, or note everything that is wrong with it."""
        given = {name: cells[place] for name, place in self.places.items()}
        wrong: dict[str, str] = {}

        def read[T](name: str, reader: Callable[[str], T | None], reason: str) -> T | None:
            value = reader(given[name]) if given[name] else None
            if given[name] and value is None:
                wrong[name] = reason
            return value

        number = read("number", self._number, "number")
        kind = read("kind", lambda text: self.kinds.get(folded(text)), "kind")
        due, closed_on = (read(name, day_in, "day") for name in DAYS)
        if _ISO.fullmatch(given["clause"]):
            wrong["clause"] = "clause_day"
        texts = given | {"kind": kind or "", "indicator": given["indicator"].replace(",", ".")}
        entry = entry_of(texts, due, closed_on)
        for fault in faults(entry, self.today):
            wrong.setdefault(fault.field, fault.reason)
        if not wrong:
            self._keep(number, entry, wrong)
        for name in COLUMNS:
            if name in wrong:
                reason = wrong[name]
                self.refused.append(RefusedRow(row, COLUMNS[name], given[name][:SHOWN_SIGNS], reason, _ENGLISH[reason]))

    def _keep(self, number: int | None, entry: Entry, wrong: dict[str, str]) -> None:
        which: object = entry if number is None else number
        if which in self.taken:
            wrong["title" if number is None else "number"] = "row_twice" if number is None else "number_twice"
            return
        self.taken.add(which)
        self.rows.append((number, entry))

    def _number(self, text: str) -> int | None:
        plain = text.isascii() and text.isdecimal() and len(text) < 10
        return int(text) if plain and int(text) in self.numbers else None


def folded(text: str) -> str:
    """A kind as it is looked up: small letters, no dots, hyphens or needless blanks."""
    return " ".join(text.casefold().replace(".", "").replace("-", " ").replace("_", " ").split())


def names_of(kinds: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Every name of every kind as `read_register` looks them up: its key, each name, and the names as the file has them."""
    found = {}
    for kind in KINDS:
        for name in (kind, *kinds[kind], " / ".join(kinds[kind])):
            found[folded(name)] = kind
    return found


def day_in(text: str) -> date | None:
    """A day as spreadsheets and people write it, year or day first; None if it is none."""
    found = _ISO.fullmatch(text)
    parts = found.groups() if found else ()
    if not parts and (found := _DAY_FIRST.fullmatch(text)):
        parts = found.groups()[::-1]
    try:
        return date(*map(int, parts)) if parts and text.isascii() else None
    except ValueError:
        return None
