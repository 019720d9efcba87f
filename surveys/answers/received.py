"""Whether a form of a phone arrived, by the number that the form carries: a page of answers is not shown again after it."""

import hashlib

from surveys.answers.tables import Spent
from surveys.slips import Digest


async def is_received(wave: str, attempt: bytes, row: Digest | None = None) -> bool:
    """Say whether this form put a sheet in the urn, with whatever code or with the one of a row. Only the phone that has the form
    knows its number.

    Parameters
    ----------
    wave : str
        The wave's id.
    attempt : bytes
        The form's number as it carries it; the store holds its SHA-256.
    row : Digest or None
        What the store keeps of a code (`Right.row`); None asks for the form alone.
    """
    same = (Spent.wave == wave) & (Spent.attempt == hashlib.sha256(attempt).digest())
    if row is not None:
        same = same & (Spent.digest == bytes(row))
    return bool(await Spent.exists().where(same))
