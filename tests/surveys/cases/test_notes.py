"""Notes among readers: hidden, put back, under older keys or under keys that were undone."""

import pytest

from surveys.cases import acts, letters
from surveys.cases.sealing import CannotOpen
from tests.surveys.cases.memory import (
    DAY,
    OUTSIDE,
    Kept,
    World,
    asked,
    broken,
    dice_of,
    hide_notes,
    old_change,
    put_back,
    readers_but,
    report,
)


@pytest.fixture
def world() -> World:
    return World(dice_of(7))


def read_by(kept: Kept, identity: str) -> int:
    """How many notes a private half of notes opens."""
    count = 0
    for row in kept.rows:
        try:
            count += row.stream == "notes" and bool(letters.plain_of(row.sealed, identity))
        except CannotOpen:
            continue
    return count


def written(kept: Kept, name: str, text: str) -> str:
    """Write a note where the desk lets her; the word of what is wrong where it does not."""
    said = kept.opened(name).notes_problem
    if not said:
        kept.note(name, text)
    return said


def test_whoever_was_shut_out_reads_no_later_note_though_the_notes_were_hidden_meanwhile(world: World) -> None:
    kept = report(world)
    kept.note("bruno", "prima")
    his = kept.opened("bruno").keys["notes"][1]
    assert read_by(kept, his) == 1
    there = hide_notes(kept)
    after = readers_but(kept, "bruno")
    kept.change("carla", after, asked(kept, "anna", after))
    put_back(kept, there)
    assert {written(kept, name, "di Bruno") for name in ("anna", "carla", OUTSIDE)} == {""}
    assert read_by(kept, his) == 1
    assert [len(kept.opened(name).notes) for name in ("anna", "carla", OUTSIDE)] == [4, 4, 4]


def test_notes_that_a_change_of_an_older_version_left_without_a_key_wait_for_the_next_change(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = report(world)
    kept.note("bruno", "prima")
    his = kept.opened("bruno").keys["notes"][1]
    after = readers_but(kept, "bruno")
    ask = asked(kept, "anna", after)
    there = hide_notes(kept)
    old_change(kept, "carla", after, ask, monkeypatch)
    put_back(kept, there)
    assert {written(kept, name, "di Bruno") for name in ("anna", "carla", OUTSIDE)} == {"epoch_broken"}
    assert [one.content["text"] for one in kept.opened("anna").notes if one.content] == ["prima"]
    kept.change("anna", readers_but(kept))
    assert {written(kept, name, "di Bruno") for name in ("anna", "carla", OUTSIDE)} == {""}
    assert read_by(kept, his) == 1 and len(kept.opened("carla").notes) == 4


def test_the_first_note_after_a_change_is_under_the_key_that_the_change_made(world: World) -> None:
    kept = report(world)
    after = readers_but(kept, "bruno")
    kept.change("carla", after, asked(kept, "anna", after))
    kept.note("anna", "tra noi")
    kept.change("anna", after)
    kept.note(OUTSIDE, "ancora")
    for name in ("anna", "carla", OUTSIDE):
        opened = kept.opened(name)
        assert (opened.problem, opened.notes_problem) == ("", "")
        assert [one.content["text"] for one in opened.notes if one.content] == ["tra noi", "ancora"]
    assert [row.epoch for row in kept.rows if row.stream == "notes"] == [2, 3]


def test_a_note_under_an_older_key_than_its_author_had_seen_is_refused(world: World) -> None:
    kept = report(world)
    kept.note("bruno", "prima")
    before = kept.opened("anna")
    after = readers_but(kept, "bruno")
    kept.change("carla", after, asked(kept, "anna", after))
    now = kept.opened("anna")
    now.notes_to, now.notes_epoch = before.notes_to, before.notes_epoch  # as if somebody had told her desk so
    made = acts.note(now, world.ring, world.author("anna"), "note", {"text": "di Bruno"}, DAY, world.dice)
    kept.take(made, made["epochs"])
    assert {kept.opened(name).notes_problem for name in ("anna", "carla", OUTSIDE)} == {"place"}


def test_notes_go_on_after_a_change_that_was_void_and_what_was_noted_under_it_is_passed_over(world: World) -> None:
    kept = report(world)
    kept.note("bruno", "prima")
    kept.change("carla", readers_but(kept))
    kept.note("carla", "sotto la chiave che non vale")
    broken(kept, "anna")
    kept.note("anna", "dopo")
    for name in ("anna", "bruno", "carla", OUTSIDE):
        opened = kept.opened(name)
        assert (opened.problem, opened.notes_problem) == ("", "")
        assert [one.content["text"] for one in opened.notes if one.content] == ["prima", "dopo"]
