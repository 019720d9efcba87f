"""What the plan does not hold and people still depend on: exact headcounts, the least sizes and the address that invitations lead
to, in a file of the folder of keys.

A headcount that is lowered in the store hides a group, or shows one person less of another; a least size that is raised hides
nearly all; another address has answers pass through somebody else's hands. Whoever writes the databases does not write here.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from analysis.steps import size_band
from surveys import signed
from surveys.answers.plans import PlanOther
from surveys.lifecycle.context import frozen_path, keep_file, keep_once
from surveys.people import log, panel
from surveys.public import organisation, waves
from surveys.public.waves import State, WaveRecord

UNDER_WAY = (State.OPEN, State.ENDED, State.CLOSED)
_OTHER_SIZES = "the least sizes are neither those of the opening nor raised with two keys"


class AddressOther(PlanOther):
    """Invitations would lead to another address than that of the opening."""


def update_path(data: Path) -> Path:
    """Where stands which waves an update found under way; written once in the life of an installation."""
    return data / "keys" / "frozen.json"


def keep(data: Path, record: WaveRecord, headcounts: Mapping[str, int], address: str) -> None:
    """Write the file of a wave that is about to open, over the one of an opening that was cut off.

    Parameters
    ----------
    data : the folder that has the folder of keys
    record : the wave, with its least sizes
    headcounts : people of each view, exactly, by its id
    address : of this installation, as links, slips and posters of the wave have it
    """
    _write(data, record.id, {"headcounts": dict(headcounts), "k": [dict(record.rules["k"])], "address": address})


async def keep_at_update(data: Path) -> None:
    """Write the file of every wave that the version before had opened. What was changed in it until then nothing can tell."""
    if update_path(data).exists():
        return
    found = [record for record in await waves.in_state(*UNDER_WAY) if record.origin == "ascolto"]
    about = await organisation.load()
    for record in found:
        if not frozen_path(data, record.id).exists():
            keep(data, record, await panel.headcounts(record.id), about.address if about else "")
    keep_once(update_path(data), signed.canonical(sorted(record.id for record in found)).encode())


def about_to_raise(data: Path, wave: str, now: Mapping[str, int], k: Mapping[str, int]) -> None:
    """Note the least sizes that two keys are about to write into the row: until they stand there, those before hold too.

    Parameters
    ----------
    data : the folder that has the folder of keys
    wave : its id
    now : the least sizes of all families, as the row has them
    k : the same, as the row will have them

    Raises
    ------
    PlanOther
        If the file is not there, cannot be read, or does not know those of the row.
    """
    there = _read(data, wave)
    if dict(now) not in there["k"]:  # after a raise that was cut off the row has the first of two
        raise PlanOther(_OTHER_SIZES)
    _write(data, wave, there | {"k": [dict(now), dict(k)]})


def raised(data: Path, wave: str) -> None:
    """Note that they stand there: nobody puts those before back."""
    there = _read(data, wave)
    _write(data, wave, there | {"k": there["k"][-1:]})


async def check(data: Path, record: WaveRecord) -> None:
    """Hold headcounts, their bands and the least sizes of the stores against the file.

    Raises
    ------
    PlanOther
    """
    there, now = _read(data, record.id), await panel.headcounts(record.id)
    try:
        k = dict(record.rules["k"])
    except (KeyError, TypeError, ValueError):
        raise PlanOther("the rules of the row have another shape") from None
    if there["headcounts"] != now or dict(record.headcount_bands) != {view: size_band(n) for view, n in now.items()}:
        raise PlanOther("the headcounts are not those of the opening")
    if k not in there["k"]:
        raise PlanOther(_OTHER_SIZES)


async def check_raises(record: WaveRecord) -> None:
    """Hold the least sizes of a wave against the log of acts: an older copy of file and row takes no raise back.

    Raises
    ------
    PlanOther
    """
    least = record.rules["k"]
    for act in await log.read():
        said = act.details
        if act.act != "raised" or said.get("wave") != record.id:
            continue
        raised_to = log.number_in(said, "k")
        if raised_to is None or least.get(said.get("family"), 0) < raised_to:
            raise PlanOther(_OTHER_SIZES)


def check_address(data: Path, wave: str, address: str) -> None:
    """Hold the address that an invitation is about to carry against the one of the opening; before it there is none.

    Parameters
    ----------
    data : the folder that has the folder of keys
    wave : its id
    address : as the organisation's row has it now

    Raises
    ------
    AddressOther
    """
    if not frozen_path(data, wave).exists():
        return
    there = _read(data, wave).get("address", address)  # a wave that was opened before December 2026 has none
    if there != address:
        raise AddressOther("the address is not the one of the opening")


async def check_invitations(data: Path, wave: str) -> None:
    """The same, of the organisation's row as it stands: before anything is drawn, printed or marked as given.

    Raises
    ------
    AddressOther
    """
    about = await organisation.load()
    check_address(data, wave, about.address if about else "")


def _write(data: Path, wave: str, content: Mapping[str, Any]) -> None:
    keep_file(frozen_path(data, wave), signed.canonical({"v": 1, "wave": wave, **content}).encode())


def _read(data: Path, wave: str) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(frozen_path(data, wave).read_text("utf-8"))
        kept = {"headcounts": found["headcounts"], "k": list(found["k"])}
        return kept | ({"address": str(found["address"])} if "address" in found else {})
    except (OSError, ValueError, KeyError, TypeError):
        raise PlanOther("there is no file of what was frozen at the opening") from None
