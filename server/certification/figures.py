"""A year's figures as HR and the auditor read them: what each quantitative indicator makes of them, in words. Nothing here sets a state."""

from collections import Counter
from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar

from litestar import Response
from litestar.exceptions import NotFoundException

from analysis.pdr125 import quantities
from analysis.pdr125.measured import Input, Lack, Measured, Part, Reading
from analysis.pdr125.public_pay import EUROS, PublicPay, public_pay
from analysis.pdr125.year_figures import SECTOR
from analysis.rules import LEAST_PAID
from server.certification.scorecard import indicator_text
from server.frame.asked import AppRequest
from server.frame.display import day, euros, number, percent
from server.frame.pages import Shell, show
from server.frame.signed_in import Desk, frame
from server.frame.texts import say
from surveys import certification
from surveys.importing.sheets import RefusedRow
from surveys.people import figures
from surveys.people.figures import Kept

DIFFERENCES = ("5.2", "5.3")
"""Indicators whose result is a distance between two rates, in percentage points; of all others it is a share."""
MOST_TOLD = 20
"""So many cells that are wrong are listed; of the rest the page says how many."""
OUTCOMES = ("meets", "does_not_meet", "to_be_verified", "cannot_be_measured")


@dataclass(frozen=True, slots=True)
class YearLine:
    year: int
    source: str
    typed: str
    outcomes: str


@dataclass(frozen=True, slots=True)
class RefusedLine:
    row: int
    column: str
    value: str
    remedy: str


@dataclass(frozen=True, slots=True)
class YearsPage:
    """All years, the template and, for HR, the upload; after a refusal with what was typed and each cell that is wrong."""

    template: ClassVar[str] = "figures.html"
    shell: Shell
    desk: Desk
    title: str
    base: str
    can_edit: bool
    seen: str
    years: tuple[YearLine, ...]
    typed_year: str
    typed_source: str
    refused: tuple[RefusedLine, ...]
    refused_count: int


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


@dataclass(frozen=True, slots=True)
class SectorForm:
    """What the form of sector averages holds, as typed: share in percent, source and year of each."""

    name: str
    share: str = ""
    source: str = ""
    year: str = ""


@dataclass(frozen=True, slots=True)
class YearPage:
    """One year: each indicator, the sector averages, and what of pay may be told to others."""

    template: ClassVar[str] = "figures_year.html"
    shell: Shell
    desk: Desk
    title: str
    base: str
    indicators: str
    can_edit: bool
    seen: str
    year: int
    kept: str
    computed: tuple[Computed, ...]
    edition: str
    averages: tuple[str, ...]
    sector: tuple[SectorForm, ...]
    public: PublicPay
    public_levels: tuple[LevelLine, ...]
    least: int
    euros: int


async def years_page(
    request: AppRequest,
    base: str,
    *,
    can_edit: bool,
    error: str = "",
    typed: tuple[str, str] = ("", ""),
    refused: tuple[RefusedRow, ...] = (),
    refused_count: int = 0,
) -> Response[str]:
    """The list of years, for HR and, without forms, for the auditor."""
    shell, desk = await frame(request, error=error)
    language, years = shell.language, await figures.everything()
    page = YearsPage(
        shell,
        desk,
        say(language, "figures.heading"),
        base,
        can_edit,
        figures.mark_of(years),
        tuple([await _year_line(years, year, language) for year in years]),
        *typed,
        tuple(RefusedLine(r.row, r.column, r.value, _remedy(r, language)) for r in refused[:MOST_TOLD]),
        refused_count,
    )
    return show(page, status=422 if error or refused else 200)


def _remedy(row: RefusedRow, language: str) -> str:
    return say(language, f"figures.remedy.{row.remedy_key}")


async def _year_line(years: dict[int, Kept], year: int, language: str) -> YearLine:
    counted = Counter(str(one.outcome) for one in await _measured(years, year))
    words = (
        say(language, "figures.count", words=say(language, f"figures.outcome.{key}"), n=counted[key])
        for key in OUTCOMES
        if counted[key]
    )
    kept = years[year]
    typed = say(language, "figures.typed_by", who=kept.typed_by, day=day(kept.typed_on, language))
    return YearLine(year, kept.source, typed, " · ".join(words))


async def _measured(years: dict[int, Kept], year: int) -> tuple[Measured, ...]:
    indicators = certification.catalogue().indicators(await certification.band())
    return quantities.measure(indicators, {at: kept.figures for at, kept in years.items()}, year)


async def year_page(
    request: AppRequest,
    year: int,
    base: str,
    *,
    can_edit: bool,
    error: str = "",
    sector: tuple[SectorForm, ...] = (),
) -> Response[str]:
    """One year, for HR and, without forms, for the auditor; a year that is not kept is not found."""
    years = await figures.everything()
    if year not in years:
        raise NotFoundException
    shell, desk = await frame(request, error=error)
    language, kept = shell.language, years[year]
    told = public_pay(kept.figures.levels)
    page = YearPage(
        shell,
        desk,
        say(language, "figures.year_heading", year=year),
        base,
        base.replace("/figures", "/indicators"),
        can_edit,
        figures.mark_of(years),
        year,
        say(language, "figures.kept", source=kept.source, who=kept.typed_by, day=day(kept.typed_on, language)),
        tuple(computed(one, language) for one in await _measured(years, year)),
        certification.catalogue().edition,
        _averages(kept, language),
        sector or _sector_forms(kept, language),
        told,
        _public_lines(told, language),
        LEAST_PAID,
        EUROS,
    )
    return show(page, status=422 if error else 200)


def _averages(kept: Kept, language: str) -> tuple[str, ...]:
    found = ((name, getattr(kept.figures, name)) for name in SECTOR)
    return tuple(
        say(
            language,
            f"figures.sector.line_{name.removeprefix('sector_')}",
            share=percent(average.share, language),
            source=average.source,
            year=average.year,
        )
        for name, average in found
        if average is not None
    )


def _sector_forms(kept: Kept, language: str) -> tuple[SectorForm, ...]:
    forms = []
    for name in SECTOR:
        average = getattr(kept.figures, name)
        if average is None:
            forms.append(SectorForm(name))
        else:
            share = percent(average.share, language).removesuffix("\u00a0%")
            forms.append(SectorForm(name, share, average.source, str(average.year)))
    return tuple(forms)


def computed(found: Measured, language: str) -> Computed:
    """One indicator in words."""
    known = certification.catalogue()
    indicator = next(one for area in known.areas for one in area.indicators if one.id == found.indicator)
    return Computed(
        found.indicator,
        indicator_text(indicator, language),
        result_text(found, language),
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


def result_text(found: Measured, language: str) -> str:
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


def _public_lines(told: PublicPay, language: str) -> tuple[LevelLine, ...]:
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


@dataclass(frozen=True, slots=True)
class Proposed:
    """What stands beside the evidence of one indicator: lines, and the year whose page says how it is computed."""

    lines: tuple[str, ...]
    year: int


async def proposed(indicator: str, language: str) -> Proposed | None:
    """What the newest year proposes for an indicator; None without figures, or for one that is not quantitative."""
    years = await figures.everything()
    if not years:
        return None
    year = next(iter(years))
    found = next((one for one in await _measured(years, year) if one.indicator == indicator), None)
    if found is None:
        return None
    words = computed(found, language)
    if found.result is None:
        first = say(language, "figures.proposed_none", year=year, outcome=words.outcome)
    else:
        first = say(language, "figures.proposed", year=year, result=words.result, outcome=words.outcome)
    lacking = (say(language, "figures.lacks", what=one) for one in words.lacking)
    return Proposed((first, *words.readings, *lacking, say(language, "figures.proposed_decides")), year)
