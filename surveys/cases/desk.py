"""A handler's side: her inbox, one case with the keys that are hers, writing, moving a case on.

Every question starts from the wraps that carry her blind name: a case she has no wrap of does not exist for her.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from surveys.cases import handlers
from surveys.cases.beside import days_of, holds_of, is_ended, is_late
from surveys.cases.clocks import Days, State
from surveys.cases.handlers import HandlerRecord
from surveys.cases.incoming import (
    CaseUnknown,
    names_on,
)
from surveys.cases.keeper import FIRST_VERSION, RECOVERY, REPORTER, Keeper
from surveys.cases.rows import SENT, all_rows, row_of
from surveys.cases.tables import Case, Epoch, Message, Piece, Wrap
from surveys.cases.wraps import PAIRS, pair_name
from surveys.cells import octets
from surveys.engines import StoreEngine
from surveys.odd import StoreOdd, reading
from surveys.public.readers import FEWEST_INSIDE, Readers


class NotAllowed(Exception):
    """This step is not open to this handler, or not in this state."""


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
    there = {octets(row["reader"]) for row in await Wrap.select(Wrap.reader).where(Wrap.epoch.is_in(epochs))}
    return {name for name in names_on(sorted(desk.ever)) if desk.keeper.reader(case, stream, name) in there}


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
    """The row of a case for one of its readers.

    Raises
    ------
    CaseUnknown
        If it does not exist for her.
    StoreOdd
        If it does, and cannot be read.
    """
    try:
        row = await row_of(case)
        with reading("case"):
            may = row is not None and await may_read(desk, row, name)
    except StoreOdd:
        if case in await unreadable(desk, name):
            raise
        raise CaseUnknown from None  # whoever does not read it learns nothing of it
    if row is None or not may:
        raise CaseUnknown
    return row


async def inbox(desk: Desk, name: str) -> list[InboxLine]:
    """The cases of one handler; those she has no key of are not even counted."""
    return (await look(desk, name))[0]


async def unreadable(desk: Desk, name: str) -> list[int]:
    """The cases of one handler in whose rows stands what no page writes: they cannot be listed or opened."""
    return (await look(desk, name))[1]


async def look(desk: Desk, name: str) -> tuple[list[InboxLine], list[int]]:
    """The list of one handler, and what is left out of it because it cannot be read. Whether the substitute is in follows from
    what cannot be read: she is told of no such case."""
    if name not in desk.current:
        return [], []
    rows, odd = await all_rows(SENT)
    hers = await _hers(desk, name, [*(int(row["id"]) for row in rows), *odd])
    lines, left_out = [], [case for case in odd if case in hers]
    for row in rows:
        case = int(row["id"])
        if case not in hers:
            continue
        try:
            with reading("case"):
                may = await may_read(desk, row, name)
                line = InboxLine(case, days_of(row), bool(row["rekey"]), bool(row["held"]), is_ended(row, desk.keeper))
        except StoreOdd:
            left_out.append(case)
        else:
            lines += [line] if may else []
    return lines, [] if desk.current[name] else sorted(left_out)


async def _hers(desk: Desk, name: str, cases: Collection[int]) -> set[int]:
    """Those of the cases under which some wrap of the thread is hers."""
    blind = {desk.keeper.reader(case, "thread", name): case for case in cases}
    if not blind:
        return set()
    there = await Wrap.select(Wrap.reader).where(Wrap.reader.is_in(list(blind)))
    return {blind[octets(row["reader"])] for row in there}


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
    with reading("case"):  # a letter or a key without its number has no place: nothing is shown in a wrong one
        epochs = [
            await _epoch_file(desk, case, name, epoch)
            for epoch in await Epoch.select().where(Epoch.case == case).order_by(Epoch.number)
        ]
        known = {e.stream for e in epochs if e.wrap or e.pairs} | ({"thread", "diary"} if name == REPORTER else set())
        rows = await Message.select().where(Message.case == case).order_by(Message.stream).order_by(Message.number)
        messages = [
            MessageFile(m["stream"], int(m["number"]), int(m["epoch"]), octets(m["sealed"]), octets(m["replacement"]))
            for m in rows
            if m["stream"] in known
        ]
    pieces = await Piece.select(Piece.upload).where(Piece.case == case)
    holds = holds_of(row)
    return CaseFile(
        case,
        desk.keeper.version(case),
        days_of(row),
        bool(row["contested"]),
        bool(row["rekey"]),
        bool(row["held"]),
        len(holds),
        hold_mark(desk, case, name) in holds,
        row["recovered"],
        tuple(sorted(await holders_of(desk, case) & set(desk.ever))),
        is_ended(row, desk.keeper),
        tuple(e for e in epochs if e.stream in known),
        tuple(messages),
        tuple(sorted({octets(piece["upload"]).hex() for piece in pieces})),
    )


async def _epoch_file(desk: Desk, case: int, name: str, epoch: Mapping[str, Any]) -> EpochFile:
    stream = str(epoch["stream"])
    wanted = {name: desk.keeper.reader(case, stream, name)}
    if name == RECOVERY:
        wanted |= {pair: desk.keeper.reader(case, stream, pair_name(pair)) for pair in PAIRS}
    rows = await Wrap.select().where((Wrap.epoch == epoch["id"]) & Wrap.reader.is_in(list(wanted.values())))
    found = {octets(row["reader"]): octets(row["sealed"]) for row in rows}
    pairs = {pair: found[blind] for pair, blind in wanted.items() if pair != name and blind in found}
    return EpochFile(
        stream,
        int(epoch["number"]),
        found.get(wanted[name], b""),
        octets(epoch["link"]),
        int(epoch["at"]),
        bool(epoch["confirmed"]),
        pairs,
    )


async def of_first_version() -> list[int]:
    """The numbers of cases whose rows say that they are of version 1: believed once, at the update (`keeper`)."""
    return [int(row["id"]) for row in await Case.select(Case.id).where(Case.version == FIRST_VERSION)]


async def for_recovery(desk: Desk) -> tuple[list[CaseFile], list[int]]:
    """Every case that the recovery key opens; from now on each tells its reporter that it was used. And those that cannot be read."""
    found = []
    rows, odd = await all_rows(SENT)
    for row in rows:
        try:
            with reading("case"):
                file = await case_file(desk, int(row["id"]), RECOVERY, row)
        except StoreOdd:
            odd.append(int(row["id"]))
            continue
        if any(epoch.wrap or epoch.pairs for epoch in file.epochs):
            found.append(file)
            await Case.update({Case.recovered: desk.day}).where(Case.id == row["id"])
    return found, sorted(odd)
