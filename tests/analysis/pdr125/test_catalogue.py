"""Source: UNI/PdR 125:2022 as transcribed in catalogue.json; its sums are the check."""

import copy
import json
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.pdr125.catalogue import CatalogueBroken, load_catalogue, read_catalogue

DATA = json.loads((files("analysis.pdr125") / "catalogue.json").read_text("utf-8"))
CATALOGUE = load_catalogue()


def test_six_areas_weigh_15_15_10_20_20_20() -> None:
    assert [area.weight_percent for area in CATALOGUE.areas] == [15, 15, 10, 20, 20, 20]


def test_a_large_organisation_faces_31_indicators_of_100_points_an_area() -> None:
    assert len(CATALOGUE.indicators(4)) == 31
    assert [area.points(4) for area in CATALOGUE.areas] == [100] * 6


def test_fifteen_indicators_are_informed_by_the_survey() -> None:
    informed = [indicator.id for indicator in CATALOGUE.indicators(4) if indicator.survey_informed]
    assert informed == [
        "1.1",
        "1.2",
        "1.3",
        "1.5",
        "1.6",
        "2.1",
        "2.2",
        "3.1",
        "3.3",
        "3.4",
        "3.5",
        "3.6",
        "6.1",
        "6.2",
        "6.3",
    ]


@pytest.mark.parametrize(
    ("employees", "band"), [(1, 1), (9, 1), (10, 2), (49, 2), (50, 3), (249, 3), (250, 4), (430, 4)]
)
def test_the_size_bands_are_those_of_the_standard(employees: int, band: int) -> None:
    assert CATALOGUE.band_of(employees).number == band


def test_an_organisation_of_nobody_has_no_band() -> None:
    with pytest.raises(ValueError):
        CATALOGUE.band_of(0)


@given(st.integers(0, 5), st.data())
def test_a_catalogue_with_one_changed_point_is_refused(area: int, data: st.DataObject) -> None:
    broken = copy.deepcopy(DATA)
    indicator = data.draw(st.sampled_from(broken["areas"][area]["indicators"]))
    indicator["points"] += data.draw(st.integers(1, 20))
    with pytest.raises(CatalogueBroken):
        read_catalogue(broken)


def test_a_check_that_nobody_computes_is_refused() -> None:
    broken = copy.deepcopy(DATA)
    broken["checks"]["something_new"] = 1
    with pytest.raises(CatalogueBroken, match="something_new"):
        read_catalogue(broken)


@pytest.mark.parametrize(
    ("indicator", "rule"),
    [
        ("4.5", None),
        ("1.1", {"status": "agreed", "limit": "1/2", "doubts": []}),
        ("4.5", {"status": "sure", "limit": "2/5", "doubts": []}),
    ],
)
def test_a_quantitative_indicator_has_a_rule_that_is_agreed_or_open_and_no_other_has_one(
    indicator: str, rule: dict[str, object] | None
) -> None:
    broken = copy.deepcopy(DATA)
    found = next(one for area in broken["areas"] for one in area["indicators"] if one["id"] == indicator)
    found.pop("rule", None)
    if rule is not None:
        found["rule"] = rule
    with pytest.raises(CatalogueBroken, match=f"rule of {indicator}"):
        read_catalogue(broken)
