"""How people live one indicator: its index beside that of the wave before, women and men, and its questions one by one."""

from dataclasses import dataclass

from litestar.exceptions import NotFoundException

from analysis.document import ReleaseInvalid
from analysis.published import Statistic
from analysis.rules import LOW_AWARENESS
from analysis.steps import as_number
from server.frame.display import text_of
from server.frame.texts import say
from server.results.reading import figure_text, interval_text
from server.results.story import Dot, Story, lone_dot, range_text, signed, story_of
from surveys import certification
from surveys.certification import Standing

WOMEN = "gender:f"


@dataclass(frozen=True, slots=True)
class Question:
    """One question that the perception stands on."""

    text: str
    address: str
    dot: Dot
    dont_know: str
    unknown: bool
    """Whether so many do not know that it is told in colour, too."""


@dataclass(frozen=True, slots=True)
class Perceived:
    """How people live an indicator, with figures as they are printed; `index` is "" where nothing may be shown."""

    index: str
    limits: str
    word: str
    dot: Dot | None
    when: str
    before: str
    gender: str
    single: bool
    dont_know: str
    questions: tuple[Question, ...]
    wave_line: str


async def perceived(standing: Standing, language: str, *, linked: bool) -> Perceived | None:
    """Read the people's side of an indicator; None where the survey says nothing of it.

    Parameters
    ----------
    standing : the indicator
    language : of the sentences
    linked : whether the reader may open HR's pages of questions
    """
    seen = standing.perception
    if seen is None:
        return None
    story = await _story(seen.wave, language)
    if story is None:
        return None
    earlier = None
    if story.before and standing.indicator.id in story.alike["indicators"]:
        earlier = certification.perception_of(story.before, standing.indicator.id)
    before = earlier.value if earlier else None
    index, limits = figure_text(seen.index, language), interval_text(seen.interval, language)
    return Perceived(
        index,
        limits,
        say(language, f"perception.{seen.state}"),
        None
        if seen.value is None
        else lone_dot(standing.indicator.id, index, limits, seen.value, seen.interval, before),
        story.when,
        f"{figure_text(earlier.index, language)} ({interval_text(earlier.interval, language)})"
        if earlier and earlier.index is not None
        else "",
        _gender(story, standing.indicator.id, seen.items, language),
        seen.single,
        figure_text(seen.dont_know, language, " %") if seen.dont_know is not None else "",
        tuple(_question(story, item, language, linked=linked) for item in seen.items if item in story.labels.items),
        say(language, "hr.indicator.from_wave", wave=text_of(story.document.wave.title or story.wave.title, language)),
    )


async def _story(wave: str, language: str) -> Story | None:
    try:
        return await story_of(wave, language)
    except (NotFoundException, ReleaseInvalid):
        return None


def _question(story: Story, item: str, language: str, *, linked: bool) -> Question:
    figure, special = story.document.everyone.items.get(item), story.document.everyone.special.get(item)
    name = text_of(story.labels.items[item], language)
    unknown = special.dont_know if special else None
    return Question(
        name,
        f"/hr/results/{story.wave.id}/item/{item}?lang={language}" if linked and figure else "",
        _dot(figure, name, _before(story, item), language),
        figure_text(unknown, language, " %") if unknown is not None else "",
        unknown is not None and as_number(unknown) >= LOW_AWARENESS,
    )


def _before(story: Story, item: str) -> float | None:
    """Where a question stood in the wave before, if it was asked alike."""
    if story.before is None or item not in story.alike["items"]:
        return None
    figure = story.before.everyone.items.get(item)
    return as_number(figure.index) if figure else None


def _dot(figure: Statistic | None, name: str, before: float | None, language: str) -> Dot:
    if figure is None:
        return lone_dot(name, "", "", None, None, before)
    limits = figure.ci.index
    value = figure_text(figure.index, language)
    return lone_dot(name, value, interval_text(limits, language), as_number(figure.index), limits, before)


def _gender(story: Story, indicator: str, items: tuple[str, ...], language: str) -> str:
    """Women beside the contrast that was used. Of one question the comparison is told; of several the two figures, without a claim."""
    difference = story.difference("items", WOMEN, items[0]) if len(items) == 1 else None
    against = next((one.against for one in story.document.differences if one.view == WOMEN), "")
    views = {view.id: view for view in story.document.views if view.shown}
    if against not in views or WOMEN not in views:
        return say(language, "results.gender.hidden")
    others = against.partition(":")[2]
    if difference:
        return say(
            language,
            f"hr.theme.{'differ' if difference.clear else 'same'}_{others}",
            gap=signed(difference.gap, language),
            range=range_text(difference.low, difference.high, language),
        )
    pair = [views[view].indicators.get(indicator) for view in (WOMEN, against)]
    texts = [figure_text(figure.index if figure else None, language) for figure in pair]
    if not all(texts):
        return say(language, "results.gender.hidden")
    return say(language, f"hr.indicator.both_{others}", women=texts[0], others=texts[1])
