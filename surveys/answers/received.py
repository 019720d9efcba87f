"""Whether a form of a phone arrived, by the number that the form carries: a page of answers is not shown again after it."""

import hashlib

from surveys.answers.tables import Spent


async def is_received(wave: str, attempt: bytes) -> bool:
    """Say whether this form put a sheet in the urn. Only the phone that has the form knows its number."""
    same = (Spent.wave == wave) & (Spent.attempt == hashlib.sha256(attempt).digest())
    return bool(await Spent.exists().where(same))
