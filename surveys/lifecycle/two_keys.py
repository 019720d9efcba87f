"""What an open wave allows only with two keys: a second code, slips to spare, and a higher minimum group size.

Somebody who can cast votes of others weakens k-protection (PRIVACY 1, A'): second codes are few, asked for by the personnel
office and confirmed by the representative, counted and published. Neither learns whether a first code was ever taken.
"""

from collections.abc import Mapping
from datetime import timedelta

from surveys.lifecycle import clock, closing, frozen, printing
from surveys.lifecycle.context import Site
from surveys.lifecycle.planning import MINIMUM_K, PlanRefused
from surveys.lifecycle.printing import slip_limit, slip_people
from surveys.people import links, log, two_keys
from surveys.people.links import Invitation
from surveys.people.two_keys import (
    ASKED,
    CONFIRMED,
    END,
    HANDED,
    RAISE,
    REFUSED,
    SECOND_CODE,
    SPARE,
    VOID,
    Asked,
    given,
    spare_allowed,
)
from surveys.public import waves
from surveys.public.waves import State, WaveRecord, WrongState

FEWEST, SHARE = 3, 0.01
"""How many second codes a wave allows: three, or one in a hundred invited if that is more."""
LAST_DAYS = timedelta(days=2)
HIGHEST_K = 50


def cap(record: WaveRecord) -> int:
    return max(FEWEST, int(record.invited * SHARE))


async def _open(wave: str) -> WaveRecord:
    record = await waves.get(wave)
    if record.state != State.OPEN:
        raise WrongState(wave, record.state, (State.OPEN,))
    return record


def _in_time(site: Site, record: WaveRecord) -> None:
    if record.ends is None or site.day > record.ends - LAST_DAYS:
        raise PlanRefused("second_late")


async def _ask(
    site: Site,
    wave: str,
    act: str,
    line: str,
    figures: Mapping[str, str],
    *,
    person: int = 0,
    family: str = "",
    k: int = 0,
) -> None:
    """Write down what is asked for, and its line in the log; once, also where a form is sent twice in one moment.

    Raises
    ------
    PlanRefused
        If the same waits already.
    """
    people = site.engines["people"]
    async with two_keys.one_at_a_time(people):
        for other in await two_keys.of_wave(wave):
            same = (other.act, other.person, other.family, other.k) == (act, person, family, k)
            if same and other.state == ASKED and (act == END or other.asked_by == site.actor):
                raise PlanRefused("end_asked")
        await two_keys.ask(people, site.day, site.actor, wave, act, person=person, family=family, k=k)
        await log.record(people, site.day, site.actor, line, wave=wave, **figures)


async def ask_second_code(site: Site, wave: str, person: int) -> None:
    """Ask that somebody who lost her link or her code may take a new one.

    Raises
    ------
    PlanRefused
        If she is not invited, already has a second code or waits for one, the cap is reached, or the wave ends within 48 hours.
    WrongState
    """
    record = await _open(wave)
    _in_time(site, record)
    acts = await two_keys.of_wave(wave)
    if await links.channel_of(wave, person) is None:
        raise PlanRefused("second_who")
    if any(act.person == person and act.state in (ASKED, CONFIRMED) for act in acts):
        raise PlanRefused("second_waits")
    if given(acts) >= cap(record):
        raise PlanRefused("second_cap", cap=cap(record))
    await _ask(site, wave, SECOND_CODE, "second asked", {}, person=person)


async def ask_higher_k(site: Site, wave: str, family: str, k: int) -> None:
    """Ask for a higher minimum group size; it can never be lowered.

    Raises
    ------
    PlanRefused
        If it is not higher than now, or above 50.
    WrongState
    """
    record = await _open(wave)
    now = record.rules["k"].get(family)
    if family not in MINIMUM_K or now is None or not now < k <= HIGHEST_K:
        raise PlanRefused("raise", now=now or 0, highest=HIGHEST_K)
    await _ask(site, wave, RAISE, "raise asked", {"family": family, "k": str(k)}, family=family, k=k)


async def ask_spare_slips(site: Site, wave: str, number: int) -> None:
    """Ask for slips beyond the people without a link: for what a printer spoils or a site forgets.

    Raises
    ------
    PlanRefused
        If they would be more than a tenth of the people, or three if that is more.
    WrongState
    """
    record = await _open(wave)
    _spare_fits(record, spare_allowed(await two_keys.of_wave(wave)), number)
    await _ask(site, wave, SPARE, "spare asked", {"slips": str(number)}, k=number)


def is_early(site: Site, record: WaveRecord) -> bool:
    """Whether a wave that ends now ends before its last day is over, or a clock says so that is not believed: two people must agree then."""
    over = record.ends is not None and site.day > record.ends and clock.seen(site.data).is_believed
    return record.state == State.OPEN and not over


async def ask_end(site: Site, wave: str) -> None:
    """Ask that an open wave end before its last day is over.

    Raises
    ------
    PlanRefused
        If this was asked already.
    WrongState
    """
    await _open(wave)
    await _ask(site, wave, END, "end asked", {})


async def ask_void(site: Site, wave: str, batch: int, spoiled: int) -> None:
    """Ask that the slips of a batch be void: the printer spoiled `spoiled` sheets, which the two count and destroy.

    Raises
    ------
    PlanRefused
        If it was handed over, there is no such batch, or this was asked already.
    WrongState
    """
    await _open(wave)
    codes = await printing.again(site, wave, batch)
    if not 1 <= spoiled <= len(codes):
        raise PlanRefused("spoiled", slips=len(codes))
    if any(act.act == VOID and act.k == batch and act.state == ASKED for act in await two_keys.of_wave(wave)):
        raise PlanRefused("batch")
    await _ask(site, wave, VOID, "void asked", {"batch": str(batch)}, k=batch, family=str(spoiled))


def _spare_fits(record: WaveRecord, allowed: int, number: int) -> None:
    people = slip_people(record)
    left = slip_limit(people) - people - allowed
    if not 1 <= number <= left:
        raise PlanRefused("spare", left=left)


async def _allow_spare(site: Site, record: WaveRecord, asked: Asked) -> None:
    people = site.engines["people"]
    async with two_keys.one_at_a_time(people):
        _spare_fits(record, spare_allowed(await two_keys.of_wave(record.id)), asked.k)
        if not await two_keys.settle(people, asked.id, ASKED, HANDED, site.actor):
            raise PlanRefused("second_key")
        await log.record(people, site.day, site.actor, "spare allowed", wave=record.id, slips=str(asked.k))


async def _asked_of_another(site: Site, act: int) -> Asked:
    asked = await two_keys.find(act)
    if asked is None or asked.state != ASKED or asked.asked_by == site.actor:
        raise PlanRefused("second_key")
    return asked


async def refuse(site: Site, act: int) -> None:
    """Refuse what somebody else asked for.

    Raises
    ------
    PlanRefused
        If it is settled, or one's own.
    """
    asked = await _asked_of_another(site, act)
    people = site.engines["people"]
    if await two_keys.settle(people, act, ASKED, REFUSED, site.actor):
        await log.record(people, site.day, site.actor, "act refused", wave=asked.wave, what=asked.act)


async def confirm(site: Site, act: int) -> None:
    """Confirm what somebody else asked for: it happens now.

    Raises
    ------
    PlanRefused
        If it is settled, one's own, too late, or the cap is reached.
    WrongState
        If the wave is no longer open.
    """
    asked = await _asked_of_another(site, act)
    record = await _open(asked.wave)
    if asked.act == RAISE:
        await _raise(site, record, asked)
    elif asked.act == SPARE:
        await _allow_spare(site, record, asked)
    elif asked.act == END:
        await closing.end(site, record.id, asked.id)
    elif asked.act == VOID:
        await printing.make_void(site, record.id, asked.k, int(asked.family or 0), asked.id)
    else:
        _in_time(site, record)
        await _allow_second(site, record, asked)


async def _raise(site: Site, record: WaveRecord, asked: Asked) -> None:
    people = site.engines["people"]
    async with two_keys.one_at_a_time(people):  # two raises at once: the rules are read after the other one wrote them
        rules = (await waves.get(record.id)).rules
        now = rules["k"]
        if asked.k < now[asked.family]:
            raise PlanRefused("raise", now=now[asked.family], highest=HIGHEST_K)
        if not await two_keys.settle(people, asked.id, ASKED, HANDED, site.actor):
            raise PlanRefused("second_key")
        raised = {**now, asked.family: asked.k}
        if raised != now:  # it is so already where one that was confirmed was cut off before its line in the log
            frozen.about_to_raise(site.data, record.id, now, raised)
            await waves.change(site.engines["public"], record.id, State.OPEN, rules={**rules, "k": raised})
        frozen.raised(site.data, record.id)
        await log.record(people, site.day, site.actor, "raised", wave=record.id, family=asked.family, k=str(asked.k))


async def _allow_second(site: Site, record: WaveRecord, asked: Asked) -> None:
    people, wave = site.engines["people"], asked.wave
    channel = await links.channel_of(wave, asked.person)
    later = channel in ("sms", "letter")  # the personnel office prints it or hands it to a gateway
    async with two_keys.one_at_a_time(people):
        if given(await two_keys.of_wave(wave)) >= cap(record):
            raise PlanRefused("second_cap", cap=cap(record))
        if not await two_keys.settle(
            people, asked.id, ASKED, CONFIRMED if later else HANDED, site.actor, keep_person=later
        ):
            raise PlanRefused("second_key")
        await links.allow_again(people, wave, asked.person)
        if channel == "email":
            members = await links.members_of(wave, "email", only_missing=True, only=asked.person)
            await links.put_out(people, wave, "invitation", members, replacing=False)
        await log.record(people, site.day, site.actor, "second allowed", wave=wave)


async def hand_over(site: Site, wave: str, channel: str) -> list[Invitation]:
    """New links of one channel for those alone whose second code was confirmed; they are forgotten by the acts.

    Raises
    ------
    WrongState
        If the wave is not open.
    """
    await _open(wave)
    await frozen.check_invitations(site.data, wave)
    people, drawn = site.engines["people"], []
    for act in await two_keys.of_wave(wave):
        if act.act == SECOND_CODE and act.state == CONFIRMED and await links.channel_of(wave, act.person) == channel:
            members = await links.members_of(wave, channel, only_missing=True, only=act.person)
            drawn += await links.draw(people, members)
            await two_keys.settle(people, act.id, CONFIRMED, HANDED, site.actor)
    return drawn
