"""A rehearsal: what a backup would hold now is put back beside the stores, opened with the program, looked at, and removed.

The private keys that open backups are on no machine that makes them, so what is put back is a fresh moment before it is sealed.
That a sealed file opens is for whoever has the key (`restoring.look`).
"""

import asyncio
import json
import tempfile
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from surveys.answers import wave as urn_of
from surveys.answers.plans import PlanOther
from surveys.backup.archive import BackupRefused, stream
from surveys.backup.gathering import gathered
from surveys.backup.restoring import UNDER_WAY, Found, laid_out
from surveys.lifecycle import frozen, witness
from surveys.lifecycle.context import Site, read_wave_key, wave_key_digest
from surveys.lifecycle.ready import checked_row, is_second
from surveys.lifecycle.witness import ClosingOther
from surveys.people import log
from surveys.public import releases, waves
from surveys.public.waves import State, WaveRecord
from surveys.stores import StoreSettings, stores

MARK = "rehearsal.day"
"""Holds the day of the last rehearsal and whether it came to a good end."""
ACTOR = "rehearsal"


@dataclass(frozen=True, slots=True)
class Last:
    """The last rehearsal that was begun. One that was killed was not good."""

    day: date
    good: bool


def last(data: Path) -> Last | None:
    """Read when a rehearsal was last begun and whether it came to a good end; None where none was, or nothing can be read."""
    try:
        said = json.loads((data / MARK).read_text("ascii"))
        return Last(date.fromisoformat(said["day"]), said["good"] is True)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _keep(data: Path, day: date, *, good: bool) -> None:
    (data / MARK).write_text(json.dumps({"day": day.isoformat(), "good": good}), "ascii")


def rehearse(settings: StoreSettings, day: date) -> Found:
    """Make a fresh moment, put it back into a closed folder, prove it as a restore does, and look whether its waves could go on.

    Binds the tables to the copy, with a loop of its own: for a process, or at least a thread, that does nothing else.

    Parameters
    ----------
    settings : StoreSettings
        The installation; others go on writing there.
    day : date
        Stands in the mark of the last rehearsal.

    Raises
    ------
    BackupRefused
        As `gathered` and a restore; ``wave`` with the survey and what is wrong with it, ``log`` where the log of acts is not whole.
    OSError
    """
    with gathered(settings, day) as found:
        _keep(settings.data, day, good=False)  # until it is over
        again = found.staging
        again.mkdir(mode=0o700)
        with tempfile.TemporaryFile(dir=again) as plain:
            for piece in stream(found.manifest, found.contents):
                plain.write(piece)
            held = laid_out(plain, again)
        asyncio.run(_opens(again, settings.data, day))
    _keep(settings.data, day, good=True)
    return held


async def _opens(again: Path, data: Path, day: date) -> None:
    """Open the copy as a start does, and look at every wave as its next step would."""
    async with stores(StoreSettings(again)) as engines:
        if not all(act.intact for act in await log.read()):
            raise BackupRefused("log")
        site = Site(engines, again, day, ACTOR)
        for record in await waves.everything():
            try:
                await _goes_on(site, data, record)
            except BackupRefused:
                raise
            except Exception as problem:  # whatever it is, the next step would meet it
                raise BackupRefused("wave", wave=record.id, problem=_said(problem)) from problem


def _said(problem: Exception) -> str:
    """What is wrong, where a rule of ours says it; of any other fault its kind alone, whose text might hold a row."""
    return (
        f"{type(problem).__name__}: {problem}"
        if isinstance(problem, PlanOther | ClosingOther)
        else type(problem).__name__
    )


async def _goes_on(site: Site, data: Path, record: WaveRecord) -> None:
    """Hold a wave's row, plan, log, bulletin, sheets and codes against each other; of what is published the signature.

    Raises
    ------
    PlanOther, ClosingOther, ReleaseInvalid
    BackupRefused
        ``wave_key`` where nobody brought it since the last restore.
    """
    if record.state == State.RELEASED:
        await releases.document(record.id)
    await checked_row(site.data, record)
    if record.origin != "ascolto" or record.state not in UNDER_WAY:
        return
    await frozen.check_raises(record)
    there = await urn_of.contents(record.id)
    if len(there.sheets) > len(there.spent):
        raise PlanOther("it has more sheets than spent codes")
    if record.state == State.CLOSED:
        published = await releases.bulletin(record.id)
        await witness.check(site.data, record.id, published, there)
        if published is None or tuple(published[1]) != there.spent:
            raise PlanOther("the bulletin lists other codes than were spent")
    if not is_second(site.data, record.id):
        return
    try:
        key = read_wave_key(data, record.id)
    except FileNotFoundError:
        raise BackupRefused("wave_key", wave=record.id) from None
    if wave_key_digest(key) != record.seal_key:
        raise PlanOther("the wave key beside the stores is another")
