"""Acts that one account asks for and another confirms: kept until they are settled, the person only until then."""

import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any

from piccolo.columns import Column

from surveys.engines import StoreEngine
from surveys.odd import reading
from surveys.people.tables import Person, TwoKeyAct

SECOND_CODE, RAISE, SPARE, VOID, END = "second code", "raise", "spare slips", "void slips", "end"
ASKED, CONFIRMED, HANDED, REFUSED = "asked", "confirmed", "handed", "refused"
"""A second code that is confirmed waits for its letter or text; handed over, it is done."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One act: a second code for a person, or a higher `k` for a family of statistics."""

    id: int
    wave: str
    act: str
    state: str
    person: int
    family: str
    k: int
    asked_by: str
    asked_on: date


async def ask(
    engine: StoreEngine, day: date, actor: str, wave: str, act: str, *, person: int = 0, family: str = "", k: int = 0
) -> None:
    """Write down what an account asks for."""
    async with engine.transaction():
        await TwoKeyAct.insert(
            TwoKeyAct(
                id=secrets.randbits(62),
                wave=wave,
                act=act,
                person=person,
                family=family,
                k=k,
                asked_by=actor,
                asked_on=day,
            )
        )


async def of_wave(wave: str) -> list[Asked]:
    """All acts of a wave, settled ones too, in no order that tells anything.

    Raises
    ------
    StoreOdd
        If one of them is none: what two people decided cannot be counted.
    """
    rows = await TwoKeyAct.select().where(TwoKeyAct.wave == wave).order_by(TwoKeyAct.id)
    with reading("two_key_act"):
        return [_asked(row) for row in rows]


def _asked(row: Mapping[str, Any]) -> Asked:
    return Asked(
        int(row["id"]),
        str(row["wave"]),
        str(row["act"]),
        str(row["state"]),
        int(row["person"]),
        str(row["family"]),
        int(row["k"]),
        str(row["asked_by"]),
        row["asked_on"],
    )


async def find(act: int) -> Asked | None:
    """One act by its number."""
    row = await TwoKeyAct.select(TwoKeyAct.wave).where(TwoKeyAct.id == act).first()
    return next((asked for asked in await of_wave(str(row["wave"])) if asked.id == act), None) if row else None


def given(acts: list[Asked]) -> int:
    """How many second codes were confirmed."""
    return sum(act.act == SECOND_CODE and act.state in (CONFIRMED, HANDED) for act in acts)


def spare_allowed(acts: list[Asked]) -> int:
    """How many slips beyond the panel were confirmed; an act of this kind keeps its number where others keep a size."""
    return sum(act.k for act in acts if act.act == SPARE and act.state == HANDED)


@asynccontextmanager
async def one_at_a_time(engine: StoreEngine) -> AsyncIterator[None]:
    """A transaction in which nobody else settles an act: what is counted in it stays true."""
    async with engine.writing_alone(TwoKeyAct):
        yield


async def settle(
    engine: StoreEngine, act: int, before: str, after: str, actor: str, *, keep_person: bool = False
) -> bool:
    """Move an act on, once: False if somebody else already did."""
    new: dict[Column | str, object] = {TwoKeyAct.state: after, TwoKeyAct.settled_by: actor}
    if not keep_person:
        new[TwoKeyAct.person] = 0
    async with engine.transaction():
        changed = (
            await TwoKeyAct.update(new)
            .where((TwoKeyAct.id == act) & (TwoKeyAct.state == before))
            .returning(TwoKeyAct.id)
        )
    return len(changed) == 1


async def forget_people(engine: StoreEngine, wave: str) -> None:
    """Wipe every person that an act of the wave still names: nothing of it can be done any more."""
    async with engine.transaction():
        await TwoKeyAct.update({TwoKeyAct.person: 0}).where(TwoKeyAct.wave == wave)


async def name_of(person: int) -> str:
    """The name of whom an act is about, for the two who decide."""
    row = await Person.select(Person.name).where(Person.id == person).first()
    return str(row["name"]) if row else ""
