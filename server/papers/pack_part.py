"""What a part of the audit pack is: its files, what is absent or cannot be believed, and the tables that the paper prints of it.

Another part is one function that gives a `Part`, a line in `server.papers.pack.PARTS`, and its sentences.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from server.frame.texts import say
from server.papers.plain import plain

CELL = 400
"""So many letters of a typed text are printed; the file has all of them."""


@dataclass(frozen=True, slots=True)
class About:
    """For whom a pack is made: the folder of keys, the day, and the language of its paper and tables.

    whole : False for a page that only says what would be in it: then no table is made and no document is read.
    """

    data: Path
    day: date
    language: str
    whole: bool = True

    def say(self, key: str, /, **values: object) -> str:
        """A sentence of the pack."""
        return say(self.language, f"pack.{key}", **values)


@dataclass(frozen=True, slots=True)
class Gap:
    """Something that is absent, or broken: of which part, what exactly, and the key of the reason."""

    part: str
    reason: str
    what: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A table of the paper: columns with their share of the width, and rows of text. `note` stands below."""

    title: str
    heads: tuple[str, ...]
    widths: tuple[int, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Chapter:
    """A part as it is printed: what it is, where its files lie, and its tables; `lines` are said where there is no table."""

    title: str
    lead: str
    where: str
    tables: tuple[Table, ...] = ()
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Kept:
    """A file that is read when it is written: its name in the pack, its document, its SHA-256 and size.

    line : of the register that it belongs to; 0 of a document of the evidence.
    """

    name: str
    document: str
    sha256: str
    size: int
    line: int = 0


@dataclass(frozen=True, slots=True)
class Part:
    """All that one part adds to a pack."""

    files: tuple[tuple[str, bytes], ...] = ()
    kept: tuple[Kept, ...] = ()
    left_out: tuple[Kept, ...] = ()
    absent: tuple[Gap, ...] = ()
    broken: tuple[Gap, ...] = ()
    chapters: tuple[Chapter, ...] = field(default=())


def row(*cells: str) -> tuple[str, ...]:
    """A row whose texts people may have typed."""
    return tuple(plain(cell, CELL) for cell in cells)


def table(
    about: About, name: str, columns: Sequence[str], widths: Sequence[int], rows: Sequence[tuple[str, ...]]
) -> tuple[Table, ...]:
    """A table with the headings ``pack.head.*``; none where it has no row."""
    heads = tuple(about.say(f"head.{column}") for column in columns)
    return (Table(about.say(f"table.{name}"), heads, tuple(widths), tuple(rows)),) if rows else ()
