"""What a handler's device remembers of a case: whoever takes letters or notes away is found by whoever had read them."""

import json
from pathlib import Path

import pytest

from surveys.cases import memory
from surveys.cases.folded import Fold
from tests.surveys.cases.memory import Kept, World, broken, dice_of, readers_but, report


@pytest.fixture
def kept() -> Kept:
    made = report(World(dice_of(21)))
    made.write("anna", "acknowledge", "arrivato")
    for text in ("prima", "seconda", "terza"):
        made.note("bruno", text)
    return made


def looked(kept: Kept, place: Path, house: str = "h") -> str:
    opened = kept.opened("anna")
    assert isinstance(opened.fold, Fold) and opened.problem == ""
    notes = None if opened.notes_problem else [(one["epoch"], one.hash) for one in opened.notes]
    return memory.checked(place, house, kept.me.case, opened.fold, notes)


@pytest.mark.parametrize("stream", ["thread", "notes"])
def test_a_letter_or_a_note_that_was_read_and_is_gone_is_told_each_time(
    kept: Kept, tmp_path: Path, stream: str
) -> None:
    place = tmp_path / "memory.json"
    assert looked(kept, place) == looked(kept, place) == ""
    there = list(kept.rows)
    kept.rows.remove([row for row in kept.rows if row.stream == stream][-1])
    assert looked(kept, place) == looked(kept, place) == "shorter"
    kept.rows[:] = there
    assert looked(kept, place) == ""
    kept.note("carla", "quarta")
    assert looked(kept, place) == ""


def test_another_note_in_the_place_of_one_that_was_read_is_told(kept: Kept, tmp_path: Path) -> None:
    assert looked(kept, tmp_path / "memory.json") == ""
    kept.rows.pop()
    kept.note("carla", "un'altra")
    assert looked(kept, tmp_path / "memory.json") == "fork"


def test_notes_that_went_with_keys_that_were_undone_are_not_missed(kept: Kept, tmp_path: Path) -> None:
    kept.change("carla", readers_but(kept))
    kept.note("carla", "sotto la chiave che non vale")
    assert looked(kept, tmp_path / "memory.json") == ""
    broken(kept, "bruno")
    assert [one.content["text"] for one in kept.opened("anna").notes if one.content] == ["prima", "seconda", "terza"]
    assert looked(kept, tmp_path / "memory.json") == ""


def test_another_house_is_told(kept: Kept, tmp_path: Path) -> None:
    assert looked(kept, tmp_path / "memory.json") == ""
    assert looked(kept, tmp_path / "memory.json", "another") == "house_other"


def test_what_the_version_before_remembered_is_read(kept: Kept, tmp_path: Path) -> None:
    place = tmp_path / "memory.json"
    assert looked(kept, place) == ""
    old = json.loads(place.read_text())
    for case in old["cases"].values():
        del case["notes"]
    place.write_text(json.dumps(old))
    assert looked(kept, place) == ""
    kept.rows.pop()
    assert looked(kept, place) == "shorter"
