"""The staff list as a file, in the columns that `surveys.importing.people` reads: what is written and read again is the same list."""

import io
from collections.abc import Mapping, Sequence

from surveys.importing.forms import UNDATED
from surveys.importing.people import PersonRow, UnitRow

HEADINGS = {
    "number": ("matricola", "staff number"),
    "name": ("nome", "name"),
    "contact": ("contatto", "contact"),
    "consent": ("consenso", "consent"),
    "language": ("lingua", "language"),
    "territory": ("territorio", "territory"),
    "service": ("servizio", "service"),
    "team": ("squadra", "team"),
    "gender": ("genere", "gender"),
    "age": ("fascia d'età", "age band"),
}
"""What each column is called in Italian and in English."""
_LEVELS = ("territory", "service", "team")


def written_people(persons: Sequence[PersonRow], units: Sequence[UnitRow], language: str) -> list[list[str]]:
    """The list as rows of text, the header first; people in the order of their units, then of their names.

    Parameters
    ----------
    persons : everybody
    units : parents before children, three levels at most
    language : ``it`` or ``en``, of the headings
    """
    paths = _paths(units)
    places = {code: place for place, code in enumerate(paths)}
    more = sorted({header for person in persons for header in person.attributes})
    numbered = any(person.number for person in persons)
    columns = [column for column in HEADINGS if column != "number" or numbered]
    header = [HEADINGS[column][language == "en"] for column in columns]
    rows = [[*header, *more]]
    for person in sorted(persons, key=lambda one: (places.get(one.unit, -1), one.name, one.number)):
        path = paths.get(person.unit, [])
        cells = dict(zip(_LEVELS, [*path, "", "", ""], strict=False)) | {
            "number": person.number,
            "name": person.name,
            "contact": person.contact,
            "consent": person.consent,
            "language": person.language,
            "gender": person.gender,
            "age": person.age.replace("_", "-"),
        }
        rows.append([*(cells[column] for column in columns), *(person.attributes.get(header, "") for header in more)])
    return rows


def _paths(units: Sequence[UnitRow]) -> Mapping[str, list[str]]:
    paths: dict[str, list[str]] = {}
    for unit in units:
        paths[unit.code] = [*paths.get(unit.parent or "", []), unit.name]
    return paths


def people_workbook(rows: Sequence[Sequence[str]]) -> bytes:
    """Rows as a workbook in which every cell is text."""
    import xlsxwriter  # loaded when somebody asks for a workbook: a start does not need it

    target = io.BytesIO()
    book = xlsxwriter.Workbook(target, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    book.set_properties({"created": UNDATED})
    text, bold = book.add_format({"num_format": "@"}), book.add_format({"bold": True})
    sheet = book.add_worksheet("personale")
    sheet.set_column(0, len(rows[0]) - 1, 22, text)
    for row, cells in enumerate(rows):
        for place, cell in enumerate(cells):
            sheet.write_string(row, place, cell, text if row else bold)
    sheet.freeze_panes(1, 0)
    book.close()
    return target.getvalue()
