"""Small lines of one statistic over all waves: places, limits as a band, and a gap with its reason where waves cannot be compared."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from babel.dates import format_date

from analysis.published import View
from analysis.steps import as_number
from server.frame.texts import say
from server.results.reading import figure_text
from server.results.story import EVERYONE, Story, trend_look, trend_text

LEFT, RIGHT = 20, 44
LOW, HIGH = 10.0, 90.0
"""The axis; what lies beyond is drawn at its end."""
TOP, BOTTOM = 22, 98
MARKS = (20, 50, 80)
COMPARED = ("rose", "fell", "little", "same", "unsure", "few")
"""Words of a change between two waves of the same questions and the same people's groups."""


@dataclass(frozen=True, slots=True)
class Point:
    """One wave on the line."""

    x: float
    y: float | None
    value: str
    when: str
    last: bool


@dataclass(frozen=True, slots=True)
class Line:
    """One small drawing: points, stretches between comparable waves, their bands, gaps, and what may be said at the end."""

    name: str
    address: str
    verdict: str
    look: str
    width: int
    points: tuple[Point, ...]
    stretches: tuple[tuple[float, float, float, float], ...]
    bands: tuple[str, ...]
    gaps: tuple[float, ...]
    reasons: tuple[str, ...]
    marks: tuple[tuple[int, float], ...]
    label: str


def y_of(value: float) -> float:
    """Where a value lies, rounded to a tenth; beyond the axis at its end."""
    kept = min(max(value, LOW), HIGH)
    return round(BOTTOM - (kept - LOW) * (BOTTOM - TOP) / (HIGH - LOW), 1)


def whens(stories: Sequence[Story], language: str) -> tuple[str, ...]:
    """What each wave is called on the axis: its year, or month and year where a year has two."""
    days = [date.fromisoformat(story.document.wave.closed or "0001-01-01") for story in stories]
    years = [day.year for day in days]
    form = "y" if len(set(years)) == len(years) else "LLL yy"
    return tuple(format_date(day, form, locale=language.replace("-", "_")) for day in days)


def line_of(
    stories: Sequence[Story], family: str, view: str, statistic: str, *, name: str, address: str, width: int
) -> Line:
    """Draw one statistic of a view over waves, the oldest first.

    Parameters
    ----------
    stories : releases of everyone, each knowing the one before it
    family, view, statistic : which figure
    name, address, width : what the drawing is called, where it leads, and how wide it is
    """
    language = stories[-1].language
    step = (width - LEFT - RIGHT) / max(1, len(stories) - 1)
    found = [_view(story, view) for story in stories]
    figures = [one.family(family).get(statistic) if one else None for one in found]
    places = [round(LEFT + place * step, 1) for place in range(len(stories))]
    heights = [None if figure is None else y_of(as_number(figure.index)) for figure in figures]
    stretches, bands, gaps, reasons = [], [], [], []
    names = whens(stories, language)
    for place in range(1, len(stories)):
        here, there = heights[place], heights[place - 1]
        word = stories[place].trend(family, view, statistic).word
        if here is None or there is None:
            continue
        if word in COMPARED:
            stretches.append((places[place - 1], there, places[place], here))
            limits = [figure.ci.index if figure else None for figure in figures[place - 1 : place + 1]]
            if view == EVERYONE and limits[0] and limits[1]:
                bands.append(_band(places[place - 1], limits[0], places[place], limits[1]))
        elif word in ("questions", "members"):
            gaps.append(round((places[place - 1] + places[place]) / 2, 1))
            reasons.append(say(language, f"hr.trend.gap_{word}", when=names[place]))
    trend = stories[-1].trend(family, view, statistic)
    points = tuple(
        Point(x, y, figure_text(figure.index if figure else None, language), when, place == len(stories) - 1)
        for place, (x, y, figure, when) in enumerate(zip(places, heights, figures, names, strict=True))
    )
    said = ", ".join(f"{one.when} {one.value}" for one in points if one.value)
    return Line(
        name,
        address,
        trend_text(trend, language) if stories[-1].before else "",
        trend_look(trend),
        width,
        points,
        tuple(stretches),
        tuple(bands),
        tuple(gaps),
        tuple(reasons),
        tuple((mark, y_of(mark)) for mark in MARKS),
        f"{name}: {said}" if said else f"{name}: {say(language, 'results.not_shown')}",
    )


def _band(x1: float, one: tuple[int, int], x2: float, two: tuple[int, int]) -> str:
    """The corners of a stretch's limits."""
    return f"{x1},{y_of(one[0])} {x1},{y_of(one[1])} {x2},{y_of(two[1])} {x2},{y_of(two[0])}"


def _view(story: Story, view: str) -> View | None:
    return next((one for one in story.document.views if one.id == view and one.shown), None)
