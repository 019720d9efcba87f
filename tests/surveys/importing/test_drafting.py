"""A first mapping from a file: what is sure is there, what names a person is not, and the reader of mappings takes it as it is."""

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.command.imported import draft_mapping
from surveys.importing.drafting import draft
from surveys.importing.mapping import ResponseMapping, read_mapping
from surveys.importing.responses import read_responses
from surveys.importing.sheets import FileUnreadable
from surveys.importing.words import whole

KEY = bytes(32)


def _written(folder: Path, header: list[str], rows: list[list[str]]) -> Path:
    text = io.StringIO()
    csv.writer(text).writerows([header, *rows])
    path = folder / "export.csv"
    path.write_text(text.getvalue(), encoding="utf-8")
    return path


def _drafted(folder: Path, path: Path) -> ResponseMapping:
    mapping = folder / "mapping.toml"
    mapping.write_text(draft(path, "prova"), encoding="utf-8")
    return read_mapping(mapping)


HEADER = [
    "Nome",
    "Genere",
    "Età",
    "Reparto",
    "Qui mi ascoltano",
    "Dopo il turno riposo",
    "Note",
    "Data e ora",
    "Sempre uguale",
]


def _row(n: int) -> list[str]:
    person = [f"Persona {n}", "fm"[n % 2], str(20 + n), ("Cucina", "Casa, giardino")[n % 2]]
    answers = [["1", "2.0", "5,0", "NA"][n % 4], ["Mai", "Spesso", "Sempre", "Non so"][n % 4]]
    return [*person, *answers, f"testo libero numero {n}", f"2026-01-{n + 1:02d} 10:00", "x"]


ROWS = [_row(n) for n in range(24)]


def test_a_file_is_mapped_and_then_read_as_it_is(tmp_path: Path) -> None:
    path = _written(tmp_path, HEADER, ROWS)
    mapping = _drafted(tmp_path, path)
    assert {(group.name, group.column) for group in mapping.groups} == {
        ("gender", "Genere"),
        ("age", "Età"),
        ("reparto", "Reparto"),
    }
    items = {item.column: item for item in mapping.items}
    assert set(items) == {"Qui mi ascoltano", "Dopo il turno riposo"}
    assert (items["Qui mi ascoltano"].low, items["Qui mi ascoltano"].high) == (1, 5)
    assert dict(items["Dopo il turno riposo"].recode) == {"Mai": 1, "Spesso": 4, "Sempre": 5}
    assert items["Dopo il turno riposo"].dont_know == ("Non so",)
    assert "NA" in mapping.missing
    found = read_responses(path, mapping, key=KEY)
    name = items["Qui mi ascoltano"].name
    assert found.answers[name][:4] == [1, 2, 5, -1]
    assert found.groups["gender"][:2] == ["f", "m"] and found.groups["age"][0] == "u30"


def test_what_names_or_times_a_person_and_free_text_is_dropped(tmp_path: Path) -> None:
    """Could leak: a name, a note or a time that becomes a group."""
    mapping = _drafted(tmp_path, _written(tmp_path, HEADER, ROWS))
    used = {group.column for group in mapping.groups} | {item.column for item in mapping.items}
    assert not {"Nome", "Note", "Data e ora", "Sempre uguale"} & used
    assert {"Nome", "Note", "Data e ora", "Sempre uguale"} <= set(mapping.drop)


@pytest.mark.parametrize("header", ["Cognome", "Telefono", "E-mail", "Matricola"])
def test_a_column_that_names_people_is_dropped_even_where_it_has_few_values(tmp_path: Path, header: str) -> None:
    """Could leak: two surnames in a file of twenty look like a group of people."""
    rows = [[("Rossi", "Bianchi")[n % 2], str(1 + n % 5)] for n in range(20)]
    mapping = _drafted(tmp_path, _written(tmp_path, [header, "Q1"], rows))
    assert mapping.groups == () and header in mapping.drop


def test_any_column_of_a_territory_is_the_unit(tmp_path: Path) -> None:
    rows = [[("Prato", "Firenze")[n % 2], str(1 + n % 5)] for n in range(20)]
    assert [group.name for group in _drafted(tmp_path, _written(tmp_path, ["Territorio", "Q1"], rows)).groups] == [
        "unit"
    ]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2", "2"),
        ("2.0", "2"),
        ("2,00", "2"),
        ("-1.0", "-1"),
        ("2.5", ""),
        ("", ""),
        ("2.", "2"),
        (".0", ""),
        ("²", ""),
        ("1e3", ""),
        ("--2", ""),
    ],
)
def test_a_number_with_nothing_behind_the_point_is_whole(value: str, expected: str) -> None:
    assert whole(value) == expected


cells = st.one_of(
    st.sampled_from(["", "NA", "1", "2.0", "5", "7", "yes", "No", "Agree", "f", "42", "Prato"]),
    st.text(st.characters(codec="utf-8", exclude_characters="\x00\r\n"), max_size=12),
)


@settings(deadline=None, max_examples=150)
@given(
    st.lists(cells, min_size=1, max_size=5), st.lists(st.lists(cells, min_size=5, max_size=5), min_size=1, max_size=20)
)
def test_whatever_the_file_holds_the_draft_can_be_read(
    tmp_path_factory: pytest.TempPathFactory, header: list[str], rows: list[list[str]]
) -> None:
    folder = tmp_path_factory.mktemp("draft")
    path = _written(folder, header, [row[: len(header)] for row in rows])
    try:
        mapping_text = draft(path, "prova")
    except FileUnreadable:
        return
    if "[items." not in mapping_text:  # a file without a question is refused by the reader, in words
        return
    (folder / "m.toml").write_text(mapping_text, encoding="utf-8")
    read_mapping(folder / "m.toml")


def test_the_command_writes_over_nothing(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path, out = _written(tmp_path, HEADER, ROWS), tmp_path / "m.toml"
    assert draft_mapping(path, "prova", str(out)) == 0
    before = out.read_bytes()
    assert draft_mapping(path, "prova", str(out)) != 0 and out.read_bytes() == before
    assert draft_mapping(tmp_path / "nessuno.csv", "prova", "") != 0
    assert draft_mapping(path, "prova", str(tmp_path / "no" / "m.toml")) != 0
    assert capfd.readouterr().err.count("m.toml") >= 2
