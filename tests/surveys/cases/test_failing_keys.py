"""Keys that fail somebody, since 1 December 2026: she says so under the keys before, others make new ones, and nothing is ever lost."""

import base64
from dataclasses import replace
from datetime import date

import pytest

from surveys.cases import acts, letters, wraps
from surveys.cases.letters import REPORTER
from surveys.cases.sealed_case import OpenedCase
from surveys.cases.sealing import CannotOpen, identity_text, recipient_of
from surveys.cases.wraps import EpochKey
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


@pytest.mark.parametrize("names", [[REPORTER, "bruno"], ["anna", "bruno"], ["carla", REPORTER]])
def test_no_words_of_however_many_make_void_what_was_written(kept: Kept, names: list[str]) -> None:
    """Done by an attacker: he muted the reporter, she said so, he said so too of his own keys, and an honest outcome counted no more."""
    muted(kept, "carla", [name for name in names if name != "carla"])
    kept.write("carla", "outcome", "fatto")
    for name in names:
        fails(kept, name)
    fold = opened(kept, "carla").fold
    assert fold is not None and (fold.state, fold.epoch, fold.void) == ("outcome", 2, set())
    for name in names:
        if name != "carla":
            fold = opened(kept, name).fold
            assert problem(kept, name) == "epoch_broken" and fold is not None and fold.epoch == 2
    helper = next(name for name in (OUTSIDE, "anna") if name not in names)
    kept.change(helper, readers_but(kept))
    for name in (REPORTER, *ALL):
        fold = opened(kept, name).fold
        assert problem(kept, name) == "" and fold is not None
        assert (fold.state, fold.epoch, fold.void) == ("outcome", 3, set()), name


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


def test_an_old_act_that_one_cannot_date_is_believed_only_where_another_wrote_on_after_it(kept: Kept) -> None:
    """Done by an attacker: muted, she could not see December's days; one `broken` of November sent her back alone, and desks that
    could read did not follow. Nobody's view may part from the others' without a word."""
    before, kept.day = kept.day, date(2026, 11, 29)
    muted(kept, "carla", [REPORTER])
    kept.day = before
    kept.write("anna", "message", "dicembre")
    kept.day = date(2026, 11, 30)
    broken(kept, "carla")
    kept.day = before
    assert {problem(kept, name) for name in (REPORTER, "anna", "bruno")} == {"epoch_broken"}
    carla = opened(kept, "carla")
    assert carla.fold is not None
    act = letters.read(letters.plain_of(kept.rows[-1].sealed, carla.keys["thread"][1]))
    place = replace(
        acts.place_after(carla.fold.undo[carla.fold.act], kept.world.ring), number=len(kept.rows) + 1, before=act.hash
    )
    plain, _ = letters.write(place, kept.world.author("carla"), "message", "2026-11-30", {"text": "seguo"}, bytes(32))
    kept.take(
        {
            "stream": "thread",
            "number": place.number,
            "epoch": 1,
            "sealed": base64.b64encode(letters.seal(plain, place.to)).decode(),
        }
    )
    assert problem(kept, REPORTER) == "epoch_broken"  # he follows himself


@pytest.mark.parametrize("name", [REPORTER, "bruno"])
def test_a_wrap_of_another_pair_of_keys_is_keys_that_fail(kept: Kept, name: str) -> None:
    """Done by an attacker: a wrap signed as it should be that held other keys; the page said all was well, then `place`, without a button."""
    there = opened(kept, "carla")
    assert there.fold is not None
    made = acts.change(
        there,
        kept.world.ring,
        kept.world.author("carla"),
        acts.Change(readers_but(kept), there.fold.recovery),
        kept.day,
        kept.world.dice,
    )
    seed = kept.world.dice(32)
    other = EpochKey(there.fold.start, "thread", 2, identity_text(seed), recipient_of(seed), letters.NONE)
    to = kept.me.reader if name == REPORTER else there.fold.readers[name]["recipient"]
    made["epochs"][0]["wraps"][name] = base64.b64encode(
        wraps.make(other, kept.world.author("carla"), name, to)
    ).decode()
    kept.take(made["letter"], made["epochs"])
    assert problem(kept, name) == "epoch_broken"
    kept.write("anna", "message", "senza di lei")
    assert problem(kept, name) == "epoch_broken"
    fails(kept, name)
    kept.change("anna", readers_but(kept))
    assert {problem(kept, one) for one in (REPORTER, *ALL)} == {""} and "senza di lei" in texts(kept, name)


def test_an_epoch_that_no_letter_made_stands_in_nobody_s_way(kept: Kept) -> None:
    """Done by an attacker: epochs beside an ordinary message; no key could change any more, and the reporter was told that letters were missing."""
    there = opened(kept, "carla")
    assert there.fold is not None
    seed = kept.world.dice(32)
    other = EpochKey(there.fold.start, "thread", 2, identity_text(seed), recipient_of(seed), letters.NONE)
    made = {REPORTER: kept.me.reader, **{one: keys["recipient"] for one, keys in there.fold.readers.items()}}
    sent = {
        one: base64.b64encode(wraps.make(other, kept.world.author("carla"), one, to)).decode()
        for one, to in made.items()
    }
    link = base64.b64encode(wraps.make_link(1, identity_text(kept.world.dice(32)), recipient_of(seed))).decode()
    letter = acts.letter(
        there.fold,
        kept.world.ring,
        kept.world.author("carla"),
        "message",
        {"text": "buongiorno"},
        kept.day,
        kept.world.dice,
    )
    kept.take(letter, [{"stream": "thread", "number": 2, "wraps": sent, "link": link}])
    assert {problem(kept, one) for one in (REPORTER, *ALL)} == {""}
    kept.change("anna", readers_but(kept, "carla"), asked(kept, "bruno", readers_but(kept, "carla")))
    kept.write(REPORTER, "message", "avanti")
    fold = opened(kept, "bruno").fold
    assert fold is not None and (fold.epoch, set(fold.readers)) == (3, {"anna", "bruno", OUTSIDE})
    kept.rows[:] = kept.rows[:-2]
    assert problem(kept, "anna") == "shorter"  # the change itself is hidden, its epoch is there


def test_an_ask_is_good_for_one_act(kept: Kept) -> None:
    """Could be done by one: the same ask, twice."""
    after = readers_but(kept, "bruno")
    ask = asked(kept, "anna", after)
    back = readers_but(kept)
    kept.change("carla", after, ask)
    again = asked(kept, "anna", back)
    kept.change("carla", back, again)
    kept.change("carla", after, ask)
    assert problem(kept, "anna") == "expel_refused"


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
        plain, _ = letters.write(
            place,
            letters.Author(author, signer.seed),
            "fails",
            "2026-12-02",
            {"text": ""},
            bytes(32),
            {"change": fold.act},
        )
        there.take(
            {
                "stream": "thread",
                "number": fold.count + 1,
                "epoch": 1,
                "sealed": base64.b64encode(letters.seal(plain, back.to)).decode(),
            }
        )
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
        plain, _ = letters.write(
            place,
            letters.Author(name, bytes(31) + b"1"),
            "fails",
            "2026-12-02",
            {"text": ""},
            bytes(32),
            {"change": fold.act},
        )
        kept.take(
            {
                "stream": "thread",
                "number": place.number,
                "epoch": 1,
                "sealed": base64.b64encode(letters.seal(plain, back.to)).decode(),
            }
        )
    mine = opened(kept, "bruno")
    assert (mine.problem, mine.claimed) == ("epoch_broken", set())
    assert mine.fold is not None and (mine.fold.count, mine.fold.void) == (2, set())


def test_a_note_under_keys_that_were_left_is_marked_where_the_change_did_not_see_it(kept: Kept) -> None:
    """Done by an attacker: shut out, he added a note in his own name, as if from before."""
    kept.note("carla", "vista")
    before = opened(kept, "bruno")
    after = readers_but(kept, "bruno")
    kept.change("carla", after, asked(kept, "anna", after))
    kept.take(
        acts.note(
            before, kept.world.ring, kept.world.author("bruno"), "note", {"text": "aggiunta"}, kept.day, kept.world.dice
        )
    )
    kept.note("anna", "dopo")
    mine = opened(kept, "anna")
    assert mine.notes_problem == "" and mine.late_notes == {2: "carla"}
    assert [note.content["text"] for note in mine.notes if note.content] == ["vista", "aggiunta", "dopo"]
    kept.rows[:] = [row for row in kept.rows if row.stream != "notes"]
    hidden = opened(kept, "anna")
    assert (hidden.notes_problem, hidden.missing_note) == ("", "carla")


def test_a_change_that_names_a_note_that_never_was_binds_nobody(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    """Done by an attacker: every desk said for ever that notes were missing."""
    kept.note("anna", "vista")
    with monkeypatch.context() as patch:
        patch.setattr(acts, "_noted", lambda *_: "f" * 64)
        kept.change("carla", readers_but(kept))
    kept.note("bruno", "dopo")
    mine = opened(kept, "anna")
    assert (mine.notes_problem, mine.missing_note, mine.late_notes, len(mine.notes)) == ("", "carla", {}, 2)


def test_no_note_comes_under_older_keys_once_one_stands_under_newer(kept: Kept) -> None:
    kept.note("carla", "vista")
    before = opened(kept, "bruno")
    after = readers_but(kept, "bruno")
    kept.change("carla", after, asked(kept, "anna", after))
    kept.note("anna", "dopo")
    now = opened(kept, "anna")
    late = replace(before, notes=now.notes, notes_rows=now.notes_rows)
    kept.take(
        acts.note(
            late, kept.world.ring, kept.world.author("bruno"), "note", {"text": "aggiunta"}, kept.day, kept.world.dice
        )
    )
    assert opened(kept, "anna").notes_problem == "place"
