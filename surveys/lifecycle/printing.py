"""Printing slips: in batches that are counted as they are made, printed again until they are handed over, or made void by two.

What the codes of a batch follow from lies in a file of the folder of keys, in no store and no backup, until then.
"""

import os
import secrets
from pathlib import Path

from surveys.answers import batches
from surveys.answers.batches import PRINTED, Batch, codes_of
from surveys.lifecycle import frozen, steps
from surveys.lifecycle.context import Site, destroy_file, keep_once, slips_path
from surveys.lifecycle.ready import checked_plan, is_second
from surveys.lifecycle.steps import PlanRefused, Step
from surveys.people import links, log, two_keys
from surveys.public import waves
from surveys.public.waves import State, WaveRecord, WrongState
from surveys.slips import SlipCode

SPARE_SHARE = 0.10
"""Slips beyond the panel, for spoiled sheets and boxes of several sites."""


class TooManySlips(Exception):
    """More slips than people without a link and what two people agreed to; `left` says how many may still be printed."""

    def __init__(self, left: int) -> None:
        super().__init__(f"{left} slips may still be printed")
        self.left = left


def slip_limit(people: int) -> int:
    return people + max(3, round(people * SPARE_SHARE))


def slip_people(record: WaveRecord) -> int:
    """How many people of the panel have no link: so many slips one person prints alone."""
    by_channel = record.panel.get("by_channel")
    return int(by_channel.get(links.SLIP, 0) if by_channel else record.invited)


async def slips_left(record: WaveRecord) -> int:
    """How many slips may still be printed: one for each of these people, and what two people agreed to beyond them."""
    spare = two_keys.spare_allowed(await two_keys.of_wave(record.id))
    said = [act.details for act in await log.read() if act.act == "spare allowed"]
    agreed = sum(log.number_in(one, "slips") or 0 for one in said if one.get("wave") == record.id)
    # a row of an act that no log knows counts for none
    return max(0, slip_people(record) + min(spare, agreed) - record.slips)


async def print_slips(site: Site, wave: str, count: int) -> list[SlipCode]:
    """Make a batch of new codes for an open wave, in an order that says nothing, to be printed.

    Raises
    ------
    TooManySlips
        If there would be more than people without a link, and more than two people agreed to beyond them.
    AddressOther, WrongState, StepUnderWay
    """
    await frozen.check_invitations(site.data, wave)
    if is_second(site.data, wave):
        await checked_plan(site.data, await waves.get(wave))  # what the slips carry of the plan must be right
    async with steps.at_rest(site, wave):
        left = await slips_left(await _open(wave))
        if not 1 <= count <= left:
            raise TooManySlips(left)
        number = max((batch.number for batch in await batches.of_wave(wave)), default=batches.BEFORE) + 1
        # where somebody took a batch's rows away its seed lies there still: no code is made twice
        destroy_file(slips_path(site.data, wave, number))
        await steps.do(site, wave, "slips", slips=str(count), number=str(number))
    return await again(site, wave, number)


@steps.part("slips", last="slips printed")
async def _print(site: Site, step: Step) -> None:
    wave, number, slips = step.wave, int(step.details["number"]), step.details["slips"]
    record = await _open(wave)
    keep_once(slips_path(site.data, wave, number), os.urandom(batches.SEED_BYTES))
    await batches.keep(
        site.engines["answers"],
        wave,
        number,
        codes_of(slips_path(site.data, wave, number).read_bytes(), int(slips)),
        step.day,
        printed_before=record.slips,
        first_version=not is_second(site.data, wave),
    )
    await _count(site, wave)
    await steps.over(site, step, "slips printed", wave=wave, slips=slips)


async def _count(site: Site, wave: str) -> None:
    """The row of the wave says how many slips somebody may have drawn."""
    drawable = batches.drawable(await batches.of_wave(wave))
    await waves.change(site.engines["public"], wave, State.OPEN, slips=drawable)


async def again(site: Site, wave: str, number: int) -> list[SlipCode]:
    """The codes of a batch that was not handed over yet, to be printed once more.

    Raises
    ------
    PlanRefused
        If it was handed over, or there is no such batch.
    AddressOther
    """
    await frozen.check_invitations(site.data, wave)
    codes = _codes(site.data, wave, await _printed(wave, number))
    secrets.SystemRandom().shuffle(codes)
    return codes


async def hand_over(site: Site, wave: str, number: int) -> None:
    """Note that a batch was given out: nobody prints it again.

    Raises
    ------
    PlanRefused
        If it was handed over before, or there is no such batch.
    StepUnderWay
    """
    await steps.take(site, wave, "hand over", lambda: _printed(wave, number), number=str(number))


@steps.part("hand over", last="slips handed over")
async def _hand_over(site: Site, step: Step) -> None:
    number = int(step.details["number"])
    await batches.hand_over(site.engines["answers"], step.wave, number)
    destroy_file(slips_path(site.data, step.wave, number))
    await steps.over(site, step, "slips handed over", wave=step.wave, batch=str(number))


async def make_void(site: Site, wave: str, number: int, spoiled: int, act: int) -> None:
    """Take the right to answer from the slips of a batch, of which two people counted `spoiled` sheets. The act says that they agreed.

    Raises
    ------
    PlanRefused
        If it was handed over, there is no such batch, its codes are gone, or the number cannot be.
    WrongState
        If the wave is not open.
    StepUnderWay
    """

    async def check() -> None:
        await _open(wave)
        batch = await _printed(wave, number)
        _codes(site.data, wave, batch)
        if not 1 <= spoiled <= batch.slips:
            raise PlanRefused("spoiled", slips=batch.slips)

    await steps.take(site, wave, "void", check, number=str(number), spoiled=str(spoiled), act=str(act))


@steps.part("void", last="slips void")
async def _make_void(site: Site, step: Step) -> None:
    wave, number = step.wave, int(step.details["number"])
    await _open(wave)
    batch = await _batch(wave, number)
    if batch.state == PRINTED:
        codes = _codes(site.data, wave, batch)
        first = not is_second(site.data, wave)
        spoiled = int(step.details["spoiled"])
        await batches.make_void(site.engines["answers"], wave, number, codes, spoiled, first_version=first)
    await _count(site, wave)
    destroy_file(slips_path(site.data, wave, number))
    await two_keys.settle(site.engines["people"], int(step.details["act"]), two_keys.ASKED, two_keys.HANDED, site.actor)
    await steps.over(site, step, "slips void", wave=wave, batch=str(number), slips=step.details["spoiled"])


def _codes(data: Path, wave: str, batch: Batch) -> list[SlipCode]:
    try:
        return codes_of(slips_path(data, wave, batch.number).read_bytes(), batch.slips)
    except FileNotFoundError:
        raise PlanRefused("batch") from None


async def _printed(wave: str, number: int) -> Batch:
    batch = await _batch(wave, number)
    if batch.state != PRINTED:
        raise PlanRefused("batch")
    return batch


async def _batch(wave: str, number: int) -> Batch:
    found = next((batch for batch in await batches.of_wave(wave) if batch.number == number), None)
    if found is None:
        raise PlanRefused("batch")
    return found


async def _open(wave: str) -> WaveRecord:
    record = await waves.get(wave)
    if record.state != State.OPEN:
        raise WrongState(wave, record.state, (State.OPEN,))
    return record
