"""Reports in their store, on both engines: who sees what, what is refused, what stands in no row."""

import os

import msgspec
import pytest

from surveys.cases import codes, desk, incoming, intake, keeping, standing
from surveys.cases.acts import Reporter
from surveys.cases.incoming import (
    AlreadyThere,
    CaseUnknown,
    Proof,
    Report,
    ReportRefused,
    proof_of,
)
from surveys.cases.keeper import RECOVERY, REPORTER
from surveys.cases.sealing import encrypt, new_identity
from surveys.cases.tables import Case, Epoch, Message, Wrap
from surveys.cases.writing import Writing, append_letter, confirm
from surveys.lifecycle.context import Site
from tests.surveys.cases.people import (
    ALL,
    OUTSIDE,
    Team,
    b64,
    keeper_of,
    made_report,
    report,
    seat,
    sees,
    texts,
)


async def test_a_report_is_read_by_those_who_got_a_key_and_by_nobody_else(site: Site, made: Team) -> None:
    written = await report(site, made, "la mia storia", out=["bruno"])
    assert await texts(site, made, written, "anna") == ["la mia storia"]
    assert await sees(site, made, "anna") == await sees(site, made, "carla") == [written.case]
    assert await sees(site, made, "bruno") == await sees(site, made, OUTSIDE) == await sees(site, made, "nobody") == []


async def test_a_case_does_not_exist_for_an_excluded_handler_by_any_question(site: Site, made: Team) -> None:
    written = await report(site, made, out=["bruno"])
    at_desk = await seat(site, made)
    writing = Writing("thread", 2, b64(encrypt(b"x", new_identity()[1])))
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


async def test_the_store_names_no_reader_and_every_epoch_has_ten_wraps_alike(site: Site, made: Team) -> None:
    await report(site, made, out=["anna"])
    await report(site, made)
    await report(site, made, diary=True)
    wraps = await Wrap.select()
    assert len(wraps) == 3 * 10
    assert {len(bytes(row["sealed"])) for row in wraps} == {incoming.WRAP_SEALED}
    assert len({bytes(row["reader"]) for row in wraps}) == 30
    everything = repr([*wraps, *await Case.select(), *await Epoch.select(), *await Message.select()])
    assert not any(name in everything for name in ("anna", "bruno", "carla", RECOVERY, OUTSIDE))


async def test_the_same_report_sent_again_is_one_report_and_another_under_its_code_is_refused(
    site: Site, made: Team
) -> None:
    keys = codes.derive(codes.new_code(os.urandom), bytes(16))
    first, other = (msgspec.convert(made_report(made, keys, text, (), site), Report) for text in "ab")
    store, keeper = site.engines["cases"], keeper_of(site)
    number = int(Reporter(keys).case, 16)
    assert await intake.receive(store, keeper, first, list(ALL), site.day) == number
    assert await intake.receive(store, keeper, first, list(ALL), site.day) == number
    with pytest.raises(AlreadyThere):
        await intake.receive(store, keeper, other, list(ALL), site.day)
    assert (await Case.count(), await Message.count()) == (1, 1)


async def test_unknown_wrong_and_deleted_codes_get_the_same_answer(site: Site, made: Team) -> None:
    written, gone = await report(site, made), await report(site, made, diary=True)
    row = await intake.find(proof_of(gone.keys.locator.hex(), gone.keys.auth.hex()))
    await keeping.delete_by_reporter(site.engines["cases"], row, site.day)
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
async def test_a_malformed_report_is_refused_whole(site: Site, made: Team, field: str) -> None:
    keys = codes.derive(codes.new_code(os.urandom), bytes(16))
    content = made_report(made, keys, "x", (), site)
    epoch = content["epochs"][0]
    wraps, wrap = epoch["wraps"], next(iter(epoch["wraps"].values()))
    broken = {
        "wraps": content | {"epochs": [epoch | {"wraps": wraps | {"nobody": wrap}}]},
        "size": content | {"epochs": [epoch | {"wraps": wraps | {"anna": content["letters"][0]}}]},
        "reporter": content | {"epochs": [epoch | {"wraps": wraps | {REPORTER: wrap}}]},
        "letters": content | {"letters": [b64(b"in clear")]},
        "epoch": content | {"epochs": []},
        "link": content | {"epochs": [epoch | {"link": wrap}]},
        "number": content | {"epochs": [epoch | {"number": 2}]},
        "locator": content | {"locator": "ff"},
    }[field]
    with pytest.raises(ReportRefused):
        await intake.receive(
            site.engines["cases"], keeper_of(site), msgspec.convert(broken, Report), list(ALL), site.day
        )
    assert (await Case.count(), await Epoch.count(), await Wrap.count(), await Message.count()) == (0, 0, 0, 0)


async def test_a_report_that_nobody_could_read_is_refused(site: Site, made: Team) -> None:
    with pytest.raises(ReportRefused):
        await report(site, made, out=["anna", "bruno", "carla", OUTSIDE])


async def test_a_report_under_another_cases_number_is_refused(site: Site, made: Team) -> None:
    written = await report(site, made)
    forged = made_report(made, codes.derive(codes.new_code(os.urandom), bytes(16)), "x", (), site) | {
        "case": written.me.case
    }
    with pytest.raises(AlreadyThere):
        await intake.receive(
            site.engines["cases"], keeper_of(site), msgspec.convert(forged, Report), list(ALL), site.day
        )
    assert await texts(site, made, written, "anna") == ["parole"]
