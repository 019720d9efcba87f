"""What lies about that belongs to no step: the remains of one that was cut off and that nothing has finished."""

from dataclasses import dataclass

from surveys.answers import wave as urn_of
from surveys.lifecycle.context import Site, draw_path, frozen_path, seed_paths, sign_path, wave_key_path
from surveys.people import links, panel, steps
from surveys.public import waves
from surveys.public.waves import State

_BEFORE = (State.DRAFT, State.PLANNED, State.READY)
_OVER = (State.RELEASED, State.TOO_FEW, State.CANCELLED)


@dataclass(frozen=True, slots=True)
class Leftover:
    """One thing and the wave it is of: ``key``, ``urn``, ``links``, ``token_key``, ``seed``, ``draw``, ``opening``, ``file``, or
    ``step``, one that was begun and not finished."""

    what: str
    wave: str

    def __str__(self) -> str:
        return f"{self.what} of {self.wave}" if self.wave else self.what


async def leftovers(site: Site) -> list[Leftover]:
    """Name everything that is left of a step that neither ended nor was taken back; opens no key."""
    found = [Leftover("file", "") for _ in (site.data / "keys").glob("*.partial")]
    found += [Leftover("step", wave) for wave in await steps.waves_named()]
    for wave in await waves.everything():
        if wave.origin != "ascolto":
            continue
        if wave.state in _BEFORE:
            found += await _of_an_opening(site, wave.id)
        if wave.state in (State.CLOSED, *_OVER):
            found += [Leftover("token_key", wave.id)] * sign_path(site.data, wave.id).exists()
            found += [Leftover("seed", wave.id)] * bool(seed_paths(site.data, wave.id))
            found += [Leftover("links", wave.id)] * await links.are_there(wave.id)
        if wave.state in _OVER:
            keys = (site.wraps_file(wave.id), wave_key_path(site.data, wave.id))
            found += [Leftover("key", wave.id)] * any(file.exists() for file in keys)
            found += [Leftover("draw", wave.id)] * draw_path(site.data, wave.id).exists()
            found += [Leftover("urn", wave.id)] * await urn_of.is_there(wave.id)
    return found


async def _of_an_opening(site: Site, wave: str) -> list[Leftover]:
    files = (wave_key_path(site.data, wave), frozen_path(site.data, wave))
    begun = any(file.exists() for file in files) or await urn_of.is_there(wave) or await panel.is_there(wave)
    return [Leftover("opening", wave)] * begun
