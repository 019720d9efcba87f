"""What leaves as a spreadsheet: every figure of the document and no other, "not shown" as one row, and no cell that is a formula."""

import csv
import io
import json
from typing import Any

import openpyxl
import pytest

from analysis import published
from analysis.document import canonical
from analysis.steps import as_number, is_coded
from server.results.exports import as_csv, as_workbook, full_name, tables
from server.results.reading import Labels
from tests.analysis.waves import released, wave

MADE = json.loads(
    canonical(
        released(
            wave(
                240,
                A1=[(1, 2, 2, 5)[i % 4] for i in range(240)],
                A2=[-3 if i % 3 == 0 else 4 for i in range(240)],
            )
        )
    )
)
DOCUMENT = published.read(MADE)
LABELS = Labels(
    {"A1": {"it": "=Domanda uno", "en": "=One"}}, {"CUL": {"it": "Cultura", "en": "Culture"}}, {}, frozenset()
)


def _sheet(language: str) -> dict[str, list[tuple[Any, ...]]]:
    book = openpyxl.load_workbook(io.BytesIO(as_workbook(DOCUMENT, LABELS, language)))
    return {name: list(book[name].iter_rows(values_only=True)) for name in book.sheetnames}


@pytest.mark.parametrize("language", ["it", "en"])
def test_every_figure_of_the_document_is_there_and_no_other(language: str) -> None:
    """Could leak or mislead: a number that the document does not have."""
    figures, *_ = tables(DOCUMENT, LABELS, language)
    written = [row[5] for row in figures.rows if row[3]]
    expected = [
        figure.index
        for view in DOCUMENT.views
        if view.shown
        for family in ("areas", "scales", "items", "indicators")
        for figure in view.family(family).values()
    ]
    assert [is_coded(index) for index in expected] == [isinstance(cell, str) for cell in written]
    assert [as_number(index) for index in expected] == [
        float(str(cell).replace("≤ ", "").replace("≥ ", "")) for cell in written
    ]
    shares = [row[8] for row in figures.rows if row[3]]
    assert [cell != "" for cell in shares] == [
        figure.favourable is not None
        for view in DOCUMENT.views
        if view.shown
        for family in ("areas", "scales", "items", "indicators")
        for figure in view.family(family).values()
    ]


def test_the_same_figures_stand_in_the_workbook_and_in_the_table() -> None:
    book, text = (
        _sheet("it")["Valori"],
        list(csv.reader(io.StringIO(as_csv(DOCUMENT, LABELS, "it")[1:]), delimiter=";")),
    )
    assert len(book) == len(text)
    for cells, row in zip(book[1:], text[1:], strict=True):
        index = cells[5]
        said = row[8]
        assert said == ("" if index is None else index if isinstance(index, str) else f"{index:g}".replace(".", ","))


def test_a_group_that_is_not_shown_is_one_row_that_says_so() -> None:
    figures = tables(DOCUMENT, LABELS, "it")[0]
    hidden = [view for view in DOCUMENT.views if not view.shown]
    rows = [row for row in figures.rows if row[1] == "non mostrato"]
    assert len(rows) == len(hidden) > 0
    assert all(set(row[2:]) == {""} for row in rows)


def test_differences_and_indicators_are_those_of_the_document() -> None:
    _, differences, indicators, *_ = tables(DOCUMENT, LABELS, "en")
    assert [(row[5], row[6], row[7], row[8] == "yes") for row in differences.rows] == [
        (one.gap, one.low, one.high, one.clear) for one in DOCUMENT.differences
    ]
    assert len(differences.rows) > 0
    assert [row[0] for row in indicators.rows] == list(DOCUMENT.perception)


def test_who_does_not_know_and_what_people_lived_are_those_of_the_document() -> None:
    figures, *_, experience, _ = tables(DOCUMENT, LABELS, "en")
    whole, said = DOCUMENT.everyone, {row[3]: row[12:15] for row in figures.rows if row[0] == figures.rows[0][0]}
    assert len(whole.special) > 0
    for item, special in whole.special.items():
        shares = (special.dont_know, special.prefer_not, special.skipped)
        assert [cell != "" for cell in said[item]] == [share is not None for share in shares]
        assert [float(str(cell).lstrip("≤≥ ")) for cell in said[item] if cell != ""] == [
            as_number(share) for share in shares if share is not None
        ]
    assert [row[1] for row in experience.rows] == [one.band or "" for one in DOCUMENT.experience.values()]
    assert any(one.gender for one in DOCUMENT.experience.values())
    for row, one in zip(experience.rows, DOCUMENT.experience.values(), strict=True):
        assert sorted(cell for cell in row[3:] if cell) == sorted(side.band for side in one.gender.values())


def test_every_column_is_in_the_dictionary() -> None:
    for language in ("it", "en"):
        sheets = _sheet(language)
        said = {row[0] for row in list(sheets.values())[4][1:]}
        assert {cell for rows in list(sheets.values())[:4] for cell in rows[0]} <= said


def test_no_cell_is_a_formula_and_an_italian_spreadsheet_splits_the_table() -> None:
    """Could harm: a question that begins with = is run by whoever opens the file."""
    text = as_csv(DOCUMENT, LABELS, "it")
    assert text.startswith("\ufeff") and "'=Domanda uno" in text and ";=" not in text
    heads = [
        next(csv.reader(io.StringIO(as_csv(DOCUMENT, LABELS, language)), delimiter=delimiter))
        for language, delimiter in (("it", ";"), ("en", ","))
    ]
    assert len(heads[0]) == len(heads[1]) == 18
    book = openpyxl.load_workbook(io.BytesIO(as_workbook(DOCUMENT, LABELS, "it")))
    assert all(cell.data_type != "f" for sheet in book for row in sheet.iter_rows() for cell in row)


def test_a_service_is_named_with_its_territory() -> None:
    assert full_name({"unit": ("po.a",)}, DOCUMENT.plan.dimensions, "it") == "Prato · A"
    assert full_name({"unit": ("po",)}, DOCUMENT.plan.dimensions, "it") == "Prato"
