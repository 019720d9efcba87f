"""What the office and the auditor may know of the concern channel: procedure, training, yearly bands. Nothing of any case."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from server.frame.display import day as in_words
from server.frame.display import text_of
from server.frame.texts import say
from surveys.cases import clocks, handlers
from surveys.public import channel, readers
from surveys.public.channel import ChannelRecord

INDICATORS = ("2.2", "3.6")


@dataclass(frozen=True, slots=True)
class HandlerLine:
    """Somebody on the signed list, and her training."""

    id: str
    name: str
    role: str
    outside: bool
    trained: str
    trained_day: str
    valid: bool


def band_lines(record: ChannelRecord, language: str) -> tuple[tuple[str, str, str], ...]:
    """Each finished year: its band in words, and whether times were kept where that may be said."""
    lines = []
    for year, band in sorted(record.bands.items(), reverse=True):
        kept = "hr.channel.kept_unsaid" if band.kept is None else f"hr.channel.kept_{'yes' if band.kept else 'no'}"
        lines.append(
            (
                year,
                say(language, f"hr.channel.band_{band.band.replace('-', '_').replace('+', '_more')}"),
                say(language, kept),
            )
        )
    return tuple(lines)


async def handler_lines(language: str, today: date, data: Path) -> tuple[HandlerLine, ...]:
    """Everybody on the ring in use."""
    chain = (await readers.load(data)).chain
    ring = chain.newest if chain else None
    known = {record.name: record for record in await handlers.everyone()}
    lines = []
    for reader in ring.readers if ring else ():
        record = known.get(reader.id)
        trained = record.trained if record else None
        valid = record is not None and record.training_is_valid(today)
        lines.append(
            HandlerLine(
                reader.id,
                reader.name,
                text_of(reader.role, language),
                reader.outside,
                in_words(trained, language),
                str(trained or ""),
                valid,
            )
        )
    return tuple(lines)


async def indicator_line(indicator: str, language: str) -> str:
    """The one sentence that an indicator page says of the channel; nothing for other indicators."""
    if indicator not in INDICATORS:
        return ""
    record = await channel.load()
    if not record.is_open:
        return say(language, "hr.channel.line_closed")
    opened = say(language, "hr.channel.line_open", day=in_words(record.opened, language))
    bands = [f"{year}: {band} ({kept})" for year, band, kept in band_lines(record, language)]
    return f"{opened} {'; '.join(bands)}"


async def for_auditor(today: date, data: Path) -> dict[str, Any]:
    """Procedure, times kept and training, as the auditor exports them."""
    record, lists = await channel.load(), await readers.load(data)
    return {
        "opened": record.opened,
        "unions_heard": {"day": record.hearing_day, "document": record.hearing_document},
        "procedure": {
            "acknowledge_days": clocks.ACKNOWLEDGE_DAYS,
            "outcome_months": clocks.OUTCOME_MONTHS,
            "reminders_days": list(clocks.REMINDERS),
            "handler_absent_days": clocks.ABSENT_DAYS,
            "retaliation_months": list(clocks.RETALIATION_MONTHS),
            "retention_years": record.retention_years,
            "diary_months": clocks.DIARY_MONTHS,
        },
        "years": {year: {"band": band.band, "times_kept": band.kept} for year, band in record.bands.items()},
        "handlers": [
            {
                "name": line.name,
                "role": line.role,
                "outside": line.outside,
                "trained": line.trained_day,
                "valid": line.valid,
            }
            for line in await handler_lines("it", today, data)
        ],
        "house": lists.house.printed if lists.house else "",
        "rings": [
            {
                "number": ring.number,
                "day": ring.day.isoformat(),
                "until": ring.until.isoformat(),
                "fingerprint": ring.hash,
            }
            for ring in (lists.chain.rings if lists.chain else ())
        ],
        "keyrings": [
            {"number": ring.number, "day": ring.day.isoformat(), "fingerprint": ring.fingerprint}
            for ring in lists.keyrings
        ],
    }
