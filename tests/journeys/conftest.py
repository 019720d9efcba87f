"""A served demonstration, once for all journeys, and what they start."""

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page

from tests.postgres import free_port
from tests.signing_in import next_code


@dataclass(frozen=True, slots=True)
class Served:
    """A running installation: its address, its data, and the invented accounts and codes of the demonstration."""

    address: str
    data: Path
    known: dict[str, Any]

    def password(self, account: str) -> str:
        return str(self.known["accounts"][account]["password"])

    def code(self, account: str) -> str:
        """A one-time code of an account that was not used yet."""
        return next_code(str(self.known["accounts"][account]["second"]))


def environment(data: Path) -> dict[str, str]:
    return {**os.environ, "ASCOLTO_DATA": str(data), "OMP_NUM_THREADS": "1", "LANG": "en_GB.UTF-8"}


def start(data: Path, port: int, log: Path | None = None) -> "subprocess.Popen[bytes]":
    """Serve an installation; what it writes of faults goes into the log, or where this run writes."""
    with open(log or os.devnull, "wb") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "server.command.cli", "serve", "--port", str(port)],
            env=environment(data),
            stdout=said if log else subprocess.DEVNULL,
            stderr=said if log else None,
        )
    for _ in range(600):  # a machine that does much else starts it slowly
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=1):
                return process
        except OSError:
            time.sleep(0.1)
    process.terminate()
    raise RuntimeError("the server did not come up")


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The demonstration, made through the command line and served by it."""
    data, port = tmp_path_factory.mktemp("demonstration"), free_port()
    subprocess.run(
        [sys.executable, "-m", "server.command.cli", "demo", "--address", f"http://127.0.0.1:{port}"],
        env=environment(data),
        check=True,
        stdout=subprocess.DEVNULL,
    )
    process = start(data, port)
    known = json.loads((data / "demonstration.json").read_text())
    try:
        yield Served(f"http://127.0.0.1:{port}", data, known)
    finally:
        process.terminate()
        process.wait(20)


async def press(page: Page, selector: str) -> None:
    """Click what leads to another page, and wait until that page is there."""
    async with page.expect_navigation():
        await page.click(selector)
