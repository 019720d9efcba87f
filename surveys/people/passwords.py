"""Argon2id in a few threads beside the event loop: a flood of passwords waits in a short queue and holds nobody else up."""

import asyncio
import re
import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

THREADS = 2
PLACES = 24
"""How many passwords may wait or be worked at once."""
KEPT_FREE = 8
"""Further places that only browsers get which signed in before: a stranger's flood cannot fill them."""

_DRAWN = re.compile(r"[0-9a-f]{6}(-[0-9a-f]{6}){3}")
_hasher = PasswordHasher()  # argon2id, the library's current parameters
NOBODY = _hasher.hash(secrets.token_hex(16))
"""What a password is held against when nobody has the name: the same work."""
_threads = ThreadPoolExecutor(THREADS, thread_name_prefix="passwords")
_taken = 0


class DoorBusy(Exception):
    """Too many passwords are being worked: try again in a few seconds."""


def drawn() -> str:
    """A password of 96 bits that nobody guesses: for a first sign-in, which no count of wrong guesses then keeps out."""
    return "-".join(secrets.token_hex(3) for _ in range(4))


def was_drawn(password: str) -> bool:
    """Whether a password has that form: nobody chooses one of it, and one that is right was drawn."""
    return _DRAWN.fullmatch(password) is not None


@contextmanager
def place(*, known: bool = False) -> Iterator[None]:
    """Take a place in the queue for one password.

    Raises
    ------
    DoorBusy
        If there is none; nothing was counted or worked yet.
    """
    global _taken
    if _taken >= PLACES + (KEPT_FREE if known else 0):
        raise DoorBusy
    _taken += 1
    try:
        yield
    finally:
        _taken -= 1


async def is_right(stored: str, password: str) -> bool:
    """Hold a password against what is stored, beside the event loop; anything malformed is simply wrong."""
    return await asyncio.get_running_loop().run_in_executor(_threads, _verify, stored, password)


async def kept(password: str) -> str:
    """What is stored of a new password."""
    return await asyncio.get_running_loop().run_in_executor(_threads, _hasher.hash, password)


def _verify(stored: str, password: str) -> bool:
    try:
        return _hasher.verify(stored, password)
    except (VerificationError, InvalidHashError, UnicodeEncodeError):
        return False
