"""Workplaces with few people, from the last opened wave's published headcount bands: for the check "this could be you"."""

from datetime import date

from server.results.reading import groups_of
from surveys.public import waves

SMALL = ("0-4", "5-9", "10-19")
_known: dict[tuple[date, str], tuple[tuple[str, str], ...]] = {}


async def small_places(language: str, day: date) -> tuple[tuple[str, str], ...]:
    """Names of small units and their band; the same for everyone, looked up once a day and language."""
    if (day, language) not in _known:
        _known.clear()
        opened = [wave for wave in await waves.everything() if wave.opened and wave.origin == "ascolto"]
        newest = max(opened, key=lambda wave: (wave.opened or date.min, wave.id), default=None)
        bands = newest.headcount_bands if newest else {}
        _known[day, language] = tuple(
            (group.name, bands[group.id])
            for group in (groups_of(newest, language) if newest else ())
            if set(group.filter) == {"unit"} and bands.get(group.id) in SMALL
        )
    return _known[day, language]
