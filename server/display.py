"""How days, shares and figures are written for a person; the only place where a share becomes a percent."""

from collections.abc import Mapping
from datetime import date

from babel.dates import format_date
from babel.numbers import format_decimal


def day(value: date | str | None, language: str) -> str:
    """Write a day in words; an ISO text is read first; nothing stays nothing."""
    if not value:
        return ""
    if isinstance(value, str):
        value = date.fromisoformat(value)
    return format_date(value, format="long", locale=language.replace("-", "_"))


def number(value: float, language: str) -> str:
    """Write a number with at most one decimal, by the language's rules."""
    return format_decimal(value, format="#,##0.#", locale=language.replace("-", "_"))


def text_of(texts: Mapping[str, str], language: str) -> str:
    """The text in this language, else Italian, else whatever there is."""
    return texts.get(language) or texts.get("it") or next(iter(texts.values()), "")
