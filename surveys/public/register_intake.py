"""A file taken into the register: what it would change, and the change itself, all of it or nothing. It never takes a line away."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date

from surveys.engines import StoreEngine
from surveys.public import register_log as log
from surveys.public.register import Record, RegisterRefused, alone, checked, everything, mark_of, write
from surveys.public.register_entry import Entry
from surveys.public.tables import RegisterEntry

type Wanted = tuple[int | None, Entry]
"""A row of a file: the number of the line that it says anew, or none for a new one."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a file would do: new lines, lines said anew with what they were, and how many stay as they are."""

    added: tuple[Entry, ...]
    changed: tuple[tuple[Record, Entry], ...]
    same: int


def plan(records: Mapping[int, Record], wanted: Sequence[Wanted]) -> Plan:
    """Hold a file against the register. A row without a number that says exactly what a line says already adds nothing.

    Raises
    ------
    RegisterRefused
        ``gone``, if a number is of no line.
    """
    added, changed, known = [], [], {one.entry for one in records.values()}
    for number, entry in wanted:
        if number is None and entry not in known:
            added.append(entry)
        elif number is not None:
            if number not in records:
                raise RegisterRefused("gone")
            if records[number].entry != entry:
                changed.append((records[number], entry))
    return Plan(tuple(added), tuple(changed), len(wanted) - len(added) - len(changed))


async def take_in(engine: StoreEngine, wanted: Sequence[Wanted], seen: str, file: str, who: str, today: date) -> Plan:
    """Do what `plan` says, in one transaction.

    Parameters
    ----------
    seen : str
        `register.mark_of` the lines with which the plan was shown.
    file : str
        SHA-256 of the file, for the log.

    Raises
    ------
    RegisterRefused
        ``changed``, ``gone``, or the faults of the first row that has any: nothing is written.
    """
    for _, entry in wanted:
        checked(entry, today)
    more = {log.FROM_FILE: file}
    async with alone(engine):
        records = await everything()
        if mark_of(records) != seen:
            raise RegisterRefused("changed")
        made = plan(records, wanted)
        for before, entry in made.changed:
            await write(before, entry, who, today, **more)
        first = 1 + await log.last_number()
        new = [Record(first + place, entry, today) for place, entry in enumerate(made.added)]
        for begin in range(0, len(new), 50):
            rows = [
                RegisterEntry(number=one.number, **asdict(one.entry), set_on=today, changed_on=None)
                for one in new[begin : begin + 50]
            ]
            await RegisterEntry.insert(*rows)
        await log.enter_new({one.number: one.as_it_stands() | more for one in new}, today, who)
    return made
