"""What comes from a reporter is kept: a new case, one more letter. All of it or nothing; sent again it counts once."""

import hmac
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from surveys.cases.clocks import State
from surveys.cases.incoming import (
    FILES,
    AlreadyThere,
    CaseUnknown,
    OutOfStep,
    Proof,
    Reply,
    Report,
    ReportRefused,
    SealedEpoch,
    case_number,
    epoch_rows,
    hexed,
    names_on,
    proof_of,
    row_id,
    sealed_bytes,
)
from surveys.cases.keeper import FIRST_VERSION, REPORTER, VERSION, Keeper
from surveys.cases.pieces import claim
from surveys.cases.tables import Case, Epoch, Message, Wrap
from surveys.cells import octets
from surveys.engines import PooledSQLite, StoreEngine, insert_new
from surveys.odd import reading


async def lock_case(engine: StoreEngine, case: int) -> None:
    """Hold a case for this transaction; on SQLite the transaction is alone anyway.

    Raises
    ------
    CaseUnknown
        If it was deleted while this waited.
    """
    if not isinstance(engine, PooledSQLite):
        current: Any = engine.current_transaction.get()
        await current.connection.execute('SELECT 1 FROM "case" WHERE id = $1 FOR UPDATE', case)
    if not await Case.exists().where(Case.id == case):
        raise CaseUnknown


@dataclass(frozen=True, slots=True)
class Prepared:
    """A report that was checked, as rows."""

    case: Case
    epoch: Epoch
    wraps: list[Wrap]
    message: Message
    uploads: Sequence[str]


def prepare(keeper: Keeper, report: Report, readers: Sequence[str], day: date) -> Prepared:
    """Check a report and make its rows.

    Parameters
    ----------
    keeper : gives the blind names on the wraps
    report : as it was sent: one epoch, one letter, at most five attachments
    readers : the accounts on the ring in use
    day : of receipt, or of writing for a diary

    Raises
    ------
    ReportRefused
        If it is malformed, or nobody on the ring could ever read it.
    """
    number, proof = case_number(report.case), proof_of(report.locator, report.auth)
    if len(report.epochs) != 1 or len(report.letters) != 1 or len(report.uploads) > FILES:
        raise ReportRefused("letters")
    stream = report.epochs[0].stream
    if stream not in ("thread", "diary"):
        raise ReportRefused("epoch")
    sealed = sealed_bytes(report.letters[0], "letters")
    epoch, wraps = _first_epoch(number, report.epochs[0], keeper, readers)
    case = Case(
        id=number,
        version=VERSION,
        locator=proof.locator,
        auth=proof.auth,
        state=State.RECEIVED if stream == "thread" else State.DIARY,
        received=day if stream == "thread" else None,
        written=day if stream == "diary" else None,
        holds="[]",
    )
    message = message_row(number, stream, 1, 1, sealed)
    return Prepared(case, epoch, wraps, message, tuple(hexed(u, 16, "uploads").hex() for u in report.uploads))


def _first_epoch(case: int, epoch: SealedEpoch, keeper: Keeper, readers: Collection[str]) -> tuple[Epoch, list[Wrap]]:
    """The first epoch of a stream: the reporter derives it from her code, readers get wraps, a diary none."""
    if epoch.number != 1 or REPORTER in epoch.wraps:
        raise ReportRefused("epoch")
    if bool(set(epoch.wraps) & set(readers)) != (epoch.stream == "thread"):
        raise ReportRefused("wraps")
    return epoch_rows(case, epoch, keeper, names_on(list(readers)), REPORTER, 1)


async def keep(engine: StoreEngine, reports: Sequence[Prepared]) -> list[int | Exception]:
    """Keep several reports in one commit. The same report sent again changes nothing; another one under a used code is
    refused. Gives the case's number or the refusal, in order."""
    results: list[int | Exception] = []
    fresh: dict[bytes, Prepared] = {}
    async with engine.transaction():
        rows = await Case.select(Case.id, Case.locator).where(Case.locator.is_in([r.case.locator for r in reports]))
        known = {octets(row["locator"]): int(row["id"]) for row in rows}
        numbers = {
            int(row["id"]) for row in await Case.select(Case.id).where(Case.id.is_in([r.case.id for r in reports]))
        }
        for report in reports:
            locator = bytes(report.case.locator)
            if locator in fresh:
                same = bytes(fresh[locator].message.sealed) == bytes(report.message.sealed)
                results.append(int(report.case.id) if same else AlreadyThere("case"))
            elif locator in known:
                results.append(int(report.case.id) if await _is_kept(report) else AlreadyThere("case"))
            elif int(report.case.id) in numbers:
                results.append(AlreadyThere("case"))  # somebody wrote another case's number
            else:
                numbers.add(int(report.case.id))
                fresh[locator] = report
                results.append(int(report.case.id))
        if fresh:
            new = list(fresh.values())
            await insert_new(Case, *(report.case for report in new))
            await Epoch.insert(*(report.epoch for report in new))
            await Wrap.insert(*(wrap for report in new for wrap in report.wraps))
            await Message.insert(*(report.message for report in new))
            for report in new:
                await claim(report.uploads, int(report.case.id))
    return results


async def _is_kept(report: Prepared) -> bool:
    """Say whether this very report is here: its first letter, byte by byte."""
    row = await Message.select(Message.sealed).where(Message.id == report.message.id).first()
    return row is not None and octets(row["sealed"]) == bytes(report.message.sealed)


async def receive(engine: StoreEngine, keeper: Keeper, report: Report, readers: Sequence[str], day: date) -> int:
    """Keep a new case: all of it or nothing.

    Parameters
    ----------
    engine : of the cases store
    keeper, report, readers, day : as of `prepare`

    Returns
    -------
    The number of the case.

    Raises
    ------
    ReportRefused
        If it is malformed, or nobody on the ring could ever read it.
    AlreadyThere
        If its code has another report.
    """
    result = (await keep(engine, [prepare(keeper, report, readers, day)]))[0]
    if isinstance(result, Exception):
        raise result
    return result


def message_row(case: int, stream: str, number: int, epoch: int, sealed: bytes) -> Message:
    """The row of a letter: its key follows from its place.

    Parameters
    ----------
    case, stream, number : the place; numbers begin at 1
    epoch : under which it is to be tried
    sealed : the age file
    """
    return Message(
        id=row_id(case, stream, "message", number), case=case, stream=stream, number=number, epoch=epoch, sealed=sealed
    )


async def find(proof: Proof) -> Mapping[str, Any]:
    """The case of a code, with its id and stored fields; the same work for any wrong code.

    Raises
    ------
    CaseUnknown
        If there is none, or the second proof is wrong.
    """
    with reading("case"):
        row = await Case.select().where(Case.locator == proof.locator).first()
    stored = octets(row["auth"]) if row else bytes(32)
    if not hmac.compare_digest(stored, proof.auth) or row is None:
        raise CaseUnknown
    return row


async def add(engine: StoreEngine, keeper: Keeper, reply: Reply, readers: Sequence[str], day: date) -> int:
    """Append a reporter's letter; with an epoch of the thread, a diary becomes a report on this day.

    Parameters
    ----------
    engine : of the cases store
    keeper : gives the blind names on the wraps of a new thread
    reply : as it was sent, with the two proofs of her code
    readers : the accounts on the ring in use: a diary becomes a report for them
    day : it came on

    Returns
    -------
    The number of the case.

    Raises
    ------
    CaseUnknown, ReportRefused
    OutOfStep
        If the number is not the next one: nothing is kept.
    """
    row = await find(proof_of(reply.locator, reply.auth))
    case = int(row["id"])
    if reply.stream not in ("thread", "diary"):
        raise ReportRefused("stream")
    sealed = sealed_bytes(reply.sealed, "sealed")
    async with engine.transaction():
        await lock_case(engine, case)
        for epoch in reply.epochs:
            await _send_diary(row, reply, epoch, keeper, readers, day)
        await append(case, reply.stream, reply.number, sealed, reply.epoch)
        if reply.contest:
            await _contest(case, keeper)
        if reply.stream == "diary" and row["state"] == State.DIARY:
            await Case.update({Case.written: day}).where(Case.id == case)
        await claim(reply.uploads, case)
    return case


async def _send_diary(
    row: Mapping[str, Any], reply: Reply, epoch: SealedEpoch, keeper: Keeper, readers: Sequence[str], day: date
) -> None:
    case = int(row["id"])
    now = await Case.select(Case.state).where(Case.id == case).first()
    if now is None or now["state"] != State.DIARY or keeper.version(case) == FIRST_VERSION:
        raise ReportRefused("epoch")
    if epoch.stream != "thread" or (reply.stream, reply.number, len(reply.epochs)) != ("thread", 1, 1):
        raise ReportRefused("epoch")
    made, wraps = _first_epoch(case, epoch, keeper, readers)
    if await Epoch.exists().where(Epoch.id == made.id):
        raise OutOfStep
    await Epoch.insert(made)
    await Wrap.insert(*wraps)
    await Case.update({Case.state: State.RECEIVED, Case.received: day}).where(Case.id == case)


async def _contest(case: int, keeper: Keeper) -> None:
    """An outcome is contested once; the substitute then looks at the case. Her letter decides, not what stands beside the case."""
    row = await Case.select(Case.state, Case.contested).where(Case.id == case).first()
    fits = row is not None and row["state"] == State.OUTCOME and not row["contested"]
    if row is None or (not fits and keeper.version(case) == FIRST_VERSION):
        raise ReportRefused("contest")
    changes: dict[Any, Any] = {Case.contested: True} | ({Case.state: State.CONTESTED} if fits else {})
    await Case.update(changes).where(Case.id == case)


async def append(case: int, stream: str, number: int, sealed: bytes, epoch: int = 0) -> None:
    """Add a letter as the next of its stream. The caller holds the case's lock.

    Parameters
    ----------
    case, stream, number : its place
    sealed : the age file, form and size checked
    epoch : the one that its author names; 0 is the newest

    Raises
    ------
    OutOfStep
        If another letter has that number.
    ReportRefused
        If the stream has no such epoch.
    """
    there = await Message.count().where((Message.case == case) & (Message.stream == stream))
    made = message_row(case, stream, number, epoch, sealed)
    if number != there + 1 or await Message.exists().where(
        Message.id == made.id
    ):  # there, but under another case or stream
        raise OutOfStep
    rows = await Epoch.select(Epoch.number).where((Epoch.case == case) & (Epoch.stream == stream))
    epochs = [int(row["number"]) for row in rows]
    if not epochs or (epoch and epoch not in epochs):
        raise ReportRefused("stream")
    made.epoch = epoch or max(epochs)
    await Message.insert(made)
