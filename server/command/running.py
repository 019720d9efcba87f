"""Commands that run: serve an installation, make the demonstration, serve it with a greeting."""

import argparse
import asyncio
import gc
import socket
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from server.frame.terminal import Run, refuse, tell
from server.settings import Settings, from_environment
from surveys.engines import sqlite_version
from surveys.stores import Engines, StoresAwaited, close_stores, open_stores


def _port_is_free(host: str, port: int) -> bool:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


WAIT_SECONDS = 600
"""So long a start waits for PostgreSQL; then it ends with 1, and whoever started it may start it again."""
SAY_SECONDS = 30
TRY_SECONDS = 1


@asynccontextmanager
async def _opened_once(settings: Settings) -> AsyncIterator[None]:
    """Bring the stores up to date before serving: one that cannot be opened is said in a sentence, not by a failed start.

    A PostgreSQL that is not there yet is waited for. Until it is there nothing listens: no request meets an installation
    whose keys, plans and versions were not looked at. Its databases stay held for this folder of keys while it serves: between
    two openings nobody with another one comes in.

    Raises
    ------
    StoresUnavailable
        At once where waiting does not help, as with SQLite; after `WAIT_SECONDS` else.
    """
    engines = await _awaited(settings)
    presence, engines.presence = engines.presence, None
    await close_stores(engines)
    try:
        yield
    finally:
        if presence is not None:
            await presence.leave()


async def _awaited(settings: Settings) -> Engines:
    began, said = time.monotonic(), float("-inf")
    while True:
        try:
            return await open_stores(settings.stores)
        except StoresAwaited as problem:
            now = time.monotonic()
            if not settings.stores.database_url or now - began >= WAIT_SECONDS:
                raise
            if now - said >= SAY_SECONDS:
                said = now
                refuse("awaited", problem=problem, minutes=WAIT_SECONDS // 60)
        await asyncio.sleep(TRY_SECONDS)


async def _serve(settings: Settings, host: str, port: int) -> int:
    from server.app import create_app
    from server.frame import connections

    app = create_app(settings)
    # What is loaded by now stays loaded: to look through it again and again for what could be freed would hold up a request in two hundred
    # for a seventh of a second. Nothing of anybody is in memory yet.
    gc.collect()
    gc.freeze()
    return 0 if await connections.serve(app, host, port) else 1


async def serve(given: argparse.Namespace) -> int:
    """Serve this installation; no address, agent or request is logged."""
    settings = from_environment()
    if not _port_is_free(given.host, given.port):
        return refuse("port_taken", port=given.port)
    async with _opened_once(settings):
        tell("stored", engine="PostgreSQL" if settings.stores.database_url else f"SQLite {sqlite_version()}")
        tell("serving", address=f"http://{given.host}:{given.port}")
        return await _serve(settings, given.host, given.port)


async def demo(given: argparse.Namespace) -> int:
    """Make the demonstration in an empty data folder."""
    from server.demonstration.cooperative import make

    settings = from_environment()
    async with _opened_once(settings):
        return await make(settings, given.address)


async def demo_serve(given: argparse.Namespace) -> int:
    """Serve the demonstration, making it first if there is none, and say once how to look around."""
    from server.demonstration import cooperative

    settings = from_environment()
    if not _port_is_free(given.host, given.port):
        return refuse("port_taken", port=given.port)
    address = f"http://{_reachable(given.host)}:{given.port}"
    if not cooperative.is_made(settings):
        # a process of its own: what it loads to release two waves does not stay in the one that serves
        making = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "server.command.cli", "demo", "--address", address
        )
        if status := await making.wait():
            return status
    async with _opened_once(settings):
        cooperative.greet(settings, address, qr=not _is_loopback(given.host))
        sys.stdout.flush()
        return await _serve(settings, given.host, given.port)


async def demo_code(given: argparse.Namespace) -> int:
    """Say the code that an invented account needs now."""
    from server.demonstration.cooperative import show_code

    return show_code(from_environment(), given.name)


def _is_loopback(host: str) -> bool:
    return host in ("localhost", "::1") or host.startswith("127.")


def _reachable(host: str) -> str:
    """The address others type: of "all interfaces", the one this machine sends from."""
    if host not in ("0.0.0.0", "::"):
        return f"[{host}]" if ":" in host else host
    return socket.gethostbyname(socket.gethostname())


COMMANDS: dict[str, Run] = {"serve": serve, "demo": demo, "demo-serve": demo_serve, "demo-code": demo_code}
