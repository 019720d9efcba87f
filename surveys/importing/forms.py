"""What templates that people fill in have alike: columns with a name in Italian and one in English, and how they are written as CSV."""

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from surveys.importing.sheets import FileUnreadable

MEDIA = {
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
"""The kinds of file that a template comes as."""
UNDATED = datetime(2000, 1, 1)
"""What a workbook says of when it was made: else it carries the second in which somebody took it."""


_FORMULA = re.compile(r"'*[=+\-@]")
"""What a spreadsheet would take for a formula, with the marks that already keep it from that."""


def unarmed(rows: Sequence[Sequence[str]]) -> list[list[str]]:
    """Cells of a CSV that a spreadsheet would run as a formula, marked as text; `armed` takes the mark away."""
    return [[f"'{cell}" if _FORMULA.match(cell) else cell for cell in row] for row in rows]


def armed(cell: str) -> str:
    """A cell of a CSV as it was before `unarmed`."""
    return cell[1:] if cell[:1] == "'" and _FORMULA.match(cell) else cell


def seen(cell: str) -> str:
    """A cell without what shows nothing, such as a sign that turns the letters after it around; the form of one person drops it too."""
    return "".join(
        letter if letter.isprintable() or letter == "\n" else " " * letter.isspace() for letter in cell
    ).strip()


def as_csv(rows: Sequence[Sequence[str]]) -> bytes:
    """Rows as an Italian spreadsheet reads a CSV: semicolons, UTF-8 with a mark at its begin."""
    text = io.StringIO()
    csv.writer(text, delimiter=";").writerows(rows)
    return ("\ufeff" + text.getvalue()).encode()


def places_of(header: Sequence[str], columns: Mapping[str, str], needed: Iterable[str]) -> dict[str, int]:
    """The place of each column in a header; a file may name a column by either half of "italiano / english".

    Raises
    ------
    FileUnreadable
        ``missing_column``, if one that is needed is not there.
    """
    found: dict[str, int] = {}
    for place, title in enumerate(header):
        for half in (part.strip().casefold() for part in title.split("/")):
            name = next((name for name, both in columns.items() if half in both.split(" / ")), "")
            if name:
                found.setdefault(name, place)
    for name in needed:
        if name not in found:
            raise FileUnreadable("missing_column", column=columns[name], columns=", ".join(filter(None, header)))
    return found
