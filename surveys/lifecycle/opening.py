"""Opening a wave: everything is frozen, the urn is filled, slips can be printed."""

import secrets

from analysis.publication import size_band
from analysis.views import Plan
from surveys.answers import wave as urn_of
from surveys.answers.keys import make_urn_key
from surveys.lifecycle.context import House, keep_wraps
from surveys.lifecycle.issuing import make_token_key
from surveys.lifecycle.planning import earlier_panels, seats_of
from surveys.people import links, log, panel, roster
from surveys.public import organisation, waves
from surveys.public.waves import State, WaveRecord
from surveys.tokens import SlipCode

SPARE_SHARE = 0.10
"""Slips beyond the panel, for spoiled sheets and boxes of several sites."""


class NotReady(Exception):
    """The wave cannot open yet; `missing` names what is missing, one key each."""

    def __init__(self, missing: tuple[str, ...]) -> None:
        super().__init__(", ".join(missing))
        self.missing = missing


class TooManySlips(Exception):
    """More slips than the panel and its spare; `left` says how many may still be printed."""

    def __init__(self, left: int) -> None:
        super().__init__(f"{left} slips may still be printed")
        self.left = left


async def missing(house: House, record: WaveRecord) -> tuple[str, ...]:
    """Name everything that keeps a planned wave from opening."""
    about = await organisation.load()
    gaps = list(about.missing()) if about else ["organisation"]
    if about and "help_checked_on" not in gaps and not organisation.checked_recently(about, house.day):
        gaps.append("help_checked_on")
    gaps += [f"holder.{seat}" for seat in seats_of(record) if seat not in record.holders]
    if record.starts and house.day < record.starts:
        gaps.append("starts")
    if record.ends and house.day > record.ends:
        gaps.append("ends")
    others = [wave for wave in await waves.in_state(State.OPEN, State.ENDED) if wave.id != record.id]
    if others:
        gaps.append("another_wave")
    return tuple(gaps)


async def open_wave(house: House, wave: str) -> WaveRecord:
    """Open a planned wave.

    Raises
    ------
    NotReady
        Naming all that is missing. Nothing changed.
    PanelRefused, WrongState
    """
    record = await waves.get(wave)
    if record.state != State.PLANNED:
        raise waves.WrongState(wave, record.state, (State.PLANNED,))
    gaps = await missing(house, record)
    if gaps:
        raise NotReady(gaps)
    chosen = await panel.members(record.panel["unit"])
    await panel.check(record.panel["unit"], chosen, await earlier_panels(), house.day, record.rules["k"]["items"])
    units = await roster.units()
    counts = {view.id: panel.count_view(view.filter, chosen, units) for view in Plan.from_json(record.plan).views}
    about = await organisation.load()
    sealed = make_urn_key(record.holder_keys())
    keep_wraps(house, wave, sealed)
    await urn_of.destroy(house.engines["answers"], wave)  # of an opening that was cut off half-way
    await urn_of.fill_urn(house.engines["answers"], wave, slots(len(chosen)))
    await panel.forget(house.engines["people"], wave)
    await panel.invite(house.engines["people"], wave, chosen, tuple(record.panel.get("channels", ())))
    by_channel = await links.counts(wave)
    await panel.freeze_headcounts(house.engines["people"], wave, counts)
    opened = await waves.change(
        house.engines["public"], wave, State.PLANNED, state=State.OPEN, opened=house.day, invited=len(chosen),
        seal_key=sealed.public, phone_key=sealed.phone, token_key=make_token_key(house, wave),
        panel={**record.panel, "by_channel": by_channel}, headcount_bands={view: size_band(people) for view, people in counts.items()},
        messages={"referente": about.referente, "canale": about.canale} if about else {},
    )  # fmt: skip
    await log.record(
        house.engines["people"], house.day, house.actor, "wave opened", wave=wave, invited=str(len(chosen))
    )
    return opened


def slots(people: int) -> int:
    """How many slots an urn has: the panel, its spare slips, and some air."""
    return slip_limit(people) + 10


def slip_limit(people: int) -> int:
    return people + max(3, round(people * SPARE_SHARE))


def slips_for(record: WaveRecord) -> int:
    """How many slips a wave may print: its people without a link, and some to spare."""
    by_channel = record.panel.get("by_channel")
    return slip_limit(by_channel.get(links.SLIP, 0) if by_channel else record.invited)


async def print_slips(house: House, wave: str, count: int) -> list[SlipCode]:
    """Make new codes for an open wave; they are returned once, to be printed, and never kept.

    Raises
    ------
    TooManySlips
        If panel and spare are used up.
    """
    record = await waves.get(wave)
    if record.state != State.OPEN:
        raise waves.WrongState(wave, record.state, (State.OPEN,))
    left = slips_for(record) - record.slips
    if not 1 <= count <= left:
        raise TooManySlips(left)
    await waves.change(house.engines["public"], wave, State.OPEN, slips=record.slips + count)
    codes = await urn_of.make_slips(house.engines["answers"], wave, count)
    secrets.SystemRandom().shuffle(codes)
    await log.record(house.engines["people"], house.day, house.actor, "slips printed", wave=wave, slips=str(count))
    return codes
