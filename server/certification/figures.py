"""A year's figures as HR and the auditor read them: what each quantitative indicator makes of them, in words. Nothing here sets a state."""

from collections import Counter
from dataclasses import dataclass
from typing import ClassVar

from litestar import Response
from litestar.exceptions import NotFoundException

from analysis.pdr125 import quantities
from analysis.pdr125.measured import Measured
from analysis.pdr125.public_pay import EUROS, PublicPay, public_pay
from analysis.pdr125.year_figures import SECTOR
from analysis.rules import LEAST_PAID
from server.certification.computed import Computed, LevelLine, computed, public_lines
from server.frame.asked import AppRequest
from server.frame.display import day, percent
from server.frame.pages import Shell, show
from server.frame.signed_in import Desk, frame
from server.frame.texts import say
from surveys import certification
from surveys.importing.sheets import RefusedRow
from surveys.people import figures
from surveys.people.figures import Kept

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
    unreadable: tuple[str, ...]
    typed_year: str
    typed_source: str
    refused: tuple[RefusedLine, ...]
    refused_count: int


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
    language = shell.language
    years, odd = await figures.look()
    page = YearsPage(
        shell,
        desk,
        say(language, "figures.heading"),
        base,
        can_edit,
        figures.mark_of(years),
        tuple([await _year_line(years, year, language) for year in years]),
        tuple(say(language, "figures.unreadable", year=year) for year in odd),
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


async def computed_of(years: dict[int, Kept], year: int, language: str) -> tuple[Computed, ...]:
    """What the quantitative indicators make of a year, in words."""
    return tuple(computed(one, language) for one in await _measured(years, year))


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
    years, odd = await figures.look()
    if str(year) in odd:
        return await years_page(request, base, can_edit=can_edit, error=error)
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
        await computed_of(years, year, language),
        certification.catalogue().edition,
        _averages(kept, language),
        sector or _sector_forms(kept, language),
        told,
        public_lines(told, language),
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
