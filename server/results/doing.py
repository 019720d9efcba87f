"""What the organisation said it will do, in the sentence that staff, HR and papers read alike."""

from server.frame.display import day
from server.frame.texts import say
from surveys.lifecycle.context import today
from surveys.public import actions
from surveys.public.actions import ActionRecord


def action_line(one: ActionRecord, language: str) -> str:
    """One action: what, who and by when; that it is late, or done."""
    key = "results.action_done" if one.done else "results.action_late" if one.is_late(today()) else "results.action"
    return say(language, key, text=one.text, owner=one.owner, due=day(one.due, language))


async def actions_of(wave: str) -> tuple[ActionRecord, ...]:
    """The actions written beside a release, by the day they are due."""
    return tuple(one for one in await actions.everything() if one.wave == wave)
