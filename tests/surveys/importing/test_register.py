"""The register in a file: what is written comes back, cells that are wrong are told one by one, and no file breaks the reader."""

import csv
import io
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl.utils.exceptions import IllegalCharacterError

from surveys.importing.forms import as_csv, unarmed
from surveys.importing.register import (
    COLUMNS,
    MOST_ROWS,
    RegisterImport,
    Row,
    as_workbook,
    names_of,
    read_register,
    written_rows,
)
from surveys.importing.sheets import FileUnreadable
from surveys.public.register_entry import (
    FIRST_DAY,
    KINDS,
    LAST_DAY,
    MOST,
    Entry,
    entry_of,
    faults,
    known_indicators,
)
from tests.conftest import DAY

NAMES = {
    "non_conformity": ("non conformità", "non-conformity"),
    "observation": ("osservazione", "observation"),
    "opportunity": ("opportunità", "opportunity"),
    "internal_audit": ("audit interno", "internal audit"),
    "review": ("riesame", "review"),
    "objective": ("obiettivo", "objective"),
}
BOTH = {kind: " / ".join(names) for kind, names in NAMES.items()}
FOUND = Entry("non_conformity", "Fogli firma mancanti", "6.3.2", "1.5", "Due sedi", "Ufficio formazione", DAY)


def kept(content: bytes, name: str = "r.csv", numbers: Sequence[int] = (1, 2, 3)) -> RegisterImport:
    with TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(content)
        return read_register(path, names_of(NAMES), numbers, DAY)


def files(rows: Sequence[Row]) -> list[tuple[str, bytes]]:
    texts = written_rows(rows, BOTH)
    return [("r.csv", as_csv(unarmed(texts))), ("r.xlsx", as_workbook(texts, list(BOTH.values()), ["6.2"], ["1.5"]))]


def of_cells(*rows: dict[str, str]) -> RegisterImport:
    """A CSV of `FOUND` with other cells."""
    right = dict(zip(COLUMNS, written_rows([(None, FOUND)], BOTH)[1], strict=True))
    return kept(as_csv([list(COLUMNS.values()), *([*(right | row).values()] for row in rows)]))


def wrong(found: RegisterImport) -> list[tuple[int, str, str]]:
    assert found.rows == ()
    return [(one.row, one.column, one.remedy_key) for one in found.refused]


letters = st.text(st.characters(codec="utf-8"), max_size=60)
days = st.dates(FIRST_DAY, LAST_DAY)


@st.composite
def entries(draw: st.DrawFn) -> Entry:
    """Any entry that may stand in the register."""
    typed = {name: draw(letters)[:most] for name, most in MOST.items()}
    typed |= {"kind": draw(st.sampled_from(KINDS)), "title": f"a{typed['title']}", "owner": f"{typed['owner']}b"}
    typed["indicator"] = draw(st.sampled_from(["", *sorted(known_indicators())]))
    over = draw(st.none() | st.dates(FIRST_DAY, DAY))
    if over:
        typed |= {"outcome": f"c{typed['outcome']}", "team": f"{typed['team']}d"}
    return entry_of(typed, draw(days), over)


@settings(max_examples=150, deadline=None)
@given(st.lists(entries(), min_size=1, max_size=4, unique=True), st.booleans())
def test_what_is_written_comes_back_from_csv_and_xlsx(made: list[Entry], numbered: bool) -> None:
    made = [one for one in made if one.clause.count("-") != 2]  # a clause that is a day is asked about
    rows: list[Row] = [(number if numbered and number < 4 else None, one) for number, one in enumerate(made, 1)]
    for name, content in files(rows) if rows else ():
        assert all(faults(one, DAY) == () for one in made)
        assert kept(content, name) == RegisterImport(tuple(rows), ())


@pytest.mark.parametrize("text", ["=1+1", "+39 055", "-2", "@SUM(A1)", "'=1+1", "''@x", "'tis", "6.10", "_x0041_"])
def test_a_cell_that_a_spreadsheet_would_run_is_text_in_the_file_and_comes_back_as_typed(text: str) -> None:
    entry = replace(FOUND, title=f"{text} a", evidence=text, clause=text, owner=f"{text}b")
    for name, content in files([(None, entry)]):
        assert kept(content, name).rows == ((None, entry),)
        if name == "r.csv":
            cells = list(csv.reader(io.StringIO(content.decode("utf-8-sig")), delimiter=";"))[1]
            assert not [cell for cell in cells if cell[:1] in set("=+-@")]
        else:
            sheet = openpyxl.load_workbook(io.BytesIO(content)).worksheets[0]
            assert {cell.data_type for cell in sheet[2]} <= {"s", "n", "d"} and sheet["F2"].value == text


def test_the_workbook_offers_kinds_clauses_and_indicators_and_keeps_days_as_days() -> None:
    book = openpyxl.load_workbook(io.BytesIO(files([(2, FOUND)])[1][1]))
    sheet, lists = book.worksheets
    rules = {str(one.sqref): (one.formula1, one.showErrorMessage) for one in sheet.data_validations.dataValidation}
    assert rules == {
        f"B2:B{MOST_ROWS + 1}": (f"elenchi!$A$1:$A${len(KINDS)}", True),
        f"C2:C{MOST_ROWS + 1}": ("elenchi!$B$1:$B$1", False),  # a clause may be another one
        f"D2:D{MOST_ROWS + 1}": ("elenchi!$C$1:$C$1", True),
    }
    assert lists.sheet_state == "hidden" and [cell.value for cell in lists["A"]] == list(BOTH.values())
    assert sheet["H2"].value == datetime(DAY.year, DAY.month, DAY.day) and sheet["C2"].number_format == "@"


def test_a_person_may_name_kinds_days_and_columns_as_she_is_used_to() -> None:
    header = ["Number", "TIPO", "clause", "indicatore", "finding", "prova", "chi", "due", "chiuso il", "esito", "team"]
    rows = [
        ["2", "Non-Conformity", "A.1", "1,5", " Fogli  firma ", "", "Anna", "3.12.2026", "", "", ""],
        ["", "OSSERVAZIONE", "", "", "Verbale", "", "Bruno", "2026-12-03", "", "", ""],
        ["", "audit interno", "", "", "Audit", "", "Carla", "03/12/2026", "1-2-2026", "Bene", "D, E"],
    ]
    found = kept(as_csv([header, *rows]))
    on = date(2026, 12, 3)
    assert found == RegisterImport(
        (
            (2, Entry("non_conformity", "Fogli firma", "A.1", "1.5", owner="Anna", due=on)),
            (None, Entry("observation", "Verbale", owner="Bruno", due=on)),
            (
                None,
                Entry(
                    "internal_audit",
                    "Audit",
                    owner="Carla",
                    due=on,
                    closed_on=date(2026, 2, 1),
                    outcome="Bene",
                    team="D, E",
                ),
            ),
        ),
        (),
    )


@pytest.mark.parametrize(
    ("cells", "column", "key"),
    [
        ({"number": "9"}, "number", "number"),
        ({"number": "uno"}, "number", "number"),
        ({"number": "9" * 400}, "number", "number"),
        ({"number": "²"}, "number", "number"),
        ({"kind": "peccato"}, "kind", "kind"),
        ({"kind": ""}, "kind", "kind"),
        ({"title": ""}, "title", "title"),
        ({"owner": "–"}, "owner", "owner"),
        ({"due": ""}, "due", "due"),
        ({"due": "31/02/2026"}, "due", "day"),
        ({"due": "domani"}, "due", "day"),
        ({"due": "03/12/26"}, "due", "day"),
        ({"due": "1999-12-31"}, "due", "due_out"),
        ({"closed_on": "2099-01-01", "outcome": "Fatto"}, "closed_on", "closed_out"),
        ({"closed_on": "2026-01-01"}, "outcome", "outcome"),
        ({"closed_on": "2026-01-01", "outcome": "x", "kind": "audit interno"}, "team", "team"),
        ({"clause": "2002-03-06"}, "clause", "clause_day"),
        ({"clause": "6" * 21}, "clause", "long"),
        ({"title": "a" * 5000}, "title", "long"),
        ({"indicator": "7.7"}, "indicator", "indicator"),
    ],
)
def test_a_cell_that_is_wrong_is_named_by_row_and_column_with_a_way_out(
    cells: dict[str, str], column: str, key: str
) -> None:
    assert wrong(of_cells({"title": "Buono"}, cells)) == [(3, COLUMNS[column], key)]


def test_several_cells_that_are_wrong_are_told_at_once_and_nothing_is_kept() -> None:
    found = of_cells({"kind": "x", "due": "y"}, {}, {"owner": "", "number": "7"}, {})
    assert wrong(found) == [
        (2, COLUMNS["kind"], "kind"),
        (2, COLUMNS["due"], "day"),
        (4, COLUMNS["number"], "number"),
        (4, COLUMNS["owner"], "owner"),
        (5, COLUMNS["title"], "row_twice"),
    ]
    assert wrong(of_cells({"number": "2"}, {"number": "2", "title": "Altro"})) == [
        (3, COLUMNS["number"], "number_twice")
    ]


def test_a_file_without_a_column_names_it() -> None:
    for name in COLUMNS:
        header = [title for key, title in COLUMNS.items() if key != name]
        with pytest.raises(FileUnreadable) as refused:
            kept(as_csv([header, ["x"] * len(header)]))
        assert (refused.value.reason, refused.value.params["column"]) == ("missing_column", COLUMNS[name])


def test_a_file_longer_than_the_bound_is_refused_and_one_of_that_length_is_not() -> None:
    most = [(None, replace(FOUND, title=f"Rilievo {n}")) for n in range(MOST_ROWS)]
    for name, content in files(most):
        assert len(kept(content, name).rows) == MOST_ROWS
    with pytest.raises(FileUnreadable, match=str(MOST_ROWS)):
        kept(files([*most, (None, FOUND)])[0][1])


cells: st.SearchStrategy[Any] = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.dates(), letters, st.sampled_from([*BOTH.values(), "1", "1.5", "2026-02-30", "=1/0", "<script>", "\u202eabc"])
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.lists(st.lists(cells, max_size=12), max_size=5), st.booleans())
def test_whatever_cells_a_file_holds_it_is_read_or_refused(rows: list[list[Any]], workbook: bool) -> None:
    """Could break: a cell of another type, or a text that no form would send, and half of a file taken."""
    header = list(COLUMNS.values())
    if workbook:
        book = openpyxl.Workbook()
        assert book.active is not None
        book.active.append(header)
        try:
            for row in rows:
                book.active.append(row)
        except (IllegalCharacterError, ValueError):
            return
        target = io.BytesIO()
        book.save(target)
        content = target.getvalue()
    else:
        content = as_csv([header, *([str(cell or "") for cell in row] for row in rows)])
    try:
        found = kept(content, "r.xlsx" if workbook else "r.csv")
    except FileUnreadable:
        return
    assert (found.rows == ()) != (found.refused == ())
    assert all(faults(entry, DAY) == () for _, entry in found.rows)
    assert all(one.row > 1 and one.column in COLUMNS.values() for one in found.refused)
