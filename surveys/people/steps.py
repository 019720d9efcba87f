"""Steps of a wave's life that were begun and are not over: one row each, beside the log of acts.

What the log says of a step and the end of its row are one commit. A row alone is no step: it carries a mark under a key of the
folder of keys, so that whoever writes the store has no step taken. Nor does a row decide whether the log has its act: the log does,
from the entry on that was its newest when the step began.
"""

import hmac
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

from surveys.engines import StoreEngine
from surveys.people import log
from surveys.people.tables import StepBegun

SINCE = "since"
"""Among the details, so under the mark: the number of the newest entry of the log when the step began."""
_key = secrets.token_bytes(32)


@dataclass(frozen=True, slots=True)
class Step:
    """A step that was begun: of which wave, which one, by whom and on which day, and what was asked for."""

    wave: str
    name: str
    day: date
    actor: str
    details: Mapping[str, str]

    @property
    def key(self) -> str:
        return f"{self.wave}/{self.name}"


def bind(key: bytes) -> None:
    """Mark rows with this key from now on, the same in every process of the installation; until then with one of this process."""
    global _key
    _key = key


def _mark(step: Step) -> str:
    text = json.dumps([step.wave, step.name, str(step.day), step.actor, dict(step.details)], sort_keys=True)
    return hmac.digest(_key, text.encode(), "sha256").hex()


async def begin(engine: StoreEngine, step: Step) -> Step:
    """Write down what is about to be done; the one that stands there already if it was cut off."""
    async with engine.transaction():
        if there := await find(step.wave, step.name):
            return there
        await StepBegun.delete().where(StepBegun.id == step.key)  # a row that is not ours
        newest = await log.head()
        step = replace(step, details={**step.details, SINCE: str(newest.number if newest else 0)})
        details = json.dumps(dict(step.details), ensure_ascii=False, sort_keys=True)
        await StepBegun.insert(
            StepBegun(
                id=step.key,
                wave=step.wave,
                step=step.name,
                day=step.day,
                actor=step.actor,
                details=details,
                mark=_mark(step),
            )
        )
    return step


async def say(engine: StoreEngine, step: Step, act: str, **details: str) -> None:
    """Write the act that tells a step into the log: once, however often its parts run."""
    async with engine.transaction():
        if await _is_told(step, act):
            return
        await log.record(engine, step.day, step.actor, act, **details)
        await StepBegun.update({StepBegun.said: True}).where(StepBegun.id == step.key)


async def _is_told(step: Step, act: str) -> bool:
    """Whether the log has the act of a step; of one that the version before began, which did not write down since when, its row says so."""
    if SINCE not in step.details:
        row = await StepBegun.select(StepBegun.said).where(StepBegun.id == step.key).first()
        return row is None or bool(row["said"])
    entries = await log.read(since=int(step.details[SINCE]) + 1)
    told = [(one.day, one.actor, one.act, one.details.get("wave")) for one in entries]
    return (step.day, step.actor, act, step.wave) in told


async def was_over(step: Step, act: str) -> bool:
    """Whether a row was put back: the log has the act whose commit took it away. Of one of the version before nobody can tell."""
    return SINCE in step.details and await _is_told(step, act)


async def over(engine: StoreEngine, step: Step, act: str = "", **details: str) -> None:
    """A step is done: its last act, if it has one, and the end of its row are one commit."""
    async with engine.transaction():
        if act:
            await say(engine, step, act, **details)
        await StepBegun.delete().where(StepBegun.id == step.key)


async def find(wave: str, name: str) -> Step | None:
    """A step of a wave that was begun and is not over."""
    return next((step for step in await begun(wave) if step.name == name), None)


async def begun(wave: str = "") -> list[Step]:
    """Every step, or those of one wave, that were begun and are not over; a row that we did not write is none."""
    query = StepBegun.select().order_by(StepBegun.id)
    rows = await (query.where(StepBegun.wave == wave) if wave else query)
    steps = []
    for row in rows:
        try:
            step = Step(row["wave"], row["step"], row["day"], row["actor"], dict(json.loads(row["details"])))
        except (ValueError, TypeError):
            continue
        if hmac.compare_digest(str(row["mark"]).encode(), _mark(step).encode()):
            steps.append(step)
    return steps


async def waves_named() -> list[str]:
    """The wave of each row, be it ours or not: for whoever looks what lies about and has no key."""
    return [str(row["wave"]) for row in await StepBegun.select(StepBegun.wave).order_by(StepBegun.id)]
