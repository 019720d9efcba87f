"""What the pages of the concern channel know: who reads, since when, the day. Nothing of any case."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from server.display import text_of
from server.settings import Settings
from surveys.cases.keeper import Keeper, keeper_at
from surveys.lifecycle.context import today
from surveys.public import channel, keyring
from surveys.public.channel import ChannelRecord
from surveys.public.keyring import Keyring
from surveys.stores import Engines


@dataclass(frozen=True, slots=True)
class OpenChannel:
    """The channel for one request: its record, all keyrings (the last is in use), K_cases, the day."""

    record: ChannelRecord
    keyrings: tuple[Keyring, ...]
    keeper: Keeper
    engines: Engines
    day: date

    @property
    def keyring(self) -> Keyring:
        return self.keyrings[-1]


@dataclass(frozen=True, slots=True)
class ReaderLine:
    """One person who may read: id, name, role in the page's language, outside or not."""

    id: str
    name: str
    role: str
    outside: bool


async def open_channel(settings: Settings, engines: Engines) -> OpenChannel | None:
    """The channel if it is open and has a valid keyring, else nothing."""
    record = await channel.load()
    if not record.is_open:
        return None
    keyrings = await keyring.versions()
    if not keyrings:
        return None
    return OpenChannel(record, keyrings, keeper_at(settings.data), engines, today())


def reader_lines(ring: Keyring, language: str) -> tuple[ReaderLine, ...]:
    return tuple(ReaderLine(r.id, r.name, text_of(r.role, language), r.outside) for r in ring.readers)


def names(ring: Keyring) -> dict[str, str]:
    """Handlers' names by account."""
    return {reader.id: reader.name for reader in ring.readers}


def grouped_fingerprint(ring: Keyring) -> str:
    """The fingerprint in groups of four, as on the poster."""
    text = ring.fingerprint
    return " ".join(text[start : start + 4] for start in range(0, len(text), 4))


def keyring_content(rings: tuple[Keyring, ...]) -> list[dict[str, Any]]:
    """Keyrings as a browser checks them: the signed texts and their signatures."""
    return [{"text": ring.text, "signatures": list(ring.signatures)} for ring in rings]
