"""Findings in words, and the titles of charts: each says what the published figures say, no more."""

from collections.abc import Mapping

from analysis.findings import Finding, findings, gender_contrasts, safety_alerts, standing_out
from analysis.pdr125.catalogue import Indicator
from analysis.published import Difference, Document, Statistic
from analysis.steps import as_number
from server.frame.display import number, text_of
from server.frame.texts import DESK_LANGUAGES, say
from server.results.reading import AREAS, Labels, figure_text, view_name
from surveys import certification


def area_names(language: str) -> dict[str, str]:
    return {area: say(language, f"results.area.{area}") for area in AREAS}


def in_words(document: Document, labels: Labels, language: str) -> tuple[str, ...]:
    """The findings of a release as sentences; first of women and men, over all areas."""
    said = (_sentence(finding, document, labels, language) for finding in findings(document))
    return gender_line(document, language), *said


def indicator_text(indicator: Indicator, language: str) -> str:
    """What an indicator asks, in a desk's language."""
    return indicator.text_it if language == "it" or language not in DESK_LANGUAGES else indicator.text_en


def of_everyone(document: Document, labels: Labels, language: str) -> tuple[str, ...]:
    """What a wall may say of the whole: what stands out of the areas, women and men, then indicators; no unit is named."""
    areas = document.everyone.areas
    ends = zip(("lowest_area", "highest_area"), standing_out(areas), strict=True)
    found = [Finding(kind, area, "", areas[area].index, None) for kind, area in ends if area]
    found += [finding for finding in findings(document) if finding.kind in ("critical", "unaware")]
    said = [_sentence(finding, document, labels, language) for finding in found]
    return *said[:1], gender_line(document, language), *said[1:]


def of_group(document: Document, labels: Labels, language: str, view: str) -> tuple[str, ...]:
    """What is clear of one group's areas, in the sentences of the findings; the largest difference first."""
    clear = [one for one in document.differences if one.clear and one.family == "areas" and one.view == view]
    against = sorted((one for one in clear if one.against == document.everyone.id), key=lambda one: -abs(one.gap))
    return tuple(
        _sentence(Finding("view_gap", view, one.statistic, one.value, one.reference), document, labels, language)
        for one in against
    )


def indicator_name(indicator: str, document: Document, labels: Labels, language: str) -> str:
    """An indicator by its number and its words; where the practice has none in a language, by the first question that bears on it."""
    if language in DESK_LANGUAGES and (found := certification.named(indicator)):
        return f"{indicator} «{indicator_text(found, language)}»"
    items = document.perception[indicator].items
    text = labels.items.get(items[0]) if items else None
    return f"{indicator} «{text_of(text, language)}»" if text else indicator


def gender_line(document: Document, language: str, most: int | None = None) -> str:
    """What may be said of women and the contrast group over all areas, in the terms of the contrast that was used.

    Parameters
    ----------
    document : a release
    language : of the sentence
    most : so many of the largest differences and nothing else; all, and what is said of the others, where it is None
    """
    found = gender_contrasts(document)
    if not found:
        return say(language, "results.gender.hidden")
    others = found[0].against.partition(":")[2]
    clear = [one for one in found if one.clear]
    if not clear:
        return say(language, f"results.gender.same_{others}")
    if most is not None:
        clear = sorted(clear, key=lambda one: -abs(one.gap))[:most]
    parts = [_gender_gap(one, others, language) for one in clear]
    if most is None and len(clear) < len(found):
        parts.append(say(language, "results.gender.rest" if others == "m" else "results.gender.rest_others"))
    return " ".join(parts)


def _gender_gap(one: Difference, others: str, language: str) -> str:
    least, most = sorted((abs(one.low), abs(one.high))) if one.low * one.high > 0 else (0, max(-one.low, one.high))
    return say(
        language,
        f"results.gender.{'low' if one.gap < 0 else 'high'}_{others}",
        area=say(language, f"results.area.{one.statistic}"),
        gap=number(abs(one.gap), language),
        low=number(least, language),
        high=number(most, language),
    )


def _sentence(finding: Finding, document: Document, labels: Labels, language: str) -> str:
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
            values["indicator"] = indicator_name(finding.subject, document, labels, language)
            key = finding.kind
        case _:
            values["area"], key = say(language, f"results.area.{finding.subject}"), finding.kind
    return say(language, f"results.finding.{key}", **values)


def lead_of_areas(document: Document, language: str) -> str:
    """The finding of the chart of areas."""
    return _lead(document.everyone.areas, area_names(language), language)


def lead_of_scales(document: Document, language: str, labels: Labels) -> str:
    """The finding of the chart of themes."""
    return _lead(document.scales, _scale_names(labels, language), language)


def single_line(document: Document, labels: Labels, language: str) -> str:
    """Which themes are read question by question, and why; nothing where all hold together."""
    names = _scale_names(labels, language)
    found = ", ".join(names.get(scale, scale) for scale in document.single_scales)
    return say(language, "results.single", scales=found) if found else ""


def _scale_names(labels: Labels, language: str) -> dict[str, str]:
    return {scale: text_of(texts, language) for scale, texts in labels.scales.items()}


def _lead(figures: Mapping[str, Statistic], names: Mapping[str, str], language: str) -> str:
    """What stands out of a chart, and never more: no superlative where limits overlap."""
    values: dict[str, object] = {}
    for end, name in zip(("low", "high"), standing_out(figures), strict=True):
        if name:
            values[end], values[f"{end}_value"] = names.get(name, name), figure_text(figures[name].index, language)
    key = {(True, True): "lead", (True, False): "lead_low", (False, True): "lead_high"}.get(
        ("low" in values, "high" in values), "lead_flat"
    )
    return say(language, f"results.{key}", **values)


def alerts_in_words(document: Document, labels: Labels, language: str) -> tuple[str, ...]:
    """The safety rule in words, for whoever has the duty to protect."""
    return tuple(
        say(language, f"hr.alert.{kind}", item=text_of(labels.items.get(item, {"it": item}), language), band=band)
        for kind, item, band in safety_alerts(document)
    )
