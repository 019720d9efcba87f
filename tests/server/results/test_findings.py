"""What is said of figures: no superlative inside limits that overlap, and of women and men always one sentence over all areas."""

from typing import Any

import pytest

from analysis import published
from analysis.findings import findings, standing_out
from analysis.published import Limits, Statistic
from server.results.findings import gender_line, in_words, lead_of_areas, lead_of_scales, single_line
from server.results.heat import heat
from server.results.reading import Labels
from surveys.languages import LANGUAGES
from tests.analysis.waves import released, wave

LABELS = Labels(
    {}, {"CUL": {"it": "Cultura", "en": "Culture"}, "SAF": {"it": "Sicurezza", "en": "Safety"}}, {}, frozenset()
)


def _document(areas: dict[str, tuple[float, int, int]], **more: Any) -> published.Document:
    figures = {name: {"index": value, "ci": {"index": [low, high]}} for name, (value, low, high) in areas.items()}
    root = {"id": "all", "filter": {}, "shown": True, "n_band": "400+", "areas": figures} | more.pop("root", {})
    plain = released(wave(60)) | {"views": [root], "perception": {}, "differences": []}
    return published.read(plain | more)


def _difference(area: str, gap: float, clear: bool, against: str = "gender:m") -> dict[str, Any]:
    return {
        "view": "gender:f",
        "against": against,
        "family": "areas",
        "statistic": area,
        "value": 60 + gap,
        "reference": 60,
        "gap": gap,
        "low": gap - 9,
        "high": gap + 9,
        "clear": clear,
    }


def _figures(limits: dict[str, tuple[int, int]]) -> dict[str, Statistic]:
    return {name: Statistic(index=sum(ends) / 2, ci=Limits(index=ends)) for name, ends in limits.items()}


@pytest.mark.parametrize(
    ("limits", "lowest", "highest"),
    [
        ({"1": (40, 50), "2": (45, 55), "3": (60, 70)}, None, "3"),
        ({"1": (40, 44), "2": (45, 55), "3": (60, 70)}, "1", "3"),
        ({"1": (40, 45), "2": (45, 55), "3": (54, 70)}, None, None),  # limits that touch overlap
        ({"1": (40, 44)}, None, None),
        ({}, None, None),
    ],
)
def test_only_what_overlaps_with_nothing_stands_out(
    limits: dict[str, tuple[int, int]], lowest: str | None, highest: str | None
) -> None:
    assert standing_out(_figures(limits)) == (lowest, highest)


def test_nothing_stands_out_where_a_figure_has_no_limits() -> None:
    figures = _figures({"1": (10, 20), "2": (60, 70)}) | {"3": Statistic(index=15)}
    assert standing_out(figures) == (None, None)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_chart_of_noise_says_that_nothing_stands_out(language: str) -> None:
    """Could mislead: 58 and 60 with limits of 54 to 64 were called the weakest and the strongest."""
    noise = _document({"1": (58, 54, 62), "2": (59, 55, 63), "3": (60, 56, 64)})
    clear = _document({"1": (40, 36, 44), "2": (59, 55, 63), "3": (80, 76, 84)})
    assert "58" not in lead_of_areas(noise, language) and "60" not in lead_of_areas(noise, language)
    assert "40" in lead_of_areas(clear, language) and "80" in lead_of_areas(clear, language)
    assert [f.kind for f in findings(noise)] == []
    assert [(f.kind, f.subject) for f in findings(clear)] == [("lowest_area", "1"), ("highest_area", "3")]


@pytest.mark.parametrize("others", ["m", "others"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_of_women_and_men_there_is_always_a_sentence(language: str, others: str) -> None:
    areas = {"1": (60.0, 56, 64), "4": (58.0, 54, 62)}
    against = f"gender:{others}"
    none = gender_line(_document(areas), language)
    same = gender_line(_document(areas, differences=[_difference(a, -3, False, against) for a in areas]), language)
    differ = [_difference("1", -3, False, against), _difference("4", -11, True, against)]
    gap = gender_line(_document(areas, differences=differ), language)
    above = gender_line(_document(areas, differences=[_difference("4", 11, True, against)]), language)
    assert len({none, same, gap, above}) == 4 and all(none and "results." not in one for one in (none, same, gap))
    assert "11" in gap and "2" in gap and "20" in gap
    assert in_words(_document(areas), LABELS, language)[0] == none


def test_the_sentence_is_that_of_the_design() -> None:
    """Published: -11, limits -20 to -2."""
    differ = [_difference("1", -3, False), _difference("4", -11, True)]
    line = gender_line(_document({"1": (60, 56, 64), "4": (58, 54, 62)}, differences=differ), "en")
    assert line.startswith("Women see “") and "11 points below men (from 2 to 20)." in line
    assert line.endswith("In the other areas no difference between women and men can be claimed.")


def test_a_theme_whose_questions_do_not_go_together_is_named_and_shown_nowhere_as_one_figure() -> None:
    """Could mislead: the index of such a theme was charted, coloured, and called the weakest."""
    scales = {"CUL": {"index": 60, "ci": {"index": [58, 62]}}, "SAF": {"index": 20, "ci": {"index": [18, 22]}}}
    quality = {
        "reliability": {
            "SAF": {"n_band": "200-399", "reading": "items"},
            "CUL": {"n_band": "200-399", "reading": "care"},
        },
        "nonresponse": {},
    }
    document = _document({}, root={"scales": scales}, quality=quality)
    assert "Safety" in single_line(document, LABELS, "en") and "Culture" not in single_line(document, LABELS, "en")
    assert [key for key, _ in heat(document, "en", LABELS).columns] == ["scales/CUL"]
    assert "Safety" not in lead_of_scales(document, "en", LABELS)
    held = _document({}, root={"scales": scales})
    assert single_line(held, LABELS, "en") == "" and "Safety" in lead_of_scales(held, "en", LABELS)


@pytest.mark.parametrize(("band", "own", "look"), [("10-19", "", "lo"), ("5-9", "", ""), ("10-19", "5-9", "")])
def test_under_ten_people_no_cell_has_a_colour(band: str, own: str, look: str) -> None:
    """Could mislead: a step of twelve points of five people that shouts; also where only the statistic has so few."""
    figure = {"index": 25} | ({"n_band": own} if own else {})
    unit = {"id": "unit:po", "filter": {"unit": ["po"]}, "shown": True, "n_band": band, "areas": {"1": figure}}
    difference = _difference("1", -35, True) | {"view": "unit:po", "against": "all"}
    root = {"id": "all", "filter": {}, "shown": True, "n_band": "400+", "areas": {"1": {"index": 60}}}
    made = _document({}, views=[root, unit], differences=[difference])
    assert [block.head.cells[0].look for block in heat(made, "en", LABELS).blocks] == ["", look]
