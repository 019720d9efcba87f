"""Opening the concern channel and changing who reads: the gate, a new keyring, what follows for cases."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date

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


class DayToCome(Exception):
    """Nothing was done on a day that is still to come."""


class ChannelChanged(Exception):
    """Somebody else wrote other rules meanwhile; nothing was changed."""


async def gaps(site: Site) -> tuple[str, ...]:
    """Name what the channel still needs before it may open."""
    return await _gaps(site, await channel.load())


async def _gaps(site: Site, record: ChannelRecord) -> tuple[str, ...]:
    chain = await ring_store.load(house_file.load(site.data))
    known = {person.name: person for person in await handlers.everyone()}
    trained = chain is not None and all(
        reader.id in known and known[reader.id].training_is_valid(site.day) for reader in chain.newest.readers
    )
    about = await organisation.load()
    checked = about is not None and organisation.checked_recently(about, site.day)
    return record.missing(site.day, keyring=chain is not None, trained=trained, help_checked=checked)


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
    await act_log.record(site.engines["people"], site.day, site.actor, "open channel")

    def opened(now: ChannelRecord) -> ChannelRecord:
        if not now.hearing_day or not now.hearing_document:
            raise ChannelNotReady(("hearing_day",))  # taken back since it was looked at
        return replace(now, opened=now.opened or site.day.isoformat())

    return await channel.change(site.engines["public"], opened)


async def set_rules(site: Site, record: ChannelRecord, seen: str | None = None) -> None:
    """Change hearing, files or retention; the representative reads that it was done. Fewer years are for cases that end from now on:
    nobody has those that ended before deleted by it.

    Parameters
    ----------
    site : day and actor
    record : its rules are taken, and nothing else of it
    seen : the mark of the rules that whoever changes them had before her; None changes whatever stands there

    Raises
    ------
    DayToCome
        If the unions are still to be heard.
    ChannelChanged
    """
    if record.hearing_day and date.fromisoformat(record.hearing_day) > site.day:
        raise DayToCome

    def ruled(now: ChannelRecord) -> ChannelRecord:
        if seen is not None and now.shown not in (seen, record.shown):
            raise ChannelChanged
        fewer = record.retention_years < now.retention_years
        longer = (*now.kept_longer, (site.day.isoformat(), now.retention_years)) if fewer else now.kept_longer
        heard, document, other_files, years = record.rules
        return replace(
            now,
            hearing_day=heard,
            hearing_document=document,
            other_files=other_files,
            retention_years=years,
            kept_longer=longer,
        )

    await channel.change(site.engines["public"], ruled)
    heard, years = record.hearing_day, str(record.retention_years)
    await act_log.record(site.engines["people"], site.day, site.actor, "channel rules", heard=heard, years=years)


async def note_training(site: Site, name: str, day: date) -> None:
    """Write down the day of a handler's training; the representative reads that it was done.

    Raises
    ------
    DayToCome
    """
    if day > site.day:
        raise DayToCome
    await handlers.set_training(name, day)
    await act_log.record(
        site.engines["people"], site.day, site.actor, "handler trained", handler=name, on=day.isoformat()
    )


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
