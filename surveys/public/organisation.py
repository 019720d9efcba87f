"""The organisation of this installation, as staff read about it."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date

import msgspec

from surveys.engines import StoreEngine
from surveys.languages import LANGUAGES
from surveys.odd import reading
from surveys.public.tables import Organisation
from surveys.shown import mark_of


@dataclass(frozen=True, slots=True)
class SupportContact:
    """Somebody to talk to: name, what for, how to reach them, when, in which languages, at what cost; `tells_employer`
    answers the first fear; `checked_on` is the ISO day when all this was last checked."""

    name: str
    what: Mapping[str, str]
    reach: str
    hours: str = ""
    tells_employer: bool = False
    languages: str = ""
    cost: str = ""
    checked_on: str = ""


@dataclass(frozen=True, slots=True)
class Notice:
    """The parts of the privacy notice that only the organisation knows."""

    controller: str = ""
    purpose: str = ""
    retention: str = ""
    contact: str = ""


@dataclass(frozen=True, slots=True)
class OrganisationRecord:
    """Name, languages and contacts. Dates are ISO days; empty text means not yet given."""

    name: str
    languages: tuple[str, ...] = LANGUAGES
    demonstration: bool = False
    notice: Notice = field(default_factory=Notice)
    referente: str = ""
    canale: str = ""
    help_checked_on: str = ""
    contacts: tuple[SupportContact, ...] = ()
    address: str = ""
    """Where staff reach this installation, as printed on slips: ``https://…``."""

    def missing(self) -> tuple[str, ...]:
        """Name what a wave needs before it may open."""
        gaps = [f"notice.{part}" for part, text in asdict(self.notice).items() if not text.strip()]
        gaps += [name for name in ("address", "referente", "canale") if not getattr(self, name).strip()]
        if not self.help_checked_on:
            gaps.append("help_checked_on")
        return tuple(gaps)


async def load() -> OrganisationRecord | None:
    """Read the organisation; None before `ascolto init`.

    Raises
    ------
    StoreOdd
        If what is kept is none: every page stands on it.
    """
    row = await Organisation.select().where(Organisation.id == 1).first()
    if row is None:
        return None
    with reading("organisation"):
        found = msgspec.json.decode(row["content"], type=OrganisationRecord)
        days = [found.help_checked_on, *(contact.checked_on for contact in found.contacts)]
        for day in filter(None, days):
            date.fromisoformat(day)
        if not set(found.languages) <= set(LANGUAGES):
            raise ValueError("a language that no page speaks")
        return found


class OrganisationChanged(Exception):
    """Somebody else kept it meanwhile; `now` is what stands there, and nothing was changed."""

    def __init__(self, now: OrganisationRecord) -> None:
        super().__init__("the organisation was changed meanwhile")
        self.now = now


def shown(record: OrganisationRecord) -> str:
    """The mark of what a form showed."""
    return mark_of(asdict(record))


async def save(engine: StoreEngine, record: OrganisationRecord, seen: str | None = None) -> None:
    """Keep it.

    Parameters
    ----------
    engine : of the public store
    record : all of it
    seen : the mark of what whoever changed it had before her; None changes whatever stands there. The same twice is once

    Raises
    ------
    OrganisationChanged
    """
    text = json.dumps(asdict(record), ensure_ascii=False)
    async with engine.writing_alone(Organisation):
        now = await load()
        if seen is not None and now is not None and now != record and shown(now) != seen:
            raise OrganisationChanged(now)
        await Organisation.delete().where(Organisation.id == 1)
        await Organisation.insert(Organisation(id=1, content=text))


def checked_recently(record: OrganisationRecord, today: date, days: int = 92) -> bool:
    """Say whether the help numbers were checked within three months."""
    if not record.help_checked_on:
        return False
    return 0 <= (today - date.fromisoformat(record.help_checked_on)).days <= days
