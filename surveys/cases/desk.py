"""A handler's side: her inbox, one case with the keys that are hers, writing, moving a case on, shutting a reader out.

Every question starts from the wraps that carry her blind name: a case she has no wrap of does not exist for her.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import msgspec

from surveys.cases import handlers
from surveys.cases.clocks import Days, State, overdue_since
from surveys.cases.handlers import HandlerRecord
from surveys.cases.incoming import (
    CaseUnknown,
    ReportRefused,
    SealedEpoch,
    dummy_wrap,
    epoch_rows,
    names_on,
    sealed_bytes,
)
from surveys.cases.intake import append, lock_case
from surveys.cases.keeper import RECOVERY, REPORTER, Keeper
from surveys.cases.pieces import claim
from surveys.cases.tables import Case, Epoch, Message, Piece, Wrap
from surveys.engines import StoreEngine
from surveys.public.keyring import FEWEST_INSIDE, Keyring

MOVES = {
    "acknowledge": ({State.RECEIVED}, State.ACKNOWLEDGED),
    "outcome": ({State.RECEIVED, State.ACKNOWLEDGED}, State.OUTCOME),
    "final": ({State.CONTESTED}, State.FINAL),
}
"""What a handler's message may change: from which states, to which."""


class NotAllowed(Exception):
    """This step is not open to this handler, or not in this state."""


class Writing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A handler's message, and the step it takes, if any; a first note brings the notes' epoch."""

    stream: str
    number: int
    sealed: str
    move: str = ""
    uploads: list[str] = []
    epoch: SealedEpoch | None = None


class Resealed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A stream under a new epoch: every message again, for those who stay."""

    epoch: SealedEpoch
    messages: list[str]


class Rekey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All streams of a case under new epochs; attachments have keys of their own, inside the messages."""

    streams: list[Resealed]


@dataclass(frozen=True, slots=True)
class InboxLine:
    """A case as its handler sees it in the list: never what it says."""

    case: int
    days: Days
    rekey: bool
    held: bool


@dataclass(frozen=True, slots=True)
class Desk:
    """What a handler's requests need: the store, K_cases, all keyrings, everybody's absence, the day."""

    engine: StoreEngine
    keeper: Keeper
    keyrings: tuple[Keyring, ...]
    people: Mapping[str, HandlerRecord]
    day: date

    @property
    def keyring(self) -> Keyring:
        return self.keyrings[-1]


async def open_desk(engine: StoreEngine, keeper: Keeper, keyrings: Sequence[Keyring], day: date) -> Desk:
    """Gather what the desk needs."""
    return Desk(engine, keeper, tuple(keyrings), {record.name: record for record in await handlers.everyone()}, day)


def days_of(row: Mapping[str, Any]) -> Days:
    return Days(State(row["state"]), row["received"], row["acknowledged"], row["outcome"])


async def _holders(desk: Desk, case: int, stream: str = "thread") -> set[str]:
    """Who has a wrap of the newest epoch of a stream, by name; needs K_cases."""
    epochs = await Epoch.select().where((Epoch.case == case) & (Epoch.stream == stream))
    if not epochs:
        return set()
    newest = max(epochs, key=lambda row: row["number"])
    there = {bytes(row["reader"]) for row in await Wrap.select(Wrap.reader).where(Wrap.epoch == newest["id"])}
    return {name for name in names_on(desk.keyrings) if desk.keeper.reader(case, stream, name) in there}


def _substitute_is_in(desk: Desk, row: Mapping[str, Any], holders: Collection[str]) -> bool:
    """Say whether the outside substitute works this case: contested, late with acknowledgement or outcome, or fewer
    than two handlers inside who are not away for more than seven days."""
    inside = [reader.id for reader in desk.keyring.inside if reader.id in holders]
    present = [name for name in inside if name not in desk.people or not desk.people[name].is_away(desk.day)]
    late = overdue_since(days_of(row), desk.day) is not None
    return bool(row["contested"]) or late or len(present) < FEWEST_INSIDE


async def may_read(desk: Desk, row: Mapping[str, Any], name: str) -> bool:
    """Say whether a case exists for this handler today: she has a wrap and, if outside, the substitute is in."""
    reader = desk.keyring.reader(name)
    if reader is None or row["state"] == State.DIARY:
        return False
    holders = await _holders(desk, int(row["id"]))
    return name in holders and (not reader.outside or _substitute_is_in(desk, row, holders))


async def _row(desk: Desk, case: int, name: str) -> Mapping[str, Any]:
    row = await Case.select().where(Case.id == case).first()
    if row is None or not await may_read(desk, row, name):
        raise CaseUnknown
    return row


async def inbox(desk: Desk, name: str) -> list[InboxLine]:
    """The cases of one handler; those she has no key of are not even counted."""
    if desk.keyring.reader(name) is None:
        return []
    rows = await Case.select().where(Case.state != State.DIARY)
    blind = {desk.keeper.reader(int(row["id"]), "thread", name) for row in rows}
    hers = {bytes(row["reader"]) for row in await Wrap.select(Wrap.reader).where(Wrap.reader.is_in(list(blind)))} if rows else set()
    mine = [row for row in rows if desk.keeper.reader(int(row["id"]), "thread", name) in hers]
    return [
        InboxLine(int(row["id"]), days_of(row), bool(row["rekey"]), bool(row["held"]))
        for row in mine
        if await may_read(desk, row, name)
    ]


@dataclass(frozen=True, slots=True)
class CaseFile:
    """A case with what one reader needs to open it: her wraps, the sealed messages, who else reads."""

    case: int
    days: Days
    contested: bool
    rekey: bool
    held: bool
    holds: int
    my_hold: bool
    recovered: date | None
    reporter: str
    signer: str
    readers: tuple[str, ...]
    epochs: tuple[tuple[str, int, str, bytes], ...]
    """Stream, number, recipient and this reader's wrap."""
    messages: tuple[tuple[str, int, int, bytes], ...]
    """Stream, number, epoch and ciphertext."""
    uploads: tuple[str, ...]


async def case_file(desk: Desk, case: int, name: str, row: Mapping[str, Any] | None = None) -> CaseFile:
    """Read a case for one of its readers.

    Raises
    ------
    CaseUnknown
        If it does not exist for her.
    """
    row = row or await _row(desk, case, name)
    epochs, known = [], set()
    for epoch in await Epoch.select().where(Epoch.case == case).order_by(Epoch.number):
        blind = desk.keeper.reader(case, epoch["stream"], name)
        wrap = await Wrap.select().where((Wrap.epoch == epoch["id"]) & (Wrap.reader == blind)).first()
        if wrap is not None:
            epochs.append((epoch["stream"], int(epoch["number"]), epoch["recipient"], bytes(wrap["sealed"])))
            known.add(epoch["stream"])
    rows = await Message.select().where(Message.case == case).order_by(Message.stream).order_by(Message.number)
    messages = [
        (m["stream"], int(m["number"]), int(m["epoch"]), bytes(m["sealed"])) for m in rows if m["stream"] in known
    ]
    pieces = await Piece.select(Piece.upload).where(Piece.case == case)
    holds = msgspec.json.decode(row["holds"], type=list[str])
    return CaseFile(
        case, days_of(row), bool(row["contested"]), bool(row["rekey"]), bool(row["held"]), len(holds),
        _hold_mark(desk, case, name) in holds, row["recovered"], row["reader"], row["signer"],
        tuple(sorted(await _holders(desk, case) - {REPORTER})), tuple(epochs), tuple(messages),
        tuple(sorted({bytes(piece["upload"]).hex() for piece in pieces})),
    )  # fmt: skip


async def for_recovery(desk: Desk) -> list[CaseFile]:
    """Every case that the recovery key opens; from now on each tells its reporter that it was used."""
    found = []
    for row in await Case.select().where(Case.state != State.DIARY):
        file = await case_file(desk, int(row["id"]), RECOVERY, row)
        if file.epochs:
            found.append(file)
            await Case.update({Case.recovered: desk.day}).where(Case.id == row["id"])
    return found


async def write(desk: Desk, case: int, name: str, writing: Writing) -> None:
    """Append a handler's message and take the step it names.

    Raises
    ------
    CaseUnknown, OutOfStep, ReportRefused
    NotAllowed
        If the step is not open in this state.
    """
    row = await _row(desk, case, name)
    if writing.stream not in ("thread", "notes") or (writing.move and writing.stream != "thread"):
        raise ReportRefused("stream")
    sealed = sealed_bytes(writing.sealed, "sealed")
    async with desk.engine.transaction():
        await lock_case(desk.engine, case)
        row = await Case.select().where(Case.id == case).first() or row
        if writing.epoch is not None:
            await _first_notes(desk, case, writing)
        await append(case, writing.stream, writing.number, sealed)
        await claim(writing.uploads, case)
        if writing.move:
            await _move(desk, case, row, name, writing.move)


async def _first_notes(desk: Desk, case: int, writing: Writing) -> None:
    epoch = writing.epoch
    if epoch is None or (epoch.stream, epoch.number, writing.stream) != ("notes", 1, "notes"):
        raise ReportRefused("epoch")
    allowed = await _holders(desk, case) - {REPORTER}
    made, wraps = epoch_rows(case, epoch, desk.keeper, sorted(allowed))
    await Epoch.insert(made)
    await Wrap.insert(*wraps)


async def _move(desk: Desk, case: int, row: Mapping[str, Any], name: str, move: str) -> None:
    before, after = MOVES.get(move, (set(), State.FINAL))
    reader = desk.keyring.reader(name)
    if row["state"] not in before or (move == "final" and (reader is None or not reader.outside)):
        raise NotAllowed
    changes: dict[Any, Any] = {Case.state: after}
    if row["acknowledged"] is None:
        changes[Case.acknowledged] = desk.day
    if after in (State.OUTCOME, State.FINAL):
        changes[Case.outcome] = desk.day
    await Case.update(changes).where(Case.id == case)


async def step_out(desk: Desk, case: int, name: str) -> None:
    """A handler in conflict leaves a case at once: her wraps go, and whoever opens it next seals it anew.

    Raises
    ------
    CaseUnknown
    NotAllowed
        If nobody would be left to read it.
    """
    row = await _row(desk, case, name)
    if not await _holders(desk, case) - {REPORTER, RECOVERY, name}:
        raise NotAllowed
    await _drop(desk, int(row["id"]), name)


async def _drop(desk: Desk, case: int, name: str) -> None:
    blind = [desk.keeper.reader(case, stream, name) for stream in ("thread", "notes")]
    async with desk.engine.transaction():
        for row in await Wrap.select(Wrap.id).where(Wrap.reader.is_in(blind)):
            reader, sealed = dummy_wrap()
            await Wrap.update({Wrap.reader: reader, Wrap.sealed: sealed}).where(Wrap.id == row["id"])
        await Case.update({Case.rekey: True}).where(Case.id == case)


async def drop_everywhere(desk: Desk, name: str) -> int:
    """Remove a handler who left the keyring from every case; gives how many cases must be sealed anew."""
    count = 0
    for row in await Case.select(Case.id).where(Case.state != State.DIARY):
        if name in await _holders(desk, int(row["id"])):
            await _drop(desk, int(row["id"]), name)
            count += 1
    return count


async def renew_everywhere(desk: Desk, name: str) -> int:
    """A handler has new keys: her cases are to be sealed anew, so that a colleague gives them to the new key."""
    count = 0
    for row in await Case.select(Case.id).where(Case.state != State.DIARY):
        if name in await _holders(desk, int(row["id"])):
            await Case.update({Case.rekey: True}).where(Case.id == row["id"])
            count += 1
    return count


async def rekey(desk: Desk, case: int, name: str, change: Rekey) -> None:
    """Put new epochs in place of the old: messages sealed again by a reader who stays, all old wraps removed.

    Raises
    ------
    CaseUnknown
    ReportRefused
        If a message is missing, or somebody gets a key who had none.
    """
    await _row(desk, case, name)
    async with desk.engine.transaction():
        await lock_case(desk.engine, case)
        old = await Epoch.select().where(Epoch.case == case)
        streams = {row["stream"] for row in old if row["stream"] != "diary"}
        if {part.epoch.stream for part in change.streams} != streams:
            raise ReportRefused("streams")
        for part in change.streams:
            await _reseal(desk, case, part, [row for row in old if row["stream"] == part.epoch.stream])
        await Case.update({Case.rekey: False}).where(Case.id == case)


async def _reseal(desk: Desk, case: int, part: Resealed, old: Sequence[Mapping[str, Any]]) -> None:
    stream, last = part.epoch.stream, max(int(row["number"]) for row in old)
    allowed = await _holders(desk, case, stream) & {REPORTER, RECOVERY, *(reader.id for reader in desk.keyring.readers)}
    there = await Message.select(Message.id).where((Message.case == case) & (Message.stream == stream)).order_by(Message.number)
    if part.epoch.number != last + 1 or len(there) != len(part.messages):
        raise ReportRefused("messages")
    if stream == "thread" and REPORTER not in part.epoch.wraps:
        raise ReportRefused("wraps")
    made, wraps = epoch_rows(case, part.epoch, desk.keeper, sorted(allowed))
    await Wrap.delete().where(Wrap.epoch.is_in([int(row["id"]) for row in old]))
    await Epoch.delete().where(Epoch.id.is_in([int(row["id"]) for row in old]))
    await Epoch.insert(made)
    await Wrap.insert(*wraps)
    for row, text in zip(there, part.messages, strict=True):
        sealed = sealed_bytes(text, "messages")
        await Message.update({Message.sealed: sealed, Message.epoch: part.epoch.number}).where(Message.id == row["id"])


def _hold_mark(desk: Desk, case: int, name: str) -> str:
    return desk.keeper.reader(case, "hold", name).hex()


async def set_hold(desk: Desk, case: int, name: str, wanted: bool) -> None:
    """Ask for a legal hold, or take one's asking back: two people put a hold on, and both must lift it."""
    await _row(desk, case, name)
    mark = _hold_mark(desk, case, name)
    async with desk.engine.transaction():
        await lock_case(desk.engine, case)
        row = await Case.select(Case.holds, Case.held).where(Case.id == case).first()
        if row is None:
            raise CaseUnknown
        holds = set(msgspec.json.decode(row["holds"], type=list[str]))
        holds = holds | {mark} if wanted else holds - {mark}
        held = len(holds) >= 2 or (bool(row["held"]) and bool(holds))
        text = msgspec.json.encode(sorted(holds)).decode()
        await Case.update({Case.holds: text, Case.held: held}).where(Case.id == case)


async def replace_message(desk: Desk, case: int, name: str, number: int, sealed_text: str) -> None:
    """Put a redaction in the place of one message of the thread (GDPR art. 5; D.Lgs. 24/2023 art. 13).

    Raises
    ------
    CaseUnknown, ReportRefused
    """
    await _row(desk, case, name)
    sealed = sealed_bytes(sealed_text, "sealed")
    where = (Message.case == case) & (Message.stream == "thread") & (Message.number == number)
    if not await Message.exists().where(where):
        raise ReportRefused("number")
    await Message.update({Message.sealed: sealed}).where(where)
