"""The scorecard and the indicator pages' facts: evidence on one side, perception on the other, never one figure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from analysis.pdr125 import alignment
from analysis.pdr125 import evidence as points
from analysis.pdr125.catalogue import Catalogue, Indicator, load_catalogue
from server.frame.display import day, number
from server.frame.texts import DESK_LANGUAGES, say
from server.results.reading import figure_text, interval_text
from surveys.lifecycle.context import today
from surveys.public import evidence, releases, waves
from surveys.public.waves import State, WaveRecord

BAND = 4


def catalogue() -> Catalogue:
    return load_catalogue()


def indicators() -> tuple[Indicator, ...]:
    """The 31 indicators of an organisation of 250 people or more."""
    return tuple(i for area in catalogue().areas for i in area.indicators if BAND in i.bands)


def indicator_text(indicator: Indicator, language: str) -> str:
    return indicator.text_it if language == "it" or language not in DESK_LANGUAGES else indicator.text_en


def record_of(state: evidence.EvidenceState, on: date) -> points.EvidenceRecord:
    """What the standard's arithmetic needs of a stored record; an expired one is not assessed any more."""
    expired = state.valid_until is not None and state.valid_until < on
    return points.EvidenceRecord(
        indicator=state.indicator, state="not_assessed" if expired else state.state,
        documents=tuple(points.Document(d.title, d.day.toordinal()) for d in state.documents),
        set_by=state.set_by, reviewed_by=state.reviewed_by,
    )  # fmt: skip


async def scores() -> points.Scorecard:
    """Area scores and total from the stored evidence of today."""
    stored, on = await evidence.everything(), today()
    records = {name: record_of(state, on) for name, state in stored.items()}
    return points.scorecard(catalogue(), records, band=BAND)


async def area_points(language: str) -> dict[str, tuple[str, float | None]]:
    """Each area's evidence in words, and the earned share in [0, 1]."""
    lines: dict[str, tuple[str, float | None]] = {}
    for area in (await scores()).areas:
        words = say(
            language,
            "points.earned",
            earned=number(area.earned, language),
            applicable=number(area.applicable, language),
        )
        if area.not_assessed:
            words += " · " + say(language, "points.open", n=number(area.not_assessed, language))
        lines[str(area.number)] = (words, area.earned / area.applicable)
    return lines


@dataclass(frozen=True, slots=True)
class Perception:
    """How people live one indicator, as published; `state` is the key of a word."""

    state: str
    index: str
    interval: str
    value: float | None
    dont_know: str
    low_awareness: bool
    items: tuple[str, ...]
    single: bool
    wave: str


async def latest() -> tuple[WaveRecord, dict[str, Any]] | None:
    """The newest wave of our own with a release."""
    found = [wave for wave in await waves.in_state(State.RELEASED) if wave.origin == "ascolto"]
    if not found:
        return None
    newest = max(found, key=lambda wave: (wave.closed or date.min, wave.id))
    document = await releases.document(newest.id)
    return (newest, document) if document else None


def perception_of(document: Mapping[str, Any] | None, indicator: str, language: str) -> Perception | None:
    """The perception record of an indicator in a release; None where the survey does not inform it."""
    record = (document or {}).get("perception", {}).get(indicator)
    if document is None or record is None:
        return None
    value = record.get("index")
    share = record.get("dont_know")
    return Perception(
        state=record.get("state", "insufficient"), index=figure_text(value, language),
        interval=interval_text(record.get("ci"), language),
        value=float(str(value).lstrip("<>=")) if value is not None else None,
        dont_know=figure_text(share, language, " %") if share is not None else "",
        low_awareness=bool(record.get("awareness_low")), items=tuple(record.get("items", ())),
        single=bool(record.get("single_item")), wave=document["wave"]["id"],
    )  # fmt: skip


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


async def indicator_lines(language: str) -> tuple[IndicatorLine, ...]:
    """All indicators in the standard's order."""
    stored, on = await evidence.everything(), today()
    found = await latest()
    document = found[1] if found else None
    lines = []
    for indicator in indicators():
        state = stored.get(indicator.id, evidence.EvidenceState(indicator.id))
        record = record_of(state, on)
        seen = perception_of(document, indicator.id, language)
        word = alignment.align(
            record.assessed_state, seen.state if seen else None, awareness_low=bool(seen and seen.low_awareness)
        )
        lines.append(
            IndicatorLine(
                indicator.id, indicator_text(indicator, language), number(indicator.points, language),
                say(language, f"evidence.state.{state.state}"), state.state,
                say(language, "evidence.reviewed", who=state.reviewed_by, day=day(state.reviewed_on, language)) if state.reviewed_by else "",
                f"{seen.index} ({seen.interval})" if seen and seen.index else "",
                say(language, f"alignment.{word}"), word,
                abs(alignment.gap(record.assessed_state, seen.value) or 0.0) if seen and seen.value is not None else 0.0,
            )
        )  # fmt: skip
    return tuple(lines)
