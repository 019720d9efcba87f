"""What a handler writes: letters, notes, changes of keys, and that she has opened keys which a colleague made."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

import msgspec

from surveys.cases.beside import days_of, kept, put_in_time
from surveys.cases.clocks import State
from surveys.cases.desk import Desk, NotAllowed, case_row
from surveys.cases.incoming import (
    OutOfStep,
    ReportRefused,
    SealedEpoch,
    dummy_wrap,
    epoch_rows,
    names_on,
    sealed_bytes,
)
from surveys.cases.intake import append, lock_case
from surveys.cases.keeper import FIRST_VERSION, RECOVERY, REPORTER
from surveys.cases.pieces import claim
from surveys.cases.rows import row_of
from surveys.cases.tables import Case, Epoch, Message, Wrap
from surveys.cells import octets

MOVES = {
    "acknowledge": ({State.RECEIVED}, State.ACKNOWLEDGED),
    "outcome": ({State.RECEIVED, State.ACKNOWLEDGED}, State.OUTCOME),
    "final": ({State.CONTESTED}, State.FINAL),
}
"""What a handler's message may change: from which states, to which."""


class Writing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A handler's letter, the epoch it is sealed to, and the step it takes, if any; a first note brings the notes' epoch,
    a change of keys the new epochs."""

    stream: str
    number: int
    sealed: str
    epoch: int = 0
    move: str = ""
    uploads: list[str] = []
    epochs: list[SealedEpoch] = []
    notes: int = -1
    """With a change of keys: how many notes its author saw."""


async def append_letter(desk: Desk, case: int, name: str, writing: Writing) -> None:
    """Append a handler's letter and take the step it names; whether she may, the letters decide for whoever reads them.

    Parameters
    ----------
    desk : what her request needs
    case : its number, 63 bits
    name : her account
    writing : as her device sent it

    Raises
    ------
    CaseUnknown, OutOfStep, ReportRefused
    NotAllowed
        If the step is not open in this state, in a case of version 1.
    """
    row = await case_row(desk, case, name)
    if writing.stream not in ("thread", "notes") or (writing.move and writing.stream != "thread"):
        raise ReportRefused("stream")
    if writing.move and writing.move not in MOVES:
        raise ReportRefused("move")  # it stands in the log as it came: nobody writes there what she likes
    sealed = sealed_bytes(writing.sealed, "sealed")
    async with desk.engine.transaction():
        await lock_case(desk.engine, case)
        row = await row_of(case) or row
        await append_with(desk, case, row, name, writing, sealed)
        await claim(writing.uploads, case)
        if writing.move:
            await _move(desk, case, row, name, writing.move)


async def append_with(
    desk: Desk, case: int, row: Mapping[str, Any], name: str, writing: Writing, sealed: bytes
) -> None:
    """Append a letter; a first note and a change of keys bring epochs of their own. A change says how many notes its author saw:
    where one came in between, she looks again. Of notes whose keys failed her she has no link to give.

    Parameters
    ----------
    desk, case, name : as of `append_letter`
    row : the case, read under its lock; the caller holds the transaction
    writing : its epochs decide what is made here
    sealed : its letter, form and size checked

    Raises
    ------
    OutOfStep, ReportRefused
        The caller's transaction ends with it: nothing is kept.
    """
    if not writing.epochs:
        return await append(case, writing.stream, writing.number, sealed, writing.epoch)
    if desk.keeper.version(case) == FIRST_VERSION:
        raise ReportRefused("epochs")
    there = await Epoch.select().where(Epoch.case == case)
    letters = await Message.count().where((Message.case == case) & (Message.stream == "thread"))
    taken = {int(e["number"]) for e in there if e["stream"] == "thread"}
    # a row whose number is ahead of the letters is nobody's: each epoch but the first is brought by one
    highest = max((number for number in taken if number <= letters + 1), default=0)
    begun = any(
        (e["stream"], e["number"]) == ("notes", 1) for e in there
    )  # keys of a change may be void; those of a first note are not
    first_note = writing.stream == "notes" and not begun
    given, number = [(epoch.stream, epoch.number) for epoch in writing.epochs], writing.epochs[0].number
    if first_note and given != [("notes", 1)]:
        raise OutOfStep
    if not first_note and (given != [("thread", number), ("notes", number)] or number <= highest or number in taken):
        raise OutOfStep
    if (
        not first_note
        and writing.notes >= 0
        and writing.notes != await Message.count().where((Message.case == case) & (Message.stream == "notes"))
    ):
        raise OutOfStep
    if not first_note and begun and writing.notes < 0 and not writing.epochs[-1].link:
        raise OutOfStep  # a desk of before December 2026 that had not seen a note
    if first_note:
        await _add_epochs(desk, case, name, writing)
        return await append(case, writing.stream, writing.number, sealed, 1)
    if number > writing.number + 1:
        raise ReportRefused(
            "epochs"
        )  # of a number ahead of the letters: no reader takes it, and nobody could go on after it
    if REPORTER not in writing.epochs[0].wraps:
        raise ReportRefused("wraps")
    await append(case, writing.stream, writing.number, sealed, writing.epoch)
    await _add_epochs(desk, case, name, writing)
    await Case.update({Case.rekey: False}).where(Case.id == case)


async def _add_epochs(desk: Desk, case: int, name: str, writing: Writing) -> None:
    for epoch in writing.epochs:
        made, wraps = epoch_rows(case, epoch, desk.keeper, names_on(sorted(desk.current)), name, writing.number)
        if await Epoch.exists().where(Epoch.id == made.id):  # there, but under another case or stream
            raise OutOfStep
        await Epoch.insert(made)
        await Wrap.insert(*wraps)


async def confirm(desk: Desk, case: int, name: str, number: int, stay: Collection[str]) -> None:
    """A second reader has opened an epoch, and says who reads by the letters: now everybody else loses the older wraps too.

    Where one of those who stay has no wrap of the new epoch, its maker left her out against what he signed: nothing goes.

    Parameters
    ----------
    desk, case : what her request needs; the number of a case
    name : her account
    number : of the epoch that she opened, in thread and notes alike; of 1 there is nothing older
    stay : the names of all who read by the letters, as rows of wraps have them; hers is among them

    Raises
    ------
    CaseUnknown
    NotAllowed
        If she made it herself, has no wrap of it, or does not say that she reads.
    """
    if name not in stay:
        raise NotAllowed
    await case_row(desk, case, name)
    async with desk.engine.transaction():
        await lock_case(desk.engine, case)
        epochs = await Epoch.select().where((Epoch.case == case) & Epoch.stream.is_in(["thread", "notes"]))
        for epoch in [e for e in epochs if e["number"] == number and e["number"] > 1]:
            if octets(epoch["maker"]) == desk.keeper.reader(case, "maker", name):
                raise NotAllowed
            hers = {octets(row["reader"]) for row in await Wrap.select(Wrap.reader).where(Wrap.epoch == epoch["id"])}
            if desk.keeper.reader(case, epoch["stream"], name) not in hers:
                raise NotAllowed
            wanted = (
                stay
                if epoch["stream"] == "thread"
                else [one for one in stay if one != REPORTER and not one.startswith(RECOVERY)]
            )
            if not {desk.keeper.reader(case, epoch["stream"], one) for one in wanted} <= hers:
                continue
            await Epoch.update({Epoch.confirmed: True}).where(Epoch.id == epoch["id"])
            older = [e["id"] for e in epochs if e["stream"] == epoch["stream"] and e["number"] < number]
            await _blind(older, hers)


async def _blind(epochs: Sequence[int], stay: Collection[bytes]) -> None:
    """Put dummies in the place of all wraps of these epochs but of those who stay."""
    for row in await Wrap.select().where(Wrap.epoch.is_in(list(epochs) or [0])):
        if octets(row["reader"]) not in stay:
            reader, sealed = dummy_wrap()
            await Wrap.update({Wrap.reader: reader, Wrap.sealed: sealed}).where(Wrap.id == row["id"])


async def _move(desk: Desk, case: int, row: Mapping[str, Any], name: str, move: str) -> None:
    before, after = MOVES.get(move, (set(), State.FINAL))
    if row["state"] not in before or (move == "final" and not desk.current.get(name)):
        if desk.keeper.version(case) == FIRST_VERSION:
            raise NotAllowed
        return  # the letter is kept: it decides, and what stands beside the case is put right by whoever opens it
    changes: dict[Any, Any] = {
        Case.state: after,
        Case.ender: desk.keeper.reader(case, "maker", name),
        Case.ended: False,
    }
    if row["acknowledged"] is None:
        changes[Case.acknowledged] = desk.day
    if after in (State.OUTCOME, State.FINAL):
        changes[Case.outcome] = desk.day
    then = replace(
        days_of(row),
        state=after,
        acknowledged=changes.get(Case.acknowledged, row["acknowledged"]),
        outcome=changes.get(Case.outcome, row["outcome"]),
    )
    changes[Case.words] = kept(put_in_time(row, then, desk.day))
    await Case.update(changes).where(Case.id == case)
