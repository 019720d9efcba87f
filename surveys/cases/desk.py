"""A handler's side: her inbox, one case with the keys that are hers, writing, moving a case on.

Every question starts from the wraps that carry her blind name: a case she has no wrap of does not exist for her.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

import msgspec

from surveys.cases import handlers
from surveys.cases.clocks import Days, State, overdue_since, possible
from surveys.cases.handlers import HandlerRecord
from surveys.cases.incoming import (
    CaseUnknown,
    OutOfStep,
    ReportRefused,
    SealedEpoch,
    dummy_wrap,
    epoch_rows,
    names_on,
    sealed_bytes,
)
from surveys.cases.intake import FIRST_VERSION, append, lock_case
from surveys.cases.keeper import RECOVERY, REPORTER, Keeper
from surveys.cases.pieces import claim
from surveys.cases.tables import Case, Epoch, Message, Piece, Wrap
from surveys.cases.wraps import PAIRS, pair_name
from surveys.engines import StoreEngine
from surveys.public.readers import FEWEST_INSIDE, Readers

MOVES = {
    "acknowledge": ({State.RECEIVED}, State.ACKNOWLEDGED),
    "outcome": ({State.RECEIVED, State.ACKNOWLEDGED}, State.OUTCOME),
    "final": ({State.CONTESTED}, State.FINAL),
}
"""What a handler's message may change: from which states, to which."""


class NotAllowed(Exception):
    """This step is not open to this handler, or not in this state."""


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


@dataclass(frozen=True, slots=True)
class InboxLine:
    """A case as its handler sees it in the list: never what it says."""

    case: int
    days: Days
    rekey: bool
    held: bool
    ended: bool = True
    """Whether two readers' devices found this end in the letters; true where there is no end yet."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What a handler's requests need: the store, K_cases, who reads now and who ever did, everybody's absence, the day."""

    engine: StoreEngine
    keeper: Keeper
    current: Mapping[str, bool]
    """Accounts on the list in use, and whether they are outside."""
    ever: frozenset[str]
    """Accounts that were on any list."""
    people: Mapping[str, HandlerRecord]
    day: date


async def open_desk(engine: StoreEngine, keeper: Keeper, readers: Readers, day: date) -> Desk:
    """Gather what the desk needs."""
    return Desk(engine, keeper, readers.current, readers.ever, {r.name: r for r in await handlers.everyone()}, day)


def days_of(row: Mapping[str, Any]) -> Days:
    """State and days beside a case, to schedule by: what cannot be stands as not there, until a reader's desk puts it right."""
    state = State(row["state"]) if row["state"] in set(State) else State.RECEIVED
    return Days(state, possible(row["received"]), possible(row["acknowledged"]), possible(row["outcome"]))


def holds_of(row: Mapping[str, Any]) -> set[str]:
    """Marks of those who ask that a case is kept."""
    try:
        return set(msgspec.json.decode(row["holds"] or "[]", type=list[str]))
    except msgspec.DecodeError:  # somebody wrote into the store; `held` stays as it is
        return set()


def is_ended(row: Mapping[str, Any]) -> bool:
    """Whether the end that a row says needs no other look: there is none, two found it, or it is of version 1."""
    return row["outcome"] is None or bool(row["ended"]) or row["version"] == FIRST_VERSION


def _kept_epochs(rows: Sequence[Mapping[str, Any]]) -> list[int]:
    """The epochs that decide who reads: the newest and, until a second reader has opened it, those down to one that was."""
    kept = []
    for row in sorted(rows, key=lambda row: row["number"], reverse=True):
        kept.append(int(row["id"]))
        if row["confirmed"]:
            break
    return kept


async def holders_of(desk: Desk, case: int, stream: str = "thread") -> set[str]:
    """Who has a wrap of the newest epoch of a stream, by name; needs K_cases."""
    epochs = _kept_epochs(await Epoch.select().where((Epoch.case == case) & (Epoch.stream == stream)))
    if not epochs:
        return set()
    there = {bytes(row["reader"]) for row in await Wrap.select(Wrap.reader).where(Wrap.epoch.is_in(epochs))}
    return {name for name in names_on(sorted(desk.ever)) if desk.keeper.reader(case, stream, name) in there}


class Word(NamedTuple):
    """How a case stands by its letters, as one reader's desk found it, and of how many letters."""

    state: str
    received: str
    acknowledged: str
    outcome: str
    letters: int

    @property
    def days(self) -> Days:
        return Days(State(self.state), *(_day_in(text) for text in (self.received, self.acknowledged, self.outcome)))


def _day_in(text: str) -> date | None:
    try:
        return possible(date.fromisoformat(text)) if text else None
    except ValueError:
        return None


def words_of(row: Mapping[str, Any]) -> dict[str, Word]:
    """What readers' desks last found, by their marks."""
    try:
        found = msgspec.json.decode(row["words"] or "{}", type=dict[str, Word])
        return {mark: word for mark, word in found.items() if word.state in set(State)}
    except msgspec.DecodeError:  # somebody wrote into the store
        return {}


def is_late(row: Mapping[str, Any], letters: int, today: date) -> bool:
    """Whether a case is late with its acknowledgement or outcome: by its row, or by what any reader's desk found in all its letters,
    unless two desks found that it is in time. So no reader alone keeps the substitute out."""
    found = [overdue_since(word.days, today) is not None for word in words_of(row).values() if word.letters == letters]
    late = overdue_since(days_of(row), today) is not None or any(found)
    return late and found.count(False) < 2


async def _substitute_is_in(desk: Desk, row: Mapping[str, Any], holders: Collection[str]) -> bool:
    """Say whether the outside substitute works this case: contested, late with acknowledgement or outcome, or fewer
    than two handlers inside who are not away for more than seven days."""
    inside = [name for name, outside in desk.current.items() if not outside and name in holders]
    present = [name for name in inside if name not in desk.people or not desk.people[name].is_away(desk.day)]
    if bool(row["contested"]) or len(present) < FEWEST_INSIDE:
        return True
    letters = await Message.count().where((Message.case == row["id"]) & (Message.stream == "thread"))
    return is_late(row, letters, desk.day)


async def may_read(desk: Desk, row: Mapping[str, Any], name: str) -> bool:
    """Say whether a case exists for this handler today: she has a wrap and, if outside, the substitute is in."""
    if name not in desk.current or row["state"] == State.DIARY:
        return False
    holders = await holders_of(desk, int(row["id"]))
    return name in holders and (not desk.current[name] or await _substitute_is_in(desk, row, holders))


async def case_row(desk: Desk, case: int, name: str) -> Mapping[str, Any]:
    row = await Case.select().where(Case.id == case).first()
    if row is None or not await may_read(desk, row, name):
        raise CaseUnknown
    return row


async def inbox(desk: Desk, name: str) -> list[InboxLine]:
    """The cases of one handler; those she has no key of are not even counted."""
    if name not in desk.current:
        return []
    rows = await Case.select().where(Case.state != State.DIARY)
    blind = {desk.keeper.reader(int(row["id"]), "thread", name) for row in rows}
    hers = {bytes(row["reader"]) for row in await Wrap.select(Wrap.reader).where(Wrap.reader.is_in(list(blind)))} if rows else set()
    mine = [row for row in rows if desk.keeper.reader(int(row["id"]), "thread", name) in hers]
    return [
        InboxLine(int(row["id"]), days_of(row), bool(row["rekey"]), bool(row["held"]), is_ended(row))
        for row in mine
        if await may_read(desk, row, name)
    ]


@dataclass(frozen=True, slots=True)
class CaseFile:
    """A case with what one reader needs to open it: her wraps, the sealed messages, who else reads."""

    case: int
    version: int
    days: Days
    contested: bool
    rekey: bool
    held: bool
    holds: int
    my_hold: bool
    recovered: date | None
    readers: tuple[str, ...]
    ended: bool
    epochs: tuple["EpochFile", ...]
    messages: tuple["MessageFile", ...]
    uploads: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EpochFile:
    """An epoch for one reader: her wrap (empty where she has none), and the link to the one before."""

    stream: str
    number: int
    wrap: bytes
    link: bytes
    at: int
    confirmed: bool
    pairs: Mapping[str, bytes]
    """For the recovery key: the wraps of its pairs of holders."""


@dataclass(frozen=True, slots=True)
class MessageFile:
    """A sealed letter, and the one without its content that waits for a second look."""

    stream: str
    number: int
    epoch: int
    sealed: bytes
    replacement: bytes


def hold_mark(desk: Desk, case: int, name: str) -> str:
    return desk.keeper.reader(case, "hold", name).hex()


async def case_file(desk: Desk, case: int, name: str, row: Mapping[str, Any] | None = None) -> CaseFile:
    """Read a case for one of its readers.

    Raises
    ------
    CaseUnknown
        If it does not exist for her.
    """
    row = row or await case_row(desk, case, name)
    epochs = [await _epoch_file(desk, case, name, epoch) for epoch in await Epoch.select().where(Epoch.case == case).order_by(Epoch.number)]
    known = {e.stream for e in epochs if e.wrap or e.pairs} | ({"thread", "diary"} if name == REPORTER else set())
    rows = await Message.select().where(Message.case == case).order_by(Message.stream).order_by(Message.number)
    messages = [
        MessageFile(m["stream"], int(m["number"]), int(m["epoch"]), bytes(m["sealed"]), bytes(m["replacement"] or b""))
        for m in rows if m["stream"] in known
    ]  # fmt: skip
    pieces = await Piece.select(Piece.upload).where(Piece.case == case)
    holds = holds_of(row)
    return CaseFile(
        case, int(row["version"]), days_of(row), bool(row["contested"]), bool(row["rekey"]), bool(row["held"]), len(holds),
        hold_mark(desk, case, name) in holds, row["recovered"], tuple(sorted(await holders_of(desk, case) & set(desk.ever))), is_ended(row),
        tuple(e for e in epochs if e.stream in known), tuple(messages),
        tuple(sorted({bytes(piece["upload"]).hex() for piece in pieces})),
    )  # fmt: skip


async def _epoch_file(desk: Desk, case: int, name: str, epoch: Mapping[str, Any]) -> EpochFile:
    stream = str(epoch["stream"])
    wanted = {name: desk.keeper.reader(case, stream, name)}
    if name == RECOVERY:
        wanted |= {pair: desk.keeper.reader(case, stream, pair_name(pair)) for pair in PAIRS}
    rows = await Wrap.select().where((Wrap.epoch == epoch["id"]) & Wrap.reader.is_in(list(wanted.values())))
    found = {bytes(row["reader"]): bytes(row["sealed"]) for row in rows}
    pairs = {pair: found[blind] for pair, blind in wanted.items() if pair != name and blind in found}
    link = bytes(epoch["link"] or b"")  # in rows of before this column SQLite gives an empty text
    return EpochFile(stream, int(epoch["number"]), found.get(wanted[name], b""), link, int(epoch["at"]), bool(epoch["confirmed"]), pairs)


async def for_recovery(desk: Desk) -> list[CaseFile]:
    """Every case that the recovery key opens; from now on each tells its reporter that it was used."""
    found = []
    for row in await Case.select().where(Case.state != State.DIARY):
        file = await case_file(desk, int(row["id"]), RECOVERY, row)
        if any(epoch.wrap or epoch.pairs for epoch in file.epochs):
            found.append(file)
            await Case.update({Case.recovered: desk.day}).where(Case.id == row["id"])
    return found


async def write(desk: Desk, case: int, name: str, writing: Writing) -> None:
    """Append a handler's letter and take the step it names; whether she may, the letters decide for whoever reads them.

    Raises
    ------
    CaseUnknown, OutOfStep, ReportRefused
    NotAllowed
        If the step is not open in this state, in a case of version 1.
    """
    row = await case_row(desk, case, name)
    if writing.stream not in ("thread", "notes") or (writing.move and writing.stream != "thread"):
        raise ReportRefused("stream")
    sealed = sealed_bytes(writing.sealed, "sealed")
    async with desk.engine.transaction():
        await lock_case(desk.engine, case)
        row = await Case.select().where(Case.id == case).first() or row
        await append_with(desk, case, row, name, writing, sealed)
        await claim(writing.uploads, case)
        if writing.move:
            await _move(desk, case, row, name, writing.move)


async def append_with(desk: Desk, case: int, row: Mapping[str, Any], name: str, writing: Writing, sealed: bytes) -> None:
    """Append a letter; a first note and a change of keys bring epochs of their own. A change says how many notes its author saw:
    where one came in between, she looks again. Of notes whose keys failed her she has no link to give."""
    if not writing.epochs:
        return await append(case, writing.stream, writing.number, sealed, writing.epoch)
    if row["version"] == FIRST_VERSION:
        raise ReportRefused("epochs")
    there = await Epoch.select().where(Epoch.case == case)
    highest = max(e["number"] for e in there if e["stream"] == "thread")
    begun = any((e["stream"], e["number"]) == ("notes", 1) for e in there)  # keys of a change may be void; those of a first note are not
    first_note = writing.stream == "notes" and not begun
    wanted = [("notes", 1)] if first_note else [(s, highest + 1) for s in ("thread", "notes")]
    if [(epoch.stream, epoch.number) for epoch in writing.epochs] != wanted:
        raise OutOfStep
    if not first_note and writing.notes >= 0 and writing.notes != await Message.count().where((Message.case == case) & (Message.stream == "notes")):
        raise OutOfStep
    if not first_note and begun and writing.notes < 0 and not writing.epochs[-1].link:
        raise OutOfStep  # a desk of before December 2026 that had not seen a note
    if first_note:
        await _add_epochs(desk, case, name, writing)
        return await append(case, writing.stream, writing.number, sealed, 1)
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
            if bytes(epoch["maker"] or b"") == desk.keeper.reader(case, "maker", name):
                raise NotAllowed
            hers = {bytes(row["reader"]) for row in await Wrap.select(Wrap.reader).where(Wrap.epoch == epoch["id"])}
            if desk.keeper.reader(case, epoch["stream"], name) not in hers:
                raise NotAllowed
            wanted = stay if epoch["stream"] == "thread" else [one for one in stay if one != REPORTER and not one.startswith(RECOVERY)]
            if not {desk.keeper.reader(case, epoch["stream"], one) for one in wanted} <= hers:
                continue
            await Epoch.update({Epoch.confirmed: True}).where(Epoch.id == epoch["id"])
            older = [e["id"] for e in epochs if e["stream"] == epoch["stream"] and e["number"] < number]
            await _blind(older, hers)


async def _blind(epochs: Sequence[int], stay: Collection[bytes]) -> None:
    """Put dummies in the place of all wraps of these epochs but of those who stay."""
    for row in await Wrap.select().where(Wrap.epoch.is_in(list(epochs) or [0])):
        if bytes(row["reader"]) not in stay:
            reader, sealed = dummy_wrap()
            await Wrap.update({Wrap.reader: reader, Wrap.sealed: sealed}).where(Wrap.id == row["id"])


async def _move(desk: Desk, case: int, row: Mapping[str, Any], name: str, move: str) -> None:
    before, after = MOVES.get(move, (set(), State.FINAL))
    if row["state"] not in before or (move == "final" and not desk.current.get(name)):
        if row["version"] == FIRST_VERSION:
            raise NotAllowed
        return  # the letter is kept: it decides, and what stands beside the case is put right by whoever opens it
    changes: dict[Any, Any] = {Case.state: after, Case.ender: desk.keeper.reader(case, "maker", name), Case.ended: False}
    if row["acknowledged"] is None:
        changes[Case.acknowledged] = desk.day
    if after in (State.OUTCOME, State.FINAL):
        changes[Case.outcome] = desk.day
    await Case.update(changes).where(Case.id == case)
