"""A release as a spreadsheet: the document's figures and nothing finer; a hidden view is a row that says so."""

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from analysis.demographics import Dimension
from analysis.published import Document, Filter, Special
from analysis.steps import Figure, as_number, is_coded
from server.frame.display import number, text_of
from server.frame.texts import say
from server.results.findings import indicator_text
from server.results.reading import Labels, figure_cell, view_name
from server.results.shown import experience_lines
from surveys import certification

type Cell = str | float
FAMILIES = ("areas", "scales", "items", "indicators")
UNDATED = "2000-01-01"
DECIMAL_COMMA = frozenset({"it"})
"""Languages whose spreadsheets read a comma in numbers, and semicolons between cells."""


@dataclass(frozen=True, slots=True)
class Table:
    """One sheet: its name, the keys of its columns (docs: the sheet "dictionary"), and its rows."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


FIGURES = ("group", "people", "kind", "id", "text", "index", "index_low", "index_high")
SHARES = ("favourable", "favourable_low", "favourable_high", "distribution", "unknown", "withheld", "left_out")
EXPERIENCE = ("question", "people", "share", "women", "others")
DIFFERENCES = ("group", "against", "kind", "id", "text", "gap", "gap_low", "gap_high", "clear", "delta")
INDICATORS = ("indicator", "state", "index", "index_low", "index_high", "dont_know", "awareness", "women", "others")


def tables(document: Document, labels: Labels, language: str) -> tuple[Table, ...]:
    """Everything a release says in figures: groups, comparisons, indicators, and what the columns mean."""
    named = {
        "figures": ((*FIGURES, *SHARES), _figures(document, labels, language)),
        "differences": (DIFFERENCES, _differences(document, labels, language)),
        "indicators": (INDICATORS, _indicators(document, language)),
        "experience": (EXPERIENCE, _experience(document, labels, language)),
    }
    found = [Table(name, columns, tuple(rows)) for name, (columns, rows) in named.items()]
    keys = dict.fromkeys(key for table in found for key in table.columns)
    meanings = tuple((say(language, f"hr.export.{key}"), say(language, f"hr.export.of_{key}")) for key in keys)
    return (*found, Table("dictionary", ("column", "meaning"), meanings))


def full_name(filter_: Filter, dimensions: Iterable[Dimension], language: str) -> str:
    """A view's name with the territory before its service: Firenze · Pulizie."""
    units = {c.code: c for d in dimensions if d.id == "unit" for c in d.categories}
    path: list[str] = []
    code = filter_["unit"][0] if "unit" in filter_ else None
    while code and (unit := units.get(code)) and (code := unit.parent):
        above = units[code].name
        path.insert(0, text_of(above, language) if isinstance(above, dict) else str(above))
    return " · ".join([*path, view_name(filter_, tuple(dimensions), language)])


def _text(family: str, name: str, labels: Labels, language: str) -> str:
    if family == "areas":
        return say(language, f"results.area.{name}")
    if family == "indicators":
        found = certification.named(name)
        return indicator_text(found, language) if found else name
    texts = (labels.scales if family == "scales" else labels.items).get(name)
    return text_of(texts, language) if texts else name


def _value(figure: Figure | None) -> Cell:
    """A number, or a coded end in words."""
    if figure is None:
        return ""
    return figure_cell(figure, "en") if is_coded(figure) else as_number(figure)


def _ends(limits: tuple[float, float] | None) -> tuple[Cell, Cell]:
    return limits if limits else ("", "")


def _figures(document: Document, labels: Labels, language: str) -> Iterator[tuple[Cell, ...]]:
    """One row for each shown figure, one for each hidden view."""
    hidden = say(language, "results.not_shown")
    for view in document.views:
        name = full_name(view.filter, document.plan.dimensions, language)
        if not view.shown:
            yield (name, hidden, *("" for _ in (*FIGURES[2:], *SHARES)))
            continue
        for family in FAMILIES:
            for statistic, figure in view.family(family).items():
                yield (
                    name,
                    figure.n_band or view.n_band,
                    say(language, f"hr.export.kind_{family}"),
                    statistic,
                    _text(family, statistic, labels, language),
                    _value(figure.index),
                    *_ends(figure.ci.index),
                    _value(figure.favourable),
                    *_ends(figure.ci.favourable),
                    " / ".join(figure_cell(one, "en") for one in figure.distribution),
                    *_special(view.special.get(statistic) if family == "items" else None),
                )


def _special(found: Special | None) -> tuple[Cell, Cell, Cell]:
    """Shares of those who do not know, prefer not to say, or left it out; of a question of the whole organisation."""
    return (_value(found.dont_know), _value(found.prefer_not), _value(found.skipped)) if found else ("", "", "")


def _experience(document: Document, labels: Labels, language: str) -> Iterator[tuple[Cell, ...]]:
    """What people lived, in bands; by gender where both sides may be shown."""
    for line in experience_lines(document, labels, language):
        yield (line.text, line.band, line.share, line.women, line.others)


def _differences(document: Document, labels: Labels, language: str) -> Iterator[tuple[Cell, ...]]:
    filters = {view.id: view.filter for view in document.plan.views}
    for one in document.differences:
        names = [full_name(filters[view], document.plan.dimensions, language) for view in (one.view, one.against)]
        yield (
            *names,
            say(language, f"hr.export.kind_{one.family}"),
            one.statistic,
            _text(one.family, one.statistic, labels, language),
            one.gap,
            one.low,
            one.high,
            say(language, "hr.export.yes" if one.clear else "hr.export.no"),
            "" if one.delta is None else one.delta,
        )


def _indicators(document: Document, language: str) -> Iterator[tuple[Cell, ...]]:
    for indicator, record in document.perception.items():
        others = next((state for name, state in record.gender.items() if name != "f"), "")
        yield (
            indicator,
            say(language, f"perception.{record.state}"),
            _value(record.index),
            *_ends(record.ci),
            _value(record.dont_know),
            say(language, "hr.export.yes" if record.awareness_low else "hr.export.no"),
            *(say(language, f"perception.{state}") if state else "" for state in (record.gender.get("f", ""), others)),
        )


def _safe(cell: str) -> str:
    """A spreadsheet must not take a text for a formula."""
    return f"'{cell}" if cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell


def as_csv(document: Document, labels: Labels, language: str) -> str:
    """The figures as one long table, as a spreadsheet in this language reads it; each row with the wave and its days."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";" if language in DECIMAL_COMMA else ",")
    table = tables(document, labels, language)[0]
    wave = document.wave
    writer.writerow([say(language, f"hr.export.{key}") for key in ("wave", "opened", "closed", *table.columns)])
    for row in table.rows:
        cells = (wave.id, wave.opened or "", wave.closed or "", *row)
        writer.writerow([_safe(cell) if isinstance(cell, str) else number(cell, language) for cell in cells])
    return "\ufeff" + text.getvalue()


def as_workbook(document: Document, labels: Labels, language: str) -> bytes:
    """Figures, differences, indicators, a dictionary, and how they were checked."""
    import xlsxwriter  # loaded when somebody asks for a workbook: a start does not need it

    target = io.BytesIO()
    book = xlsxwriter.Workbook(target, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    day = document.wave.closed or UNDATED  # else the file carries the second of its download
    book.set_properties({"created": datetime.fromisoformat(day)})
    bold = book.add_format({"bold": True})
    for table in tables(document, labels, language):
        sheet = book.add_worksheet(say(language, f"hr.export.{table.name}")[:31])
        sheet.write_row(0, 0, [say(language, f"hr.export.{key}") for key in table.columns], bold)
        for place, row in enumerate(table.rows, start=1):
            for column, cell in enumerate(row):
                if isinstance(cell, str):
                    sheet.write_string(place, column, cell)
                else:
                    sheet.write_number(place, column, cell)
        sheet.freeze_panes(1, 1)
        if table.rows:
            sheet.autofilter(0, 0, len(table.rows), len(table.columns) - 1)
        sheet.set_column(0, 0, 40)
        sheet.set_column(4, 4, 60)
    about = book.add_worksheet(say(language, "results.method")[:31])
    lines = [
        document.wave.id,
        f"{document.wave.opened or ''} – {document.wave.closed or ''}",
        say(language, "results.method_text", k=document.rules.k["items"]),
        say(language, f"results.answers_{document.answers_verdict}"),
    ]
    for place, line in enumerate(lines):
        about.write_string(place, 0, line)
    book.close()
    return target.getvalue()
