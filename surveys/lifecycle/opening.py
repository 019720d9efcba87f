"""Opening a wave: everything is frozen, the urn is filled."""

from analysis.steps import size_band
from analysis.views import Plan
from surveys.answers import wave as urn_of
from surveys.answers.keys import SEATS
from surveys.answers.plans import PlanOther
from surveys.lifecycle import frozen, steps
from surveys.lifecycle.context import Site, destroy_file, frozen_path, make_wave_key
from surveys.lifecycle.planning import PlanRefused, anchored, earlier_panels, seats_of
from surveys.lifecycle.printing import slip_limit
from surveys.lifecycle.ready import checked_plan, unconfirmed
from surveys.lifecycle.steps import Step
from surveys.people import links, panel, roster
from surveys.people.panel import PanelRefused
from surveys.people.steps import begun
from surveys.public import organisation, waves
from surveys.public.waves import State, WaveRecord


class NotReady(Exception):
    """The wave cannot open yet; `missing` names what is missing, one key each."""

    def __init__(self, missing: tuple[str, ...]) -> None:
        super().__init__(", ".join(missing))
        self.missing = missing


async def missing(site: Site, record: WaveRecord) -> tuple[str, ...]:
    """Name everything that keeps a planned wave from opening."""
    about = await organisation.load()
    gaps = list(about.missing()) if about else ["organisation"]
    if about and "help_checked_on" not in gaps and not organisation.checked_recently(about, site.day):
        gaps.append("help_checked_on")
    gaps += await _unsigned(site, record)
    if record.starts and site.day < record.starts:
        gaps.append("starts")
    if record.ends and site.day > record.ends:
        gaps.append("ends")
    others = [wave for wave in await waves.in_state(State.OPEN, State.ENDED) if wave.id != record.id]
    if others:
        gaps.append("another_wave")
    return tuple(gaps)


async def _unsigned(site: Site, record: WaveRecord) -> list[str]:
    """What of the keys is missing: words, then the plan's two signatures, then the holders' confirmations."""
    try:
        await anchored(site.data)
    except PlanRefused as problem:
        return [problem.reason]
    made = record.statements()
    if gaps := [
        f"holder.{seat}" for seat in seats_of(record) if seat not in (made if seat in SEATS else record.holders)
    ]:
        return gaps
    if not record.signed_plan:
        return ["plan"]
    try:
        plan = await checked_plan(site.data, record)
        newest = (await anchored(site.data))[1].newest.number
    except PlanOther:
        return ["plan_other"]
    if plan.ring != newest:
        return ["plan_ring"]
    return [f"confirm.{seat}" for seat in unconfirmed(plan, record.confirmations)]


async def open_wave(site: Site, wave: str) -> WaveRecord:
    """Open a wave whose plan two seats signed and three holders confirmed.

    Raises
    ------
    NotReady
        Naming all that is missing. Nothing changed.
    PlanOther
        If the plan was exchanged meanwhile.
    PanelRefused, WrongState, StepUnderWay
    """
    await steps.take(site, wave, "open", lambda: ready_to_open(site, wave))
    return await waves.get(wave)


async def progress(wave: str) -> tuple[int, int] | None:
    """How many slots of how many an opening has made that was begun and is not over; None where none was."""
    if "open" not in [step.name for step in await begun(wave)]:
        return None
    record = await waves.get(wave)
    return await urn_of.slots_there(wave), slots(int(record.panel.get("people", 0)))


@steps.part("open", NotReady, PlanOther, PanelRefused, last="wave opened")
async def _open(site: Site, step: Step) -> None:
    wave = step.wave
    record = await waves.get(wave)
    if record.state != State.OPEN:
        try:
            record = await _fill_and_open(site, *await ready_to_open(site, wave))
        except Exception:
            await _take_back(site, wave)
            raise
    await steps.over(site, step, "wave opened", wave=wave, invited=str(record.invited))


async def ready_to_open(site: Site, wave: str) -> tuple[WaveRecord, list[panel.Member]]:
    """The wave and its people, if nothing is missing.

    Raises
    ------
    NotReady, PlanOther, PanelRefused, WrongState
    """
    record = await waves.get(wave)
    if record.state not in (State.PLANNED, State.READY):
        raise waves.WrongState(wave, record.state, (State.READY,))
    gaps = await missing(site, record)
    if gaps:
        raise NotReady(gaps)
    chosen = await panel.members(record.panel["unit"])
    plan = await checked_plan(site.data, record)
    if len(chosen) != plan.panel["people"]:
        raise NotReady(("panel",))
    await panel.check(record.panel["unit"], chosen, await earlier_panels(), site.day, record.rules["k"]["items"])
    return record, chosen


async def _fill_and_open(site: Site, record: WaveRecord, chosen: list[panel.Member]) -> WaveRecord:
    """Key, urn, panel and headcounts, each from the beginning; then the state, which makes all of it true."""
    wave, units, about = record.id, await roster.units(), await organisation.load()
    counts = {view.id: panel.count_view(view.filter, chosen, units) for view in Plan.from_json(record.plan).views}
    known = make_wave_key(site, wave)
    await urn_of.destroy(site.engines["answers"], wave)  # of an opening that was cut off half-way
    await urn_of.fill_urn(site.engines["answers"], wave, slots(len(chosen)))
    await panel.forget(site.engines["people"], wave)
    await panel.invite(site.engines["people"], wave, chosen, tuple(record.panel.get("channels", ())))
    by_channel = await links.counts(wave)
    await panel.freeze_headcounts(site.engines["people"], wave, counts)
    frozen.keep(site.data, record, counts, about.address if about else "")
    return await waves.change(
        site.engines["public"],
        wave,
        State.READY,
        state=State.OPEN,
        opened=site.day,
        invited=len(chosen),
        seal_key=known,
        panel={**record.panel, "by_channel": by_channel},
        headcount_bands={view: size_band(people) for view, people in counts.items()},
        messages={"referente": about.referente, "canale": about.canale} if about else {},
    )


async def _take_back(site: Site, wave: str) -> None:
    """Leave nothing of an opening that did not come about: the wave is as it was."""
    if (await waves.get(wave)).state == State.OPEN:
        return
    destroy_file(site.wave_key_file(wave))
    frozen_path(site.data, wave).unlink(missing_ok=True)
    await urn_of.destroy(site.engines["answers"], wave)
    await panel.forget(site.engines["people"], wave)


def slots(people: int) -> int:
    """How many slots an urn has: the panel, its spare slips, and some air."""
    return slip_limit(people) + 10
