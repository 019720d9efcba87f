"""A year's figures in a file: the template and what comes back from it, and files that are wrong in many ways."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.pdr125.year_figures import GROUPS, NUMBERS, Heads, Level, YearFigures
from surveys.importing.figures import (
    CONTRACT,
    LEVEL_ROWS,
    FiguresImport,
    as_workbook,
    filled_rows,
    read_figures,
    share_in,
)
from surveys.importing.forms import as_csv
from surveys.importing.sheets import FileUnreadable
from tests.analysis.pdr125.years import YEAR, any_year

WORDS = {code: (f"voce {code}", f"item {code}") for code in (*GROUPS, *NUMBERS, *LEVEL_ROWS)}
HEAD = ["codice / code", "voce", "item", "livello / level", "donne / women", "uomini / men", "altro / other", "valore"]


def kept(content: bytes, name: str = "anno.csv", year: int = YEAR) -> FiguresImport:
    with TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(content)
        return read_figures(path, year)


def of_rows(*rows: Sequence[str]) -> FiguresImport:
    """Rows of code, level, women, men, other, value."""
    return kept(as_csv([HEAD, *([row[0], "", "", *row[1:], *[""] * (6 - len(row))] for row in rows)]))


def wrong(found: FiguresImport) -> list[tuple[int, str, str, str]]:
    assert found.figures is None
    return [(one.row, one.column, one.value, one.remedy_key) for one in found.refused]


def test_the_template_names_each_figure_in_both_languages_and_three_rows_a_level() -> None:
    rows = filled_rows(None, WORDS, CONTRACT)
    assert rows[0][:4] == HEAD[:4] and len(rows) == 1 + len(GROUPS) + len(NUMBERS) + 3 * len(CONTRACT)
    assert rows[1] == ["headcount", "voce headcount", "item headcount", "", "", "", "", ""]
    assert [row[0] for row in rows if row[3] == "D2"] == ["heads", "pay", "promoted"]
    text = as_csv(rows)
    assert text.startswith("\ufeffcodice / code;voce;item;".encode())


def test_an_empty_template_is_refused_because_nothing_is_filled_in() -> None:
    for content, name in (
        (as_csv(filled_rows(None, WORDS, CONTRACT)), "a.csv"),
        (as_workbook(filled_rows(None, WORDS, CONTRACT)), "a.xlsx"),
    ):
        assert [key for *_, key in wrong(kept(content, name))] == ["nothing"]


def test_a_template_that_a_person_fills_in_with_a_spreadsheet_comes_back_as_typed() -> None:
    book = openpyxl.load_workbook(io.BytesIO(as_workbook(filled_rows(None, WORDS, ("A1", "B1")))))
    sheet = book.worksheets[0]
    at = {(row[0], row[3] or ""): n for n, row in enumerate(sheet.iter_rows(min_row=2, values_only=True), 2)}
    typed: dict[tuple[str, str], tuple[Any, ...]]
    typed = {
        ("headcount", ""): (300, 100, 2, None),
        ("fathers_took", ""): (None, None, None, 6),
        ("heads", "B1"): (30, 12, None, None),
        ("pay", "B1"): (21345.5, "22.000,25", None, None),
    }
    for place, values in typed.items():
        for column, value in enumerate(values, start=5):
            sheet.cell(at[place], column).value = value
    target = io.BytesIO()
    book.save(target)
    assert kept(target.getvalue(), "anno.xlsx").figures == YearFigures(
        YEAR,
        headcount=Heads(300, 100, 2),
        fathers_took=6,
        levels=(Level("B1", Heads(30, 12), Fraction(2_134_550, 100), Fraction(2_200_025, 100)),),
    )


@settings(deadline=None)
@given(any_year())
def test_what_is_filled_in_comes_back_from_csv_and_xlsx(figures: YearFigures) -> None:
    rows = filled_rows(figures, WORDS, ())
    told = tuple(one for one in figures.levels if one != Level(one.name))
    sectorless = replace(figures, levels=told, sector_headcount=None, sector_executives=None)
    for found in (kept(as_csv(rows)), kept(as_workbook(rows), "a.xlsx")):
        if sectorless == YearFigures(figures.year):
            assert [one.remedy_key for one in found.refused] == ["nothing"]
        else:
            assert (found.figures, found.refused) == (sectorless, ())


@pytest.mark.parametrize(
    ("typed", "amount"),
    [
        ("21.345,50", "21345.5"),
        ("21345,5", "21345.5"),
        ("21345.5", "21345.5"),
        ("21,345.50", "21345.5"),
        ("€ 21 345,50", "21345.5"),
        ("21\u00a0345,50 EUR", "21345.5"),
        ("21.345", "21345"),
        ("1.021.345", "1021345"),
        ("21345.678912", "21345.68"),
        ("21345", "21345"),
    ],
)
def test_pay_may_be_written_as_in_italy_or_in_england(typed: str, amount: str) -> None:
    found = of_rows(("heads", "A", "10", "10"), ("pay", "A", typed, "20000"))
    assert found.figures and found.figures.levels[0].pay_women == Fraction(amount)


@pytest.mark.parametrize("typed", ["ventimila", "-20000", "2e4", "20.00.00", "1,2,3", "²", "١٢٣٤٥", "=1+1", "20000/2"])
def test_pay_that_is_no_amount_is_named_with_its_row_and_column(typed: str) -> None:
    found = of_rows(("heads", "A", "10", "10"), ("pay", "A", typed, "20000"))
    assert wrong(found) == [(3, "donne / women", typed, "amount")]


@pytest.mark.parametrize(("typed", "count"), [("1.234", 1234), ("12,0", 12), ("12", 12), (" 1 234 ", 1234)])
def test_a_count_may_have_marks_of_thousands_and_no_half_person(typed: str, count: int) -> None:
    found = of_rows(("headcount", "", typed, "10"))
    assert found.figures and found.figures.headcount.women == count
    assert wrong(of_rows(("headcount", "", "12,5", "10")))[0][3] == "number"


def test_days_that_may_be_a_thousand_or_one_are_asked_again() -> None:
    assert wrong(of_rows(("leave_days_taken", "", "", "", "", "1.240"))) == [(2, "valore / value", "1.240", "days")]
    found = of_rows(("leave_days_taken", "", "", "", "", "12,5"))
    assert found.figures and found.figures.leave_days_taken == Fraction(25, 2)


def test_everything_that_is_wrong_is_told_at_once_with_row_and_column() -> None:
    found = of_rows(
        ("headcount", "", "dieci", "x"),
        ("dirigenti", "", "1"),
        ("fathers_took", "", "3"),
        ("heads", "", "3"),
        ("seats", "A", "3"),
        ("headcount", "", "3"),
        ("pay", "A", "20000", "20000", "20000"),
    )
    assert wrong(found) == [
        (2, "donne / women", "dieci", "number"),
        (2, "uomini / men", "x", "number"),
        (3, "codice / code", "dirigenti", "code"),
        (4, "donne / women", "3", "not_here"),
        (5, "livello / level", "", "no_level"),
        (6, "livello / level", "A", "not_here"),
        (7, "codice / code", "headcount", "twice"),
        (8, "altro / other", "20000", "not_here"),
    ]


def test_figures_that_contradict_each_other_are_told_where_they_stand() -> None:
    found = of_rows(
        ("headcount", "", "20", "10"),
        ("executives", "", "21", "1"),
        ("fathers_took", "", "", "", "", "5"),
        ("fathers_entitled", "", "", "", "", "4"),
        ("heads", "A", "15", "0"),
        ("heads", "B", "6", "5"),
        ("pay", "A", "20000", "20000"),
        ("promoted", "B", "7"),
        ("heads", "b", "0"),
    )
    assert wrong(found) == [
        (2, "donne / women", "20", "less_than_levels"),
        (3, "donne / women", "21", "more_than_headcount"),
        (4, "valore / value", "5", "more_than_entitled"),
        (8, "uomini / men", "20000", "pay_of_nobody"),
        (9, "donne / women", "7", "more_than_level"),
        (10, "livello / level", "b", "level_twice"),
    ]


def test_more_levels_than_any_agreement_has_are_refused() -> None:
    assert wrong(of_rows(*(("heads", f"L{i}", "1") for i in range(61)))) == [
        (1, "codice / code", "", "too_many_levels")
    ]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"nome;cognome\nA;B\n", "missing_column"),
        (b"PK\x03\x04rubbish", "truncated"),
        (b"codice;livello;donne;uomini;altro;valore\n", "no_rows"),
        (b'codice;livello;donne;uomini;altro;valore\n"headcount;;1\n', "damaged"),
        (("codice;livello;donne;uomini;altro;valore\n" + "x;;;;;\n" * 2_100).encode(), "long"),
    ],
)
def test_a_file_that_is_no_template_is_refused_for_one_reason(content: bytes, reason: str) -> None:
    with pytest.raises(FileUnreadable) as refused:
        kept(content)
    assert refused.value.reason == reason


def test_a_column_may_be_named_in_either_language_alone_and_the_words_may_go() -> None:
    found = kept(b"CODE;level;Women;uomini;other;valore\nheadcount;;3;4;;\n")
    assert found.figures and found.figures.headcount == Heads(3, 4)


_CELLS = st.text(max_size=12) | st.sampled_from(
    [
        *GROUPS,
        *NUMBERS,
        *LEVEL_ROWS,
        "A1",
        "a1",
        "12",
        "-1",
        "1.000",
        "20.000,5",
        "1e9",
        "\ufeff",
        "NaN",
        "=1",
        "9" * 30,
    ]
)


@settings(deadline=None, max_examples=200)
@given(st.lists(st.lists(_CELLS, min_size=8, max_size=8), max_size=6), st.booleans())
def test_whatever_stands_in_the_cells_is_read_or_refused(rows: list[list[str]], as_book: bool) -> None:
    plain = [["".join(sign for sign in cell if sign.isprintable()) for cell in row] for row in rows]
    try:
        found = kept(as_workbook([HEAD, *plain]), "a.xlsx") if as_book else kept(as_csv([HEAD, *rows]))
    except FileUnreadable:
        return
    assert (found.figures is None) == bool(found.refused)
    assert all(one.remedy and len(one.value) <= 60 for one in found.refused)


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_bytes_of_any_kind_are_read_or_refused(content: bytes) -> None:
    with pytest.raises(FileUnreadable):
        kept(content)


@pytest.mark.parametrize(
    ("typed", "share"),
    [("62,5", "0.625"), ("62.5 %", "0.625"), ("100", "1"), ("0", "0"), ("sessanta", None), ("-1", None), ("", None)],
)
def test_a_share_is_typed_in_percent(typed: str, share: str | None) -> None:
    assert share_in(typed) == (None if share is None else Fraction(share))


def _cells(text: bytes) -> Mapping[str, list[str]]:
    return {row[0]: row for row in csv.reader(io.StringIO(text.decode("utf-8-sig")), delimiter=";")}


def test_a_filled_form_writes_numbers_as_an_italian_spreadsheet_reads_them() -> None:
    figures = YearFigures(YEAR, levels=(Level("A", Heads(3, 4), Fraction(2_134_550, 100), Fraction(20_000)),))
    assert _cells(as_csv(filled_rows(figures, WORDS, ())))["pay"][3:] == ["A", "21345,50", "20000", "", ""]
