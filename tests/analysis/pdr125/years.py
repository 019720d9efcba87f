"""Figures of years for tests: a whole one whose results are worked by hand, and any that are not refused."""

from fractions import Fraction

from hypothesis import strategies as st

from analysis.pdr125.catalogue import Indicator, load_catalogue
from analysis.pdr125.measured import Measured, Sheet
from analysis.pdr125.quantities import FUNCTIONS
from analysis.pdr125.year_figures import Heads, Level, SectorAverage, YearFigures

YEAR = 2025
INDICATORS: dict[str, Indicator] = {one.id: one for area in load_catalogue().areas for one in area.indicators}
QUANTITATIVE = tuple(FUNCTIONS)
WHOLE = YearFigures(
    YEAR,
    headcount=Heads(300, 100),
    executives=Heads(2, 3),
    unit_heads=Heads(20, 30),
    first_line=Heads(4, 4),
    budget_holders=Heads(3, 5),
    seats=Heads(3, 6),
    variable=Heads(75, 30),
    levels=(
        Level("A", Heads(80, 20), Fraction(19_000), Fraction(20_000), Heads(4, 1)),
        Level("B", Heads(40, 60), Fraction(27_600), Fraction(30_000), Heads(2, 6)),
    ),
    fathers_entitled=8,
    fathers_took=6,
    leave_days_taken=Fraction(54),
    leave_days_by_law=Fraction(10),
    sector_headcount=SectorAverage(Fraction(60, 100), "ISTAT", YEAR - 1),
    sector_executives=SectorAverage(Fraction(30, 100), "ISTAT", YEAR - 1),
)


def measured(indicator: str, *years: YearFigures) -> Measured:
    """One indicator of the newest of these years."""
    known = {figures.year: figures for figures in years}
    return FUNCTIONS[indicator](INDICATORS[indicator], Sheet(known, max(known, default=YEAR)))


_COUNTS = st.none() | st.integers(0, 400)
_PAYS = st.none() | st.integers(100_000, 20_000_000).map(lambda cents: Fraction(cents, 100))


@st.composite
def heads(draw: st.DrawFn) -> Heads:
    return Heads(draw(_COUNTS), draw(_COUNTS), draw(_COUNTS))


@st.composite
def part_of(draw: st.DrawFn, whole: Heads) -> Heads:
    """Nobody more of any gender than in a group."""

    def some(most: int | None) -> int | None:
        return draw(st.none() | st.integers(0, 400 if most is None else most))

    return Heads(some(whole.women), some(whole.men), some(whole.other))


@st.composite
def levels(draw: st.DrawFn) -> tuple[Level, ...]:
    names = draw(st.lists(st.sampled_from(("A1", "A2", "B1", "C1", "Livello à")), unique=True, max_size=4))
    found = []
    for name in names:
        people = draw(heads())
        pay = {f"pay_{g}": None if getattr(people, g) == 0 else draw(_PAYS) for g in ("women", "men")}
        found.append(Level(name, people, promoted=draw(part_of(people)), **pay))
    return tuple(found)


@st.composite
def any_year(draw: st.DrawFn, year: int = YEAR) -> YearFigures:
    """Figures that are allowed, with any of them missing."""
    everyone = Heads(*(draw(st.none() | st.integers(1_600, 5_000)) for _ in range(3)))
    groups = {
        name: draw(part_of(everyone))
        for name in ("executives", "unit_heads", "first_line", "budget_holders", "variable")
    }
    entitled = draw(_COUNTS)
    took = draw(st.none() | st.integers(0, 400 if entitled is None else entitled))
    days = st.none() | st.integers(0, 100_000).map(lambda n: Fraction(n, 100))
    average = st.none() | st.builds(
        SectorAverage, st.integers(0, 1000).map(lambda n: Fraction(n, 1000)), st.just("ISTAT"), st.integers(2015, 2026)
    )
    return YearFigures(
        year,
        headcount=everyone,
        seats=draw(heads()),
        levels=draw(levels()),
        fathers_entitled=entitled,
        fathers_took=took,
        leave_days_taken=None if took == 0 else draw(days),
        leave_days_by_law=draw(days),
        sector_headcount=draw(average),
        sector_executives=draw(average),
        **groups,
    )
