"""What stands out in a release, chosen from published values alone (closure rule): it adds no information.

Findings are facts with figures; the sentences are made where pages are made.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from analysis.published import UNITS, Difference, Document, Statistic
from analysis.steps import Figure

MOST = 5


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that stands out.

    kind : ``lowest_area`` | ``highest_area`` | ``view_gap`` | ``critical`` | ``unaware``
    subject : an area number, indicator id or view id
    other : a second subject where the kind has one, else ""
    value, reference : published figures on 0-100, a coded end with its sign; reference absent as None
    """

    kind: str
    subject: str
    other: str
    value: Figure
    reference: Figure | None


def findings(document: Document) -> tuple[Finding, ...]:
    """Choose at most five findings of a release document, most useful first; deterministic."""
    found = [*_areas(document), *_views(document), *_indicators(document)]
    order = {"view_gap": 0, "critical": 1, "lowest_area": 2, "highest_area": 3, "unaware": 4}
    return tuple(sorted(found, key=lambda finding: order[finding.kind])[:MOST])


def standing_out(figures: Mapping[str, Statistic]) -> tuple[str | None, str | None]:
    """The lowest and the highest of some figures of everyone, each only where its limits overlap with those of no other."""
    limits = {name: found for name, figure in figures.items() if (found := figure.ci.index)}
    if len(limits) < max(2, len(figures)):
        return None, None

    def alone(name: str, side: int) -> bool:
        others = [other for one, other in limits.items() if one != name]
        low, high = limits[name]
        return all(high < other[0] if side == 0 else low > other[1] for other in others)

    lowest, highest = (next((name for name in limits if alone(name, side)), None) for side in (0, 1))
    return lowest, highest


def _areas(document: Document) -> Iterator[Finding]:
    figures = document.everyone.areas
    for kind, area in zip(("lowest_area", "highest_area"), standing_out(figures), strict=True):
        if area:
            yield Finding(kind, area, "", figures[area].index, None)


def _views(document: Document) -> Iterator[Finding]:
    """The largest clear gap of a unit."""
    clear = [d for d in document.differences if d.clear and d.family == "areas"]
    units = [d for d in clear if document.kind_of(d.view) in UNITS]
    if units:
        largest = max(units, key=lambda d: (abs(d.gap), d.view, d.statistic))
        yield Finding("view_gap", largest.view, largest.statistic, largest.value, largest.reference)


def gender_contrasts(document: Document, family: str = "areas") -> tuple[Difference, ...]:
    """Women against the contrast of a document; empty where one of the two is not shown."""
    return tuple(d for d in document.differences if d.view == "gender:f" and d.family == family)


def _indicators(document: Document) -> Iterator[Finding]:
    for indicator, record in document.perception.items():
        if record.state == "critical" and record.index is not None:
            yield Finding("critical", indicator, "", record.index, None)
        elif record.awareness_low:
            yield Finding("unaware", indicator, "", record.index or 0, None)


SPEAKING_UP = ("SAF2", "SAF3")
LEAST_SAFE = 60


def safety_alerts(document: Document) -> tuple[tuple[str, str, str], ...]:
    """The safety rule (STATISTICS 3): experiences of five people or more where few feel safe to speak.

    Returns
    -------
    For each experience item ``(kind, item, band)``: ``safety`` from a band of 5-9 on, ``silence`` under it; nothing where
    the upper limit of both speaking-up items is 60 or more, or neither is published.
    """
    items = document.everyone.items
    limits = [found[1] for name in SPEAKING_UP if name in items and (found := items[name].ci.index)]
    if not any(high < LEAST_SAFE for high in limits):
        return ()
    return tuple(
        ("silence" if record.band == "0-4" else "safety", item, record.band)
        for item, record in document.experience.items()
        if record.band is not None and "." not in item
    )
