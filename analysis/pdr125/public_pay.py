"""Pay by level and gender for other eyes than HR's and the auditor's: what stays when nobody's pay may be found out.

A level with one woman tells what she earns. So a level is printed only if it has enough women and enough men, and enough other levels
are left out with it: whoever knows how many work at each level, and the sums of women's and men's pay (a cooperative's social
report prints them), finds neither the average of a level that is left out nor that of a few people.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from analysis.pdr125.year_figures import Level
from analysis.rules import LEAST_PAID

EUROS = 100
"""Averages are printed to this many euros: else last year's and this year's of eleven people would tell what the eleventh earns."""
LEAST_APART = 3
"""The weighted gap is one more equation. Of two levels left out, the only woman of one, who knows her own pay, could solve them all."""


@dataclass(frozen=True, slots=True)
class PublicLevel:
    """A level that may be told: heads, averages to `EUROS`, the gap in whole percent of men's pay (below zero women earn more)."""

    name: str
    women: int
    men: int
    pay_women: int
    pay_men: int
    gap_percent: int


@dataclass(frozen=True, slots=True)
class PublicPay:
    """What may be told of a year: levels, how many are left out, and the gap weighted over all levels where it gives nobody away."""

    levels: tuple[PublicLevel, ...]
    not_shown: int
    weighted_percent: int | None


@dataclass(frozen=True, slots=True)
class _Cell:
    """A level that has pay: people and averages; nothing is said of a gender without people."""

    name: str
    women: int
    men: int
    pay_women: Fraction
    pay_men: Fraction

    @property
    def both(self) -> bool:
        return self.women > 0 and self.men > 0

    @property
    def gap(self) -> Fraction:
        return (self.pay_men - self.pay_women) / self.pay_men


def public_pay(levels: Sequence[Level], *, least: int = LEAST_PAID) -> PublicPay:
    """Choose what may be told of pay by level and gender.

    Parameters
    ----------
    levels : sequence
        All levels of a year. While heads or averages of one are not known, nothing is told: what it hides cannot be checked.
    least : int
        The least number of women, and of men, of a level that is told; never below `LEAST_PAID`.

    Raises
    ------
    ValueError
        If `least` is lower than the rule.
    """
    if least < LEAST_PAID:
        raise ValueError(f"the rule for pay cannot go below {LEAST_PAID}")
    known = [cell for level in levels if (cell := _cell(level))]
    if len(known) < len(levels):
        return PublicPay((), len(levels), None)
    shown = [cell for cell in known if min(cell.women, cell.men) >= least]
    hidden = [cell for cell in known if cell not in shown]
    shown.sort(key=lambda cell: (-(cell.women + cell.men), cell.name))
    while shown and not _apart(hidden, least):
        hidden.append(shown.pop())
    told = {cell.name for cell in shown}
    return PublicPay(
        tuple(_told(cell) for cell in known if cell.name in told),
        len(levels) - len(shown),
        _weighted(shown, hidden, least),
    )


def _cell(level: Level) -> _Cell | None:
    women, men = level.heads.women, level.heads.men
    if women is None or men is None or (women and level.pay_women is None) or (men and level.pay_men is None):
        return None
    return _Cell(level.name, women, men, level.pay_women or Fraction(0), level.pay_men or Fraction(0))


def _apart(hidden: Sequence[_Cell], least: int) -> bool:
    """Whether what is left out stays unknown to whoever knows the sums: of each gender nobody, or enough people at two levels or more."""
    for gender in ("women", "men"):
        heads = [getattr(cell, gender) for cell in hidden if getattr(cell, gender)]
        if heads and (len(heads) < 2 or sum(heads) < least):
            return False
    return True


def _weighted(shown: Sequence[_Cell], hidden: Sequence[_Cell], least: int) -> int | None:
    """The gap weighted by heads in whole percent; nothing where it would help to find a level that is left out."""
    away = [cell for cell in hidden if cell.both]
    few = min(sum(cell.women for cell in away), sum(cell.men for cell in away)) < least
    if away and (len(away) < LEAST_APART or few or not _apart(hidden, least)):
        return None
    both = [*shown, *away]
    heads = sum(cell.women + cell.men for cell in both)
    if not heads:
        return None
    return round(100 * sum((cell.women + cell.men) * cell.gap for cell in both) / heads)


def _told(cell: _Cell) -> PublicLevel:
    women, men = (EUROS * round(one / EUROS) for one in (cell.pay_women, cell.pay_men))
    return PublicLevel(cell.name, cell.women, cell.men, women, men, round(100 * cell.gap))
