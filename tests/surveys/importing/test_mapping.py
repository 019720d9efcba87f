"""A mapping is checked as a whole: everything wrong is told at once, before any answer is read."""

from pathlib import Path
from typing import Any

import pytest

from surveys.importing.mapping import MappingBroken, ResponseMapping, parse_mapping, read_mapping

EXAMPLE = Path(__file__).parents[3] / "docs" / "examples" / "osmi-2014.toml"
WAVE = {"id": "old-2025", "title": "Clima 2025", "opened": "2025-03-01", "closed": "2025-03-31"}
ITEM = {"column": "Q1", "text": "Qui mi ascoltano."}


def mapping(**changes: dict[str, Any]) -> ResponseMapping:
    return parse_mapping({"wave": WAVE, "items": {"one": ITEM}} | changes)


def problems(**changes: dict[str, Any]) -> tuple[str, ...]:
    with pytest.raises(MappingBroken) as refused:
        mapping(**changes)
    return refused.value.problems


def test_the_shortest_mapping_is_a_wave_and_one_item_on_a_scale_of_five() -> None:
    made = mapping()
    item = made.items[0]
    assert (made.wave, made.opened, made.shape, made.missing) == ("old-2025", "2025-03-01", "plain", ("",))
    assert (item.low, item.high, item.favourable_from, dict(item.text)["en"]) == (1, 5, 4, "Qui mi ascoltano.")


def test_the_example_names_its_source_and_licence_and_holds_the_fourteen_items() -> None:
    made = read_mapping(EXAMPLE)
    assert "Open Sourcing Mental Illness, LTD" in made.source and made.licence == "CC BY-SA 4.0"
    assert (len(made.items), [g.name for g in made.groups]) == (14, ["size", "gender", "country", "remote"])
    assert made.groups[0].codes == ("1-5", "6-25", "26-100", "100-500", "500-1000", "1000+")
    assert [(s.name, len(s.items), s.min_answered) for s in made.scales] == [("support", 6, 4), ("openness", 4, 3)]


def test_everything_wrong_is_told_at_once() -> None:
    found = problems(
        wave=WAVE | {"id": "Old Wave", "closed": "2025-02-01"},
        file={"shape": "odd", "on_bad_row": "skip", "colour": 1},
        groups={"age": {"column": "Age"}},
        items={"one": ITEM | {"low": 5, "high": 1, "areas": [9]}, "two": {"column": "Q1", "construct": "nowhere"}},
    )
    told = " | ".join(found)
    expected = (
        "'colour'",
        "free values",
        "low < high",
        "areas",
        "'text'",
        "scales.nowhere",
        "small letters",
        "closes before",
        "shape is one of",
        "only be 'refuse'",
        "'Q1' is used twice",
    )
    assert [part for part in expected if part not in told] == []


@pytest.mark.parametrize(
    "items",
    [
        {"a": ITEM | {"construct": "s"}, "b": ITEM | {"column": "Q2", "construct": "s"}},
        {n: ITEM | {"column": n, "construct": "s", "high": h} for n, h in (("a", 5), ("b", 5), ("c", 7))},
    ],
    ids=["two items", "two scales mixed"],
)
def test_a_scale_needs_three_items_of_one_range(items: dict[str, dict[str, Any]]) -> None:
    assert "at least three items" in problems(items=items, scales={"s": {"title": "S"}})[0]


@pytest.mark.parametrize("code", ["high", True, 9])
def test_a_code_off_the_scale_is_refused(code: str | int) -> None:
    assert problems(items={"one": ITEM | {"recode": {"Yes": code}}})


def test_a_group_of_free_values_is_refused_because_it_would_make_groups_of_one() -> None:
    assert "groups of one" in problems(groups={"job": {"column": "Job title", "other": "x"}})[0]


def test_a_file_that_is_no_toml_or_not_there_is_refused(tmp_path: Path) -> None:
    broken = tmp_path / "a.toml"
    broken.write_text("[wave\n")
    for path in (broken, tmp_path / "b.toml"):
        with pytest.raises(MappingBroken):
            read_mapping(path)
