"""Faults to plant in the life of reports: each is what somebody could write by mistake, and the lives of `case_life` must find every one."""

from collections.abc import Callable
from contextlib import asynccontextmanager
from datetime import date
from typing import Any

import pytest

from surveys.cases import clocks, intake, keeping, log, pieces, standing, writing
from surveys.cases.incoming import epoch_rows as incoming_epoch_rows
from surveys.cases.incoming import proof_of, sealed_bytes
from surveys.cases.intake import message_row
from surveys.cases.tables import Case, Epoch, Message, Piece, Wrap
from surveys.engines import insert_new
from surveys.lifecycle import channel, steps

type Patch = pytest.MonkeyPatch


async def _nothing(*_: Any, **__: Any) -> None:
    return None


def _sweep_does_not_look_again(patch: Patch) -> None:
    plain = keeping._delete_if
    patch.setattr(keeping, "_delete_if", lambda engine, case, day, still: plain(engine, case, day, lambda _: True))


def _held_cases_go_too(patch: Patch) -> None:
    plain = keeping._is_over
    patch.setattr(keeping, "_is_over", lambda row, *rest: plain(dict(row) | {"held": False}, *rest))


def _one_hold_is_enough_to_lift(patch: Patch) -> None:
    async def set_hold(desk: Any, case: int, name: str, wanted: bool) -> None:
        await plain(desk, case, name, wanted)
        if not wanted:
            await Case.update({Case.held: False}).where(Case.id == case)

    plain = standing.set_hold
    patch.setattr(standing, "set_hold", set_hold)


def _an_end_that_one_says_counts(patch: Patch) -> None:
    patch.setattr(keeping, "is_ended", lambda *_: True)


def _kept_from_the_day_of_receipt(patch: Patch) -> None:
    def is_over(row: Any, keeper: Any, day: date, years: Any) -> bool:
        return plain(dict(row) | {"outcome": row["outcome"] and row["received"]}, keeper, day, years)

    plain = keeping._is_over
    patch.setattr(keeping, "_is_over", is_over)


def _a_diary_from_its_first_word(patch: Patch) -> None:
    plain = intake.add

    async def add(engine: Any, keeper: Any, reply: Any, readers: Any, day: date) -> int:
        before = await Case.select(Case.id, Case.written)
        case = await plain(engine, keeper, reply, readers, day)
        for row in before:
            await Case.update({Case.written: row["written"]}).where(Case.id == row["id"])
        return case

    patch.setattr(intake, "add", add)


def _a_day_early(patch: Patch) -> None:
    plain = clocks.keep_until
    patch.setattr(keeping, "keep_until", lambda *given: plain(*given).replace(day=1))


def _wraps_stay(patch: Patch) -> None:
    async def delete_case(engine: Any, row: Any, day: date) -> None:
        async with engine.transaction():
            if row["received"]:
                await keeping._count(row["received"].year, late=False)
            for table in (Message, Piece):
                await table.delete().where(table.case == row["id"])
            await Epoch.delete().where(Epoch.case == row["id"])
            await Case.delete().where(Case.id == row["id"])

    patch.setattr(keeping, "delete_case", delete_case)


def _files_stay(patch: Patch) -> None:
    plain = keeping.delete_case

    async def delete_case(engine: Any, row: Any, day: date) -> None:
        pieces_of = await Piece.select().where(Piece.case == row["id"])
        await plain(engine, row, day)
        for piece in pieces_of:
            await Piece.insert(Piece(**piece))

    patch.setattr(keeping, "delete_case", delete_case)


def _deleted_and_counted_in_two_commits(patch: Patch) -> None:
    plain, count = keeping.delete_case, keeping._count

    async def delete_case(engine: Any, row: Any, day: date) -> None:
        if row["received"]:
            await count(row["received"].year, late=False)
        patch.setattr(keeping, "_count", _nothing)
        await plain(engine, row, day)

    async def delete_if(engine: Any, case: int, day: date, still: Any) -> bool:
        row = await Case.select().where(Case.id == case).first()
        if row is None or not still(row):
            return False
        await delete_case(engine, row, day)
        return True

    patch.setattr(keeping, "_delete_if", delete_if)


def _a_year_forgets_what_was_deleted(patch: Patch) -> None:
    patch.setattr(keeping, "_count", _nothing)


def _a_report_in_two_commits(patch: Patch) -> None:
    async def keep(engine: Any, reports: Any) -> list[Any]:
        found = []
        for report in reports:
            if await Case.exists().where(Case.id == report.case.id):
                found.append(int(report.case.id))
                continue
            async with engine.transaction():
                await insert_new(Case, report.case)
            async with engine.transaction():
                await Epoch.insert(report.epoch)
                await Wrap.insert(*report.wraps)
                await Message.insert(report.message)
            found.append(int(report.case.id))
        return found

    patch.setattr(intake, "keep", keep)


def _sent_again_is_refused(patch: Patch) -> None:
    async def is_kept(_: Any) -> bool:
        return False

    patch.setattr(intake, "_is_kept", is_kept)


def _any_number_is_the_next(patch: Patch) -> None:
    async def append(case: int, stream: str, number: int, sealed: bytes, epoch: int = 0) -> None:
        made = message_row(case, stream, number, epoch, sealed)
        await Message.delete().where(Message.id == made.id)
        await Message.insert(made)

    patch.setattr(intake, "append", append)
    patch.setattr(writing, "append", append)


def _thrown_away_although_sent(patch: Patch) -> None:
    plain = keeping._delete_if

    async def delete_by_reporter(engine: Any, row: Any, day: date) -> None:
        await plain(engine, int(row["id"]), day, lambda _: True)

    patch.setattr(keeping, "delete_by_reporter", delete_by_reporter)


def _files_are_not_claimed(patch: Patch) -> None:
    patch.setattr(intake, "claim", _nothing)


def _claimed_before_the_letter(patch: Patch) -> None:
    plain = intake.add

    async def add(engine: Any, keeper: Any, reply: Any, readers: Any, day: date) -> int:
        row = await intake.find(proof_of(reply.locator, reply.auth))
        await pieces.claim(reply.uploads, int(row["id"]))
        return await plain(engine, keeper, reply, readers, day)

    patch.setattr(intake, "add", add)


def _told_after_it_was_done(patch: Patch) -> None:
    @asynccontextmanager
    async def telling(engine: Any, keeper: Any, day: date, who: str, act: str) -> Any:
        yield
        await log.record(engine, keeper, day, who, act)

    patch.setattr(log, "telling", telling)


def _told_before_it_was_refused(patch: Patch) -> None:
    @asynccontextmanager
    async def telling(engine: Any, keeper: Any, day: date, who: str, act: str) -> Any:
        await log.record(engine, keeper, day, who, act)
        yield

    patch.setattr(log, "telling", telling)


def _a_list_without_its_step(patch: Patch) -> None:
    async def take(site: Any, wave: str, name: str, check: Any, **details: str) -> None:
        await check()
        step = steps.Step(wave, name, site.day, site.actor, details)
        await channel._publish_ring(site, step)

    patch.setattr(steps, "take", take)


def _whoever_left_keeps_her_wraps(patch: Patch) -> None:
    patch.setattr(standing, "_drop", _nothing)


def _keys_without_the_reporter(patch: Patch) -> None:
    patch.setattr(writing, "REPORTER", "anna")
    plain = incoming_epoch_rows

    def epoch_rows(case: int, epoch: Any, *rest: Any) -> Any:
        kept = {name: sealed for name, sealed in epoch.wraps.items() if name != "reporter"}
        return plain(case, type(epoch)(epoch.stream, epoch.number, kept, epoch.link), *rest)

    patch.setattr(writing, "epoch_rows", epoch_rows)


def _no_lock_of_a_case(patch: Patch) -> None:
    """Each part of an answer commits by itself: what the lock and the transaction hold together."""

    async def add(engine: Any, keeper: Any, reply: Any, readers: Any, day: date) -> int:
        row = await intake.find(proof_of(reply.locator, reply.auth))
        case = int(row["id"])
        sealed = sealed_bytes(reply.sealed, "sealed")
        for epoch in reply.epochs:
            await intake._send_diary(row, reply, epoch, keeper, readers, day)
        await intake.append(case, reply.stream, reply.number, sealed, reply.epoch)
        if reply.stream == "diary":
            await Case.update({Case.written: day}).where(Case.id == case)
        await pieces.claim(reply.uploads, case)
        return case

    patch.setattr(intake, "add", add)


def _stirred_rows_are_lost(patch: Patch) -> None:
    async def stir(engine: Any) -> None:
        rows = await Message.select()
        await Message.delete(force=True)
        for row in rows:
            await Message.insert(Message(**row))

    patch.setattr(keeping, "stir", stir)


PLANTED: dict[str, Callable[[Patch], None]] = {
    "the sweep does not look again": _sweep_does_not_look_again,
    "held cases go too": _held_cases_go_too,
    "one lifts what two hold": _one_hold_is_enough_to_lift,
    "an end that one person says counts": _an_end_that_one_says_counts,
    "kept from the day of receipt": _kept_from_the_day_of_receipt,
    "a diary goes by its first word": _a_diary_from_its_first_word,
    "a case goes before its last day": _a_day_early,
    "wraps of deleted cases stay": _wraps_stay,
    "files of deleted cases stay": _files_stay,
    "deleted and counted in two commits": _deleted_and_counted_in_two_commits,
    "a year forgets what was deleted": _a_year_forgets_what_was_deleted,
    "a report in two commits": _a_report_in_two_commits,
    "what is sent again is refused": _sent_again_is_refused,
    "any number is the next": _any_number_is_the_next,
    "thrown away although it was sent": _thrown_away_although_sent,
    "files are not claimed": _files_are_not_claimed,
    "files claimed before their letter": _claimed_before_the_letter,
    "told after it was done": _told_after_it_was_done,
    "told before it was refused": _told_before_it_was_refused,
    "a list without its step": _a_list_without_its_step,
    "whoever left keeps her wraps": _whoever_left_keeps_her_wraps,
    "new keys without the reporter": _keys_without_the_reporter,
    "an answer in many commits": _no_lock_of_a_case,
    "what is stirred is lost": _stirred_rows_are_lost,
}
