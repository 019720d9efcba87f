"""Opening the concern channel and changing who reads: the gate, a new keyring, what follows for cases."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace

from surveys.cases import desk, handlers, log, standing
from surveys.cases.keeper import keeper_at
from surveys.lifecycle import steps
from surveys.lifecycle.context import Site
from surveys.lifecycle.steps import Step
from surveys.people import log as act_log
from surveys.public import channel, organisation, readers, ring_store
from surveys.public import house as house_file
from surveys.public.channel import ChannelRecord
from surveys.public.rings import Ring
from surveys.public.statements import RingRefused

CHANNEL = "the channel"
"""What the steps of the channel stand under, where those of a wave stand under its id; no wave has this one."""


class ChannelNotReady(Exception):
    """What stands before opening, as keys of sentences."""

    def __init__(self, gaps: Sequence[str]) -> None:
        super().__init__(", ".join(gaps))
        self.gaps = tuple(gaps)


async def gaps(site: Site) -> tuple[str, ...]:
    """Name what the channel still needs before it may open."""
    record, chain = await channel.load(), await ring_store.load(house_file.load(site.data))
    known = {person.name: person for person in await handlers.everyone()}
    trained = chain is not None and all(
        reader.id in known and known[reader.id].training_is_valid(site.day) for reader in chain.newest.readers
    )
    about = await organisation.load()
    checked = about is not None and organisation.checked_recently(about, site.day)
    return record.missing(keyring=chain is not None, trained=trained, help_checked=checked)


async def open_channel(site: Site) -> ChannelRecord:
    """Open the channel.

    Raises
    ------
    ChannelNotReady
        If the unions were not heard (D.Lgs. 24/2023 art. 4 c. 1), nobody is on a signed keyring, training has expired, or
        the help numbers are old.
    """
    missing = await gaps(site)
    if missing:
        raise ChannelNotReady(missing)
    record = await channel.load()
    await act_log.record(site.engines["people"], site.day, site.actor, "open channel")
    return await channel.save(site.engines["public"], replace(record, opened=record.opened or site.day.isoformat()))


async def set_rules(site: Site, record: ChannelRecord) -> None:
    """Change hearing, files or retention; the representative reads that it was done. Fewer years are for cases that end from now on:
    nobody has those that ended before deleted by it."""
    before = await channel.load()
    if record.retention_years < before.retention_years:
        longer = (*before.kept_longer, (site.day.isoformat(), before.retention_years))
        record = replace(record, kept_longer=longer)
    await channel.save(site.engines["public"], record)
    heard, years = record.hearing_day, str(record.retention_years)
    await act_log.record(site.engines["people"], site.day, site.actor, "channel rules", heard=heard, years=years)


async def publish_ring(site: Site, text: str, signatures: Sequence[Mapping[str, str]]) -> tuple[Ring, int]:
    """Put a signed ring in use; whoever is no longer on it loses the wraps of every case.

    Those cases, and those of somebody with new keys, get new keys from whoever opens them next. What is cut off is finished by the jobs.

    Returns
    -------
    The ring, and how many cases wait for new keys.

    Raises
    ------
    RingRefused
        If it is not valid, or there is no house file yet.
    StepUnderWay
        If somebody else publishes one at this moment.
    """
    anchor = house_file.load(site.data)
    if anchor is None:
        raise RingRefused("there is no house file yet")
    async with steps.at_rest(site, CHANNEL):  # what was cut off writes its line first: those after it are this one's
        await ring_store.check_next(anchor, text, signatures, site.day)
        given = {"ring": text, "signatures": json.dumps(list(signatures)), "lines": str(len(await log.chain()))}
        await steps.do(site, CHANNEL, "publish_ring", **given)
    chain = await ring_store.load(anchor)
    assert chain is not None, "it was published"
    return chain.newest, await standing.waiting_for_keys()


@steps.part("publish_ring", RingRefused)
async def _publish_ring(site: Site, step: Step) -> None:
    anchor, text = house_file.load(site.data), step.details["ring"]
    if anchor is None:
        raise RingRefused("there is no house file yet")
    chain = await ring_store.load(anchor)
    if chain is None or text not in [ring.text for ring in chain.rings]:
        await ring_store.publish(site.engines["public"], anchor, text, json.loads(step.details["signatures"]), site.day)
    await _follow(site, text, int(step.details["lines"]))
    await steps.over(site, step)


async def _follow(site: Site, text: str, lines: int) -> None:
    """Bring the cases in line with a ring that is in use, and tell it in the handlers' log, in one commit: a step that is finished
    after it was cut off finds its line among those after so many, and does nothing twice."""
    keeper, lists = keeper_at(site.data), await readers.load(site.data)
    told = [(line.day, line.who, line.act) for line in (await log.read(keeper))[lines:]]
    if (site.day, site.actor, "published_keyring") in told:
        return
    ring, before = lists.with_before(text)
    seat = await desk.open_desk(site.engines["cases"], keeper, lists, site.day)
    async with log.telling(site.engines["cases"], keeper, site.day, site.actor, "published_keyring"):
        for name, was in before.items():
            now = ring.reader(name)
            if now is None:
                await standing.drop_everywhere(seat, name)
            elif was is not None and now.recipient != was:
                await standing.renew_everywhere(seat, name)


async def publish_still(site: Site, text: str, signatures: Sequence[Mapping[str, str]]) -> Ring:
    """Lengthen the ring in use.

    Raises
    ------
    RingRefused, StepUnderWay
    """
    anchor = house_file.load(site.data)
    if anchor is None:
        raise RingRefused("there is no house file yet")
    async with steps.at_rest(site, CHANNEL):
        ring = await ring_store.publish_still(site.engines["public"], anchor, text, signatures, site.day)
        await log.record(site.engines["cases"], keeper_at(site.data), site.day, site.actor, "published_keyring")
    return ring
