"""The staff list as a file: read again it is the same list, and no cell of it is a formula."""

from datetime import date
from pathlib import Path

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from surveys.importing.forms import as_csv, unarmed
from surveys.importing.people import PersonRow, UnitRow, read_people
from surveys.importing.staff_list import people_workbook, written_people
from surveys.languages import LANGUAGES

TODAY = date(2026, 11, 23)
UNITS = [
    UnitRow("firenze", "Firenze", None),
    UnitRow("prato", "Prato", None),
    UnitRow("prato.nido", "Nido", "prato"),
    UnitRow("prato.nido.mattina", "Mattina", "prato.nido"),
]
words = st.text("abèß=+-@'\";,. 7", min_size=1, max_size=12).map(lambda text: " ".join(text.split())).filter(bool)
people = st.lists(
    st.builds(
        PersonRow,
        words,
        st.sampled_from(("", "a@b.it", "+39 055 123456", "055-123456")),
        st.sampled_from(("", *LANGUAGES)),
        st.sampled_from([unit.code for unit in UNITS]),
        st.sampled_from(("", "f", "m", "nb", "self")),
        st.sampled_from(("", "u30", "30_39", "40_49", "50_59", "60p")),
        st.dictionaries(st.sampled_from(("Turno", "Contratto")), words),
        consent=st.just("") | words,
    ),
    min_size=1,
    max_size=5,
)


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
@pytest.mark.parametrize("language", ["it", "en"])
@given(people)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_written_and_read_again_is_the_same_list(
    tmp_path: Path, language: str, kind: str, found: list[PersonRow]
) -> None:
    persons = [PersonRow(*_values(one)[:7], f"00{n}", one.consent) for n, one in enumerate(found, start=1)]
    rows = written_people(persons, UNITS, language)
    path = tmp_path / f"elenco.{kind}"
    path.write_bytes(as_csv(unarmed(rows)) if kind == "csv" else people_workbook(rows))
    again = read_people(path, today=TODAY)
    assert again.refused == []
    assert sorted(again.persons, key=lambda one: one.number) == persons
    assert {unit.code for unit in again.units} >= {one.unit for one in persons}


def _values(one: PersonRow) -> tuple[str, str, str, str, str, str, dict[str, str]]:
    return one.name, one.contact, one.language, one.unit, one.gender, one.age, dict(one.attributes)


def test_no_cell_is_a_formula(tmp_path: Path) -> None:
    evil = "=HYPERLINK(1)"
    rows = written_people([PersonRow(evil, "+39 055 123456", "", "prato", "", "", {"@x": "-1+1"}, "=1")], UNITS, "it")
    assert [cell[:1] for row in unarmed(rows) for cell in row if cell[:1] in "=+-@" and cell] == []
    path = tmp_path / "elenco.xlsx"
    path.write_bytes(people_workbook(rows))
    sheet = openpyxl.load_workbook(path).active
    assert sheet is not None and {cell.data_type for row in sheet.iter_rows() for cell in row if cell.value} == {"s"}
    assert evil in {cell.value for row in sheet.iter_rows() for cell in row}


def test_a_list_without_numbers_has_no_column_of_numbers() -> None:
    rows = written_people([PersonRow("Ada", "", "it", "prato.nido.mattina", "f", "30_39", {})], UNITS, "en")
    assert rows[0] == ["name", "contact", "consent", "language", "territory", "service", "team", "gender", "age band"]
    assert rows[1] == ["Ada", "", "", "it", "Prato", "Nido", "Mattina", "f", "30-39"]
