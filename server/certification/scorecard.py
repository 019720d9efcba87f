"""The scorecard in words: the total in one line, each area's evidence, and the line of each indicator."""

from collections.abc import Sequence
from dataclasses import dataclass

from analysis.pdr125.evidence import Scorecard
from server.frame.display import day, number
from server.frame.texts import say
from server.results.findings import indicator_text
from server.results.reading import figure_text, interval_text
from surveys import certification
from surveys.certification import Ground, Standing
from surveys.lifecycle.context import today


def total_line(card: Scorecard, language: str) -> str:
    """The total in words; what is earned is compared with the threshold as soon as it is enough, or nothing is left to assess."""
    key = {True: "total_pass", False: "total_fail", None: "total_open"}[card.reaches_threshold]
    return say(
        language,
        f"points.{key}",
        earned=number(card.earned, language),
        open=number(card.not_assessed, language),
        lost=number(card.lost, language),
    )


async def area_points(language: str) -> dict[str, str]:
    """Each area's evidence in words."""
    return _points_in_words(await certification.scores(today()), language)


def _points_in_words(card: Scorecard, language: str) -> dict[str, str]:
    lines = {}
    for area in card.areas:
        words = say(
            language,
            "points.earned",
            earned=number(area.earned, language),
            applicable=number(area.applicable, language),
        )
        if area.not_assessed:
            words += " · " + say(language, "points.open", n=number(area.not_assessed, language))
        lines[str(area.number)] = words
    return lines


@dataclass(frozen=True, slots=True)
class EvidenceBar:
    """Points of an area in percent of what applies to the size band: earned, open and lost are 100 together."""

    earned: float
    open: float
    lost: float
    label: str
    points: str


def evidence_bars(card: Scorecard, language: str) -> dict[str, EvidenceBar]:
    """The evidence of each area as a bar; nothing of an area of which nothing applies."""
    words, bars = _points_in_words(card, language), {}
    for area in card.areas:
        whole, name = area.applicable or 1, str(area.number)
        earned, waiting, lost = (100 * part / whole for part in (area.earned, area.not_assessed, area.lost))
        points = number(area.earned, language) if area.applicable else "–"
        bars[name] = EvidenceBar(earned, waiting, lost, words[name], points)
    return bars


@dataclass(frozen=True, slots=True)
class NextPoints:
    """An indicator whose points are still to be had, and how many they are of the total of 100."""

    id: str
    text: str
    points: str


@dataclass(frozen=True, slots=True)
class Road:
    """The total of 100 as one bar with its threshold, and what would bring most."""

    earned: float
    lost: float
    threshold: float
    words: str
    hero: str
    verdict: str
    next: tuple[NextPoints, ...]


MOST_NEXT = 2


def road(ground: Ground, card: Scorecard, standings: Sequence[Standing], language: str) -> Road:
    """Where the certification stands: earned, lost and open points of the total, and the two largest that are open.

    `card` and `standings` are what follows from `ground`, made once for a page.
    """
    worth = ground.weights()
    waiting = [(worth[one.indicator.id], one) for one in standings if one.counted.assessed_state != "met"]
    waiting.sort(key=lambda pair: (-pair[0], pair[1].indicator.id))
    missing = max(0.0, card.threshold_percent - card.earned)
    verdict = (
        say(language, "points.missing", n=number(missing, language)) if missing else say(language, "points.reached")
    )
    return Road(
        card.earned,
        card.lost,
        float(card.threshold_percent),
        total_line(card, language),
        number(card.earned, language),
        verdict,
        tuple(
            NextPoints(one.indicator.id, indicator_text(one.indicator, language), number(points, language))
            for points, one in waiting[:MOST_NEXT]
        ),
    )


NEAR_DAYS = 90
"""So many days before a record ends it is spoken of."""


def expiry_lines(ground: Ground, language: str) -> tuple[str, ...]:
    """Evidence that ends or has ended, the nearest first."""
    return tuple(
        say(
            language,
            f"evidence.list_{'expired' if one.expired else 'expires'}",
            indicator=one.indicator.id,
            text=indicator_text(one.indicator, language),
            day=day(one.last, language),
            points=number(one.points, language),
        )
        for one in ground.expiries()
    )


@dataclass(frozen=True, slots=True)
class PerceptionLine:
    """How people live one indicator, in figures as a page prints them."""

    state: str
    index: str
    interval: str
    value: float | None
    dont_know: str
    single: bool


def perception_line(standing: Standing, language: str) -> PerceptionLine | None:
    seen = standing.perception
    if seen is None:
        return None
    return PerceptionLine(
        seen.state,
        figure_text(seen.index, language),
        interval_text(seen.interval, language),
        seen.value,
        figure_text(seen.dont_know, language, " %") if seen.dont_know is not None else "",
        seen.single,
    )


@dataclass(frozen=True, slots=True)
class IndicatorLine:
    """One indicator in the list: both records and the word between them."""

    id: str
    text: str
    points: str
    state: str
    state_key: str
    reviewed: str
    people: str
    alignment: str
    alignment_key: str
    gap: float

    @property
    def area(self) -> str:
        """The number of its area."""
        return self.id.partition(".")[0]


def indicator_line(standing: Standing, language: str) -> IndicatorLine:
    """One indicator and where it stands."""
    state, seen = standing.evidence, perception_line(standing, language)
    return IndicatorLine(
        standing.indicator.id,
        indicator_text(standing.indicator, language),
        number(standing.indicator.points, language),
        say(language, f"evidence.state.{'expired' if standing.expired else state.state}"),
        state.state,
        say(language, "evidence.reviewed", who=state.reviewed_by, day=day(state.reviewed_on, language))
        if state.reviewed_by
        else "",
        f"{seen.index} ({seen.interval})" if seen and seen.index else "",
        say(language, f"alignment.{standing.alignment}"),
        standing.alignment,
        standing.gap,
    )


def indicator_lines(ground: Ground, language: str) -> tuple[IndicatorLine, ...]:
    """All indicators in the practice's order."""
    return tuple(indicator_line(standing, language) for standing in ground.standings())
