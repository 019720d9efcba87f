"""What comes from a reporter: a new case, one more message, an attachment in pieces. Ciphertext only; idempotent."""

import base64
import binascii
import hashlib
import hmac
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import msgspec

from surveys.cases.age_file import sealed_size
from surveys.cases.clocks import State
from surveys.cases.keeper import RECOVERY, REPORTER, Keeper
from surveys.cases.sealing import WRAP_BYTES, encrypt, is_recipient, new_identity
from surveys.cases.tables import Case, Epoch, Message, Piece, Wrap
from surveys.engines import PooledSQLite, StoreEngine
from surveys.public.keyring import Keyring

SLOTS = 8
"""Wraps of each epoch, dummies included."""
WRAP_SEALED = sealed_size(WRAP_BYTES)
MESSAGE_LIMIT = 256 * 1024
MESSAGES_AT_ONCE = 60
PIECE_BYTES = 256 * 1024
FILE_LIMIT = 33 * 1024 * 1024
"""25 MB of content in its power of two, sealed."""
FILES = 5


class ReportRefused(Exception):
    """What came is not a report of ours; the text names the field."""


class AlreadyThere(ReportRefused):
    """This code has a report already, and it is another one."""


class CaseUnknown(Exception):
    """No such code, a wrong one, or a deleted case: nobody is told which."""


class OutOfStep(Exception):
    """Somebody wrote in between: read the thread again, then send."""


class SealedEpoch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A new epoch: its public half, and its private half sealed to each reader by name (base64)."""

    stream: str
    number: int
    recipient: str
    wraps: dict[str, str]


class Report(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A new report or diary as the script, or the child process, makes it."""

    case: str
    locator: str
    auth: str
    reader: str
    signer: str
    epoch: SealedEpoch
    messages: list[str]
    uploads: list[str]
    work: str = ""


class Reply(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One more message of a reporter; with an `epoch` when a diary becomes a report."""

    locator: str
    auth: str
    stream: str
    number: int
    sealed: str
    uploads: list[str]
    epoch: SealedEpoch | None = None
    contest: bool = False


@dataclass(frozen=True, slots=True)
class Proof:
    """What the server stores of a code."""

    locator: bytes
    auth: bytes


def hexed(text: str, length: int, field: str) -> bytes:
    """Read so many bytes of hex.

    Raises
    ------
    ReportRefused
        If they are not.
    """
    try:
        content = bytes.fromhex(text)
    except ValueError as problem:
        raise ReportRefused(field) from problem
    if len(content) != length:
        raise ReportRefused(field)
    return content


def sealed_bytes(text: str, field: str, limit: int = MESSAGE_LIMIT) -> bytes:
    """Read base64 of an age file.

    Raises
    ------
    ReportRefused
        If it is none, or too large.
    """
    try:
        content = base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error) as problem:
        raise ReportRefused(field) from problem
    if not content.startswith(b"age-encryption.org/v1\n") or len(content) > limit:
        raise ReportRefused(field)
    return content


def proof_of(locator: str, auth: str) -> Proof:
    return Proof(
        hashlib.sha256(hexed(locator, 32, "locator")).digest(), hashlib.sha256(hexed(auth, 32, "auth")).digest()
    )


def case_number(text: str) -> int:
    number = int.from_bytes(hexed(text, 8, "case"), "big")
    if number >> 63:
        raise ReportRefused("case")
    return number


def row_id(*parts: object) -> int:
    """A key made of what the row is: a second row of the same place cannot be inserted."""
    digest = hashlib.sha256(" ".join(str(part) for part in parts).encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def epoch_rows(case: int, epoch: SealedEpoch, keeper: Keeper, allowed: Sequence[str]) -> tuple[Epoch, list[Wrap]]:
    """Make the rows of an epoch: each wrap under its reader's blind name, dummies up to the fixed number.

    Raises
    ------
    ReportRefused
        If a wrap is for nobody on the keyring, or of another size than all others.
    """
    if not is_recipient(epoch.recipient) or not 1 <= epoch.number <= 10_000:
        raise ReportRefused("epoch")
    if len(epoch.wraps) > SLOTS or not set(epoch.wraps) <= set(allowed):
        raise ReportRefused("wraps")
    key = row_id(case, epoch.stream, "epoch", epoch.number)
    wraps = []
    for name, text in epoch.wraps.items():
        sealed = sealed_bytes(text, "wraps")
        if len(sealed) != WRAP_SEALED:
            raise ReportRefused("wraps")
        wraps.append((keeper.reader(case, epoch.stream, name), sealed))
    while len(wraps) < SLOTS:
        wraps.append(dummy_wrap())
    rows = [Wrap(id=int.from_bytes(os.urandom(8), "big") >> 1, epoch=key, reader=r, sealed=s) for r, s in wraps]
    return Epoch(id=key, case=case, stream=epoch.stream, number=epoch.number, recipient=epoch.recipient), rows


def dummy_wrap() -> tuple[bytes, bytes]:
    """A wrap for nobody, which no size or form tells from the others."""
    return os.urandom(32), encrypt(os.urandom(WRAP_BYTES), new_identity()[1])


def names_on(keyrings: Sequence[Keyring]) -> list[str]:
    """Everybody a wrap may be for."""
    return [REPORTER, RECOVERY, *(reader.id for keyring in keyrings for reader in keyring.readers)]


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
        numbers = {int(row["id"]) for row in await Case.select(Case.id).where(Case.id.is_in([r.case.id for r in reports]))}
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
            await Case.insert(*(report.case for report in new))
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


async def keep_piece(engine: StoreEngine, upload: str, number: int, sealed: bytes, day: date) -> int:
    """Keep one piece of an attachment in the spool; sent again, it is kept once. Gives the number of pieces kept.

    Raises
    ------
    ReportRefused
        If it is too large or out of bounds.
    """
    name = hexed(upload, 16, "upload")
    if not 0 < len(sealed) <= PIECE_BYTES or not 0 <= number < FILE_LIMIT // PIECE_BYTES:
        raise ReportRefused("piece")
    key = row_id(upload, "piece", number)
    async with engine.transaction():
        if not await Piece.exists().where(Piece.id == key):
            if await Piece.exists().where((Piece.upload == name) & Piece.case.is_not_null()):
                raise ReportRefused("upload")  # a finished attachment is not written again
            await Piece.insert(Piece(id=key, upload=name, number=number, sealed=sealed, arrived=day))
    return int(await Piece.count().where(Piece.upload == name))


async def pieces_kept(upload: str) -> list[int]:
    """Which pieces of an attachment have arrived: where an upload that broke off goes on."""
    rows = await Piece.select(Piece.number).where(Piece.upload == hexed(upload, 16, "upload"))
    return sorted(int(row["number"]) for row in rows)


async def claim(uploads: Sequence[str], case: int) -> None:
    """Take attachments out of the spool into a case."""
    if len(uploads) > FILES:
        raise ReportRefused("uploads")
    names = [hexed(upload, 16, "uploads") for upload in uploads]
    if names:
        await Piece.update({Piece.case: case}).where(Piece.upload.is_in(names) & Piece.case.is_null())


async def attachment(case: int, upload: str) -> bytes:
    """The sealed bytes of an attachment of this case.

    Raises
    ------
    CaseUnknown
        If the case has none of that name.
    """
    wanted = (Piece.case == case) & (Piece.upload == hexed(upload, 16, "upload"))
    rows = await Piece.select(Piece.sealed).where(wanted).order_by(Piece.number)
    if not rows:
        raise CaseUnknown
    return b"".join(bytes(row["sealed"]) for row in rows)
