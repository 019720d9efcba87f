"""Staff lists that are not the list: one that waits for HR's yes, and the one before the last import."""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import msgspec

from surveys.engines import StoreEngine
from surveys.people import roster
from surveys.people.matching import Known, PersonEntry
from surveys.people.roster import UnitEntry
from surveys.people.tables import ListBefore, ListDraft, PersonLeft
from surveys.people.undelivered import failed_of, mend

WAITS = timedelta(hours=1)
TAKEN_BACK_WITHIN = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Draft:
    """A new list as it was read, and the mark of the list that it was held against."""

    id: str
    mark: str
    units: tuple[UnitEntry, ...]
    persons: tuple[PersonEntry, ...]


@dataclass(frozen=True, slots=True)
class Before:
    """The list before an import: of which day and by whom that import was."""

    day: date
    actor: str


async def mark() -> str:
    """The mark of the list as it is: another one as soon as anything of it is another."""
    people = sorted(await roster.everyone(), key=lambda known: known.id)
    return hashlib.sha256(_written(await roster.units(), people).encode()).hexdigest()


async def keep_draft(
    engine: StoreEngine, account: str, units: Sequence[UnitEntry], persons: Sequence[PersonEntry], now: datetime
) -> Draft:
    """Keep a list until its account says yes, sends another one, or an hour has gone by."""
    draft = Draft(secrets.token_urlsafe(32), await mark(), tuple(units), tuple(persons))
    async with engine.transaction():
        await ListDraft.delete().where((ListDraft.account == account) | (ListDraft.ends <= now))
        content = msgspec.json.encode((draft.units, draft.persons)).decode()
        await ListDraft.insert(
            ListDraft(id=draft.id, account=account, ends=now + WAITS, mark=draft.mark, content=content)
        )
    return draft


async def draft_of(account: str, id_: str, now: datetime) -> Draft | None:
    """The list that waits for this account under this id; None if it waits no more."""
    row = await ListDraft.select().where((ListDraft.account == account) & (ListDraft.id == id_)).first()
    if row is None or row["ends"].astimezone(UTC) <= now:
        return None
    units, persons = msgspec.json.decode(row["content"], type=tuple[tuple[UnitEntry, ...], tuple[PersonEntry, ...]])
    return Draft(row["id"], row["mark"], units, persons)


async def drop_draft(account: str) -> None:
    """Nothing waits for this account any more. The caller holds the transaction."""
    await ListDraft.delete().where(ListDraft.account == account)


async def keep_before(day: date, actor: str) -> None:
    """Keep the list as it is, in the place of the one that was kept. The caller holds the transaction, and changes it then."""
    await ListBefore.delete(force=True)
    if people := await roster.everyone():
        content = _written(await roster.units(), people)
        await ListBefore.insert(ListBefore(id=1, day=day, actor=actor, content=content))


async def before(today: date) -> Before | None:
    """The import that can be taken back, for thirty days."""
    row = await ListBefore.select(ListBefore.day, ListBefore.actor).first()
    return Before(row["day"], row["actor"]) if row and row["day"] > today - TAKEN_BACK_WITHIN else None


async def take_back(engine: StoreEngine, today: date) -> Before | None:
    """Make the list what it was before the last import; None if nothing can be taken back. Links and answers stay as they are."""
    async with roster.alone(engine):
        found, row = await before(today), await ListBefore.select(ListBefore.content).first()
        if found is None or row is None:
            return None
        units, people = msgspec.json.decode(row["content"], type=tuple[tuple[UnitEntry, ...], tuple[Known, ...]])
        now = {known.id: known for known in await roster.everyone()}
        here = {known.id for known in people}
        await roster.write(units, people)
        await roster.remember_left([known for known in now.values() if known.id not in here], today)
        await roster.forget_left(here)
        corrected = [k.id for k in people if k.id in now and roster.is_corrected(now[k.id].entry, k.entry)]
        back = [k.id for k in people if k.id not in now and "@" in k.entry.contact]
        await mend([*corrected, *await failed_of(back)])
        await ListBefore.delete(force=True)
    return found


async def forget(engine: StoreEngine, today: date, now: datetime) -> None:
    """Delete what may be kept no longer, from the disk too: lists that wait for an hour, the one before for thirty days, the numbers of
    those who left for a year."""
    over = {
        ListDraft: ListDraft.ends <= now,
        ListBefore: ListBefore.day <= today - TAKEN_BACK_WITHIN,
        PersonLeft: PersonLeft.day <= today - roster.BACK_WITHIN,
    }
    gone = [table for table, which in over.items() if await table.exists().where(which)]
    for table in gone:
        await table.delete().where(over[table])
    if gone:
        await engine.rewrite(*gone)


def _written(units: Sequence[UnitEntry], people: Sequence[Known]) -> str:
    return msgspec.json.encode((units, people)).decode()
