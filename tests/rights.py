"""A right to answer as a verification would have made it, for tests that begin behind the door."""

from typing import Any

from surveys.answers.rights import OpenWave, Right
from surveys.slips import Digest

_nothing: Any = None


def right(wave: str, row: Digest, *, token: bool = False) -> Right:
    """What the urn sees of a slip or a token, by the row that it spends. Nothing in the product makes a right in this way."""
    made = Right.__new__(Right)
    made._wave, made._proof, made._is_token = OpenWave(wave, _nothing, b"", {}), row, token
    return made
