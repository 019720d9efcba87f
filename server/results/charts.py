"""Charts of a release: drawn once from its document, light and dark, in every language, by a short-lived process.

A chart carries only shown, stepped values: its data is the document. The finding is the title.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import vl_convert

from analysis.published import Document, Statistic
from analysis.steps import as_number
from server.frame.display import text_of
from server.frame.texts import say
from server.results.findings import area_names, lead_of_areas, lead_of_scales
from server.results.reading import Labels, figure_text
from surveys.languages import LANGUAGES

THEMES = {
    "light": {"paper": "#ffffff", "ink": "#1f2a2e", "quiet": "#55646a", "line": "#dcd8cf", "accent": "#0b6e69"},
    "dark": {"paper": "#1c2326", "ink": "#e8e6e1", "quiet": "#a7b2b5", "line": "#323c40", "accent": "#5fc2ba"},
}
PLOT = 175
ROW = 38
_VEGA_LITE = "5.20"
_SPLIT = "split(datum.label, '|')"
"""Names in lines: a reader's font is wider than the one they were measured with, and what sticks out would be cut off."""
_COLOUR = re.compile(r"#[0-9a-f]{6}")


def draw_all(document: Document, labels: Labels) -> dict[str, str]:
    """Draw every chart of a document: name ``chart.language.theme`` to SVG."""
    drawn = {}
    for language in LANGUAGES:
        for name, title, rows in _charts(document, language, labels):
            svg = _draw(title, rows, THEMES["light"], language)
            drawn[f"{name}.{language}.light"], drawn[f"{name}.{language}.dark"] = svg, _darkened(svg)
    return drawn


def _charts(document: Document, language: str, labels: Labels) -> Iterator[tuple[str, str, list[dict[str, Any]]]]:
    root = document.everyone
    names = area_names(language)
    areas = [_row(names[area], figure, language) for area, figure in sorted(root.areas.items())]
    if areas:
        yield "areas", lead_of_areas(document, language), areas
    scales = [
        _row(text_of(labels.scales.get(scale, {"it": scale}), language), figure, language)
        for scale, figure in document.scales.items()
    ]
    if scales:
        yield "scales", lead_of_scales(document, language, labels), scales


def _darkened(svg: str) -> str:
    """The same drawing in the dark theme's colours: nothing else of it changes."""
    dark = {THEMES["light"][part]: colour for part, colour in THEMES["dark"].items()}
    return _COLOUR.sub(lambda found: dark.get(found[0], found[0]), svg)


def _row(name: str, figure: Statistic, language: str) -> dict[str, Any]:
    """What is drawn of a figure: a dot at a number or at the bound of a coded end, and beside it what is printed."""
    low, high = figure.ci.index or (None, None)
    value, label = as_number(figure.index), figure_text(figure.index, language)
    return {"name": name, "value": value, "label": label, "low": low, "high": high}


def _draw(title: str, rows: list[dict[str, Any]], colours: Mapping[str, str], language: str) -> str:
    """A dot with its interval for each row, labelled directly; the middle of the scale is a thin line."""
    y = {
        "field": "name",
        "type": "nominal",
        "sort": None,
        "axis": {"title": None, "labelExpr": _SPLIT, "labelLimit": 190, "ticks": False, "domain": False},
    }
    x = {
        "field": "value",
        "type": "quantitative",
        "scale": {"domain": [0, 100]},
        "axis": {"title": _wrapped(say(language, "results.scale"), 28), "values": [0, 50, 100], "grid": True},
    }
    spec = {
        "title": {"text": _wrapped(title), "anchor": "start", "frame": "bounds", "fontSize": 15, "offset": 12},
        "width": PLOT,
        "height": ROW * len(rows),
        "background": colours["paper"],
        "padding": {"left": 24, "right": 32, "top": 12, "bottom": 12},
        "data": {"values": [row | {"name": "|".join(_wrapped(row["name"], 24))} for row in rows]},
        "layer": [
            {
                "mark": {"type": "rule", "strokeWidth": 3, "color": colours["accent"], "opacity": 0.45},
                "encoding": {"y": y, "x": {**x, "field": "low"}, "x2": {"field": "high"}},
            },
            {
                "mark": {"type": "point", "filled": True, "size": 110, "color": colours["accent"], "opacity": 1},
                "encoding": {"y": y, "x": x},
            },
            {
                "mark": {"type": "text", "dy": -13, "color": colours["ink"], "fontSize": 12},
                "encoding": {"y": y, "x": x, "text": {"field": "label"}},
            },
        ],
        "config": {
            "aria": False,
            "font": "system-ui, sans-serif",
            "view": {"stroke": None},
            "axis": {
                "labelColor": colours["ink"],
                "titleColor": colours["quiet"],
                "gridColor": colours["line"],
                "labelFontSize": 12,
                "titleFontSize": 11,
                "titleFontWeight": "normal",
                "domainColor": colours["line"],
                "tickColor": colours["line"],
            },
            "title": {"color": colours["ink"]},
        },
    }
    return str(vl_convert.vegalite_to_svg(spec, vl_version=_VEGA_LITE))


def _wrapped(title: str, limit: int = 36) -> list[str]:
    lines, line = [], ""
    for word in title.split(" "):
        if line and len(line) + 1 + len(word) > limit:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}".strip()
    return [*lines, line]
