"""Slip codes: the printed, one-time right to answer. Pure; randomness is an argument.

A code is 80 random bits written as 16 characters of Crockford's base 32, in four groups. Reading forgives case,
spaces and hyphens, and takes O for 0 and I or L for 1, as Crockford's definition says.
"""

import hashlib
from collections.abc import Callable
from typing import NewType

SlipCode = NewType("SlipCode", str)
Digest = NewType("Digest", bytes)

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
CODE_BYTES = 10
CODE_LENGTH = 16
_FORGIVEN = str.maketrans({"O": "0", "I": "1", "L": "1"})
_IGNORED = str.maketrans("", "", " -–—\t\r\n\u00a0\u200b\u200e\u200f")


class NotACode(ValueError):
    """The text cannot be a slip code: wrong length, or a character that no code has."""


def new_code(random_bytes: Callable[[int], bytes]) -> SlipCode:
    """Make a code of 80 random bits."""
    number = int.from_bytes(random_bytes(CODE_BYTES))
    letters = []
    for _ in range(CODE_LENGTH):
        number, place = divmod(number, 32)
        letters.append(ALPHABET[place])
    return SlipCode("".join(reversed(letters)))


def read_code(text: str) -> SlipCode:
    """Read a code as a person types it.

    Raises
    ------
    NotACode
        If what remains is not 16 characters of the alphabet.
    """
    letters = text.translate(_IGNORED).upper().translate(_FORGIVEN)
    if len(letters) != CODE_LENGTH or any(letter not in ALPHABET for letter in letters):
        raise NotACode("a code has 16 letters and digits")
    return SlipCode(letters)


def grouped(code: SlipCode) -> str:
    """Write a code in four groups of four."""
    return "-".join(code[i : i + 4] for i in range(0, CODE_LENGTH, 4))


def digest(code: SlipCode) -> Digest:
    """SHA-256 of the code: the proof that is sealed in its sheet. Version 1 stored it; version 2 stores `spent_digest` of it."""
    return Digest(hashlib.sha256(code.encode("ascii")).digest())


def spent_digest(proof: Digest) -> Digest:
    """What the rows of spent codes and of slips hold: the digest of the proof, never the proof that is sealed in the sheet."""
    return Digest(hashlib.sha256(proof).digest())


def row_key(of: Digest) -> int:
    """The first 63 bits of a digest, as the integer key of its row."""
    return int.from_bytes(of[:8]) >> 1
