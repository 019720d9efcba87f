"""The item bank: 66 original items in Italian and English, drafts in seven more languages, as data."""

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

type Texts = Mapping[str, str]


@cache
def _read(name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((files(__package__) / name).read_text("utf-8"))
    return content


def bank() -> dict[str, Any]:
    """Items, scales, constructs and messages in Italian and English."""
    return _read("bank.json")


def drafts() -> dict[str, Any]:
    """The seven draft translations, by kind and id."""
    return _read("translations.json")


def section_texts() -> dict[str, Any]:
    """Titles of sections, texts of the unit question, reasons for each demographic: all nine languages."""
    return _read("sections.json")


def merged(texts: Texts, kind: str, key: str) -> dict[str, str]:
    """A text in nine languages: the bank's two and the drafts of the same id.

    Raises
    ------
    KeyError
        If a draft is missing.
    """
    return {**texts, **drafts()[kind][key]}
