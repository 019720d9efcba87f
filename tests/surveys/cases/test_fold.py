"""What a thread of version 2 decides: who reads, who may change it, what two must do, what a reporter's code refuses."""

import base64
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from surveys.cases import acts, letters, wraps
from surveys.cases.acts import Reporter
from surveys.cases.letters import RECOVERY, REPORTER
from surveys.cases.opening import open_case
from surveys.cases.sealed_case import Party
from surveys.cases.sealing import CannotOpen, identity_text, recipient_of
from surveys.public.rings import NONE
from tests.surveys.cases import desk_side
from tests.surveys.cases.memory import ALL, DAY, OUTSIDE, Kept, World, asked, code, dice_of, readers_but, report


@pytest.fixture
def world() -> World:
    return World(dice_of(7))


def texts(kept: Kept, name: str) -> list[str]:
    return [letter.content["text"] for letter in kept.opened(name).thread if letter.content]


def problem(kept: Kept, name: str, keys: Any = None) -> str:
    try:
        return kept.opened(name, keys).problem
    except CannotOpen as refused:
        return str(refused)


def test_a_report_is_read_by_those_it_names_and_by_nobody_else(world: World) -> None:
    kept = report(world, "la mia storia", out=["bruno"])
    assert (
        texts(kept, "anna")
        == texts(kept, "carla")
        == texts(kept, OUTSIDE)
        == texts(kept, REPORTER)
        == ["la mia storia"]
    )
    assert problem(kept, "bruno") == "wrap_not_mine"


def test_letters_go_back_and_forth_and_state_and_days_follow_from_them(world: World) -> None:
    kept = report(world)
    kept.later(3)
    kept.write("anna", "acknowledge", "arrivato")
    kept.later(20)
    kept.write("carla", "outcome", "fatto")
    kept.later(1)
    kept.write(REPORTER, "contest", "no")
    kept.write("anna", "final", "chiudo io")  # only the substitute ends a contested case: this moves nothing
    fold = kept.opened(REPORTER).fold
    assert fold is not None and (fold.state, fold.outcome) == ("contested", "2026-12-18")
    kept.later(5)
    kept.write(OUTSIDE, "final", "secondo sguardo")
    for name in (REPORTER, *ALL):
        fold = kept.opened(name).fold
        assert fold is not None
        assert (fold.received, fold.acknowledged, fold.outcome, fold.state) == (
            "2026-11-25",
            "2026-11-28",
            "2026-12-24",
            "final",
        )


def test_a_change_of_keys_keeps_all_that_was_written_and_shuts_out_whoever_two_expel(world: World) -> None:
    kept = report(world, "prima")
    kept.note("anna", "tra noi")
    after = readers_but(kept, "bruno")
    ask = asked(kept, "anna", after)
    kept.change("carla", after, ask)
    kept.write("anna", "message", "dopo")
    kept.note("carla", "ancora")
    for name in ("anna", "carla", OUTSIDE):
        opened = kept.opened(name)
        assert opened.problem == opened.notes_problem == ""
        assert texts(kept, name)[0] == "prima" and texts(kept, name)[-1] == "dopo"
        assert [letter.content["text"] for letter in opened.notes if letter.content] == ["tra noi", "ancora"]
    assert texts(kept, REPORTER)[-1] == "dopo" and kept.opened(REPORTER).problem == ""
    assert "dopo" not in texts(kept, "bruno") and problem(kept, "bruno") != ""


def test_one_reader_alone_can_neither_expel_nor_add(world: World) -> None:
    kept = report(world, out=[OUTSIDE])
    kept.change("anna", readers_but(kept, "bruno"))
    assert {problem(kept, name) for name in (REPORTER, "anna", "carla")} == {"expel_refused"}
    kept = report(world)
    world.keys["dario"] = world.new_keys()
    world.ring_of((*ALL, "dario"))
    kept.change("anna", [*readers_but(kept), acts.keys_of(world.ring.readers[-1])])
    assert {problem(kept, name) for name in (REPORTER, "anna", "bruno")} == {"gain_refused"}
    assert texts(kept, "bruno") == ["parole"]


def test_asking_oneself_does_not_make_two(world: World) -> None:
    kept = report(world)
    after = readers_but(kept, "bruno")
    kept.change("anna", after, asked(kept, "anna", after))
    assert problem(kept, REPORTER) == "expel_refused"


def test_an_ask_lets_exactly_that_change_happen_and_no_other(world: World) -> None:
    kept = report(world)
    ask = asked(kept, "anna", readers_but(kept, "bruno"))
    kept.change("carla", readers_but(kept, OUTSIDE), ask)
    assert problem(kept, REPORTER) == "expel_refused"


def test_the_reporter_can_allow_what_one_reader_asks(world: World) -> None:
    kept = report(world)
    after = readers_but(kept, "bruno")
    ask = asked(kept, "anna", after)
    kept.write(REPORTER, "allow", "va bene", {"ask": ask})
    kept.change("anna", after, ask)
    assert problem(kept, REPORTER) == problem(kept, "carla") == ""


def test_whom_the_reporter_kept_out_never_returns_not_under_another_id_name_or_key(world: World) -> None:
    kept = report(world, out=["bruno"])
    old = world.keys["bruno"]
    for name, keys in (("bruno", old), ("altro", old), ("bruno", world.new_keys())):
        world.keys[name] = keys
        world.ring_of(("anna", "carla", OUTSIDE, name))
        branch = Kept(world, kept.me, kept.secret, list(kept.epochs), list(kept.rows))
        after = [*readers_but(branch), acts.keys_of(world.ring.readers[-1])]
        branch.change("carla", after, asked(branch, "anna", after))
        assert problem(branch, REPORTER) == problem(branch, "anna") == "out_returns", name


KEPT_OUT = "Bruno Però Strauß"
LOOKS_THE_SAME = (
    KEPT_OUT,
    "BRUNO PERÒ STRAUSS",
    "Bruno Pero\u0300 Strauß",
    "Bruno\u00a0Però Strauß",
    "Bruno  Però Strauß",
    " Bruno Però Strauß ",
    "Ｂｒｕｎｏ Però Strauß",
    "Bruno Però\ufe0f Strauß",
    "Bruno\u3164Però Strauß",
    "Bruno\u2800Però\u2003Strauß",
    "bruno però\u034f strauß",
    "Bruno\u2065 Però Strauß",
    "Bruno Però\ufff0 Strauß",
    "Bruno Pero\U000e0080\u0300 Strauß",
    "Bruno Però Strauß\U000e0fff",
)
ANOTHER = ("Bruno Pero Strauß", "BrunoPerò Strauß", "Bruno Però", "Anna Rossi", "\u3164")


def test_whom_the_reporter_kept_out_does_not_return_under_a_name_that_looks_the_same(world: World) -> None:
    """Done by an attacker: new account, new keys, and his own name in decomposed letters. A homonym's lookalike would leak."""
    for name, expected in [(one, "out_returns") for one in LOOKS_THE_SAME] + [(one, "") for one in ANOTHER]:
        assert returned_as(name) == expected, ascii(name)


def returned_as(name: str) -> str:
    """What a reporter's device says when somebody on a newer list, of this name, is let in."""
    kept = returning(name)
    said = {problem(kept, REPORTER), problem(kept, "anna")}
    assert len(said) == 1
    return said.pop()


def returning(name: str) -> Kept:
    world = World(dice_of(7), shown={"bruno": KEPT_OUT, "altro": name})
    kept = report(world, out=["bruno"])
    world.keys["altro"] = world.new_keys()
    world.ring_of(("anna", "carla", OUTSIDE, "altro"))
    after = [*readers_but(kept), acts.keys_of(world.ring.readers[-1])]
    kept.change("carla", after, asked(kept, "anna", after))
    return kept


def test_whoever_the_newest_list_dropped_goes_by_one_hand_and_renewed_keys_come_by_one(world: World) -> None:
    kept = report(world)
    world.keys["carla"] = world.new_keys()
    world.ring_of(("anna", "carla", "dario", OUTSIDE) if "dario" in world.keys else ("anna", "carla", OUTSIDE))
    fold = kept.opened("anna").fold
    assert fold is not None
    kept.change("anna", desk_side.wanted_readers(fold, world.chain))
    opened = kept.opened("carla")
    assert opened.problem == "" and set(opened.fold.readers if opened.fold else ()) == {"anna", "carla", OUTSIDE}
    assert texts(kept, "carla")[0] == "parole"


def test_an_older_list_that_still_names_a_removed_handler_gives_nobody_a_key(world: World) -> None:
    kept = report(world, out=[])
    world.ring_of(("anna", "carla", OUTSIDE), DAY)
    fold = kept.opened("anna").fold
    assert fold is not None
    kept.change("anna", desk_side.wanted_readers(fold, world.chain))
    after = [*readers_but(kept), acts.keys_of(world.found[0].readers[1])]
    ask = asked(kept, "anna", after)
    kept.world.found, newest = world.found, world.found[1]
    with pytest.raises(StopIteration):
        next(reader for reader in newest.readers if reader.id == "bruno")
    kept.change("carla", after, ask)
    assert problem(kept, "anna") == "gain_refused"


def test_a_list_without_its_newest_ring_is_told_old(world: World) -> None:
    kept = report(world)
    world.ring_of(ALL)
    kept.write("anna", "acknowledge", "visto")
    world.found.pop()
    assert problem(kept, REPORTER) == problem(kept, "bruno") == "ring_old"
    assert texts(kept, "bruno") == ["parole"]


def test_a_wholly_forged_thread_is_refused_by_the_code(world: World) -> None:
    kept, other = report(world), Reporter(code(world))
    forged = acts.report(other, world.ring, world.anchor.hash, (), {"text": "ritiro tutto"}, DAY, world.dice)
    forged_case = Kept(world, other)
    forged_case.take({"stream": "thread", "number": 1, "sealed": forged["letters"][0]}, forged["epochs"])
    stolen = forged_case.sealed(REPORTER)
    with pytest.raises(CannotOpen):
        open_case(stolen, kept.me.party, world.anchor.hash, world.chain)


def test_another_house_is_refused(world: World) -> None:
    kept = report(world)
    with pytest.raises(CannotOpen, match="house_other"):
        open_case(kept.sealed("anna"), Kept(world, kept.me).me.party, "ab" * 32, world.chain)


def test_a_reader_whom_no_list_names_is_refused(world: World) -> None:
    me, kept = Reporter(code(world)), None
    stranger = world.new_keys()
    ring = world.ring
    readers = [acts.keys_of(reader) for reader in ring.readers] + [
        {"id": "amico", "recipient": stranger.recipient, "signer": stranger.signer}
    ]
    terms = {"signer": me.signer, "reader": me.reader, "readers": readers, "out": [], "recovery": []}
    to = recipient_of(me.keys.thread)
    place = letters.Place(world.anchor.hash, me.case, NONE, "thread", 1, NONE, 1, to, ring.number, ring.hash)
    plain, start = letters.write(place, me.author, "report", DAY.isoformat(), {"text": "x"}, bytes(32), terms)
    key = wraps.EpochKey(start, "thread", 1, identity_text(me.keys.thread), to, start)
    kept = Kept(world, me)

    epoch = {
        "stream": "thread",
        "number": 1,
        "link": "",
        "wraps": {"anna": base64.b64encode(wraps.make(key, me.author, "anna", readers[0]["recipient"])).decode()},
    }
    kept.take({"stream": "thread", "number": 1, "sealed": base64.b64encode(letters.seal(plain, to)).decode()}, [epoch])
    assert problem(kept, "anna") == "reader_foreign"


def test_a_removed_handler_with_all_old_keys_writes_nothing_that_counts(world: World) -> None:
    kept = report(world)
    before = kept.opened("bruno")
    after = readers_but(kept, "bruno")
    kept.change("carla", after, asked(kept, "anna", after))
    good = list(kept.rows)
    assert before.fold is not None
    kept.take(
        acts.letter(before.fold, world.ring, world.author("bruno"), "message", {"text": "dimentica"}, DAY, world.dice)
        | {"number": len(good) + 1, "epoch": 1}
    )
    assert problem(kept, REPORTER) == problem(kept, "anna") == "place"
    assert "dimentica" not in texts(kept, REPORTER)


def test_a_redaction_needs_two_and_the_words_that_stand_there_are_the_ones_both_saw(world: World) -> None:
    kept = report(world, "mi ha toccata, abita in via Roma 3")
    letter = kept.opened("anna").thread[0]
    text = "mi ha toccata"
    payload = desk_side.payload_of_redaction(1, letter["content"], text, [])
    terms = {"number": 1, "content": letter["content"], "text": acts.hash_of(text), "files": []}
    alone = Kept(world, kept.me, kept.secret, list(kept.epochs), list(kept.rows))
    alone.write("anna", "redact", text, {**terms, "asked": ""})
    assert problem(alone, REPORTER) == "redaction_alone"
    ask = kept.write(
        "anna", "ask", "via l'indirizzo", {"what": "redact", "payload": acts.hash_of(payload)}, payload=payload
    )
    other = Kept(world, kept.me, kept.secret, list(kept.epochs), list(kept.rows))
    other.write("carla", "redact", "mi ha salutata", {**terms, "text": acts.hash_of("mi ha salutata"), "asked": ask})
    assert problem(other, REPORTER) == "redaction_alone"
    kept.write("carla", "redact", text, {**terms, "asked": ask})
    assert problem(kept, REPORTER) == ""
    from surveys.cases.opening import redacted_text

    assert redacted_text(kept.opened(REPORTER), 1) == text


def test_a_letter_emptied_by_one_hand_is_told_and_who_reads_is_still_known(world: World) -> None:
    from dataclasses import replace

    kept = report(world)
    keys = kept.opened("anna").keys["thread"]
    plain = desk_side.emptied(letters.plain_of(kept.rows[0].sealed, keys[1]))
    kept.rows[0] = replace(kept.rows[0], sealed=letters.seal(plain, recipient_of(kept.me.keys.thread)))
    opened = kept.opened(REPORTER)
    assert opened.problem == "redaction_alone"
    assert opened.fold is not None and set(opened.fold.readers) == set(ALL)


def _opens(first: str, second: str) -> Callable[[bytes, str, int], wraps.Wrap]:
    return lambda sealed, stream, number: wraps.open_recovery(sealed, first, second, stream, number)


def test_two_of_three_recovery_holders_open_and_one_does_not(world: World) -> None:
    kept = report(world, "da salvare")
    unticked = report(world, out=[RECOVERY])
    seeds = {seat: identity_text(seed) for seat, seed in world.holders.items()}
    for pair in wraps.PAIRS:
        first, second = seeds[pair[0]], seeds[pair[1]]
        party = Party(RECOVERY, _opens(first, second))
        opened = open_case(kept.sealed(wraps.pair_name(pair)), party, world.anchor.hash, world.chain)
        assert opened.problem == "" and opened.thread[0].content == {"text": "da salvare"}
        with pytest.raises(CannotOpen):
            open_case(unticked.sealed(wraps.pair_name(pair)), party, world.anchor.hash, world.chain)
        alone = Party(RECOVERY, _opens(first, first))
        with pytest.raises(CannotOpen):
            open_case(kept.sealed(wraps.pair_name(pair)), alone, world.anchor.hash, world.chain)


def test_all_wraps_have_one_size_and_recovery_too(world: World) -> None:
    kept = report(world)
    assert {len(sealed) for sealed in kept.epochs[0]["wraps"].values()} == {2248}
    assert len(kept.epochs[0]["wraps"]) == 4 + 3


def test_a_diary_opens_with_the_code_alone(world: World) -> None:
    me = Reporter(code(world))
    kept = Kept(world, me)
    kept.take(
        {
            "stream": "diary",
            "number": 1,
            "sealed": acts.diary(me, world.anchor.hash, {"text": "uno"}, DAY, world.dice)["letters"][0],
        }
    )
    opened = kept.opened(REPORTER)
    kept.take(acts.diary(me, world.anchor.hash, {"text": "due"}, DAY + timedelta(days=1), world.dice, opened))
    assert [entry.content["text"] for entry in kept.opened(REPORTER).diary if entry.content] == ["uno", "due"]
    kept.rows.reverse()
    kept.rows = [kept.rows[0].__class__("diary", place, 1, row.sealed) for place, row in enumerate(kept.rows, 1)]
    assert problem(kept, REPORTER) == "place"


def test_whoever_leaves_by_herself_may_leave_one_behind_and_two_may_not_be_shut_out_so_far(world: World) -> None:
    kept = report(world, out=["bruno"])
    kept.write("carla", "leave")
    fold = kept.opened("anna").fold
    assert fold is not None
    kept.change("anna", desk_side.wanted_readers(fold, world.chain))
    assert problem(kept, "anna") == problem(kept, REPORTER) == ""
    after = readers_but(kept, "anna")
    kept.change(OUTSIDE, after, asked(kept, OUTSIDE, after))
    assert problem(kept, REPORTER) == "expel_refused"
    kept = report(world, out=["bruno"])
    after = readers_but(kept, "carla", "anna")
    ask = asked(kept, "anna", after)
    kept.write(REPORTER, "allow", "", {"ask": ask})
    kept.change(OUTSIDE, after, ask)
    assert problem(kept, REPORTER) == "expel_refused"
