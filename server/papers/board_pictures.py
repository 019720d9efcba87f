"""What the board report draws: dots with their limits, gaps around zero, bars; each with the sentence that says the same."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from analysis.published import Difference
from server.certification import scorecard
from server.frame.display import number
from server.frame.texts import say
from server.results.findings import gender_line
from server.results.reading import AREAS
from server.results.story import (
    EVERYONE,
    Claim,
    Dot,
    Story,
    address_of,
    dot,
    lone_dot,
    range_text,
    signed,
    theme_address,
)
from server.results.telling import gender_of
from surveys.certification import Standing

SPAN = 20
"""A gap is drawn on an axis of this many points either way, or as many more as its limits need."""


@dataclass(frozen=True, slots=True)
class Row:
    """One statistic of a group: `dot` is drawn, its words stand beside it, `alt` says it to those who do not see it."""

    id: str
    name: str
    dot: Dot | None
    alt: str


@dataclass(frozen=True, slots=True)
class GapRow:
    """Women beside the contrast on one area; all in points. Without limits it is not shown."""

    name: str
    gap: str
    limits: str
    at: float | None
    low: float
    high: float
    span: float
    clear: bool
    alt: str


@dataclass(frozen=True, slots=True)
class Picture:
    """What stands beside a finding: rows of dots, a gap, or the evidence of an indicator over how people live it."""

    rows: tuple[Row, ...] = ()
    gap: GapRow | None = None
    points: str = ""


@dataclass(frozen=True, slots=True)
class Thing:
    """One of the three findings, with the page of the desk that shows more."""

    text: str
    note: str
    picture: Picture


def rows_of(story: Story, view: str, family: str, wanted: Iterable[str]) -> tuple[Row, ...]:
    """Statistics of a group in this order; one that the group does not show is there without a dot."""
    shown = next(one for one in story.document.views if one.id == view).family(family)
    return tuple(
        _row(statistic, dot(story, family, view, statistic))
        if statistic in shown
        else Row(
            statistic,
            story.name(family, statistic),
            None,
            f"{story.name(family, statistic)}: {say(story.language, 'results.not_shown')}",
        )
        for statistic in wanted
    )


def _row(statistic: str, one: Dot) -> Row:
    said = [f"{one.name}: {one.value}", f"({one.limits})" if one.limits else "", one.gap, one.gap_limits, one.trend]
    return Row(statistic, one.name, one, " ".join(part for part in said if part))


def gap_rows(story: Story, family: str, wanted: Sequence[str]) -> tuple[GapRow, ...]:
    """Women beside the contrast on each of these, on one axis."""
    found = {name: story.difference(family, "gender:f", name) for name in wanted}
    limits = [abs(end) for one in found.values() if one for end in (one.low, one.high)]
    span = max([SPAN, *(10 * -(-limit // 10) for limit in limits)])
    return tuple(_gap_row(story, family, name, one, span) for name, one in found.items())


def _gap_row(story: Story, family: str, name: str, one: Difference | None, span: float) -> GapRow:
    words = story.name(family, name)
    alt = f"{words}: {gender_of(story, family, name)}"
    if one is None:
        return GapRow(words, "", "", None, 0, 0, span, False, f"{words}: {say(story.language, 'results.not_shown')}")
    limits = range_text(one.low, one.high, story.language)
    return GapRow(words, signed(one.gap, story.language), limits, one.gap, one.low, one.high, span, one.clear, alt)


def thing_of(story: Story, claim: Claim, standings: Sequence[Standing]) -> Thing:
    """A finding with the picture of what it speaks of: the page that its link leads to says which that is."""
    for view in story.document.views:
        if view.shown and claim.address == address_of(story, view.id):
            return _of_group(story, claim, view.id)
    for family, statistics in (("areas", story.document.everyone.areas), ("scales", story.document.scales)):
        for statistic in statistics:
            if claim.address == theme_address(story, family, statistic):
                return _of_theme(story, claim, family, statistic)
    found = next((one for one in standings if f"/indicators/{one.indicator.id}?" in claim.address), None)
    return _of_indicator(story, claim, found) if found else Thing(claim.text, "", Picture())


def _of_group(story: Story, claim: Claim, view: str) -> Thing:
    band = next(one.n_band for one in story.document.views if one.id == view)
    note = say(story.language, "hr.group.people", band=band.replace("-", "–"))
    shown = tuple(area for area in AREAS if area in story.document.everyone.areas)
    return Thing(claim.text, note, Picture(rows_of(story, view, "areas", shown)))


def _of_theme(story: Story, claim: Claim, family: str, statistic: str) -> Thing:
    if claim.text == gender_line(story.document, story.language, most=1):
        one = next(row for row in gap_rows(story, family, (statistic,)))
        return Thing(claim.text, "", Picture(gap=one))
    return Thing(claim.text, "", Picture(rows_of(story, EVERYONE, family, (statistic,))))


def _of_indicator(story: Story, claim: Claim, found: Standing) -> Thing:
    language, seen = story.language, scorecard.perception_line(found, story.language)
    points = number(found.indicator.points, language)
    said = say(language, "points.earned", earned=points, applicable=points)
    if seen is None or seen.value is None or found.perception is None:
        return Thing(claim.text, "", Picture(points=said))
    drawn = lone_dot(
        say(language, "hr.indicator.people"), seen.index, seen.interval, seen.value, found.perception.interval
    )
    note = say(language, "hr.indicator.dont_know", share=seen.dont_know) if seen.dont_know else ""
    return Thing(claim.text, note, Picture((_row(found.indicator.id, drawn),), points=said))
