"""What stands out in a release, chosen from published values alone (closure rule): it adds no information.

Findings are facts with figures; the sentences are made where pages are made.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from analysis.published import UNITS, Document
from analysis.steps import Figure, as_number

MOST = 5


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that stands out.

    kind : ``lowest_area`` | ``highest_area`` | ``view_gap`` | ``gender_same`` | ``gender_gap`` | ``critical`` |
        ``unaware``
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
    order = {
        "view_gap": 0,
        "critical": 1,
        "lowest_area": 2,
        "gender_gap": 3,
        "gender_same": 3,
        "highest_area": 4,
        "unaware": 5,
    }
    return tuple(sorted(found, key=lambda finding: order[finding.kind])[:MOST])


def _areas(document: Document) -> Iterator[Finding]:
    figures = {area: figure.index for area, figure in document.everyone.areas.items()}
    areas = {area: as_number(figure) for area, figure in figures.items()}
    if len(areas) >= 2:
        lowest = min(sorted(areas), key=lambda area: areas[area])
        highest = max(sorted(areas), key=lambda area: areas[area])
        if areas[lowest] < areas[highest]:
            yield Finding("lowest_area", lowest, "", figures[lowest], None)
            yield Finding("highest_area", highest, "", figures[highest], None)


def _views(document: Document) -> Iterator[Finding]:
    """The largest clear gap of a unit, and what may be said of women and men on growth."""
    clear = [d for d in document.differences if d.clear and d.family == "areas"]
    units = [d for d in clear if document.kind_of(d.view) in UNITS]
    if units:
        largest = max(units, key=lambda d: (abs(d.gap), d.view, d.statistic))
        yield Finding("view_gap", largest.view, largest.statistic, largest.value, largest.reference)
    for d in document.differences:
        if (d.view, d.family, d.statistic) == ("gender:f", "areas", "4"):
            yield Finding("gender_gap" if d.clear else "gender_same", "4", d.against, d.value, d.reference)


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
