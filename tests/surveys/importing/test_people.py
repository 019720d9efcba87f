"""A staff list becomes persons and a tree of units; everything wrong is told at once, by row, column and remedy."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surveys.importing import words
from surveys.importing.people import _REMEDIES, PeopleImport, UnitRow, read_people
from surveys.importing.sheets import FileUnreadable

type Read = Callable[[str], PeopleImport]

TODAY = date(2026, 11, 23)
ITALIAN = """Nome;Cognome;E-mail;Lingua;Territorio;Servizio;Squadra;Genere;Fascia d'età;Matricola
Ada;Rossi;ada@coop.it;italiano;Prato;Asilo Blu;;F;30-39;17
Ugo;Neri;;rumeno;prato;ASILO  BLU;Mattina;uomo;60 o più;18
Mei;Lin;+39 055 123456;cinese;Firenze;;;;;19
"""


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def reader(text: str) -> PeopleImport:
        path = tmp_path / "staff.csv"
        path.write_text(text, encoding="utf-8")
        return read_people(path, today=TODAY)

    return reader


def test_an_italian_list_becomes_persons(read: Read) -> None:
    found = read(ITALIAN)
    assert found.refused == []
    assert {str(p.attributes) for p in found.persons} == {"{}"}
    rows = [(p.name, p.contact, p.language, p.unit, p.gender, p.age, p.number) for p in found.persons]
    assert rows == [
        ("Ada Rossi", "ada@coop.it", "it", "prato.asilo-blu", "f", "30_39", "17"),
        ("Ugo Neri", "", "ro", "prato.asilo-blu.mattina", "m", "60p", "18"),
        ("Mei Lin", "+39 055 123456", "zh-Hans", "firenze", "", "", "19"),
    ]


def test_the_units_are_a_tree_with_parents_before_children_and_one_code_for_every_spelling(read: Read) -> None:
    assert read(ITALIAN).units == [
        UnitRow("firenze", "Firenze", None),
        UnitRow("prato", "Prato", None),
        UnitRow("prato.asilo-blu", "Asilo Blu", "prato"),
        UnitRow("prato.asilo-blu.mattina", "Mattina", "prato.asilo-blu"),
    ]


def test_an_english_list_is_read_too(read: Read) -> None:
    found = read("Full name,Phone,Territory,Service,Gender,Date of birth\nAda,0551234567,Prato,Care,woman,1997-11-24\n")
    person = found.persons[0]
    assert (person.contact, person.unit, person.gender, person.age) == ("0551234567", "prato.care", "f", "u30")


def test_a_date_of_birth_leaves_only_its_band(read: Read) -> None:
    found = read("nome,territorio,data di nascita\nAda,Prato,27/03/1985\n")
    assert found.persons[0].age == "40_49"
    assert "1985" not in repr(found)


def test_every_wrong_cell_is_told_with_row_column_value_and_remedy(read: Read) -> None:
    found = read(
        "nome,e-mail,lingua,territorio,servizio,squadra,genere,fascia d'età\n"
        "Ada,ada@coop.it,it,Prato,Nido,,f,30-39\n"
        ",ada[at]coop.it,klingon,,,Blu,boh,trent'anni\n"
        "Ugo,,,Prato,,Rossi,m,12\n"
        "Ada,ADA@coop.it,,Prato,Nido,,f,\n"
    )
    assert [(r.row, r.column, r.value, r.remedy_key) for r in found.refused] == [
        (3, "nome", "", "name"),
        (3, "e-mail", "ada[at]coop.it", "email"),
        (3, "lingua", "klingon", "language"),
        (3, "genere", "boh", "gender"),
        (3, "fascia d'età", "trent'anni", "age"),
        (3, "territorio", "", "territory"),
        (4, "fascia d'età", "12", "age"),
        (4, "servizio", "", "service"),
        (5, "nome", "Ada", "duplicate"),
    ]
    assert {r.remedy_key for r in found.refused} < set(_REMEDIES)
    assert [person.name for person in found.persons] == ["Ada"]
    assert [unit.code for unit in found.units] == ["prato", "prato.nido"]


def test_two_people_of_one_name_are_two_people_when_a_cell_differs(read: Read) -> None:
    found = read("nome,territorio,interno\nAda,Prato,1\nAda,Prato,2\nAda,Prato,2\n")
    assert len(found.persons) == 2
    assert [r.row for r in found.refused] == [4]


def test_a_number_tells_two_people_apart_whatever_else_is_the_same(read: Read) -> None:
    found = read("nome,telefono,territorio,matricola\nAda,055123456,Prato,1\nAda,055123456,Prato,2\n")
    assert found.refused == [] and [person.number for person in found.persons] == ["1", "2"]


@pytest.mark.parametrize("again", ["017", "17", " 17 ", "1 7"])
def test_two_rows_with_one_number_are_refused_by_the_second_row(read: Read, again: str) -> None:
    found = read(f"staff number,name,territory\n17,Ada,Prato\n18,Ugo,Prato\n{again},Mei,Prato\n")
    assert [(r.row, r.column, r.value, r.remedy_key) for r in found.refused] == [
        (4, "staff number", again.strip(), "number_twice")
    ]
    assert [person.name for person in found.persons] == ["Ada", "Ugo"]


def test_a_number_that_lacks_in_a_file_with_numbers_is_refused_and_without_any_none_is_needed(read: Read) -> None:
    found = read("matricola,nome,territorio\n,Ada,Prato\n18,Ugo,Prato\n,Mei,Prato\n")
    assert [(r.row, r.column, r.remedy_key) for r in found.refused] == [
        (2, "matricola", "number"),
        (4, "matricola", "number"),
    ]
    assert [person.name for person in found.persons] == ["Ugo"]
    found = read("matricola,nome,territorio\n,Ada,Prato\n,Ugo,Prato\n")
    assert found.refused == [] and len(found.persons) == 2


@pytest.mark.parametrize(("header", "missing"), [("cognome,territorio", "nome"), ("nome,genere", "territorio")])
def test_a_list_without_names_or_units_is_refused_as_a_whole(read: Read, header: str, missing: str) -> None:
    with pytest.raises(FileUnreadable) as refused:
        read(f"{header}\nx,y\n")
    assert (refused.value.reason, refused.value.params["column"]) == ("missing_column", missing)


def test_two_columns_with_one_meaning_are_refused(read: Read) -> None:
    with pytest.raises(FileUnreadable, match="genere, sesso"):
        read("nome,territorio,genere,sesso\nAda,Prato,f,f\n")


@pytest.mark.parametrize(
    ("years", "band"), [(29, "u30"), (30, "30_39"), (39, "30_39"), (40, "40_49"), (59, "50_59"), (60, "60p")]
)
def test_a_birthday_moves_a_person_into_the_next_band_on_the_day_itself(years: int, band: str) -> None:
    born = date(TODAY.year - years, TODAY.month, TODAY.day)
    assert words.age_of_birth(born.isoformat(), TODAY) == band == words.age_of(str(years))


@pytest.mark.parametrize("impossible", ["31/02/1990", "1790-01-01", "2025-01-01", "ieri", "27/03/85"])
def test_an_impossible_date_of_birth_is_not_guessed(impossible: str) -> None:
    assert words.age_of_birth(impossible, TODAY) is None


@pytest.mark.parametrize("text", ["<30", "< 30", "under 30", "Meno di 30", "u30", "29"])
def test_the_ways_to_write_under_thirty(text: str) -> None:
    assert words.age_of(text) == "u30"


@given(st.text(min_size=1, max_size=60).filter(lambda name: words.plain(name)))
def test_a_unit_code_is_stable_short_and_never_reserved(name: str) -> None:
    code = words.slug(name)
    assert code == words.slug(f" {name.upper()} ".lower()) or words.plain(name) != words.plain(name.upper().lower())
    assert 0 < len(code) <= 38 and "." not in code and code.isascii()
    assert code not in ("several", "prefer_not", "dont_know")


def test_names_without_latin_letters_keep_codes_of_their_own() -> None:
    assert words.slug("护理") != words.slug("教育")
    assert words.slug("Caffè Società") == "caffe-societa"
    assert words.slug("Several") == "u-several"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_signs_that_show_nothing_come_into_no_name_and_no_unit(tmp_path: Path, encoding: str) -> None:
    """Far down in a file, and anywhere in one of UTF-16, they came in: PostgreSQL refused the whole list without a word of where."""
    rows = "".join(f"Bea {n};Prato\n" for n in range(6000))
    path = tmp_path / "staff.csv"
    path.write_text(f"Nome;Territorio\n{rows}Ugo\u0007 \u202eireN\u001b[2J;Pra\u0008to\n", encoding=encoding)
    found = read_people(path, today=TODAY)
    assert found.refused == [] and found.persons[-1].name == "Ugo ireN[2J"
    assert [unit.name for unit in found.units] == ["Prato"]
