"""What a release, a closing with too few sheets and a cancelling destroy: keys first, then rows; what was cut off is done again.

Keys are files: they go at once and whole. Rows may have to wait, for a backup that reads in the store for one: without the keys
nobody opens them. The jobs and each start look for what is left (`finish`).
"""

import fcntl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from surveys import signed
from surveys.answers import wave as urn_of
from surveys.lifecycle import copies, drawing, steps
from surveys.lifecycle.context import (
    Site,
    destroy_seeds,
    destroy_wraps,
    draw_path,
    keep_file,
    keep_once,
    over_path,
    seed_paths,
    wave_key_path,
)
from surveys.lifecycle.issuing import destroy_token_key, key_file
from surveys.people import links, two_keys
from surveys.people import steps as begun
from surveys.public import releases, waves
from surveys.public.waves import State, WaveRecord
from surveys.stirring import StillInOrder

DESTROY = "destroy"
OVER = (State.RELEASED, State.TOO_FEW, State.CANCELLED)


async def destroy(site: Site, wave: str) -> None:
    """Destroy keys, urn, links and messages of a wave that is over; of one that never had any nothing is written down."""
    step = await begun.find(wave, DESTROY)
    if step is None:
        if not await _is_left(site, wave):
            return
        step = await steps.begin(site, wave, DESTROY)
    await _destroy(site, step)


@steps.part(DESTROY, last="urn destroyed")
async def _destroy(site: Site, step: steps.Step) -> None:
    wave = step.wave
    keep_file(over_path(site.data, wave), b"{}")  # first: a key that is brought back opens nothing any more
    destroy_token_key(site, wave)
    destroy_seeds(site.data, wave)
    destroy_wraps(site, wave)
    drawing.destroy(site.data, wave)  # after the keys: while sheets can be opened their moves are the same
    with suppress(StillInOrder):  # a reader, as of a backup, holds the log of ciphertext: the next stir empties it
        await urn_of.destroy(site.engines["answers"], wave)
    if await links.are_there(wave):
        await forget_links(site, wave)
    copies.clear(site.data)
    await steps.over(site, step, "urn destroyed", wave=wave)


async def keep_at_update(site: Site) -> None:
    """Note, once in the life of an installation, which waves the version before had ended for good."""
    done = site.data / "keys" / "over.json"
    if done.exists():
        return
    over = [wave.id for wave in await waves.in_state(*OVER) if wave.origin == "ascolto"]
    for wave in over:
        keep_once(over_path(site.data, wave), b"{}")
    keep_once(done, signed.canonical(sorted(over)).encode())


async def forget_links(site: Site, wave: str) -> None:
    """No link works any more, nobody is named by an act, no message waits."""
    people = site.engines["people"]
    await links.forget_links(people, wave)
    await two_keys.forget_people(people, wave)
    await links.leave_no_trace(people)


async def finish(site: Site) -> None:
    """Destroy what is left of every wave that is over, and what a closing that was cut off left of links.

    A row that cannot be right, or a store that is busy, keeps no other wave waiting; what happened is raised at the end.
    Nothing of a wave that says it is released is destroyed unless its document is here, and ours.
    """
    problem: Exception | None = None
    for wave in await waves.in_state(State.CLOSED, *OVER):
        try:
            if wave.origin == "ascolto":
                await _finish_one(site, wave)
        except Exception as this:
            problem = this
    if problem is not None:
        raise problem


async def _finish_one(site: Site, wave: WaveRecord) -> None:
    if wave.state == State.CLOSED:
        if key_file(site, wave.id).exists() or await links.are_there(wave.id):
            destroy_token_key(site, wave.id)
            await forget_links(site, wave.id)
    elif wave.state != State.RELEASED or await releases.ours(wave.id) is not None:
        await destroy(site, wave.id)


class AlreadyReleasing(Exception):
    """Another process is releasing a wave at this moment."""


@asynccontextmanager
async def alone(site: Site) -> AsyncIterator[None]:
    """The lock of whoever releases or destroys.

    Raises
    ------
    AlreadyReleasing
    """
    path = site.data / "keys" / "release.lock"
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with open(path, "w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as problem:
            raise AlreadyReleasing from problem
        yield


async def _is_left(site: Site, wave: str) -> bool:
    files = (
        site.wraps_file(wave),
        wave_key_path(site.data, wave),
        draw_path(site.data, wave),
        key_file(site, wave),
        *seed_paths(site.data, wave),
    )
    return any(file.exists() for file in files) or await urn_of.is_there(wave) or await links.are_there(wave)
