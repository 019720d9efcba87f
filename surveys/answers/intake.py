"""Receiving one answer sheet: under a right that was verified, sealed, into the urn in one durable commit."""

from surveys.answers import envelope, pairs
from surveys.answers.filling import Receipt
from surveys.answers.rights import OpenWave, Right
from surveys.answers.urn import Urn
from surveys.questionnaire import AnswerSheet

ATTEMPT_BYTES = 16


class NotSealed(ValueError):
    """What a phone sent is no sheet that was sealed for this wave."""


async def receive(urn: Urn, right: Right, sheet: AnswerSheet | bytes, attempt: bytes) -> Receipt:
    """Keep a sheet and spend its right: both or neither, on disk before this returns.

    Parameters
    ----------
    urn : Urn
        Started: what is put into one that is not waits until it is.
    right : Right
        Verified for its wave; whether it was used, the urn finds.
    sheet : AnswerSheet or bytes
        What came without a script, sealed here in memory as a phone does it; or what a phone sealed.
    attempt : bytes
        16 bytes that the form made: the same right with the same attempt is received again and changes nothing.

    Raises
    ------
    NotSealed
        If the bytes cannot be a sealed sheet, or the attempt has another length.
    SheetTooLarge
        If what is sealed here does not fit the envelope.
    TooManyWaiting, UrnFull
        And whatever the store raises: nothing was kept.
    """
    if len(attempt) != ATTEMPT_BYTES or (isinstance(sheet, bytes) and not _looks_sealed(sheet, right.wave)):
        raise NotSealed

    def envelope() -> bytes:
        return layered(sheet if isinstance(sheet, bytes) else _seal(sheet.to_bytes(), right), right.wave)

    return await urn.put(right, attempt, envelope)


def layered(sealed: bytes, wave: OpenWave) -> bytes:
    """What ends in the urn of a sealed sheet."""
    return pairs.layered(sealed, wave.wave_key) if wave.plan else sealed


def _looks_sealed(sealed: bytes, wave: OpenWave) -> bool:
    return pairs.looks_sealed(sealed) if wave.plan else envelope.looks_sealed(sealed)


def _seal(sheet: bytes, right: Right) -> bytes:
    """Seal to the holders of the signed plan; in a wave of version 1 to the key of its urn."""
    wave = right.wave
    if wave.plan is None:
        return envelope.seal(sheet, wave.seal_key)
    return pairs.seal(sheet, right.proof, wave.plan.hash, wave.plan.points)
