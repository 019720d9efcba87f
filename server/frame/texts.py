"""Every sentence that a person reads, by language and key, from the files in locale/."""

import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from babel import Locale

from surveys.languages import KNOWN, LANGUAGES

FOLDER = Path(__file__).parents[1] / "locale"
DESK_LANGUAGES = ("it", "en")
"""Languages of the pages for HR, holders and auditors; staff pages speak all."""
NAMES = {language.code: language.name for language in KNOWN}
_RIGHT_TO_LEFT = frozenset(language.code for language in KNOWN if language.right_to_left)


def direction(language: str) -> str:
    return "rtl" if language in _RIGHT_TO_LEFT else "ltr"


@cache
def catalogue(language: str) -> Mapping[str, Any]:
    """All texts of a language as ``file.table.key``; plural texts are tables of CLDR categories."""
    texts: dict[str, Any] = {}
    for path in sorted((FOLDER / language).glob("*.toml")):
        for key, text in _flat(tomllib.loads(path.read_text("utf-8"))):
            texts[f"{path.stem}.{key}"] = text
    return texts


def _flat(tree: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in tree.items():
        if isinstance(value, dict) and "other" not in value:
            yield from _flat(value, f"{before}{key}.")
        else:
            yield f"{before}{key}", value


@cache
def _locale(language: str) -> Locale:
    return Locale.parse(language.replace("-", "_"))


def say(language: str, key: str, /, **values: object) -> str:
    """Say a text in a language. A plural text takes its form from the value ``n``.

    Raises
    ------
    KeyError
        If the text or one of its values is missing: a test walks all of them.
    """
    text = catalogue(language)[key]
    if isinstance(text, dict):
        n = values["n"]
        form = str(_locale(language).plural_form(n if isinstance(n, int) else 0))
        text = text.get(form, text["other"])
    return str(text.format(**values)) if values else str(text)


def choose_language(wanted: str | None, accept: str, offered: tuple[str, ...] = LANGUAGES) -> str:
    """The language asked for, else the best of an Accept-Language header, else the first offered."""
    if wanted in offered:
        return wanted
    ranked = []
    for place, part in enumerate(accept.split(",")[:20]):
        tag, _, quality = part.strip().partition(";q=")
        try:
            ranked.append((-float(quality or 1), place, tag.strip().lower()))
        except ValueError:
            continue
    for _, _, tag in sorted(ranked):
        for language in offered:
            if tag == language.lower() or tag.split("-")[0] == language.lower().split("-")[0]:
                return language
    return offered[0]


def step_in_words(language: str, step: str) -> str:
    """A step of long work as a sentence; ``name:37`` says how far it is in percent. Unknown steps say nothing."""
    name, _, percent = step.partition(":")
    key = f"desk.step.{name}"
    if key not in catalogue(language):
        return ""
    return f"{say(language, key)} {percent} %" if percent else say(language, key)
