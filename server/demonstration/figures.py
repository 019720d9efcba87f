"""Two years of invented figures by gender: the year of the staff list as it is, and one before it with fewer people and wider gaps."""

from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction

from analysis.pdr125.year_figures import Heads, Level, SectorAverage, YearFigures
from surveys.engines import StoreEngine
from surveys.people import figures
from surveys.people.figures import Kept
from surveys.people.panel import members

WHO = "direzione"
SOURCE = "Numeri inventati per la dimostrazione"
FEWER_WOMEN, FEWER_MEN = 9, 4
"""How many people fewer worked here the year before."""


@dataclass(frozen=True, slots=True)
class Rung:
    """One level: its share of women and of men in per mille, men's pay, and women's gap in per mille now and the year before."""

    name: str
    women: int
    men: int
    pay: int
    gap: int
    gap_before: int


LADDER = (
    Rung("A1", 120, 190, 17_900, 11, 14),
    Rung("B1", 150, 210, 19_100, 18, 24),
    Rung("C1", 240, 200, 20_600, 23, 30),
    Rung("C2", 190, 140, 21_400, 28, 36),
    Rung("D1", 160, 130, 22_900, 42, 51),
    Rung("D2", 90, 70, 24_800, 61, 68),
    Rung("E1", 36, 40, 28_300, 83, 97),
    Rung("F1", 14, 20, 34_600, 92, 104),
)


async def make(engine: StoreEngine, day: date) -> None:
    """Keep the figures of the last two whole years."""
    genders = [member.gender for member in await members("")]
    women, men = genders.count("f"), genders.count("m")
    everyone = Heads(women, men, len(genders) - women - men)
    last = day.year - 1
    before = replace(everyone, women=women - FEWER_WOMEN, men=men - FEWER_MEN)
    for made in (_before(before, last - 1), _now(everyone, last)):
        seen = figures.mark_of(await figures.everything())
        await figures.keep(engine, Kept(made, SOURCE, WHO, day), seen)


def _now(everyone: Heads, year: int) -> YearFigures:
    """Nobody has said yet who holds a budget: 4.7 says what it lacks."""
    return YearFigures(
        year,
        headcount=everyone,
        executives=Heads(2, 2),
        unit_heads=Heads(23, 16),
        first_line=Heads(5, 4),
        seats=Heads(4, 5),
        variable=Heads(118, 35),
        levels=_levels(everyone, before=False),
        fathers_entitled=9,
        fathers_took=8,
        leave_days_taken=Fraction(76),
        leave_days_by_law=Fraction(10),
        sector_headcount=SectorAverage(Fraction(62, 100), SOURCE, year - 1),
        sector_executives=SectorAverage(Fraction(36, 100), SOURCE, year - 1),
    )


def _before(everyone: Heads, year: int) -> YearFigures:
    return YearFigures(
        year,
        headcount=everyone,
        executives=Heads(1, 3),
        unit_heads=Heads(14, 23),
        first_line=Heads(3, 5),
        budget_holders=Heads(5, 7),
        seats=Heads(2, 7),
        variable=Heads(96, 34),
        levels=_levels(everyone, before=True),
        fathers_entitled=7,
        fathers_took=5,
        leave_days_taken=Fraction(43),
        leave_days_by_law=Fraction(10),
        sector_headcount=SectorAverage(Fraction(61, 100), SOURCE, year - 1),
        sector_executives=SectorAverage(Fraction(35, 100), SOURCE, year - 1),
    )


def _levels(everyone: Heads, *, before: bool) -> tuple[Level, ...]:
    women = _shared(everyone.women or 0, [rung.women for rung in LADDER])
    men = _shared(everyone.men or 0, [rung.men for rung in LADDER])
    levels = []
    for rung, hers, his in zip(LADDER, women, men, strict=True):
        pay = Fraction(rung.pay) * (98 if before else 100) / 100
        gap = Fraction(rung.gap_before if before else rung.gap, 1000)
        promoted = Heads(hers * (2 if before else 4) // 100, his * 5 // 100)
        levels.append(Level(rung.name, Heads(hers, his), _cents(pay * (1 - gap)), _cents(pay), promoted))
    return tuple(levels)


def _shared(people: int, weights: list[int]) -> list[int]:
    """So many people over the levels by their weights; whoever is left over goes to the largest."""
    shares = [people * weight // 1000 for weight in weights]
    shares[weights.index(max(weights))] += people - sum(shares)
    return shares


def _cents(amount: Fraction) -> Fraction:
    return Fraction(round(100 * amount), 100)
