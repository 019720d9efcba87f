"""How days, shares and figures are written for a person; the only place where a share becomes a percent."""

from collections.abc import Mapping
from datetime import date
from fractions import Fraction
from functools import lru_cache

from babel.dates import format_date
from babel.numbers import format_decimal

_MONTHS = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12)


@lru_cache(maxsize=1024)
def day(value: date | str | None, language: str) -> str:
    """Write a day in words; an ISO text is read first; nothing stays nothing."""
    if not value:
        return ""
    if isinstance(value, str):
        value = date.fromisoformat(value)
    return format_date(value, format="long", locale=language.replace("-", "_"))


@lru_cache(maxsize=1024)
def short_day(value: date | None, language: str) -> str:
    """Write a day as a narrow column has it, with its month cut short; nothing stays nothing."""
    return format_date(value, format="medium", locale=language.replace("-", "_")) if value else ""


def month_forms(language: str) -> tuple[str, ...]:
    """A day of each month in words, with ``{d}`` and ``{y}`` in the place of day and year: for scripts, whose own
    calendars do not know every language."""
    return tuple(day(date(2031, month, 28), language).replace("2031", "{y}").replace("28", "{d}") for month in _MONTHS)


@lru_cache(maxsize=4096)
def number(value: float, language: str) -> str:
    """Write a number with at most one decimal, by the language's rules."""
    return format_decimal(value, format="#,##0.#", locale=language.replace("-", "_"))


def percent(share: Fraction, language: str, *, signed: bool = False) -> str:
    """Write a share in percent with at most two decimals; with its sign where it is a difference."""
    pattern = "+#,##0.##;-#,##0.##" if signed and share else "#,##0.##"
    return f"{format_decimal(float(100 * share), format=pattern, locale=language.replace('-', '_'))}\u00a0%"


def euros(amount: Fraction | int, language: str) -> str:
    """Write an amount of money to the euro."""
    return f"{format_decimal(round(amount), format='#,##0', locale=language.replace('-', '_'))}\u00a0€"


def text_of(texts: Mapping[str, str], language: str) -> str:
    """The text in this language, else Italian, else whatever there is."""
    return texts.get(language) or texts.get("it") or next(iter(texts.values()), "")
