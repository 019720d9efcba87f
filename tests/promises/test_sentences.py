"""Every sentence of the trust page names tests that exist, in every language, and says nothing that would be false."""

import re
from pathlib import Path

import pytest

from server.frame.texts import NAMES, catalogue
from server.respondents.trust import CLAIMS, proofs

ROOT = Path(__file__).parents[2]
NOT_CLAIMS = {"heading", "numbers", "none"}
FALSE = {
    "en": ("mathematically proven", "certified", "nobody can link", "your answer was counted", "leaves no trace"),
    "it": (
        "matematicamente",
        "certificat",
        "nessuno può collegare",
        "la tua risposta è stata contata",
        "non lascia tracce",
    ),
}
"""PRIVACY 4: what may not be said."""


def test_every_sentence_of_the_page_has_its_tests_and_no_proof_is_without_a_sentence() -> None:
    claims = {
        part: {key.rpartition(".")[2] for key in catalogue("en") if key.startswith(f"trust.{part}.")}
        - ({"heading"} if part != "check" else NOT_CLAIMS)
        for part in CLAIMS
    }
    assert {part: set(sentences) for part, sentences in proofs().items()} == claims


@pytest.mark.parametrize(("part", "key"), [(part, key) for part in proofs() for key in proofs()[part]])
def test_the_tests_that_a_sentence_names_exist(part: str, key: str) -> None:
    named = proofs()[part][key]
    assert named
    for test in named:
        file, _, name = test.partition("::")
        assert re.search(rf"^(async )?def {name}\(", (ROOT / file).read_text("utf-8"), re.MULTILINE), test


@pytest.mark.parametrize("language", sorted(NAMES))
def test_every_language_says_every_sentence_in_its_own_words(language: str) -> None:
    mine = {key: text for key, text in catalogue(language).items() if key.startswith(("trust.", "link."))}
    english = {key: text for key, text in catalogue("en").items() if key.startswith(("trust.", "link."))}
    assert set(mine) == set(english)
    if language != "en":
        assert [key for key in mine if mine[key] == english[key]] == []
    for key in mine:
        assert set(re.findall(r"{\w+}", mine[key])) == set(re.findall(r"{\w+}", english[key])), key


@pytest.mark.parametrize("language", sorted(FALSE))
def test_no_page_for_staff_says_what_would_be_false(language: str) -> None:
    said = " ".join(
        str(text)
        for key, text in catalogue(language).items()
        if key.split(".")[0] in ("staff", "trust", "link", "concern")
    )
    assert [phrase for phrase in FALSE[language] if phrase in said.lower()] == []
