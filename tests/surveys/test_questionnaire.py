"""The shipped questionnaire: every text in nine languages, the sections in order, one canonical JSON."""

import json
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surveys.item_bank import bank, drafts
from surveys.languages import LANGUAGES
from surveys.questionnaire import Questionnaire, UnitNode, shipped

TREE = (
    UnitNode("po", "Prato", ""),
    UnitNode("po.nido", "Nido", "po"),
    UnitNode("fi", "Firenze", ""),
    UnitNode("fi.nido", "Nido", "fi"),
    UnitNode("fi.pulizie", "Pulizie", "fi"),
)
ALL = ("unit", "gender", "age", "DEM_CONTRACT", "DEM_SENIORITY", "DEM_CARE", "DEM_ROLE")
FULL = shipped("full", TREE, ALL)
PULSE = shipped("pulse", TREE, ("unit", "gender", "age"))
names = st.text(st.characters(categories=("L", "Nd")), min_size=1, max_size=12)


def test_the_full_form_has_the_eight_scales_then_outcomes_experience_and_who_you_are() -> None:
    sections = [(section.id, section.kind, len(section.items)) for section in FULL.sections]
    assert sections == [
        ("CUL", "items", 6),
        ("VOI", "items", 5),
        ("LEA", "items", 5),
        ("HRP", "items", 6),
        ("GRO", "items", 5),
        ("PAY", "items", 5),
        ("SAF", "items", 6),
        ("CAR", "items", 7),
        ("OUT", "items", 2),
        ("EXP", "experience", 8),
        ("DEM", "demographics", 7),
    ]


def test_the_pulse_has_the_twelve_items_of_the_bank_and_no_experience_block() -> None:
    wanted = {item["id"] for item in bank()["items"] if item["pulse"] and item["type"] == "likert"}
    asked = {item.id for item in PULSE.items() if item.type == "likert"}
    assert (asked, len(asked)) == (wanted, 12)
    assert {section.kind for section in PULSE.sections} == {"items", "demographics"}


@pytest.mark.parametrize("questionnaire", [FULL, PULSE], ids=["full", "pulse"])
def test_every_text_is_there_in_every_language(questionnaire: Questionnaire) -> None:
    def texts(found: object) -> Iterator[dict[str, str]]:
        if isinstance(found, dict):
            if "it" in found:
                yield found
            else:
                for value in found.values():
                    yield from texts(value)
        elif isinstance(found, list):
            for value in found:
                yield from texts(value)

    for text in texts(questionnaire.to_json()):
        assert set(text) == set(LANGUAGES) and all(text.values())


def test_the_placeholders_of_the_support_box_are_kept_in_every_language() -> None:
    for text in FULL.messages["experience_support"].values():
        assert text.count("{referente}") == 1 and text.count("{canale}") == 1
        assert text.format(referente="Ada", canale="la bacheca").count("{") == 0


def test_no_open_question_is_asked_while_comments_cannot_be_released() -> None:
    assert not [item.id for item in FULL.items() if item.id.startswith("OPN")]


def test_polarity_scale_and_indicators_are_those_of_the_bank() -> None:
    source = {item["id"]: item for item in bank()["items"]}
    for item in FULL.items():
        if item.type == "likert":
            own = source[item.id]
            got = (item.reverse, item.low, item.high, list(item.indicators), list(item.areas))
            assert got == (own["reverse"], 1, 5, own["indicators"], own["areas"])
            assert ("dont_know" in item.codes) == own["allow_dont_know"]


def test_a_territory_is_followed_by_its_services_under_its_own_heading() -> None:
    unit = next(item for item in FULL.items() if item.id == "unit")
    shown = [(choice.code, choice.group["it"] if choice.group else "") for choice in unit.choices]
    assert shown == [
        ("po", "Prato"),
        ("po.nido", "Prato"),
        ("fi", "Firenze"),
        ("fi.nido", "Firenze"),
        ("fi.pulizie", "Firenze"),
        ("several", ""),
        ("prefer_not", ""),
    ]


def test_two_services_with_one_name_can_be_told_apart_without_headings() -> None:
    unit = next(item for item in FULL.items() if item.id == "unit")
    labels = [choice.label["it"] for choice in unit.choices]
    assert len(set(labels)) == len(labels)
    assert "Nido (Prato)" in labels and "Pulizie" in labels


@given(names, names)
def test_the_unit_question_carries_the_names_of_the_organisation_into_every_language(
    territory: str, service: str
) -> None:
    made = shipped("pulse", (UnitNode("t", territory, ""), UnitNode("t.s", service, "t")), ("unit",))
    unit = list(made.items())[-1]
    assert unit.codes[:2] == ("t", "t.s")
    assert all(territory in unit.choices[0].label[language] for language in LANGUAGES)
    assert all(service in unit.choices[1].label[language] for language in LANGUAGES)
    assert Questionnaire.from_json(made.to_json()) == made


@pytest.mark.parametrize("questionnaire", [FULL, PULSE], ids=["full", "pulse"])
def test_the_json_gives_the_same_questionnaire_and_digest_back(questionnaire: Questionnaire) -> None:
    again = Questionnaire.from_json(json.loads(json.dumps(questionnaire.to_json(), ensure_ascii=True)))
    assert again == questionnaire
    assert again.sha256() == questionnaire.sha256()


def test_another_text_is_another_digest() -> None:
    changed = FULL.to_json()
    changed["sections"][0]["items"][0]["text"]["it"] += " "
    assert Questionnaire.from_json(changed).sha256() != FULL.sha256()


def test_a_questionnaire_that_lacks_a_language_is_not_made() -> None:
    broken = FULL.to_json()
    del broken["sections"][0]["title"]["sq"]
    with pytest.raises(ValueError, match="sq"):
        Questionnaire.from_json(broken)


def test_every_demographic_says_why_it_is_asked() -> None:
    asked = next(section for section in FULL.sections if section.kind == "demographics").items
    assert [item.id for item in asked] == list(ALL)
    assert all(item.note and set(item.note) == set(LANGUAGES) for item in asked)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_full_form_takes_less_than_a_quarter_of_an_hour(language: str) -> None:
    assert PULSE.minutes(language) < 5 < FULL.minutes(language) < 15


def test_only_the_two_languages_that_were_reviewed_are_said_to_be() -> None:
    assert FULL.reviewed == ("it", "en")
    assert set(drafts()["languages"]) == set(FULL.languages) - set(FULL.reviewed)
