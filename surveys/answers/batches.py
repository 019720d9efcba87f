"""Slips are made in batches: their rows and their number are one commit, so that what is counted is what was made.

The codes of a batch follow from its seed, 32 random bytes that lie outside this store until the batch is handed over: so long
it can be printed again, or made void. No row of a slip names its batch.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from surveys.answers.tables import Slip, SlipBatch
from surveys.engines import StoreEngine
from surveys.slips import Digest, SlipCode, digest, new_code, row_key, spent_digest

SEED_BYTES = 32
BEFORE = 0
"""The number of what was printed before there were batches."""
PRINTED, HANDED, VOID = "printed", "handed", "void"
_CHUNK = 200


@dataclass(frozen=True, slots=True)
class Batch:
    """One batch: how many slips, how many of them were made void, its state (`PRINTED`, `HANDED`, `VOID`), the day it was made."""

    number: int
    slips: int
    voided: int
    state: str
    day: date | None


def codes_of(seed: bytes, slips: int) -> list[SlipCode]:
    """The codes of a batch: each of 80 bits of SHAKE-256 (FIPS 202) of its seed, in an order that says nothing once they are shuffled."""
    stream, at = hashlib.shake_256(b"ascolto slips v1" + seed).digest(10 * slips), 0

    def following(count: int) -> bytes:
        nonlocal at
        at += count
        return stream[at - count : at]

    return [new_code(following) for _ in range(slips)]


def _digests(codes: Sequence[SlipCode], first_version: bool) -> list[Digest]:
    proofs = [digest(code) for code in codes]
    return sorted(proofs if first_version else [spent_digest(proof) for proof in proofs])


def _key(wave: str, number: int) -> int:
    return row_key(Digest(hashlib.sha256(f"{wave}/{number}".encode()).digest()))


async def of_wave(wave: str) -> list[Batch]:
    """The batches of a wave, by number."""
    rows = await SlipBatch.select().where(SlipBatch.wave == wave).order_by(SlipBatch.number)
    return [
        Batch(int(row["number"]), int(row["slips"]), int(row["voided"]), str(row["state"]), row["day"]) for row in rows
    ]


def drawable(batches: Sequence[Batch]) -> int:
    """How many slips of these somebody may have drawn: all but those made void."""
    return sum(batch.slips - batch.voided for batch in batches)


async def keep(
    engine: StoreEngine,
    wave: str,
    number: int,
    codes: Sequence[SlipCode],
    day: date,
    *,
    printed_before: int,
    first_version: bool = False,
) -> None:
    """Keep the digests of a batch, in random order, and its number; nothing if it is there.

    Parameters
    ----------
    engine : of the store of answers
    wave : its id
    number : of the batch, from 1
    codes : all of them; the bound is the caller's
    day : on which they are made
    printed_before : how many slips the wave had before its first batch
    first_version : whether the wave is one of version 1, whose rows hold the digest of the code itself
    """
    there = {batch.number for batch in await of_wave(wave)}
    if number in there:
        return
    digests = _digests(codes, first_version)
    async with engine.transaction():
        for start in range(0, len(digests), _CHUNK):
            await Slip.insert(
                *(Slip(id=row_key(of), wave=wave, digest=bytes(of)) for of in digests[start : start + _CHUNK])
            )
        if not there and printed_before:
            await SlipBatch.insert(_row(wave, BEFORE, printed_before, HANDED, None))
        await SlipBatch.insert(_row(wave, number, len(digests), PRINTED, day))


def _row(wave: str, number: int, slips: int, state: str, day: date | None) -> SlipBatch:
    return SlipBatch(id=_key(wave, number), wave=wave, number=number, slips=slips, state=state, day=day)


async def hand_over(engine: StoreEngine, wave: str, number: int) -> None:
    """Note that a printed batch was given out.

    Parameters
    ----------
    engine : of the store of answers
    wave : its id
    number : of the batch
    """
    async with engine.transaction():
        await SlipBatch.update({SlipBatch.state: HANDED}).where(
            (SlipBatch.id == _key(wave, number)) & (SlipBatch.state == PRINTED)
        )


async def make_void(
    engine: StoreEngine, wave: str, number: int, codes: Sequence[SlipCode], spoiled: int, *, first_version: bool = False
) -> None:
    """Take the right to answer from every slip of a printed batch that was not used. How many were is said nowhere: `spoiled` is counted by hand.

    Parameters
    ----------
    engine : of the store of answers
    wave : its id
    number : of the batch
    codes : all of the batch
    spoiled : how many sheets two people counted and destroyed; as many may be printed again
    first_version : as `keep` was told
    """
    keys = [row_key(of) for of in _digests(codes, first_version)]
    # a sheet that has read its slip is kept first; the next one reads none
    async with engine.writing_alone(Slip, readers=False):
        row = await SlipBatch.select(SlipBatch.state).where(SlipBatch.id == _key(wave, number)).first()
        if row is None or row["state"] != PRINTED:
            return
        for start in range(0, len(keys), _CHUNK):
            await Slip.delete().where(Slip.id.is_in(keys[start : start + _CHUNK]) & (Slip.wave == wave))
        await SlipBatch.update({SlipBatch.state: VOID, SlipBatch.voided: spoiled}).where(
            SlipBatch.id == _key(wave, number)
        )
