"""Somebody begins 1,500 requests and finishes none: the service goes on answering others. On a real process with 1,024 files."""

import asyncio
import os
import socket
import struct
import subprocess
import sys
import time
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn

from server.frame import connections
from surveys.lifecycle.context import Site
from surveys.stores import StoreSettings, stores
from tests.conftest import DAY, open_a_wave
from tests.postgres import free_port

HALF = {
    "headers": b"GET /answer HTTP/1.1\r\nHost: ascolto\r\nX-Slow: ",
    "body": b"POST /answer HTTP/1.1\r\nHost: ascolto\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 90000\r\n\r\n_code=",
    "concern": b"POST /concern HTTP/1.1\r\nHost: ascolto\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 9000000\r\n\r\n"
    + b"text="
    + b"x" * 20_000,
    "nothing": b"",
}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, Path]]:
    """A served installation that may open 1,024 files, and what it writes to its log."""
    folder = tmp_path_factory.mktemp("bounds")

    async def fill() -> None:
        settings = StoreSettings(folder / "data")
        async with stores(settings) as engines:
            await open_a_wave(Site(engines, settings.data, DAY, "hr"))

    asyncio.run(fill())
    port, log = free_port(), folder / "log"
    with log.open("wb") as written:
        process = subprocess.Popen(
            ["sh", "-c", f"ulimit -n 1024; exec {sys.executable} -m server.command.cli serve --port {port}"],
            env={**os.environ, "ASCOLTO_DATA": str(folder / "data")},
            stdout=written,
            stderr=written,
        )
    for _ in range(600):  # a machine that does much else starts it slowly
        with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=1):
            break
        time.sleep(0.1)
    yield port, log
    process.terminate()
    process.wait(20)


@asynccontextmanager
async def _begun(port: int, sent: bytes, many: int) -> AsyncIterator[list[asyncio.StreamWriter]]:
    """Open so many connections and send the beginning of a request on each; some are ended by the service meanwhile."""
    writers: list[asyncio.StreamWriter] = []

    async def begin() -> None:
        with suppress(OSError):
            _, writer = await asyncio.wait_for(asyncio.open_connection("127.0.0.1", port), 20)
            writers.append(writer)
            writer.write(sent)
            await writer.drain()

    await asyncio.gather(*(begin() for _ in range(many)))
    yield writers
    for writer in writers:
        writer.close()


@pytest.mark.parametrize("kind", sorted(HALF))
async def test_half_sent_requests_do_not_keep_others_out(running: tuple[int, Path], kind: str) -> None:
    port, log = running
    before = log.read_bytes().count(b"\n")
    async with _begun(port, HALF[kind], 1500) as begun:
        assert len(begun) > 1000
        took = []
        for _ in range(20):
            start = time.perf_counter()
            async with httpx.AsyncClient(
                base_url=f"http://127.0.0.1:{port}", timeout=connections.HEADER_SECONDS
            ) as client:
                answered = await client.get("/trust?lang=it")
            assert answered.status_code == 200
            took.append(time.perf_counter() - start)
        # Nobody waits until those that were begun are ended. A smaller bound would measure the machine: reading 30 MB takes a busy one 5 s.
        assert max(took) < connections.HEADER_SECONDS, took
    assert log.read_bytes().count(b"\n") - before <= 2


async def _large(scope: Any, receive: Any, send: Any) -> None:
    """Eight megabytes for whoever asks for them: more than any system takes for somebody who reads nothing."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    for _ in range(8 if scope["path"] == "/large" else 1):
        await send({"type": "http.response.body", "body": bytes(2**20), "more_body": True})
    await send({"type": "http.response.body", "body": b""})


@asynccontextmanager
async def _with_few_places(monkeypatch: pytest.MonkeyPatch, app: Any = _large) -> AsyncIterator[int]:
    """The same protocol with sixteen places."""
    monkeypatch.setattr(connections.Bounded, "most", 16)
    monkeypatch.setattr(connections.Bounded, "_open", {})
    port = free_port()
    server = uvicorn.Server(connections.configured(app, "127.0.0.1", port))
    serving = asyncio.create_task(server._serve())
    while not server.started:
        await asyncio.sleep(0.01)
    yield port
    server.should_exit = server.force_exit = True
    await serving


def _asking(port: int, files: ExitStack) -> socket.socket:
    """Ask for much and read nothing of it."""
    one = files.enter_context(socket.socket())
    one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    one.connect(("127.0.0.1", port))
    one.sendall(b"GET /large HTTP/1.1\r\nHost: ascolto\r\n\r\n")
    one.setblocking(False)
    return one


async def test_answers_that_nobody_reads_do_not_keep_others_out(monkeypatch: pytest.MonkeyPatch) -> None:
    async with _with_few_places(monkeypatch) as port:
        with ExitStack() as files:
            for _ in range(40):
                _asking(port, files)
                await asyncio.sleep(0.02)
            async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=20) as client:
                assert (await client.get("/")).status_code == 200


async def test_whoever_reads_nothing_is_turned_away_and_whoever_reads_slowly_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connections, "READ_SECONDS", 0.5, raising=False)
    async with _with_few_places(monkeypatch) as port:
        with ExitStack() as files:
            _, slow = _asking(port, files), _asking(port, files)
            for _ in range(40):
                await asyncio.sleep(0.05)
                with suppress(BlockingIOError):
                    for _ in range(64):
                        assert slow.recv(4096)
            there = next(iter(connections.Bounded._open)).transport.get_extra_info("peername")
            assert (len(connections.Bounded._open), there) == (1, slow.getsockname())


async def _told_back(scope: Any, receive: Any, send: Any) -> None:
    """The body of a request, as its answer."""
    body = (await receive())["body"]
    await asyncio.sleep(0.2)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"<%s>" % body})


async def test_of_requests_that_are_sent_at_once_two_are_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    async with _with_few_places(monkeypatch, _told_back) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for body in (b"a", b"b", b"c", b"d"):
            writer.write(b"POST / HTTP/1.1\r\nHost: ascolto\r\nContent-Length: 1\r\n\r\n" + body)
        answered = await asyncio.wait_for(reader.read(), 5)
        writer.close()
    first, _, second = answered.partition(b"<a>")
    assert (first.count(b"HTTP/1.1 200"), second.count(b"HTTP/1.1 200")) == (1, 1)
    assert b"connection: close" in second and b"<b>" in second
    assert b"connection: close" not in first


async def test_whoever_asks_several_times_at_once_and_leaves_writes_nothing_into_the_log(
    running: tuple[int, Path],
) -> None:
    port, log = running
    before = log.stat().st_size
    for _ in range(20):
        with socket.create_connection(("127.0.0.1", port)) as one:
            one.sendall(b"GET /concern HTTP/1.1\r\nHost: ascolto\r\n\r\n" * 40)
            await asyncio.sleep(0.01)
            one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
        await client.get("/trust")
    assert log.stat().st_size == before


async def test_a_request_that_never_ends_is_ended(running: tuple[int, Path]) -> None:
    async def ended(sent: bytes, seconds: float) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", running[0])
        writer.write(sent)
        start = time.perf_counter()
        with suppress(ConnectionResetError):
            assert await asyncio.wait_for(reader.read(), seconds + 5) == b""
        assert seconds - 1 < time.perf_counter() - start < seconds + 3
        writer.close()

    await asyncio.gather(
        ended(HALF["headers"], connections.HEADER_SECONDS),
        ended(HALF["nothing"], connections.HEADER_SECONDS),
        ended(HALF["body"], connections.BODY_SECONDS),
    )


async def test_headers_without_end_are_cut(running: tuple[int, Path]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", running[0])
    sent = 0
    with suppress(ConnectionResetError, BrokenPipeError):
        writer.write(b"GET / HTTP/1.1\r\n")
        while sent < 10 * connections.HEADER_BYTES and not reader.at_eof():
            writer.write(b"X-Long: " + b"x" * 4000 + b"\r\n")
            sent += 4000
            await writer.drain()
            await asyncio.sleep(0.01)
    assert sent < 4 * connections.HEADER_BYTES


async def test_a_slow_phone_with_a_photo_is_waited_for(running: tuple[int, Path]) -> None:
    """100 kB at 4 kB a second take longer than the first time of a body, and arrive."""
    reader, writer = await asyncio.open_connection("127.0.0.1", running[0])
    body = b"lang=it&x=" + b"y" * 99_990
    writer.write(
        b"POST /answer HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n"
        % len(body)
    )
    for start in range(0, len(body), 4000):
        writer.write(body[start : start + 4000])
        await writer.drain()
        await asyncio.sleep(1)
    assert (await asyncio.wait_for(reader.readline(), 10)).startswith(b"HTTP/1.1 410")
    writer.close()


def test_an_error_of_the_loop_is_told_once_a_minute_and_without_words(capsys: pytest.CaptureFixture[str]) -> None:
    quiet = connections.Quiet()
    loop = asyncio.new_event_loop()
    for _ in range(1000):
        quiet(
            loop,
            {
                "message": "socket.accept() out of system resource from 192.0.2.7",
                "exception": OSError(24, "Too many open files"),
            },
        )
        quiet(loop, {"message": "her answer", "exception": ValueError("her answer")})
    loop.close()
    assert capsys.readouterr().err.splitlines() == ["fault in accept: OSError at ?", "fault in loop: ValueError at ?"]
