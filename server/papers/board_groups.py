"""Groups in the board report: the small map, a place where something is clear, and who took part."""

from dataclasses import dataclass

from analysis.published import UNITS
from analysis.steps import as_number
from server.frame.texts import say
from server.papers.board_pictures import Row, rows_of
from server.results.exports import full_name
from server.results.heat import HeatRow, heat
from server.results.reading import AREAS, band_text, figure_text
from server.results.story import EVERYONE, Story, address_of, unit_claims
from server.results.telling import group_heading, group_lines, is_clear

MOST_PLACES = 4
"""So many places get their half page; of others the first sentence is printed."""
MOST_ROWS = 30
"""Rows that one page holds."""


@dataclass(frozen=True, slots=True)
class MapTable:
    """Groups by areas, as the map has them; a cell is text and ``lo``, ``hi`` or nothing."""

    heads: tuple[str, ...]
    rows: tuple[tuple[str, str, tuple[tuple[str, str], ...]], ...]


@dataclass(frozen=True, slots=True)
class Place:
    """A territory of which something is clear."""

    name: str
    heading: str
    lead: str
    lines: tuple[str, ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Share:
    """How many of a group answered: a share where one is published, else its size band alone."""

    name: str
    depth: int
    band: str
    share: str
    at: float | None
    alt: str


def place_table(story: Story) -> MapTable:
    """The whole organisation and its territories that are shown."""
    found = heat(story.document, story.language, story.labels)
    return _table(story, [block.head for block in found.blocks][:MOST_ROWS])


def people_table(story: Story) -> MapTable:
    """The whole organisation and its groups of people that are shown: women, men, ages."""
    found = heat(story.document, story.language, story.labels)
    rows = [row for block in found.blocks[:1] for row in (block.head, *block.rows)]
    return _table(story, [row for row in rows if row.id == EVERYONE or "+" not in row.id][:12])


def _table(story: Story, rows: list[HeatRow]) -> MapTable:
    areas = [area for area in AREAS if area in story.document.everyone.areas]
    return MapTable(
        tuple(say(story.language, f"results.area_short.{area}") for area in areas),
        tuple((row.name, row.band, tuple((cell.text, cell.look) for cell in row.cells[: len(areas)])) for row in rows),
    )


def places_of(story: Story) -> tuple[tuple[Place, ...], tuple[str, ...]]:
    """Territories of which something is clear, first where it hurts; then in one sentence each what else is clear of a unit."""
    order = {claim.address: at for at, claim in enumerate(unit_claims(story))}
    units = [
        view.id
        for view in story.document.views
        if view.shown and story.document.kind_of(view.id) in UNITS and is_clear(story, view.id)
    ]
    units.sort(key=lambda view: order.get(address_of(story, view), len(order)))
    territories = [view for view in units if story.document.kind_of(view) == "territory"][:MOST_PLACES]
    others = [view for view in units if view not in territories]
    return tuple(_place(story, view) for view in territories), tuple(_in_short(story, view) for view in others[:12])


def _in_short(story: Story, view: str) -> str:
    """Of a group that only moved its page has no heading of its own: its name stands before what moved."""
    lines = group_lines(story, view)
    claimed = any(claim.address == address_of(story, view) for claim in unit_claims(story))
    return f"{group_heading(story, view)}." if claimed or not lines else f"{story.group(view)}. {lines[0]}"


def _place(story: Story, view: str) -> Place:
    found = next(one for one in story.document.views if one.id == view)
    lead = [say(story.language, "hr.group.people", band=band_text(found.n_band))]
    if share := figure_text(found.participation, story.language, " %"):
        lead.append(f"{say(story.language, 'hr.group.answered')}: {share}")
    areas = tuple(area for area in AREAS if area in story.document.everyone.areas)
    heading = _in_short(story, view)
    return Place(
        story.group(view),
        heading.rstrip("."),
        " · ".join(lead),
        tuple(line for line in group_lines(story, view) if line not in heading),
        rows_of(story, view, "areas", areas),
    )


def shares_of(story: Story) -> tuple[Share, ...]:
    """Units that are shown, services under their territory where one page holds them; then women, men and ages."""
    document = story.document
    shown = [view for view in document.views if view.shown and view.id != EVERYONE]
    units = [view for view in shown if document.kind_of(view.id) in ("territory", "service")]
    people = [view for view in shown if document.kind_of(view.id) in ("gender", "age", "other")]
    if len(units) + len(people) > MOST_ROWS:
        units = [view for view in units if document.kind_of(view.id) == "territory"][:MOST_ROWS]
    rows = []
    for view in [*units, *people]:
        name = full_name(view.filter, document.plan.dimensions, story.language)
        share = figure_text(view.participation, story.language, " %")
        at = as_number(view.participation) if view.participation is not None else None
        band = band_text(view.n_band)
        alt = f"{name}: {share or say(story.language, 'hr.group.people', band=band)}"
        rows.append(Share(name, 2 if document.kind_of(view.id) == "service" else 1, band, share, at, alt))
    return tuple(rows[:MOST_ROWS])
