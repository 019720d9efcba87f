"""Findings in words, and the titles of charts: each says what the published figures say, no more."""

from collections.abc import Mapping

from analysis.findings import Finding, findings, safety_alerts
from analysis.published import Document, Statistic
from analysis.steps import Figure, as_number
from server.frame.display import text_of
from server.frame.texts import say
from server.results.reading import AREAS, Labels, figure_text, view_name


def area_names(language: str) -> dict[str, str]:
    return {area: say(language, f"results.area.{area}") for area in AREAS}


def in_words(document: Document, language: str) -> tuple[str, ...]:
    """The findings of a release as sentences."""
    return tuple(_sentence(finding, document, language) for finding in findings(document))


def _sentence(finding: Finding, document: Document, language: str) -> str:
    values: dict[str, object] = {"value": figure_text(finding.value, language)}
    if finding.reference is not None:
        values["reference"] = figure_text(finding.reference, language)
    match finding.kind:
        case "view_gap":
            filters = {view.id: view.filter for view in document.plan.views}
            values["group"] = view_name(filters[finding.subject], document.plan.dimensions, language)
            values["area"] = say(language, f"results.area.{finding.other}")
            low = finding.reference is not None and as_number(finding.value) < as_number(finding.reference)
            key = "gap_low" if low else "gap_high"
        case "critical" | "unaware":
            values["indicator"], key = finding.subject, finding.kind
        case _:
            values["area"], key = say(language, f"results.area.{finding.subject}"), finding.kind
    return say(language, f"results.finding.{key}", **values)


def _ends(figures: Mapping[str, Statistic]) -> tuple[tuple[str, Figure], tuple[str, Figure]] | None:
    values = {name: as_number(figure.index) for name, figure in figures.items()}
    if len(values) < 2:
        return None
    low, high = min(values, key=lambda n: values[n]), max(values, key=lambda n: values[n])
    return ((low, figures[low].index), (high, figures[high].index)) if values[low] < values[high] else None


def lead_of_areas(document: Document, language: str) -> str:
    """The finding of the chart of areas."""
    names = area_names(language)
    return _lead(_ends(document.everyone.areas), names, language)


def lead_of_scales(document: Document, language: str, labels: Labels) -> str:
    """The finding of the chart of themes."""
    names = {scale: text_of(texts, language) for scale, texts in labels.scales.items()}
    return _lead(_ends(document.everyone.scales), names, language)


def _lead(ends: tuple[tuple[str, Figure], tuple[str, Figure]] | None, names: Mapping[str, str], language: str) -> str:
    if ends is None:
        return say(language, "results.lead_flat")
    (low, low_value), (high, high_value) = ends
    return say(
        language,
        "results.lead",
        low=names.get(low, low),
        low_value=figure_text(low_value, language),
        high=names.get(high, high),
        high_value=figure_text(high_value, language),
    )


def alerts_in_words(document: Document, labels: Labels, language: str) -> tuple[str, ...]:
    """The safety rule in words, for whoever has the duty to protect."""
    return tuple(
        say(language, f"hr.alert.{kind}", item=text_of(labels.items.get(item, {"it": item}), language), band=band)
        for kind, item, band in safety_alerts(document)
    )
