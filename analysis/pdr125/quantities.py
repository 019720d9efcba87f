"""The quantitative indicators of the standard, each by one function: from a year's figures to a result, its base and what can be said.

Shares and gaps are exact fractions: at a border of 1/3, 40 % or 10 % a rounded number would decide wrongly. What is proposed here
sets no state. A rule whose figure or meaning is in doubt (`Rule.status` is ``open``) is read in every way that is known, and
none of them is called met or not met. Source: UNI/PdR 125:2022 clause 5 as the catalogue paraphrases it; docs/pdr125.md, 7.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction

from analysis.pdr125.catalogue import Indicator
from analysis.pdr125.measured import Base, Lack, Measured, Part, Reading, Sheet, Years, measured, rule_of
from analysis.pdr125.year_figures import Heads, Level

PARITY = Fraction(1, 2)
"""Half of the heads: growth of the share of women is asked for until then (4.1, 4.2)."""


def _women(heads: Heads) -> Base:
    return Base("women", Fraction(heads.women or 0), Fraction(heads.total or 0))


def _at_least(name: str, base: Base, limit: Fraction) -> Reading:
    return Reading(name, base.share, limit, base.share >= limit)


def _ten_more(share: Fraction, average: Fraction, limit: Fraction, most: Fraction = Fraction(1)) -> list[Reading]:
    """Both ways to read "+10": so many percentage points more, or so many percent of the other; neither asks for more than `most`."""
    needed = {"points": min(average + limit, most), "relative": min(average * (1 + limit), most)}
    return [Reading(name, share, least, share >= least) for name, least in needed.items()]


def bodies(indicator: Indicator, sheet: Sheet) -> Measured:
    """2.5: seats of the less represented gender over all seats on administrative and control bodies."""
    rule = rule_of(indicator)
    seats = sheet.heads("seats")
    if seats is None:
        return sheet.without_result(indicator)
    base = Base("fewer", Fraction(min(seats.women or 0, seats.men or 0)), Fraction(seats.total or 0))
    return measured(indicator, sheet, [base], [_at_least("at_least", base, rule.limit)])


def _over_time(indicator: Indicator, sheet: Sheet, name: str, most: Fraction) -> Measured:
    """A share of women against the mean of its values of the two years before."""
    now, *before = (sheet.heads(name, ago) for ago in range(3))
    known = [heads for heads in before if heads is not None]
    if now is None or len(known) < 2:
        return sheet.without_result(indicator)
    bases = [_women(now), *(replace(_women(heads), name="women_before") for heads in known)]
    mean = sum((base.share for base in bases[1:]), Fraction(0)) / 2
    return measured(indicator, sheet, bases, _ten_more(bases[0].share, mean, rule_of(indicator).limit, most))


def women_over_time(indicator: Indicator, sheet: Sheet) -> Measured:
    """4.1: share of women in the headcount against the two years before, until parity (bands 1 and 2)."""
    return _over_time(indicator, sheet, "headcount", PARITY)


def women_executives_over_time(indicator: Indicator, sheet: Sheet) -> Measured:
    """4.3: share of women among executives (dirigenti) against the two years before (band 2)."""
    return _over_time(indicator, sheet, "executives", Fraction(1))


def _against_sector(
    indicator: Indicator, sheet: Sheet, name: str, average: str, most: Fraction = Fraction(1)
) -> Measured:
    heads, sector = sheet.heads(name), sheet.average(average)
    if heads is None or sector is None:
        return sheet.without_result(indicator)
    base = _women(heads)
    return measured(indicator, sheet, [base], _ten_more(base.share, sector, rule_of(indicator).limit, most))


def women(indicator: Indicator, sheet: Sheet) -> Measured:
    """4.2: share of women in the headcount against the average of the ATECO sector, until parity."""
    return _against_sector(indicator, sheet, "headcount", "sector_headcount", PARITY)


def women_executives(indicator: Indicator, sheet: Sheet) -> Measured:
    """4.4: share of women among executives (dirigenti) against the average of the sector."""
    return _against_sector(indicator, sheet, "executives", "sector_executives")


def women_first_line(indicator: Indicator, sheet: Sheet) -> Measured:
    """4.6: share of women in the first line that reports to the top, against the sector's share of women executives."""
    return _against_sector(indicator, sheet, "first_line", "sector_executives")


def women_with_budget(indicator: Indicator, sheet: Sheet) -> Measured:
    """4.7: share of women among the holders of a budget, against the sector's share of women executives."""
    return _against_sector(indicator, sheet, "budget_holders", "sector_executives")


def women_unit_heads(indicator: Indicator, sheet: Sheet) -> Measured:
    """4.5: share of women among heads of one or more units."""
    rule = rule_of(indicator)
    heads = sheet.heads("unit_heads")
    if heads is None:
        return sheet.without_result(indicator)
    base = _women(heads)
    return measured(indicator, sheet, [base], [_at_least("at_least", base, rule.limit)])


def fathers(indicator: Indicator, sheet: Sheet) -> Measured:
    """6.4: fathers who took paternity leave over those entitled."""
    rule = rule_of(indicator)
    took, entitled = sheet.number("fathers_took"), sheet.number("fathers_entitled", above_nothing=True)
    if took is None or entitled is None:
        return sheet.without_result(indicator)
    base = Base("fathers", took, entitled)
    return measured(indicator, sheet, [base], [_at_least("all", base, rule.limit)])


def leave_days(indicator: Indicator, sheet: Sheet) -> Measured:
    """6.5: average days of paternity leave taken over the days by law; the average is of all fathers entitled, or of those who took any."""
    rule = rule_of(indicator)
    taken = sheet.number("leave_days_taken")
    by_law = sheet.number("leave_days_by_law", above_nothing=True)
    entitled, took = sheet.number("fathers_entitled", above_nothing=True), sheet.number("fathers_took")
    if taken is None or by_law is None or entitled is None or took is None:
        return sheet.without_result(indicator)
    bases = [Base("days_of_entitled", taken, by_law * entitled)]
    if took:
        bases.append(Base("days_of_takers", taken, by_law * took))
    readings = [_at_least(base.name, base, rule.limit) for base in bases]
    return measured(indicator, sheet, bases, readings)


def variable_pay(indicator: Indicator, sheet: Sheet) -> Measured:
    """5.3: share of women with variable pay against the share of men; the result is men's share less women's."""
    everyone, some = sheet.heads("headcount"), sheet.heads("variable")
    if everyone is None or some is None:
        return sheet.without_result(indicator)
    for gender in ("women", "men"):
        if getattr(everyone, gender) == 0:
            sheet.lacking.append(Lack("headcount", sheet.year, gender, kind="nobody"))
    if sheet.lacking:
        return sheet.without_result(indicator)
    bases = [
        Base(gender, Fraction(getattr(some, gender)), Fraction(getattr(everyone, gender)))
        for gender in ("women", "men")
    ]
    gap = bases[1].share - bases[0].share
    return measured(indicator, sheet, bases, [_equal("whole", gap)], result=gap)


def _equal(name: str, gap: Fraction) -> Reading:
    return Reading(name, gap, Fraction(0), gap == 0)


def promotions(indicator: Indicator, sheet: Sheet) -> Measured:
    """5.2: promoted over heads, women against men, at each level and over all; the result is men's rate less women's over all levels."""
    levels = sheet.levels()
    for level in levels:
        for gender in ("women", "men"):
            if getattr(level.promoted, gender) is None:
                sheet.lacking.append(Lack("promoted", sheet.year, gender, level.name))
    if sheet.lacking:
        return sheet.without_result(indicator)
    parts = [_promoted(level) for level in levels]
    bases = [
        Base(
            gender,
            Fraction(sum(getattr(level.promoted, gender) for level in levels)),
            Fraction(sum(getattr(level.heads, gender) for level in levels)),
        )
        for gender in ("women", "men")
    ]
    gap = bases[1].share - bases[0].share
    largest = max((part.gap for part in parts), key=abs)
    readings = [_equal("each_level", largest), _equal("whole", gap)]
    return measured(indicator, sheet, bases, readings, result=gap, parts=parts)


def _promoted(level: Level) -> Part:
    women, men = (
        Fraction(getattr(level.promoted, gender), getattr(level.heads, gender)) for gender in ("women", "men")
    )
    return Part(level.name, level.heads, women, men, men - women)


def pay_gap(indicator: Indicator, sheet: Sheet) -> Measured:
    """5.1: (men's average pay - women's) / men's at each level, and over the levels weighted by their women and men.

    The base is men's pay, as in Directive (EU) 2023/970 art. 3(1)(c); below zero women earn more. A gap to either side counts
    by its size. It has to be under the limit and, unless it is nothing, smaller than last year's; as the largest of the levels or as
    the weighted figure is a doubt. Equal skills are in no figure: whoever decides judges them.
    """
    limit = rule_of(indicator).limit
    parts = _pay_parts(sheet)
    if not parts:
        return sheet.without_result(indicator)
    now, base = _sizes(parts), _weighted(parts)
    earlier = Sheet(sheet.years, sheet.year - 1)
    then = _sizes(before) if (before := _pay_parts(earlier)) else None
    if then is None and min(now.values()) < limit:
        lacking = tuple(earlier.lacking) if earlier.year in sheet.years else (Lack("year", earlier.year),)
        return Measured(
            indicator.id, sheet.year, "cannot_be_measured", base.share, (base,), parts=tuple(parts), lacking=lacking
        )
    readings = []
    for name, size in now.items():
        last = then[name] if then else None
        smaller = size == 0 or (last is not None and size < last)
        readings.append(Reading(name, size, limit, size < limit and smaller, last))
    return measured(indicator, sheet, [base], readings, parts=parts)


def _pay_parts(sheet: Sheet) -> list[Part]:
    """The gap at each level that has women and men; nothing while a figure lacks."""
    parts = []
    for level in sheet.levels():
        for gender, pay in (("women", level.pay_women), ("men", level.pay_men)):
            if pay is None:
                sheet.lacking.append(Lack("pay", sheet.year, gender, level.name))
        if level.pay_women is not None and level.pay_men is not None:
            gap = (level.pay_men - level.pay_women) / level.pay_men
            parts.append(Part(level.name, level.heads, level.pay_women, level.pay_men, gap))
    return [] if sheet.lacking else parts


def _weighted(parts: Sequence[Part]) -> Base:
    weights = [Fraction((part.heads.women or 0) + (part.heads.men or 0)) for part in parts]
    total = sum((weight * part.gap for weight, part in zip(weights, parts, strict=True)), Fraction(0))
    return Base("weighted", total, sum(weights, Fraction(0)))


def _sizes(parts: Sequence[Part]) -> dict[str, Fraction]:
    return {"each_level": max(abs(part.gap) for part in parts), "weighted": abs(_weighted(parts).share)}


FUNCTIONS: dict[str, Callable[[Indicator, Sheet], Measured]] = {
    "2.5": bodies,
    "4.1": women_over_time,
    "4.2": women,
    "4.3": women_executives_over_time,
    "4.4": women_executives,
    "4.5": women_unit_heads,
    "4.6": women_first_line,
    "4.7": women_with_budget,
    "5.1": pay_gap,
    "5.2": promotions,
    "5.3": variable_pay,
    "6.4": fathers,
    "6.5": leave_days,
}
"""The function of each quantitative indicator."""


def measure(indicators: Sequence[Indicator], years: Years, year: int) -> tuple[Measured, ...]:
    """Measure those of these indicators that are quantitative, for one year.

    Parameters
    ----------
    indicators : sequence
        As the catalogue has them for a size band, in its order.
    years : mapping
        Figures by reporting year; 5.1 reads the year before, 4.1 and 4.3 the two before.
    year : int
        The year to measure. Without figures of it nothing can be measured, and each says what it lacks.
    """
    return tuple(FUNCTIONS[one.id](one, Sheet(years, year)) for one in indicators if one.kind == "quantitative")
