"""Cases in their store, on both engines: who sees what, steps, keys lost and changed, retention."""

import asyncio
import base64
import hashlib
import os
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import msgspec
import pytest

from surveys.cases import acts, codes, desk, handlers, incoming, intake, keeping, log, pieces, standing
from surveys.cases.acts import Reporter
from surveys.cases.bundles import make_bundle, new_kit, open_bundle, split
from surveys.cases.clocks import State
from surveys.cases.desk import NotAllowed
from surveys.cases.handlers import HandlerRecord
from surveys.cases.incoming import (
    AlreadyThere,
    CaseUnknown,
    OutOfStep,
    Proof,
    Reply,
    Report,
    ReportRefused,
    proof_of,
)
from surveys.cases.keeper import RECOVERY, REPORTER
from surveys.cases.opening import open_case
from surveys.cases.recovery import party
from surveys.cases.sealing import CannotOpen, decrypt, encrypt, identity_text, new_identity
from surveys.cases.tables import Case, Epoch, Message, Piece, Wrap
from surveys.cases.writing import Writing, append_letter, confirm
from surveys.lifecycle.context import House
from surveys.public import channel
from tests.conftest import ORGANISATION
from tests.surveys.cases.memory import broken_letter
from tests.surveys.cases.people import (
    ALL,
    OUTSIDE,
    Team,
    Written,
    file_of,
    keeper_of,
    made_report,
    new_epoch,
    new_keys,
    next_ring,
    open_of,
    opened,
    report,
    say,
    sealed_of,
    seat,
    stands,
    texts,
    wanted,
)


@pytest.fixture
async def made(house: House) -> Team:
    return await opened(house, ORGANISATION)


def later(house: House, days: int) -> House:
    return replace(house, day=house.day + timedelta(days=days))


async def sees(house: House, made: Team, name: str) -> list[int]:
    return [line.case for line in await desk.inbox(await seat(house, made), name)]


def _b64(content: bytes) -> str:
    return base64.b64encode(content).decode()


async def contest(house: House, made: Team, written: Written) -> None:
    await say(house, made, written, REPORTER, "no", kind="contest")


async def test_a_report_is_read_by_those_who_got_a_key_and_by_nobody_else(house: House, made: Team) -> None:
    written = await report(house, made, "la mia storia", out=["bruno"])
    assert await texts(house, made, written, "anna") == ["la mia storia"]
    assert await sees(house, made, "anna") == await sees(house, made, "carla") == [written.case]
    assert (
        await sees(house, made, "bruno") == await sees(house, made, OUTSIDE) == await sees(house, made, "nobody") == []
    )


async def test_a_case_does_not_exist_for_an_excluded_handler_by_any_question(house: House, made: Team) -> None:
    written = await report(house, made, out=["bruno"])
    at_desk = await seat(house, made)
    writing = Writing("thread", 2, _b64(encrypt(b"x", new_identity()[1])))
    for question in (
        desk.case_file(at_desk, written.case, "bruno"),
        append_letter(at_desk, written.case, "bruno", writing),
        standing.step_out(at_desk, written.case, "bruno"),
        standing.set_hold(at_desk, written.case, "bruno", True),
        confirm(at_desk, written.case, "bruno", 1, ["bruno"]),
        standing.confirm_replacement(at_desk, written.case, "bruno", 1, "0" * 64),
        standing.replace_message(at_desk, written.case, "bruno", 1, writing.sealed),
        desk.case_file(at_desk, written.case + 1, "anna"),
    ):
        with pytest.raises(CaseUnknown):
            await question


async def test_the_store_names_no_reader_and_every_epoch_has_ten_wraps_alike(house: House, made: Team) -> None:
    await report(house, made, out=["anna"])
    await report(house, made)
    await report(house, made, diary=True)
    wraps = await Wrap.select()
    assert len(wraps) == 3 * 10
    assert {len(bytes(row["sealed"])) for row in wraps} == {incoming.WRAP_SEALED}
    assert len({bytes(row["reader"]) for row in wraps}) == 30
    everything = repr([*wraps, *await Case.select(), *await Epoch.select(), *await Message.select()])
    assert not any(name in everything for name in ("anna", "bruno", "carla", RECOVERY, OUTSIDE))


async def test_the_same_report_sent_again_is_one_report_and_another_under_its_code_is_refused(
    house: House, made: Team
) -> None:
    keys = codes.derive(codes.new_code(os.urandom), bytes(16))
    first, other = (msgspec.convert(made_report(made, keys, text, (), house), Report) for text in "ab")
    store, keeper = house.engines["cases"], keeper_of(house)
    number = int(Reporter(keys).case, 16)
    assert await intake.receive(store, keeper, first, list(ALL), house.day) == number
    assert await intake.receive(store, keeper, first, list(ALL), house.day) == number
    with pytest.raises(AlreadyThere):
        await intake.receive(store, keeper, other, list(ALL), house.day)
    assert (await Case.count(), await Message.count()) == (1, 1)


async def test_unknown_wrong_and_deleted_codes_get_the_same_answer(house: House, made: Team) -> None:
    written, gone = await report(house, made), await report(house, made, diary=True)
    row = await intake.find(proof_of(gone.keys.locator.hex(), gone.keys.auth.hex()))
    await keeping.delete_by_reporter(house.engines["cases"], row, house.day)
    right = proof_of(written.keys.locator.hex(), written.keys.auth.hex())
    assert (await intake.find(right))["id"] == written.case
    wrong = (
        Proof(right.locator, bytes(32)),
        Proof(bytes(32), right.auth),
        proof_of(gone.keys.locator.hex(), gone.keys.auth.hex()),
    )
    answers = []
    for proof in wrong:
        with pytest.raises(CaseUnknown) as problem:
            await intake.find(proof)
        answers.append(str(problem.value))
    assert set(answers) == {""}


@pytest.mark.parametrize("field", ["wraps", "size", "reporter", "letters", "epoch", "link", "number", "locator"])
async def test_a_malformed_report_is_refused_whole(house: House, made: Team, field: str) -> None:
    keys = codes.derive(codes.new_code(os.urandom), bytes(16))
    content = made_report(made, keys, "x", (), house)
    epoch = content["epochs"][0]
    wraps, wrap = epoch["wraps"], next(iter(epoch["wraps"].values()))
    broken = {
        "wraps": content | {"epochs": [epoch | {"wraps": wraps | {"nobody": wrap}}]},
        "size": content | {"epochs": [epoch | {"wraps": wraps | {"anna": content["letters"][0]}}]},
        "reporter": content | {"epochs": [epoch | {"wraps": wraps | {REPORTER: wrap}}]},
        "letters": content | {"letters": [_b64(b"in clear")]},
        "epoch": content | {"epochs": []},
        "link": content | {"epochs": [epoch | {"link": wrap}]},
        "number": content | {"epochs": [epoch | {"number": 2}]},
        "locator": content | {"locator": "ff"},
    }[field]
    with pytest.raises(ReportRefused):
        await intake.receive(
            house.engines["cases"], keeper_of(house), msgspec.convert(broken, Report), list(ALL), house.day
        )
    assert (await Case.count(), await Epoch.count(), await Wrap.count(), await Message.count()) == (0, 0, 0, 0)


async def test_a_report_that_nobody_could_read_is_refused(house: House, made: Team) -> None:
    with pytest.raises(ReportRefused):
        await report(house, made, out=["anna", "bruno", "carla", OUTSIDE])


async def test_a_case_moves_from_received_to_outcome_contest_and_final(house: House, made: Team) -> None:
    written = await report(house, made)
    await say(later(house, 3), made, written, "anna", "arrivato", "acknowledge")
    await say(later(house, 40), made, written, "anna", "fatto, per questi motivi", "outcome")
    assert await sees(later(house, 40), made, OUTSIDE) == []
    await contest(later(house, 41), made, written)
    await contest(later(house, 41), made, written)  # kept as a letter; it moves nothing
    await say(later(house, 42), made, written, "anna", "chiudo io", "final")
    row = await Case.select().first()
    assert row is not None and row["state"] == "contested"
    assert await sees(later(house, 42), made, OUTSIDE) == [written.case]
    await say(later(house, 50), made, written, OUTSIDE, "secondo sguardo", "final")
    row = await Case.select().first()
    assert row is not None
    day = house.day
    assert (row["state"], row["received"], row["acknowledged"], row["outcome"]) == (
        State.FINAL,
        day,
        day + timedelta(days=3),
        day + timedelta(days=50),
    )
    assert await texts(house, made, written, OUTSIDE) == [
        "parole",
        "arrivato",
        "fatto, per questi motivi",
        "no",
        "no",
        "chiudo io",
        "secondo sguardo",
    ]


async def test_two_answers_at_once_do_not_take_one_place(house: House, made: Team) -> None:
    written = await report(house, made)
    at_desk = await seat(house, made)
    sealed = _b64(encrypt(b"x", new_identity()[1]))
    await append_letter(at_desk, written.case, "anna", Writing("thread", 2, sealed))
    with pytest.raises(OutOfStep):
        await append_letter(at_desk, written.case, "carla", Writing("thread", 2, sealed))
    assert await Message.count() == 2


async def test_the_substitute_comes_in_when_nobody_answers_in_time(house: House, made: Team) -> None:
    written = await report(house, made)
    assert await sees(later(house, 7), made, OUTSIDE) == []
    assert await sees(later(house, 8), made, OUTSIDE) == [written.case]


async def test_the_substitute_comes_in_when_the_outcome_is_late(house: House, made: Team) -> None:
    written = await report(house, made)
    await say(house, made, written, "anna", "arrivato", "acknowledge")
    assert await sees(replace(house, day=date(2027, 2, 2)), made, OUTSIDE) == []  # taken up on 2 November
    assert await sees(replace(house, day=date(2027, 2, 3)), made, OUTSIDE) == [written.case]


async def test_a_report_under_another_cases_number_is_refused(house: House, made: Team) -> None:
    written = await report(house, made)
    forged = made_report(made, codes.derive(codes.new_code(os.urandom), bytes(16)), "x", (), house) | {
        "case": written.me.case
    }
    with pytest.raises(AlreadyThere):
        await intake.receive(
            house.engines["cases"], keeper_of(house), msgspec.convert(forged, Report), list(ALL), house.day
        )
    assert await texts(house, made, written, "anna") == ["parole"]


async def test_the_substitute_comes_in_when_handlers_are_away_for_more_than_seven_days(
    house: House, made: Team
) -> None:
    written = await report(house, made, out=["carla"])
    await handlers.set_absence("bruno", house.day - timedelta(days=3), None)
    assert await sees(later(house, 3), made, OUTSIDE) == []
    assert await sees(later(house, 4), made, OUTSIDE) == [written.case]
    await handlers.set_absence("bruno", None, None)
    assert await sees(later(house, 4), made, OUTSIDE) == []


async def test_with_fewer_than_two_inside_the_outside_substitute_reads_at_once(house: House, made: Team) -> None:
    written = await report(house, made, out=["bruno", "carla"])
    assert await sees(house, made, OUTSIDE) == [written.case]


async def test_removal_drill_a_handler_who_leaves_opens_nothing_that_follows(house: House, made: Team) -> None:
    """Bruno keeps his laptop: his own key and a copy of every key he could open."""
    written = await report(house, made, "prima")
    kept = (await open_of(house, made, written, "bruno")).keys["thread"]
    _, count = await next_ring(house, made, ["anna", "carla", OUTSIDE])
    assert count == 1
    assert await sees(house, made, "bruno") == []
    assert (await desk.inbox(await seat(house, made), "anna"))[0].rekey
    await new_epoch(house, made, written, "anna", await wanted(house, made, written, "anna"))
    await say(house, made, written, "anna", "dopo")
    assert await texts(house, made, written, "carla") == ["prima", "", "dopo"]
    after = [bytes(row["sealed"]) for row in await Message.select(Message.sealed).where(Message.number > 2)]
    wraps = [bytes(row["sealed"]) for row in await Wrap.select(Wrap.sealed)]
    assert len(after) == 1 and len(wraps) == 30  # of the report, of the change, and of the notes that may follow
    for sealed in [*after, *wraps]:
        for identity in (*kept.values(), made.keys["bruno"].identity):
            with pytest.raises(CannotOpen):
                decrypt(sealed, identity)
    assert not (await desk.inbox(await seat(house, made), "anna"))[0].rekey


async def test_a_change_of_keys_needs_the_reporter_a_listed_reader_and_the_next_number(
    house: House, made: Team
) -> None:
    written = await report(house, made, out=["bruno"])
    found = await open_of(house, made, written, "anna")
    assert found.fold is not None
    sent = acts.change(
        found, made.ring, made.author("anna"), acts.Change(list(found.fold.readers.values()), []), house.day, os.urandom
    )
    thread, notes = sent["epochs"]
    wrap = next(iter(thread["wraps"].values()))
    without = {name: sealed for name, sealed in thread["wraps"].items() if name != REPORTER}
    wrong = [
        (ReportRefused, [thread | {"wraps": without}, notes]),
        (ReportRefused, [thread | {"wraps": thread["wraps"] | {"nobody": wrap}}, notes]),
        (ReportRefused, [thread | {"link": ""}, notes]),
        (OutOfStep, [thread | {"number": 3}, notes]),
        (OutOfStep, [thread | {"stream": "diary"}, notes]),
        (OutOfStep, [thread]),
    ]
    for refusal, epochs in wrong:
        with pytest.raises(refusal):
            await append_letter(
                await seat(house, made),
                written.case,
                "anna",
                msgspec.convert(sent["letter"] | {"epochs": epochs}, Writing),
            )
    assert await texts(house, made, written, "anna") == ["parole"]
    assert (await Epoch.count(), await Message.count()) == (1, 1)


async def test_a_change_whose_author_had_not_seen_the_first_note_is_to_be_made_again(house: House, made: Team) -> None:
    written = await report(house, made)
    at_desk = await seat(house, made)

    async def change() -> Writing:
        found = await open_of(house, made, written, "anna")
        assert found.fold is not None and not found.notes_problem
        sent = acts.change(
            found,
            made.ring,
            made.author("anna"),
            acts.Change(list(found.fold.readers.values()), []),
            house.day,
            os.urandom,
        )
        return msgspec.convert(sent["letter"] | {"epochs": sent["epochs"]}, Writing)

    early = await change()
    found = await open_of(house, made, written, "carla")
    noted = acts.note(found, made.ring, made.author("carla"), "note", {"text": "tra noi"}, house.day, os.urandom)
    await append_letter(at_desk, written.case, "carla", msgspec.convert(noted, Writing))
    with pytest.raises(OutOfStep):
        await append_letter(at_desk, written.case, "anna", early)
    await append_letter(at_desk, written.case, "anna", await change())
    for name in ("anna", "bruno", "carla"):
        opened = await open_of(house, made, written, name)
        assert (opened.problem, opened.notes_problem) == ("", "") and len(opened.notes) == 1


async def test_after_a_change_that_was_undone_keys_change_again_and_a_first_note_is_taken(
    house: House, made: Team
) -> None:
    """Could lock a case: the keys for notes that went with the change are still in the store."""
    at_desk = await seat(house, made)
    for noted in (False, True):
        written = await report(house, made)

        async def write(name: str, sent: Any, written: Written = written) -> None:
            await append_letter(at_desk, written.case, name, msgspec.convert(sent, Writing))

        async def note(name: str, written: Written = written) -> dict[str, Any]:
            found = await open_of(house, made, written, name)
            assert not found.notes_problem
            return acts.note(found, made.ring, made.author(name), "note", {"text": "tra noi"}, house.day, os.urandom)

        await new_epoch(house, made, written, "anna", await wanted(house, made, written, "anna"))
        if noted:
            await write("anna", await note("anna"))
        found = await open_of(house, made, written, "bruno")
        await write("bruno", broken_letter(found, made, "bruno", 3))
        await write("carla", await note("carla"))
        await new_epoch(house, made, written, "carla", await wanted(house, made, written, "carla"))
        await write("bruno", await note("bruno"))
        for name in ("anna", "bruno", "carla"):
            opened = await open_of(house, made, written, name)
            assert (opened.problem, opened.notes_problem, len(opened.notes)) == ("", "", 2), (name, noted)


async def test_whoever_is_left_out_of_new_keys_reads_on_until_a_second_reader_has_opened_them(
    house: House, made: Team
) -> None:
    """One insider alone must not be able to shut the others out of what they could read."""
    written = await report(house, made)
    found = await open_of(house, made, written, "anna")
    assert found.fold is not None
    only = [one for name, one in found.fold.readers.items() if name in ("anna", "carla", OUTSIDE)]
    sent = acts.change(found, made.ring, made.author("anna"), acts.Change(only, []), house.day, os.urandom)
    await append_letter(
        await seat(house, made),
        written.case,
        "anna",
        msgspec.convert(sent["letter"] | {"epochs": sent["epochs"]}, Writing),
    )
    bruno = await open_of(house, made, written, "bruno")
    assert bruno.problem == "expel_refused" and [letter["kind"] for letter in bruno.thread] == ["report"]
    with pytest.raises(NotAllowed):
        await confirm(await seat(house, made), written.case, "anna", 2, ["anna", "carla", OUTSIDE])
    with pytest.raises(NotAllowed):
        await confirm(await seat(house, made), written.case, "bruno", 2, ["bruno"])
    with pytest.raises(NotAllowed):
        await confirm(await seat(house, made), written.case, "carla", 2, ["anna", OUTSIDE])
    await confirm(await seat(house, made), written.case, "carla", 2, ["anna", "carla", OUTSIDE, REPORTER])
    assert await sees(house, made, "bruno") == []
    assert await sees(house, made, "carla") == [written.case]


async def test_whoever_the_letters_name_loses_nothing_where_the_maker_left_out_her_wrap(
    house: House, made: Team
) -> None:
    """Done by an attacker: he signed that all read, sent no wrap for one, the substitute and recovery, and an honest desk's look made it last."""
    written = await report(house, made)
    found = await open_of(house, made, written, "anna")
    assert found.fold is not None
    sent = acts.change(
        found,
        made.ring,
        made.author("anna"),
        acts.Change(list(found.fold.readers.values()), found.fold.recovery),
        house.day,
        os.urandom,
    )
    for epoch in sent["epochs"]:
        for name in ("bruno", OUTSIDE, "recovery+ab"):
            epoch["wraps"].pop(name, None)
    await append_letter(
        await seat(house, made),
        written.case,
        "anna",
        msgspec.convert(sent["letter"] | {"epochs": sent["epochs"]}, Writing),
    )
    carla = await open_of(house, made, written, "carla")
    assert carla.fold is not None and carla.problem == ""
    stay = [*carla.fold.readers, "recovery+ab", "recovery+ac", "recovery+bc", REPORTER]
    await confirm(await seat(house, made), written.case, "carla", 2, stay)
    bruno = await open_of(house, made, written, "bruno")
    assert bruno.problem == "epoch_broken" and len(bruno.thread) == 2
    rows = sum(row.stream == "thread" for row in sealed_of(await file_of(house, made, written, "bruno")).letters)
    word = acts.fails(bruno, made.ring, made.author("bruno"), rows, house.day, os.urandom)
    await append_letter(await seat(house, made), written.case, "bruno", msgspec.convert(word, Writing))
    await new_epoch(house, made, written, "carla", list(carla.fold.readers.values()))
    assert (await open_of(house, made, written, "bruno")).problem == ""


async def test_noise_in_notes_wraps_keeps_nobody_from_changing_keys(house: House, made: Team) -> None:
    """Done by an attacker: after it every change of keys by others was refused for good."""
    written = await report(house, made)
    found = await open_of(house, made, written, "carla")
    first = acts.note(found, made.ring, made.author("carla"), "note", {"text": "nota"}, house.day, os.urandom)
    await append_letter(await seat(house, made), written.case, "carla", msgspec.convert(first, Writing))
    found = await open_of(house, made, written, "carla")
    assert found.fold is not None
    sent = acts.change(
        found,
        made.ring,
        made.author("carla"),
        acts.Change(list(found.fold.readers.values()), found.fold.recovery),
        house.day,
        os.urandom,
    )
    for name in ("anna", "bruno", OUTSIDE):
        sent["epochs"][1]["wraps"][name] = sent["epochs"][1]["wraps"]["carla"]
    await append_letter(
        await seat(house, made),
        written.case,
        "carla",
        msgspec.convert(sent["letter"] | {"epochs": sent["epochs"]}, Writing),
    )
    anna = await open_of(house, made, written, "anna")
    assert (anna.problem, anna.notes_problem) == ("", "wrap_not_mine") and anna.fold is not None
    await new_epoch(house, made, written, "anna", list(anna.fold.readers.values()))
    assert (await open_of(house, made, written, "anna")).problem == ""
    late = await open_of(house, made, written, "bruno")
    await say(house, made, written, "anna", "intanto")
    note = acts.note(
        await open_of(house, made, written, "carla"),
        made.ring,
        made.author("carla"),
        "note",
        {"text": "altra"},
        house.day,
        os.urandom,
    )
    await append_letter(await seat(house, made), written.case, "carla", msgspec.convert(note, Writing))
    assert late.fold is not None
    stale = acts.change(
        late, made.ring, made.author("bruno"), acts.Change(list(late.fold.readers.values()), []), house.day, os.urandom
    )
    with pytest.raises(OutOfStep):
        await append_letter(
            await seat(house, made),
            written.case,
            "bruno",
            msgspec.convert(stale["letter"] | {"epochs": stale["epochs"]}, Writing),
        )


async def test_a_letter_without_its_content_takes_its_place_only_after_a_second_look(house: House, made: Team) -> None:
    written = await report(house, made, "via Roma 3")
    at_desk = await seat(house, made)
    emptied = _b64(encrypt(b"x" * 4096, new_identity()[1]))
    before = await Message.select(Message.sealed).first()
    await standing.replace_message(at_desk, written.case, "anna", 1, emptied)
    assert await texts(house, made, written, "carla") == ["via Roma 3"]
    looked_at = hashlib.sha256(emptied.encode()).hexdigest()
    with pytest.raises(NotAllowed):
        await standing.confirm_replacement(at_desk, written.case, "anna", 1, looked_at)
    await standing.replace_message(at_desk, written.case, "anna", 1, _b64(encrypt(b"noise" * 900, new_identity()[1])))
    for digest in (looked_at, "", "è", "0" * 64):  # done by an attacker: noise laid there after she had looked
        with pytest.raises(NotAllowed):
            await standing.confirm_replacement(at_desk, written.case, "carla", 1, digest)
    await standing.replace_message(at_desk, written.case, "anna", 1, emptied)
    await standing.confirm_replacement(at_desk, written.case, "carla", 1, looked_at)
    after = await Message.select(Message.sealed, Message.replacement).first()
    assert before and after and bytes(after["sealed"]) == base64.b64decode(emptied) != bytes(before["sealed"])
    assert bytes(after["replacement"]) == b""


async def test_a_handler_in_conflict_steps_out_and_the_last_one_cannot(house: House, made: Team) -> None:
    written = await report(house, made, out=["carla", OUTSIDE])
    await standing.step_out(await seat(house, made), written.case, "bruno")
    assert await sees(house, made, "bruno") == []
    assert await sees(house, made, "anna") == [written.case]
    with pytest.raises(NotAllowed):
        await standing.step_out(await seat(house, made), written.case, "anna")


def test_key_loss_drill_a_forgotten_passphrase_is_opened_by_the_printed_kit() -> None:
    from surveys.cases.bundles import kit_seed

    keys, kit, salt = new_keys(), new_kit(os.urandom), os.urandom(16)
    login, wrap = split("quattro parole a caso", salt)
    bundle = make_bundle(keys, wrap, kit)
    assert open_bundle(bundle, "kit", kit_seed(kit)) == keys == open_bundle(bundle, "pass", wrap)
    assert bytes.fromhex(login) != wrap
    with pytest.raises(CannotOpen):
        open_bundle(bundle, "pass", bytes.fromhex(login))
    with pytest.raises(CannotOpen):
        open_bundle(bundle, "pass", split("quattro parole a casa", salt)[1])


async def test_key_loss_drill_a_colleague_gives_the_case_to_new_keys(house: House, made: Team) -> None:
    written = await report(house, made, "da salvare")
    made.keys["bruno"] = new_keys()
    record = HandlerRecord(
        "bruno",
        os.urandom(16),
        "{}",
        made.keys["bruno"].recipient,
        made.keys["bruno"].signer,
        "",
        house.day,
        None,
        None,
    )
    await handlers.keep(house.engines["cases"], record, renew=True)
    await next_ring(house, made, ALL)
    with pytest.raises(CannotOpen):
        await texts(house, made, written, "bruno")
    assert (await desk.inbox(await seat(house, made), "anna"))[0].rekey
    await new_epoch(house, made, written, "anna", await wanted(house, made, written, "anna"))
    assert (await texts(house, made, written, "bruno"))[0] == "da salvare"
    later_report = await report(house, made, "nuova")
    assert await texts(house, made, later_report, "bruno") == ["nuova"]


async def test_key_loss_drill_when_all_handlers_lost_their_keys_two_of_three_holders_open(
    house: House, made: Team
) -> None:
    written = await report(house, made, "da salvare")
    await report(house, made, "senza riserva", out=[RECOVERY])
    at_desk = await seat(house, made)
    files = await desk.for_recovery(at_desk)
    assert [file.case for file in files] == [written.case]
    first, second, third = (identity_text(made.holders[seat_]) for seat_ in "abc")
    for pair, identities in (("ab", (first, second)), ("ac", (first, third)), ("bc", (second, third))):
        found = open_case(sealed_of(files[0], pair), party(*identities), made.anchor.hash, made.chain)
        assert [letter.content for letter in found.thread] == [{"text": "da salvare"}]
    for identities in ((first, first), (second, second), (second, first)):
        with pytest.raises(CannotOpen):
            open_case(sealed_of(files[0], "ab"), party(*identities), made.anchor.hash, made.chain)


async def test_a_diary_is_nobodys_until_it_is_sent_and_then_only_what_was_picked(house: House, made: Team) -> None:
    written = await report(house, made, "giorno uno", diary=True)
    assert await sees(house, made, "anna") == []
    epoch, sealed = acts.first_letter(
        written.me, made.ring, made.anchor.hash, ["bruno"], {"text": "scelta"}, house.day, os.urandom
    )
    sent = {
        **written.me.proofs,
        "stream": "thread",
        "number": 1,
        "epoch": 1,
        "sealed": sealed,
        "uploads": [],
        "epochs": [epoch],
    }
    wanted_ = msgspec.convert(sent, Reply)
    await intake.add(house.engines["cases"], keeper_of(house), wanted_, list(ALL), house.day)
    assert await texts(house, made, written, "anna") == ["scelta"]
    file = await desk.case_file(await seat(house, made), written.case, "anna")
    assert {message.stream for message in file.messages} == {"thread"}
    mine = await open_of(house, made, written, REPORTER)
    assert [entry.content for entry in mine.diary] == [{"text": "giorno uno"}]
    with pytest.raises(ReportRefused):
        await intake.add(house.engines["cases"], keeper_of(house), wanted_, list(ALL), house.day)


async def test_a_diary_that_is_sent_and_thrown_away_at_once_is_one_of_the_two(house: House, made: Team) -> None:
    """Done by an attacker: a report that was sent was deleted, and on PostgreSQL its rows stayed without a case."""
    store, sent = house.engines["cases"], 0
    for _ in range(12):
        written = await report(house, made, "giorno uno", diary=True)
        epoch, sealed = acts.first_letter(
            written.me, made.ring, made.anchor.hash, [], {"text": "scelta"}, house.day, os.urandom
        )
        reply = msgspec.convert(
            {
                **written.me.proofs,
                "stream": "thread",
                "number": 1,
                "epoch": 1,
                "sealed": sealed,
                "uploads": [],
                "epochs": [epoch],
            },
            Reply,
        )
        row = await Case.select().where(Case.id == written.case).first()
        assert row is not None
        said = await asyncio.gather(
            intake.add(store, keeper_of(house), reply, list(ALL), house.day),
            keeping.delete_by_reporter(store, row, house.day),
            return_exceptions=True,
        )
        there = await Case.select(Case.state).where(Case.id == written.case).first()
        assert [isinstance(one, CaseUnknown) for one in said] == ([False, True] if there else [True, False])
        assert there in (None, {"state": State.RECEIVED})
        sent += there is not None
    assert (await Message.count(), await Epoch.count(), await Case.count()) == (2 * sent, 2 * sent, sent)


async def test_an_unsent_diary_goes_twelve_months_after_its_last_words(house: House, made: Team) -> None:
    await report(house, made, diary=True)
    store = house.engines["cases"]
    last = date(house.day.year + 1, house.day.month, house.day.day)
    assert (await keeping.sweep(store, last, 5)).diaries == 0
    assert (await keeping.sweep(store, last + timedelta(days=1), 5)).diaries == 1
    assert (await Case.count(), await Wrap.count(), await Epoch.count(), await Message.count()) == (0, 0, 0, 0)


async def test_retention_takes_rows_wraps_and_attachments_and_two_people_hold_it(house: House, made: Team) -> None:
    written, store = await report(house, made), house.engines["cases"]
    await say(house, made, written, "anna", "arrivato", "acknowledge")
    await say(house, made, written, "anna", "esito", "outcome")
    await stands(house, made, written, "carla")
    await pieces.keep_piece(store, "ab" * 16, 0, b"sealed", house.day)
    await pieces.claim(["ab" * 16], written.case)
    end = date(house.day.year + 2, house.day.month, house.day.day) + timedelta(days=1)
    at_desk = await seat(house, made)
    await standing.set_hold(at_desk, written.case, "anna", True)
    assert (await keeping.sweep(store, end - timedelta(days=1), 2)).cases == 0
    await standing.set_hold(at_desk, written.case, "carla", True)
    await standing.set_hold(at_desk, written.case, "carla", False)
    assert (await keeping.sweep(store, end, 2)).cases == 0
    await standing.set_hold(at_desk, written.case, "anna", False)
    assert (await keeping.sweep(store, end, 2)).cases == 1
    for table in (Case, Epoch, Wrap, Message, Piece):
        assert await table.count() == 0


async def test_pieces_that_nobody_claimed_leave_the_spool_after_two_days(house: House, made: Team) -> None:
    store = house.engines["cases"]
    assert await pieces.keep_piece(store, "cd" * 16, 0, b"one", house.day) == 1
    assert await pieces.keep_piece(store, "cd" * 16, 0, b"one", house.day) == 1
    assert await pieces.keep_piece(store, "cd" * 16, 1, b"two", house.day) == 2
    assert await pieces.pieces_kept("cd" * 16) == [0, 1]
    assert (await keeping.sweep(store, house.day + timedelta(days=2), 5)).pieces == 0
    assert (await keeping.sweep(store, house.day + timedelta(days=3), 5)).pieces == 2


async def test_a_year_says_one_band_once_it_is_over_and_counts_what_was_deleted(house: House, made: Team) -> None:
    public, store = house.engines["public"], house.engines["cases"]
    for _ in range(5):
        last = await report(house, made)
    row = await Case.select().where(Case.id == last.case).first()
    assert row is not None
    await say(house, made, last, "anna", "arrivato", "acknowledge")
    await keeping.delete_case(store, row | {"acknowledged": house.day, "outcome": house.day}, house.day)
    assert (await keeping.close_year(public, date(house.day.year, 12, 31))).bands == {}
    record = await keeping.close_year(public, date(house.day.year + 1, 1, 1))
    assert record.bands[str(house.day.year)] == channel.YearBand("5-9", False)  # four were never acknowledged
    await report(house, made)
    assert (await keeping.close_year(public, date(house.day.year + 1, 1, 2))).bands == record.bands


@pytest.mark.parametrize(
    ("cases", "band"), [(0, "0-4"), (4, "0-4"), (5, "5-9"), (9, "5-9"), (10, "10-19"), (19, "10-19"), (20, "20+")]
)
def test_a_band_never_tells_a_count(cases: int, band: str) -> None:
    assert channel.band_of(cases) == band
    assert (channel.year_band(cases, 0).kept is None) == (cases < 5)


async def test_the_log_names_people_and_acts_sealed_and_chained(house: House, made: Team) -> None:
    from surveys.cases.tables import DeskLine

    store, keeper = house.engines["cases"], keeper_of(house)
    before = len(await log.read(keeper))
    await log.record(store, keeper, house.day, "anna", "opened_a_case")
    await log.record(store, keeper, house.day, "a" * 60, "stepped_out")
    lines = await log.read(keeper)
    assert [(line.who, line.act, line.intact) for line in lines[before:]] == [
        ("anna", "opened_a_case", True),
        ("a" * 60, "stepped_out", True),
    ]
    rows = await DeskLine.select().order_by(DeskLine.number)
    assert {len(bytes(row["sealed"])) for row in rows} == {256 + 40}
    assert b"anna" not in b"".join(bytes(row["sealed"]) for row in rows)
    await DeskLine.delete().where(DeskLine.number == rows[before]["number"])
    assert not (await log.read(keeper))[-1].intact
