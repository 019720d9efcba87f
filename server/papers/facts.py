"""What a printed paper says besides its code."""

from pathlib import Path

from server.frame.display import day, text_of
from server.frame.texts import say
from surveys.lifecycle import frozen
from surveys.lifecycle.ready import is_second, mark_of
from surveys.public import organisation, waves


async def about_slips(data: Path, wave_id: str) -> dict[str, str]:
    """What a slip says besides its code; `mark` is half of π in hex, or nothing for a wave of version 1."""
    wave, about = await waves.get(wave_id), await organisation.load()
    frozen.check_address(data, wave_id, about.address if about else "")
    ends = say("it", "hr.slip.ends", day=day(wave.ends, "it"))
    return {
        "organisation": about.name if about else "Ascolto",
        "title": text_of(wave.title, "it"),
        "address": about.address if about else "",
        "ends": ends,
        "mark": await mark_of(data, wave) if is_second(data, wave_id) else "",
    }
