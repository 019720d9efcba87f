"""Commands for backups: made while the service runs, rehearsed, looked at, put back."""

import argparse
import asyncio
import sys
from collections.abc import Mapping
from pathlib import Path

from server.frame.terminal import LANGUAGE, Run, harmless
from server.frame.texts import say
from server.settings import from_environment
from surveys.backup.archive import BackupRefused
from surveys.backup.contents import Left
from surveys.backup.making import make
from surveys.backup.rehearsing import rehearse
from surveys.backup.restoring import Found, by_state, look, restore
from surveys.lifecycle.context import today
from surveys.stores import StoreSettings

REHEARSE = "rehearse"
"""Written where else a folder is named; a folder of this name is ./rehearse."""


async def backup(given: argparse.Namespace) -> int:
    """Write one backup and say what is not in it; or rehearse what would become of one."""
    stores = from_environment().stores
    if given.folder == REHEARSE and not given.to:
        return await _rehearse(stores)
    if not given.to:
        return _refuse("to")
    if given.keep < 0:
        return _refuse("keep")
    try:
        made = await asyncio.to_thread(make, stores, Path(given.folder), given.to, today(), given.keep)
    except BackupRefused as problem:
        return _refuse(problem.reason, **problem.values)
    except OSError as problem:
        return _refuse("disk", problem=problem)
    _tell("made", file=made.file, milliseconds=round(made.held_seconds * 1000))
    for path in made.removed:
        _tell("removed", file=path.name)
    _tell_left(made.left)
    return 0


async def _rehearse(stores: StoreSettings) -> int:
    try:
        found = await asyncio.to_thread(rehearse, stores, today())
    except BackupRefused as problem:
        return _refuse(problem.reason, **problem.values)
    except OSError as problem:
        return _refuse("disk", problem=problem)
    _tell_found(found)
    _tell("rehearsed")
    return 0


async def restored(given: argparse.Namespace) -> int:
    """Put a backup back, or look at it; say what is in it and who must bring what."""
    file, identity = Path(given.file), Path(given.identity)
    try:
        found = look(file, identity) if given.look else restore(file, identity, Path(given.data))
    except BackupRefused as problem:
        return _refuse(problem.reason, **problem.values)
    except OSError as problem:
        return _refuse("disk", problem=problem)
    _tell_found(found)
    if given.look:
        _tell("looked")
    else:
        _tell("restored", folder=Path(given.data).absolute())
        _tell_awaited(found)
    return 0


def _tell_found(found: Found) -> None:
    _tell("whole", day=found.day)
    _tell("signer", fingerprint=found.fingerprint)
    for state, n in by_state(found.waves).items():
        names = ", ".join(wave for wave, its in found.waves if its == state)
        _tell("waves", state=say(LANGUAGE, f"desk.state.{state.replace(' ', '_')}"), n=n, names=names)
    _tell("counts", people=found.people, cases=found.cases, documents=found.documents, releases=found.releases)
    if found.last_act:
        _tell("last_act", day=found.last_act)
    _tell_left(found.left)


def _tell_left(left: Mapping[str, Left]) -> None:
    for why in Left:
        names = sorted(name for name, its in left.items() if its is why)
        if names and why is not Left.MADE_AGAIN:
            _tell(f"left.{why}", names=", ".join(names))


def _tell_awaited(found: Found) -> None:
    """What must be brought, by whom, before what works again."""
    if found.cases_key:
        _tell("bring.cases_key")
    for wave in found.under_way:
        _tell("bring.wave_key", wave=wave)
        if f"keys/{wave}.sign.pem" in found.left:
            _tell("bring.token_key", wave=wave)
    if found.under_way:
        _tell("bring.released")
    _tell("bring.sessions")


def _said(key: str, values: Mapping[str, object]) -> str:
    plain = {name: value if isinstance(value, int) else harmless(str(value)) for name, value in values.items()}
    return say(LANGUAGE, f"backup.{key}", **plain)


def _tell(key: str, /, **values: object) -> None:
    print(_said(key, values), flush=True)


def _refuse(key: str, /, **values: object) -> int:
    print(_said(f"refused.{key}", values), file=sys.stderr, flush=True)
    return 1


COMMANDS: dict[str, Run] = {"backup": backup, "restore": restored}
