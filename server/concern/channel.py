"""What the pages of the concern channel know: who reads, since when, the day. Nothing of any case."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from server.frame.display import text_of
from server.settings import Settings
from surveys.cases.keeper import Keeper, keeper_at
from surveys.lifecycle.clock import day_of
from surveys.lifecycle.context import today
from surveys.public import channel, readers
from surveys.public.channel import ChannelRecord
from surveys.public.readers import Readers
from surveys.public.rings import Ring
from surveys.stores import Engines


@dataclass(frozen=True, slots=True)
class OpenChannel:
    """The channel for one request: its record, who reads and who ever did, K_cases, the day."""

    record: ChannelRecord
    readers: Readers
    keeper: Keeper
    engines: Engines
    day: date

    @property
    def ring(self) -> Ring | None:
        """The ring in use; None where the list was not signed anew since version 1: then nothing new is taken."""
        return self.readers.chain.newest if self.readers.chain else None

    @property
    def accounts(self) -> list[str]:
        """The accounts that a new report may be sealed to."""
        return [reader.id for reader in self.ring.readers] if self.ring else []

    @property
    def salt(self) -> str:
        """The salt of codes: the house file's, which no database can change."""
        return self.readers.house.salt if self.readers.house else self.record.salt


@dataclass(frozen=True, slots=True)
class ReaderLine:
    """One person who may read: id, name, role in the page's language, outside or not."""

    id: str
    name: str
    role: str
    outside: bool


async def open_channel(settings: Settings, engines: Engines) -> OpenChannel | None:
    """The channel if it is open, else nothing."""
    record = await channel.load()
    if not record.is_open:
        return None
    found = await readers.load(settings.data)
    if found.chain is None and not found.keyrings:
        return None
    return OpenChannel(record, found, keeper_at(settings.data), engines, day_of(settings.data, today()))


def reader_lines(ring: Ring | None, language: str) -> tuple[ReaderLine, ...]:
    return tuple(ReaderLine(r.id, r.name, text_of(r.role, language), r.outside) for r in ring.readers) if ring else ()


def holder_names(ring: Ring | None) -> str:
    """Those who hold the recovery key, in one line; empty where there is none."""
    return ", ".join(holder.name for holder in ring.recovery) if ring else ""


def house_lines(found: Readers) -> tuple[str, str]:
    """What is compared with the poster: twelve words, and the same as groups of hex; empty without a house file."""
    return (" ".join(found.house.words), grouped(found.house.printed)) if found.house else ("", "")


def grouped(text: str) -> str:
    """Hex digits in groups of four, as on the poster."""
    return " ".join(text[start : start + 4] for start in range(0, len(text), 4))


def list_content(found: Readers) -> dict[str, Any]:
    """House, rings, still and old keyrings as a browser or the offline command checks them: signed texts, nothing else."""
    chain = found.chain
    return {
        "house": found.house.text if found.house else "",
        "rings": [{"text": ring.text, "signatures": [dict(s) for s in ring.signatures]} for ring in chain.rings]
        if chain
        else [],
        "still": {"text": chain.still[0], "signatures": [dict(s) for s in chain.still[1]]}
        if chain and chain.still
        else None,
        "keyrings": [{"text": ring.text, "signatures": list(ring.signatures)} for ring in found.keyrings],
    }
