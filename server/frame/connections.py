"""Connections to the web process: each has little time, all have one number, and whoever only waits makes room for whoever asks.

Uvicorn's own protocol waits for ever for a request that was begun, and for whoever does not read her answer. 1,500 of the first took
every file of the process, 800 of the second every place.
"""

import asyncio
import errno
import resource
import time
from typing import Any, cast

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEADER_SECONDS = 10
HEADER_BYTES = 32 * 1024
BODY_SECONDS = 20
"""A body has this long, and a second more for each piece of so many bytes: a slow phone with a photo is waited for."""
BODY_RATE = 2048
READ_SECONDS = 60
"""So long nothing of an answer may be taken from us: what a slow line has on its way is hardly ever more."""
MOST = 800
BACKLOG = 128
"""So many are taken in one turn of the loop, before any can be turned away: files must be left for them."""
RESERVE = 160
"""Files for databases, workers and pictures."""
QUIET_SECONDS = 60


def most_connections() -> int:
    """How many connections this process keeps at once, by the files that it may open."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    files = MOST * 2 if soft == resource.RLIM_INFINITY else soft
    return max(16, min(MOST, files - BACKLOG - RESERVE))


class Bounded(HttpToolsProtocol):
    """Uvicorn's protocol with a time for headers, a time for bodies, and a number of connections."""

    most = 0
    _open: dict["Bounded", None] = {}  # noqa: RUF012  # one for the process: connections in order of arrival

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        super().connection_made(transport)
        self._timer: asyncio.TimerHandle | None = None
        self._head = 0
        self._taken = 0
        self._left = 0
        self._reading_head, self._is_last = True, False
        self._answering: Any = None
        Bounded.most = Bounded.most or most_connections()
        if len(Bounded._open) >= Bounded.most and not _make_room(Bounded._open):
            transport.abort()
            return
        Bounded._open[self] = None
        self._wait(HEADER_SECONDS)

    def connection_lost(self, exc: Exception | None) -> None:
        if (
            self._answering is not None
        ):  # not the last that came, which is all that uvicorn tells: it would write where nobody is
            self._answering.disconnected = True
            self._answering.message_event.set()
        Bounded._open.pop(self, None)
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing() or self._is_last:
            return
        if self._reading_head:
            self._head += len(data)
            if self._timer is None:
                self._wait(HEADER_SECONDS)
        super().data_received(data)
        if self._reading_head and self._head > HEADER_BYTES:
            self.transport.abort()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._reading_head = True
        self._wait(HEADER_SECONDS)

    def on_headers_complete(self) -> None:
        before = self.cycle
        self._reading_head, self._head, self._taken = False, 0, 0
        self._began = self.loop.time()
        self._wait(BODY_SECONDS)
        super().on_headers_complete()
        if not self.pipeline:
            self._answering = self.cycle
        elif len(self.pipeline) > 1:
            self._leave_it_at(before)

    def _leave_it_at(self, before: Any) -> None:
        """Take no third request while the first is answered: no browser and no proxy sends one, and of sixty at once each would be work
        that nobody waits for. A second may come when all of an answer is here and its end is not. Then the connection ends."""
        self.pipeline.popleft()
        self.cycle, before.keep_alive, self._is_last = before, False, True
        self._stop_waiting()
        if self.flow.write_paused:
            self._wait(READ_SECONDS)

    def on_response_complete(self) -> None:
        self._answering = self.cycle
        super().on_response_complete()

    def on_body(self, body: bytes) -> None:
        if self._is_last:  # of a request that is not taken
            return
        self._taken += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        if self._is_last:
            return
        self._stop_waiting()
        if self.flow.write_paused:  # of the answer before much is still to be read
            self._wait(READ_SECONDS)
        self._reading_head, self._head = True, 0
        super().on_message_complete()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._left = self.transport.get_write_buffer_size()
        self._wait(READ_SECONDS)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._stop_waiting()

    def is_working(self) -> bool:
        """Whether a whole request is being answered now: such a connection is not turned away. One whose answer nobody reads only waits."""
        cycle = self.cycle
        return cycle is not None and not cycle.response_complete and not cycle.more_body and not self.flow.write_paused

    def turn_away(self) -> None:
        """End a connection at once."""
        Bounded._open.pop(self, None)
        self._stop_waiting()
        self.transport.abort()

    def _wait(self, seconds: float) -> None:
        self._stop_waiting()
        self._timer = self.loop.call_later(seconds, self._look)

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        """The time is over: a body that came fast enough gets what it earned, so does whoever reads her answer; what comes before an
        answer waits for it."""
        if self.is_working():
            self._wait(HEADER_SECONDS)
            return
        if self.flow.write_paused:
            before, self._left = self._left, self.transport.get_write_buffer_size()
            if self._left < before:
                self._wait(READ_SECONDS)
                return
        if not self._reading_head:
            left = self._began + BODY_SECONDS + self._taken / BODY_RATE - self.loop.time()
            if left > 0:
                self._wait(left)
                return
        self.turn_away()


def _make_room(connections: dict[Bounded, None]) -> bool:
    """Turn the oldest connection away that only waits; False if all are being answered."""
    for connection in connections:
        if not connection.is_working():
            connection.turn_away()
            return True
    return False


class Quiet:
    """A loop's handler of errors that nobody awaits: at most one line a minute of each kind, without address or request."""

    def __init__(self) -> None:
        self._said: dict[str, float] = {}

    def __call__(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        from server.frame import faults

        problem = context.get("exception") or RuntimeError(str(context.get("message", "")))
        full = isinstance(problem, OSError) and problem.errno in (errno.EMFILE, errno.ENFILE)
        place = "accept" if full else "loop"
        key, now = f"{place} {type(problem).__name__}", time.monotonic()
        if now - self._said.get(key, -QUIET_SECONDS) >= QUIET_SECONDS:
            self._said[key] = now
            faults.note(place, problem)


def configured(app: Any, host: str, port: int) -> uvicorn.Config:
    """How this service is served: no address, agent or request is logged, and every connection is bounded."""
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        access_log=False,
        log_level="error",
        server_header=False,
        proxy_headers=False,
        date_header=False,
        timeout_graceful_shutdown=10,
        http=cast(Any, Bounded),
        ws="none",
        backlog=BACKLOG,
    )


async def serve(app: Any, host: str, port: int) -> bool:
    """Serve until asked to stop; gives whether it began."""
    asyncio.get_running_loop().set_exception_handler(Quiet())
    server = uvicorn.Server(configured(app, host, port))
    await server.serve()
    return server.started
