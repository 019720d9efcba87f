"""Servers of `tests.journeys.clocked`, as whoever started them sees them."""

import atexit
import json
import os
import select
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Server:
    """A process that another one forked: it can be ended and waited for like one's own."""

    pid: int
    handle: int
    """A file that is readable once the process has ended (pidfd_open(2)); -1 where it had ended already."""

    def terminate(self) -> None:
        if self.handle >= 0:
            with suppress(ProcessLookupError):  # it ended by itself
                signal.pidfd_send_signal(self.handle, signal.SIGTERM)

    def wait(self, seconds: float) -> None:
        """Wait until it has ended.

        Raises
        ------
        TimeoutError
            If it has not by then.
        """
        if self.handle < 0:
            return
        waiting = select.poll()
        waiting.register(self.handle, select.POLLIN)
        if not waiting.poll(seconds * 1000):
            raise TimeoutError(f"server {self.pid} goes on")
        os.close(self.handle)


@cache
def _nursery() -> "subprocess.Popen[str]":
    """The one that forks, begun with the first server of a worker."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.journeys.clocked"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )

    def end() -> None:
        assert process.stdin is not None
        process.stdin.close()
        process.wait(20)

    atexit.register(end)
    return process


def _forked(asked: str) -> int:
    nursery = _nursery()
    assert nursery.stdin is not None and nursery.stdout is not None
    nursery.stdin.write(asked + "\n")
    nursery.stdin.flush()
    return int(nursery.stdout.readline())


def _loaded(asked: str) -> int:
    return subprocess.Popen([sys.executable, "-m", "tests.journeys.clocked", asked]).pid


def serve(clock: Path, port: int, log: Path, environment: dict[str, str], *, again: bool) -> Server:
    """Serve the installation of an environment on the day of a file; `again` in a process that loads for itself."""
    asked = json.dumps({"clock": str(clock), "port": port, "log": str(log), "environment": environment})
    pid = _loaded(asked) if again else _forked(asked)
    try:
        return Server(pid, os.pidfd_open(pid))
    except ProcessLookupError:
        return Server(pid, -1)
