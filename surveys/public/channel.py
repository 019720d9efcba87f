"""The concern channel as everyone may know it: open or not, its rules, its yearly bands. Nothing of any case."""

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import date

import msgspec

from surveys.engines import StoreEngine
from surveys.odd import reading
from surveys.public.tables import Channel
from surveys.shown import mark_of

BANDS = ((5, "0-4"), (10, "5-9"), (20, "10-19"))
TRAINING_MONTHS = 24


@dataclass(frozen=True, slots=True)
class YearBand:
    """How many cases came in a finished year, as one band; `kept`: were all times kept? None below five cases."""

    band: str
    kept: bool | None


@dataclass(frozen=True, slots=True)
class ChannelRecord:
    """Settings and duties of the channel; dates are ISO days, empty until they are known."""

    salt: str
    """16 bytes in hex that all codes of this installation are derived with; public."""
    hearing_day: str = ""
    hearing_document: str = ""
    opened: str = ""
    other_files: bool = False
    """Whether files that are no pictures are taken, with a warning."""
    retention_years: int = 5
    kept_longer: tuple[tuple[str, int], ...] = ()
    """Where the years were made fewer: the last day on which a case could end under more, and how many. Those stay kept so long."""
    bands: Mapping[str, YearBand] = field(default_factory=dict)

    @property
    def is_open(self) -> bool:
        return bool(self.opened)

    @property
    def rules(self) -> tuple[str, str, bool, int]:
        """What the office writes: the hearing's day and document, whether other files are taken, years of keeping."""
        return self.hearing_day, self.hearing_document, self.other_files, self.retention_years

    @property
    def shown(self) -> str:
        """The mark of the rules, for the form that shows them."""
        return mark_of(self.rules)

    def missing(self, on: date, *, keyring: bool, trained: bool, help_checked: bool) -> tuple[str, ...]:
        """Name what stands before opening: the hearing (art. 4 c. 1), which is over, keys, training, help."""
        gaps = {
            "hearing_day": bool(self.hearing_day) and date.fromisoformat(self.hearing_day) <= on,
            "hearing_document": bool(self.hearing_document.strip()),
            "keyring": keyring,
            "trained": trained,
            "help_checked": help_checked,
        }
        return tuple(name for name, there in gaps.items() if not there)


def band_of(cases: int) -> str:
    """The band of a count: 0-4 (which includes none), 5-9, 10-19, 20+."""
    return next((name for limit, name in BANDS if cases < limit), "20+")


def year_band(cases: int, late: int) -> YearBand:
    """What a year says: its band and, from five cases, whether every legal time was kept."""
    return YearBand(band_of(cases), None if cases < BANDS[0][0] else late == 0)


async def load() -> ChannelRecord:
    """Read the channel; a fresh one, not stored, before the first `save`.

    Raises
    ------
    StoreOdd
    """
    row = await Channel.select().where(Channel.id == 1).first()
    if row is None:
        return ChannelRecord("")
    with reading("channel"):
        found = msgspec.json.decode(row["content"], type=ChannelRecord)
        for day in filter(None, (found.hearing_day, found.opened, *(until for until, _ in found.kept_longer))):
            date.fromisoformat(day)
        return found


async def save(engine: StoreEngine, record: ChannelRecord) -> ChannelRecord:
    """Store the channel, whatever stood there."""
    return await change(engine, lambda _: record)


async def change(engine: StoreEngine, how: Callable[[ChannelRecord], ChannelRecord]) -> ChannelRecord:
    """Change the channel from how it stands at that moment: what others change meanwhile stays.

    Parameters
    ----------
    engine : of the public store
    how : gives the channel after; what it raises leaves all as it was. The salt is drawn once and never changes
    """
    async with engine.writing_alone(Channel):
        stored = await load()
        record = how(stored)
        content = asdict(record) | {"salt": stored.salt or record.salt or os.urandom(16).hex()}
        await Channel.delete().where(Channel.id == 1)
        await Channel.insert(Channel(id=1, content=json.dumps(content, ensure_ascii=False)))
    return await load()
