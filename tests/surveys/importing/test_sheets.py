"""Files as people really save them: each is read, or refused for one reason that says what to do."""

import csv
import io
import zipfile
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Protocol

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surveys.importing.sheets import LIMIT_BYTES, FileUnreadable, Numbered, read_rows

type Sheet = tuple[str, Sequence[Sequence[str | float | date | None]]]


class WriteFile(Protocol):
    def __call__(self, content: bytes | str, name: str = ...) -> Path: ...


class WriteBook(Protocol):
    def __call__(self, *sheets: Sheet) -> Path: ...


def rows_of(path: Path) -> tuple[tuple[str, ...], list[Numbered]]:
    rows = read_rows(path)
    return rows.header, list(rows.numbered)


def reason(path: Path, *, limit_bytes: int = LIMIT_BYTES) -> str:
    with pytest.raises(FileUnreadable) as refused:
        list(read_rows(path, limit_bytes=limit_bytes).numbered)
    return refused.value.reason


@pytest.fixture
def file(tmp_path: Path) -> WriteFile:
    def write(content: bytes | str, name: str = "staff.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


@pytest.fixture
def book(tmp_path: Path) -> WriteBook:
    def write(*sheets: Sheet) -> Path:
        made = openpyxl.Workbook()
        first = made.active
        assert first is not None
        made.remove(first)
        for name, rows in sheets:
            sheet = made.create_sheet(name)
            for row in rows:
                sheet.append(row)
        path = tmp_path / "staff.xlsx"
        made.save(path)
        return path

    return write


EXPECTED = (("nome", "città"), [(2, ["Ada, prima", "Forlì"]), (4, ["Ugo", ""])])


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"])
def test_a_csv_is_read_whatever_wrote_it(file: WriteFile, delimiter: str, encoding: str) -> None:
    text = f'nome{delimiter}città\r\n"Ada, prima"{delimiter}Forlì \r\n\r\nUgo{delimiter}\r\n'
    assert rows_of(file(text.encode(encoding))) == EXPECTED


def test_windows_letters_are_guessed_and_said_to_be(file: WriteFile) -> None:
    rows = read_rows(file("nome;città\nUgo;Forlì\n".encode("cp1252")))
    assert (rows.encoding, rows.encoding_guessed) == ("cp1252", True)
    assert not read_rows(file("nome;città\nUgo;Forlì\n")).encoding_guessed


def test_the_separator_line_of_spreadsheets_is_obeyed_and_counted(file: WriteFile) -> None:
    assert rows_of(file("sep=;\nnome;via\nAda;Roma, 3\n")) == (("nome", "via"), [(3, ["Ada", "Roma, 3"])])


def test_a_line_break_inside_a_cell_is_one_row(file: WriteFile) -> None:
    assert rows_of(file('nome,nota\nAda,"uno\ndue"\nUgo,tre\n'))[1] == [(2, ["Ada", "uno\ndue"]), (3, ["Ugo", "tre"])]


cells = st.text(st.characters(blacklist_categories=("Cs", "Cc")), max_size=12).map(str.strip)


@given(st.lists(st.tuples(cells, cells, cells).filter(any), min_size=1, max_size=8), st.sampled_from(",;\t"))
@settings(max_examples=80, deadline=None)
def test_what_a_csv_writer_wrote_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str, str]], delimiter: str
) -> None:
    written = io.StringIO(newline="")
    writer = csv.writer(written, delimiter=delimiter, quoting=csv.QUOTE_ALL)
    writer.writerow(["uno", "due", "tre"])
    writer.writerows(rows)
    path = tmp_path_factory.mktemp("csv") / "a.csv"
    path.write_text(f"sep={delimiter}\r\n" + written.getvalue(), newline="", encoding="utf-8")
    assert [tuple(row) for _, row in rows_of(path)[1]] == rows


def test_a_workbook_is_read_with_its_dates_numbers_and_gaps(book: WriteBook) -> None:
    path = book(("Foglio1", [["nome", "nata il", "numero"], ["Ada", date(1985, 3, 27), 3.0], [], ["Ugo", None, 2.5]]))
    assert rows_of(path) == (("nome", "nata il", "numero"), [(2, ["Ada", "1985-03-27", "3"]), (4, ["Ugo", "", "2.5"])])


def test_the_first_sheet_with_something_in_it_is_read(book: WriteBook) -> None:
    assert rows_of(book(("vuoto", []), ("dati", [["nome"], ["Ada"]])))[1] == [(2, ["Ada"])]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "empty"),
        (b"\xef\xbb\xbf \r\n\r\n", "empty"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0", "binary"),
        (b"%PDF-1.7\n\x01\x02\x03\n", "binary"),
        (bytes.fromhex("d0cf11e0a1b11ae1") + bytes(100), "old_excel"),
        (b"PK\x03\x04 cut off", "truncated"),
        (b"ada@coop.it,Ada\nugo@coop.it,Ugo\n", "no_header"),
        (b"1,2,3\n4,5,6\n", "no_header"),
        (b"nome,servizio\n", "no_rows"),
        (b"nome,Nome\nAda,Rossi\n", "duplicate_header"),
        (b"nome,servizio\nRossi, Ada,Nido\n", "wide_row"),
        (b'nome,servizio\n"Ada,Nido\nUgo,Nido\n', "damaged"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(file: WriteFile, content: bytes, expected: str) -> None:
    assert reason(file(content)) == expected


def test_a_file_that_is_not_there_or_too_large_is_refused_with_its_size(file: WriteFile, tmp_path: Path) -> None:
    assert reason(tmp_path / "nobody.csv") == "missing"
    with pytest.raises(FileUnreadable, match="has 2 MB; at most 1 MB"):
        read_rows(file(b"nome\n" + b"a\n" * 1_000_000), limit_bytes=1024 * 1024)


def test_a_workbook_that_unpacks_without_end_is_refused(file: WriteFile) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", bytes(20_000_000))
    assert reason(file(packed.getvalue(), "a.xlsx"), limit_bytes=1024 * 1024) == "bomb"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("part", ["xl/workbook.xml", "xl/sharedStrings.xml", "xl/worksheets/sheet1.xml"])
def test_a_workbook_with_a_dtd_is_refused_before_it_is_read(
    file: WriteFile, book: WriteBook, part: str, encoding: str
) -> None:
    dtd = f'<?xml version="1.0" encoding="{encoding}"?><!-- {"x" * 9000} --><!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'
    packed = io.BytesIO()
    with zipfile.ZipFile(book(("dati", [["nome"], ["Ada"]]))) as whole, zipfile.ZipFile(packed, "w") as archive:
        for name in {*whole.namelist(), part}:
            archive.writestr(name, dtd.encode(encoding) if name == part else whole.read(name))
    assert reason(file(packed.getvalue(), "a.xlsx")) == "dtd"


def test_a_workbook_that_was_cut_off_and_an_archive_that_is_none_are_refused(file: WriteFile, book: WriteBook) -> None:
    whole = book(("dati", [["nome"], ["Ada"]])).read_bytes()
    assert reason(file(whole[: len(whole) // 2], "b.xlsx")) == "truncated"
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("word/document.xml", "<x/>")
    assert reason(file(packed.getvalue(), "c.xlsx")) == "binary"


@given(st.binary(max_size=400))
@settings(max_examples=150, deadline=None)
def test_no_bytes_at_all_make_the_reader_fail_in_another_way(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = tmp_path_factory.mktemp("any") / "a.csv"
    for attempt in (content, b"PK\x03\x04" + content):
        path.write_bytes(attempt)
        try:
            list(read_rows(path).numbered)
        except FileUnreadable:
            continue


def _with_part(path: Path, name: str, old: bytes, new: bytes) -> bytes:
    """A workbook one part of which says something else."""
    out = io.BytesIO()
    with zipfile.ZipFile(path) as parts, zipfile.ZipFile(out, "w") as written:
        for part in parts.namelist():
            content = parts.read(part)
            assert part != name or old in content
            written.writestr(part, content.replace(old, new) if part == name else content)
    return out.getvalue()


@pytest.mark.parametrize(
    ("part", "old", "new"),
    [
        ("xl/worksheets/sheet1.xml", b't="inlineStr"><is><t>Ada</t></is>', b't="s"><v>99999</v>'),
        ("xl/styles.xml", b"<sz ", b"<sz-"),
        ("xl/workbook.xml", b"<workbook", b"workbook"),
        ("xl/styles.xml", b'val="11"', b'val="x"'),
    ],
)
def test_a_damaged_part_of_a_workbook_is_said_to_be_damaged_and_not_to_be_too_heavy(
    file: WriteFile, book: WriteBook, part: str, old: bytes, new: bytes
) -> None:
    """Before, whoever had half a download was told that it "takes too much time or memory", and took rows away from it."""
    whole = book(("dati", [["nome", "città"], ["Ada", "Forlì"]]))
    assert reason(file(_with_part(whole, part, old, new), "b.xlsx")) == "truncated"


def test_bytes_that_flipped_inside_a_workbook_are_damage(file: WriteFile, book: WriteBook) -> None:
    whole = book(("dati", [["nome", "città"], *(["Ada", str(n)] for n in range(500))])).read_bytes()
    begin = whole.index(b"xl/worksheets/sheet1.xml") + 200
    for at in range(begin, begin + 300, 20):
        flipped = whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :]
        assert reason(file(flipped, "b.xlsx")) == "truncated"


def test_a_row_numbered_higher_than_any_sheet_has_is_refused_and_not_counted_up_to(
    file: WriteFile, book: WriteBook
) -> None:
    """Done from outside: five kilobytes took a processor for three quarters of a minute."""
    whole = book(("dati", [["nome", "città"], ["Ada", "Forlì"]]))
    made = _with_part(whole, "xl/worksheets/sheet1.xml", b'<row r="2"', b'<row r="99999999999"')
    assert reason(file(made, "b.xlsx")) == "long"


@pytest.mark.parametrize("sign", ['"', "\r"])
def test_a_separator_that_can_part_nothing_is_no_fault(file: WriteFile, sign: str) -> None:
    header, _ = rows_of(file(f"sep={sign}\r\nnome;città\r\nAda;Forlì\r\n"))
    assert header[0].startswith("sep=")
