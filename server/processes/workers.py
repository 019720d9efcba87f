"""Short-lived processes for heavy work: the web process never loads scipy, the chart engine or the typesetter.

A worker is this program run again with a hidden command. Secrets go through its standard input, never its arguments;
it says its steps on standard output, one a line, and its result as the last line of JSON.
"""

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Any
from weakref import WeakKeyDictionary

from server.settings import Settings
from surveys.stores import STORES


class WorkFailed(Exception):
    """The worker ended without a result; `reason` is the key of a sentence."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def _environment(settings: Settings) -> dict[str, str]:
    environment = dict(os.environ) | {
        "ASCOLTO_DATA": str(settings.data),
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }
    environment.pop("ASCOLTO_DATABASE_URL", None)
    if settings.stores.database_url:
        environment["ASCOLTO_DATABASE_URL"] = settings.stores.database_url
    for store in STORES:
        if settings.stores.passwords and store in settings.stores.passwords:
            environment[f"ASCOLTO_PASSWORD_{store.upper()}"] = settings.stores.passwords[store]
    return environment


PLACES = 2
"""So many workers that pages ask for run at once, the others wait: each takes a core and a hundred megabytes."""
WAITS_FOR_NOBODY = frozenset({"release", "charts", "rehearse"})
"""At most one of each runs anyway."""
_places = WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore]()


def _place(command: str) -> AbstractAsyncContextManager[None]:
    if command in WAITS_FOR_NOBODY:
        return nullcontext()
    return _places.setdefault(asyncio.get_running_loop(), asyncio.Semaphore(PLACES))


async def run(
    settings: Settings,
    command: str,
    given: Mapping[str, Any],
    step: Callable[[str], Awaitable[None]] | None = None,
    *,
    seconds: float | None = None,
) -> dict[str, Any]:
    """Run a worker to its end, or for so many seconds at most from its beginning; `step` is told the key of each step as it begins.

    Raises
    ------
    WorkFailed
        With the reason that the worker gave, ``slow``, or ``broken``.
    """
    async with _place(command):
        return await _run(settings, command, given, step, seconds)


async def _run(
    settings: Settings,
    command: str,
    given: Mapping[str, Any],
    step: Callable[[str], Awaitable[None]] | None,
    seconds: float | None,
) -> dict[str, Any]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "server.command.worker",
        command,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env=_environment(settings),
        limit=2**26,
    )
    assert process.stdin is not None and process.stdout is not None
    process.stdin.write(json.dumps(dict(given)).encode())
    process.stdin.close()
    result: dict[str, Any] = {}
    try:
        async with asyncio.timeout(seconds):
            async for line in process.stdout:
                message = json.loads(line)
                if "step" in message and step is not None:
                    await step(message["step"])
                elif "result" in message:
                    result = message
            code = await process.wait()
    except TimeoutError as problem:
        process.kill()
        await process.wait()
        raise WorkFailed("slow") from problem
    if "failed" in result.get("result", {}):
        raise WorkFailed(str(result["result"]["failed"]))
    if code != 0 or "result" not in result:
        raise WorkFailed("broken")
    return dict(result["result"])
