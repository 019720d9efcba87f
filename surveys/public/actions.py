"""Actions: what the organisation said it will do, by whom, by when; staff read them beside the results."""

import secrets
from dataclasses import dataclass
from datetime import date

from surveys.public.tables import Action


class ActionRefused(ValueError):
    """An action needs a text, an owner and a day; the first argument names what is missing."""


@dataclass(frozen=True, slots=True)
class ActionRecord:
    """One action. `wave` or `indicator` may be empty, not both."""

    id: str
    wave: str
    indicator: str
    text: str
    owner: str
    due: date
    done: bool
    done_on: date | None
    set_on: date


async def everything() -> list[ActionRecord]:
    """All actions, by the day they are due."""
    return [ActionRecord(**row) for row in await Action.select().order_by(Action.due)]


async def add(wave: str, indicator: str, text: str, owner: str, due: date | None, today: date) -> None:
    """Write an action down.

    Raises
    ------
    ActionRefused
    """
    for name, value in (("text", text.strip()), ("owner", owner.strip()), ("due", due)):
        if not value:
            raise ActionRefused(name)
    await Action.insert(
        Action(
            id=secrets.token_hex(16),
            wave=wave,
            indicator=indicator,
            text=text.strip(),
            owner=owner.strip(),
            due=due,
            done=False,
            done_on=None,
            set_on=today,
        )
    )


async def finish(action: str, today: date, *, done: bool = True) -> None:
    """Mark an action as done, or as open again."""
    await Action.update({Action.done: done, Action.done_on: today if done else None}).where(Action.id == action)
