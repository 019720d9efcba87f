"""Another tool's export of responses becomes coded columns in memory: no name, no time, no free text gets through."""

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn, Self

from surveys.importing.long import widened
from surveys.importing.mapping import LONG, GroupMapping, ItemMapping, MappingBroken, ResponseMapping, read_mapping
from surveys.importing.sheets import LIMIT_BYTES, FileUnreadable, RefusedRow, Rows, read_rows
from surveys.importing.sources import Sketches, sketches
from surveys.importing.words import PERSONAL_COLUMNS, plain, whole

__all__ = [
    "ImportedResponses",
    "MappingBroken",
    "RefusedRow",
    "ResponseMapping",
    "ResponsesRefused",
    "read_mapping",
    "read_responses",
]

SKIPPED, PREFER_NOT, DONT_KNOW = -1, -2, -3
"""Codes that are no point of a scale; the same as in the analysis."""
MOST_SHOWN = 50
_PROGRESS_ROWS = 500
_TIMES = frozenset(
    {"timestamp", "informazioni cronologiche", "submitdate", "datestamp", "completion time", "ora di completamento"}
)
_LIME_CODE = re.compile(r"(?P<code>[A-Za-z]\w*)(?P<parts>(?:\[[A-Za-z0-9_]+\])*)(?P<rest>.*)", re.DOTALL)
_LIME_PART = re.compile(r"\[\w+\]")
_OPTION_BREAK = re.compile(r"\s*[;,]\s*")


class ResponsesRefused(Exception):
    """Some cells are in no table of the mapping: nothing was kept. `rows` holds the first fifty, `total` counts all."""

    def __init__(self, rows: tuple[RefusedRow, ...], total: int) -> None:
        super().__init__(f"{total} cells are not in the mapping")
        self.rows, self.total = rows, total


class ImportedResponses:
    """Coded columns of one export, in memory only. Refuses to be shown, iterated, copied or pickled.

    `groups` hold a code for each sheet, "" where none applies; `answers` a value of the scale, or -1 skipped, -2
    prefers not to answer, -3 does not know. `n`, `duplicates`, `dropped` and `recoded` say what happened to the file,
    `sketches` by what it is known again.
    """

    __slots__ = ("answers", "dropped", "duplicates", "encoding", "groups", "n", "recoded", "sketches")

    def __init__(
        self,
        n: int,
        groups: dict[str, list[str]],
        answers: dict[str, list[int]],
        *,
        duplicates: int,
        dropped: tuple[str, ...],
        recoded: Mapping[str, int],
        encoding: str,
        sketches: Sketches,
    ) -> None:
        self.n, self.groups, self.answers = n, groups, answers
        self.duplicates, self.dropped, self.recoded, self.encoding = duplicates, dropped, recoded, encoding
        self.sketches = sketches

    def _refuse(self) -> NoReturn:
        raise TypeError("imported responses are never shown, copied or serialised")

    def __repr__(self) -> str:
        self._refuse()

    __str__ = __repr__

    def __format__(self, format_spec: str) -> str:
        self._refuse()

    def __iter__(self) -> NoReturn:
        self._refuse()

    def __reduce__(self) -> str:
        self._refuse()

    def __getstate__(self) -> object:
        self._refuse()

    def __copy__(self) -> Self:
        self._refuse()

    def __deepcopy__(self, memo: object) -> Self:
        self._refuse()


@dataclass(frozen=True, slots=True)
class _Cell:
    """Why a value is in no table."""

    remedy_key: str
    remedy: str


def read_responses(
    path: Path,
    mapping: ResponseMapping,
    *,
    key: bytes,
    progress: Callable[[int], None] | None = None,
    limit_bytes: int = LIMIT_BYTES,
) -> ImportedResponses:
    """Read an export by its mapping.

    Parameters
    ----------
    path : Path
        CSV or XLSX.
    key : bytes
        Of the installation: by it a file is known again.
    progress : callable
        Told the number of rows read, every 500.

    Raises
    ------
    FileUnreadable
        If the file cannot be read or lacks a column of the mapping.
    MappingBroken
        If the mapping wants to keep a name, an address, an id or a time.
    ResponsesRefused
        If any cell is in no table of the mapping: row, column, value and remedy of the first fifty.
    """
    rows = read_rows(path, limit_bytes=limit_bytes, encoding=mapping.encoding)
    if mapping.shape == LONG:
        rows = widened(rows, mapping.id_column, mapping.question_column, mapping.answer_column)
    places = _places(rows, mapping)
    identity = _identity(rows, mapping, places)
    coder = _Coder(mapping, places)
    seen: set[tuple[str, ...]] = set()
    whole: list[list[str]] = []
    duplicates = read = 0
    for number, cells in rows.numbered:
        read += 1
        if progress and read % _PROGRESS_ROWS == 0:
            progress(read)
        row = tuple(cells[place] for place in identity)
        if identity and row in seen:
            duplicates += 1
            continue
        seen.add(row)
        whole.append(cells)
        coder.take(number, cells)
    if coder.total:
        raise ResponsesRefused(tuple(coder.refused), coder.total)
    kept = set(places.values())
    return ImportedResponses(
        read - duplicates,
        coder.groups,
        coder.answers,
        duplicates=duplicates,
        dropped=tuple(name for place, name in enumerate(rows.header) if name and place not in kept),
        recoded=dict(coder.recoded),
        encoding=rows.encoding,
        sketches=sketches(rows.header, whole, *_times_and_ids(rows, mapping), key),
    )


def _places(rows: Rows, mapping: ResponseMapping) -> dict[str, int]:
    """Where each column of the mapping stands in the file."""
    names = _columns(rows, mapping.shape)
    places = {}
    for column in (*(group.column for group in mapping.groups), *(item.column for item in mapping.items)):
        place = names.get(" ".join(column.split()))
        if place is None:
            raise FileUnreadable("missing_column", column=column, columns=", ".join(h for h in rows.header if h))
        places[column] = place
    kept = [rows.header[place] for place in places.values() if _is_personal(rows.header[place], mapping.shape)]
    if kept:
        raise MappingBroken(*(f"the column {name!r} names or times a person and can never be kept" for name in kept))
    if len(set(places.values())) < len(places):
        raise MappingBroken("two entries mean the same column")
    return places


def _columns(rows: Rows, shape: str) -> dict[str, int]:
    """The place of each column by its header and, where no other column claims it, by a shorter name."""
    exact = {header: place for place, header in enumerate(rows.header) if header}
    shorter: dict[str, list[int]] = {}
    for header, place in exact.items():
        for alias in _aliases(header, shape):
            shorter.setdefault(alias, []).append(place)
    return {alias: places[0] for alias, places in shorter.items() if len(places) == 1} | exact


def _aliases(header: str, shape: str) -> list[str]:
    """Shorter names of a LimeSurvey column: ``Q1[SQ001]. Text`` is also ``Q1[SQ001]`` and ``Q1``."""
    found = _LIME_CODE.fullmatch(header) if shape == "limesurvey" else None
    if found is None or (found["rest"] and found["rest"][0] not in "[.: "):
        return []
    names = [found["code"]]
    for part in _LIME_PART.findall(found["parts"]):
        names.append(names[-1] + part)
    return [name for name in names if name != header]


def _is_personal(header: str, shape: str) -> bool:
    if shape == "limesurvey" and header.casefold().startswith(("interviewtime", "grouptime", "questiontime")):
        return True
    return any(plain(name) in PERSONAL_COLUMNS for name in (header, *_aliases(header, shape)))


def _identity(rows: Rows, mapping: ResponseMapping, places: Mapping[str, int]) -> tuple[int, ...]:
    """The columns that make two rows the same sheet sent twice.

    With an id: the id and all mapped columns. With a time only: the whole row. With neither, nothing is a duplicate,
    because two people may give the same answers.
    """
    headers = {plain(header): place for header, place in _columns(rows, mapping.shape).items()}
    wanted = [plain(mapping.id_column)] if mapping.id_column else ["id", "response id", "id risposta"]
    for name in wanted:
        if name in headers:
            return (headers[name], *sorted(places.values()))
    if mapping.id_column:
        raise FileUnreadable("missing_column", column=mapping.id_column, columns=", ".join(h for h in rows.header if h))
    return tuple(range(len(rows.header))) if _TIMES & headers.keys() else ()


def _times_and_ids(rows: Rows, mapping: ResponseMapping) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Columns that time a row, and those that number it or name a person."""
    named = [(place, plain(header)) for place, header in enumerate(rows.header)]
    times = tuple(place for place, name in named if name in _TIMES)
    ids = tuple(
        place
        for place, name in named
        if place not in times and (name in PERSONAL_COLUMNS or name == plain(mapping.id_column or ""))
    )
    return times, ids


class _Coder:
    """Turns cells into codes, column by column, and keeps what it could not turn."""

    def __init__(self, mapping: ResponseMapping, places: Mapping[str, int]) -> None:
        self.missing = frozenset(mark.casefold() for mark in mapping.missing)
        self.refused: list[RefusedRow] = []
        self.total = 0
        self.recoded: Counter[str] = Counter()
        self.groups: dict[str, list[str]] = {group.name: [] for group in mapping.groups}
        self.answers: dict[str, list[int]] = {}
        self._groups = [(group, places[group.column], _folded(group.recode)) for group in mapping.groups]
        self._items = [(item, places[item.column], _table(item)) for item in mapping.items]
        for item in mapping.items:
            self.answers |= {name: [] for name in _names(item)}

    def take(self, number: int, cells: list[str]) -> None:
        """Code one row."""
        for group, place, table in self._groups:
            found = self._group(group, table, cells[place])
            if isinstance(found, _Cell):
                self._note(number, group.column, cells[place], found)
            else:
                self.recoded[group.column] += bool(cells[place]) and found != cells[place]
                self.groups[group.name].append(found)
        for item, place, table_ in self._items:
            codes = self._item(item, table_, cells[place])
            if isinstance(codes, _Cell):
                self._note(number, item.column, cells[place], codes)
                continue
            self.recoded[item.column] += bool(cells[place]) and [str(code) for code in codes] != [cells[place]]
            for name, code in zip(_names(item), codes, strict=True):
                self.answers[name].append(code)

    def _note(self, number: int, column: str, value: str, why: _Cell) -> None:
        self.total += 1
        if len(self.refused) < MOST_SHOWN:
            self.refused.append(RefusedRow(number, column, value[:60], why.remedy_key, why.remedy))

    def _group(self, group: GroupMapping, table: Mapping[str, str], value: str) -> str | _Cell:
        code = _look_up(table, value)
        if code is not None:
            return code
        if value.casefold() in self.missing:
            return ""
        number = whole(value)
        if group.ranges and number and len(number) < 12:
            for span in group.ranges:
                if span.low <= int(number) <= span.high:
                    return span.code
        if group.other is not None:
            return group.other
        return _Cell("group_value", f"Add it to [groups.{group.name}] recode, or give that group an 'other'.")

    def _item(self, item: ItemMapping, table: Mapping[str, int], value: str) -> list[int] | _Cell:
        width = len(_names(item))
        code = _look_up(table, value)
        if code is None and value.casefold() in self.missing:
            code = SKIPPED
        if code is not None:
            return [code] * width
        chosen = _options(item, value) if item.options else None
        if chosen is not None:
            return [int(option in chosen) for option in item.options]
        if item.options:
            return _Cell("option_value", f"Add every option to [items.{item.name}] options.")
        return _Cell(
            "item_value", f"Add it to [items.{item.name}] recode, dont_know or prefer_not, or to [file] missing."
        )


def _names(item: ItemMapping) -> list[str]:
    """The columns an item becomes."""
    return [f"{item.name}.{code}" for code in item.options.values()] if item.options else [item.name]


def _folded[T](table: Mapping[str, T]) -> dict[str, T]:
    """The table with a second way in that does not mind capitals; exact writing wins."""
    return {value.strip().casefold(): code for value, code in table.items()} | {v.strip(): c for v, c in table.items()}


def _table(item: ItemMapping) -> dict[str, int]:
    numbers = {} if item.recode or item.options else {str(code): code for code in range(item.low, item.high + 1)}
    specials = dict.fromkeys(item.dont_know, DONT_KNOW) | dict.fromkeys(item.prefer_not, PREFER_NOT)
    return _folded(numbers | dict(item.recode) | specials)


def _look_up[T](table: Mapping[str, T], value: str) -> T | None:
    """As it is written, else whatever its capitals, else as a whole number: "2.0" is 2."""
    ways = (value, value.casefold(), whole(value))
    return next((found for way in ways if way and (found := table.get(way)) is not None), None)


def _options(item: ItemMapping, value: str) -> frozenset[str] | None:
    """The options named in one cell. Labels may hold commas themselves: the longest that fits is taken first."""
    labels = sorted(item.options, key=len, reverse=True)
    rest, chosen = value.strip().strip(";,").strip(), set()
    while rest:
        label = next((text for text in labels if rest.casefold().startswith(text.casefold())), None)
        if label is None:
            return None
        chosen.add(label)
        rest = rest[len(label) :]
        if rest:
            parted = _OPTION_BREAK.match(rest)
            if not parted:
                return None
            rest = rest[parted.end() :]
    return frozenset(chosen)
