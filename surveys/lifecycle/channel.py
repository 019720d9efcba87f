"""Opening the concern channel and changing who reads: the gate, a new keyring, what follows for cases."""

from collections.abc import Sequence
from dataclasses import replace

from surveys.cases import desk, handlers, log
from surveys.cases.keeper import keeper_at
from surveys.lifecycle.context import House
from surveys.people import log as act_log
from surveys.public import channel, keyring, organisation
from surveys.public.channel import ChannelRecord
from surveys.public.keyring import Keyring


class ChannelNotReady(Exception):
    """What stands before opening, as keys of sentences."""

    def __init__(self, gaps: Sequence[str]) -> None:
        super().__init__(", ".join(gaps))
        self.gaps = tuple(gaps)


async def gaps(house: House) -> tuple[str, ...]:
    """Name what the channel still needs before it may open."""
    record, ring = await channel.load(), await keyring.current()
    known = {person.name: person for person in await handlers.everyone()}
    trained = ring is not None and all(
        reader.id in known and known[reader.id].training_is_valid(house.day) for reader in ring.readers
    )
    about = await organisation.load()
    checked = about is not None and organisation.checked_recently(about, house.day)
    return record.missing(keyring=ring is not None, trained=trained, help_checked=checked)


async def open_channel(house: House) -> ChannelRecord:
    """Open the channel.

    Raises
    ------
    ChannelNotReady
        If the unions were not heard (D.Lgs. 24/2023 art. 4 c. 1), nobody is on a signed keyring, training has expired, or
        the help numbers are old.
    """
    missing = await gaps(house)
    if missing:
        raise ChannelNotReady(missing)
    record = await channel.load()
    await act_log.record(house.engines["people"], house.day, house.actor, "open channel")
    return await channel.save(house.engines["public"], replace(record, opened=record.opened or house.day.isoformat()))


async def set_rules(house: House, record: ChannelRecord) -> None:
    """Change hearing, files or retention; the representative reads that it was done."""
    await channel.save(house.engines["public"], record)
    heard, years = record.hearing_day, str(record.retention_years)
    await act_log.record(house.engines["people"], house.day, house.actor, "channel rules", heard=heard, years=years)


async def publish_keyring(house: House, text: str, signatures: Sequence[str]) -> tuple[Keyring, int]:
    """Put a signed keyring in use; whoever is no longer on it loses the wraps of every case.

    Those cases, and those of somebody with new keys, are sealed anew by whoever opens them next.

    Returns
    -------
    The keyring, and how many cases must be sealed anew by those who stay.

    Raises
    ------
    KeyringRefused
        If it is not valid.
    """
    before = await keyring.current()
    ring = await keyring.publish(house.engines["public"], text, signatures)
    keeper = keeper_at(house.data)
    seat = await desk.open_desk(house.engines["cases"], keeper, await keyring.versions(), house.day)
    count = 0
    for reader in before.readers if before else ():
        now = ring.reader(reader.id)
        if now is None:
            count += await desk.drop_everywhere(seat, reader.id)
        elif now.recipient != reader.recipient:
            count += await desk.renew_everywhere(seat, reader.id)
    await log.record(house.engines["cases"], keeper, house.day, house.actor, "published_keyring")
    return ring, count
