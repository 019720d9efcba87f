"""The map: the groups that are shown, folded by territory, and colour only where a difference from the whole is clear."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from analysis.demographics import Dimension
from analysis.published import Document, Filter, Statistic, View
from analysis.steps import band_edges
from server.frame.display import text_of
from server.frame.texts import say
from server.results.reading import AREAS, Labels, band_text, figure_text, interval_text, view_name

SPEAKS_FROM = 10
"""Of fewer people no cell is coloured: a step of twelve points must not shout."""
MANY = 20


@dataclass(frozen=True, slots=True)
class Cell:
    """One figure of one group; `look` is ``lo`` or ``hi`` where it is clearly below or above the whole organisation."""

    text: str
    look: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class HeatRow:
    """A group that is shown: its name, its size band, whether it is of few people, and its cells."""

    id: str
    name: str
    band: str
    few: bool
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class HeatBlock:
    """A row and the groups inside it."""

    head: HeatRow
    rows: tuple[HeatRow, ...]


@dataclass(frozen=True, slots=True)
class Heat:
    """Groups by areas and themes. `columns` pairs a key with a heading; `hidden` counts the groups that are not shown."""

    columns: tuple[tuple[str, str], ...]
    blocks: tuple[HeatBlock, ...]
    hidden: int


def heat(document: Document, language: str, labels: Labels, *, by_name: bool = False, only: str = "") -> Heat:
    """Lay out areas and the scales that hold over all shown views, in the plan's order or by name: never by score.

    `only` names the one group whose block is wanted, with the groups inside it.
    """
    root, dimensions = document.everyone, document.plan.dimensions
    areas = [("areas", area, say(language, f"results.area_short.{area}")) for area in AREAS if area in root.areas]
    scales = [("scales", name, text_of(labels.scales.get(name, {"it": name}), language)) for name in document.scales]
    columns = areas + scales
    clear = {
        (d.view, d.family, d.statistic): "lo" if d.gap < 0 else "hi"
        for d in document.differences
        if d.clear and d.against == root.id
    }

    def row_of(view: View, name: str) -> HeatRow:
        cells = tuple(
            _cell(view, view.family(family).get(statistic), clear.get((view.id, family, statistic), ""), language)
            for family, statistic, _ in columns
        )
        return HeatRow(view.id, name, band_text(view.n_band), band_edges(view.n_band or "0-4")[0] < MANY, cells)

    tops = _tops(dimensions)
    heads: dict[str, View] = {}
    inside: dict[str, list[tuple[View, str]]] = {}
    for view in document.views:
        if not view.shown:
            continue
        home = _home(view, tops)
        if home is None or (home != root.id and home not in heads):
            heads[view.id] = view
        else:
            inside.setdefault(home, []).append((view, _short_name(view.filter, home, dimensions, language)))
    blocks = [
        HeatBlock(
            row_of(view, view_name(view.filter, dimensions, language)),
            tuple(row_of(one, name) for one, name in inside.get(view.id, ())),
        )
        for view in heads.values()
        if only in ("", view.id)
    ]
    if by_name:
        blocks[1:] = sorted(blocks[1:], key=lambda block: block.head.name)
    hidden = sum(not view.shown for view in document.views)
    return Heat(tuple((f"{family}/{name}", heading) for family, name, heading in columns), tuple(blocks), hidden)


def _cell(view: View, figure: Statistic | None, look: str, language: str) -> Cell:
    """Of a statistic that too few answered there is nothing."""
    if figure is None:
        return Cell("–")
    band = figure.n_band or view.n_band
    speaks = band_edges(band or "0-4")[0] >= SPEAKS_FROM
    return Cell(figure_text(figure.index, language), look if speaks else "", interval_text(figure.ci.index, language))


def _tops(dimensions: Sequence[Dimension]) -> Mapping[str, str]:
    """The territory of each unit."""
    parents = {c.code: c.parent for d in dimensions if d.id == "unit" for c in d.categories}
    tops = {}
    for code in parents:
        top = code
        while above := parents.get(top):
            top = above
        tops[code] = top
    return tops


def _home(view: View, tops: Mapping[str, str]) -> str | None:
    """The view under which a view folds; None for the whole organisation and its territories."""
    if not view.filter:
        return None
    if "unit" not in view.filter:
        return "all"
    unit = view.filter["unit"][0]
    top = tops.get(unit, unit)
    return None if unit == top and len(view.filter) == 1 else f"unit:{top}"


def _short_name(filter_: Filter, home: str, dimensions: Sequence[Dimension], language: str) -> str:
    """The name of a group inside its territory: what it has in common goes without saying."""
    rest = {name: codes for name, codes in filter_.items() if name != "unit" or f"unit:{codes[0]}" != home}
    return view_name(rest or filter_, dimensions, language)
