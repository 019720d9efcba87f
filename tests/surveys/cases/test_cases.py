"""Cases in their store, on both engines: who sees what, steps, keys lost and changed, retention."""

import os
from dataclasses import replace
from datetime import date, timedelta

import msgspec
import pytest

from surveys.cases import codes, composing, desk, handlers, incoming, intake, keeping, log, pieces
from surveys.cases.bundles import make_bundle, new_kit, open_bundle, split
from surveys.cases.clocks import State
from surveys.cases.composing import Entry
from surveys.cases.desk import NotAllowed, Rekey, Resealed, Writing
from surveys.cases.handlers import HandlerRecord
from surveys.cases.incoming import (
    AlreadyThere,
    CaseUnknown,
    OutOfStep,
    Proof,
    Reply,
    Report,
    ReportRefused,
    SealedEpoch,
    proof_of,
)
from surveys.cases.keeper import RECOVERY, REPORTER
from surveys.cases.recovery import open_recovery
from surveys.cases.sealing import CannotOpen, decrypt, encrypt, new_identity, seal
from surveys.cases.tables import Case, Epoch, Message, Piece, Wrap
from surveys.cases.thread import Author, EpochKey, Place, Trust, make_wrap, open_wrap, read_stream, write
from surveys.lifecycle.channel import publish_keyring
from surveys.lifecycle.context import House
from surveys.public import channel
from tests.conftest import ORGANISATION
from tests.surveys.cases.people import OUTSIDE, Team, Written, keeper_of, opened, report, seat


@pytest.fixture
async def made(house: House) -> Team:
    return await opened(house, ORGANISATION)


def later(house: House, days: int) -> House:
    return replace(house, day=house.day + timedelta(days=days))


async def sees(house: House, made: Team, name: str) -> list[int]:
    return [line.case for line in await desk.inbox(await seat(house, made), name)]


async def epoch_key(house: House, made: Team, written: Written, name: str, stream: str = "thread") -> EpochKey:
    """Open a handler's own wrap with her own key."""
    file = await desk.case_file(await seat(house, made), written.case, name)
    wraps = [wrap for s, _, _, wrap in file.epochs if s == stream]
    return open_wrap(wraps[-1], made.keys[name].identity, written.case, stream, made.trusted())


async def texts(house: House, made: Team, written: Written, name: str) -> list[str]:
    file = await desk.case_file(await seat(house, made), written.case, name)
    key = await epoch_key(house, made, written, name)
    sealed = [(epoch, content) for stream, _, epoch, content in file.messages if stream == "thread"]
    trust = Trust(key.reporter, made.trusted())
    return [m.content["text"] for m in read_stream(written.case, "thread", sealed, {key.number: key.identity}, trust)]


async def say(house: House, made: Team, written: Written, name: str, text: str, move: str = "") -> None:
    """Write as a handler's browser does."""
    place_of = await desk.case_file(await seat(house, made), written.case, name)
    key = await epoch_key(house, made, written, name)
    sealed = [(e, c) for s, _, e, c in place_of.messages if s == "thread"]
    opened_ = read_stream(written.case, "thread", sealed, {key.number: key.identity}, Trust(key.reporter, made.trusted()))
    place = Place(written.case, "thread", len(opened_) + 1, opened_[-1].hash)
    kind = {"acknowledge": "acknowledge", "outcome": "outcome", "final": "outcome"}.get(move, "message")
    recipient = next(r for s, _, r, _ in place_of.epochs if s == "thread")
    signed = write(place, Author(name, made.keys[name].ed25519), kind, house.day, made.ring.fingerprint, {"text": text})
    content = msgspec.convert({"stream": "thread", "number": place.number, "sealed": _b64(seal(signed, recipient)), "move": move}, Writing)
    await desk.write(await seat(house, made), written.case, name, content)


def _b64(content: bytes) -> str:
    import base64

    return base64.b64encode(content).decode()


async def contest(house: House, made: Team, written: Written) -> None:
    row = await intake.find(proof_of(written.keys.locator.hex(), written.keys.auth.hex()))
    file = await desk.case_file(await seat(house, made), written.case, REPORTER, row)
    key = open_wrap(file.epochs[0][3], composing.own_identity(written.keys), written.case, "thread", made.trusted())
    thread = read_stream(
        written.case, "thread", [(e, c) for _, _, e, c in file.messages], {key.number: key.identity}, Trust(key.reporter, made.trusted())
    )  # fmt: skip
    content = composing.reply(
        written.keys, written.case, "thread", thread, file.epochs[0][2], Entry("contest", {"text": "no"}), house.day, made.ring.fingerprint
    )
    await intake.add(house.engines["cases"], keeper_of(house), msgspec.convert(content | {"contest": True}, Reply), made.ring, house.day)


async def test_a_report_is_read_by_those_who_got_a_key_and_by_nobody_else(house: House, made: Team) -> None:
    written = await report(house, made, "la mia storia", out=["bruno"])
    assert await texts(house, made, written, "anna") == ["la mia storia"]
    assert await sees(house, made, "anna") == await sees(house, made, "carla") == [written.case]
    assert await sees(house, made, "bruno") == await sees(house, made, OUTSIDE) == await sees(house, made, "nobody") == []


async def test_a_case_does_not_exist_for_an_excluded_handler_by_any_question(house: House, made: Team) -> None:
    written = await report(house, made, out=["bruno"])
    at_desk = await seat(house, made)
    writing = Writing("thread", 2, _b64(encrypt(b"x", new_identity()[1])))
    for question in (
        desk.case_file(at_desk, written.case, "bruno"),
        desk.write(at_desk, written.case, "bruno", writing),
        desk.step_out(at_desk, written.case, "bruno"),
        desk.set_hold(at_desk, written.case, "bruno", True),
        desk.rekey(at_desk, written.case, "bruno", Rekey([])),
        desk.replace_message(at_desk, written.case, "bruno", 1, writing.sealed),
        desk.case_file(at_desk, written.case + 1, "anna"),
    ):
        with pytest.raises(CaseUnknown):
            await question


async def test_the_store_names_no_reader_and_every_epoch_has_eight_wraps_alike(house: House, made: Team) -> None:
    await report(house, made, out=["anna"])
    await report(house, made)
    await report(house, made, diary=True)
    wraps = await Wrap.select()
    assert len(wraps) == 3 * 8
    assert {len(bytes(row["sealed"])) for row in wraps} == {incoming.WRAP_SEALED}
    assert len({bytes(row["reader"]) for row in wraps}) == 24
    everything = repr([*wraps, *await Case.select(), *await Epoch.select(), *await Message.select()])
    assert not any(name in everything for name in ("anna", "bruno", "carla", RECOVERY, OUTSIDE))


async def test_the_same_report_sent_again_is_one_report_and_another_under_its_code_is_refused(house: House, made: Team) -> None:
    keys = codes.derive(codes.new_code(os.urandom), bytes(16))
    first, other = (
        msgspec.convert(composing.compose(keys, [Entry("report", {"text": t})], house.day, made.ring, "fp"), Report) for t in "ab"
    )
    store, keeper = house.engines["cases"], keeper_of(house)
    assert await intake.receive(store, keeper, first, made.ring, house.day) == keys.case
    assert await intake.receive(store, keeper, first, made.ring, house.day) == keys.case
    with pytest.raises(AlreadyThere):
        await intake.receive(store, keeper, other, made.ring, house.day)
    assert (await Case.count(), await Message.count()) == (1, 1)


async def test_unknown_wrong_and_deleted_codes_get_the_same_answer(house: House, made: Team) -> None:
    written, gone = await report(house, made), await report(house, made, diary=True)
    row = await intake.find(proof_of(gone.keys.locator.hex(), gone.keys.auth.hex()))
    await keeping.delete_by_reporter(house.engines["cases"], row, house.day)
    right = proof_of(written.keys.locator.hex(), written.keys.auth.hex())
    assert (await intake.find(right))["id"] == written.case
    wrong = (Proof(right.locator, bytes(32)), Proof(bytes(32), right.auth), proof_of(gone.keys.locator.hex(), gone.keys.auth.hex()))
    answers = []
    for proof in wrong:
        with pytest.raises(CaseUnknown) as problem:
            await intake.find(proof)
        answers.append(str(problem.value))
    assert set(answers) == {""}


@pytest.mark.parametrize("field", ["wraps", "messages", "epoch", "reader", "locator", "signer"])
async def test_a_malformed_report_is_refused_whole(house: House, made: Team, field: str) -> None:
    keys = codes.derive(codes.new_code(os.urandom), bytes(16))
    content = composing.compose(keys, [Entry("report", {"text": "x"})], house.day, made.ring, "fp")
    broken = {
        "wraps": content | {"epoch": content["epoch"] | {"wraps": {**content["epoch"]["wraps"], "nobody": content["messages"][0]}}},
        "messages": content | {"messages": [_b64(b"in clear")]},
        "epoch": content | {"epoch": content["epoch"] | {"recipient": "age1zzz"}},
        "reader": content | {"reader": "x"},
        "locator": content | {"locator": "ff"},
        "signer": content | {"signer": "zz" * 32},
    }[field]
    with pytest.raises(ReportRefused):
        await intake.receive(house.engines["cases"], keeper_of(house), msgspec.convert(broken, Report), made.ring, house.day)
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
    with pytest.raises(ReportRefused):
        await contest(later(house, 41), made, written)
    with pytest.raises(NotAllowed):
        await say(later(house, 42), made, written, "anna", "chiudo io", "final")
    assert await sees(later(house, 42), made, OUTSIDE) == [written.case]
    await say(later(house, 50), made, written, OUTSIDE, "secondo sguardo", "final")
    row = await Case.select().first()
    assert row is not None
    day = house.day
    assert (row["state"], row["received"], row["acknowledged"], row["outcome"]) == (
        State.FINAL, day, day + timedelta(days=3), day + timedelta(days=50),
    )  # fmt: skip
    assert await texts(house, made, written, OUTSIDE) == ["parole", "arrivato", "fatto, per questi motivi", "no", "secondo sguardo"]


async def test_two_answers_at_once_do_not_take_one_place(house: House, made: Team) -> None:
    written = await report(house, made)
    at_desk = await seat(house, made)
    sealed = _b64(encrypt(b"x", new_identity()[1]))
    await desk.write(at_desk, written.case, "anna", Writing("thread", 2, sealed))
    with pytest.raises(OutOfStep):
        await desk.write(at_desk, written.case, "carla", Writing("thread", 2, sealed))
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
    keys = replace(codes.derive(codes.new_code(os.urandom), bytes(16)), number=written.keys.number)
    forged = composing.compose(keys, [Entry("report", {"text": "x"})], house.day, made.ring, "fp")
    with pytest.raises(AlreadyThere):
        await intake.receive(house.engines["cases"], keeper_of(house), msgspec.convert(forged, Report), made.ring, house.day)
    assert await texts(house, made, written, "anna") == ["parole"]


async def test_the_substitute_comes_in_when_handlers_are_away_for_more_than_seven_days(house: House, made: Team) -> None:
    written = await report(house, made, out=["carla"])
    await handlers.set_absence("bruno", house.day - timedelta(days=3), None)
    assert await sees(later(house, 3), made, OUTSIDE) == []
    assert await sees(later(house, 4), made, OUTSIDE) == [written.case]
    await handlers.set_absence("bruno", None, None)
    assert await sees(later(house, 4), made, OUTSIDE) == []


async def test_with_fewer_than_two_inside_the_outside_substitute_reads_at_once(house: House, made: Team) -> None:
    written = await report(house, made, out=["bruno", "carla"])
    assert await sees(house, made, OUTSIDE) == [written.case]


async def rekeyed(house: House, made: Team, written: Written, name: str, names: list[str]) -> None:
    """Put a case under new keys, as a handler's browser does."""
    file = await desk.case_file(await seat(house, made), written.case, name)
    old = await epoch_key(house, made, written, name)
    identity, recipient = new_identity()
    author = Author(name, made.keys[name].ed25519)
    fresh = EpochKey(written.case, "thread", old.number + 1, identity, old.reporter, name)
    recipients = {reader: made.keys[reader].recipient for reader in names} | {REPORTER: file.reporter}
    wraps = {reader: _b64(make_wrap(fresh, author, to)) for reader, to in recipients.items()}
    messages = [_b64(encrypt(decrypt(content, old.identity), recipient)) for stream, _, _, content in file.messages if stream == "thread"]
    change = Rekey([Resealed(SealedEpoch("thread", fresh.number, recipient, wraps), messages)])
    await desk.rekey(await seat(house, made), written.case, name, change)


async def test_removal_drill_a_handler_who_leaves_opens_nothing_that_follows(house: House, made: Team) -> None:
    """Bruno keeps his laptop: his own key, the wrap he had and a copy of the old epoch key."""
    written = await report(house, made, "prima")
    kept = await epoch_key(house, made, written, "bruno")
    text = made.next_text(house.day, ["anna", "carla", OUTSIDE])
    ring, count = await publish_keyring(house, text, made.signatures(text))
    made.keyrings.append(ring)
    assert count == 1
    assert await sees(house, made, "bruno") == []
    line = (await desk.inbox(await seat(house, made), "anna"))[0]
    assert line.rekey
    await rekeyed(house, made, written, "anna", ["anna", "carla", OUTSIDE])
    await say(house, made, written, "anna", "dopo")
    assert await texts(house, made, written, "carla") == ["prima", "dopo"]
    stolen = [bytes(row["sealed"]) for row in await Message.select(Message.sealed)]
    stolen += [bytes(row["sealed"]) for row in await Wrap.select(Wrap.sealed)]
    for sealed in stolen:
        for identity in (kept.identity, made.keys["bruno"].identity):
            with pytest.raises(CannotOpen):
                decrypt(sealed, identity)
    assert not (await desk.inbox(await seat(house, made), "anna"))[0].rekey


async def test_re_keying_cannot_lose_a_message_or_let_in_somebody_who_had_no_key(house: House, made: Team) -> None:
    written = await report(house, made, out=["bruno"])
    with pytest.raises(ReportRefused):
        await rekeyed(house, made, written, "anna", ["anna", "bruno"])
    file = await desk.case_file(await seat(house, made), written.case, "anna")
    epoch = SealedEpoch("thread", 2, file.epochs[0][2], {REPORTER: _b64(encrypt(bytes(1024), file.reporter))})
    with pytest.raises(ReportRefused):
        await desk.rekey(await seat(house, made), written.case, "anna", Rekey([Resealed(epoch, [])]))
    assert await texts(house, made, written, "anna") == ["parole"]


async def test_a_handler_in_conflict_steps_out_and_the_last_one_cannot(house: House, made: Team) -> None:
    written = await report(house, made, out=["carla", OUTSIDE])
    await desk.step_out(await seat(house, made), written.case, "bruno")
    assert await sees(house, made, "bruno") == []
    assert await sees(house, made, "anna") == [written.case]
    with pytest.raises(NotAllowed):
        await desk.step_out(await seat(house, made), written.case, "anna")


def test_key_loss_drill_a_forgotten_passphrase_is_opened_by_the_printed_kit() -> None:
    from surveys.cases.bundles import kit_seed
    from tests.surveys.cases.people import new_keys

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
    from tests.surveys.cases.people import new_keys

    written = await report(house, made, "da salvare")
    made.keys["bruno"] = new_keys()
    text = made.next_text(house.day, ["anna", "bruno", "carla", OUTSIDE])
    ring, _ = await publish_keyring(house, text, made.signatures(text))
    made.keyrings.append(ring)
    record = HandlerRecord("bruno", os.urandom(16), "{}", made.keys["bruno"].recipient, made.keys["bruno"].signer, "", house.day, None, None)
    await handlers.keep(house.engines["cases"], record, renew=True)
    with pytest.raises(CannotOpen):
        await texts(house, made, written, "bruno")
    assert (await desk.inbox(await seat(house, made), "anna"))[0].rekey
    await rekeyed(house, made, written, "anna", ["anna", "bruno", "carla", OUTSIDE])
    assert await texts(house, made, written, "bruno") == ["da salvare"]
    later_report = await report(house, made, "nuova")
    assert await texts(house, made, later_report, "bruno") == ["nuova"]


async def test_key_loss_drill_when_all_handlers_lost_their_keys_two_of_three_holders_open(house: House, made: Team) -> None:
    written = await report(house, made, "da salvare")
    refused = await report(house, made, "senza riserva", out=[RECOVERY])
    holders, files = made.recovery.holders, made.recovery.files
    identity = open_recovery(bytes.fromhex(files["bc"]), (holders["c"], holders["b"]))
    for pair in (("a", "a"), ("a", "b")):
        with pytest.raises(CannotOpen):
            open_recovery(bytes.fromhex(files["bc"]), (holders[pair[0]], holders[pair[1]]))
    at_desk = await seat(house, made)
    row = await Case.select().where(Case.id == written.case).first()
    file = await desk.case_file(at_desk, written.case, RECOVERY, row)
    key = open_wrap(file.epochs[0][3], identity, written.case, "thread", made.trusted())
    sealed = [(e, c) for _, _, e, c in file.messages]
    trust = Trust(key.reporter, made.trusted())
    assert [m.content["text"] for m in read_stream(written.case, "thread", sealed, {1: key.identity}, trust)] == ["da salvare"]
    other = await Case.select().where(Case.id == refused.case).first()
    assert (await desk.case_file(at_desk, refused.case, RECOVERY, other)).epochs == ()


async def test_a_diary_is_nobodys_until_it_is_sent_and_then_only_what_was_picked(house: House, made: Team) -> None:
    written = await report(house, made, "giorno uno", diary=True)
    assert await sees(house, made, "anna") == []
    epoch_key_, epoch = composing.new_epoch(written.case, "thread", 1, written.keys, made.ring, ["bruno"])
    content = composing.reply(
        written.keys, written.case, "thread", [], epoch["recipient"], Entry("report", {"text": "scelta"}), house.day, made.ring.fingerprint
    )
    wanted = msgspec.convert(content | {"epoch": epoch}, Reply)
    await intake.add(house.engines["cases"], keeper_of(house), wanted, made.ring, house.day)
    assert epoch_key_.stream == "thread"
    assert await texts(house, made, written, "anna") == ["scelta"]
    file = await desk.case_file(await seat(house, made), written.case, "anna")
    assert {stream for stream, *_ in file.messages} == {"thread"}
    with pytest.raises(ReportRefused):
        await intake.add(house.engines["cases"], keeper_of(house), wanted, made.ring, house.day)


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
    await pieces.keep_piece(store, "ab" * 16, 0, b"sealed", house.day)
    await pieces.claim(["ab" * 16], written.case)
    end = date(house.day.year + 2, house.day.month, house.day.day) + timedelta(days=1)
    at_desk = await seat(house, made)
    await desk.set_hold(at_desk, written.case, "anna", True)
    assert (await keeping.sweep(store, end - timedelta(days=1), 2)).cases == 0
    await desk.set_hold(at_desk, written.case, "carla", True)
    await desk.set_hold(at_desk, written.case, "carla", False)
    assert (await keeping.sweep(store, end, 2)).cases == 0
    await desk.set_hold(at_desk, written.case, "anna", False)
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


@pytest.mark.parametrize(("cases", "band"), [(0, "0-4"), (4, "0-4"), (5, "5-9"), (9, "5-9"), (10, "10-19"), (19, "10-19"), (20, "20+")])
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
    assert [(line.who, line.act, line.intact) for line in lines[before:]] == [("anna", "opened_a_case", True), ("a" * 60, "stepped_out", True)]
    rows = await DeskLine.select().order_by(DeskLine.number)
    assert {len(bytes(row["sealed"])) for row in rows} == {256 + 40}
    assert b"anna" not in b"".join(bytes(row["sealed"]) for row in rows)
    await DeskLine.delete().where(DeskLine.number == rows[before]["number"])
    assert not (await log.read(keeper))[-1].intact
