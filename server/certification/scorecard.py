"""The scorecard in words: the total in one line, each area's evidence, and the line of each indicator."""

from dataclasses import dataclass

from analysis.pdr125.catalogue import Indicator
from server.frame.display import day, number
from server.frame.texts import DESK_LANGUAGES, say
from server.results.reading import figure_text, interval_text
from surveys import certification
from surveys.certification import Standing
from surveys.lifecycle.context import today


def indicator_text(indicator: Indicator, language: str) -> str:
    return indicator.text_it if language == "it" or language not in DESK_LANGUAGES else indicator.text_en


async def total_line(language: str) -> str:
    """The total in words; compared with the threshold only when nothing is left to assess."""
    card = await certification.scores(today())
    key = "total_open" if card.not_assessed else "total_pass" if card.reaches_threshold else "total_fail"
    return say(
        language,
        f"points.{key}",
        earned=number(card.earned, language),
        open=number(card.not_assessed, language),
        lost=number(card.lost, language),
    )


async def area_points(language: str) -> dict[str, tuple[str, float | None]]:
    """Each area's evidence in words, and the earned share in [0, 1]; None where nothing of an area applies to the size band."""
    lines: dict[str, tuple[str, float | None]] = {}
    for area in (await certification.scores(today())).areas:
        words = say(
            language,
            "points.earned",
            earned=number(area.earned, language),
            applicable=number(area.applicable, language),
        )
        if area.not_assessed:
            words += " · " + say(language, "points.open", n=number(area.not_assessed, language))
        lines[str(area.number)] = (words, area.earned / area.applicable if area.applicable else None)
    return lines


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


def indicator_line(standing: Standing, language: str) -> IndicatorLine:
    """One indicator and where it stands."""
    state, seen = standing.evidence, perception_line(standing, language)
    return IndicatorLine(
        standing.indicator.id,
        indicator_text(standing.indicator, language),
        number(standing.indicator.points, language),
        say(language, f"evidence.state.{state.state}"),
        state.state,
        say(language, "evidence.reviewed", who=state.reviewed_by, day=day(state.reviewed_on, language))
        if state.reviewed_by
        else "",
        f"{seen.index} ({seen.interval})" if seen and seen.index else "",
        say(language, f"alignment.{standing.alignment}"),
        standing.alignment,
        standing.gap,
    )


async def indicator_lines(language: str) -> tuple[IndicatorLine, ...]:
    """All indicators in the practice's order."""
    return tuple(indicator_line(standing, language) for standing in await certification.standings(today()))
