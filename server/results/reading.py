"""A release document as a person reads it: names for ids, figures in words, hatching where a view is not shown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from server.frame.display import number, text_of
from server.frame.texts import direction, say
from surveys.public.waves import WaveRecord

type Texts = Mapping[str, str]
AREAS = ("1", "2", "3", "4", "5", "6")


@dataclass(frozen=True, slots=True)
class Labels:
    """What the ids of a document are called."""

    items: Mapping[str, Texts]
    scales: Mapping[str, Texts]
    options: Mapping[str, Texts]
    reverse: frozenset[str]


def labels_of(wave: WaveRecord) -> Labels:
    """Names from the frozen questionnaire, or from the mapping of an imported wave."""
    frozen = wave.questionnaire
    if frozen.get("imported"):
        return Labels(frozen["items"], frozen["scales"], {}, frozenset(frozen.get("reverse", ())))
    from surveys.public.questionnaires import questionnaire_of

    items, scales, options, reverse = {}, {}, {}, set()
    for section in questionnaire_of(wave).sections:
        for item in section.items:
            items[item.id] = item.text
            if item.construct and item.type == "likert":
                scales[item.construct] = section.title
            if item.reverse:
                reverse.add(item.id)
            for choice in item.choices:
                options[f"{item.id}.{choice.code}"] = choice.label
    return Labels(items, scales, options, frozenset(reverse))


@dataclass(frozen=True, slots=True)
class Cell:
    """One figure of one view. `text` is "" and `shown` false where it is not shown."""

    text: str
    shown: bool
    look: str
    note: str = ""


def numeric(figure: object) -> float | None:
    """The number of a published figure; a coded end counts as its bound."""
    if isinstance(figure, str):
        return float(figure.lstrip("<>="))
    return float(figure) if isinstance(figure, int | float) else None


def figure_text(figure: object, language: str, unit: str = "") -> str:
    """Write a published figure on a page: a number, or "20 or less" as ≤ 20."""
    text = figure_cell(figure, language)
    return as_figures(text + unit, language) if text else ""


def figure_cell(figure: object, language: str) -> str:
    """The same for a file that programs read: with plain spaces, no unit and no mark of direction."""
    if isinstance(figure, str):
        return figure.replace("<=", "≤ ").replace(">=", "≥ ")
    value = numeric(figure)
    return "" if value is None else number(value, language)


def as_figures(text: str, language: str) -> str:
    """Signs and digits as they are read everywhere: from left to right, on one line.

    In a line from right to left "≤ 10" would be drawn with its sign turned, and read as 10 or more.
    """
    text = text.replace(" ", "\u00a0")
    return f"\u2066{text}\u2069" if direction(language) == "rtl" else text


def look_of(value: float | None) -> str:
    """The colour step of an index; the number always stands in the cell too."""
    if value is None:
        return "hatch h"
    return f"d{1 + sum(value >= edge for edge in (40, 50, 60, 70))}"


def index_cell(figure: Mapping[str, Any] | None, language: str) -> Cell:
    if not figure or "index" not in figure:
        return Cell(say(language, "results.not_shown"), False, "hatch h")
    interval = figure.get("ci", {}).get("index")
    note = interval_text(interval, language)
    return Cell(figure_text(figure["index"], language), True, look_of(numeric(figure["index"])), note)


def interval_text(interval: Sequence[float] | None, language: str) -> str:
    if not interval:
        return ""
    return as_figures(f"{number(interval[0], language)}–{number(interval[1], language)}", language)


@dataclass(frozen=True, slots=True)
class HeatRow:
    """One planned view: its name, how deep it stands in the tree, its size band, its cells."""

    id: str
    name: str
    depth: int
    band: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Heat:
    """The heat map: views by columns. `columns` pairs a key with a heading."""

    columns: tuple[tuple[str, str], ...]
    rows: tuple[HeatRow, ...]


def view_name(view: Mapping[str, Any], plan: Mapping[str, Any], language: str) -> str:
    """Name a view by its categories, units first."""
    names = {
        (dimension["id"], category["code"]): category["name"]
        for dimension in plan["dimensions"]
        for category in dimension["categories"]
    }
    parts = []
    for dimension, codes in sorted(view["filter"].items(), key=lambda pair: pair[0] != "unit"):
        if dimension == "gender" and len(codes) > 1:
            parts.append(say(language, "results.all_others"))
            continue
        found = [names.get((dimension, code), code) for code in codes if code]
        parts.append(" / ".join(text_of(name, language) if isinstance(name, Mapping) else str(name) for name in found))
    return " · ".join(parts) or say(language, "results.everyone")


def depth_of(view: Mapping[str, Any], plan: Mapping[str, Any]) -> int:
    codes = view["filter"].get("unit", [])
    if not codes:
        return 1 if view["filter"] else 0
    parents = {c["code"]: c.get("parent") for d in plan["dimensions"] if d["id"] == "unit" for c in d["categories"]}
    depth, code = 1, codes[0]
    while parents.get(code):
        depth, code = depth + 1, parents[code]
    return depth + (1 if len(view["filter"]) > 1 else 0)


def heat(document: Mapping[str, Any], language: str, labels: Labels, *, by_name: bool = False) -> Heat:
    """Lay out areas and scales over all planned views, in the plan's order or by name: never by score."""
    root = document["views"][0]
    areas = [
        (f"areas/{number_}", say(language, f"results.area_short.{number_}"))
        for number_ in AREAS
        if number_ in root.get("areas", {})
    ]
    scales = [
        (f"scales/{scale}", text_of(labels.scales.get(scale, {"it": scale}), language))
        for scale in root.get("scales", {})
    ]
    columns = tuple(areas + scales)
    rows = []
    for view in document["views"]:
        cells = []
        for key, _ in columns:
            family, _, name = key.partition("/")
            cells.append(index_cell(view.get(family, {}).get(name) if view["shown"] else None, language))
        band = view.get("n_band", "") if view["shown"] else ""
        rows.append(
            HeatRow(
                view["id"],
                view_name(view, document["plan"], language),
                depth_of(view, document["plan"]),
                band,
                tuple(cells),
            )
        )
    if by_name:
        rows[1:] = sorted(rows[1:], key=lambda row: row.name)
    return Heat(columns, tuple(rows))


@dataclass(frozen=True, slots=True)
class ItemLine:
    """One item for the whole organisation."""

    id: str
    text: str
    index: str
    interval: str
    favourable: str
    favourable_interval: str


def item_lines(document: Mapping[str, Any], language: str, labels: Labels) -> tuple[ItemLine, ...]:
    lines = []
    for item, figure in document["views"][0].get("items", {}).items():
        intervals = figure.get("ci", {})
        lines.append(
            ItemLine(
                item,
                text_of(labels.items.get(item, {"it": item}), language),
                figure_text(figure.get("index"), language),
                interval_text(intervals.get("index"), language),
                figure_text(figure.get("favourable"), language, " %"),
                interval_text(intervals.get("favourable"), language),
            )
        )
    return tuple(lines)


@dataclass(frozen=True, slots=True)
class AreaLine:
    """One area: the points of its evidence, and how people live it. Two shapes, never one figure."""

    number: str
    name: str
    evidence: str
    evidence_share: float | None
    perception: str
    interval: str
    low: float | None
    high: float | None
    value: float | None
    context_only: bool


def area_lines(
    document: Mapping[str, Any] | None, language: str, points: Mapping[str, tuple[str, float | None]]
) -> tuple[AreaLine, ...]:
    """The six areas. `points` gives each area's evidence in words and as a share in [0, 1]."""
    figures = document["views"][0].get("areas", {}) if document else {}
    lines = []
    for area in AREAS:
        figure = figures.get(area, {})
        low, high = figure.get("ci", {}).get("index", (None, None))
        words, share = points.get(area, ("", None))
        lines.append(
            AreaLine(
                area,
                say(language, f"results.area.{area}"),
                words,
                share,
                figure_text(figure.get("index"), language),
                interval_text((low, high) if low is not None else None, language),
                low,
                high,
                numeric(figure.get("index")),
                area in ("4", "5"),
            )
        )
    return tuple(lines)


def participation_line(document: Mapping[str, Any], language: str) -> str:
    """Who took part, in one sentence."""
    counts = document["participation"]
    if counts.get("invited"):
        return say(language, "results.took_part", received=counts["received"], invited=counts["invited"])
    return say(language, "results.answered", received=counts["received"])
