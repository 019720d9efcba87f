"""Actions: what the organisation said it will do, by whom, by when; staff read them beside the results."""

import secrets
from dataclasses import dataclass, replace
from datetime import date

import msgspec
from piccolo.columns import Column

from surveys import cells
from surveys.engines import StoreEngine
from surveys.odd import reading
from surveys.public.tables import Action
from surveys.shown import mark_of


class ActionRefused(ValueError):
    """It cannot be written as asked: ``text``, ``owner`` or ``due`` is missing or no such day, ``changed`` meanwhile, or ``gone``."""


EARLIEST, LATEST = date(2000, 1, 1), date(2099, 12, 31)
"""An action is due between these."""


@dataclass(frozen=True, slots=True)
class ActionRecord:
    """One action, and what it answers: an indicator, or an area of a wave in a group of its views; each may be empty."""

    id: str
    wave: str
    indicator: str
    text: str
    owner: str
    due: date
    done: bool
    done_on: date | None
    set_on: date
    area: str = ""
    unit: str = ""
    changed_on: date | None = None

    @property
    def mark(self) -> str:
        """What a form shows of it (`shown.mark_of`)."""
        return mark_of([self.text, self.owner, str(self.due), self.done])

    def is_late(self, on: date) -> bool:
        return not self.done and self.due < on


async def everything() -> list[ActionRecord]:
    """All actions that can be read, by the day they are due."""
    return (await look())[0]


async def look() -> tuple[list[ActionRecord], tuple[str, ...]]:
    """All actions that can be read, by the day they are due; and the keys of those that cannot be."""
    found, odd = [], []
    for row in await cells.read(Action):
        try:
            found.append(_record(row))
        except (ValueError, msgspec.ValidationError):
            odd.append(row["id"] or "?")
    return sorted(found, key=lambda one: (one.due, one.id)), tuple(sorted(odd))


def _record(row: dict[str, str | None]) -> ActionRecord:
    """An action of a row.

    Raises
    ------
    ValueError, msgspec.ValidationError
        If it is none: a day that is no day, or one on which nothing can be due, or nothing where something must be.
    """
    record = msgspec.convert(row, ActionRecord, strict=False)
    if not (record.id and record.text.strip() and record.owner.strip() and EARLIEST <= record.due <= LATEST):
        raise ValueError("an action that nobody can have written")
    return record


def _complete(text: str, owner: str, due: date | None) -> date:
    for name, value in (("text", text.strip()), ("owner", owner.strip()), ("due", due)):
        if not value:
            raise ActionRefused(name)
    if due is None or not EARLIEST <= due <= LATEST:
        raise ActionRefused("due")
    return due


async def add(
    wave: str,
    indicator: str,
    text: str,
    owner: str,
    due: date | None,
    today: date,
    *,
    area: str = "",
    unit: str = "",
) -> None:
    """Write an action down.

    Raises
    ------
    ActionRefused
    """
    await Action.insert(
        Action(
            id=secrets.token_hex(16),
            wave=wave,
            indicator=indicator,
            text=text.strip(),
            owner=owner.strip(),
            due=_complete(text, owner, due),
            done=False,
            done_on=None,
            set_on=today,
            area=area,
            unit=unit,
            changed_on=None,
        )
    )


async def add_once(
    engine: StoreEngine,
    text: str,
    owner: str,
    due: date | None,
    today: date,
    *,
    wave: str = "",
    indicator: str = "",
    area: str = "",
    unit: str = "",
) -> None:
    """Write an action down, unless one that says just the same was written today and is open: a form that was sent twice.

    Raises
    ------
    ActionRefused
    """
    said = (text.strip(), owner.strip(), _complete(text, owner, due), today, wave, indicator, area, unit)
    async with engine.writing_alone(Action):
        for one in await everything():
            if not one.done and said == (
                one.text,
                one.owner,
                one.due,
                one.set_on,
                one.wave,
                one.indicator,
                one.area,
                one.unit,
            ):
                return
        await add(wave, indicator, text, owner, due, today, area=area, unit=unit)


async def _held(action: str, mark: str | None = None) -> ActionRecord:
    """An action inside a transaction, as somebody saw it; with no mark, as it is."""
    if not await Action.update({Action.done: Action.done}).where(Action.id == action).returning(Action.id):
        raise ActionRefused("gone")
    (row,) = await cells.read(Action, id=action)
    with reading("action"):
        record = _record(row)
    if mark is not None and record.mark != mark:
        raise ActionRefused("changed")
    return record


async def change(
    engine: StoreEngine, action: str, mark: str, text: str, owner: str, due: date | None, today: date
) -> None:
    """Say an action anew, as it was seen (`ActionRecord.mark`).

    Raises
    ------
    ActionRefused
    """
    day = _complete(text, owner, due)
    async with engine.transaction():
        await _held(action, mark)
        await Action.update(
            {Action.text: text.strip(), Action.owner: owner.strip(), Action.due: day, Action.changed_on: today}
        ).where(Action.id == action)


async def remove(engine: StoreEngine, action: str, mark: str) -> None:
    """Take an action away, as it was seen.

    Raises
    ------
    ActionRefused
    """
    async with engine.transaction():
        await _held(action, mark)
        await Action.delete().where(Action.id == action)


async def finish(engine: StoreEngine, action: str, mark: str, today: date, *, done: bool = True) -> None:
    """Mark an action as done, or as open again, as it was seen; one that is so already keeps its day.

    Raises
    ------
    ActionRefused
        ``changed`` or ``gone``.
    """
    marked: dict[Column | str, object] = {Action.done: done, Action.done_on: today if done else None}
    async with engine.transaction():
        record = await _held(action)
        if mark not in (
            record.mark,
            replace(record, done=not done).mark,
        ):  # the latter: somebody did the same meanwhile
            raise ActionRefused("changed")
        if record.done != done:
            await Action.update(marked).where(Action.id == action)
