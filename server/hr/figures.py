"""Figures by gender: upload of a year, sector averages, what they propose. For HR alone; pay of few people tells of single persons."""

from dataclasses import replace
from fractions import Fraction
from typing import Any

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from litestar.response import Redirect

from analysis.pdr125.year_figures import (
    FIRST_YEAR,
    GROUPS,
    NUMBERS,
    SECTOR,
    FiguresRefused,
    SectorAverage,
    YearFigures,
    from_json,
)
from server.certification.figures import SectorForm, year_page, years_page
from server.frame.asked import AppRequest
from server.frame.security import account_of, checked_form
from server.frame.signed_in import desk_language, done
from server.frame.texts import say
from server.hr.uploads import FileRefused, read_sent
from server.settings import Settings
from surveys.importing.figures import CONTRACT, LEVEL_ROWS, LIMIT_BYTES, as_workbook, filled_rows, share_in
from surveys.importing.forms import MEDIA, as_csv
from surveys.lifecycle.context import today
from surveys.people import figures
from surveys.people.figures import KeepingRefused, Kept
from surveys.stores import Engines

BASE = "/hr/figures"
UPLOAD_LIMIT = LIMIT_BYTES + 100_000


@get("/figures")
async def years(request: AppRequest) -> Response[str]:
    """List the years."""
    return await years_page(request, BASE, can_edit=True, typed=(str(today().year - 1), ""))


@get("/figures/{year:int}")
async def one_year(request: AppRequest, year: FromPath[int]) -> Response[str]:
    """Show one year."""
    return await year_page(request, year, BASE, can_edit=True)


def _file(rows: list[list[str]], kind: str, name: str) -> Response[bytes]:
    if kind not in MEDIA:
        raise NotFoundException
    content = as_csv(rows) if kind == "csv" else as_workbook(rows)
    headers = {"Content-Disposition": f'attachment; filename="{name}.{kind}"'}
    return Response(content, media_type=MEDIA[kind], headers=headers)


def _words() -> dict[str, tuple[str, str]]:
    """What each figure is, in the two languages of the template."""
    codes = (*GROUPS, *NUMBERS, *LEVEL_ROWS)
    return {code: (say("it", f"figures.item.{code}"), say("en", f"figures.item.{code}")) for code in codes}


@get("/figures/template/{kind:str}")
async def template(kind: FromPath[str]) -> Response[bytes]:
    """Give the empty template, with the levels of the newest year."""
    known = next(iter((await figures.everything()).values()), None)
    levels = tuple(level.name for level in known.figures.levels) if known else ()
    return _file(filled_rows(None, _words(), levels or CONTRACT), kind, "ascolto-dati-per-genere")


@get("/figures/{year:int}/file/{kind:str}")
async def filled(year: FromPath[int], kind: FromPath[str]) -> Response[bytes]:
    """Give the template as a year has filled it: to correct one figure and upload it again."""
    kept = (await figures.everything()).get(year)
    if kept is None:
        raise NotFoundException
    return _file(filled_rows(kept.figures, _words(), ()), kind, f"ascolto-dati-per-genere-{year}")


async def _figures_in(settings: Settings, sent: object, typed: str) -> YearFigures:
    """The figures of a year in a file that was sent."""
    year = _year_in(typed)
    if year is None or not FIRST_YEAR <= year <= today().year:
        raise FileRefused("figures.refused.future" if year and year > today().year else "figures.refused.year")
    answer = await read_sent(settings, sent, "figures", year=year)
    return from_json(answer["figures"])


def _year_in(text: str) -> int | None:
    plain = text.strip()
    return int(plain) if len(plain) == 4 and plain.isascii() and plain.isdecimal() else None


@post("/figures", request_max_body_size=UPLOAD_LIMIT)
async def upload(
    request: AppRequest, settings: NamedDependency[Settings], engines: NamedDependency[Engines]
) -> Response[str] | Redirect:
    """Keep the figures of a year from a filled template: all of them, or none."""
    data, language = await checked_form(request), desk_language(request)
    typed = data.get("year", "")[:20], data.get("source", "")[:300]
    try:
        found = await _figures_in(settings, (await request.form()).get("file"), typed[0])
        await _keep(request, engines, found, typed[1], data.get("seen", ""))
    except FileRefused as problem:
        error, cells = say(language, problem.key, **problem.params) if problem.key else "", problem.cells
        return await years_page(
            request, BASE, can_edit=True, error=error, typed=typed, refused=cells, refused_count=problem.count
        )
    except KeepingRefused as problem:
        error = say(language, f"figures.refused.{problem}")
        return await years_page(request, BASE, can_edit=True, error=error, typed=typed)
    return done(f"{BASE}/{found.year}", "figures_kept")


async def _keep(request: AppRequest, engines: Engines, found: YearFigures, source: str, seen: str) -> None:
    """Keep a year; sector averages that were typed for it stay."""
    before = (await figures.everything()).get(found.year)
    if before is not None:
        found = replace(found, **{name: getattr(before.figures, name) for name in SECTOR})
    kept = Kept(found, source, account_of(request).name, today())
    await figures.keep(engines["people"], kept, seen)


@post("/figures/{year:int}/sector")
async def sector(
    request: AppRequest, year: FromPath[int], engines: NamedDependency[Engines]
) -> Response[str] | Redirect:
    """Keep the sector averages of a year, with source and year of each."""
    data, language = await checked_form(request), desk_language(request)
    kept = (await figures.everything()).get(year)
    if kept is None:
        raise NotFoundException
    forms = tuple(
        SectorForm(name, *(data.get(f"{name}_{part}", "")[:300].strip() for part in ("share", "source", "year")))
        for name in SECTOR
    )
    try:
        averages: dict[str, Any] = {form.name: _average(form) for form in forms}
        found = replace(kept, figures=replace(kept.figures, **averages), typed_by=account_of(request).name)
        await figures.keep(engines["people"], replace(found, typed_on=today()), data.get("seen", ""))
    except FiguresRefused as problem:
        fault = problem.faults[0]
        which = say(language, f"figures.sector.of_{fault.name.removeprefix('sector_')}")
        error = say(language, f"figures.refused.sector_{fault.reason}", which=which)
        return await year_page(request, year, BASE, can_edit=True, error=error, sector=forms)
    except KeepingRefused as problem:
        error = say(language, f"figures.refused.{problem}")
        return await year_page(request, year, BASE, can_edit=True, error=error, sector=forms)
    return done(f"{BASE}/{year}", "sector_kept")


def _average(form: SectorForm) -> SectorAverage | None:
    """An average as typed; nothing where all three fields are empty. What cannot be read has a value out of bounds."""
    if not (form.share or form.source or form.year):
        return None
    share = share_in(form.share)
    return SectorAverage(Fraction(-1) if share is None else share, form.source, _year_in(form.year) or 0)


@post("/figures/{year:int}/remove")
async def remove(
    request: AppRequest, year: FromPath[int], engines: NamedDependency[Engines]
) -> Response[str] | Redirect:
    """Take a year away."""
    data = await checked_form(request)
    if year not in await figures.everything():
        raise NotFoundException
    try:
        await figures.remove(engines["people"], year, account_of(request).name, today(), data.get("seen", ""))
    except KeepingRefused as problem:
        error = say(desk_language(request), f"figures.refused.{problem}")
        return await year_page(request, year, BASE, can_edit=True, error=error)
    return done(BASE, "figures_removed")


HANDLERS = (years, one_year, template, filled, upload, sector, remove)
