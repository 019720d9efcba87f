"""A first mapping from a file's headings and values: what is sure is written, what is not is marked, what names a person is dropped.

It is a beginning that somebody reads and corrects; `mapping.read_mapping` holds it to the same rules as one written by hand.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from surveys.importing.mapping import SHAPES
from surveys.importing.sheets import LIMIT_BYTES, Rows, read_rows
from surveys.importing.words import AGE_BANDS, PERSONAL_COLUMNS, SCALES, column_of, gender_of, plain, slug, whole
from surveys.importing.words import DONT_KNOW as UNSURE
from surveys.importing.words import PREFER_NOT as UNSAID

MOST_VALUES = 12
"""A column of more different values is no question with given answers, and too fine for a group."""
LONGEST_SCALE = 11
MOST_AGE = 120
SHORT = 40
"""A name of a group or an item has so many letters at most."""
NUMBERS = ("id", "response id", "id risposta", "rownames")
"""Headings of a column that numbers the rows: it tells a sheet sent twice from two equal ones."""
MISSING = frozenset({"", "na", "n a", "n d", "nan", "null", "none", "missing"})


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a file: its heading, and how often each value stands in it; marks of a missing answer are left out."""

    header: str
    values: Counter[str]
    rows: int

    @property
    def numbers(self) -> list[int] | None:
        """The values as whole numbers in their order; None where one is none."""
        found = [whole(value) for value in self.values]
        return sorted(int(value) for value in found if value) if all(found) else None


def draft(path: Path, wave: str, *, limit_bytes: int = LIMIT_BYTES) -> str:
    """Read a file and write a mapping for it, as TOML with a comment at each guess.

    Parameters
    ----------
    path : CSV or XLSX
    wave : the id that the imported wave shall have
    limit_bytes : larger files are refused

    Raises
    ------
    FileUnreadable
        If the file cannot be used at all.
    """
    rows = read_rows(path, limit_bytes=limit_bytes)
    columns, marks = _columns(rows)
    names: set[str] = set()
    groups: list[str] = []
    items: list[str] = []
    dropped: list[str] = []
    for column in columns:
        written = _group(column, names) or _item(column, names)
        if written is None:
            dropped.append(column.header)
        else:
            (groups if written.startswith("[groups") else items).append(written)
    head = [
        "# A draft: read it line by line. Lines with CHECK are guesses. docs/importing.md explains each part.",
        "",
        "[wave]",
        f"id = {_text(wave)}",
        f"title = {_text(wave)}  # CHECK",
        "opened = 2000-01-01  # CHECK: the day it was opened",
        "closed = 2000-01-31  # CHECK: the day it was closed",
        "",
        "[file]",
        f"shape = {_text(SHAPES[0])}",
        f"missing = {_list(sorted(marks))}",
        *(f"id = {_text(column.header)}" for column in columns if plain(column.header) in NUMBERS),
        "# Never kept: names, times, free texts, and whatever else is not mapped.",
        f"drop = {_list(dropped)}",
        'on_bad_row = "refuse"',
        "",
    ]
    return "\n".join([*head, *groups, *items])


def _columns(rows: Rows) -> tuple[list[Column], set[str]]:
    counts: list[Counter[str]] = [Counter() for _ in rows.header]
    marks: set[str] = set()
    read = 0
    for _, cells in rows.numbered:
        read += 1
        for place, cell in enumerate(cells):
            if plain(cell) in MISSING:
                marks |= {cell} if cell else set()
            elif len(counts[place]) <= MOST_AGE + 1:
                counts[place][cell] += 1
    found = [Column(header, counts[place], read) for place, header in enumerate(rows.header) if header]
    return found, marks


def _is_dropped(column: Column) -> bool:
    """Whether a column names or numbers a person, or says nothing."""
    name = plain(column.header)
    return name in PERSONAL_COLUMNS or name in NUMBERS or len(column.values) < 2


def _group(column: Column, names: set[str]) -> str | None:
    """A dimension: gender, an age, or a few short texts that are no scale of answers."""
    if _is_dropped(column):
        return None
    kind, numbers = column_of(column.header), column.numbers
    if kind == "gender" and len(column.values) <= MOST_VALUES:
        known = {value: gender_of(value) for value in column.values}
        lines = [
            f"{_text(value)} = {_text(code or '')}{'' if code else '  # CHECK: f, m, nb, or nothing'}"
            for value, code in known.items()
        ]
        return _table("groups", _free("gender", names), column, [], "recode", lines)
    if kind == "age" and numbers and 0 <= numbers[0] and numbers[-1] <= MOST_AGE:
        spans = ", ".join(f'{{ low = {low}, high = {high}, code = "{code}" }}' for code, low, high in AGE_BANDS)
        return _table("groups", _free("age", names), column, [f"ranges = [{spans}]"], "", [])
    if (
        numbers is not None
        or len(column.values) > MOST_VALUES
        or _scale_of(column)
        or max(map(len, column.values)) > SHORT
    ):
        return None
    key = (
        "unit"
        if kind in ("territory", "service", "unit") and "unit" not in names
        else slug(column.header).replace("-", "_")
    )
    lines = [f"{_text(value)} = {_text(code)}" for value, code in _codes(column)]
    return _table("groups", _free(key, names), column, ["# CHECK: a group of people, or a question?"], "recode", lines)


def _codes(column: Column) -> Iterator[tuple[str, str]]:
    taken: set[str] = set()
    for value in sorted(column.values):
        yield value, _free(slug(value).replace("-", "_") or "v", taken)


def _item(column: Column, names: set[str]) -> str | None:
    """A question: whole numbers of a short scale, or words of a known one."""
    if _is_dropped(column):
        return None
    numbers, scale = column.numbers, _scale_of(column)
    if numbers and 0 <= numbers[0] and numbers[-1] < LONGEST_SCALE:
        low, high = (1, 5) if numbers[0] >= 1 and numbers[-1] <= 5 else (numbers[0], numbers[-1])
        more = [f"low = {low}  # CHECK", f"high = {high}  # CHECK"]
        return _table("items", _free(slug(column.header).replace("-", "_"), names), column, more, "", [])
    if scale is None:
        return None
    places = {word: place for place, word in enumerate(scale, start=0 if len(scale) == 2 else 1)}
    answers = [value for value in column.values if plain(value) in places]
    unsure = [value for value in column.values if plain(value) in UNSURE]
    unsaid = [value for value in column.values if plain(value) in UNSAID]
    more = [
        f"low = {min(places.values())}",
        f"high = {max(places.values())}",
        "# CHECK: reverse = true where agreeing is bad",
    ]
    more += [f"dont_know = {_list(unsure)}"] if unsure else []
    more += [f"prefer_not = {_list(unsaid)}"] if unsaid else []
    lines = [
        f"{_text(value)} = {places[plain(value)]}" for value in sorted(answers, key=lambda value: places[plain(value)])
    ]
    return _table("items", _free(slug(column.header).replace("-", "_"), names), column, more, "recode", lines)


def _scale_of(column: Column) -> Sequence[str] | None:
    """The known scale of answers whose words these are, beside "do not know" and "prefer not to say"."""
    words = {plain(value) for value in column.values} - UNSURE - UNSAID
    return next((scale for scale in SCALES if words and words <= set(scale)), None)


def _free(name: str, taken: set[str]) -> str:
    """A name that nothing else has; it is taken from now on."""
    stem = name[:SHORT].strip("_") or "q"
    found, number = stem, 2
    while found in taken:
        found, number = f"{stem[: SHORT - 4]}_{number}", number + 1
    taken.add(found)
    return found


def _table(family: str, name: str, column: Column, more: list[str], inner: str, lines: list[str]) -> str:
    said: Callable[[str], str] = _text
    label = "title" if family == "groups" else "text"
    found = [
        f"[{family}.{name}]",
        f"column = {said(column.header)}",
        f"{label} = {said(column.header)}  # CHECK",
        *more,
    ]
    if lines:
        found += [f"[{family}.{name}.{inner}]", *lines]
    return "\n".join([*found, ""])


def _text(value: str) -> str:
    """A TOML string: its escapes are those of JSON."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _list(values: Sequence[str]) -> str:
    return f"[{', '.join(_text(value) for value in values)}]"
