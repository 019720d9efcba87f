"""Keys of a case change: who may, who reads on, what noise does not stop."""

import base64
import hashlib
import os
from typing import Any

import msgspec
import pytest

from surveys.cases import acts, desk, standing
from surveys.cases.desk import NotAllowed
from surveys.cases.incoming import (
    OutOfStep,
    ReportRefused,
)
from surveys.cases.keeper import REPORTER
from surveys.cases.sealing import CannotOpen, decrypt, encrypt, new_identity
from surveys.cases.tables import Epoch, Message, Wrap
from surveys.cases.writing import Writing, append_letter, confirm
from surveys.lifecycle.context import Site
from tests.surveys.cases.memory import broken_letter
from tests.surveys.cases.people import (
    OUTSIDE,
    Team,
    Written,
    b64,
    file_of,
    new_epoch,
    next_ring,
    open_of,
    report,
    say,
    sealed_of,
    seat,
    sees,
    texts,
    wanted,
)


async def test_removal_drill_a_handler_who_leaves_opens_nothing_that_follows(site: Site, made: Team) -> None:
    """Bruno keeps his laptop: his own key and a copy of every key he could open."""
    written = await report(site, made, "prima")
    kept = (await open_of(site, made, written, "bruno")).keys["thread"]
    _, count = await next_ring(site, made, ["anna", "carla", OUTSIDE])
    assert count == 1
    assert await sees(site, made, "bruno") == []
    assert (await desk.inbox(await seat(site, made), "anna"))[0].rekey
    await new_epoch(site, made, written, "anna", await wanted(site, made, written, "anna"))
    await say(site, made, written, "anna", "dopo")
    assert await texts(site, made, written, "carla") == ["prima", "", "dopo"]
    after = [bytes(row["sealed"]) for row in await Message.select(Message.sealed).where(Message.number > 2)]
    wraps = [bytes(row["sealed"]) for row in await Wrap.select(Wrap.sealed)]
    assert len(after) == 1 and len(wraps) == 30  # of the report, of the change, and of the notes that may follow
    for sealed in [*after, *wraps]:
        for identity in (*kept.values(), made.keys["bruno"].identity):
            with pytest.raises(CannotOpen):
                decrypt(sealed, identity)
    assert not (await desk.inbox(await seat(site, made), "anna"))[0].rekey


async def test_a_change_of_keys_needs_the_reporter_a_listed_reader_and_the_next_number(site: Site, made: Team) -> None:
    written = await report(site, made, out=["bruno"])
    found = await open_of(site, made, written, "anna")
    assert found.fold is not None
    sent = acts.change(
        found, made.ring, made.author("anna"), acts.Change(list(found.fold.readers.values()), []), site.day, os.urandom
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
                await seat(site, made),
                written.case,
                "anna",
                msgspec.convert(sent["letter"] | {"epochs": epochs}, Writing),
            )
    assert await texts(site, made, written, "anna") == ["parole"]
    assert (await Epoch.count(), await Message.count()) == (1, 1)


async def test_a_change_whose_author_had_not_seen_the_first_note_is_to_be_made_again(site: Site, made: Team) -> None:
    written = await report(site, made)
    at_desk = await seat(site, made)

    async def change() -> Writing:
        found = await open_of(site, made, written, "anna")
        assert found.fold is not None and not found.notes_problem
        sent = acts.change(
            found,
            made.ring,
            made.author("anna"),
            acts.Change(list(found.fold.readers.values()), []),
            site.day,
            os.urandom,
        )
        return msgspec.convert(sent["letter"] | {"epochs": sent["epochs"]}, Writing)

    early = await change()
    found = await open_of(site, made, written, "carla")
    noted = acts.note(found, made.ring, made.author("carla"), "note", {"text": "tra noi"}, site.day, os.urandom)
    await append_letter(at_desk, written.case, "carla", msgspec.convert(noted, Writing))
    with pytest.raises(OutOfStep):
        await append_letter(at_desk, written.case, "anna", early)
    await append_letter(at_desk, written.case, "anna", await change())
    for name in ("anna", "bruno", "carla"):
        opened = await open_of(site, made, written, name)
        assert (opened.problem, opened.notes_problem) == ("", "") and len(opened.notes) == 1


async def test_after_a_change_that_was_undone_keys_change_again_and_a_first_note_is_taken(
    site: Site, made: Team
) -> None:
    """Could lock a case: the keys for notes that went with the change are still in the store."""
    at_desk = await seat(site, made)
    for noted in (False, True):
        written = await report(site, made)

        async def write(name: str, sent: Any, written: Written = written) -> None:
            await append_letter(at_desk, written.case, name, msgspec.convert(sent, Writing))

        async def note(name: str, written: Written = written) -> dict[str, Any]:
            found = await open_of(site, made, written, name)
            assert not found.notes_problem
            return acts.note(found, made.ring, made.author(name), "note", {"text": "tra noi"}, site.day, os.urandom)

        await new_epoch(site, made, written, "anna", await wanted(site, made, written, "anna"))
        if noted:
            await write("anna", await note("anna"))
        found = await open_of(site, made, written, "bruno")
        await write("bruno", broken_letter(found, made, "bruno", 3))
        await write("carla", await note("carla"))
        await new_epoch(site, made, written, "carla", await wanted(site, made, written, "carla"))
        await write("bruno", await note("bruno"))
        for name in ("anna", "bruno", "carla"):
            opened = await open_of(site, made, written, name)
            assert (opened.problem, opened.notes_problem, len(opened.notes)) == ("", "", 2), (name, noted)


async def test_whoever_is_left_out_of_new_keys_reads_on_until_a_second_reader_has_opened_them(
    site: Site, made: Team
) -> None:
    """One insider alone must not be able to shut the others out of what they could read."""
    written = await report(site, made)
    found = await open_of(site, made, written, "anna")
    assert found.fold is not None
    only = [one for name, one in found.fold.readers.items() if name in ("anna", "carla", OUTSIDE)]
    sent = acts.change(found, made.ring, made.author("anna"), acts.Change(only, []), site.day, os.urandom)
    await append_letter(
        await seat(site, made),
        written.case,
        "anna",
        msgspec.convert(sent["letter"] | {"epochs": sent["epochs"]}, Writing),
    )
    bruno = await open_of(site, made, written, "bruno")
    assert bruno.problem == "expel_refused" and [letter["kind"] for letter in bruno.thread] == ["report"]
    with pytest.raises(NotAllowed):
        await confirm(await seat(site, made), written.case, "anna", 2, ["anna", "carla", OUTSIDE])
    with pytest.raises(NotAllowed):
        await confirm(await seat(site, made), written.case, "bruno", 2, ["bruno"])
    with pytest.raises(NotAllowed):
        await confirm(await seat(site, made), written.case, "carla", 2, ["anna", OUTSIDE])
    await confirm(await seat(site, made), written.case, "carla", 2, ["anna", "carla", OUTSIDE, REPORTER])
    assert await sees(site, made, "bruno") == []
    assert await sees(site, made, "carla") == [written.case]


async def test_whoever_the_letters_name_loses_nothing_where_the_maker_left_out_her_wrap(site: Site, made: Team) -> None:
    """Done by an attacker: he signed that all read, sent no wrap for one, the substitute and recovery, and an honest desk's look made it last."""
    written = await report(site, made)
    found = await open_of(site, made, written, "anna")
    assert found.fold is not None
    sent = acts.change(
        found,
        made.ring,
        made.author("anna"),
        acts.Change(list(found.fold.readers.values()), found.fold.recovery),
        site.day,
        os.urandom,
    )
    for epoch in sent["epochs"]:
        for name in ("bruno", OUTSIDE, "recovery+ab"):
            epoch["wraps"].pop(name, None)
    await append_letter(
        await seat(site, made),
        written.case,
        "anna",
        msgspec.convert(sent["letter"] | {"epochs": sent["epochs"]}, Writing),
    )
    carla = await open_of(site, made, written, "carla")
    assert carla.fold is not None and carla.problem == ""
    stay = [*carla.fold.readers, "recovery+ab", "recovery+ac", "recovery+bc", REPORTER]
    await confirm(await seat(site, made), written.case, "carla", 2, stay)
    bruno = await open_of(site, made, written, "bruno")
    assert bruno.problem == "epoch_broken" and len(bruno.thread) == 2
    rows = sum(row.stream == "thread" for row in sealed_of(await file_of(site, made, written, "bruno")).letters)
    word = acts.fails(bruno, made.ring, made.author("bruno"), rows, site.day, os.urandom)
    await append_letter(await seat(site, made), written.case, "bruno", msgspec.convert(word, Writing))
    await new_epoch(site, made, written, "carla", list(carla.fold.readers.values()))
    assert (await open_of(site, made, written, "bruno")).problem == ""


async def test_noise_in_notes_wraps_keeps_nobody_from_changing_keys(site: Site, made: Team) -> None:
    """Done by an attacker: after it every change of keys by others was refused for good."""
    written = await report(site, made)
    found = await open_of(site, made, written, "carla")
    first = acts.note(found, made.ring, made.author("carla"), "note", {"text": "nota"}, site.day, os.urandom)
    await append_letter(await seat(site, made), written.case, "carla", msgspec.convert(first, Writing))
    found = await open_of(site, made, written, "carla")
    assert found.fold is not None
    sent = acts.change(
        found,
        made.ring,
        made.author("carla"),
        acts.Change(list(found.fold.readers.values()), found.fold.recovery),
        site.day,
        os.urandom,
    )
    for name in ("anna", "bruno", OUTSIDE):
        sent["epochs"][1]["wraps"][name] = sent["epochs"][1]["wraps"]["carla"]
    await append_letter(
        await seat(site, made),
        written.case,
        "carla",
        msgspec.convert(sent["letter"] | {"epochs": sent["epochs"]}, Writing),
    )
    anna = await open_of(site, made, written, "anna")
    assert (anna.problem, anna.notes_problem) == ("", "wrap_not_mine") and anna.fold is not None
    await new_epoch(site, made, written, "anna", list(anna.fold.readers.values()))
    assert (await open_of(site, made, written, "anna")).problem == ""
    late = await open_of(site, made, written, "bruno")
    await say(site, made, written, "anna", "intanto")
    note = acts.note(
        await open_of(site, made, written, "carla"),
        made.ring,
        made.author("carla"),
        "note",
        {"text": "altra"},
        site.day,
        os.urandom,
    )
    await append_letter(await seat(site, made), written.case, "carla", msgspec.convert(note, Writing))
    assert late.fold is not None
    stale = acts.change(
        late, made.ring, made.author("bruno"), acts.Change(list(late.fold.readers.values()), []), site.day, os.urandom
    )
    with pytest.raises(OutOfStep):
        await append_letter(
            await seat(site, made),
            written.case,
            "bruno",
            msgspec.convert(stale["letter"] | {"epochs": stale["epochs"]}, Writing),
        )


async def test_a_letter_without_its_content_takes_its_place_only_after_a_second_look(site: Site, made: Team) -> None:
    written = await report(site, made, "via Roma 3")
    at_desk = await seat(site, made)
    emptied = b64(encrypt(b"x" * 4096, new_identity()[1]))
    before = await Message.select(Message.sealed).first()
    await standing.replace_message(at_desk, written.case, "anna", 1, emptied)
    assert await texts(site, made, written, "carla") == ["via Roma 3"]
    looked_at = hashlib.sha256(emptied.encode()).hexdigest()
    with pytest.raises(NotAllowed):
        await standing.confirm_replacement(at_desk, written.case, "anna", 1, looked_at)
    await standing.replace_message(at_desk, written.case, "anna", 1, b64(encrypt(b"noise" * 900, new_identity()[1])))
    for digest in (looked_at, "", "è", "0" * 64):  # done by an attacker: noise laid there after she had looked
        with pytest.raises(NotAllowed):
            await standing.confirm_replacement(at_desk, written.case, "carla", 1, digest)
    await standing.replace_message(at_desk, written.case, "anna", 1, emptied)
    await standing.confirm_replacement(at_desk, written.case, "carla", 1, looked_at)
    after = await Message.select(Message.sealed, Message.replacement).first()
    assert before and after and bytes(after["sealed"]) == base64.b64decode(emptied) != bytes(before["sealed"])
    assert bytes(after["replacement"]) == b""


async def test_a_row_that_is_far_ahead_for_a_moment_keeps_nobody_from_changing_keys_for_good(
    site: Site, made: Team
) -> None:
    """Done from outside: a row with the number 999, the next change took 1,000, and no key could be changed any more."""
    written = await report(site, made, "prima")
    [first] = await Epoch.select().where(
        (Epoch.case == written.case) & (Epoch.number == 1) & (Epoch.stream == "thread")
    )
    for number in (999, 3):
        await Epoch.insert(Epoch(**first | {"id": number, "number": number, "at": 1, "confirmed": False}))
    for _ in range(3):
        await new_epoch(site, made, written, "anna", await wanted(site, made, written, "anna"))
    await Epoch.delete().where(Epoch.id.is_in([999, 3]))
    await new_epoch(site, made, written, "anna", await wanted(site, made, written, "anna"))
    await say(site, made, written, "anna", "dopo")
    assert (await texts(site, made, written, "carla"))[-1] == "dopo"
    assert max(row["number"] for row in await Epoch.select(Epoch.number)) < 10


async def test_new_keys_whose_number_is_ahead_of_the_letters_are_not_taken(site: Site, made: Team) -> None:
    """Done by one reader: the number 1,000 was taken, and no key of that report could be changed any more."""
    written = await report(site, made, "prima")
    mine = await open_of(site, made, written, "bruno")
    assert mine.fold is not None
    mine.fold.highest = 999
    readers = [dict(one) for one in mine.fold.readers.values()]
    sent = acts.change(
        mine, made.ring, made.author("bruno"), acts.Change(readers, mine.fold.recovery), site.day, os.urandom
    )
    writing = msgspec.convert(sent["letter"] | {"epochs": sent["epochs"]}, Writing)
    with pytest.raises(ReportRefused):
        await append_letter(await seat(site, made), written.case, "bruno", writing)
    await new_epoch(site, made, written, "anna", await wanted(site, made, written, "anna"))
    assert await texts(site, made, written, "carla") == ["prima", ""]
