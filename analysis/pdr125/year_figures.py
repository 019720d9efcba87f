"""The figures of one reporting year, by gender, from which the quantitative indicators of the standard are computed.

None stands for "not said", which is another thing than nobody. Money is a yearly gross average of full-time pay, in euros to the cent.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

GENDERS = ("women", "men", "other")
GROUPS = ("headcount", "executives", "unit_heads", "first_line", "budget_holders", "seats", "variable")
"""Heads by gender: all staff; dirigenti; heads of units; who reports to the top; who holds a budget; seats on administrative and
control bodies; who has variable pay."""
NUMBERS = ("fathers_entitled", "fathers_took", "leave_days_taken", "leave_days_by_law")
"""Fathers entitled to paternity leave, those who took it, the days taken by all of them, the days that the law gives each."""
SECTOR = ("sector_headcount", "sector_executives")
PAY = ("pay_women", "pay_men")
FIRST_YEAR, LAST_YEAR = 2000, 2100
MOST_HEADS = 1_000_000
MOST_LEVELS = 60
LEAST_PAY, MOST_PAY = 1_000, 10_000_000
NAME_LENGTH = 60
SOURCE_LENGTH = 200


@dataclass(frozen=True, slots=True)
class Fault:
    """One figure that cannot be: which (`name`, and `gender` and `level` where it has them), and the key of the reason."""

    name: str
    reason: str
    gender: str = ""
    level: str = ""


class FiguresRefused(ValueError):
    """Figures that cannot be those of one year; `faults` names all of them."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        super().__init__(", ".join(f"{one.name} {one.gender} {one.level}: {one.reason}" for one in faults))
        self.faults = faults


@dataclass(frozen=True, slots=True)
class Heads:
    """People by gender. `other` counts in totals where it is given, and nowhere else."""

    women: int | None = None
    men: int | None = None
    other: int | None = None

    @property
    def total(self) -> int | None:
        """Everyone; None while women or men are not said."""
        if self.women is None or self.men is None:
            return None
        return self.women + self.men + (self.other or 0)


@dataclass(frozen=True, slots=True)
class Level:
    """One level of the collective agreement: its people, the average yearly gross pay of women and of men, who was promoted in the year."""

    name: str
    heads: Heads = field(default_factory=Heads)
    pay_women: Fraction | None = None
    pay_men: Fraction | None = None
    promoted: Heads = field(default_factory=Heads)


@dataclass(frozen=True, slots=True)
class SectorAverage:
    """A share of women, in [0, 1], in the sector's ATECO division, with who publishes it and for which year."""

    share: Fraction
    source: str
    year: int


@dataclass(frozen=True, slots=True)
class YearFigures:
    """All figures of one reporting year.

    Raises
    ------
    FiguresRefused
        With every figure that cannot be: out of its bounds, or more than what it is a part of.
    """

    year: int
    headcount: Heads = field(default_factory=Heads)
    executives: Heads = field(default_factory=Heads)
    unit_heads: Heads = field(default_factory=Heads)
    first_line: Heads = field(default_factory=Heads)
    budget_holders: Heads = field(default_factory=Heads)
    seats: Heads = field(default_factory=Heads)
    variable: Heads = field(default_factory=Heads)
    levels: tuple[Level, ...] = ()
    fathers_entitled: int | None = None
    fathers_took: int | None = None
    leave_days_taken: Fraction | None = None
    leave_days_by_law: Fraction | None = None
    sector_headcount: SectorAverage | None = None
    sector_executives: SectorAverage | None = None

    def __post_init__(self) -> None:
        if found := tuple(_faults(self)):
            raise FiguresRefused(found)


def _faults(figures: YearFigures) -> Iterator[Fault]:
    if not FIRST_YEAR <= figures.year <= LAST_YEAR:
        yield Fault("year", "year")
    for name in GROUPS:
        group = getattr(figures, name)
        yield from _bounds(name, group)
        if name not in ("headcount", "seats"):
            yield from _more_than(name, group, figures.headcount, "more_than_headcount")
    yield from _of_levels(figures)
    yield from _of_leave(figures)
    for name in SECTOR:
        average = getattr(figures, name)
        if average is not None:
            yield from _of_average(name, average)


def _bounds(name: str, group: Heads, level: str = "") -> Iterator[Fault]:
    for gender in GENDERS:
        count = getattr(group, gender)
        if count is not None and not 0 <= count <= MOST_HEADS:
            yield Fault(name, "count", gender, level)


def _more_than(name: str, part: Heads, whole: Heads, reason: str, level: str = "") -> Iterator[Fault]:
    for gender in GENDERS:
        some, everyone = getattr(part, gender), getattr(whole, gender)
        if some is not None and everyone is not None and some > everyone:
            yield Fault(name, reason, gender, level)


def _of_levels(figures: YearFigures) -> Iterator[Fault]:
    seen: set[str] = set()
    if len(figures.levels) > MOST_LEVELS:
        yield Fault("levels", "too_many_levels")
    for level in figures.levels:
        if not level.name[:1].isalnum() or not level.name.isprintable() or len(level.name) > NAME_LENGTH:
            yield Fault("heads", "level_name", level=level.name)
        if level.name.casefold() in seen:
            yield Fault("heads", "level_twice", level=level.name)
        seen.add(level.name.casefold())
        yield from _bounds("heads", level.heads, level.name)
        yield from _bounds("promoted", level.promoted, level.name)
        yield from _more_than("promoted", level.promoted, level.heads, "more_than_level", level.name)
        for gender in ("women", "men"):
            pay, heads = getattr(level, f"pay_{gender}"), getattr(level.heads, gender)
            if pay is not None and not LEAST_PAY <= pay <= MOST_PAY:
                yield Fault("pay", "pay", gender, level.name)
            if pay is not None and heads == 0:
                yield Fault("pay", "pay_of_nobody", gender, level.name)
    for gender in GENDERS:
        everyone = getattr(figures.headcount, gender)
        if everyone is not None and sum(getattr(one.heads, gender) or 0 for one in figures.levels) > everyone:
            yield Fault("headcount", "less_than_levels", gender)


def _of_leave(figures: YearFigures) -> Iterator[Fault]:
    for name in NUMBERS:
        value = getattr(figures, name)
        if value is not None and not 0 <= value <= MOST_HEADS:
            yield Fault(name, "count")
    entitled, took = figures.fathers_entitled, figures.fathers_took
    if entitled is not None and took is not None and took > entitled:
        yield Fault("fathers_took", "more_than_entitled")
    if took == 0 and figures.leave_days_taken:
        yield Fault("leave_days_taken", "days_of_nobody")


def _of_average(name: str, average: SectorAverage) -> Iterator[Fault]:
    if not 0 <= average.share <= 1:
        yield Fault(name, "share")
    if not average.source.strip() or not average.source.isprintable() or len(average.source) > SOURCE_LENGTH:
        yield Fault(name, "source")
    if not FIRST_YEAR <= average.year <= LAST_YEAR:
        yield Fault(name, "year")


def to_json(figures: YearFigures) -> dict[str, Any]:
    """Write figures as JSON: fractions as text, what is not said as null."""

    def heads(group: Heads) -> dict[str, int | None]:
        return {gender: getattr(group, gender) for gender in GENDERS}

    def fraction(value: Fraction | None) -> str | None:
        return None if value is None else str(value)

    def average(one: SectorAverage | None) -> dict[str, Any] | None:
        return None if one is None else {"share": str(one.share), "source": one.source, "year": one.year}

    return {
        "year": figures.year,
        **{name: heads(getattr(figures, name)) for name in GROUPS},
        "levels": [
            {"name": one.name, "heads": heads(one.heads), "promoted": heads(one.promoted)}
            | {name: fraction(getattr(one, name)) for name in PAY}
            for one in figures.levels
        ],
        **{name: getattr(figures, name) for name in NUMBERS[:2]},
        **{name: fraction(getattr(figures, name)) for name in NUMBERS[2:]},
        **{name: average(getattr(figures, name)) for name in SECTOR},
    }


def from_json(data: Mapping[str, Any]) -> YearFigures:
    """Read what `to_json` wrote.

    Raises
    ------
    FiguresRefused
        If a figure cannot be.
    """

    def fraction(text: str | None) -> Fraction | None:
        return None if text is None else Fraction(text)

    def average(one: Mapping[str, Any] | None) -> SectorAverage | None:
        return None if one is None else SectorAverage(Fraction(one["share"]), one["source"], one["year"])

    return YearFigures(
        year=data["year"],
        **{name: Heads(**data[name]) for name in GROUPS},
        levels=tuple(
            Level(
                one["name"],
                Heads(**one["heads"]),
                fraction(one["pay_women"]),
                fraction(one["pay_men"]),
                Heads(**one["promoted"]),
            )
            for one in data["levels"]
        ),
        fathers_entitled=data["fathers_entitled"],
        fathers_took=data["fathers_took"],
        leave_days_taken=fraction(data["leave_days_taken"]),
        leave_days_by_law=fraction(data["leave_days_by_law"]),
        sector_headcount=average(data["sector_headcount"]),
        sector_executives=average(data["sector_executives"]),
    )
