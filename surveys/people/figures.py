"""Figures of reporting years for the quantitative indicators: kept, read and taken away, with source, who typed them and when.

They stand in the people store, which HR alone reads: pay by level and gender of a few people tells what single persons earn.
"""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date

from analysis.pdr125.year_figures import SOURCE_LENGTH, YearFigures, from_json, to_json
from surveys import cells, shown
from surveys.engines import StoreEngine
from surveys.people import log
from surveys.people.tables import ReportedYear


class KeepingRefused(ValueError):
    """The figures are not kept as asked; the first argument is the reason's key."""


@dataclass(frozen=True, slots=True)
class Kept:
    """The figures of one year, with where they are from, who typed them and on which day."""

    figures: YearFigures
    source: str
    typed_by: str
    typed_on: date


async def everything() -> dict[int, Kept]:
    """All years that can be read, the newest first."""
    return (await look())[0]


async def look() -> tuple[dict[int, Kept], tuple[str, ...]]:
    """All years that can be read, the newest first; and the others, by what stands where their year should."""
    found, odd = [], []
    for row in await cells.read(ReportedYear):
        try:
            found.append(_kept(row))
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
            odd.append(row["year"] or "?")
    found.sort(key=lambda one: one.figures.year, reverse=True)
    return {one.figures.year: one for one in found}, tuple(sorted(odd))


def _kept(row: Mapping[str, str | None]) -> Kept:
    """The figures of a row.

    Raises
    ------
    ArithmeticError, AttributeError, LookupError, TypeError, ValueError
        If they are none, or of another year.
    """
    year, figures, source, who, on = (cells.text(row[n]) for n in ("year", "figures", "source", "typed_by", "typed_on"))
    kept = Kept(from_json(json.loads(figures)), source, who, date.fromisoformat(on))
    if str(kept.figures.year) != year:
        raise ValueError("another year")
    return kept


def mark_of(years: Mapping[int, Kept]) -> str:
    """What somebody saw who changes a year: all years as they stood."""
    return shown.mark_of(
        [
            (year, to_json(one.figures), one.source, one.typed_by, str(one.typed_on))
            for year, one in sorted(years.items())
        ]
    )


async def keep(engine: StoreEngine, wanted: Kept, seen: str) -> None:
    """Make these the figures of their year, and write into the log that they are.

    Parameters
    ----------
    wanted : Kept
        With a source of up to 200 signs.
    seen : str
        `mark_of` what was there when the figures were chosen.

    Raises
    ------
    KeepingRefused
        ``source`` (nothing that can be read, or too long), ``future`` (a year after the day of typing) or ``changed`` (somebody
        else kept or removed figures in the meantime): nothing is written.
    """
    source = wanted.source.strip()
    if not source.isprintable() or not any(letter.isalnum() for letter in source) or len(source) > SOURCE_LENGTH:
        raise KeepingRefused("source")
    year = wanted.figures.year
    if year > wanted.typed_on.year:
        raise KeepingRefused("future")
    async with _unchanged(engine, seen):
        await ReportedYear.delete().where(ReportedYear.year == year)
        await ReportedYear.insert(
            ReportedYear(
                year=year,
                figures=json.dumps(to_json(wanted.figures), ensure_ascii=False),
                source=source,
                typed_by=wanted.typed_by,
                typed_on=wanted.typed_on,
            )
        )
    await log.record(engine, wanted.typed_on, wanted.typed_by, "figures kept", year=str(year))


async def remove(engine: StoreEngine, year: int, who: str, day: date, seen: str) -> None:
    """Take the figures of a year away; of a year without any nothing happens.

    Raises
    ------
    KeepingRefused
        ``changed``, as in `keep`.
    """
    async with _unchanged(engine, seen):
        gone = await ReportedYear.delete().where(ReportedYear.year == year).returning(ReportedYear.year)
    if gone:
        await log.record(engine, day, who, "figures removed", year=str(year))


@asynccontextmanager
async def _unchanged(engine: StoreEngine, seen: str) -> AsyncIterator[None]:
    """A transaction in which nobody else writes figures, and what was seen is what is there."""
    async with engine.writing_alone(ReportedYear):
        if mark_of(await everything()) != seen:
            raise KeepingRefused("changed")
        yield
