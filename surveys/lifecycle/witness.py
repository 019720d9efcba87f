"""What stood at the closing, remembered where nobody writes who writes the urn: in a file of the folder of keys, and in the log of acts.

Slots, spent codes and bulletin can be written anew together so that they fit each other. The text that is kept commits to all
three, to sheets by their sorted hashes, so that it tells no order; file and log must both say the same at the release.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

from surveys import signed
from surveys.answers import wave as urn_of
from surveys.answers.plans import PlanOther
from surveys.answers.wave import Contents
from surveys.lifecycle.context import Site, keep_once
from surveys.people import log
from surveys.people.log import Act
from surveys.people.log import Head as Head
from surveys.public import releases, waves
from surveys.public.waves import State

type Published = tuple[Mapping[str, int], Sequence[str]] | None

AT_CLOSING, AT_UPDATE = "closing", "update"
ACTS = {AT_CLOSING: "closing kept", AT_UPDATE: "closing kept later"}
_SHOWN = 8


class ClosingOther(Exception):
    """What lies here is not what was kept at the closing; the first argument is the reason's key.

    ``file`` if the file is gone, ``log`` if the log says nothing or something else, ``other`` if bulletin, spent codes or sheets
    are not those that were kept.
    """


def path_of(data: Path, wave: str) -> Path:
    return data / "keys" / f"{wave}.closing"


def update_path(data: Path) -> Path:
    """Where stands which closed waves an update found; written once in the life of an installation."""
    return data / "keys" / "closings.json"


def text_of(wave: str, when: str, published: Published, spent: Sequence[str], marks: Sequence[str]) -> str:
    """Write what is kept: the counts as they are, bulletin, spent codes and sheets (by their sorted hashes) as one hash each
    (docs/protocol-urn.md, Closing).

    Parameters
    ----------
    wave : its id
    when : `AT_CLOSING` or `AT_UPDATE`
    published : the bulletin's counts and its list; None counts as an empty one
    spent : digests of spent codes in hex, sorted by the caller
    marks : SHA-256 of each sealed sheet in hex, sorted by the caller
    """
    counts, listed = published or ({}, ())
    codes, sheets = signed.digest(signed.canonical(list(spent))), signed.digest(signed.canonical(list(marks)))
    return signed.canonical(
        {
            "v": 1,
            "wave": wave,
            "kept": when,
            "counts": dict(counts),
            "bulletin": signed.digest(signed.canonical(list(listed))),
            "spent": codes,
            "sheets": sheets,
        }
    )


def mark_of(text: str) -> str:
    """The hash of what is kept, in groups of four: what the log holds, and staff may note down."""
    digest = signed.digest(text)
    return " ".join(digest[i : i + 4] for i in range(0, len(digest), 4))


async def keep(site: Site, wave: str, when: str, published: Published) -> bool:
    """Remember what stands now, in the file and then in the log. A closing that was cut off may do so again.

    Parameters
    ----------
    site : the stores, the folder of keys, the day and who acts: the log holds both
    wave : its id; no sheet is taken any more
    when : `AT_CLOSING` or `AT_UPDATE`
    published : the bulletin's counts and its list

    Returns
    -------
    bool
        False if the file that is there says something else: it is never overwritten.
    """
    text = text_of(wave, when, published, await urn_of.spent_digests(wave), await urn_of.sheet_marks(wave))
    if not keep_once(path_of(site.data, wave), text.encode()) and _read(site.data, wave) != text:
        return False
    if not await _entries(wave):
        counts = {
            name: str(published[0][name])
            for name in ("issued", "drawn", "received")
            if published and name in published[0]
        }
        await log.record(
            site.engines["people"], site.day, site.actor, ACTS[when], wave=wave, mark=mark_of(text), **counts
        )
    return True


async def keep_at_update(site: Site) -> None:
    """Remember, once in the life of an installation, what lies in waves that the version before had closed.

    So no wave is released without a file and an entry. What was changed in such a wave until then nothing can tell.
    """
    if update_path(site.data).exists():
        return
    closed = [record.id for record in await waves.in_state(State.CLOSED)]
    for wave in closed:
        if not await _entries(wave):  # else it was kept before: what lies here now is for the release to judge
            await keep(site, wave, AT_UPDATE, await releases.bulletin(wave))
    keep_once(update_path(site.data), signed.canonical(sorted(closed)).encode())


async def check(data: Path, wave: str, published: Published, there: Contents) -> None:
    """Hold what is about to be opened against file and log.

    Parameters
    ----------
    data : the folder that has the folder of keys
    wave : its id
    published : the bulletin's counts and its list, as they stand in the store now
    there : sheets and spent codes that are about to be opened: these, not another reading of the store

    Raises
    ------
    ClosingOther
        ``file``, ``other`` or ``log``.
    """
    text = _read(data, wave)
    if text is None:
        raise ClosingOther("file")
    if text not in [text_of(wave, when, published, there.spent, urn_of.marks_of(there.sheets)) for when in ACTS]:
        raise ClosingOther("other")
    entries = await _entries(wave)
    if {act.details.get("mark") for act in entries} != {mark_of(text)}:
        raise ClosingOther("log")
    if not all(act.intact for act in await log.read(since=entries[0].number)):
        raise ClosingOther("log")


def check_bulletin(data: Path, wave: str, published: tuple[Mapping[str, int], Sequence[str]]) -> None:
    """Hold a bulletin that is about to be given out against what was kept at the closing.

    Parameters
    ----------
    data : the folder that has the folder of keys
    wave : its id
    published : the bulletin's counts and its list, as they are given out

    Raises
    ------
    PlanOther
        If it is another, or what was kept cannot be read. Of a wave that was over before closings were kept nothing can be said.
    """
    text = _read(data, wave)
    if text is None:
        return
    listed = signed.digest(signed.canonical(list(published[1])))
    try:
        kept = json.loads(text)
        same = kept["bulletin"] == listed and kept["counts"] == dict(published[0])
    except (ValueError, KeyError, TypeError):
        same = False
    if not same:
        raise PlanOther("the bulletin is not the one of the closing")


def shown(data: Path, wave: str) -> tuple[str, str]:
    """When it was kept, and half of its mark to compare later; empty if there is nothing to show."""
    text = _read(data, wave) or ""
    when = next((when for when in ACTS if f'"kept":"{when}"' in text), "")
    return when, " ".join(mark_of(text).split()[:_SHOWN]) if when else ""


async def head_of_yesterday(today: date) -> Head | None:
    """The head of the log of acts of whole days, for everyone to keep: a page that shows it does not tell when somebody works at a desk."""
    return await log.head(before=today)


async def _entries(wave: str) -> list[Act]:
    return [act for act in await log.read() if act.act in ACTS.values() and act.details.get("wave") == wave]


def _read(data: Path, wave: str) -> str | None:
    try:
        return path_of(data, wave).read_text("utf-8")
    except (OSError, ValueError):
        return None
