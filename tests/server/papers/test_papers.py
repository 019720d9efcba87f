"""Poster and drafts of the channel: every language a page, every name as it is, blanks where nothing is known."""

import io
import subprocess
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import segno
from docx import Document

from server.frame.texts import catalogue, say
from server.papers.poster import front_door, grouped, poster
from server.papers.typeset import KINDS, Channel, document
from surveys.languages import LANGUAGES
from surveys.public.house import words_of

FINGERPRINT = sha256(b"a house").hexdigest()[:32]
WORDS = " ".join(words_of(FINGERPRINT))
HOUSE = (FINGERPRINT, WORDS)
ROWS = (
    *(" ".join(WORDS.split()[n : n + 6]) for n in (0, 6)),
    " ".join(FINGERPRINT[n : n + 4] for n in range(0, 32, 4)),
)
HOSTILE = 'Anna "#let x = 1" $a$ \\ [b] *c* <d> {years} {0}'
READERS = ((HOSTILE, "persona di fiducia", False), ("Livia Finta", "consigliera", True))


def _pages(made: bytes, folder: Path) -> list[str]:
    (folder / "poster.pdf").write_bytes(made)
    text = subprocess.run(
        ["pdftotext", "-layout", folder / "poster.pdf", "-"], check=True, capture_output=True, text=True
    )
    return text.stdout.split("\f")[:-1]


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    made = poster("Cooperativa #1", "https://ascolto.invalid", HOUSE, READERS, LANGUAGES)
    return _pages(made, tmp_path_factory.mktemp("poster"))


def test_the_poster_has_one_page_a_language(pages: list[str]) -> None:
    assert len(pages) == len(LANGUAGES) == 9


def test_six_readers_with_long_names_still_fit_one_page_a_language(tmp_path: Path) -> None:
    many = tuple(
        (f"Mariagrazia Lunghissimonome Inventata {n}", "referente contro molestie e discriminazioni", n == 5)
        for n in range(6)
    )
    made = poster(
        "Cooperativa sociale Esempio di Firenze", "https://ascolto.cooperativa-esempio.invalid", HOUSE, many, LANGUAGES
    )
    assert len(_pages(made, tmp_path)) == 9


def test_a_page_names_every_reader_literally_and_the_house_in_words_and_groups(pages: list[str]) -> None:
    italian = " ".join(pages[0].split())
    assert HOSTILE in italian and "Livia Finta · consigliera (fuori dalla cooperativa)" in italian
    assert all(row in italian for row in ROWS)
    assert "Cooperativa #1" in italian and "112" in italian and "1522" in italian


def test_every_language_names_every_reader_and_all_rows_of_the_house(pages: list[str]) -> None:
    assert [all(row in page for row in ROWS) for page in pages] == [True] * 9
    assert ["Livia Finta" in page and "112" in page and "1522" in page for page in pages] == [True] * 9


def test_an_address_to_type_is_never_broken_over_two_lines(tmp_path: Path) -> None:
    address = "https://segnalazioni.cooperativa-sociale-esempio-di-firenze.invalid"
    made = _pages(poster("Cooperativa", address, HOUSE, READERS, LANGUAGES), tmp_path)
    assert [address in page for page in made] == [True] * 9


def test_the_qr_leads_to_the_front_door_and_nowhere_deeper() -> None:
    expected = segno.make("https://ascolto.invalid/", error="m")
    assert (
        front_door("https://ascolto.invalid").matrix == front_door("https://ascolto.invalid/").matrix == expected.matrix
    )
    anchored = segno.make(f"https://ascolto.invalid/#h={FINGERPRINT}", error="m")  # a fragment: it is never sent
    assert front_door("https://ascolto.invalid", FINGERPRINT).matrix == anchored.matrix


def test_a_fingerprint_is_grouped_by_four() -> None:
    assert grouped("0123456789ab") == "0123 4567 89ab"


def _text(made: bytes) -> str:
    read = Document(io.BytesIO(made))
    cells = [cell.text for table in read.tables for row in table.rows for cell in row.cells]
    return "\n".join([paragraph.text for paragraph in read.paragraphs] + cells)


def _channel(**changes: Any) -> Channel:
    known: dict[str, Any] = {
        "organisation": "Cooperativa Prova",
        "address": "https://ascolto.invalid",
        "fingerprint": FINGERPRINT,
        "words": WORDS,
        "readers": READERS,
        "controller": "Cooperativa Prova, Firenze",
        "contact": "privacy@prova.invalid",
        "retention_years": 3,
        "hearing_day": "3 novembre 2026",
        "hearing_document": "Verbale 3/2026",
        "checked_day": "",
        "opened_day": "23 novembre 2026",
    }
    return Channel(**known | changes)


@pytest.mark.parametrize("language", ["it", "en"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_draft_says_first_that_it_is_one_and_holds_what_is_known(kind: str, language: str) -> None:
    text = _text(document(kind, _channel(), language))
    assert ("Bozza preparata da Ascolto" if language == "it" else "Draft made by Ascolto") in text
    assert HOSTILE in text and "{" not in text.replace(HOSTILE, "")
    assert "Cooperativa Prova" in text and ("3 anni" if language == "it" else "3 years") in text


def test_what_is_not_known_is_a_visible_blank() -> None:
    blank = _text(document("hearing", _channel(hearing_day="", hearing_document=""), "it"))
    assert "Giorno: [da completare: giorno dell'incontro con i sindacati]" in blank
    assert "Giorno: 3 novembre 2026. Documento: Verbale 3/2026." in _text(document("hearing", _channel(), "it"))


def test_a_draft_is_an_a4_sheet_in_its_own_language_and_says_nothing_of_the_library() -> None:
    read = Document(io.BytesIO(document("notice", _channel(), "it")))
    page, about = read.sections[0], read.core_properties
    assert page.page_width is not None and page.page_height is not None
    assert (round(page.page_width.mm), round(page.page_height.mm)) == (210, 297)
    assert (about.author, about.comments, about.language) == ("Ascolto", "", "it-IT")


def test_a_name_that_no_xml_may_hold_loses_only_its_control_characters() -> None:
    assert "Anna Finta" in _text(
        document("notice", _channel(readers=(("An\x0bna\x01 Finta", "referente", False),)), "it")
    )


@pytest.mark.parametrize("kind", ["notice", "register"])
def test_who_hosts_the_site_and_transfers_are_left_to_the_office(kind: str) -> None:
    text = _text(document(kind, _channel(), "it"))
    assert "[da completare: chi ospita il sito, con quale contratto]" in text
    assert "[da completare: ness" in text  # nothing is asserted of transfers outside the EU


def test_the_notice_names_what_is_in_clear() -> None:
    text = _text(document("notice", _channel(), "it"))
    for words in (
        "ultimo scritto",
        "contestato",
        "bloccata",
        "chiave di riserva",
        "numero dei messaggi",
        "chiavi pubbliche",
    ):
        assert words in text


def test_both_languages_give_a_draft_the_same_blanks_and_parts() -> None:
    for kind in KINDS:
        italian, english = _text(document(kind, _channel(), "it")), _text(document(kind, _channel(), "en"))
        assert italian.count("[da completare: ") == english.count("[to be completed: ")
        assert italian.count("\n") == english.count("\n")


def test_the_notice_says_how_long_things_are_kept() -> None:
    assert "non oltre 3 anni" in _text(document("notice", _channel(), "it"))
    assert "at most 3 years" in _text(document("notice", _channel(), "en"))


def test_every_language_has_every_sentence_of_the_poster() -> None:
    keys = {key for key in catalogue("it") if key.startswith("poster.")}
    assert len(keys) == 13
    for language in LANGUAGES:
        assert {key for key in catalogue(language) if key.startswith("poster.")} == keys
        assert say(language, "poster.emergency").count("112") == 1
