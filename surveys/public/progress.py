"""How far the release of a wave is, in the store: every process reads the same."""

from dataclasses import dataclass

from surveys.engines import StoreEngine
from surveys.public.tables import Releasing


@dataclass(frozen=True, slots=True)
class Progress:
    """The key of the step that is being done; once `finished`, the key of what failed, or ""."""

    step: str
    failed: str
    finished: bool


async def begin(engine: StoreEngine, wave: str) -> None:
    """Begin anew; what an earlier try left goes."""
    async with engine.transaction():
        await Releasing.delete().where(Releasing.wave == wave)
        await Releasing.insert(Releasing(wave=wave))


async def step(wave: str, key: str) -> None:
    await Releasing.update({Releasing.step: key}).where(Releasing.wave == wave)


async def end(wave: str, failed: str) -> None:
    """It is over: released, or failed for a reason."""
    await Releasing.update({Releasing.failed: failed, Releasing.finished: True}).where(Releasing.wave == wave)


async def of(wave: str) -> Progress | None:
    """What the store says of the newest try; None if none was begun."""
    row = await Releasing.select().where(Releasing.wave == wave).first()
    return Progress(str(row["step"]), str(row["failed"]), bool(row["finished"])) if row else None
