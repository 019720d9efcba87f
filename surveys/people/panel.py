"""Panels: who is invited to a wave, the rules against panels that attack, and the headcounts of planned views.

A panel is the whole organisation or one whole top-level unit; two panels that differ by a handful of people would let
a reader subtract one release from the other, so such a panel is refused.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from surveys.engines import StoreEngine
from surveys.odd import reading
from surveys.people.links import channel_for
from surveys.people.roster import UnitEntry, below, everyone, units
from surveys.people.tables import Headcount, Panel, Person

MINIMUM = 30
WAVES_A_YEAR = 4
_YEAR = timedelta(days=365)
_CHUNK = 200


class PanelRefused(Exception):
    """The panel breaks a rule; `reason` is ``small``, ``unit``, ``often``, ``near`` or ``near_all`` and `figures` fill its sentence."""

    def __init__(self, reason: str, **figures: str | int) -> None:
        super().__init__(reason)
        self.reason, self.figures = reason, figures


@dataclass(frozen=True, slots=True)
class Member:
    """A panel member as far as planned views need her: no name, no contact."""

    person: int
    unit: str
    gender: str
    age: str
    attributes: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class EarlierPanel:
    """A panel of the last twelve months: the wave and the day it opened."""

    wave: str
    opened: date


async def members(unit: str) -> list[Member]:
    """Everybody of a unit ("" for the whole organisation).

    Raises
    ------
    StoreOdd
        As `roster.everyone`: a panel that lacks somebody is another panel.
    """
    inside = below(await units(), unit)
    return [
        Member(known.id, known.entry.unit, known.entry.gender, known.entry.age, known.entry.attributes)
        for known in await everyone()
        if not unit or known.entry.unit in inside
    ]


async def check(unit: str, chosen: Sequence[Member], earlier: Sequence[EarlierPanel], today: date, k: int) -> None:
    """Refuse a panel that is small, not a top-level unit, too frequent, or too near to an earlier one.

    Raises
    ------
    PanelRefused
        With the rule that is broken.
    StoreOdd
        If somebody has no first day: whether she is a newcomer cannot be said.
    """
    if unit and not any(entry.code == unit and not entry.parent for entry in await units()):
        raise PanelRefused("unit", unit=unit)
    if len(chosen) < MINIMUM:
        raise PanelRefused("small", people=len(chosen), minimum=MINIMUM)
    recent = [panel for panel in earlier if today - panel.opened < _YEAR]
    if len(recent) >= WAVES_A_YEAR:
        raise PanelRefused("often", waves=len(recent), limit=WAVES_A_YEAR)
    now = {member.person for member in chosen}
    joined = {int(row["id"]): row["joined"] for row in await Person.select(Person.id, Person.joined)}
    for panel in recent:
        before = {int(row["person"]) for row in await Panel.select(Panel.person).where(Panel.wave == panel.wave)}
        with reading("person"):
            moved = real_difference(now, before, joined, panel.opened)
        if 0 < len(moved) < 2 * k:
            until = (panel.opened + _YEAR).isoformat()
            reason = "near" if unit else "near_all"  # whom to invite instead is another
            raise PanelRefused(reason, wave=panel.wave, people=len(moved), limit=2 * k, until=until)


def real_difference(now: set[int], before: set[int], joined: Mapping[int, date], opened: date) -> set[int]:
    """Who differs between two panels besides people who came after the first opened or have left since.

    A person is her row, which no correction changes: one with another name, address or unit neither left nor came, and who left
    and is back within a year has the first day that she had.
    """
    return {person for person in now ^ before if person in joined and joined[person] <= opened}


async def is_there(wave: str) -> bool:
    """Whether anybody was invited to a wave, or anything of its headcounts is kept."""
    return await Panel.exists().where(Panel.wave == wave) or await Headcount.exists().where(Headcount.wave == wave)


async def forget(engine: StoreEngine, wave: str) -> None:
    """Remove the panel and headcounts of a wave whose opening was cut off."""
    async with engine.transaction():
        await Panel.delete().where(Panel.wave == wave)
        await Headcount.delete().where(Headcount.wave == wave)


async def invite(engine: StoreEngine, wave: str, chosen: Iterable[Member], offered: Sequence[str] = ()) -> None:
    """Freeze the panel of a wave and each member's channel: an offered one that reaches her, else a slip."""
    contacts = {int(row["id"]): str(row["contact"]) for row in await Person.select(Person.id, Person.contact)}
    people = [member.person for member in chosen]
    last = await Panel.select(Panel.id).order_by(Panel.id, ascending=False).limit(1)
    first = int(last[0]["id"]) + 1 if last else 1
    async with engine.transaction():
        for start in range(0, len(people), _CHUNK):
            await Panel.insert(
                *(
                    Panel(
                        id=first + start + place,
                        wave=wave,
                        person=person,
                        channel=channel_for(contacts[person], offered),
                    )
                    for place, person in enumerate(people[start : start + _CHUNK])
                )
            )


async def freeze_headcounts(engine: StoreEngine, wave: str, counts: Mapping[str, int]) -> None:
    """Keep the exact headcount of each planned view; they leave this store as bands only."""
    rows = [Headcount(id=f"{wave}/{view}", wave=wave, view=view, people=people) for view, people in counts.items()]
    async with engine.transaction():
        for start in range(0, len(rows), _CHUNK):
            await Headcount.insert(*rows[start : start + _CHUNK])


async def headcounts(wave: str) -> dict[str, int]:
    """The exact headcount of each planned view.

    Raises
    ------
    StoreOdd
    """
    rows = await Headcount.select(Headcount.view, Headcount.people).where(Headcount.wave == wave)
    with reading("headcount"):
        return {row["view"]: int(row["people"]) for row in rows}


def count_view(
    filter_: Iterable[tuple[str, tuple[str, ...]]], chosen: Sequence[Member], entries: Sequence[UnitEntry]
) -> int:
    """Count the panel members of a view: of each dimension any of the named categories, units with all below."""
    wanted: list[tuple[str, set[str]]] = []
    for dimension, categories in filter_:
        if dimension == "unit":
            inside: set[str] = set()
            for category in categories:
                inside |= below(entries, category)
            wanted.append((dimension, inside))
        else:
            wanted.append((dimension, set(categories)))
    return sum(all(category_of(member, dimension) in inside for dimension, inside in wanted) for member in chosen)


def category_of(member: Member, dimension: str) -> str:
    """The category of a member in one dimension; "" where the list has none."""
    match dimension:
        case "unit":
            return member.unit
        case "gender":
            return member.gender
        case "age":
            return member.age
        case _:
            return member.attributes.get(dimension, "")
