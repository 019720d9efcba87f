"""Messages that reached nobody: whose address failed, and what goes to an address that was corrected.

Only a message that went to everybody of the channel names anybody here. One to those alone who have no code yet would say of
whoever it failed for that she has none.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field

from surveys.engines import StoreEngine
from surveys.people.links import FAILED, SENT, WAITING
from surveys.people.tables import Outbox, Panel, Person

MENDED = "mended"
"""The state of a message to an address that was corrected: it waits for HR's word."""
_CHUNK = 100


@dataclass(frozen=True, slots=True)
class Addressee:
    """Somebody of the list and the address that she has now."""

    person: int
    name: str = field(repr=False)
    contact: str = field(repr=False)


async def failed(wave: str) -> list[Addressee]:
    """Whose message to everybody failed, by name; who has left the list is not among them."""
    return await _addressees(wave, FAILED)


async def mended(wave: str) -> list[Addressee]:
    """Whose address was corrected after messages of this wave had left, by name."""
    return await _addressees(wave, MENDED)


async def _addressees(wave: str, state: str) -> list[Addressee]:
    rows = await Outbox.select(Outbox.member).where(
        (Outbox.wave == wave) & (Outbox.state == state) & (Outbox.member != 0)
    )
    members = sorted({int(row["member"]) for row in rows})
    found: list[Addressee] = []
    for start in range(0, len(members), _CHUNK):
        panel = await Panel.select(Panel.person).where(Panel.id.is_in(members[start : start + _CHUNK]))
        people = await Person.select(Person.id, Person.name, Person.contact).where(
            Person.id.is_in([int(row["person"]) for row in panel])
        )
        found += [Addressee(int(row["id"]), str(row["name"]), str(row["contact"])) for row in people]
    return sorted(found, key=lambda one: (one.name, one.person))


async def failed_of(people: Sequence[int]) -> list[int]:
    """To whom of these a message to everybody failed: while they were not on the list none could leave."""
    rows = await Outbox.select(Outbox.member).where((Outbox.state == FAILED) & (Outbox.member != 0))
    members, among = [int(row["member"]) for row in rows], set(people)
    found = set[int]()
    for start in range(0, len(members), _CHUNK):
        panel = await Panel.select(Panel.person).where(Panel.id.is_in(members[start : start + _CHUNK]))
        found |= {int(row["person"]) for row in panel} & among
    return sorted(found)


async def mend(people: Sequence[int]) -> None:
    """Of these, whose address was corrected: where messages of a wave have left already, one more may go to the new address.

    Whoever has a message to everybody that waits gets it there anyhow. One to those without a code does not count: who is left out
    for its sake would be known to have none. The caller holds the transaction.
    """
    rows = await Outbox.select(Outbox.wave).where(Outbox.state.is_in([SENT, FAILED])).group_by(Outbox.wave)
    for wave in [str(row["wave"]) for row in rows]:
        for start in range(0, len(people), _CHUNK):
            invited = (Panel.wave == wave) & (Panel.channel == "email")
            panel = await Panel.select(Panel.id).where(
                invited & Panel.person.is_in(list(people[start : start + _CHUNK]))
            )
            if panel:
                await _mend(wave, [int(row["id"]) for row in panel])


async def _mend(wave: str, members: Sequence[int]) -> None:
    of_them = (Outbox.wave == wave) & Outbox.member.is_in(list(members))
    await Outbox.delete().where(of_them & (Outbox.state == FAILED))
    under_way = {
        int(row["member"]) for row in await Outbox.select(Outbox.member).where(of_them & Outbox.named.eq(True))
    }
    rows = [
        Outbox(id=secrets.randbits(62), wave=wave, kind="invitation", state=MENDED, member=member, named=True)
        for member in members
        if member not in under_way
    ]
    if rows:
        await Outbox.insert(*rows)


async def unname(engine: StoreEngine, wave: str) -> None:
    """Everybody gets a new message: what failed or was mended before names nobody any more."""
    async with engine.transaction():
        await Outbox.delete().where((Outbox.wave == wave) & (Outbox.state == MENDED))
        failed_before = (Outbox.wave == wave) & (Outbox.state == FAILED)
        await Outbox.update({Outbox.member: 0, Outbox.named: False}).where(failed_before)


async def send_mended(engine: StoreEngine, wave: str) -> int:
    """Let what was mended leave with the next messages; gives how many."""
    async with engine.transaction():
        sent = (
            await Outbox.update({Outbox.state: WAITING, Outbox.tries: 0})
            .where((Outbox.wave == wave) & (Outbox.state == MENDED))
            .returning(Outbox.id)
        )
    return len(sent)
