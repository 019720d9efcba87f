"""How many forms without a script are in this process at once, and in what order each gets a sealing process.

Words go before photos: a few pages of text are a small form, and however many large ones strangers send, it waits for none
of them. What finds no place is told so before it is read; the browser keeps the form and may send it again.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from server.frame.asked import AppRequest
from server.frame.connections import MOST

SMALL = 160 * 1024
"""30,000 letters of any script, as a form sends them."""


UNREAD_SECONDS = 10
"""So long a body waits for room before it is read."""


class Busy(Exception):
    """No place now: nothing was read, and nothing kept."""


def length_of(request: AppRequest, limit: int) -> int:
    """What a request says of its body's size; one that says nothing is as large as it may be."""
    said = request.headers.get("content-length", "")
    return min(int(said), limit) if said.isascii() and said.isdecimal() and len(said) < 12 else limit


def holds_a_file(body: bytes) -> bool:
    """Whether a form may bring a file. A letter that speaks of one may be taken for it: it waits with the photos then."""
    plain = body.lower()
    return plain.count(b"filename") != plain.count(b'filename=""')


class Lane:
    """Forms of one kind: so many bytes at once, so many running, so many waiting."""

    def __init__(self, most_bytes: int, running: int, waiting: int) -> None:
        self._most_bytes, self._bytes, self._room = most_bytes, 0, asyncio.Condition()
        self._running, self._places, self._held = asyncio.Semaphore(running), running + waiting, 0

    @asynccontextmanager
    async def body(self, length: int) -> AsyncIterator[None]:
        """Make room for a body of so many bytes until it is done with; until there is, it waits unread.

        Raises
        ------
        Busy
            If there is none for some seconds.
        """
        try:
            async with asyncio.timeout(UNREAD_SECONDS), self._room:
                await self._room.wait_for(lambda: self._bytes + length <= self._most_bytes)
                self._bytes += length
        except TimeoutError as problem:
            raise Busy from problem
        try:
            yield
        finally:
            async with self._room:
                self._bytes -= length
                self._room.notify_all()

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for a sealing process.

        Raises
        ------
        Busy
            If as many wait as can be served within some seconds.
        """
        if self._held >= self._places:
            raise Busy
        self._held += 1
        try:
            async with self._running:
                yield
        finally:
            self._held -= 1


class Turns:
    """The lanes of one process."""

    def __init__(self) -> None:
        self._small = Lane(
            most_bytes=MOST * SMALL, running=2, waiting=10
        )  # as many as there are connections: nobody waits for slow ones
        self._large = Lane(most_bytes=24 * 1024 * 1024, running=1, waiting=2)

    def lane(self, length: int) -> Lane:
        """The lane for a body of so many bytes."""
        return self._small if length <= SMALL else self._large

    def to_draw(self, body: bytes, lane: Lane) -> Lane:
        """Where a form that was read waits for its process: a picture of 800 bytes may hold sixty million points."""
        return self._large if holds_a_file(body) else lane
