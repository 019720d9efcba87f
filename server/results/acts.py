"""Actions as lines beside what they answer."""

from collections.abc import Callable
from dataclasses import dataclass

from server.results.doing import action_line
from surveys.lifecycle.context import today
from surveys.public import actions
from surveys.public.actions import ActionRecord


@dataclass(frozen=True, slots=True)
class Act:
    """One action in one line."""

    id: str
    mark: str
    words: str
    done: bool
    late: bool


async def acts(language: str, wanted: Callable[[ActionRecord], bool]) -> tuple[Act, ...]:
    """The actions of a place, by the day they are due."""
    return tuple(
        Act(
            one.id,
            one.mark,
            action_line(one, language),
            one.done,
            one.is_late(today()),
        )
        for one in await actions.everything()
        if wanted(one)
    )
