"""A year's figures by gender, in a file: a template to fill in, and the filled file back as typed figures, whole or not at all.

A row is one figure, known by the code in its first column; a level of the collective agreement has three. Italian and English stand
beside each other in the file, so that whoever fills it in needs no other page.
"""

import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

from analysis.pdr125.year_figures import (
    FIRST_YEAR,
    GENDERS,
    GROUPS,
    LAST_YEAR,
    NUMBERS,
    Fault,
    FiguresRefused,
    Heads,
    Level,
    YearFigures,
)
from surveys.importing.forms import UNDATED, places_of
from surveys.importing.sheets import FileUnreadable, RefusedRow, read_rows

LIMIT_BYTES = 2 * 1024 * 1024
UNPACKED_BYTES = 16 * 1024 * 1024
MOST_ROWS = 2_000
LEVEL_ROWS = ("heads", "pay", "promoted")
COLUMNS = {
    "code": "codice / code",
    "italian": "voce",
    "english": "item",
    "level": "livello / level",
    "women": "donne / women",
    "men": "uomini / men",
    "other": "altro / other",
    "value": "valore / value",
}
"""The header of the template. A file may name a column by either half."""
CONTRACT = ("A1", "A2", "B1", "C1", "C2", "C3", "D1", "D2", "D3", "E1", "E2", "F1", "F2")
"""Levels of the collective agreement of social cooperatives, for a template before any year is known."""
SHOWN_SIGNS = 60
_ENGLISH = {
    "code": "Write a code of the template, or take the row away.",
    "twice": "This figure stands in an earlier row already. Keep one of the two.",
    "not_here": "Leave this cell empty: the row has no figure in this column.",
    "no_level": "Write the name of the level.",
    "nothing": "Fill in at least one figure.",
    "number": "Write a number such as 12, or leave the cell empty.",
    "amount": "Write an amount such as 21.345,50, or leave the cell empty.",
    "days": "Write days such as 1240 or 12,5, without a mark of thousands.",
    "count": "Write a whole number from 0 to 1,000,000.",
    "more_than_headcount": "It cannot be more than the headcount of the same gender.",
    "more_than_level": "It cannot be more than the people of the level of the same gender.",
    "more_than_entitled": "It cannot be more than the fathers who are entitled.",
    "less_than_levels": "The levels together have more people of this gender: correct the headcount or the levels.",
    "days_of_nobody": "Days were taken, but no father took leave: correct one of the two.",
    "pay": "Write the average of a year in euros, between 1.000 and 10.000.000.",
    "pay_of_nobody": "The level has nobody of this gender: leave the pay empty, or correct the people.",
    "level_name": "Write a name of at most 60 signs that begins with a letter or a digit.",
    "level_twice": "This level stands in the file already under a name that differs in capitals alone.",
    "too_many_levels": "There are more than 60 levels. Keep those that have people.",
}
_KINDS = {"pay": "amount", "leave_days_taken": "days", "leave_days_by_law": "days"}
_COUNT = re.compile(r"\d{1,3}(\.\d{3})+|\d{1,9}([.,]0{1,6})?")
_AMOUNT = re.compile(r"\d{1,3}(?:\.\d{3})+(?:,\d+)?|\d{1,3}(?:,\d{3})+\.\d+|\d{1,9}(?:[.,]\d{1,20})?")
_UNCLEAR = re.compile(r"\d{1,3}[.,]\d{3}")
"""Of days: 1.240 may be a thousand and more, or one and a little. Of pay it cannot: nobody earns 21,345 euros and a third of a cent a year."""
_SHARE = re.compile(r"[0-9]{1,3}([.,][0-9]{1,6})?")
_BLANKS = re.compile(r"[\s\u00a0\u202f\u2009]+")


@dataclass(frozen=True, slots=True)
class FiguresImport:
    """What a file holds: the figures, or every cell that is wrong; never both."""

    figures: YearFigures | None
    refused: tuple[RefusedRow, ...]


def filled_rows(
    figures: YearFigures | None, words: Mapping[str, tuple[str, str]], levels: Sequence[str]
) -> list[list[str]]:
    """The form as rows: header, one row for each figure, three for each level.

    Parameters
    ----------
    figures : YearFigures or None
        What fills the form; None for an empty one.
    words : mapping
        What each figure is, in Italian and in English, by its code.
    levels : sequence
        Names of levels, for an empty form; a filled one has those of its figures.
    """
    known = figures or YearFigures(FIRST_YEAR, levels=tuple(Level(name) for name in levels))

    def row(code: str, level: str = "", heads: Heads | None = None, **values: Fraction | int | None) -> list[str]:
        given = {gender: getattr(heads, gender) for gender in GENDERS} if heads else values
        return [code, *words[code], level, *(_written(given.get(name)) for name in (*GENDERS, "value"))]

    rows = [list(COLUMNS.values())]
    rows += [row(name, heads=getattr(known, name)) for name in GROUPS]
    rows += [row(name, value=getattr(known, name)) for name in NUMBERS]
    for level in known.levels:
        rows.append(row("heads", level.name, level.heads))
        rows.append(row("pay", level.name, women=level.pay_women, men=level.pay_men))
        rows.append(row("promoted", level.name, level.promoted))
    return rows


def _written(value: Fraction | int | None) -> str:
    """A number as it is read back: a decimal comma, no mark of thousands."""
    if value is None:
        return ""
    return str(int(value)) if value == int(value) else f"{float(value):.2f}".replace(".", ",")


def as_workbook(rows: Sequence[Sequence[str]]) -> bytes:
    """Rows as a workbook of one sheet, with the places that no figure belongs in greyed."""
    import xlsxwriter  # loaded when somebody asks for a workbook: a start does not need it

    target = io.BytesIO()
    book = xlsxwriter.Workbook(target, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    book.set_properties({"created": UNDATED})
    bold, wrapped, shut = (
        book.add_format(style)
        for style in ({"bold": True}, {"text_wrap": True, "valign": "top"}, {"bg_color": "#dcd8cf"})
    )
    sheet = book.add_worksheet("ascolto")
    places = list(COLUMNS)
    for place, cells in enumerate(rows):
        for column, cell in enumerate(cells):
            sheet.write_string(place, column, cell, bold if place == 0 else wrapped)
        for column, name in enumerate(places):
            if place and name in (*GENDERS, "value") and name not in _places(cells[0]):
                sheet.write_blank(place, column, None, shut)
    sheet.freeze_panes(1, 1)
    for columns, width in (((0, 0), 20), ((1, 2), 52), ((3, 7), 16)):
        sheet.set_column(*columns, width)
    book.close()
    return target.getvalue()


def _places(code: str) -> tuple[str, ...]:
    """The columns that the row of a code has figures in."""
    if code in NUMBERS:
        return ("value",)
    return ("women", "men") if code == "pay" else GENDERS


def read_figures(path: Path, year: int) -> FiguresImport:
    """Read a filled template.

    Parameters
    ----------
    path : Path
        CSV or XLSX, up to 2 MB. Empty cells are figures that are not said. Numbers may be written as in Italy or in England:
        21.345,50 or 21,345.50; three digits after a single point are thousands.
    year : int
        The reporting year.

    Raises
    ------
    FileUnreadable
        If the file as a whole cannot be read, or a column is missing.
    ValueError
        If the year is out of the bounds of `YearFigures`.
    """
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise ValueError(f"no reporting year: {year}")
    rows = read_rows(path, limit_bytes=LIMIT_BYTES, unpacked=UNPACKED_BYTES)
    reading = _Reading(places_of(rows.header, COLUMNS, ("code", "level", *GENDERS, "value")))
    for number, cells in rows.numbered:
        if number > MOST_ROWS:
            raise FileUnreadable("long", limit=MOST_ROWS)
        reading.take(number, cells)
    return reading.made(year)


@dataclass(slots=True)
class _Reading:
    """One pass over a file: figures by code and level, the row that each stands in, and what is wrong."""

    columns: Mapping[str, int]
    figures: dict[tuple[str, str], dict[str, Fraction]] = field(default_factory=dict)
    rows: dict[tuple[str, str], tuple[int, list[str]]] = field(default_factory=dict)
    refused: list[RefusedRow] = field(default_factory=list)

    def refuse(self, number: int, column: str, value: str, reason: str) -> None:
        self.refused.append(RefusedRow(number, COLUMNS[column], value[:SHOWN_SIGNS], reason, _ENGLISH[reason]))

    def take(self, number: int, cells: list[str]) -> None:
        """Take one row in, or note everything that is wrong with it; a row without figures says nothing."""
        given = {name: cells[self.columns[name]] for name in (*GENDERS, "value") if cells[self.columns[name]]}
        if not given:
            return
        code, level = cells[self.columns["code"]].casefold(), " ".join(cells[self.columns["level"]].split())
        if code not in (*GROUPS, *NUMBERS, *LEVEL_ROWS):
            return self.refuse(number, "code", code, "code")
        if code in LEVEL_ROWS and not level:
            return self.refuse(number, "level", level, "no_level")
        if code not in LEVEL_ROWS and level:
            return self.refuse(number, "level", level, "not_here")
        if (code, level) in self.rows:
            return self.refuse(number, "code", code, "twice")
        self.rows[code, level] = number, cells
        values = self.figures.setdefault((code, level), {})
        for column, text in given.items():
            if column not in _places(code):
                self.refuse(number, column, text, "not_here")
                continue
            value = _number(code, text)
            if value is None:
                self.refuse(number, column, text, _KINDS.get(code, "number"))
            else:
                values[column] = value

    def heads(self, code: str, level: str = "") -> Heads:
        found = self.figures.get((code, level), {})
        return Heads(**{gender: int(value) for gender, value in found.items()})

    def made(self, year: int) -> FiguresImport:
        """The figures, or what is wrong with them."""
        if not self.rows and not self.refused:
            self.refuse(2, "women", "", "nothing")
        if self.refused:
            return FiguresImport(None, tuple(self.refused))
        names = list(dict.fromkeys(level for code, level in self.rows if code in LEVEL_ROWS))
        given: dict[str, Any] = {name: self.figures.get((name, ""), {}).get("value") for name in NUMBERS}
        given |= {name: int(given[name]) for name in NUMBERS[:2] if given[name] is not None}
        given |= {name: self.heads(name) for name in GROUPS}
        try:
            figures = YearFigures(year, levels=tuple(self._level(name) for name in names), **given)
        except FiguresRefused as problem:
            for fault in problem.faults:
                self._tell(fault)
            return FiguresImport(None, tuple(sorted(self.refused, key=lambda one: (one.row, one.column))))
        return FiguresImport(figures, ())

    def _level(self, name: str) -> Level:
        pay = self.figures.get(("pay", name), {})
        return Level(name, self.heads("heads", name), pay.get("women"), pay.get("men"), self.heads("promoted", name))

    def _tell(self, fault: Fault) -> None:
        """Say of a figure that cannot be in which row and column it stands."""
        rows = [key for key in ((fault.name, fault.level), *self.rows) if key in self.rows and key[1] == fault.level]
        number, cells = (1, []) if fault.name == "levels" else self.rows[rows[0]]
        if fault.reason.startswith("level_"):
            column = "level"
        else:
            column = fault.gender or ("value" if fault.name in NUMBERS else "code")
        value = cells[self.columns[column]] if cells else ""
        self.refuse(number, column, value, fault.reason)


def _number(code: str, text: str) -> Fraction | None:
    """A count, or for pay and days an amount to the cent; None if it is neither."""
    plain = _BLANKS.sub("", text.replace("€", "").removesuffix("EUR").removesuffix("euro"))
    if not plain.isascii():
        return None
    if code in _KINDS:
        if not _AMOUNT.fullmatch(plain) or (code != "pay" and _UNCLEAR.fullmatch(plain)):
            return None
        return Fraction(round(100 * Fraction(_with_point(plain, thousands=code == "pay"))), 100)
    return Fraction(_with_point(plain, thousands=True)) if _COUNT.fullmatch(plain) else None


def share_in(text: str) -> Fraction | None:
    """A share typed in percent, such as 62,5 or 62.5 %; None if it is none."""
    plain = _BLANKS.sub("", text.replace("%", ""))
    return Fraction(plain.replace(",", ".")) / 100 if _SHARE.fullmatch(plain) else None


def _with_point(text: str, *, thousands: bool) -> str:
    """A number with a decimal point and nothing else; whichever of comma and point stands last parts the decimals, if both do."""
    if "," in text and "." in text:
        if text.rindex(",") > text.rindex("."):
            return text.replace(".", "").replace(",", ".")
        return text.replace(",", "")
    if text.count(".") > 1 or (thousands and re.fullmatch(r"[1-9]\d{0,2}\.\d{3}", text)):
        return text.replace(".", "")
    return text.replace(",", ".")
