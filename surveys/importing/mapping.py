"""How another tool's export becomes groups and items: a TOML file, checked as a whole before any answer is read.

The format is described in docs/importing.md.
"""

import math
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

LONG = "long"
SHAPES = ("plain", "limesurvey", "google", "microsoft", LONG)
_ID = re.compile(r"[a-z0-9][a-z0-9-]{1,38}")
_NAME = re.compile(r"[A-Za-z0-9_]{1,40}")
_INDICATOR = re.compile(r"[1-6]\.[1-7]")

type Texts = Mapping[str, str]


class MappingBroken(ValueError):
    """The mapping cannot be used; `problems` says everything that is wrong with it."""

    def __init__(self, *problems: str) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Range:
    """Whole numbers from ``low`` to ``high``, both inclusive, that become one code."""

    low: int
    high: int
    code: str


@dataclass(frozen=True, slots=True)
class GroupMapping:
    """One dimension: a column, its values by code, the code of any other value (None: refuse it), names for pages.

    The code "" means "no group": such a sheet counts for the whole organisation only.
    """

    name: str
    column: str
    title: Texts
    recode: Mapping[str, str]
    ranges: tuple[Range, ...]
    other: str | None
    names: Mapping[str, Texts]

    @property
    def codes(self) -> tuple[str, ...]:
        """All codes in the order of the mapping, "" left out."""
        found = (*self.recode.values(), *(r.code for r in self.ranges), self.other or "")
        return tuple(dict.fromkeys(code for code in found if code))


@dataclass(frozen=True, slots=True)
class ItemMapping:
    """One item: a column, its values on the scale ``low``-``high``, and the values that are no answer on it.

    With ``options`` the column holds several answers, each of which becomes an item of 0 and 1. Without ``recode`` the
    whole numbers of the scale are read as they are.
    """

    name: str
    column: str
    text: Texts
    low: int
    high: int
    reverse: bool
    recode: Mapping[str, int]
    dont_know: tuple[str, ...]
    prefer_not: tuple[str, ...]
    options: Mapping[str, str]
    areas: tuple[int, ...]
    indicators: tuple[str, ...]
    construct: str
    rare: bool
    favourable_from: int


@dataclass(frozen=True, slots=True)
class ScaleMapping:
    """A scale and how many of its items a sheet must answer for a score."""

    name: str
    title: Texts
    items: tuple[str, ...]
    min_answered: int


@dataclass(frozen=True, slots=True)
class ResponseMapping:
    """A whole mapping. Dates are ISO days. `id_column` tells repeated rows from equal ones.

    `question_column` and `answer_column` are those of the long shape, with one answer in each row; else "".
    """

    wave: str
    title: Texts
    opened: str
    closed: str
    source: str
    licence: str
    shape: str
    encoding: str
    missing: tuple[str, ...]
    drop: tuple[str, ...]
    id_column: str
    question_column: str
    answer_column: str
    groups: tuple[GroupMapping, ...]
    items: tuple[ItemMapping, ...]
    scales: tuple[ScaleMapping, ...]


def read_mapping(path: Path) -> ResponseMapping:
    """Read a mapping.

    Raises
    ------
    MappingBroken
        With everything that is wrong, or why the file is no TOML.
    """
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError as problem:
        raise MappingBroken(f"there is no file {path.name}") from problem
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as problem:
        raise MappingBroken(f"not TOML: {problem}") from problem
    return parse_mapping(data)


def parse_mapping(data: Mapping[str, Any]) -> ResponseMapping:
    """Make a mapping of parsed TOML; see `read_mapping`."""
    reader = _Reader()
    reader.only("the mapping", data, {"wave", "file", "groups", "items", "scales"})
    wave, file = reader.table(data, "wave"), reader.table(data, "file")
    reader.only("[wave]", wave, {"id", "title", "opened", "closed", "source", "licence"})
    reader.only("[file]", file, {"shape", "encoding", "missing", "drop", "id", "question", "answer", "on_bad_row"})
    groups = tuple(_group(reader, name, table) for name, table in reader.tables(data, "groups"))
    items = tuple(_item(reader, name, table) for name, table in reader.tables(data, "items"))
    made = ResponseMapping(
        wave=reader.text("[wave]", wave, "id", needed=True),
        title=reader.texts("[wave]", wave, "title"),
        opened=reader.day("[wave]", wave, "opened"),
        closed=reader.day("[wave]", wave, "closed"),
        source=reader.text("[wave]", wave, "source"),
        licence=reader.text("[wave]", wave, "licence"),
        shape=reader.text("[file]", file, "shape") or "plain",
        encoding=reader.text("[file]", file, "encoding"),
        missing=("", *reader.words("[file]", file, "missing")),
        drop=reader.words("[file]", file, "drop"),
        id_column=reader.text("[file]", file, "id"),
        question_column=reader.text("[file]", file, "question"),
        answer_column=reader.text("[file]", file, "answer"),
        groups=groups,
        items=items,
        scales=_scales(reader, data, items),
    )
    _check(reader, made, file)
    if reader.problems:
        raise MappingBroken(*reader.problems)
    return made


class _Reader:
    """Takes values out of TOML tables and collects what is wrong instead of stopping at the first."""

    def __init__(self) -> None:
        self.problems: list[str] = []

    def say(self, problem: str) -> None:
        self.problems.append(problem)

    def only(self, where: str, table: Mapping[str, Any], known: set[str]) -> None:
        for name in table.keys() - known:
            self.say(f"{where} has an unknown entry {name!r}")

    def table(self, data: Mapping[str, Any], name: str) -> Mapping[str, Any]:
        found = data.get(name, {})
        if isinstance(found, Mapping):
            return found
        self.say(f"[{name}] is a table")
        return {}

    def tables(self, data: Mapping[str, Any], name: str) -> list[tuple[str, Mapping[str, Any]]]:
        found = self.table(data, name)
        for inner in found:
            if not _NAME.fullmatch(inner):
                self.say(f"[{name}.{inner}]: a name has up to 40 letters, digits and _")
        return [(inner, self.table(found, inner)) for inner in found]

    def text(self, where: str, table: Mapping[str, Any], name: str, *, needed: bool = False) -> str:
        found = table.get(name, "")
        if not isinstance(found, str) or (needed and not found):
            self.say(f"{where} needs a text {name!r}")
            return ""
        return found

    def texts(self, where: str, table: Mapping[str, Any], name: str, *, default: str = "") -> Texts:
        found = table.get(name, default)
        if isinstance(found, str) and found:
            return {"it": found, "en": found}
        if isinstance(found, Mapping) and found and all(isinstance(text, str) and text for text in found.values()):
            return dict(found)
        self.say(f"{where} needs a text {name!r}, or one for each language")
        return {}

    def words(self, where: str, table: Mapping[str, Any], name: str) -> tuple[str, ...]:
        found = table.get(name, [])
        if isinstance(found, list) and all(isinstance(word, str) for word in found):
            return tuple(found)
        self.say(f"{where}: {name!r} is a list of texts")
        return ()

    def day(self, where: str, table: Mapping[str, Any], name: str) -> str:
        found = table.get(name)
        try:
            if isinstance(found, date) and not isinstance(found, datetime):
                return found.isoformat()
            return date.fromisoformat(found if isinstance(found, str) else "").isoformat()
        except ValueError:
            self.say(f"{where} needs a day {name!r}, e.g. 2026-03-31")
            return ""

    def number(self, where: str, table: Mapping[str, Any], name: str, default: int) -> int:
        found = table.get(name, default)
        if isinstance(found, int) and not isinstance(found, bool):
            return found
        self.say(f"{where}: {name!r} is a whole number")
        return default

    def flag(self, where: str, table: Mapping[str, Any], name: str) -> bool:
        found = table.get(name, False)
        if not isinstance(found, bool):
            self.say(f"{where}: {name!r} is true or false")
        return bool(found)

    def codes[T: (str, int)](self, where: str, table: Mapping[str, Any], name: str, kind: type[T]) -> dict[str, T]:
        found = self.table(table, name)
        if all(isinstance(code, kind) and not isinstance(code, bool) for code in found.values()):
            return dict(found)
        self.say(f"{where}: every value of {name!r} becomes a {'text' if kind is str else 'whole number'}")
        return {}


def _group(reader: _Reader, name: str, table: Mapping[str, Any]) -> GroupMapping:
    where = f"[groups.{name}]"
    reader.only(where, table, {"column", "title", "recode", "ranges", "other", "names"})
    ranges = []
    for found in table.get("ranges", []):
        try:
            ranges.append(Range(int(found["low"]), int(found["high"]), str(found["code"])))
        except (KeyError, TypeError, ValueError):
            reader.say(f'{where}: a range is {{ low = 30, high = 39, code = "30_39" }}')
    names = {code: reader.texts(f"{where} names", table["names"], code) for code in reader.table(table, "names")}
    recode = reader.codes(where, table, "recode", str)
    if not recode and not ranges:
        reader.say(f"{where} needs 'recode' or 'ranges': free values would make groups of one")
    other = reader.text(where, table, "other") if "other" in table else None
    column = reader.text(where, table, "column", needed=True)
    title = reader.texts(where, table, "title", default=column or name)
    return GroupMapping(name, column, title, recode, tuple(ranges), other, names)


def _item(reader: _Reader, name: str, table: Mapping[str, Any]) -> ItemMapping:
    where = f"[items.{name}]"
    known = {
        "column",
        "text",
        "low",
        "high",
        "reverse",
        "recode",
        "dont_know",
        "prefer_not",
        "options",
        "areas",
        "indicators",
        "construct",
        "rare",
        "favourable_from",
    }
    reader.only(where, table, known)
    options = reader.codes(where, table, "options", str)
    low = reader.number(where, table, "low", 0 if options else 1)
    high = reader.number(where, table, "high", 1 if options else 5)
    recode = reader.codes(where, table, "recode", int)
    if not low < high or any(not low <= code <= high for code in recode.values()):
        reader.say(f"{where}: codes lie between 'low' and 'high', and low < high")
    if options and (recode or (low, high) != (0, 1)):
        reader.say(f"{where}: an item with 'options' has neither 'recode' nor a scale")
    for code in options.values():
        if not _NAME.fullmatch(code):
            reader.say(f"{where}: an option's code has up to 40 letters, digits and _")
    areas, indicators = table.get("areas", []), reader.words(where, table, "indicators")
    if not isinstance(areas, list) or any(area not in range(1, 7) for area in areas):
        reader.say(f"{where}: areas are numbers from 1 to 6")
        areas = []
    if any(not _INDICATOR.fullmatch(indicator) for indicator in indicators):
        reader.say(f"{where}: indicators look like 1.6")
    return ItemMapping(
        name=name,
        column=reader.text(where, table, "column", needed=True),
        text=reader.texts(where, table, "text"),
        low=low,
        high=high,
        reverse=reader.flag(where, table, "reverse"),
        recode=recode,
        dont_know=reader.words(where, table, "dont_know"),
        prefer_not=reader.words(where, table, "prefer_not"),
        options=options,
        areas=tuple(areas),
        indicators=indicators,
        construct=reader.text(where, table, "construct"),
        rare=reader.flag(where, table, "rare"),
        favourable_from=reader.number(where, table, "favourable_from", math.ceil(low + 0.75 * (high - low))),
    )


def _scales(reader: _Reader, data: Mapping[str, Any], items: tuple[ItemMapping, ...]) -> tuple[ScaleMapping, ...]:
    scales = []
    for name, table in reader.tables(data, "scales"):
        where = f"[scales.{name}]"
        reader.only(where, table, {"title", "min_answered"})
        members = [item for item in items if item.construct == name]
        least = reader.number(where, table, "min_answered", math.ceil(2 * len(members) / 3))
        if len(members) < 3 or len({(item.low, item.high) for item in members}) > 1 or any(i.options for i in members):
            reader.say(f"{where} needs at least three items, all from the same low to the same high")
        elif not 1 <= least <= len(members):
            reader.say(f"{where}: 'min_answered' is at most the number of items")
        scales.append(ScaleMapping(name, reader.texts(where, table, "title"), tuple(i.name for i in members), least))
    known = {scale.name for scale in scales}
    for item in items:
        if item.construct and item.construct not in known:
            reader.say(f"[items.{item.name}]: there is no [scales.{item.construct}]")
    return tuple(scales)


def _check(reader: _Reader, made: ResponseMapping, file: Mapping[str, Any]) -> None:
    if not _ID.fullmatch(made.wave):
        reader.say("[wave] id has 2 to 39 small letters, digits and hyphens")
    if made.opened and made.closed and made.opened > made.closed:
        reader.say("[wave] closes before it opens")
    if made.shape not in SHAPES:
        reader.say(f"[file] shape is one of {', '.join(SHAPES)}")
    if made.shape == LONG and not (made.id_column and made.question_column and made.answer_column):
        reader.say("[file] of the long shape names the columns 'id', 'question' and 'answer'")
    if made.shape != LONG and (made.question_column or made.answer_column):
        reader.say("[file] 'question' and 'answer' are for the shape 'long' alone")
    if file.get("on_bad_row", "refuse") != "refuse":
        reader.say("[file] on_bad_row can only be 'refuse': a file is taken whole or not at all")
    if not made.items:
        reader.say("the mapping needs at least one [items.…]")
    columns = [*(group.column for group in made.groups), *(item.column for item in made.items)]
    for column in {column for column in columns if columns.count(column) > 1 or column in (*made.drop, made.id_column)}:
        reader.say(f"the column {column!r} is used twice, or used and dropped")
