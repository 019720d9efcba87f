"""What moved over all surveys of everyone: a small line a theme, and one theme in every territory."""

from dataclasses import dataclass
from typing import ClassVar

from litestar import Response, get

from server.frame.asked import AppRequest
from server.frame.pages import Shell, show
from server.frame.signed_in import Desk, frame
from server.frame.texts import say
from server.results.lines import Line, line_of
from server.results.story import EVERYONE, Story, address_of, stories_of_everyone, theme_address, trend_claims

WIDE, NARROW = 268, 176
"""How wide a drawing is: four side by side, or six."""


@dataclass(frozen=True, slots=True)
class TrendPage:
    """All waves of everyone beside each other."""

    template: ClassVar[str] = "trend.html"
    shell: Shell
    desk: Desk
    title: str
    heading: str
    lead: str
    areas: tuple[Line, ...]
    themes: tuple[Line, ...]
    theme: str
    choices: tuple[tuple[str, str, bool], ...]
    territories: tuple[Line, ...]


@get("/trend")
async def trend_page(request: AppRequest) -> Response[str]:
    """Show how areas and themes went from wave to wave."""
    shell, desk = await frame(request)
    language = shell.language
    stories = await stories_of_everyone(language)
    title = say(language, "hr.trend.title")
    if not stories:
        return show(TrendPage(shell, desk, title, say(language, "hr.trend.none"), "", (), (), "", (), ()))
    last = stories[-1]
    names = [("areas", area) for area in last.document.everyone.areas]
    names += [("scales", scale) for scale in last.document.scales]
    asked = request.query_params.get("theme", "")
    chosen = next((one for one in names if "/".join(one) == asked), names[0])
    claims = trend_claims(last)
    page = TrendPage(
        shell,
        desk,
        title,
        claims[0].text.split(". ")[0].rstrip(".") if claims else say(language, "hr.trend.flat"),
        say(language, "hr.trend.lead", n=len(stories)),
        tuple(_line(stories, family, name) for family, name in names if family == "areas"),
        tuple(_line(stories, family, name) for family, name in names if family == "scales"),
        last.name(*chosen),
        tuple(("/".join(one), last.name(*one), one == chosen) for one in names),
        _territories(stories, *chosen),
    )
    return show(page)


def _line(stories: tuple[Story, ...], family: str, statistic: str) -> Line:
    last = stories[-1]
    return line_of(
        stories,
        family,
        EVERYONE,
        statistic,
        name=last.name(family, statistic),
        address=theme_address(last, family, statistic),
        width=NARROW if family == "areas" else WIDE,
    )


def _territories(stories: tuple[Story, ...], family: str, statistic: str) -> tuple[Line, ...]:
    """The territories that show it now, in the plan's order."""
    last = stories[-1]
    return tuple(
        line_of(
            stories,
            family,
            view.id,
            statistic,
            name=last.group(view.id),
            address=address_of(last, view.id),
            width=NARROW,
        )
        for view in last.document.views
        if view.shown and statistic in view.family(family) and last.document.kind_of(view.id) == "territory"
    )


HANDLERS = (trend_page,)
