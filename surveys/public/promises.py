"""The management's promise of a wave: by when it answers, and what it answered. Staff read both; a missed one says so by its date."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import msgspec

from surveys.engines import StoreEngine
from surveys.odd import reading
from surveys.public import waves
from surveys.public.tables import Promise
from surveys.public.waves import State, WaveRecord
from surveys.shown import mark_of

LEAST_ANSWER, LONGEST_ANSWER = 20, 3000
"""Letters of an answer; fewer are none."""
BROKEN_OFF = (State.TOO_FEW, State.CANCELLED)
"""Waves that came to nothing: what was promised of them stands."""
OVER = (State.RELEASED, *BROKEN_OFF)
"""Waves of which the management can answer."""


UNANSWERED = mark_of([{}, ""])
"""What a form shows before there is an answer, with a promise or without (`PromiseRecord.mark`)."""


class PromiseRefused(ValueError):
    """It cannot be written as asked; the first argument is the reason's key."""


@dataclass(frozen=True, slots=True)
class PromiseRecord:
    """By when the management answers, who signed that and when; the answer by language, who gave it and when."""

    wave: str
    due: date
    signed_by: str
    signed_on: date
    answer: Mapping[str, str]
    answered_by: str
    answered_on: date | None
    changed_on: date | None
    """When the answer was last said anew; None where it stands as it was given."""

    @property
    def mark(self) -> str:
        """What the form of an answer shows of it (`shown.mark_of`)."""
        return mark_of([dict(self.answer), self.answered_by])

    def missed(self, on: date) -> bool:
        """Whether it was not kept by its day: not answered and past it, or answered later."""
        return self.due < (self.answered_on or on)


async def of(wave: str) -> PromiseRecord | None:
    row = await Promise.select().where(Promise.wave == wave).first()
    return _record(row) if row else None


async def everything() -> list[PromiseRecord]:
    """All promises, by the day they are due."""
    return [_record(row) for row in await Promise.select().order_by(Promise.due)]


def _record(row: Mapping[str, Any]) -> PromiseRecord:
    """A promise of a row.

    Raises
    ------
    StoreOdd
        If it is none: it was kept, missed or moved, and which of these nobody can say.
    """
    try:
        answer = json.loads(str(row["answer"]))
    except ValueError:
        answer = {}
    said = {str(code): str(words) for code, words in answer.items()} if isinstance(answer, dict) else {}
    with reading("promise"):
        return msgspec.convert({**row, "answer": said}, PromiseRecord)


def can_promise(wave: WaveRecord, promised: bool) -> bool:
    """Whether a wave may be given a promise: before it opens also another one; then only the first, until it is released."""
    if wave.state in (State.PLANNED, State.READY):
        return True
    return not promised and wave.state in (State.OPEN, State.ENDED, State.CLOSED)


async def sign(engine: StoreEngine, wave: str, due: date, signed_by: str, today: date) -> None:
    """Promise an answer by a day. From the opening on it is neither moved nor taken back.

    Raises
    ------
    PromiseRefused
        ``name`` (nobody signs), ``late`` (the wave was opened already and has a promise, or is over), ``early`` (before the wave ends,
        or in the past), ``far`` (more than a year after its end).
    NoSuchWave
    """
    if not signed_by.strip():
        raise PromiseRefused("name")
    async with engine.transaction():
        record = await waves.held(wave)
        before = await of(wave)
        if not can_promise(record, before is not None):
            raise PromiseRefused("late")
        ends = max(record.ends or today, today)
        if due <= ends:
            raise PromiseRefused("early")
        if (due - ends).days > 365:
            raise PromiseRefused("far")
        await Promise.delete().where(Promise.wave == wave)
        await Promise.insert(Promise(wave=wave, due=due, signed_by=signed_by.strip(), signed_on=today, answer="{}"))


async def answer(engine: StoreEngine, wave: str, text: Mapping[str, str], by: str, today: date, seen: str) -> None:
    """Answer what a wave said, or that it came to nothing; without a promise it counts as promised for that day.

    Said once, it can be said better, not unsaid; and only by whoever saw what stands there.

    Parameters
    ----------
    seen : str
        The mark of what was there when the answer was written: `PromiseRecord.mark`, or `UNANSWERED`.

    Raises
    ------
    PromiseRefused
        ``text`` (under 20 letters in the first language, or over 3,000 in any), ``name``, ``unreleased``, or ``changed``
        (somebody else answered in the meantime): nothing is written.
    NoSuchWave
    """
    said = {language: words.strip() for language, words in text.items() if words.strip()}
    if len(said.get("it", "")) < LEAST_ANSWER or any(len(words) > LONGEST_ANSWER for words in said.values()):
        raise PromiseRefused("text")
    if not by.strip():
        raise PromiseRefused("name")
    async with engine.transaction():
        record = await waves.held(wave)
        if record.state not in OVER:
            raise PromiseRefused("unreleased")
        before = await of(wave)
        if (before.mark if before else UNANSWERED) != seen:
            raise PromiseRefused("changed")
        if before is None:
            await Promise.insert(Promise(wave=wave, due=today, signed_by=by.strip(), signed_on=today, answer="{}"))
        first = before.answered_on if before else None
        await Promise.update(
            {
                Promise.answer: json.dumps(said, ensure_ascii=False),
                Promise.answered_by: by.strip(),
                Promise.answered_on: first or today,
                Promise.changed_on: None if first is None else today,
            }
        ).where(Promise.wave == wave)
