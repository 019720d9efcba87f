"""What an action answers, and what became of it in the next survey: two published figures and what may be said of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from server.frame.texts import say
from server.results.reading import AREAS, figure_text
from server.results.story import EVERYONE, Story, address_of, stories_of, theme_address
from surveys import certification
from surveys.public.actions import ActionRecord


@dataclass(frozen=True, slots=True)
class Effect:
    """What it answers, with its page; and the figure before and after, where both are published."""

    what: str
    address: str
    words: str


async def effects(records: Sequence[ActionRecord], language: str) -> dict[str, Effect]:
    """By action; the pages of a wave are read once."""
    of_everyone = await certification.waves_of_everyone()
    order = [wave.id for wave in of_everyone]
    later = dict(pairwise(order))
    asked = {one.wave for one in records if one.wave}
    wanted = asked | {later[wave] for wave in asked if wave in later}
    stories = await stories_of(sorted(wanted), of_everyone, language)
    after = {wave: stories.get(later[wave]) for wave in asked if wave in later}
    return {one.id: _effect(one, stories.get(one.wave), after.get(one.wave), language) for one in records}


def _effect(record: ActionRecord, answers: Story | None, after: Story | None, language: str) -> Effect:
    what, address = _what(record, answers, language)
    return Effect(what, address, _became(record, answers, after, language))


def _what(record: ActionRecord, story: Story | None, language: str) -> tuple[str, str]:
    """The finding's page: an indicator, a group, an area, a wave."""
    if record.indicator:
        said = say(language, "hr.story.indicator", id=record.indicator)
        return said, f"/hr/indicators/{record.indicator}?lang={language}"
    if story is None:
        return "", ""
    names, address = [], f"/hr/results/{record.wave}?lang={language}"
    if record.area in AREAS:
        names, address = [story.name("areas", record.area)], theme_address(story, "areas", record.area)
    if any(view.id == record.unit for view in story.document.views if view.shown):
        names, address = [story.group(record.unit), *names], address_of(story, record.unit)
    return " · ".join(names) or say(language, "actions.whole"), address


def _became(record: ActionRecord, answers: Story | None, after: Story | None, language: str) -> str:
    """The figure it was about before and after; nothing before there is a next survey."""
    if answers is None or after is None:
        return say(language, "actions.not_yet") if answers else ""
    if record.area in AREAS:
        moved = after.trend("areas", record.unit or EVERYONE, record.area)
        if moved.word in ("rose", "fell", "little", "same") and moved.before is not None:
            views = {view.id: view for view in after.document.views}
            figure = views[record.unit or EVERYONE].areas.get(record.area)
            now = figure_text(figure.index if figure else None, language)
            return say(language, f"actions.became_{moved.word}", before=round(moved.before), now=now)
        return say(language, "actions.unsure")
    if record.unit and not record.indicator:
        words = [after.trend("areas", record.unit, area).word for area in after.document.everyone.areas]
        if set(words) & {"rose", "fell", "little", "same"}:
            return say(language, "actions.areas", rose=words.count("rose"), fell=words.count("fell"), of=len(words))
        return say(language, "actions.unsure")
    if record.indicator:
        pair = [certification.perception_of(story.document, record.indicator) for story in (answers, after)]
        texts = [figure_text(one.index, language) for one in pair if one and one.index is not None]
        if len(texts) == 2:
            return say(language, "actions.figures", before=texts[0], now=texts[1])
    return say(language, "actions.unsure")
