"""One quantitative indicator of a year in words: formula, calculation, figures, rule, what each reading says, and what lacks."""

from dataclasses import dataclass
from fractions import Fraction

from analysis.pdr125.measured import Input, Lack, Measured, Part, Reading
from analysis.pdr125.public_pay import PublicPay
from analysis.pdr125.year_figures import SECTOR
from server.frame.display import euros, number, percent
from server.frame.texts import say
from server.results.findings import indicator_text
from surveys import certification

DIFFERENCES = ("5.2", "5.3")
"""Indicators whose result is a distance between two rates, in percentage points; of all others it is a share."""


@dataclass(frozen=True, slots=True)
class LevelLine:
    """One level of 5.1 or 5.2 in figures as they are printed."""

    name: str
    women_heads: str
    men_heads: str
    women: str
    men: str
    gap: str


@dataclass(frozen=True, slots=True)
class Computed:
    """One indicator: formula, figures, calculation, rule and what comes out, in words."""

    id: str
    text: str
    result: str
    outcome: str
    formula: str
    rule: str
    bases: tuple[str, ...]
    inputs: tuple[str, ...]
    readings: tuple[str, ...]
    doubts: tuple[str, ...]
    lacking: tuple[str, ...]
    levels: tuple[LevelLine, ...]


def computed(found: Measured, language: str) -> Computed:
    """One indicator in words."""
    known = certification.catalogue()
    indicator = next(one for area in known.areas for one in area.indicators if one.id == found.indicator)
    return Computed(
        found.indicator,
        indicator_text(indicator, language),
        _result_text(found, language),
        say(language, f"figures.outcome.{found.outcome}"),
        say(language, f"figures.formula.{found.indicator}"),
        say(language, f"figures.rule.{found.indicator}"),
        tuple(
            say(
                language,
                f"figures.base.{base.name}",
                a=number(float(base.numerator), language),
                b=number(float(base.denominator), language),
                share=percent(base.share, language),
            )
            for base in found.bases
        ),
        _inputs(found.inputs, language),
        tuple(_reading(found.indicator, one, language) for one in found.readings),
        tuple(say(language, f"figures.doubt.{key}") for key in (indicator.rule.doubts if indicator.rule else ())),
        tuple(_lack(one, language) for one in found.lacking),
        tuple(_level(found.indicator, part, language) for part in found.parts),
    )


def _result_text(found: Measured, language: str) -> str:
    """The result as a page prints it: a share in percent, or a distance in points."""
    if found.result is None:
        return say(language, "figures.not_measured")
    return _figure(found.indicator, found.result, language)


def _figure(indicator: str, value: Fraction, language: str) -> str:
    if indicator in DIFFERENCES:
        return say(language, "figures.points", n=percent(value, language, signed=True).removesuffix("\u00a0%"))
    return percent(value, language)


def _inputs(inputs: tuple[Input, ...], language: str) -> tuple[str, ...]:
    """What was used, a line for each group."""
    groups: dict[tuple[str, int], list[str]] = {}
    for one in inputs:
        value = percent(one.value, language) if one.name in SECTOR else number(float(one.value), language)
        if one.gender:
            gender = say(language, f"figures.gender.of_{one.gender}")
            value = say(language, "figures.input.of_gender", gender=gender, value=value)
        groups.setdefault((one.name, one.year), []).append(value)
    return tuple(
        say(
            language,
            "figures.input.of_group",
            item=say(language, f"figures.item.{name}"),
            year=year,
            values=", ".join(values),
        )
        for (name, year), values in groups.items()
    )


def _reading(indicator: str, one: Reading, language: str) -> str:
    key = f"equal_{one.name}" if indicator in DIFFERENCES else one.name
    given = {
        "needed": percent(one.needed, language),
        "found": _figure(indicator, one.found, language),
        "verdict": say(language, f"figures.reading.{'met' if one.met else 'not_met'}"),
    }
    if one.before is not None:
        return say(language, f"figures.reading.{key}_before", **given, before=percent(one.before, language))
    return say(language, f"figures.reading.{key}", **given)


def _lack(one: Lack, language: str) -> str:
    ending = "_level" if one.level else "_gender" if one.gender else ""
    return say(
        language,
        f"figures.input.{one.kind}{ending}",
        item=say(language, f"figures.item.{one.name}"),
        level=one.level,
        gender=say(language, f"figures.gender.of_{one.gender}") if one.gender else "",
        year=one.year,
    )


def _level(indicator: str, part: Part, language: str) -> LevelLine:
    def said(value: Fraction) -> str:
        return percent(value, language) if indicator in DIFFERENCES else euros(value, language)

    women, men = (number(count or 0, language) for count in (part.heads.women, part.heads.men))
    return LevelLine(part.level, women, men, said(part.women), said(part.men), _figure(indicator, part.gap, language))


def public_lines(told: PublicPay, language: str) -> tuple[LevelLine, ...]:
    """What may be told of pay, a line for each level."""
    return tuple(
        LevelLine(
            one.name,
            number(one.women, language),
            number(one.men, language),
            euros(one.pay_women, language),
            euros(one.pay_men, language),
            f"{one.gap_percent}\u00a0%",
        )
        for one in told.levels
    )
