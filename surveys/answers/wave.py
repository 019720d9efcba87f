"""What the answers store does for a wave besides receiving: fill the urn, print rights to answer, stir, count, destroy."""

import hashlib
import secrets
from collections.abc import Iterator

from surveys.answers.envelope import ENVELOPE_BYTES, EnvelopeUnreadable, unseal
from surveys.answers.keys import UrnKey
from surveys.answers.tables import Gate, Slip, Slot, Spent
from surveys.engines import StoreEngine
from surveys.tokens import Digest, SlipCode, digest, new_code, row_key

_CHUNK = 200


async def fill_urn(engine: StoreEngine, wave: str, slots: int) -> None:
    """Fill the urn with equal random blobs, each to be overwritten by at most one sheet, and let tokens in."""
    rows = await Slot.select(Slot.id).order_by(Slot.id, ascending=False).limit(1)
    first = int(rows[0]["id"]) + 1 if rows else 1
    async with engine.transaction():
        for start in range(0, slots, _CHUNK):
            await Slot.insert(
                *(
                    Slot(id=first + i, wave=wave, taken=False, sheet=secrets.token_bytes(ENVELOPE_BYTES))
                    for i in range(start, min(start + _CHUNK, slots))
                )
            )
        await Gate.insert(Gate(id=gate_key(wave), wave=wave))


def gate_key(wave: str) -> int:
    return row_key(Digest(hashlib.sha256(wave.encode()).digest()))


async def make_slips(engine: StoreEngine, wave: str, count: int) -> list[SlipCode]:
    """Make codes and keep their digests, in random order. The codes themselves are returned once and never kept."""
    codes = [new_code(secrets.token_bytes) for _ in range(count)]
    digests: list[Digest] = sorted(digest(code) for code in codes)
    async with engine.transaction():
        for start in range(0, count, _CHUNK):
            await Slip.insert(
                *(Slip(id=row_key(of), wave=wave, digest=bytes(of)) for of in digests[start : start + _CHUNK])
            )
    return codes


async def wave_of_slip(code: SlipCode) -> str | None:
    """Say which wave a code may answer, spent or not; nothing changes."""
    of = digest(code)
    row = await Slip.select().where(Slip.id == row_key(of)).first()
    return str(row["wave"]) if row and secrets.compare_digest(bytes(row["digest"]), of) else None


async def slips_of(wave: str) -> int:
    return int(await Slip.count().where(Slip.wave == wave))


async def received(wave: str) -> int:
    """Count the sheets in the urn."""
    return int(await Spent.count().where(Spent.wave == wave))


async def withdraw_slips(engine: StoreEngine, wave: str) -> None:
    """Take every right to answer away: from this commit on no sheet of the wave is accepted."""
    async with engine.transaction():
        await Slip.delete().where(Slip.wave == wave)
        await Gate.delete().where(Gate.wave == wave)


async def spent_digests(wave: str) -> list[str]:
    """The digests of spent codes, sorted, as they are published in the bulletin."""
    rows = await Spent.select(Spent.digest).where(Spent.wave == wave)
    return sorted(bytes(row["digest"]).hex() for row in rows)


async def open_envelopes(wave: str, key: UrnKey) -> tuple[list[bytes], int]:
    """Open every envelope of a wave in memory: the sheets, and how many could not be opened."""
    rows = await Slot.select(Slot.sheet).where((Slot.wave == wave) & Slot.taken.eq(True))
    sheets, unreadable = [], 0
    for envelope in _blobs(rows):
        try:
            sheets.append(unseal(envelope, key))
        except EnvelopeUnreadable:
            unreadable += 1
    return sheets, unreadable


def _blobs(rows: list[dict[str, object]]) -> Iterator[bytes]:
    for row in rows:
        yield bytes(row["sheet"])  # type: ignore[call-overload]  # a blob on both engines


async def destroy(engine: StoreEngine, wave: str) -> None:
    """Remove urn and digests of a wave, and every trace of them on the pages of the file."""
    async with engine.transaction():
        await Slot.delete().where(Slot.wave == wave)
        await Spent.delete().where(Spent.wave == wave)
        await Slip.delete().where(Slip.wave == wave)
        await Gate.delete().where(Gate.wave == wave)
    await stir(engine)


async def stir(engine: StoreEngine) -> None:
    """Rewrite urn and spent codes so that nothing on disk tells the order of arrival (PRIVACY, side channels)."""
    await engine.rewrite(Slot, Spent, Slip, Gate)
