"""What comes from a reporter is kept: a new case, one more message. All of it or nothing; sent again it counts once."""

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from surveys.cases.clocks import State
from surveys.cases.incoming import (
    FILES,
    MESSAGES_AT_ONCE,
    AlreadyThere,
    CaseUnknown,
    OutOfStep,
    Proof,
    Reply,
    Report,
    ReportRefused,
    case_number,
    epoch_rows,
    hexed,
    names_on,
    proof_of,
    row_id,
    sealed_bytes,
)
from surveys.cases.keeper import REPORTER, Keeper
from surveys.cases.pieces import claim
from surveys.cases.sealing import is_recipient
from surveys.cases.tables import Case, Epoch, Message, Wrap
from surveys.engines import PooledSQLite, StoreEngine, insert_new
from surveys.public.keyring import Keyring


async def lock_case(engine: StoreEngine, case: int) -> None:
    """Hold a case for this transaction; on SQLite the transaction is alone anyway."""
    if not isinstance(engine, PooledSQLite):
        current: Any = engine.current_transaction.get()
        await current.connection.execute('SELECT 1 FROM "case" WHERE id = $1 FOR UPDATE', case)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A report that was checked, as rows."""

    case: Case
    epoch: Epoch
    wraps: list[Wrap]
    messages: list[Message]
    uploads: Sequence[str]


def prepare(keeper: Keeper, report: Report, keyring: Keyring | None, day: date) -> Prepared:
    """Check a report and make its rows.

    Raises
    ------
    ReportRefused
        If it is malformed, or goes to a channel without a keyring.
    """
    number, proof = case_number(report.case), proof_of(report.locator, report.auth)
    stream = report.epoch.stream
    if stream not in ("thread", "diary") or (stream == "thread" and keyring is None) or report.epoch.number != 1:
        raise ReportRefused("epoch")
    if not is_recipient(report.reader):
        raise ReportRefused("reader")
    hexed(report.signer, 32, "signer")
    if not 1 <= len(report.messages) <= MESSAGES_AT_ONCE or len(report.uploads) > FILES:
        raise ReportRefused("messages")
    sealed = [sealed_bytes(text, "messages") for text in report.messages]
    allowed = names_on([keyring]) if keyring and stream == "thread" else [REPORTER]
    epoch, wraps = epoch_rows(number, report.epoch, keeper, allowed)
    if REPORTER not in report.epoch.wraps:
        raise ReportRefused("wraps")
    if stream == "thread" and keyring and not set(report.epoch.wraps) & {reader.id for reader in keyring.readers}:
        raise ReportRefused("wraps")  # nobody would ever read it
    case = Case(
        id=number, locator=proof.locator, auth=proof.auth, reader=report.reader, signer=report.signer,
        state=State.RECEIVED if stream == "thread" else State.DIARY,
        received=day if stream == "thread" else None, written=day if stream == "diary" else None, holds="[]",
    )  # fmt: skip
    messages = [_message(number, stream, place, 1, content) for place, content in enumerate(sealed, start=1)]
    return Prepared(case, epoch, wraps, messages, tuple(hexed(u, 16, "uploads").hex() for u in report.uploads))


async def keep(engine: StoreEngine, reports: Sequence[Prepared]) -> list[int | Exception]:
    """Keep several reports in one commit. The same report sent again changes nothing; another one under a used code is
    refused. Gives the case's number or the refusal, in order."""
    results: list[int | Exception] = []
    fresh: dict[bytes, Prepared] = {}
    async with engine.transaction():
        rows = await Case.select(Case.id, Case.locator).where(Case.locator.is_in([r.case.locator for r in reports]))
        known = {bytes(row["locator"]): int(row["id"]) for row in rows}
        numbers = {
            int(row["id"]) for row in await Case.select(Case.id).where(Case.id.is_in([r.case.id for r in reports]))
        }
        for report in reports:
            locator = bytes(report.case.locator)
            if locator in fresh:
                same = bytes(fresh[locator].messages[0].sealed) == bytes(report.messages[0].sealed)
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
            await Message.insert(*(message for report in new for message in report.messages))
            for report in new:
                await claim(report.uploads, int(report.case.id))
    return results


async def _is_kept(report: Prepared) -> bool:
    """Say whether this very report is here: its first message, byte by byte."""
    first = report.messages[0]
    row = await Message.select(Message.sealed).where(Message.id == first.id).first()
    return row is not None and bytes(row["sealed"]) == bytes(first.sealed)


async def receive(engine: StoreEngine, keeper: Keeper, report: Report, keyring: Keyring | None, day: date) -> int:
    """Keep a new case: all of it or nothing.

    Raises
    ------
    ReportRefused
        If it is malformed.
    AlreadyThere
        If its code has another report.
    """
    result = (await keep(engine, [prepare(keeper, report, keyring, day)]))[0]
    if isinstance(result, Exception):
        raise result
    return result


def _message(case: int, stream: str, number: int, epoch: int, sealed: bytes) -> Message:
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
    row = await Case.select().where(Case.locator == proof.locator).first()
    stored = bytes(row["auth"]) if row else bytes(32)
    if not hmac.compare_digest(stored, proof.auth) or row is None:
        raise CaseUnknown
    return row


async def add(engine: StoreEngine, keeper: Keeper, reply: Reply, keyring: Keyring | None, day: date) -> int:
    """Append a reporter's message; with an epoch of the thread, a diary becomes a report on this day.

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
        if reply.epoch is not None:
            await _send_diary(case, reply, keeper, keyring, day)
        await append(case, reply.stream, reply.number, sealed)
        if reply.contest:
            await _contest(case)
        if reply.stream == "diary" and row["state"] == State.DIARY:
            await Case.update({Case.written: day}).where(Case.id == case)
        await claim(reply.uploads, case)
    return case


async def _send_diary(case: int, reply: Reply, keeper: Keeper, keyring: Keyring | None, day: date) -> None:
    epoch = reply.epoch
    now = await Case.select(Case.state).where(Case.id == case).first()
    if epoch is None or keyring is None or now is None or now["state"] != State.DIARY:
        raise ReportRefused("epoch")
    if (epoch.stream, epoch.number, reply.stream) != ("thread", 1, "thread") or REPORTER not in epoch.wraps:
        raise ReportRefused("epoch")
    made, wraps = epoch_rows(case, epoch, keeper, names_on([keyring]))
    await Epoch.insert(made)
    await Wrap.insert(*wraps)
    await Case.update({Case.state: State.RECEIVED, Case.received: day}).where(Case.id == case)


async def _contest(case: int) -> None:
    """An outcome is contested once; the substitute then looks at the case."""
    row = await Case.select(Case.state, Case.contested).where(Case.id == case).first()
    if row is None or row["state"] != State.OUTCOME or row["contested"]:
        raise ReportRefused("contest")
    await Case.update({Case.state: State.CONTESTED, Case.contested: True}).where(Case.id == case)


async def append(case: int, stream: str, number: int, sealed: bytes) -> None:
    """Add a message as the next of its stream, sealed to the newest epoch.

    Raises
    ------
    OutOfStep
        If another message has that number.
    ReportRefused
        If the stream has no key yet.
    """
    there = await Message.count().where((Message.case == case) & (Message.stream == stream))
    if number != there + 1:
        raise OutOfStep
    epochs = await Epoch.select(Epoch.number).where((Epoch.case == case) & (Epoch.stream == stream))
    if not epochs:
        raise ReportRefused("stream")
    await Message.insert(_message(case, stream, number, max(int(row["number"]) for row in epochs), sealed))
