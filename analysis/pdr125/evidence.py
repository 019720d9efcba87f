"""From evidence records to points: the only normative score. No answer of a survey enters here.

A qualitative indicator earns its points only if fully met; "partly" earns nothing (FAQ 2026, as the catalogue's
``qualitative_rule`` says). Area score = earned / applicable; total = sum of area score x weight (PdR 125, clause 5).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from analysis.pdr125.catalogue import Area, Catalogue

STATES = ("met", "partly", "not_met", "not_assessed")


@dataclass(frozen=True, slots=True)
class Document:
    """A document with its date as a proleptic Gregorian day number (``day >= 1``)."""

    title: str
    day: int

    def __post_init__(self) -> None:
        if not self.title.strip() or self.day < 1:
            raise ValueError("a document needs a title and a date")


@dataclass(frozen=True, slots=True)
class EvidenceRecord:
    """What a named person found of one indicator, on which documents, and who confirmed it.

    Raises
    ------
    ValueError
        If the state is unknown.
    """

    indicator: str
    state: str
    documents: tuple[Document, ...] = ()
    set_by: str = ""
    reviewed_by: str = ""

    def __post_init__(self) -> None:
        if self.state not in STATES:
            raise ValueError(f"a state is one of {', '.join(STATES)}; got {self.state!r}")

    @property
    def reviewed(self) -> bool:
        """Whether a second person confirmed the state."""
        return bool(self.set_by and self.reviewed_by and self.set_by != self.reviewed_by)

    @property
    def assessed_state(self) -> str:
        """The state that counts: ``not_assessed`` without a dated document or without a second person's review."""
        return self.state if self.documents and self.reviewed else "not_assessed"


def last_day(documents: Sequence[Document], days: int | None, until: int | None) -> int | None:
    """The last day on which a record counts, as a day number; None where it never ends.

    Parameters
    ----------
    documents : sequence of Document
    days : int or None
        For how many days after its newest document the practice lets it count ("in the last year": 365, "in the last two
        years": 730); None where it names no time.
    until : int or None
        The last day that a person set. The earlier of both ends it.
    """
    ruled = max((one.day for one in documents), default=None) if days is not None else None
    ends = [end for end in (until, None if ruled is None or days is None else ruled + days) if end is not None]
    return min(ends, default=None)


@dataclass(frozen=True, slots=True)
class AreaScore:
    """Points of one area; ``earned + lost + not_assessed == applicable``."""

    number: int
    weight_percent: int
    earned: int
    lost: int
    not_assessed: int
    applicable: int

    def weighted(self, points: int) -> Fraction:
        """Points of this area as points of the total of 100."""
        return Fraction(points * self.weight_percent, self.applicable) if self.applicable else Fraction(0)


@dataclass(frozen=True, slots=True)
class Scorecard:
    """All areas and the weighted total of 100, split into earned, lost and not assessed."""

    areas: tuple[AreaScore, ...]
    threshold_percent: int

    @property
    def earned(self) -> float:
        """Weighted points earned, in [0, 100]."""
        return float(self._earned())

    @property
    def lost(self) -> float:
        """Weighted points of indicators assessed and not fully met."""
        return float(sum((area.weighted(area.lost) for area in self.areas), Fraction(0)))

    @property
    def not_assessed(self) -> float:
        """Weighted points nobody has assessed yet; 0.0 exactly when nothing is left."""
        return float(sum((area.weighted(area.not_assessed) for area in self.areas), Fraction(0)))

    @property
    def reaches_threshold(self) -> bool | None:
        """Whether the total reaches the threshold: earned points are enough; None while what is left could still decide it."""
        if self._earned() >= self.threshold_percent:
            return True
        return None if self.not_assessed else False

    def _earned(self) -> Fraction:
        return sum((area.weighted(area.earned) for area in self.areas), Fraction(0))


def scorecard(catalogue: Catalogue, records: Mapping[str, EvidenceRecord], *, band: int = 4) -> Scorecard:
    """Add up the points of the indicators of a size band.

    Parameters
    ----------
    catalogue : Catalogue
        Areas with their weights, indicators with their points, and the threshold in percent.
    records : mapping
        Evidence records by indicator id. An indicator without a record is not assessed; a record of an indicator
        that does not apply to the band counts for nothing.
    band : int
        Size band, 1 to 4; 4 is 250 people or more.
    """
    return Scorecard(tuple(_area_score(area, records, band) for area in catalogue.areas), catalogue.threshold_percent)


def _area_score(area: Area, records: Mapping[str, EvidenceRecord], band: int) -> AreaScore:
    earned = lost = waiting = 0
    for indicator in area.applicable(band):
        record = records.get(indicator.id)
        match record.assessed_state if record else "not_assessed":
            case "met":
                earned += indicator.points
            case "not_assessed":
                waiting += indicator.points
            case _:
                lost += indicator.points
    return AreaScore(area.number, area.weight_percent, earned, lost, waiting, area.points(band))
