"""What a handler does to a case beside writing in it: leaving it, holding it, taking words out; and what follows where she
leaves the list or has new keys."""

from base64 import b64encode
from collections.abc import Mapping
from contextlib import suppress
from datetime import date
from hashlib import sha256
from hmac import compare_digest
from typing import Any

import msgspec

from surveys.cases.beside import days_of, heard, holds_of, is_ended, kept, put_in_time, word_of
from surveys.cases.clocks import EARLIEST, Days, State
from surveys.cases.desk import Desk, NotAllowed, case_row, hold_mark, holders_of
from surveys.cases.folded import day_of
from surveys.cases.incoming import CaseUnknown, ReportRefused, dummy_wrap, sealed_bytes
from surveys.cases.intake import lock_case
from surveys.cases.keeper import FIRST_VERSION
from surveys.cases.rows import row_of
from surveys.cases.tables import Case, Message, Wrap
from surveys.cells import octets
from surveys.odd import StoreOdd, reading


async def step_out(desk: Desk, case: int, name: str) -> None:
    """A handler in conflict leaves a case at once: her wraps go, and whoever opens it next changes its keys.

    Parameters
    ----------
    desk : what her request needs
    case : its number, 63 bits
    name : her account

    Raises
    ------
    CaseUnknown
    NotAllowed
        If nobody would be left to read it.
    """
    row = await case_row(desk, case, name)
    async with desk.engine.transaction():
        await lock_case(desk.engine, int(row["id"]))  # two who leave at once: the second sees that she is the last
        if not await holders_of(desk, case) & desk.ever - {name}:
            raise NotAllowed
        await _drop(desk, int(row["id"]), name)


async def _drop(desk: Desk, case: int, name: str) -> None:
    """Replace her wraps by noise, in the transaction of the caller."""
    blind = [desk.keeper.reader(case, stream, name) for stream in ("thread", "notes")]
    for row in await Wrap.select(Wrap.id).where(Wrap.reader.is_in(blind)):
        reader, sealed = dummy_wrap()
        await Wrap.update({Wrap.reader: reader, Wrap.sealed: sealed}).where(Wrap.id == row["id"])
    await Case.update({Case.rekey: True}).where(Case.id == case)


async def drop_everywhere(desk: Desk, name: str) -> None:
    """Remove a handler who left the keyring from every case; those cases are to be sealed anew."""
    for row in await Case.select(Case.id).where(Case.state != State.DIARY).order_by(Case.id):
        async with desk.engine.transaction():
            with suppress(CaseUnknown):  # deleted meanwhile
                await lock_case(desk.engine, int(row["id"]))
                if await _may_hold(desk, int(row["id"]), name):
                    await _drop(desk, int(row["id"]), name)


async def _may_hold(desk: Desk, case: int, name: str) -> bool:
    """Whether she reads a case, or it cannot be read who does: it keeps no other case from what is due."""
    try:
        with reading("epoch"):
            return name in await holders_of(desk, case)
    except StoreOdd:
        return True


async def renew_everywhere(desk: Desk, name: str) -> None:
    """A handler has new keys: her cases are to be sealed anew, so that a colleague gives them to the new key."""
    for row in await Case.select(Case.id).where(Case.state != State.DIARY).order_by(Case.id):
        if await _may_hold(desk, int(row["id"]), name):
            await Case.update({Case.rekey: True}).where(Case.id == row["id"])


async def waiting_for_keys() -> int:
    """How many cases are to be sealed anew by whoever opens them next."""
    return int(await Case.count().where(Case.rekey.eq(True)))


async def set_hold(desk: Desk, case: int, name: str, wanted: bool) -> None:
    """Ask for a legal hold, or take one's asking back: two people put a hold on, and both must lift it.

    Parameters
    ----------
    desk, case, name : what her request needs; the number of the case; her account
    wanted : whether she asks for it, or no longer does; said twice it counts once

    Raises
    ------
    CaseUnknown
    """
    await case_row(desk, case, name)
    mark = hold_mark(desk, case, name)
    async with desk.engine.transaction():
        await lock_case(desk.engine, case)
        row = await Case.select(Case.holds, Case.held).where(Case.id == case).first()
        if row is None:
            raise CaseUnknown
        holds = holds_of(row)
        holds = holds | {mark} if wanted else holds - {mark}
        held = len(holds) >= 2 or (bool(row["held"]) and bool(holds))
        text = msgspec.json.encode(sorted(holds)).decode()
        await Case.update({Case.holds: text, Case.held: held}).where(Case.id == case)


class Stand(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a case stands by its letters, as a reader's device found it: the state, and the days of its steps."""

    state: str
    received: str
    acknowledged: str = ""
    outcome: str = ""
    letters: int = 0
    """How many letters of the thread it found this in."""


async def say_stand(desk: Desk, case: int, name: str, said: Stand) -> bool:
    """Write beside a case how it stands by its letters. A retention begins only when two readers' devices found the same end,
    or the only reader's did: nobody alone can have a case deleted. What her device found is kept beside that of others, for `is_late`.

    Parameters
    ----------
    desk, case, name : what her request needs; the number of the case; her account
    said : what her device found; days ``YYYY-MM-DD``, in the order of the steps and not after today; "" for none

    Returns
    -------
    Whether something was written.

    Raises
    ------
    CaseUnknown
    ReportRefused
        ``state``: it cannot stand so.
    """
    await case_row(desk, case, name)
    async with desk.engine.transaction():
        await lock_case(desk.engine, case)
        row = await row_of(case)
        if row is None or desk.keeper.version(case) == FIRST_VERSION:
            raise ReportRefused("state")
        found = _days_said(said, desk.day)
        if found != days_of(row) and not _may_be_said(row, found, desk.day):
            raise ReportRefused("state")
        me = desk.keeper.reader(case, "maker", name)
        changes: dict[Any, Any] = {}
        alone = len(await holders_of(desk, case) & set(desk.current)) < 2
        if found != days_of(row):
            changes = {
                Case.state: found.state,
                Case.received: found.received,
                Case.acknowledged: found.acknowledged,
                Case.outcome: found.outcome,
                Case.ender: me,
                Case.ended: False,
            }
        elif not is_ended(row, desk.keeper) and not octets(row["ender"]):
            changes = {Case.ender: me}
        if (
            found.outcome
            and not (row["ended"] and not changes)
            and (alone or (not changes and octets(row["ender"]) != me))
        ):
            changes[Case.ended] = True
        letters = await Message.count().where((Message.case == case) & (Message.stream == "thread"))
        words = heard(
            put_in_time(row, found, desk.day), me.hex(), word_of(found, said.letters, desk.day), letters, desk.day
        )
        written: dict[Any, Any] = changes | ({} if kept(words) == row["words"] else {Case.words: kept(words)})
        # a row that is written with what it holds would tell, on PostgreSQL, that somebody opened the case just now
        if written:
            await Case.update(written).where(Case.id == case)
    return bool(changes)


LATEST_LOOK = 100
"""Days after an outcome by which a desk must have found it where the row did not say so at the time: a letter's own day is its
author's word, and one that is years old would begin a retention that is over."""


def _may_be_said(row: Mapping[str, Any], found: Days, today: date) -> bool:
    """Whether one reader's desk may put a row right so: never the day of receipt that the server wrote, never a contest, which
    lets the substitute in and is the reporter's, and no outcome of long ago."""
    before = days_of(row)
    if before.received is not None and found.received != before.received:
        return False
    if found.state in (State.CONTESTED, State.FINAL) and not row["contested"]:
        return False
    return found.outcome is None or found.outcome == before.outcome or (today - found.outcome).days <= LATEST_LOOK


def _days_said(said: Stand, today: date) -> Days:
    try:
        state = State(said.state)
        received, acknowledged, outcome = (day_of(text) for text in (said.received, said.acknowledged, said.outcome))
    except ValueError as problem:
        raise ReportRefused("state") from problem
    days = [day for day in (received, acknowledged, outcome, today) if day is not None]
    steps = {State.RECEIVED: (True, False, False), State.ACKNOWLEDGED: (True, True, False)}.get(
        state, (True, True, True)
    )
    if state == State.DIARY or steps != tuple(day is not None for day in (received, acknowledged, outcome)):
        raise ReportRefused("state")
    if days != sorted(days) or days[0] < EARLIEST:
        raise ReportRefused("state")
    return Days(state, received, acknowledged, outcome)


async def replace_message(desk: Desk, case: int, name: str, number: int, sealed_text: str) -> None:
    """Lay a letter of the thread without its content beside it (GDPR art. 5; D.Lgs. 24/2023 art. 13); it takes its place when
    a second reader has looked.

    Parameters
    ----------
    desk, case, name : what her request needs; the number of the case; her account
    number : of the letter in the thread
    sealed_text : the letter without its content, an age file in base64, at most 256 KiB

    Raises
    ------
    CaseUnknown, ReportRefused
    """
    await case_row(desk, case, name)
    sealed = sealed_bytes(sealed_text, "sealed")
    where = (Message.case == case) & (Message.stream == "thread") & (Message.number == number)
    if desk.keeper.version(case) == FIRST_VERSION or not await Message.exists().where(where):
        raise ReportRefused("number")
    await Message.update({Message.replacement: sealed, Message.maker: desk.keeper.reader(case, "maker", name)}).where(
        where
    )


async def confirm_replacement(desk: Desk, case: int, name: str, number: int, digest: str) -> None:
    """A second reader has found the same head in it: the letter's content is gone from now on.

    Parameters
    ----------
    desk, case, name : what her request needs; the number of the case; her account
    number : of the letter in the thread
    digest : SHA-256 (hex) of the replacement in base64, as her device was given it: what she did not look at takes no
        letter's place

    Raises
    ------
    CaseUnknown
    NotAllowed
        If nothing waits there, something else does by now, or she laid it there herself.
    """
    await case_row(desk, case, name)
    where = (Message.case == case) & (Message.stream == "thread") & (Message.number == number)
    async with desk.engine.transaction():
        await lock_case(desk.engine, case)
        row = await Message.select().where(where).first()
        waiting = octets(row["replacement"]) if row else b""
        if row is None or not waiting or octets(row["maker"]) == desk.keeper.reader(case, "maker", name):
            raise NotAllowed
        if not compare_digest(sha256(b64encode(waiting)).hexdigest().encode(), digest.encode()):
            raise NotAllowed
        await Message.update({Message.sealed: waiting, Message.replacement: b"", Message.maker: b""}).where(where)
