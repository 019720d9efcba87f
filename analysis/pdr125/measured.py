"""What a quantitative indicator says of a year: its result, what it stands on, the readings of its rule, and what lacks.

A word is said only of a rule that is agreed, and only where all of its readings say the same; else somebody has to look into the practice.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal

from analysis.pdr125.catalogue import Indicator, Rule
from analysis.pdr125.year_figures import Heads, Level, YearFigures

type Outcome = Literal["meets", "does_not_meet", "cannot_be_measured", "to_be_verified"]
type Years = Mapping[int, YearFigures]


@dataclass(frozen=True, slots=True)
class Input:
    """A figure that was used; `value` is a count, days, or a share in [0, 1]."""

    name: str
    year: int
    value: Fraction
    gender: str = ""


@dataclass(frozen=True, slots=True)
class Lack:
    """A figure that lacks: ``missing`` was not said; ``nobody`` is zero where there would have to be somebody."""

    name: str
    year: int
    gender: str = ""
    level: str = ""
    kind: Literal["missing", "nobody"] = "missing"


@dataclass(frozen=True, slots=True)
class Base:
    """What was divided by what: `result` of an indicator, or one of the shares that it compares."""

    name: str
    numerator: Fraction
    denominator: Fraction

    @property
    def share(self) -> Fraction:
        return self.numerator / self.denominator


@dataclass(frozen=True, slots=True)
class Reading:
    """One way to read the rule: what was found, what it is compared with, and what it would say.

    `before` is last year's figure where the rule asks for less than then.
    """

    name: str
    found: Fraction
    needed: Fraction
    met: bool
    before: Fraction | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """One level: people and figures (pay in euros, or a rate) by gender, and the gap. Not for other eyes than HR's and the auditor's."""

    level: str
    heads: Heads
    women: Fraction
    men: Fraction
    gap: Fraction


@dataclass(frozen=True, slots=True)
class Measured:
    """What one indicator says of a year. `result` is None where it cannot be measured at all."""

    indicator: str
    year: int
    outcome: Outcome
    result: Fraction | None = None
    bases: tuple[Base, ...] = ()
    inputs: tuple[Input, ...] = ()
    readings: tuple[Reading, ...] = ()
    parts: tuple[Part, ...] = ()
    lacking: tuple[Lack, ...] = ()


@dataclass(slots=True)
class Sheet:
    """What one indicator reads of a year, and of those before it: the figures used and those that lack."""

    years: Years
    year: int
    used: list[Input] = field(default_factory=list)
    lacking: list[Lack] = field(default_factory=list)

    def heads(self, name: str, ago: int = 0) -> Heads | None:
        """A group by gender, so many years ago; None if it is not known or empty."""
        year = self.year - ago
        found = self.years.get(year)
        if found is None:
            self.lacking.append(Lack(name, year))
            return None
        group: Heads = getattr(found, name)
        for gender in ("women", "men"):
            if getattr(group, gender) is None:
                self.lacking.append(Lack(name, year, gender))
        if group.total is None:
            return None
        counts = {gender: getattr(group, gender) for gender in ("women", "men", "other")}
        self.used += [Input(name, year, Fraction(n), gender) for gender, n in counts.items() if n is not None]
        if group.total == 0:
            self.lacking.append(Lack(name, year, kind="nobody"))
            return None
        return group

    def number(self, name: str, *, above_nothing: bool = False) -> Fraction | None:
        """A number, or None if it is not known, or is nothing where something is divided by it."""
        found = self.years.get(self.year)
        value = getattr(found, name) if found else None
        if value is None:
            self.lacking.append(Lack(name, self.year))
            return None
        self.used.append(Input(name, self.year, Fraction(value)))
        if above_nothing and not value:
            self.lacking.append(Lack(name, self.year, kind="nobody"))
            return None
        return Fraction(value)

    def average(self, name: str) -> Fraction | None:
        """A sector's share of women."""
        found = self.years.get(self.year)
        average = getattr(found, name) if found else None
        if average is None:
            self.lacking.append(Lack(name, self.year))
            return None
        self.used.append(Input(name, average.year, average.share))
        return Fraction(average.share)

    def levels(self) -> tuple[Level, ...]:
        """All levels that have heads of both genders; those without them are no base for a comparison."""
        found = self.years.get(self.year)
        levels = found.levels if found else ()
        if not levels:
            self.lacking.append(Lack("levels", self.year))
        for level in levels:
            for gender in ("women", "men"):
                if getattr(level.heads, gender) is None:
                    self.lacking.append(Lack("heads", self.year, gender, level.name))
        both = tuple(level for level in levels if level.heads.women and level.heads.men)
        if levels and not both and not self.lacking:
            self.lacking.append(Lack("levels", self.year, kind="nobody"))
        return both

    def without_result(self, indicator: Indicator) -> Measured:
        """Nothing can be measured: what was there, and what lacks."""
        used, lacking = tuple(self.used), tuple(self.lacking)
        return Measured(indicator.id, self.year, "cannot_be_measured", inputs=used, lacking=lacking)


def rule_of(indicator: Indicator) -> Rule:
    """The rule of a quantitative indicator; ValueError for another."""
    if indicator.rule is None:
        raise ValueError(f"{indicator.id} is not quantitative")
    return indicator.rule


def _said(rule: Rule, readings: Sequence[Reading]) -> Outcome:
    """A word for an agreed rule whose readings all say the same; else somebody has to look into the practice."""
    verdicts = {reading.met for reading in readings}
    if rule.status != "agreed" or len(verdicts) != 1:
        return "to_be_verified"
    return "meets" if True in verdicts else "does_not_meet"


def measured(
    indicator: Indicator,
    sheet: Sheet,
    bases: Sequence[Base],
    readings: Sequence[Reading],
    *,
    result: Fraction | None = None,
    parts: Sequence[Part] = (),
) -> Measured:
    """A result with its word.

    Parameters
    ----------
    indicator : Indicator
        With its rule.
    sheet : Sheet
        What was read.
    bases : sequence
        What was divided by what; at least one.
    readings : sequence
        Every way to read the rule, with what it would say; at least one.
    result : Fraction or None
        The first share if it is None.
    parts : sequence
        The levels that were compared.
    """
    return Measured(
        indicator.id,
        sheet.year,
        _said(rule_of(indicator), readings),
        bases[0].share if result is None else result,
        tuple(bases),
        tuple(sheet.used),
        tuple(readings),
        tuple(parts),
    )
