"""Keys that fail somebody, since 1 December 2026: one says so and nothing is lost; two say so and the thread goes back."""

import base64
from dataclasses import replace
from datetime import date

import pytest

from surveys.cases import acts, letters
from surveys.cases.letters import REPORTER
from surveys.cases.sealed_case import OpenedCase
from surveys.cases.sealing import CannotOpen
from tests.surveys.cases.memory import (
    ALL,
    OUTSIDE,
    Kept,
    World,
    asked,
    broken,
    dice_of,
    fails,
    muted,
    readers_but,
    report,
)
from tests.surveys.cases.test_fold import problem, texts


@pytest.fixture
def world() -> World:
    return World(dice_of(11), day=date(2026, 12, 2))


@pytest.fixture
def kept(world: World) -> Kept:
    there = report(world, "prima")
    there.day = date(2026, 12, 2)
    return there


def opened(kept: Kept, name: str) -> OpenedCase:
    return kept.opened(name)


def claims(kept: Kept, name: str) -> set[str]:
    fold = opened(kept, name).fold
    assert fold is not None
    return {author for one in fold.claims.values() for author in one.by}


def test_one_reader_alone_makes_nothing_void(kept: Kept) -> None:
    """Done by an attacker: one letter of his, and an honest outcome counted no more."""
    kept.change("anna", readers_but(kept))
    kept.write("anna", "outcome", "fatto")
    fails(kept, "carla")
    fails(kept, "carla")
    for name in (REPORTER, *ALL):
        fold = opened(kept, name).fold
        assert problem(kept, name) == "" and fold is not None
        assert (fold.state, fold.void, fold.epoch) == ("outcome", set(), 2)
    assert claims(kept, "anna") == {"carla"}


def test_the_older_act_of_one_stands_in_its_time_only(kept: Kept) -> None:
    kept.change("anna", readers_but(kept))
    broken(kept, "carla")
    assert {problem(kept, name) for name in (REPORTER, "anna")} == {"epoch_broken"}
    older = report(kept.world, "allora")
    older.day = date(2026, 11, 30)
    older.change("anna", readers_but(older))
    broken(older, "carla")
    assert {problem(older, name) for name in (REPORTER, "anna")} == {""}
    fold = opened(older, "anna").fold
    assert fold is not None and (fold.epoch, fold.void) == (1, {2})


@pytest.mark.parametrize("second", [REPORTER, "anna"])
def test_two_whom_keys_fail_go_back_and_all_read_on(kept: Kept, second: str) -> None:
    muted(kept, "carla", [second, "bruno"])
    kept.write("carla", "outcome", "nessuno lo legge")
    assert problem(kept, second) == problem(kept, "bruno") == "epoch_broken"
    fails(kept, "bruno")
    assert problem(kept, second) == "epoch_broken" and opened(kept, second).claimed == {"bruno"}
    fails(kept, second)
    for name in (REPORTER, *ALL):
        fold = opened(kept, name).fold
        assert problem(kept, name) == "" and fold is not None
        assert (fold.epoch, fold.state, fold.void >= {2, 3}) == (1, "received", True), name
    kept.change("anna", readers_but(kept))
    kept.write("bruno", "message", "ora apro")
    assert {problem(kept, name) for name in (REPORTER, *ALL)} == {""}


def test_one_handler_cannot_mute_the_reporter(kept: Kept) -> None:
    """Done by an attacker: a wrap of noise for her, and no desk saw it. Her page says it, a colleague makes new keys, all is there."""
    muted(kept, "carla", [REPORTER])
    kept.write("carla", "message", "senza di lei")
    assert problem(kept, REPORTER) == "epoch_broken" and problem(kept, "anna") == ""
    fails(kept, REPORTER)
    assert claims(kept, "anna") == {REPORTER}
    kept.change("anna", readers_but(kept))
    assert claims(kept, "anna") == set()
    assert texts(kept, REPORTER) == ["prima", "", "senza di lei", "", ""]
    kept.write(REPORTER, "message", "vi leggo")
    assert texts(kept, "bruno")[-1] == "vi leggo"


def test_new_keys_by_whoever_made_the_ones_that_fail_are_no_answer(kept: Kept) -> None:
    muted(kept, "carla", [REPORTER])
    fails(kept, REPORTER)
    muted(kept, "carla", [REPORTER])
    assert claims(kept, "anna") == {REPORTER}
    fails(kept, "bruno")
    assert claims(kept, "anna") == {REPORTER, "bruno"}  # of two changes, one each
    fold = opened(kept, "anna").fold
    assert fold is not None and fold.epoch == 3 and not fold.void


def test_whoever_writes_under_the_new_keys_has_taken_her_word_back(kept: Kept) -> None:
    """Could void honest letters: a word of weeks ago, and a false one beside it."""
    kept.change("anna", readers_but(kept))
    fails(kept, "bruno")
    kept.write("bruno", "message", "ora si apre")
    kept.write("anna", "outcome", "fatto")
    fails(kept, "carla")
    fold = opened(kept, "anna").fold
    assert fold is not None and (fold.state, fold.void) == ("outcome", set())


def test_two_go_back_behind_two_changes_but_never_behind_one_that_took_a_key(kept: Kept) -> None:
    first = opened(kept, "bruno")
    muted(kept, "carla", ["bruno", REPORTER])
    muted(kept, "carla", ["bruno", REPORTER])
    fails(kept, "bruno")
    fails(kept, REPORTER)
    fold = opened(kept, "anna").fold
    assert fold is not None and (fold.epoch, fold.highest) == (1, 3) and not first.problem
    other = report(kept.world)
    after = readers_but(other, "bruno")
    other.change("carla", after, asked(other, "anna", after))
    fails(other, OUTSIDE)
    fails(other, REPORTER)
    fold = opened(other, "anna").fold
    assert fold is not None and (fold.epoch, fold.void, set(fold.readers)) == (2, set(), {"anna", "carla", OUTSIDE})


def test_who_was_shut_out_or_never_read_has_no_word(kept: Kept) -> None:
    before = opened(kept, "bruno")
    after = readers_but(kept, "bruno")
    kept.change("carla", after, asked(kept, "anna", after))
    assert before.fold is not None
    with pytest.raises(CannotOpen):
        acts.fails(opened(kept, "bruno"), kept.world.ring, kept.world.author("bruno"), 3, kept.day, kept.world.dice)
    with pytest.raises(CannotOpen):
        acts.fails(before, kept.world.ring, kept.world.author("bruno"), 3, kept.day, kept.world.dice)
    fold = opened(kept, "anna").fold
    assert fold is not None
    back = fold.undo[fold.act]
    for author, word in (("bruno", "epoch_broken"), ("carla", "author_unknown")):
        there = Kept(kept.world, kept.me, kept.secret, list(kept.epochs), list(kept.rows), kept.day)
        place = replace(acts.place_after(back, kept.world.ring), number=fold.count + 1, before=fold.act)
        signer = kept.world.author("bruno")
        plain, _ = letters.write(place, letters.Author(author, signer.seed), "fails", "2026-12-02", {"text": ""}, bytes(32), {"change": fold.act})
        there.take({"stream": "thread", "number": fold.count + 1, "epoch": 1, "sealed": base64.b64encode(letters.seal(plain, back.to)).decode()})
        assert problem(there, "anna") == word


def test_a_false_word_in_somebody_s_name_opens_no_way_past_what_one_cannot_read(kept: Kept) -> None:
    """Whoever holds the key of before and the database writes two words in other names: Bruno's desk passes over nothing."""
    muted(kept, "carla", ["bruno"])
    kept.write("carla", "message", "non per Bruno")
    fold = opened(kept, "anna").fold
    assert fold is not None
    back = fold.undo[fold.act]
    for offset, name in enumerate(("anna", OUTSIDE)):
        place = replace(acts.place_after(back, kept.world.ring), number=fold.count + 1 + offset, before=fold.act)
        plain, _ = letters.write(place, letters.Author(name, bytes(31) + b"1"), "fails", "2026-12-02", {"text": ""}, bytes(32), {"change": fold.act})
        kept.take({"stream": "thread", "number": place.number, "epoch": 1, "sealed": base64.b64encode(letters.seal(plain, back.to)).decode()})
    mine = opened(kept, "bruno")
    assert (mine.problem, mine.claimed) == ("epoch_broken", set())
    assert mine.fold is not None and (mine.fold.count, mine.fold.void) == (2, set())


def test_a_note_under_keys_that_were_left_is_marked_where_the_change_did_not_see_it(kept: Kept) -> None:
    """Done by an attacker: shut out, he added a note in his own name, as if from before."""
    kept.note("carla", "vista")
    before = opened(kept, "bruno")
    after = readers_but(kept, "bruno")
    kept.change("carla", after, asked(kept, "anna", after))
    kept.take(acts.note(before, kept.world.ring, kept.world.author("bruno"), "note", {"text": "aggiunta"}, kept.day, kept.world.dice))
    kept.note("anna", "dopo")
    mine = opened(kept, "anna")
    assert mine.notes_problem == "" and mine.late_notes == {2}
    assert [note.content["text"] for note in mine.notes if note.content] == ["vista", "aggiunta", "dopo"]
    kept.rows[:] = [row for row in kept.rows if (row.stream, row.number) not in {("notes", 1), ("notes", 2), ("notes", 3)}]
    assert opened(kept, "anna").notes_problem == "shorter"


def test_no_note_comes_under_older_keys_once_one_stands_under_newer(kept: Kept) -> None:
    kept.note("carla", "vista")
    before = opened(kept, "bruno")
    after = readers_but(kept, "bruno")
    kept.change("carla", after, asked(kept, "anna", after))
    kept.note("anna", "dopo")
    now = opened(kept, "anna")
    late = replace(before, notes=now.notes, notes_rows=now.notes_rows)
    kept.take(acts.note(late, kept.world.ring, kept.world.author("bruno"), "note", {"text": "aggiunta"}, kept.day, kept.world.dice))
    assert opened(kept, "anna").notes_problem == "place"
