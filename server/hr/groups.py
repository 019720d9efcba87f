"""Where, and is it real? One page a group and one a theme: what is clear, what moved, and what cannot be said."""

from dataclasses import dataclass
from typing import ClassVar

from litestar import Response, get
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

from server.frame.asked import AppRequest
from server.frame.display import text_of
from server.frame.pages import Shell, show
from server.frame.signed_in import Desk, frame
from server.frame.texts import say
from server.results.acts import Act, acts
from server.results.heat import HeatBlock, heat
from server.results.reading import ItemLine, band_text, figure_text, item_lines
from server.results.story import (
    EVERYONE,
    Dot,
    Story,
    address_of,
    area_dots,
    dot,
    story_of,
    theme_address,
    theme_dots,
)
from server.results.telling import gender_of, group_heading, group_lines, listed, theme_heading
from surveys.public.questionnaires import members_of

TINY = "5-9"
KINDS = ("territory", "gender", "age", "other")
"""Whom a page of a theme lists; beside them whoever is clearly elsewhere, or moved."""


@dataclass(frozen=True, slots=True)
class GroupPage:
    """One group: its areas beside the whole and the wave before, what is clear, and the groups inside it."""

    template: ClassVar[str] = "group.html"
    shell: Shell
    desk: Desk
    title: str
    wave: str
    heading: str
    lead: str
    when: str
    areas: tuple[Dot, ...]
    themes: tuple[Dot, ...]
    clear: tuple[str, ...]
    columns: tuple[tuple[str, str], ...]
    block: HeatBlock | None
    tiny: bool
    view: str
    actions: tuple[Act, ...]


@dataclass(frozen=True, slots=True)
class ThemePage:
    """One area or theme: all groups that show it, women and men, its questions."""

    template: ClassVar[str] = "theme.html"
    shell: Shell
    desk: Desk
    title: str
    wave: str
    heading: str
    lead: str
    when: str
    whole: Dot
    clear: tuple[str, ...]
    groups: tuple[Dot, ...]
    gender: str
    themes: tuple[Dot, ...]
    items: tuple[ItemLine, ...]
    area: str
    actions: tuple[Act, ...]


@get("/results/{wave_id:str}/group/{view:str}")
async def group_page(request: AppRequest, wave_id: FromPath[str], view: FromPath[str]) -> Response[str]:
    """Show one group."""
    shell, desk = await frame(request)
    language = shell.language
    story = await story_of(wave_id, language)
    shown = {one.id: one for one in story.document.views if one.shown and one.id != EVERYONE}
    if view not in shown:
        raise NotFoundException
    found, name = shown[view], story.group(view)
    table = heat(story.document, language, story.labels, only=view)
    block = next(iter(table.blocks), None)
    share = figure_text(found.participation, language, " %")
    lead = [text_of(story.wave.title, language), say(language, "hr.group.people", band=band_text(found.n_band))]
    if share:
        lead.append(f"{say(language, 'hr.group.answered')}: {share}")
    page = GroupPage(
        shell,
        desk,
        name,
        wave_id,
        group_heading(story, view),
        " · ".join(lead),
        story.when,
        area_dots(story, view),
        theme_dots(story, view),
        group_lines(story, view),
        table.columns,
        block,
        found.n_band == TINY or (block is not None and any(row.band == band_text(TINY) for row in block.rows)),
        view,
        await acts(language, lambda one: one.wave == wave_id and one.unit == view),
    )
    return show(page)


async def _theme(request: AppRequest, wave_id: str, family: str, statistic: str) -> Response[str]:
    shell, desk = await frame(request)
    language = shell.language
    story = await story_of(wave_id, language)
    if statistic not in story.document.everyone.family(family) or statistic in story.document.single_scales:
        raise NotFoundException
    name, whole = story.name(family, statistic), dot(story, family, EVERYONE, statistic)
    found = [
        (view, dot(story, family, view.id, statistic, address=address_of(story, view.id), name=story.group(view.id)))
        for view in story.document.views
        if view.id != EVERYONE and view.shown and statistic in view.family(family)
    ]
    groups = tuple(
        one
        for view, one in found
        if story.document.kind_of(view.id) in KINDS or one.look in ("lo", "hi") or one.trend_look
    )
    members = _members(story, family, statistic)
    heading, value = theme_heading(
        story, family, statistic, say(language, "hr.theme.value", name=name, value=whole.value)
    )
    page = ThemePage(
        shell,
        desk,
        name,
        wave_id,
        heading,
        " · ".join(part for part in (text_of(story.wave.title, language), value) if part),
        story.when,
        whole,
        _clear_groups(groups, language),
        groups,
        gender_of(story, family, statistic),
        _themes_of(story, statistic) if family == "areas" else (),
        tuple(line for line in item_lines(story.document, language, story.labels) if line.id in members),
        statistic if family == "areas" else "",
        await acts(
            language,
            lambda one: family == "areas" and one.wave == wave_id and one.area == statistic,
        ),
    )
    return show(page)


def _members(story: Story, family: str, statistic: str) -> frozenset[str]:
    """The questions of an area or a theme; of an imported wave they are not known."""
    if story.document.origin == "imported":
        return frozenset()
    return members_of(story.wave)[family].get(statistic, frozenset())


def _themes_of(story: Story, area: str) -> tuple[Dot, ...]:
    """The themes that have a question of an area."""
    if story.document.origin == "imported":
        return ()
    members = members_of(story.wave)
    asked, none = members["areas"].get(area, frozenset()), frozenset[str]()
    return tuple(
        dot(story, "scales", EVERYONE, scale, address=theme_address(story, "scales", scale))
        for scale in story.document.scales
        if members["scales"].get(scale, none) & asked
    )


def _clear_groups(groups: tuple[Dot, ...], language: str) -> tuple[str, ...]:
    found = {
        "lower": [one.name for one in groups if one.look == "lo"],
        "higher": [one.name for one in groups if one.look == "hi"],
    }
    lines = [say(language, f"hr.theme.{key}", groups=listed(names, language)) for key, names in found.items() if names]
    return tuple(lines) or (say(language, "hr.theme.nothing"),)


@get("/results/{wave_id:str}/areas/{area:str}")
async def area_page(request: AppRequest, wave_id: FromPath[str], area: FromPath[str]) -> Response[str]:
    """Show one of the six areas."""
    return await _theme(request, wave_id, "areas", area)


@get("/results/{wave_id:str}/scales/{scale:str}")
async def scale_page(request: AppRequest, wave_id: FromPath[str], scale: FromPath[str]) -> Response[str]:
    """Show one theme."""
    return await _theme(request, wave_id, "scales", scale)


HANDLERS = (group_page, area_page, scale_page)
