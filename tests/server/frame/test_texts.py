"""Every sentence exists in every language that needs it, with the same blanks, and every key that a page asks for is there."""

import re
from pathlib import Path

import pytest

from server.frame import texts
from surveys.languages import LANGUAGES

STAFF_FILES = {"staff", "results", "demo", "told"}
ROOT = Path(texts.__file__).parents[1]
BLANK = re.compile(r"\{(\w+)\}")


def _forms(text: object) -> list[str]:
    return list(text.values()) if isinstance(text, dict) else [str(text)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_staff_sentences_are_complete_with_the_same_blanks(language: str) -> None:
    italian, other = texts.catalogue("it"), texts.catalogue(language)
    for key, text in italian.items():
        if key.split(".")[0] in STAFF_FILES or key in ("points.earned", "points.open"):
            assert all(
                set(BLANK.findall(form)) == set(BLANK.findall(_forms(text)[0])) for form in _forms(other[key])
            ), key
            assert all(form.strip() for form in _forms(other[key])), key


def test_desks_speak_italian_and_english_alike() -> None:
    italian, english = texts.catalogue("it"), texts.catalogue("en")
    assert set(italian) == set(english)
    for key, text in italian.items():
        assert set(BLANK.findall(_forms(text)[0])) == set(BLANK.findall(_forms(english[key])[0])), key


def test_every_key_that_a_page_names_exists() -> None:
    italian = texts.catalogue("it")
    named = set()
    for path in ROOT.rglob("*.html"):
        named |= set(re.findall(r'\bt\("([a-z_.0-9]+)"[,)]', path.read_text("utf-8")))
    for path in ROOT.rglob("*.py"):
        named |= set(re.findall(r'say\(\s*(?:\w+\.)?\w+,\s*"([a-z_.0-9]+)"', path.read_text("utf-8")))
    assert len(named) > 150
    assert named - set(italian) == set()


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("ro-RO,ro;q=0.9,en;q=0.8", "ro"),
        ("zh-CN", "zh-Hans"),
        ("xx", "it"),
        ("", "it"),
        ("en;q=0.1, sq;q=0.9", "sq"),
        (";;;q=x", "it"),
    ],
)
def test_the_first_guess_is_the_phone_s_language(header: str, language: str) -> None:
    assert texts.choose_language(None, header) == language


def test_no_line_of_a_page_begins_two_blocks() -> None:
    """Pages are written for reading: a block a line. Lines of up to 1,817 letters hid what a change did."""
    block = re.compile(
        r"<(?:p|div|section|form|fieldset|table|tr|ul|ol|dl|h[1-6]|label|details|article|nav|header|main|blockquote)\b"
    )
    pages = [path for path in ROOT.rglob("*.html")]
    crowded = [
        (path.name, number)
        for path in pages
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if len(block.findall(line)) > 1
    ]
    assert len(pages) > 40 and crowded == []
