"""The catalogue of the standard: six areas (aree), 33 indicators (KPI), points, weights, size bands.

The texts are our paraphrases; ids are area.order. Source: UNI/PdR 125:2022, clauses 5 and 6; see `sources` in the data.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from importlib.resources import files
from typing import Any, Literal

type Kind = Literal["qualitative", "quantitative"]
type EvidenceLevel = Literal["direct", "supporting", "context", "none"]
type RuleStatus = Literal["agreed", "open"]


class CatalogueBroken(ValueError):
    """The catalogue contradicts its own totals: no score may be computed from it."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What the result of a quantitative indicator is compared with.

    `status` is ``agreed`` where a source and memory give one figure, ``open`` where the figure or its meaning is in doubt: then
    nothing may be called met or not met. `limit` is a share, or a distance between two, in [0, 1]. `doubts` are keys of what is not known.
    """

    status: RuleStatus
    limit: Fraction
    doubts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Indicator:
    """One indicator. ``points`` count within its area; ``bands`` are the size bands (1-4) it applies to.

    `evidence_level` says what a survey is for it: ``direct`` (having it is the evidence), ``supporting``, ``context``
    or ``none``. Its answers' values never earn points.
    """

    id: str
    kind: Kind
    text_it: str
    text_en: str
    points: int
    bands: tuple[int, ...]
    unit: str
    measure: str
    survey_informed: bool
    evidence_level: EvidenceLevel
    evidence_note: str
    confidence: str
    rule: Rule | None
    """Of quantitative indicators, and of no other."""
    evidence_days: int | None = None
    """For how many days after its newest document the evidence counts, where the practice says "in the last year" or "two years"."""


@dataclass(frozen=True, slots=True)
class Area:
    """One area with its weight in percent of the total."""

    id: str
    number: int
    name_it: str
    name_en: str
    weight_percent: int
    indicators: tuple[Indicator, ...]

    def applicable(self, band: int) -> tuple[Indicator, ...]:
        """The indicators that apply to organisations of a size band."""
        return tuple(indicator for indicator in self.indicators if band in indicator.bands)

    def points(self, band: int) -> int:
        """Points that can be earned in this area by organisations of a size band."""
        return sum(indicator.points for indicator in self.applicable(band))


@dataclass(frozen=True, slots=True)
class SizeBand:
    """A size band (fascia dimensionale); ``most`` is None for the last."""

    number: int
    name_it: str
    name_en: str
    least: int
    most: int | None


@dataclass(frozen=True, slots=True)
class Clause:
    """A clause (requisito) of chapters 5 and 6 with this project's short name.

    `verified` is whether its number was read in a public source; else it is from memory, and must be compared with the practice.
    """

    number: str
    name_it: str
    name_en: str
    verified: bool


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The whole standard as this program uses it."""

    edition: str
    threshold_percent: int
    areas: tuple[Area, ...]
    bands: tuple[SizeBand, ...]
    clauses: tuple[Clause, ...]

    def indicators(self, band: int) -> tuple[Indicator, ...]:
        """All indicators of a size band, in the order of the standard."""
        return tuple(indicator for area in self.areas for indicator in area.applicable(band))

    def band_of(self, employees: int) -> SizeBand:
        """The size band of an organisation of ``employees >= 1`` people.

        Raises
        ------
        ValueError
            If there are none.
        """
        for band in self.bands:
            if employees >= band.least and (band.most is None or employees <= band.most):
                return band
        raise ValueError(f"an organisation has at least one employee, not {employees}")


@lru_cache(maxsize=1)
def load_catalogue() -> Catalogue:
    """Read the catalogue that is shipped."""
    return read_catalogue(json.loads((files(__package__) / "catalogue.json").read_text("utf-8")))


def read_catalogue(data: Mapping[str, Any]) -> Catalogue:
    """Make a catalogue of its JSON and check it against its own totals.

    Raises
    ------
    CatalogueBroken
        If any count, sum or weight differs from the ``checks`` block, or a quantitative indicator has no rule that is known.
    """
    catalogue = Catalogue(
        edition=data["edition"],
        threshold_percent=data["threshold_percent"],
        areas=tuple(_area(area) for area in data["areas"]),
        bands=tuple(
            SizeBand(b["number"], b["name_it"], b["name_en"], b["min_employees"], b["max_employees"])
            for b in data["bands"]
        ),
        clauses=tuple(
            Clause(c["number"], c["name_it"], c["name_en"], c["number_from"] == "source") for c in data["clauses"]
        ),
    )
    _check(catalogue, data["checks"])
    return catalogue


def _area(data: Mapping[str, Any]) -> Area:
    indicators = tuple(
        Indicator(
            i["id"],
            i["kind"],
            i["text_it"],
            i["text_en"],
            i["points"],
            tuple(i["bands"]),
            i["unit"],
            i["measure"],
            i["survey_informed"],
            i["evidence_level"],
            i["evidence_note"],
            i["confidence"],
            _rule(i["rule"]) if "rule" in i else None,
            i.get("evidence_days"),
        )
        for i in data["indicators"]
    )
    return Area(data["id"], data["number"], data["name_it"], data["name_en"], data["weight_percent"], indicators)


def _rule(data: Mapping[str, Any]) -> Rule:
    return Rule(data["status"], Fraction(data["limit"]), tuple(data["doubts"]))


def _check(catalogue: Catalogue, checks: Mapping[str, Any]) -> None:
    everything = [indicator for area in catalogue.areas for indicator in area.indicators]
    largest = catalogue.bands[-1].number
    points = {area.id: {b.number: area.points(b.number) for b in catalogue.bands} for area in catalogue.areas}

    def weighted(kind: str = "", level: str = "") -> float:
        return sum(
            indicator.points / area.points(largest) * area.weight_percent
            for area in catalogue.areas
            for indicator in area.applicable(largest)
            if kind in ("", indicator.kind) and level in ("", indicator.evidence_level)
        )

    found: dict[str, Any] = {
        "indicators_total": len({indicator.id for indicator in everything}),
        "indicators_qualitative": sum(indicator.kind == "qualitative" for indicator in everything),
        "indicators_quantitative": sum(indicator.kind == "quantitative" for indicator in everything),
        "weights_sum_percent": sum(area.weight_percent for area in catalogue.areas),
        "indicators_applicable_by_band": {str(b.number): len(catalogue.indicators(b.number)) for b in catalogue.bands},
        "points_by_area_and_band": {
            area.id: {f"band_{number}_points": total for number, total in points[area.id].items()}
            | {"indicators": len(area.indicators)}
            for area in catalogue.areas
        },
        "band_4_weighted_percent_qualitative": round(weighted(kind="qualitative"), 6),
        "band_4_weighted_percent_quantitative": round(weighted(kind="quantitative"), 6),
        "band_4_weighted_percent_direct_survey": round(weighted(level="direct"), 6),
    }
    wrong = [name for name, value in checks.items() if found.get(name) != value]
    wrong += [f"rule of {one.id}" for one in everything if (one.rule is None) != (one.kind == "qualitative")]
    wrong += [f"rule of {one.id}" for one in everything if one.rule and one.rule.status not in ("agreed", "open")]
    if wrong:
        raise CatalogueBroken(f"the catalogue differs from its own totals: {', '.join(wrong)}")
