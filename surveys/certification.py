"""What counts for the certification: evidence to points and area scores, expiry, size band, and the wave that speaks for the people.

Facts and rules, no words: pages say them. Evidence and perception stand beside each other and are never one figure (docs/pdr125.md).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from functools import cache

from analysis.document import ReleaseInvalid
from analysis.pdr125 import alignment, proposal
from analysis.pdr125 import evidence as points
from analysis.pdr125.catalogue import Catalogue, Indicator, load_catalogue
from analysis.pdr125.proposal import Proposal
from analysis.published import Document
from analysis.steps import Figure, as_number
from surveys.people import roster
from surveys.public import actions, evidence, evidence_state, promises, releases, waves
from surveys.public.evidence_state import EvidenceState
from surveys.public.waves import State, WaveRecord
from surveys.questionnaire.shipped import FULL

SURVEY, CHANNEL = "1.6", "1.2"
"""The two indicators that a wave, or a documented procedure, can be evidence of."""


@cache
def catalogue() -> Catalogue:
    """The practice as data."""
    return load_catalogue()


async def band() -> int:
    """The size band of the organisation, 1 to 4, by the heads on its staff list; the largest, which asks most, while there is no list."""
    employees = await roster.count()
    return catalogue().band_of(employees).number if employees else max(band.number for band in catalogue().bands)


def named(indicator: str) -> Indicator | None:
    """An indicator of the practice, of any size band; None where it has no such one."""
    return next((one for area in catalogue().areas for one in area.indicators if one.id == indicator), None)


def is_known(indicator: str) -> bool:
    """Whether the practice has such an indicator, in any size band."""
    return named(indicator) is not None


def record_of(state: EvidenceState, on: date) -> points.EvidenceRecord:
    """What the standard's arithmetic needs of a stored record; after its last day it is not assessed any more."""
    expired = has_expired(state, on)
    return points.EvidenceRecord(
        indicator=state.indicator,
        state="not_assessed" if expired else state.state,
        documents=_papers(state),
        set_by=state.set_by,
        reviewed_by=state.reviewed_by,
    )


def _papers(state: EvidenceState) -> tuple[points.Document, ...]:
    return tuple(points.Document(d.title, d.day.toordinal()) for d in state.documents if d.title.strip() and d.day)


def last_day(state: EvidenceState) -> date | None:
    """The last day on which a record counts: the one that was set, or the practice's own ("in the last year") if that comes first."""
    indicator = named(state.indicator)
    until = state.valid_until.toordinal() if state.valid_until else None
    found = points.last_day(_papers(state), indicator.evidence_days if indicator else None, until)
    return date.fromordinal(found) if found else None


def has_expired(state: EvidenceState, on: date) -> bool:
    """Whether the last day of a record has passed."""
    last = last_day(state)
    return last is not None and last < on


@dataclass(frozen=True, slots=True)
class Expiry:
    """A record that ends: its last day, its points of the total of 100, and whether that day has passed."""

    indicator: Indicator
    last: date
    points: float
    expired: bool


async def scores(on: date) -> points.Scorecard:
    """Area scores and total of the stored evidence, as it counts on a day."""
    return scores_of(await evidence.everything(), on, await band())


def scores_of(
    stored: Mapping[str, EvidenceState], on: date, size: int, also_met: frozenset[str] = frozenset()
) -> points.Scorecard:
    """The same of records that somebody hands in, for a size band of 1 to 4; asks no store.

    `also_met` names indicators to be counted as met, on a copy: what the total would be if they were.
    """
    records = {name: record_of(state, on) for name, state in stored.items()}
    supposed = {name: _supposed(name) for name in also_met}
    return points.scorecard(catalogue(), records | supposed, band=size)


def _supposed(indicator: str) -> points.EvidenceRecord:
    return points.EvidenceRecord(indicator, "met", (points.Document("-", 1),), "-", "--")


async def newest_wave(on: date | None = None) -> tuple[WaveRecord, Document] | None:
    """The wave that speaks for the people: of our own, of everyone, with the full form, released, closed last; with its document.

    `on` leaves out what was released after that day. A pulse, or the wave of one territory, has its own page and moves nothing else.
    """
    found = [wave for wave in await _of_everyone() if on is None or (wave.released or date.min) <= on]
    if not found:
        return None
    newest = max(found, key=_order)
    document = await releases.read(newest.id)
    if document is not None and document.origin != "ascolto":
        raise ReleaseInvalid(["signed as imported"])
    if document is not None and document.questionnaire.id != FULL:
        raise ReleaseInvalid(["signed for other questions"])
    return (newest, document) if document else None


def wave_before(wave: WaveRecord, of_everyone: Sequence[WaveRecord]) -> WaveRecord | None:
    """Of the waves of everyone, the one that spoke before it, to compare it with; None of a wave that never speaks for everyone."""
    earlier = [one for one in of_everyone if _order(one) < _order(wave)] if _is_of_everyone(wave) else []
    return max(earlier, key=_order, default=None)


async def waves_of_everyone() -> list[WaveRecord]:
    """The released waves that spoke for everyone, the first one first."""
    return sorted(await _of_everyone(), key=_order)


async def _of_everyone() -> list[WaveRecord]:
    return [wave for wave in await waves.in_state(State.RELEASED) if _is_of_everyone(wave)]


def _order(wave: WaveRecord) -> tuple[date, str]:
    return wave.closed or date.min, wave.id


def _is_of_everyone(wave: WaveRecord) -> bool:
    asked = wave.questionnaire.get("id") == FULL
    return wave.origin == "ascolto" and asked and not wave.panel.get("unit")


@dataclass(frozen=True, slots=True)
class Perception:
    """How people live one indicator, as published: figures as they are printed, in [0, 100] or coded at an end."""

    state: str
    index: Figure | None
    interval: tuple[int, int] | None
    dont_know: Figure | None
    low_awareness: bool
    items: tuple[str, ...]
    single: bool
    wave: str

    @property
    def value(self) -> float | None:
        """The index as a number to sort by; a coded end stands for itself."""
        return None if self.index is None else as_number(self.index)


def perception_of(document: Document, indicator: str) -> Perception | None:
    """The perception record of an indicator in a release; None where the survey does not inform it."""
    record = document.perception.get(indicator)
    if record is None:
        return None
    return Perception(
        record.state,
        record.index,
        record.ci,
        record.dont_know,
        record.awareness_low,
        record.items,
        record.single_item,
        document.wave.id,
    )


@dataclass(frozen=True, slots=True)
class Standing:
    """One indicator: what is written of it, what counts of that today, how people live it, and the word between the two."""

    indicator: Indicator
    evidence: EvidenceState
    counted: points.EvidenceRecord
    perception: Perception | None
    alignment: str
    gap: float
    """How far apart the two are, in [0, 100]: to sort by, never a score."""
    last: date | None = None
    """Its last day, set or the practice's own."""
    expired: bool = False
    """Whether that day has passed: what is written of it earns nothing until it is looked at again."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What the certification stands on, on a day, read once for all that a page says of it."""

    day: date
    stored: Mapping[str, EvidenceState]
    size: int
    """The size band, 1 to 4."""
    document: Document | None
    """The release that speaks."""
    odd: evidence_state.Unreadable = field(default_factory=evidence_state.Unreadable)
    """What of the evidence cannot be read, and counts for nothing."""

    def scores(self, also_met: frozenset[str] = frozenset()) -> points.Scorecard:
        return scores_of(self.stored, self.day, self.size, also_met)

    def standings(self) -> tuple[Standing, ...]:
        """All indicators of the size band in the practice's order."""
        return standings_of(self.stored, self.document, self.day, self.size)

    def standing(self, indicator: str) -> Standing | None:
        """One indicator of the size band, or None."""
        return next((one for one in self.standings() if one.indicator.id == indicator), None)

    def weights(self) -> dict[str, float]:
        """What the points of each indicator of the size band are of the total of 100."""
        return {
            one.id: float(Fraction(one.points * area.weight_percent, area.points(self.size)))
            for area in catalogue().areas
            for one in area.applicable(self.size)
        }

    def expiries(self) -> tuple[Expiry, ...]:
        """The records of the size band that end, the nearest first."""
        worth = self.weights()
        found = [
            Expiry(indicator, last, worth[name], last < self.day)
            for name, state in self.stored.items()
            if name in worth
            and (last := last_day(state))
            and record_of(state, last).assessed_state == "met"  # until then it earns
            and (indicator := named(name))
        ]
        return tuple(sorted(found, key=lambda one: (one.last, one.indicator.id)))


async def ground(on: date) -> Ground:
    """Read what counts on a day."""
    (stored, odd), found = await evidence.look(), await newest_wave(on)
    return Ground(on, stored, await band(), found[1] if found else None, odd)


def standings_of(
    stored: Mapping[str, EvidenceState], document: Document | None, on: date, size: int
) -> tuple[Standing, ...]:
    """The same of records and a release that somebody hands in; asks no store."""
    return tuple(
        _standing(indicator, stored.get(indicator.id, EvidenceState(indicator.id)), document, on)
        for indicator in catalogue().indicators(size)
    )


def _standing(indicator: Indicator, state: EvidenceState, document: Document | None, on: date) -> Standing:
    counted = record_of(state, on)
    seen = perception_of(document, indicator.id) if document else None
    word = alignment.align(
        counted.assessed_state, seen.state if seen else None, awareness_low=bool(seen and seen.low_awareness)
    )
    apart = alignment.gap(counted.assessed_state, seen.value) if seen and seen.value is not None else None
    return Standing(indicator, state, counted, seen, word, abs(apart or 0.0), last_day(state), has_expired(state, on))


@dataclass(frozen=True, slots=True)
class Offer:
    """What may be proposed as evidence, and of which wave; `made` is None where there is nothing to propose."""

    made: Proposal | None
    wave: WaveRecord | None = None


async def offer(indicator: str, on: date) -> Offer | None:
    """What the platform can propose for an indicator; None for those that it knows nothing of. A person decides."""
    if indicator == CHANNEL:
        return Offer(proposal.propose_channel(procedure_documents=len((await evidence.of(indicator)).documents)))
    return await _survey(on) if indicator == SURVEY else None


async def _survey(on: date) -> Offer:
    found = await newest_wave()
    if found is None or found[0].closed is None:
        return Offer(None)
    wave, document = found
    assert wave.closed is not None
    done = [action for action in await actions.everything() if action.wave == wave.id]
    promise = await promises.of(wave.id)
    made = proposal.propose_survey(
        closed_on=wave.closed.toordinal(),
        today=on.toordinal(),
        origin=wave.origin,
        invited=wave.invited,
        received=document.participation["received"],
        has_analysis=wave.read_on is not None,
        has_feedback=promise is not None and promise.answered_on is not None,
        has_actions=bool(done),
    )
    return Offer(made, wave)
