"""What was done and what moved, in the board report: actions of the wave before and of this one, beside what changed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from server.frame.display import day
from server.frame.texts import say
from server.papers.plain import plain
from server.results.doing import actions_of
from server.results.story import Story, trend_claims
from surveys.public import actions
from surveys.public.actions import ActionRecord

MOST = 6
MOVED = 6
NEXT = 3
TEXT, OWNER = 180, 50
SHORT = 80
"""Letters of an action on the first page, and of who does it half as many."""


@dataclass(frozen=True, slots=True)
class Act:
    """One action as a row: what, who, by when, and how it stands; `late` is said in words too."""

    what: str
    who: str
    due: str
    state: str
    late: bool


@dataclass(frozen=True, slots=True)
class Changes:
    """Actions and changes side by side; that one made the other is never said."""

    title: str
    before: tuple[Act, ...]
    now: tuple[Act, ...]
    more: str
    open: tuple[Act, ...]
    moved: tuple[str, ...]


async def changes_of(story: Story, on: date) -> Changes:
    """Gather them; of many the first that are due, and how many more there are."""
    language = story.language
    before = await actions_of(story.before.wave.id) if story.before else ()
    of_indicators = [one for one in await actions.everything() if not one.wave and one.indicator]
    now = (*await actions_of(story.wave.id), *of_indicators)
    left = max(0, len(before) - MOST) + max(0, len(now) - MOST)
    return Changes(
        _title((*before, *now), on, language),
        tuple(_act(one, on, language) for one in before[:MOST]),
        tuple(_act(one, on, language) for one in now[:MOST]),
        say(language, "board.acts.more", n=left) if left else "",
        tuple(_act(one, on, language, SHORT, SHORT // 2) for one in _by_day(now) if not one.done)[:NEXT],
        _moved(story),
    )


def _title(found: Sequence[ActionRecord], on: date, language: str) -> str:
    if not found:
        return say(language, "board.acts.none")
    done = sum(one.done for one in found)
    late = sum(not one.done and one.due < on for one in found)
    key = "board.acts.title_late" if late else "board.acts.title"
    return say(language, key, done=done, open=len(found) - done, late=late)


def _by_day(found: Sequence[ActionRecord]) -> list[ActionRecord]:
    return sorted(found, key=lambda one: one.due)


def _act(one: ActionRecord, on: date, language: str, text: int = TEXT, owner: int = OWNER) -> Act:
    late = not one.done and one.due < on
    state = "done" if one.done else "late" if late else "open"
    words = say(language, f"board.acts.{state}")
    if one.done and one.done_on:
        words = f"{words}, {day(one.done_on, language)}"
    return Act(plain(one.text, text), plain(one.owner, owner), day(one.due, language), words, late)


def _moved(story: Story) -> tuple[str, ...]:
    """What rose or fell in the whole organisation, or that nothing did, or that there is no wave before."""
    if story.before is None:
        return (say(story.language, "board.moved.first"),)
    found = tuple(claim.text for claim in trend_claims(story))[:MOVED]
    return found or (say(story.language, "board.moved.nothing", when=story.when),)
