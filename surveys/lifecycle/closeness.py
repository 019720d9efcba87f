"""How near a group comes to one person: the planned views of a wave, and about how many people each counts."""

from dataclasses import dataclass
from pathlib import Path

from analysis.views import Plan
from surveys.lifecycle.ready import checked_row
from surveys.people import panel
from surveys.public.waves import get

ROUNDED_TO = 10


@dataclass(frozen=True, slots=True)
class Group:
    """A planned view: whom it holds, as categories by dimension, and its headcount rounded down; under ten is 0."""

    filter: dict[str, list[str]]
    people: int


async def groups_of(data: Path, wave: str) -> list[Group]:
    """The planned views with their headcounts rounded down to ten, so that nobody is told more.

    Never the full cross (PRIVACY 2.5). A view that counts who gave none holds everyone else too and is nobody's smallest.
    """
    record = await get(wave)
    await checked_row(data, record)
    plan = Plan.from_json(dict(record.plan))
    dimensions = {dimension.id: dimension for dimension in plan.dimensions}
    people = await panel.headcounts(wave)
    return [
        Group(
            {name: sorted(dimensions[name].inside(codes)) for name, codes in view.filter},
            people.get(view.id, 0) // ROUNDED_TO * ROUNDED_TO,
        )
        for view in plan.views
        if not any("" in codes for _, codes in view.filter)
    ]
