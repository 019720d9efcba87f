"""What in a comment may name somebody: telephone numbers, e-mail addresses, dates, names of people and units.

Phones are found by `phonenumbers`, dates by `dateparser`, both in Italian and English; names by the lists of this
installation. What is found is marked for the reader, who decides; what is not found may still name somebody.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_WORD = re.compile(r"[^\W\d_]{3,}")
_NUMBER = re.compile(r"\d")


@dataclass(frozen=True, slots=True)
class Mark:
    """A piece of a text, and what it is: ``phone``, ``email``, ``date`` or ``name``."""

    start: int
    end: int
    kind: str


def name_words(names: Iterable[str]) -> frozenset[str]:
    """The words of names and units, in small letters, of three letters and more."""
    return frozenset(word.lower() for name in names for word in _WORD.findall(name))


def marks(text: str, names: frozenset[str]) -> list[Mark]:
    """Find what may name somebody, from left to right, without overlaps."""
    found = [Mark(*match.span(), "email") for match in EMAIL.finditer(text)]
    found += _phones(text)
    found += _dates(text)
    found += [Mark(*match.span(), "name") for match in _WORD.finditer(text) if match.group().lower() in names]
    kept: list[Mark] = []
    for mark in sorted(found, key=lambda mark: (mark.start, -mark.end)):
        if not kept or mark.start >= kept[-1].end:
            kept.append(mark)
    return kept


def without(text: str, found: Iterable[Mark]) -> str:
    """The text with every mark replaced by three points in brackets."""
    for mark in sorted(found, key=lambda mark: -mark.start):
        text = f"{text[: mark.start]}[…]{text[mark.end :]}"
    return text


def _phones(text: str) -> list[Mark]:
    import phonenumbers

    matches = phonenumbers.PhoneNumberMatcher(text, "IT", leniency=phonenumbers.Leniency.POSSIBLE)
    return [Mark(match.start, match.end, "phone") for match in matches]


def _dates(text: str) -> list[Mark]:
    from dateparser.search import search_dates

    found: list[Mark] = []
    start = 0
    for piece, _ in search_dates(text, languages=["it", "en"], settings={"STRICT_PARSING": False}) or []:
        if not _NUMBER.search(piece):  # "may" and "sun" are words, too
            continue
        place = text.find(piece, start)
        if place >= 0:
            found.append(Mark(place, place + len(piece), "date"))
            start = place + len(piece)
    return found
