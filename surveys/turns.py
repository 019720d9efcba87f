"""Who holds a thing by its name: asked for a few times a second until it is free."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable

TRY_SECONDS = 0.05


class Busy(Exception):
    """Another process, or another task, holds what was asked for."""


def number_of(name: str) -> int:
    """A lock's name as 63 bits, which is what PostgreSQL's advisory locks go by."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8]) >> 1


async def in_turn(took: Callable[[], Awaitable[bool]], patience: float) -> None:
    """Try until it is ours, a few times a second.

    Raises
    ------
    Busy
        If it is not after `patience` seconds.
    """
    end = asyncio.get_running_loop().time() + patience
    while not await took():
        if asyncio.get_running_loop().time() >= end:
            raise Busy
        await asyncio.sleep(TRY_SECONDS)
