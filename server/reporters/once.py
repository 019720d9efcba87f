"""A form of the concern channel without a script shows its letters once: a browser that goes back and sends it again gets none.

Each page carries a random number. Used numbers are kept in memory alone and say nothing of anybody; after a restart, or when
very many were used, a new key makes every older number one that is not known: what it brings is kept, and nothing is shown.
"""

import asyncio
import hmac
import os
import re
from collections.abc import Callable, Coroutine
from enum import Enum
from hashlib import sha256
from typing import Any

MANY = 50_000
BEGINNING = 4096
"""The number is the first field of every form of ours."""
_FIELD = re.compile(rb'name="once"\r\n\r\n([0-9a-f]{64})\r\n|(?:^|&)once=([0-9a-f]{64})(?:&|$)')


class Turn(Enum):
    """What a page's number allows."""

    FIRST = "first"
    """The page is sent for the first time."""
    OLDER = "older"
    """No number of this process: what was written is kept, nothing is shown."""
    AGAIN = "again"
    """The page was sent before: nothing is done."""


class Once:
    """The numbers of pages of one process."""

    def __init__(self, many: int = MANY) -> None:
        self._many = many
        self._begin()

    def _begin(self) -> None:
        self._key, self._used = os.urandom(32), set[bytes]()

    def _mark(self, number: bytes) -> bytes:
        return hmac.digest(self._key, number, "sha256")[:16]

    def number(self) -> str:
        """A number for a page that is made now."""
        number = os.urandom(16)
        return (number + self._mark(number)).hex()

    def take(self, body: bytes) -> Turn:
        """Use the number in a posted form."""
        found = _FIELD.search(body[:BEGINNING])
        given = bytes.fromhex((found[1] or found[2]).decode()) if found else bytes(32)
        number, mark = given[:16], given[16:]
        if not hmac.compare_digest(self._mark(number), mark):
            return Turn.OLDER
        if number in self._used:
            return Turn.AGAIN
        if len(self._used) >= self._many:
            self._begin()
        self._used.add(number)
        return Turn.FIRST

    def give_back(self, body: bytes) -> None:
        """The page was not served after all: it may be sent again."""
        if found := _FIELD.search(body[:BEGINNING]):
            self._used.discard(bytes.fromhex((found[1] or found[2]).decode())[:16])


class Together[End]:
    """Two taps on one button are one form: while it is worked on, whoever sends just the same gets the end of the first.

    A browser shows the answer to the second tap alone. Once the first is answered nothing is known of it any more.
    """

    def __init__(self) -> None:
        self._going: dict[bytes, asyncio.Task[End]] = {}

    async def end(self, body: bytes, boundary: str, begin: Callable[[], Coroutine[Any, Any, End]]) -> End:
        """What `begin` gives, begun once for equal bodies; `boundary` is what a browser draws anew for each sending."""
        mark = sha256(body.replace(boundary.encode(), b"")).digest()
        going = self._going.get(mark)
        if going is None:
            going = self._going[mark] = asyncio.create_task(begin())
            going.add_done_callback(lambda _: self._going.pop(mark))
        return await asyncio.shield(going)


pages = Once()
