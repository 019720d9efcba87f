"""Diaries, retention, the spool, the year's band and the log."""

import asyncio
import os
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import msgspec
import pytest

from surveys.cases import acts, desk, intake, keeping, log, pieces, standing
from surveys.cases.clocks import State
from surveys.cases.incoming import (
    CaseUnknown,
    Reply,
    ReportRefused,
)
from surveys.cases.keeper import REPORTER
from surveys.cases.tables import Case, Epoch, Message, Piece, Wrap
from surveys.engines import StoreEngine
from surveys.lifecycle.context import Site
from surveys.public import channel
from tests.surveys.cases.people import (
    ALL,
    Team,
    keeper_of,
    open_of,
    report,
    say,
    seat,
    sees,
    stands,
    texts,
)


async def test_a_diary_is_nobodys_until_it_is_sent_and_then_only_what_was_picked(site: Site, made: Team) -> None:
    written = await report(site, made, "giorno uno", diary=True)
    assert await sees(site, made, "anna") == []
    epoch, sealed = acts.first_letter(
        written.me, made.ring, made.anchor.hash, ["bruno"], {"text": "scelta"}, site.day, os.urandom
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
    await intake.add(site.engines["cases"], keeper_of(site), wanted_, list(ALL), site.day)
    assert await texts(site, made, written, "anna") == ["scelta"]
    file = await desk.case_file(await seat(site, made), written.case, "anna")
    assert {message.stream for message in file.messages} == {"thread"}
    mine = await open_of(site, made, written, REPORTER)
    assert [entry.content for entry in mine.diary] == [{"text": "giorno uno"}]
    with pytest.raises(ReportRefused):
        await intake.add(site.engines["cases"], keeper_of(site), wanted_, list(ALL), site.day)


async def test_a_diary_that_is_sent_and_thrown_away_at_once_is_one_of_the_two(site: Site, made: Team) -> None:
    """Done by an attacker: a report that was sent was deleted, and on PostgreSQL its rows stayed without a case."""
    store, sent = site.engines["cases"], 0
    for _ in range(12):
        written = await report(site, made, "giorno uno", diary=True)
        epoch, sealed = acts.first_letter(
            written.me, made.ring, made.anchor.hash, [], {"text": "scelta"}, site.day, os.urandom
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
            intake.add(store, keeper_of(site), reply, list(ALL), site.day),
            keeping.delete_by_reporter(store, row, site.day),
            return_exceptions=True,
        )
        there = await Case.select(Case.state).where(Case.id == written.case).first()
        assert [isinstance(one, CaseUnknown) for one in said] == ([False, True] if there else [True, False])
        assert there in (None, {"state": State.RECEIVED})
        sent += there is not None
    assert (await Message.count(), await Epoch.count(), await Case.count()) == (2 * sent, 2 * sent, sent)


async def test_an_unsent_diary_goes_twelve_months_after_its_last_words(site: Site, made: Team) -> None:
    await report(site, made, diary=True)
    store = site.engines["cases"]
    last = date(site.day.year + 1, site.day.month, site.day.day)
    assert (await keeping.sweep(store, keeper_of(site), last, lambda _: 5)).diaries == 0
    assert (await keeping.sweep(store, keeper_of(site), last + timedelta(days=1), lambda _: 5)).diaries == 1
    assert (await Case.count(), await Wrap.count(), await Epoch.count(), await Message.count()) == (0, 0, 0, 0)


async def test_retention_takes_rows_wraps_and_attachments_and_two_people_hold_it(site: Site, made: Team) -> None:
    written, store = await report(site, made), site.engines["cases"]
    await say(site, made, written, "anna", "arrivato", "acknowledge")
    await say(site, made, written, "anna", "esito", "outcome")
    await stands(site, made, written, "carla")
    await pieces.keep_piece(store, "ab" * 16, 0, b"sealed", site.day)
    await pieces.claim(["ab" * 16], written.case)
    end = date(site.day.year + 2, site.day.month, site.day.day) + timedelta(days=1)
    at_desk = await seat(site, made)
    await standing.set_hold(at_desk, written.case, "anna", True)
    assert (await keeping.sweep(store, keeper_of(site), end - timedelta(days=1), lambda _: 2)).cases == 0
    await standing.set_hold(at_desk, written.case, "carla", True)
    await standing.set_hold(at_desk, written.case, "carla", False)
    assert (await keeping.sweep(store, keeper_of(site), end, lambda _: 2)).cases == 0
    await standing.set_hold(at_desk, written.case, "anna", False)
    assert (await keeping.sweep(store, keeper_of(site), end, lambda _: 2)).cases == 1
    for table in (Case, Epoch, Wrap, Message, Piece):
        assert await table.count() == 0


async def test_pieces_that_nobody_claimed_leave_the_spool_after_two_days(site: Site, made: Team) -> None:
    store = site.engines["cases"]
    assert await pieces.keep_piece(store, "cd" * 16, 0, b"one", site.day) == 1
    assert await pieces.keep_piece(store, "cd" * 16, 0, b"one", site.day) == 1
    assert await pieces.keep_piece(store, "cd" * 16, 1, b"two", site.day) == 2
    for other in (
        "CD" * 16,
        "cd " * 16,
        "cd" * 15,
        "cd" * 17,
        "xy" * 16,
    ):  # one writing: it could be kept twice and joined
        with pytest.raises(ReportRefused):
            await pieces.keep_piece(store, other, 0, b"one", site.day)
    assert await pieces.pieces_kept("cd" * 16) == [0, 1]
    assert (await keeping.sweep(store, keeper_of(site), site.day + timedelta(days=2), lambda _: 5)).pieces == 0
    assert (await keeping.sweep(store, keeper_of(site), site.day + timedelta(days=3), lambda _: 5)).pieces == 2


async def test_a_year_says_one_band_once_it_is_over_and_counts_what_was_deleted(site: Site, made: Team) -> None:
    public, store = site.engines["public"], site.engines["cases"]
    for _ in range(5):
        last = await report(site, made)
    row = await Case.select().where(Case.id == last.case).first()
    assert row is not None
    await say(site, made, last, "anna", "arrivato", "acknowledge")
    await keeping.delete_case(store, row | {"acknowledged": site.day, "outcome": site.day}, site.day)
    assert (await keeping.close_year(public, date(site.day.year, 12, 31))).bands == {}
    record = await keeping.close_year(public, date(site.day.year + 1, 1, 1))
    assert record.bands[str(site.day.year)] == channel.YearBand("5-9", False)  # four were never acknowledged
    await report(site, made)
    assert (await keeping.close_year(public, date(site.day.year + 1, 1, 2))).bands == record.bands


@pytest.mark.parametrize(
    ("cases", "band"), [(0, "0-4"), (4, "0-4"), (5, "5-9"), (9, "5-9"), (10, "10-19"), (19, "10-19"), (20, "20+")]
)
def test_a_band_never_tells_a_count(cases: int, band: str) -> None:
    assert channel.band_of(cases) == band
    assert (channel.year_band(cases, 0).kept is None) == (cases < 5)


async def test_the_log_names_people_and_acts_sealed_and_chained(site: Site, made: Team) -> None:
    from surveys.cases.tables import DeskLine

    store, keeper = site.engines["cases"], keeper_of(site)
    before = len(await log.read(keeper))
    await log.record(store, keeper, site.day, "anna", "opened_a_case")
    await log.record(store, keeper, site.day, "a" * 60, "stepped_out")
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


async def test_a_case_that_is_held_while_others_are_deleted_stays(
    site: Site, made: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Found by reading: the sweep looked at all cases first, then deleted; a hold that came in between was acknowledged and lost."""
    store, at_desk = site.engines["cases"], await seat(site, made)
    for _ in range(2):
        written = await report(site, made)
        await say(site, made, written, "anna", "esito", "outcome")
        await stands(site, made, written, "carla")
        await standing.set_hold(at_desk, written.case, "anna", True)
    plain, held = keeping.delete_case, []

    async def delete_case(engine: StoreEngine, row: Mapping[str, Any], day: date) -> None:
        await plain(engine, row, day)
        for other in await Case.select(Case.id):
            await standing.set_hold(at_desk, other["id"], "carla", True)
            held.append(other["id"])

    monkeypatch.setattr(keeping, "delete_case", delete_case)
    end = date(site.day.year + 5, site.day.month, site.day.day) + timedelta(days=1)
    assert (await keeping.sweep(store, keeper_of(site), end, lambda _: 5)).cases == 1
    assert [row["id"] for row in await Case.select(Case.id)] == held != []


async def test_a_diary_that_is_written_on_while_others_are_deleted_stays(
    site: Site, made: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = site.engines["cases"]
    for _ in range(2):
        await report(site, made, diary=True)
    plain, last = keeping.delete_case, date(site.day.year + 1, site.day.month, site.day.day) + timedelta(days=1)

    async def delete_case(engine: StoreEngine, row: Mapping[str, Any], day: date) -> None:
        await plain(engine, row, day)
        await Case.update({Case.written: last}).where(
            Case.state == State.DIARY
        )  # as her next letter does (`intake.add`)

    monkeypatch.setattr(keeping, "delete_case", delete_case)
    assert (await keeping.sweep(store, keeper_of(site), last, lambda _: 5)).diaries == 1
    assert await Case.count() == 1


async def test_of_an_attachment_that_a_letter_took_no_day_stays(site: Site, made: Team) -> None:
    """Found from outside: a copy of the store told on which day each letter with a photo was written, reporters' too."""
    written, store = await report(site, made), site.engines["cases"]
    for upload in ("ab" * 16, "cd" * 16, "ef" * 16):
        await pieces.keep_piece(store, upload, 0, b"sealed", site.day)
    await pieces.claim(["ab" * 16, "cd" * 16], written.case)
    days = {bytes(row["upload"]).hex()[:2]: row["arrived"] for row in await Piece.select()}
    assert days == {"ab": None, "cd": None, "ef": site.day}
    await Piece.update({Piece.arrived: site.day}).where(Piece.upload == bytes.fromhex("ab" * 16))  # of a version before
    await keeping.sweep(store, keeper_of(site), site.day, lambda _: 5)
    days = {bytes(row["upload"]).hex()[:2]: row["arrived"] for row in await Piece.select()}
    assert days == {"ab": None, "cd": None, "ef": site.day}
    await keeping.sweep(store, keeper_of(site), site.day + timedelta(days=3), lambda _: 5)
    assert len(await Piece.select()) == 2
