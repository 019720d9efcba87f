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
        return refused("to")
    if given.keep < 0:
        return refused("keep")
    try:
        made = await asyncio.to_thread(make, stores, Path(given.folder), given.to, today(), given.keep)
    except BackupRefused as problem:
        return refused(problem.reason, **problem.values)
    except OSError as problem:
        return refused("disk", problem=problem)
    said("made", file=made.file, milliseconds=round(made.held_seconds * 1000))
    for path in made.removed:
        said("removed", file=path.name)
    _tell_left(made.left)
    return 0


async def _rehearse(stores: StoreSettings) -> int:
    try:
        found = await asyncio.to_thread(rehearse, stores, today())
    except BackupRefused as problem:
        return refused(problem.reason, **problem.values)
    except OSError as problem:
        return refused("disk", problem=problem)
    _tell_found(found)
    said("rehearsed")
    return 0


async def restored(given: argparse.Namespace) -> int:
    """Put a backup back, or look at it; say what is in it and who must bring what."""
    file, identity = Path(given.file), Path(given.identity)
    try:
        found = look(file, identity) if given.look else restore(file, identity, Path(given.data))
    except BackupRefused as problem:
        return refused(problem.reason, **problem.values)
    except OSError as problem:
        return refused("disk", problem=problem)
    _tell_found(found)
    if given.look:
        said("looked")
    else:
        said("restored", folder=Path(given.data).absolute())
        _tell_awaited(found)
    return 0


def _tell_found(found: Found) -> None:
    said("whole", day=found.day)
    said("signer", fingerprint=found.fingerprint)
    for state, n in by_state(found.waves).items():
        names = ", ".join(wave for wave, its in found.waves if its == state)
        said("waves", state=say(LANGUAGE, f"desk.state.{state.replace(' ', '_')}"), n=n, names=names)
    said("counts", people=found.people, cases=found.cases, documents=found.documents, releases=found.releases)
    if found.last_act:
        said("last_act", day=found.last_act)
    strange = "; ".join(f"{store}: {', '.join(names)}" for store, names in found.taken_out.items() if names)
    if strange:
        said("taken_out", names=strange)
    _tell_left(found.left)


def _tell_left(left: Mapping[str, Left]) -> None:
    for why in Left:
        names = sorted(name for name, its in left.items() if its is why)
        if names and why is not Left.MADE_AGAIN:
            said(f"left.{why}", names=", ".join(names))


def _tell_awaited(found: Found) -> None:
    """What must be brought, by whom, before what works again."""
    if found.cases_key:
        said("bring.cases_key")
    for wave in found.under_way:
        said("bring.wave_key", wave=wave)
        if f"keys/{wave}.sign.pem" in found.left:
            said("bring.token_key", wave=wave)
    if found.under_way:
        said("bring.released")
    said("bring.sessions")


def _words(key: str, values: Mapping[str, object]) -> str:
    plain = {name: value if isinstance(value, int) else harmless(str(value)) for name, value in values.items()}
    return say(LANGUAGE, f"backup.{key}", **plain)


def said(key: str, /, **values: object) -> None:
    print(_words(key, values), flush=True)


def refused(key: str, /, **values: object) -> int:
    print(_words(f"refused.{key}", values), file=sys.stderr, flush=True)
    return 1


COMMANDS: dict[str, Run] = {"backup": backup, "restore": restored}
