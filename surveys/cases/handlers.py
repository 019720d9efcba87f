"""The people who work cases: their sealed key bundles, training and absence. Their private keys are sealed by themselves."""

from dataclasses import dataclass
from datetime import date

from surveys import cells
from surveys.cases.clocks import add_months, is_away, possible
from surveys.cases.keeper import Keeper
from surveys.cases.sealing import is_recipient
from surveys.cases.tables import Handler
from surveys.cells import octets
from surveys.engines import StoreEngine
from surveys.odd import StoreOdd, reading
from surveys.public.channel import TRAINING_MONTHS
from surveys.public.statements import Statement

BUNDLE_LIMIT = 8 * 1024
_DAYS = ("trained", "away_from", "away_until")
_TEXTS = ("bundle", "recipient", "signer", "contact", "statement")


class HandlerRefused(Exception):
    """What came is no key bundle of a handler, or a handler has keys already."""


@dataclass(frozen=True, slots=True)
class HandlerRecord:
    """A handler as the server knows her. `bundle` is JSON of her private keys, sealed under her passphrase and her kit."""

    name: str
    salt: bytes
    bundle: str
    recipient: str
    signer: str
    contact: str
    trained: date | None
    away_from: date | None
    away_until: date | None
    statement: str = ""
    """What she signed of her own keys; empty before she did."""

    def training_is_valid(self, today: date) -> bool:
        """Training counts for two years, from its day on."""
        return self.trained is not None and self.trained <= today <= add_months(self.trained, TRAINING_MONTHS)

    def is_away(self, today: date) -> bool:
        return is_away(self.away_from, self.away_until, today)


async def load(name: str) -> HandlerRecord | None:
    try:
        with reading("handler"):
            row = await Handler.select().where(Handler.name == name).first()
    except StoreOdd:
        row = await _by_cells(name)
    return _record(row) if row else None


async def _by_cells(name: str) -> dict[str, object] | None:
    """A handler one of whose days is none: it counts as not there, and closes neither her desk nor her colleagues'."""
    rows = await cells.read(Handler, "salt", name=name)
    salt = await Handler.select(Handler.salt).where(Handler.name == name).first()
    if not rows or salt is None:
        return None
    return {**rows[0], **salt} | {column: _day(rows[0][column]) for column in _DAYS}


def _day(cell: str | None) -> date | None:
    try:
        return cells.day(cell)
    except ValueError:
        return None


def _record(row: dict[str, object]) -> HandlerRecord:
    values = {field: row[field] for field in HandlerRecord.__dataclass_fields__}
    values |= {name: values[name] if isinstance(values[name], str) else "" for name in _TEXTS}
    values["salt"] = octets(values["salt"])
    values |= {name: possible(row[name]) for name in _DAYS}  # type: ignore[arg-type]  # days, or none
    return HandlerRecord(**values)  # type: ignore[arg-type]  # as above


async def everyone() -> list[HandlerRecord]:
    try:
        with reading("handler"):
            return [_record(row) for row in await Handler.select().order_by(Handler.name)]
    except StoreOdd:
        names = [str(row["name"]) for row in await Handler.select(Handler.name).order_by(Handler.name)]
        return [record for name in names if (record := await load(name)) is not None]


async def salt_for(name: str, keeper: Keeper) -> bytes:
    """The salt of a handler's passphrase; a steady decoy for a name that nobody has."""
    found = await load(name)
    return found.salt if found else keeper.decoy(name)


async def keep(engine: StoreEngine, record: HandlerRecord, *, renew: bool = False) -> None:
    """Store a handler's keys; `renew` puts new ones in place after a loss.

    Raises
    ------
    HandlerRefused
        If they are malformed, or are there already.
    """
    if not is_recipient(record.recipient) or len(record.signer) != 64 or len(record.salt) != 16:
        raise HandlerRefused("keys")
    if not 0 < len(record.bundle) <= BUNDLE_LIMIT:
        raise HandlerRefused("bundle")
    async with engine.transaction():
        known = await Handler.select().where(Handler.name == record.name).first()
        if known and not renew:
            raise HandlerRefused("there already")
        await Handler.delete().where(Handler.name == record.name)
        await Handler.insert(Handler(**{field: getattr(record, field) for field in record.__dataclass_fields__}))


async def set_bundle(name: str, salt: bytes, bundle: str) -> None:
    """Put a bundle in place that was sealed anew under another passphrase; the keys inside stay.

    Raises
    ------
    HandlerRefused
        If it is malformed.
    """
    if len(salt) != 16 or not 0 < len(bundle) <= BUNDLE_LIMIT:
        raise HandlerRefused("bundle")
    await Handler.update({Handler.salt: salt, Handler.bundle: bundle}).where(Handler.name == name)


async def set_statement(name: str, stated: Statement, text: str) -> None:
    """Keep a handler's statement.

    Raises
    ------
    HandlerRefused
        If it is of somebody else, or of other keys than hers.
    """
    record = await load(name)
    if record is None or (stated.id, stated.recipient, stated.signer) != (name, record.recipient, record.signer):
        raise HandlerRefused("statement")
    await Handler.update({Handler.statement: text}).where(Handler.name == name)


async def set_training(name: str, day: date | None) -> None:
    await Handler.update({Handler.trained: day}).where(Handler.name == name)


async def set_absence(name: str, begins: date | None, ends: date | None) -> None:
    """Say from when to when a handler is away; no dates: she is back.

    Raises
    ------
    HandlerRefused
        If the end is before the beginning.
    """
    if begins and ends and ends < begins:
        raise HandlerRefused("dates")
    await Handler.update({Handler.away_from: begins, Handler.away_until: ends}).where(Handler.name == name)


async def forget(name: str) -> None:
    """Remove a handler's bundle; what she saved elsewhere stays hers, and re-keying makes it useless for what follows."""
    await Handler.delete().where(Handler.name == name)
