"""Between opening and release: counting in tens, a later end, the end, the closing with its bulletin, a cancelling."""

from datetime import date

from surveys.answers import wave as urn_of
from surveys.lifecycle import witness
from surveys.lifecycle.context import Site
from surveys.lifecycle.destroying import destroy, forget_links
from surveys.lifecycle.issuing import destroy_token_key
from surveys.lifecycle.planning import LONGEST, PlanRefused
from surveys.lifecycle.two_keys import given
from surveys.people import links, log, two_keys
from surveys.public import promises, releases, waves
from surveys.public.waves import State, WaveRecord

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
    """Move the end of an open wave to a later day; staff see both days.

    Raises
    ------
    PlanRefused
        If the day is not later, too late, or not before the day of the management's promise.
    """
    record = await waves.get(wave)
    if record.ends is None or record.starts is None or not record.ends < ends <= record.starts + LONGEST:
        raise PlanRefused("extension", longest=LONGEST.days)
    promise = await promises.of(wave)
    if promise is not None and promise.due <= ends:
        raise PlanRefused("promised", due=promise.due.isoformat())
    change = {"before": record.ends.isoformat(), "after": ends.isoformat(), "day": site.day.isoformat()}
    extended = await waves.change(
        site.engines["public"], wave, State.OPEN, ends=ends, extensions=(*record.extensions, change)
    )
    await log.record(site.engines["people"], site.day, site.actor, "wave extended", wave=wave, ends=ends.isoformat())
    return extended


async def end(site: Site, wave: str) -> WaveRecord:
    """End an open wave: the page says it is over. Sheets already on their way still arrive until it is closed."""
    ended = await waves.change(site.engines["public"], wave, State.OPEN, state=State.ENDED)
    await log.record(site.engines["people"], site.day, site.actor, "wave ended", wave=wave)
    return ended


async def end_due(site: Site) -> None:
    """End every open wave whose last day is over."""
    for wave in await waves.in_state(State.OPEN):
        if wave.ends and site.day > wave.ends:
            await end(site, wave.id)


async def close(site: Site, wave: str, *, unused_slips: int) -> WaveRecord:
    """Close an ended wave: no more sheets; the bulletin is published; under ten sheets the wave is *too few*.

    Parameters
    ----------
    unused_slips : int
        Slips counted and shredded, ``0 <= unused_slips <= slips printed``.

    Raises
    ------
    WrongState
    PlanRefused
        If the number cannot be, there are more sheets than codes, or a closing that was cut off kept something else.
    """
    record = await waves.get(wave)
    if record.state != State.ENDED:
        raise waves.WrongState(wave, record.state, (State.ENDED,))
    if not 0 <= unused_slips <= record.slips:
        raise PlanRefused("unused", printed=record.slips)
    answers = site.engines["answers"]
    destroy_token_key(site, wave)
    await urn_of.withdraw_slips(answers, wave)
    await urn_of.wipe(answers)
    sheets, issued = await urn_of.received(wave), await links.issued(wave)
    drawn = record.slips - unused_slips
    if sheets > issued + drawn:
        raise PlanRefused("drawn", received=sheets, drawn=drawn, issued=issued)
    acts = await two_keys.of_wave(wave)
    counts = {
        "invited": record.invited,
        "issued": issued,
        "drawn": drawn,
        "received": sheets,
        "second_codes": max(given(acts), await links.issued_before(wave)),  # published, whoever wrote either
        "spare_slips": two_keys.spare_allowed(acts),
    }
    published = counts, await urn_of.spent_digests(wave)
    if not await witness.keep(site, wave, witness.AT_CLOSING, published):
        raise PlanRefused("closing_begun")
    await releases.keep_bulletin(wave, *published)
    state = State.CLOSED if sheets >= TOO_FEW else State.TOO_FEW
    closed = await waves.change(
        site.engines["public"], wave, State.ENDED, state=state, closed=site.day, drawn=drawn, received_tens=None
    )
    await log.record(site.engines["people"], site.day, site.actor, f"wave {state}", wave=wave, received=str(sheets))
    await forget_links(site, wave)
    if state == State.TOO_FEW:
        await destroy(site, wave)
    return closed


async def cancel(site: Site, wave: str) -> WaveRecord:
    """Cancel a wave at any time before it is closed; what was sent is destroyed unread."""
    cancelled = await waves.change(
        site.engines["public"],
        wave,
        State.DRAFT,
        State.PLANNED,
        State.READY,
        State.OPEN,
        State.ENDED,
        state=State.CANCELLED,
    )
    await log.record(site.engines["people"], site.day, site.actor, "wave cancelled", wave=wave)
    await destroy(site, wave)
    return cancelled
