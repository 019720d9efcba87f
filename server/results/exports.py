"""A release as a spreadsheet: the document's figures and nothing finer; a hidden view is a row that says so."""

import csv
import io
from collections.abc import Iterator
from datetime import datetime

from analysis.published import Document
from server.frame.display import text_of
from server.frame.texts import say
from server.results.reading import Labels, figure_cell, view_name

type Row = tuple[str, str, str, str, str, str]
FAMILIES = ("areas", "scales", "items")
UNDATED = "2000-01-01"


def _label(family: str, name: str, labels: Labels, language: str) -> str:
    if family == "areas":
        return say(language, f"results.area.{name}")
    texts = (labels.scales if family == "scales" else labels.items).get(name)
    return text_of(texts, language) if texts else name


def rows(document: Document, labels: Labels, language: str) -> Iterator[Row]:
    """Group, size band, kind, statistic, index, favourable; one row for each shown figure, one for each hidden view."""
    hidden = say(language, "results.not_shown")
    for view in document.views:
        name = view_name(view.filter, document.plan.dimensions, language)
        if not view.shown:
            yield name, hidden, "", "", hidden, hidden
            continue
        for family in FAMILIES:
            for statistic, figure in view.family(family).items():
                yield (
                    name,
                    figure.n_band or view.n_band,
                    family,
                    f"{statistic} {_label(family, statistic, labels, language)}",
                    figure_cell(figure.index, "en"),
                    figure_cell(figure.favourable, "en"),
                )


def _head(language: str) -> Row:
    keys = ("group_head", "size_head", "family_head", "item_head", "index_head", "favourable_head")
    return tuple(say(language, f"results.{key}") for key in keys)  # type: ignore[return-value]  # six keys, six cells


def _safe(cell: str) -> str:
    """A spreadsheet must not take a text for a formula."""
    return f"'{cell}" if cell[:1] in ("=", "+", "-", "@") else cell


def as_csv(document: Document, labels: Labels, language: str) -> str:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(_head(language))
    writer.writerows([_safe(cell) for cell in row] for row in rows(document, labels, language))
    return "\ufeff" + text.getvalue()


def as_workbook(document: Document, labels: Labels, language: str) -> bytes:
    """One sheet of figures, one that says what they are and how they were checked."""
    import xlsxwriter  # loaded when somebody asks for a workbook: a start does not need it

    target = io.BytesIO()
    book = xlsxwriter.Workbook(target, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    day = document.wave.closed or UNDATED  # else the file carries the second of its download
    book.set_properties({"created": datetime.fromisoformat(day)})
    bold = book.add_format({"bold": True})
    sheet = book.add_worksheet(say(language, "results.title")[:31])
    sheet.write_row(0, 0, _head(language), bold)
    for place, row in enumerate(rows(document, labels, language), start=1):
        for column, cell in enumerate(row):
            try:
                sheet.write_number(place, column, float(cell))
            except ValueError:
                sheet.write_string(place, column, cell)
    sheet.freeze_panes(1, 1)
    sheet.autofilter(0, 0, place, 5)
    sheet.set_column(0, 0, 40)
    sheet.set_column(3, 3, 60)
    about = book.add_worksheet(say(language, "results.method")[:31])
    lines = [
        document.wave.id,
        say(language, "results.method_text", k=document.rules.k["items"]),
        say(language, f"results.answers_{document.answers_verdict}"),
    ]
    for place, line in enumerate(lines):
        about.write_string(place, 0, line)
    book.close()
    return target.getvalue()
