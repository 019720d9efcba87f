"""A release document as a person reads it: names for ids, figures in words, hatching where a view is not shown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from analysis.demographics import Dimension
from analysis.published import Document, Filter, Statistic
from analysis.steps import Figure, as_number, ends_low, is_coded
from analysis.views import Plan
from server.frame.display import number, text_of
from server.frame.texts import DESK_LANGUAGES, direction, say
from surveys.odd import reading
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


def figure_text(figure: Figure | None, language: str, unit: str = "") -> str:
    """Write a published figure on a page: a number, or "20 or less" as ≤ 20; nothing where there is none."""
    text = figure_cell(figure, language)
    return as_figures(text + unit, language) if text else ""


def figure_cell(figure: Figure | None, language: str) -> str:
    """The same for a file that programs read: with plain spaces, no unit and no mark of direction."""
    if figure is None:
        return ""
    sign = ("≤ " if ends_low(figure) else "≥ ") if is_coded(figure) else ""
    return sign + number(as_number(figure), language)


def as_figures(text: str, language: str) -> str:
    """Signs and digits as they are read everywhere: from left to right, on one line.

    In a line from right to left "≤ 10" would be drawn with its sign turned, and read as 10 or more.
    """
    text = text.replace(" ", "\u00a0")
    return f"\u2066{text}\u2069" if direction(language) == "rtl" else text


def interval_text(interval: Sequence[float] | None, language: str) -> str:
    if not interval:
        return ""
    return as_figures(f"{number(interval[0], language)}–{number(interval[1], language)}", language)


def view_name(filter_: Filter, dimensions: Sequence[Dimension], language: str) -> str:
    """Name a view by its categories, units first."""
    names = {(d.id, category.code): category.name for d in dimensions for category in d.categories}
    parts = []
    for dimension, codes in sorted(filter_.items(), key=lambda pair: pair[0] != "unit"):
        if dimension == "gender" and len(codes) > 1:
            parts.append(say(language, "results.all_others"))
            continue
        found = [names.get((dimension, code), code) for code in codes if code]
        parts.append(" / ".join(text_of(name, language) if isinstance(name, Mapping) else str(name) for name in found))
    return " · ".join(parts) or say(language, "results.everyone")


def band_text(band: str) -> str:
    """A size band as it is written on a page: 5–9."""
    return band.replace("-", "–")


@dataclass(frozen=True, slots=True)
class Group:
    """A planned view: its id, whom it holds, what it is called."""

    id: str
    filter: Filter
    name: str


def groups_of(wave: WaveRecord, language: str) -> tuple[Group, ...]:
    """The planned views of a wave; none before it has a plan."""
    if not wave.plan:
        return ()
    with reading("wave"):
        plan = Plan.from_json(dict(wave.plan))
    return tuple(
        Group(view.id, dict(view.filter), view_name(dict(view.filter), plan.dimensions, language))
        for view in plan.views
    )


@dataclass(frozen=True, slots=True)
class Slice:
    """One class of answers on a bar of 100: where it begins, how wide it is, and its shade from 1 (unfavourable) to 5."""

    label: str
    share: str
    begin: float
    width: float
    shade: int


_CLASSES = {
    3: (("unfavourable", 1), ("neutral", 3), ("favourable", 5)),
    5: (("1", 1), ("2", 2), ("3", 3), ("4", 4), ("5", 5)),
}
"""What a distribution's classes are called, and their shades, by how many there are."""


def slices(figure: Statistic, language: str) -> tuple[Slice, ...]:
    """The distribution of a question, unfavourable to favourable; nothing where none is published.

    Shares are printed as published. On the bar they are drawn as parts of their sum, since each is rounded by itself.
    """
    shares = figure.distribution
    whole, found, begin = sum(as_number(share) for share in shares) or 1.0, [], 0.0
    for share, (key, shade) in zip(shares, _CLASSES.get(len(shares), ()), strict=bool(shares)):
        width = 100 * as_number(share) / whole
        found.append(
            Slice(say(language, f"hr.item.class.{key}"), figure_text(share, language, " %"), begin, width, shade)
        )
        begin += width
    return tuple(found)


@dataclass(frozen=True, slots=True)
class ItemLine:
    """One item for the whole organisation."""

    id: str
    text: str
    index: str
    interval: str
    favourable: str
    favourable_interval: str
    slices: tuple[Slice, ...]


def item_lines(document: Document, language: str, labels: Labels) -> tuple[ItemLine, ...]:
    return tuple(
        ItemLine(
            item,
            text_of(labels.items.get(item, {"it": item}), language),
            figure_text(figure.index, language),
            interval_text(figure.ci.index, language),
            figure_text(figure.favourable, language, " %"),
            interval_text(figure.ci.favourable, language),
            slices(figure, language) if language in DESK_LANGUAGES else (),
        )
        for item, figure in document.everyone.items.items()
    )


@dataclass(frozen=True, slots=True)
class AreaLine:
    """One area: the points of its evidence, and how people live it. Two shapes, never one figure."""

    number: str
    name: str
    evidence: str
    perception: str
    interval: str
    context_only: bool


def area_lines(document: Document, language: str, points: Mapping[str, str]) -> tuple[AreaLine, ...]:
    """The six areas. `points` gives each area's evidence in words."""
    figures = document.everyone.areas
    return tuple(
        AreaLine(
            area,
            say(language, f"results.area.{area}"),
            points.get(area, ""),
            figure_text(figures[area].index if area in figures else None, language),
            interval_text(figures[area].ci.index if area in figures else None, language),
            area in ("4", "5"),
        )
        for area in AREAS
    )


def participation_line(document: Document, language: str) -> str:
    """Who took part, in one sentence."""
    counts = document.participation
    if counts.get("invited"):
        return say(language, "results.took_part", received=counts["received"], invited=counts["invited"])
    return say(language, "results.answered", received=counts["received"])
