"""Once a month, where backups are made, the jobs rehearse a restore in a process of its own."""

from datetime import date

from server.processes import workers
from server.settings import Settings
from surveys.backup import making, rehearsing

EVERY_DAYS = 28
AGAIN_DAYS = 1
"""A rehearsal that failed is tried again on the next day."""
SECONDS = 3600
"""A gigabyte takes a minute or two."""


class RehearsalFailed(Exception):
    """The last rehearsal failed, and it is not yet time for another: the job goes on having no success."""


async def rehearse_due(settings: Settings, day: date) -> None:
    """Rehearse if it is time; where no backup was ever made there is nothing to rehearse.

    Raises
    ------
    WorkFailed
        If it fails, with the key of the sentence of `ascolto backup`.
    RehearsalFailed
    """
    if not (settings.data / making.MARK).exists():
        return
    last = rehearsing.last(settings.data)
    if last is not None and (day - last.day).days < (EVERY_DAYS if last.good else AGAIN_DAYS):
        if last.good:
            return
        raise RehearsalFailed(last.day.isoformat())
    await workers.run(settings, "rehearse", {"day": day.isoformat()}, seconds=SECONDS)
