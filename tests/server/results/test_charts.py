"""Charts and sentences say what is printed, with its sign."""

import html
import re

import pytest

from analysis import published
from server.results.charts import draw_all
from server.results.findings import area_names, in_words
from server.results.reading import Labels, figure_text, interval_text
from surveys.languages import LANGUAGES
from tests.analysis.waves import released, wave

DOCUMENT = published.read(
    released(wave(60))
    | {
        "views": [
            {
                "id": "all",
                "filter": {},
                "shown": True,
                "areas": {
                    "1": {"index": "<=20", "ci": {"index": [0, 24]}},
                    "2": {"index": 47.5, "ci": {"index": [44, 51]}},
                    "3": {"index": ">=80", "ci": {"index": [76, 100]}},
                },
            }
        ],
        "perception": {},
        "differences": [],
    }
)


@pytest.mark.parametrize("language", ["it", "en", "ar"])
def test_a_coded_end_keeps_its_sign_in_every_picture_and_its_title(language: str) -> None:
    """Could leak: a dot labelled 80 says that it is 80, where 80 and more is published."""
    drawn = draw_all(DOCUMENT, Labels({}, {}, {}, frozenset()))
    words = [
        html.unescape(text) for text in re.findall(r">([^<>]+)</(?:text|tspan)>", drawn[f"areas.{language}.light"])
    ]
    words = [word.replace("\u00a0", " ").strip("\u2066\u2069") for word in words]
    labels = {word for word in words if re.fullmatch(r"[≤≥]? ?[\d.,]+", word)} - {"0", "50", "100"}
    assert len(labels) == 3 and {"≤ 20", "≥ 80"} < labels
    said = " ".join(words)
    assert (said.count("20"), said.count("80")) == (said.count("≤ 20"), said.count("≥ 80")) == (2, 2)


def test_a_sentence_about_a_coded_end_keeps_its_sign() -> None:
    _, lowest, highest = in_words(DOCUMENT, Labels({}, {}, {}, frozenset()), "en")
    assert "≤\u00a020" in lowest and "≥\u00a080" in highest


def test_from_right_to_left_no_sign_is_turned() -> None:
    """Seen on a page: "≤ 10" in an Arabic line was drawn as 10 or more. Isolated, it runs from left to right."""
    assert figure_text("<=10", "ar", " %") == "\u2066≤\u00a010\u00a0%\u2069"
    assert interval_text((46, 49), "ar") == "\u206646–49\u2069"
    assert figure_text("<=10", "it", " %") == "≤\u00a010\u00a0%"


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_line_of_a_picture_is_longer_than_a_reader_s_font_has_room_for(language: str) -> None:
    """Seen on a page: names and the title were cut at both ends, as the reader's font is wider than the measured one."""
    drawn = draw_all(DOCUMENT, Labels({}, {}, {}, frozenset()))[f"areas.{language}.light"]
    lines = [html.unescape(text) for text in re.findall(r">([^<>]+)</(?:text|tspan)>", drawn)]
    assert max(len(line) for line in lines) <= 46
    names = [line for line in lines if any(line in name for name in area_names(language).values())]
    assert names and max(len(line) for line in names) <= 24
