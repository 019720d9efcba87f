"""From planned to ready: holders' statements, the plan that two seats sign, the holders' confirmations; and the check of all.

The plan lies in a file of the folder of keys and in the wave's row. Whenever it is used, both must be the same text, two seats
of its ring must have signed it, and the row must say what the plan says: so what is changed in the row and put back finds no
moment in which it counts.
"""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

from surveys import signed
from surveys.answers import plans
from surveys.answers.holders import HolderRefused, read_confirm, read_statement
from surveys.answers.keys import SEATS
from surveys.answers.plans import PlanOther, SignedPlan
from surveys.blind import PublicKey
from surveys.lifecycle import frozen, pins
from surveys.lifecycle.context import Site, keep_file, plan_path
from surveys.lifecycle.issuing import FINGERPRINT_LETTERS, make_token_key
from surveys.lifecycle.planning import GUARANTEE, PlanRefused, anchored, seats_of
from surveys.people import log, panel
from surveys.public import waves
from surveys.public.waves import State, WaveRecord


async def take_statement(site: Site, wave: str, text: str, seat: str = "") -> None:
    """Keep what a holder says of herself: her own device made and signed it, and her words stayed there.

    Parameters
    ----------
    seat : str
        The only seat this statement may be of, where an account brings it.

    Raises
    ------
    WrongState
        If the wave is no longer planned.
    PlanRefused
        If the statement is of another house or wave, her seat is taken, or another seat has the same keys.
    """
    record = await waves.get(wave)
    anchor, _ = await anchored(site.data)
    try:
        mine = read_statement(text, anchor.hash, wave)
        others = [read_statement(there, anchor.hash, wave) for there in record.statements().values()]
    except HolderRefused:
        raise PlanRefused("statement") from None
    if mine.seat in record.statements() or seat not in ("", mine.seat):
        raise PlanRefused("seat", seat=mine.seat)
    if any(mine.point == other.point or mine.signer == other.signer for other in others):
        raise PlanRefused("statement")
    stated = {mine.seat: {"statement": text, "holder": site.actor, "day": site.day.isoformat()}}

    def with_mine(now: WaveRecord) -> dict[str, Any]:
        if mine.seat in now.statements():  # she herself, from another window, in this moment
            raise PlanRefused("seat", seat=mine.seat)
        return {**now.holders, **stated}

    await waves.change(site.engines["public"], wave, State.PLANNED, holders=with_mine)
    await log.record(site.engines["people"], site.day, site.actor, "secret made", wave=wave, seat=mine.seat)


def _frozen(record: WaveRecord) -> dict[str, Any]:
    of = record.panel
    return {
        "questionnaire": dict(record.questionnaire),
        "groups": dict(record.plan),
        "rules": dict(record.rules["k"]),
        "panel": {"unit": of["unit"], "people": of["people"], "channels": list(of.get("channels", ()))},
    }


async def draft_plan(site: Site, wave: str) -> str:
    """Write the text of a wave's plan, to be signed away from the server; the token key is made now.

    Raises
    ------
    PlanRefused
        If there is no house or ring, or a seat has not made its words.
    WrongState
    """
    record = await waves.get(wave)
    if record.state not in (State.PLANNED, State.READY):
        raise waves.WrongState(wave, record.state, (State.PLANNED,))
    anchor, chain = await anchored(site.data)
    stated = record.statements()
    if not set(seats_of(record)) <= set(record.holders) or not set(SEATS) <= set(stated):
        raise PlanRefused("no_words")
    chosen = await panel.members(record.panel["unit"])
    record = await waves.change(
        site.engines["public"],
        wave,
        State.PLANNED,
        State.READY,
        panel={**record.panel, "people": len(chosen)},
        token_key=record.token_key or make_token_key(site, wave),
    )
    token = sha256(record.token_key).hexdigest()
    team = record.holders[GUARANTEE]["key"] if GUARANTEE in record.holders else ""
    try:
        return plans.draft(
            anchor.hash,
            wave,
            chain.newest.number,
            [stated[seat] for seat in SEATS],
            _frozen(record),
            token=token,
            guarantee=team,
        )
    except PlanOther:
        raise PlanRefused("statement") from None


def _kept(text: str, signatures: list[dict[str, str]]) -> str:
    return signed.canonical({"plan": text, "signatures": signatures})


async def publish_plan(site: Site, text: str, signatures: list[dict[str, str]]) -> SignedPlan:
    """Keep a signed plan in its file and in the wave's row; each holder must then confirm it.

    Raises
    ------
    PlanRefused
        If there is no ring.
    PlanOther
        If it is not what this wave is, or two signatures of the newest ring are missing.
    WrongState
    """
    anchor, chain = await anchored(site.data)
    plan = plans.verify(text, signatures, anchor.hash, chain.newest)
    record = await waves.get(plan.wave)
    _compare(plan, record)
    kept = _kept(text, [{"key": one["key"], "sig": one["sig"]} for one in signatures])
    await waves.change(
        site.engines["public"],
        plan.wave,
        State.PLANNED,
        State.READY,
        state=State.PLANNED,
        signed_plan=kept,
        confirmations={},
    )
    keep_file(plan_path(site.data, plan.wave), kept.encode())
    await log.record(
        site.engines["people"], site.day, site.actor, "plan signed", wave=plan.wave, words=" ".join(plan.words[:6])
    )
    return plan


async def take_confirmation(site: Site, wave: str, seat: str, text: str) -> WaveRecord:
    """Keep what a holder signed on her own device: that she stands in this plan. With the third the wave is ready.

    Raises
    ------
    PlanOther
        If the plan is not the wave's.
    PlanRefused
        If the confirmation is not hers, or of another plan.
    WrongState
    """
    record = await waves.get(wave)
    if record.state != State.PLANNED:
        raise waves.WrongState(wave, record.state, (State.PLANNED,))
    plan = await checked_plan(site.data, record)
    try:
        read_confirm(text, plan.hash, plan.holder(seat))
    except HolderRefused:
        raise PlanRefused("confirm") from None

    def with_mine(now: WaveRecord) -> dict[str, str]:
        return {**now.confirmations, seat: text}

    def then(now: WaveRecord) -> State:
        return State.PLANNED if unconfirmed(plan, with_mine(now)) else State.READY

    changed = await waves.change(site.engines["public"], wave, State.PLANNED, confirmations=with_mine, state=then)
    await log.record(site.engines["people"], site.day, site.actor, "plan confirmed", wave=wave, seat=seat)
    return changed


def unconfirmed(plan: SignedPlan, confirmations: Any) -> tuple[str, ...]:
    """The seats whose holder has not signed that she stands in this plan; a forged word counts as none."""
    left = []
    for holder in plan.holders:
        try:
            read_confirm(str(confirmations.get(holder.seat, "")), plan.hash, holder)
        except HolderRefused:
            left.append(holder.seat)
    return tuple(left)


def is_second(data: Path, wave: str) -> bool:
    """Whether a wave has a plan of version 2: its file decides, which no writer of a database reaches."""
    return plan_path(data, wave).exists()


async def mark_of(data: Path, record: WaveRecord) -> str:
    """What links and slips carry for the phone to compare: half of π in hex; of a wave of version 1 a part of its token key's digest.

    Raises
    ------
    PlanOther
    """
    if is_second(data, record.id):
        return (await checked_plan(data, record)).printed
    return PublicKey.from_der(record.token_key).fingerprint()[:FINGERPRINT_LETTERS]


async def checked_plan(data: Path, record: WaveRecord) -> SignedPlan:
    """The plan of a wave, its file, its row and its signatures all in agreement.

    Raises
    ------
    PlanOther
    """
    try:
        kept = plan_path(data, record.id).read_text("utf-8")
    except (OSError, ValueError):
        raise PlanOther("there is no file of the plan") from None
    if kept != record.signed_plan:
        raise PlanOther("the plan of the row is not that of the file")
    try:
        anchor, chain = await anchored(data)
        content = json.loads(kept)
        ring = chain.numbered(plans.read(content["plan"], anchor.hash).ring)
    except (PlanRefused, ValueError, KeyError, TypeError):
        raise PlanOther("the plan cannot be read") from None
    if ring is None:
        raise PlanOther("the plan is of a ring that is not here")
    plan = plans.verify(content["plan"], content["signatures"], anchor.hash, ring)
    try:
        _compare(plan, record)
    except (AttributeError, KeyError, TypeError, ValueError):
        raise PlanOther("the row has another shape than any wave") from None
    return plan


async def checked_row(data: Path, record: WaveRecord) -> None:
    """Hold what a row says of a wave that was opened against what was frozen then: before a page says it.

    Raises
    ------
    PlanOther
    """
    if record.state in (State.DRAFT, State.PLANNED, State.READY, State.CANCELLED):
        return  # nothing was opened, or nothing is left of it
    if record.origin != "ascolto":
        if record.state != State.RELEASED:
            raise PlanOther("a wave that was imported and is not released")
        return
    if is_second(data, record.id):
        await checked_plan(data, record)
    elif record.state in frozen.UNDER_WAY:
        pins.check(data, record)
    if record.state in frozen.UNDER_WAY:
        await frozen.check(data, record)


def _compare(plan: SignedPlan, record: WaveRecord) -> None:
    """Check that the row says what the plan says. Least sizes may be higher, as two keys may raise them."""
    there = _frozen(record)
    team = record.holders.get(GUARANTEE, {}).get("key", "")
    same = {
        "wave": plan.wave == record.id,
        "questionnaire": plan.questionnaire == plans.hash_of(there["questionnaire"]),
        "groups": plan.groups == plans.hash_of(there["groups"]),
        "rules": plan.rules.keys() == there["rules"].keys()
        and all(there["rules"][f] >= k for f, k in plan.rules.items()),
        "panel": dict(plan.panel) == there["panel"],
        "token key": plan.token == sha256(record.token_key).hexdigest(),
        "holders": record.statements() == {holder.seat: holder.text for holder in plan.holders},
        "guarantee": plan.guarantee == team,
    }
    if other := [name for name, fits in same.items() if not fits]:
        raise PlanOther(f"the row has another: {', '.join(other)}")
