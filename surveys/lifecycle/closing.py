"""Between opening and release: counting in tens, a later end, the end, the closing with its bulletin, a cancelling."""

from collections.abc import Mapping
from datetime import date

from surveys.answers import batches
from surveys.answers import wave as urn_of
from surveys.lifecycle import steps, witness
from surveys.lifecycle.context import Site, destroy_seeds
from surveys.lifecycle.destroying import destroy, forget_links
from surveys.lifecycle.issuing import destroy_token_key
from surveys.lifecycle.planning import LONGEST, PlanRefused
from surveys.lifecycle.steps import Step
from surveys.people import links, two_keys
from surveys.public import promises, releases, waves
from surveys.public.waves import State, WaveRecord, WrongState

TOO_FEW = 10
SHOWN_FROM = 20
"""While a wave is open, fewer sheets than this are not counted aloud."""


async def count_received(site: Site) -> None:
    """Once a day, publish how many sheets each open wave has, rounded down to tens."""
    for wave in await waves.in_state(State.OPEN):
        if wave.received_on == site.day:
            continue
        sheets = await urn_of.received(wave.id)
        tens = sheets // 10 * 10 if sheets >= SHOWN_FROM else None
        await waves.change(site.engines["public"], wave.id, State.OPEN, received_tens=tens, received_on=site.day)


async def extend(site: Site, wave: str, ends: date) -> WaveRecord:
    """Move the end of a wave to a later day; staff see both days. One that has ended, be it by a wrong clock, is open again.

    Raises
    ------
    PlanRefused
        If the day is not later, over, too late, or not before the day of the management's promise.
    WrongState, StepUnderWay
    """

    async def check() -> None:
        record = await _in_state(wave, State.OPEN, State.ENDED)
        if record.ends is None or record.starts is None or not record.ends < ends <= record.starts + LONGEST:
            raise PlanRefused("extension", longest=LONGEST.days)
        if record.state == State.ENDED and not await urn_of.takes_sheets(wave):
            raise PlanRefused("extension_late")
        if ends < site.day:
            raise PlanRefused("extension", longest=LONGEST.days)
        promise = await promises.of(wave)
        if promise is not None and promise.due <= ends:
            raise PlanRefused("promised", due=promise.due.isoformat())

    await steps.take(site, wave, "extend", check, ends=ends.isoformat())
    return await waves.get(wave)


@steps.part("extend", last="wave extended")
async def _extend(site: Site, step: Step) -> None:
    day, ends = step.day.isoformat(), step.details["ends"]

    def extended(record: WaveRecord) -> tuple[Mapping[str, str], ...]:
        before = record.ends.isoformat() if record.ends else ""
        return (
            record.extensions if before == ends else (*record.extensions, {"before": before, "after": ends, "day": day})
        )

    new = {"state": State.OPEN, "extensions": extended, "ends": date.fromisoformat(ends)}
    await waves.change(site.engines["public"], step.wave, State.OPEN, State.ENDED, **new)
    await _end_not_asked_any_more(site, step.wave)
    await steps.over(site, step, "wave extended", wave=step.wave, ends=ends)


async def end(site: Site, wave: str, act: int = 0) -> WaveRecord:
    """End an open wave: the page says it is over. Sheets already on their way still arrive until it is closed.

    Parameters
    ----------
    site : where
    wave : its id
    act : by which two people agreed, where it ends before its last day is over

    Raises
    ------
    WrongState, StepUnderWay
    """
    await steps.take(site, wave, "end", lambda: _in_state(wave, State.OPEN), act=str(act))
    return await waves.get(wave)


@steps.part("end", last="wave ended")
async def _end(site: Site, step: Step) -> None:
    if (await waves.get(step.wave)).state != State.ENDED:
        await waves.change(site.engines["public"], step.wave, State.OPEN, state=State.ENDED)
    await two_keys.settle(site.engines["people"], int(step.details["act"]), two_keys.ASKED, two_keys.HANDED, site.actor)
    await steps.over(site, step, "wave ended", wave=step.wave)


async def _end_not_asked_any_more(site: Site, wave: str) -> None:
    """Who asked for the end asked of another last day."""
    for act in await two_keys.of_wave(wave):
        if act.act == two_keys.END:
            await two_keys.settle(site.engines["people"], act.id, two_keys.ASKED, two_keys.REFUSED, site.actor)


async def end_due(site: Site) -> None:
    """End every open wave whose last day is over; one that cannot be keeps no other from it, and is raised at the end."""
    problem: Exception | None = None
    for wave in await waves.in_state(State.OPEN):
        if wave.ends and site.day > wave.ends:
            try:
                await end(site, wave.id)
            except Exception as this:
                problem = this
    if problem is not None:
        raise problem


async def close(site: Site, wave: str, *, unused_slips: int) -> WaveRecord:
    """Close an ended wave: no more sheets; the bulletin is published; under ten sheets the wave is *too few*.

    Parameters
    ----------
    unused_slips : int
        Slips counted and shredded, ``0 <= unused_slips <= slips printed``.

    Raises
    ------
    WrongState, StepUnderWay
    PlanRefused
        If the number cannot be, there are more sheets than codes, or a closing that was cut off kept something else.
    """

    async def check() -> None:
        record = await _in_state(wave, State.ENDED)
        if not 0 <= unused_slips <= record.slips:
            raise PlanRefused("unused", printed=record.slips)
        await _count(record, unused_slips)

    await steps.take(site, wave, "close", check, unused=str(unused_slips))
    return await waves.get(wave)


@steps.part("close")
async def _close(site: Site, step: Step) -> None:
    wave = step.wave
    record = await waves.get(wave)
    if record.state not in (State.CLOSED, State.TOO_FEW):
        record = await _keep_bulletin(site, record, int(step.details["unused"]))
    published = await releases.bulletin(wave)
    received = str(published[0]["received"]) if published else ""
    await steps.say(site, step, f"wave {record.state}", wave=wave, received=received)
    await forget_links(site, wave)
    if record.state == State.TOO_FEW:
        await destroy(site, wave)
    await steps.over(site, step)


async def _count(record: WaveRecord, unused_slips: int) -> tuple[int, int, int]:
    """Sheets received, tokens issued and slips drawn.

    Raises
    ------
    PlanRefused
        If there are more sheets than codes.
    """
    sheets, issued, drawn = await urn_of.received(record.id), await links.issued(record.id), record.slips - unused_slips
    if sheets > issued + drawn:
        raise PlanRefused("drawn", received=sheets, drawn=drawn, issued=issued)
    return sheets, issued, drawn


async def _keep_bulletin(site: Site, record: WaveRecord, unused_slips: int) -> WaveRecord:
    """Take no more sheets, count, publish what was counted; the wave is closed or has too few.

    Raises
    ------
    WrongState
        If it has not ended, as where the row of a closing that was refused once is put back; it lies as it was then.
    PlanRefused
    """
    wave, answers = record.id, site.engines["answers"]
    await _in_state(wave, State.ENDED)
    destroy_token_key(site, wave)
    destroy_seeds(site.data, wave)
    await urn_of.withdraw_slips(answers, wave)
    await urn_of.wipe(answers)
    sheets, issued, drawn = await _count(record, unused_slips)  # again: until now some came
    acts = await two_keys.of_wave(wave)
    counts = {
        "invited": record.invited,
        "issued": issued,
        "drawn": drawn,
        "received": sheets,
        "second_codes": max(two_keys.given(acts), await links.issued_before(wave)),  # published, whoever wrote either
        "spare_slips": two_keys.spare_allowed(acts),
    }
    if voided := sum(batch.voided for batch in await batches.of_wave(wave)):
        counts["void_slips"] = voided
    published = counts, await urn_of.spent_digests(wave)
    if not await witness.keep(site, wave, witness.AT_CLOSING, published):
        raise PlanRefused("closing_begun")
    await releases.keep_bulletin(wave, *published)
    state = State.CLOSED if sheets >= TOO_FEW else State.TOO_FEW
    return await waves.change(
        site.engines["public"], wave, State.ENDED, state=state, closed=site.day, drawn=drawn, received_tens=None
    )


_STILL = (State.DRAFT, State.PLANNED, State.READY, State.OPEN, State.ENDED)


async def cancel(site: Site, wave: str) -> WaveRecord:
    """Cancel a wave at any time before it is closed; what was sent is destroyed unread.

    Raises
    ------
    WrongState, StepUnderWay
    """
    await steps.take(site, wave, "cancel", lambda: _in_state(wave, *_STILL))
    return await waves.get(wave)


@steps.part("cancel")
async def _cancel(site: Site, step: Step) -> None:
    await urn_of.withdraw_slips(site.engines["answers"], step.wave)  # first: nobody is thanked for what is destroyed
    if (await waves.get(step.wave)).state != State.CANCELLED:
        await waves.change(site.engines["public"], step.wave, *_STILL, state=State.CANCELLED)
    await steps.say(site, step, "wave cancelled", wave=step.wave)
    await destroy(site, step.wave)
    await steps.over(site, step)


async def _in_state(wave: str, *wanted: State) -> WaveRecord:
    record = await waves.get(wave)
    if record.state not in wanted:
        raise WrongState(wave, record.state, wanted)
    return record
