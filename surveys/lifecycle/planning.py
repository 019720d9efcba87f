"""Planning a wave: questionnaire, panel, groups, rules, dates; and the holders' keys."""

import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from analysis.demographics import Category
from analysis.views import Plan, default_plan
from surveys.answers.keys import SEATS, HolderSecret, holder_key, new_secret
from surveys.lifecycle.context import Site, keep_file, keep_wraps, over_path, wave_key_digest, wraps_from
from surveys.lifecycle.steps import PlanRefused as PlanRefused
from surveys.people import links, log, panel, roster
from surveys.public import house as house_file
from surveys.public import ring_store, waves
from surveys.public.house import HouseFile, HouseRefused
from surveys.public.rings import Chain
from surveys.public.statements import RingRefused
from surveys.public.waves import State, WaveRecord
from surveys.questionnaire import Questionnaire, UnitNode, shipped

WAVE_ID = re.compile(r"[a-z0-9][a-z0-9-]{1,38}")
MINIMUM_K = {"items": 5, "comments": 10, "experience": 20}
GUARANTEE = "guarantee"
"""The seat of those who read comments; its words open no answers."""
SERVICE_DEPTH = 2
"""The plan goes down to services: territory is depth 1, service 2, team 3."""
LONGEST = timedelta(days=60)
LATEST_YEAR = 2200
"""No wave is planned for later: days are counted on from its end."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What HR asks for when planning a wave."""

    id: str
    title: Mapping[str, str]
    starts: date
    ends: date
    form: str = "full"
    unit: str = ""
    """A top-level unit, or "" for the whole organisation."""
    demographics: tuple[str, ...] = ("unit", "gender", "age")
    k: Mapping[str, int] | None = None
    channels: tuple[str, ...] = ()
    """How links go out: of ``email``, ``sms``, ``letter``; whom none reaches draws a slip."""
    comments: bool = False
    """Whether the open questions are asked: a guarantee team must then make its words."""


def _checked(wish: Wish) -> None:
    if not WAVE_ID.fullmatch(wish.id):
        raise PlanRefused("id", id=wish.id)
    if wish.form not in ("full", "pulse"):
        raise PlanRefused("form", form=wish.form)
    if not any(text.strip() for text in wish.title.values()):
        raise PlanRefused("title")
    if not timedelta(0) <= wish.ends - wish.starts <= LONGEST or wish.ends.year > LATEST_YEAR:
        raise PlanRefused("dates", longest=LONGEST.days)
    if not set(wish.channels) <= set(links.CHANNELS):
        raise PlanRefused("form", form=", ".join(wish.channels))
    for family, k in (wish.k or {}).items():
        if k < MINIMUM_K.get(family, 0):
            raise PlanRefused("k", family=family, minimum=MINIMUM_K[family])


def _depth(entries: Sequence[roster.UnitEntry]) -> dict[str, int]:
    depth: dict[str, int] = {}
    for entry in entries:
        depth[entry.code] = depth.get(entry.parent, 0) + 1
    return depth


def _to_service(entries: Sequence[roster.UnitEntry]) -> list[roster.UnitEntry]:
    depth = _depth(entries)
    return [entry for entry in entries if depth[entry.code] <= SERVICE_DEPTH]


def groups_of(questionnaire: Questionnaire, units: Sequence[roster.UnitEntry]) -> Plan:
    """The default plan: units down to service, gender, age band, and what of them crosses (PRIVACY 2.4)."""
    items = {item.id: item for section in questionnaire.sections for item in section.items}

    def categories(name: str) -> list[Category]:
        if name not in items:
            return []
        return [
            Category(choice.code, choice.label, None)
            for choice in items[name].choices
            if choice.code not in ("prefer_not", "dont_know")
        ]

    tree = [Category(unit.code, unit.name, unit.parent or None) for unit in units] if "unit" in items else []
    return default_plan(tree, categories("gender"), categories("age"))


async def anchored(data: Path) -> tuple[HouseFile, Chain]:
    """The house file and the chain of rings, without which no plan can be signed.

    Raises
    ------
    PlanRefused
        If there is none yet, or what is stored was changed.
    """
    try:
        house = house_file.load(data)
        chain = await ring_store.load(house)
    except (HouseRefused, RingRefused):
        raise PlanRefused("ring_broken") from None
    if house is None or chain is None:
        raise PlanRefused("no_ring")
    return house, chain


async def plan(site: Site, wish: Wish) -> WaveRecord:
    """Write a wave down as planned; nothing is frozen until its plan is signed.

    Raises
    ------
    PlanRefused, PanelRefused
        Nothing was written.
    """
    _checked(wish)
    await anchored(site.data)
    if any(wave.id == wish.id for wave in await waves.everything()):
        raise PlanRefused("taken", id=wish.id)
    units = _to_service(await roster.units())
    if not units:
        raise PlanRefused("people")
    chosen = await panel.members(wish.unit)
    rules = dict(MINIMUM_K) | dict(wish.k or {})
    await panel.check(wish.unit, chosen, await earlier_panels(), site.day, rules["items"])
    inside = roster.below(units, wish.unit)
    units = [unit for unit in units if unit.code in inside]
    nodes = [UnitNode(unit.code, unit.name, unit.parent if unit.parent in inside else "") for unit in units]
    questionnaire = shipped(wish.form, nodes, wish.demographics, comments=wish.comments)
    record = WaveRecord(
        id=wish.id,
        title=wish.title,
        state=State.PLANNED,
        starts=wish.starts,
        ends=wish.ends,
        panel={"unit": wish.unit, "people": len(chosen), "channels": list(wish.channels)},
        questionnaire=questionnaire.to_json(),
        plan=groups_of(questionnaire, units).to_json(),
        rules={"k": rules},
    )
    await waves.add(site.engines["public"], record)
    await log.record(site.engines["people"], site.day, site.actor, "wave planned", wave=wish.id)
    return record


async def earlier_panels() -> list[panel.EarlierPanel]:
    return [
        panel.EarlierPanel(wave.id, wave.opened)
        for wave in await waves.everything()
        if wave.opened and wave.origin == "ascolto" and wave.state != State.CANCELLED
    ]


def seats_of(record: WaveRecord) -> tuple[str, ...]:
    """Who must make words for a wave: the holders, and the guarantee team where open questions are asked."""
    asks = any(section["kind"] == "comments" for section in record.questionnaire.get("sections", ()))
    return (*SEATS, GUARANTEE) if asks else SEATS


def draw_secret() -> HolderSecret:
    """Make a holder's secret, to be shown once and written down."""
    return new_secret(secrets.randbelow)


async def take_seat(site: Site, wave: str, secret: HolderSecret) -> None:
    """Keep the public half of the guarantee team's key; the secret itself is forgotten when this returns.

    The holders of the urn make theirs on their own devices (`surveys.lifecycle.ready.take_statement`).

    Raises
    ------
    WrongState
        If the wave is no longer planned: keys are fixed at opening.
    PlanRefused
        If the seat does not exist or is taken.
    """
    record, seat = await waves.get(wave), GUARANTEE
    if seat not in seats_of(record) or seat in record.holders:
        raise PlanRefused("seat", seat=seat)
    key = bytes(holder_key(secret, wave, seat).public_key).hex()
    holders = {**record.holders, seat: {"key": key, "holder": site.actor, "day": site.day.isoformat()}}
    await waves.change(site.engines["public"], wave, State.PLANNED, holders=holders)
    await log.record(site.engines["people"], site.day, site.actor, "secret made", wave=wave, seat=seat)


async def confirm_destroyed(site: Site, wave: str, seat: str) -> None:
    """Write into the log that a holder destroyed her secret after the release (PRIVACY 3.5).

    Raises
    ------
    WrongState
        If the wave is not released.
    PlanRefused
        If the seat has no secret, or this was said already.
    """
    record = await waves.get(wave)
    holder = record.holders.get(seat)
    if holder is None or "destroyed" in holder:
        raise PlanRefused("seat", seat=seat)
    holders = {**record.holders, seat: {**holder, "destroyed": site.day.isoformat()}}
    await waves.change(site.engines["public"], wave, State.RELEASED, holders=holders)
    await log.record(site.engines["people"], site.day, site.actor, "secret destroyed", wave=wave, seat=seat)


async def restore_key(site: Site, wave: str, text: str) -> None:
    """Put the wave key of an unreleased wave (version 1: its wrapped key) back from the text of its recovery sheet.

    Raises
    ------
    PlanRefused
        If the text is not of this wave, the file is still there, or the wave was over once.
    WrongState
        If the wave has no sealed sheets.
    """
    record = await waves.get(wave)
    if record.state not in (State.OPEN, State.ENDED, State.CLOSED):
        raise waves.WrongState(wave, record.state, (State.CLOSED,))
    if over_path(site.data, wave).exists():
        raise PlanRefused("over")
    if site.wraps_file(wave).exists() or site.wave_key_file(wave).exists():
        raise PlanRefused("sheet_there")
    if record.signed_plan:
        _restore_wave_key(site, record, text)
    else:
        _restore_wraps(site, record, text)
    await log.record(site.engines["people"], site.day, site.actor, "keys restored", wave=wave)


def _restore_wave_key(site: Site, record: WaveRecord, text: str) -> None:
    typed = "".join(text.lower().split())
    key = bytes.fromhex(typed) if re.fullmatch("[0-9a-f]{64}", typed) else b""
    if wave_key_digest(key) != record.seal_key:
        raise PlanRefused("sheet")
    keep_file(site.wave_key_file(record.id), key)


def _restore_wraps(site: Site, record: WaveRecord, text: str) -> None:
    try:
        sealed = wraps_from(text)
    except ValueError:
        raise PlanRefused("sheet") from None
    if sealed.public != record.seal_key:
        raise PlanRefused("sheet")
    keep_wraps(site, record.id, sealed)
