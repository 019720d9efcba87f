"""How long things stay, what a year says, and the proof of filing. Deleting takes rows, wraps, attachments and spool."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from hashlib import sha256
from typing import Any

from piccolo.table import Table

from surveys import cells, stirring
from surveys.cases import clocks
from surveys.cases.beside import days_of, is_ended
from surveys.cases.clocks import SPOOL_DAYS, State, YearsKept, diary_until, keep_until, possible, was_late
from surveys.cases.folded import case_of
from surveys.cases.incoming import CaseUnknown
from surveys.cases.intake import lock_case
from surveys.cases.keeper import FIRST_VERSION, Keeper
from surveys.cases.rows import SENT, all_rows, row_of
from surveys.cases.tables import Case, Epoch, Message, Piece, Tally, Wrap
from surveys.engines import StoreEngine
from surveys.public import channel
from surveys.public.channel import ChannelRecord, year_band

_OF_CASES: tuple[type[Table], ...] = (Case, Epoch, Wrap, Message, Piece)
_SEALED = frozenset({"sealed", "replacement", "link"})


@dataclass(frozen=True, slots=True)
class Deleted:
    """What a day's sweep removed, as counts for a test; nothing of it is logged."""

    cases: int
    diaries: int
    pieces: int


async def sweep(engine: StoreEngine, keeper: Keeper, day: date, years: YearsKept) -> Deleted:
    """Delete what has passed its day: cases after retention (not those held, nor those whose end one reader alone says), old
    diaries, pieces nobody claimed."""
    cases = diaries = 0
    for row in (await all_rows())[0]:  # one that cannot be read keeps no other from its end
        if row["state"] == State.DIARY:
            if _is_old_diary(row, day):
                diaries += await _delete_if(engine, int(row["id"]), day, lambda now: _is_old_diary(now, day))
        elif _is_over(row, keeper, day, years):
            cases += await _delete_if(engine, int(row["id"]), day, lambda now: _is_over(now, keeper, day, years))
    spool = Piece.case.is_null() & (Piece.arrived < day - timedelta(days=SPOOL_DAYS))
    pieces = int(await Piece.count().where(spool))
    if pieces:
        await Piece.delete().where(spool)
    dated = (
        Piece.case.is_not_null() & Piece.arrived.is_not_null()
    )  # attachments that versions before December 2026 took
    told = await Piece.exists().where(dated)
    if told:
        await Piece.update({Piece.arrived: None}).where(dated)
    if cases or diaries or pieces or told:
        await wipe(engine)
    return Deleted(cases, diaries, pieces)


def _is_over(row: Mapping[str, Any], keeper: Keeper, day: date, years: YearsKept) -> bool:
    """Whether a case ended so long ago that it may not be kept, and nobody asked that it is."""
    outcome = possible(row["outcome"])
    if row["state"] == State.DIARY or outcome is None or row["held"] or not is_ended(row, keeper):
        return False
    return day > keep_until(outcome, years(outcome))


def _is_diary(row: Mapping[str, Any]) -> bool:
    return bool(row["state"] == State.DIARY)


def _is_old_diary(row: Mapping[str, Any], day: date) -> bool:
    written = possible(row["written"])
    return _is_diary(row) and written is not None and day > diary_until(written)


async def delete_case(engine: StoreEngine, row: Mapping[str, Any], day: date) -> None:
    """Remove every row of a case; the year keeps its count."""
    case = int(row["id"])
    async with engine.transaction():
        if (received := possible(row["received"])) is not None:
            await _count(received.year, late=was_late(days_of(row), day))
        epochs = [int(epoch["id"]) for epoch in await Epoch.select(Epoch.id).where(Epoch.case == case)]
        if epochs:
            await Wrap.delete().where(Wrap.epoch.is_in(epochs))
        await Epoch.delete().where(Epoch.case == case)
        await Message.delete().where(Message.case == case)
        await Piece.delete().where(Piece.case == case)
        await Case.delete().where(Case.id == case)


async def _count(year: int, *, late: bool) -> None:
    row = await Tally.select().where(Tally.year == year).first()
    if row is None:
        await Tally.insert(Tally(year=year, cases=1, late=int(late)))
    else:
        await Tally.update({Tally.cases: row["cases"] + 1, Tally.late: row["late"] + int(late)}).where(
            Tally.year == year
        )


async def wipe(engine: StoreEngine) -> None:
    """Leave no deleted bytes behind in the files: pages rewritten, the write-ahead log emptied."""
    await engine.rewrite(*_OF_CASES)


async def arrived() -> object:
    """Everything of the store but what is sealed: while it stays, nothing need be stirred. Counts would not do, as cases go."""
    found = sha256()
    for table in _OF_CASES:
        # as text: where a cell is none that a page wrote, the order of arrival is to go none the less
        for row in sorted(await cells.read(table, *_SEALED), key=lambda row: str(row["id"])):
            found.update(repr(row).encode())
    return found.digest()


async def stir(engine: StoreEngine) -> None:
    """Take away what tells the order of arrival of reports, letters and attachments, while they arrive (PRIVACY 3.8)."""
    await stirring.stir(engine, *_OF_CASES)


async def delete_by_reporter(engine: StoreEngine, row: Mapping[str, Any], day: date) -> None:
    """A reporter throws away a diary that was never sent.

    Raises
    ------
    CaseUnknown
        If it was sent: then the law keeps it.
    """
    if not await _delete_if(engine, int(row["id"]), day, _is_diary):
        raise CaseUnknown
    await wipe(engine)


async def _delete_if(engine: StoreEngine, case: int, day: date, still: Callable[[Mapping[str, Any]], bool]) -> bool:
    """Delete a case if what speaks for it still holds when nobody else can write in it: it may be held, or a diary sent, meanwhile."""
    async with engine.transaction():
        try:
            await lock_case(engine, case)
        except CaseUnknown:
            return False
        row = await row_of(case)
        if row is None or not still(row):
            return False
        await delete_case(engine, row, day)
    return True


async def count_year(year: int, day: date) -> tuple[int, int]:
    """How many cases came in a year and how many missed a time by its end. For the band alone: never shown."""
    tally = await Tally.select().where(Tally.year == year).first()
    cases, late = (int(tally["cases"]), int(tally["late"])) if tally else (0, 0)
    ends = min(day, date(year, 12, 31))
    for row in (await all_rows(SENT))[0]:
        received = possible(row["received"])
        if received is not None and received.year == year:
            cases += 1
            late += was_late(_until(row, ends), ends)
    return cases, late


def _until(row: Mapping[str, Any], ends: date) -> clocks.Days:
    """The days of a case as they stood on a day."""
    days = days_of(row)
    acknowledged = days.acknowledged if days.acknowledged and days.acknowledged <= ends else None
    outcome = days.outcome if days.outcome and days.outcome <= ends else None
    return replace(days, acknowledged=acknowledged, outcome=outcome)


async def close_year(public: StoreEngine, day: date) -> ChannelRecord:
    """Publish the band of each finished year in which the channel was open; once said it never changes."""
    record = await channel.load()
    if not record.is_open:
        return record
    bands = dict(record.bands)
    for year in range(date.fromisoformat(record.opened).year, day.year):
        if str(year) not in bands:
            bands[str(year)] = year_band(*await count_year(year, day))
    if bands == dict(record.bands):
        return record
    return await channel.change(public, lambda now: replace(now, bands=bands | dict(now.bands)))


async def filing(keeper: Keeper, row: Mapping[str, Any], signer: str = "", reader: str = "") -> dict[str, str]:
    """What a proof of filing says: the day, and the hash of the reporter's signing key. No word, no case number.

    The reporter proves that it is hers with the code, which derives that key. The store holds no key of hers (version 2): she
    says both public halves, and they are hers because the case's number follows from them.

    Raises
    ------
    CaseUnknown
        If nothing was filed, or the keys are not this case's.
    """
    received = possible(row["received"])
    if received is None:
        raise CaseUnknown
    mine = str(row["signer"])
    if keeper.version(int(row["id"])) != FIRST_VERSION:
        if f"{int(row['id']):016x}" != case_of(signer, reader):
            raise CaseUnknown
        mine = signer
    return {"filed": received.isoformat(), "key": sha256(mine.encode()).hexdigest()}
