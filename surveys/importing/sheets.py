"""A CSV or XLSX file as a header and rows of text, or one clear reason why it cannot be read."""

import codecs
import csv
import io
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from itertools import islice
from pathlib import Path
from typing import Any
from xml.parsers import expat

LIMIT_BYTES = 50 * 1024 * 1024
_UNPACKED = 6
"""An XLSX file may unpack to this many times the limit; more is no survey."""
_DELIMITERS = ",;\t|"
_SAMPLE_ROWS = 50
_OLD_EXCEL = bytes.fromhex("d0cf11e0a1b11ae1")
_SEPARATOR_LINE = re.compile(r'^"?sep=([^"\r\n])"?\r?\n', re.IGNORECASE)
_DAMAGED = (
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    zipfile.BadZipFile,
    zlib.error,
)
"""What a damaged workbook can end in: its packing, its XML, or a cell that speaks of a text that is not there."""
_MOST_LINES = 1_048_576
"""So many rows a sheet of any spreadsheet program has. One that numbers a row higher would be read for minutes, row by row."""
_NUMBER = re.compile(r"[-+]?\d+([.,]\d+)?")

type Numbered = tuple[int, list[str]]

_MESSAGES = {
    "missing": "There is no file {name}.",
    "empty": "The file is empty.",
    "too_large": "The file has {size_mb} MB; at most {limit_mb} MB can be read.",
    "binary": "This is neither a CSV nor an XLSX file.",
    "old_excel": "This is an old .xls file or one with a password. Save it as .xlsx or CSV, without a password.",
    "truncated": "The file is damaged or was cut off. Save or download it again.",
    "bomb": "The file unpacks to {size_mb} MB; at most {limit_mb} MB can be read.",
    "long": "The file has more than {limit} rows or cells. Keep the rows and columns that are needed alone.",
    "heavy": "The file takes too much time or memory to read. Save it anew with the rows and columns that are needed alone.",
    "dtd": "The workbook declares entities of its own, as no spreadsheet program does. Save it anew as XLSX or CSV.",
    "damaged": "Row {row} cannot be read: a quotation mark is not closed, or stands in the wrong place.",
    "encoding": "The file is not written in {encoding}.",
    "no_header": "The first row must name the columns.",
    "no_rows": "Below the column names there is no row.",
    "duplicate_header": "Two columns are named {column}.",
    "wide_row": "Row {row} has {found} cells, the header {expected}. A separator inside a text needs quotation marks.",
    "long_row": "Row {row} says nothing in {column}: in the long shape each row needs a sheet and a question.",
    "long_clash": "Row {row} says another thing in {column} than an earlier row of the same sheet.",
    "missing_column": "There is no column {column}. Columns found: {columns}.",
}


class FileUnreadable(Exception):
    """The file as a whole cannot be used. `reason` is a key that pages translate, `params` fill its sentence."""

    def __init__(self, reason: str, **params: str | int) -> None:
        super().__init__(_MESSAGES[reason].format(**params))
        self.reason, self.params = reason, params


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """One cell that is not right. `row` counts as a spreadsheet does; `remedy_key` names the remedy for translation."""

    row: int
    column: str
    value: str
    remedy_key: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Rows:
    """What a file holds. `numbered` can be gone through once; every row is as wide as the header, cells stripped.

    `encoding_guessed` is true where the file is no UTF-8 and Western European letters were assumed: check accents.
    """

    header: tuple[str, ...]
    numbered: Iterator[Numbered]
    encoding: str
    encoding_guessed: bool = False


def read_rows(
    path: Path, *, limit_bytes: int = LIMIT_BYTES, encoding: str = "", unpacked: int = _UNPACKED * LIMIT_BYTES
) -> Rows:
    """Read a CSV (comma, semicolon, tab; UTF-8, UTF-16 or Windows letters) or the first filled sheet of an XLSX file.

    Parameters
    ----------
    limit_bytes : int
        Largest file that is read.
    encoding : str
        Encoding of a CSV, "" to find it.
    unpacked : int
        Bytes that a workbook may unpack to.

    Raises
    ------
    FileUnreadable
        Here, or while the rows are gone through.
    """
    try:
        size = path.stat().st_size
        if size > limit_bytes:
            raise FileUnreadable("too_large", size_mb=_megabytes(size), limit_mb=_megabytes(limit_bytes))
        content = path.read_bytes()
    except (FileNotFoundError, IsADirectoryError) as problem:
        raise FileUnreadable("missing", name=path.name) from problem
    if not content.strip(b"\0 \t\r\n" + codecs.BOM_UTF8 + codecs.BOM_UTF16_LE):
        raise FileUnreadable("empty")
    if content.startswith(_OLD_EXCEL):
        raise FileUnreadable("old_excel")
    if content.startswith(b"PK"):
        return _with_header(_xlsx_rows(content, min(unpacked, _UNPACKED * limit_bytes)), "xlsx", guessed=False)
    text, found, guessed = _decode(content, encoding)
    return _with_header(_csv_rows(text), found, guessed=guessed)


def _megabytes(size: int) -> int:
    return -(-size // (1024 * 1024))


def _with_header(rows: Iterator[Numbered], encoding: str, *, guessed: bool) -> Rows:
    first = next(rows, None)
    if first is None:
        raise FileUnreadable("empty")
    header = [" ".join(name.split()) for name in first[1]]
    while header and not header[-1]:
        header.pop()
    filled = [name for name in header if name]
    if not filled or any("@" in name for name in filled) or all(_NUMBER.fullmatch(name) for name in filled):
        raise FileUnreadable("no_header")
    seen: set[str] = set()
    for name in filled:
        if name.casefold() in seen:
            raise FileUnreadable("duplicate_header", column=name)
        seen.add(name.casefold())
    second = next(rows, None)
    if second is None:
        raise FileUnreadable("no_rows")
    return Rows(tuple(header), _fitted(second, rows, len(header)), encoding, guessed)


def _fitted(first: Numbered, rows: Iterator[Numbered], width: int) -> Iterator[Numbered]:
    """Make every row as wide as the header; cells beyond it may only be empty."""

    def fit(row: Numbered) -> Numbered:
        number, cells = row
        if any(cells[width:]):
            raise FileUnreadable("wide_row", row=number, found=len(cells), expected=width)
        return number, cells[:width] + [""] * (width - len(cells))

    yield fit(first)
    yield from map(fit, rows)


def _decode(content: bytes, wanted: str) -> tuple[str, str, bool]:
    """The text, its encoding, and whether that was a guess."""
    if wanted:
        try:
            return content.decode(wanted).removeprefix("\ufeff"), wanted, False
        except (UnicodeDecodeError, LookupError) as problem:
            raise FileUnreadable("encoding", encoding=wanted) from problem
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return _checked(content, "utf-16"), "utf-16", False
    even, odd = content[0:4096:2].count(0), content[1:4096:2].count(0)
    if max(even, odd) > len(content[:4096]) // 5 and min(even, odd) == 0:  # plain letters leave every second byte zero
        name = "utf-16-le" if odd else "utf-16-be"
        return _checked(content, name), name, False
    if b"\0" in content:
        raise FileUnreadable("binary")
    try:
        text, name, guessed = content.decode("utf-8-sig"), "utf-8", False
    except UnicodeDecodeError:
        try:
            text, name, guessed = content.decode("cp1252"), "cp1252", True
        except UnicodeDecodeError:
            text, name, guessed = content.decode("latin-1"), "latin-1", True
    if any(ord(letter) < 32 and letter not in "\t\r\n\x0b\x0c" for letter in text[:65536]):
        raise FileUnreadable("binary")
    return text, name, guessed


def _checked(content: bytes, name: str) -> str:
    try:
        return content.decode(name).removeprefix("\ufeff")
    except UnicodeDecodeError as problem:
        raise FileUnreadable("truncated") from problem


def _csv_rows(text: str) -> Iterator[Numbered]:
    skipped = _SEPARATOR_LINE.match(text)  # spreadsheets write and obey a first line "sep=;"
    delimiter = skipped[1] if skipped else _delimiter(text)
    reader = csv.reader(
        io.StringIO(text[skipped.end() :] if skipped else text, newline=""), delimiter=delimiter, strict=True
    )
    number = 1 if skipped else 0
    try:
        for cells in reader:
            number += 1
            stripped = [cell.strip() for cell in cells]
            if any(stripped):
                yield number, stripped
    except csv.Error as problem:
        raise FileUnreadable("damaged", row=number + 1) from problem


def _delimiter(text: str) -> str:
    """The delimiter with which most rows are as wide as the header; of equals the one that gives more columns."""
    best, best_merit = ",", (0.0, 1)
    for delimiter in _DELIMITERS:
        try:
            rows = [
                row
                for row in islice(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), _SAMPLE_ROWS)
                if row
            ]
        except csv.Error:
            continue
        if rows and len(rows[0]) > 1:
            merit = (sum(len(row) == len(rows[0]) for row in rows) / len(rows), len(rows[0]))
            if merit > best_merit:
                best, best_merit = delimiter, merit
    return best


def _xlsx_rows(content: bytes, limit: int) -> Iterator[Numbered]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            unpacked = sum(member.file_size for member in archive.infolist())
            if unpacked > limit:
                raise FileUnreadable("bomb", size_mb=_megabytes(unpacked), limit_mb=_megabytes(limit))
            if "xl/workbook.xml" not in archive.namelist():
                raise FileUnreadable("binary")
            if any(_declares_entities(archive, name) for name in archive.namelist()):
                raise FileUnreadable("dtd")
        import openpyxl  # loaded when somebody imports a workbook: a start does not need it

        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True, keep_links=False)
    except _DAMAGED as problem:
        raise FileUnreadable("truncated") from problem
    return _first_filled(book.worksheets)


def _declares_entities(archive: zipfile.ZipFile, name: str) -> bool:
    """Whether a part of a workbook begins with a DTD, which could make it grow without end; no program writes one."""
    found: list[str] = []
    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = lambda *_: found.append("dtd")
    parser.StartElementHandler = lambda *_: found.append("root")
    with archive.open(name) as part:
        while not found:
            piece = part.read(4096)
            try:
                parser.Parse(piece, not piece)
            except expat.ExpatError:
                break  # a picture, or damaged: whoever reads it will say so
            if not piece:
                break
    return found[:1] == ["dtd"]


def _first_filled(sheets: Iterable[Any]) -> Iterator[Numbered]:
    for sheet in sheets:
        if getattr(sheet, "sheet_state", "visible") != "visible":
            continue
        found = False
        try:
            sheet.reset_dimensions()  # the size some programs write is wrong
            for number, cells in enumerate(sheet.iter_rows(values_only=True), start=1):
                if number > _MOST_LINES:
                    raise FileUnreadable("long", limit=_MOST_LINES)
                stripped = [_text(cell) for cell in cells]
                if any(stripped):
                    found = True
                    yield number, stripped
        except _DAMAGED as problem:
            raise FileUnreadable("truncated") from problem
        if found:
            return


def _text(cell: object) -> str:
    match cell:
        case None:
            return ""
        case bool():
            return "TRUE" if cell else "FALSE"
        case float() if cell.is_integer():
            return str(int(cell))
        case datetime() if cell.time() == time():
            return cell.date().isoformat()
        case date() | time():
            return cell.isoformat()
        case _:
            return str(cell).strip()
