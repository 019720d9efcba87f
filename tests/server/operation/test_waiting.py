"""`ascolto serve` waits for its database, says what it waits for, and goes on when it comes."""

import os
import subprocess
import sys
import time
from pathlib import Path

import httpx

from server.command import running
from surveys.stores import StoreSettings, stores
from tests import postgres
from tests.server.operation.test_away import Server


def _serve(folder: Path, url: str, port: int, log: Path) -> "subprocess.Popen[bytes]":
    here = {**os.environ, "ASCOLTO_DATA": str(folder), "ASCOLTO_DATABASE_URL": url, "LANG": "en_GB.UTF-8"}
    command = [sys.executable, "-m", "server.command.cli", "serve", "--port", str(port)]
    with log.open("wb") as said:
        return subprocess.Popen(command, env=here, stdout=said, stderr=said)


def _health(port: int) -> int:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/health", timeout=2).status_code
    except httpx.TransportError:
        return 0


async def test_a_start_before_its_database_waits_with_one_line_and_serves_when_it_comes(tmp_path: Path) -> None:
    data, log, port = tmp_path / "data", tmp_path / "log", postgres.free_port()
    with postgres.server() as address:
        url = postgres.fresh_databases(address, "late")
        async with stores(StoreSettings(data, url)):
            pass
        server = Server(address)
        server.end()
        process = _serve(data, url, port, log)
        try:
            time.sleep(6)
            assert process.poll() is None and _health(port) == 0
            assert log.read_text().splitlines() == [
                "Waiting for the database, up to 10 minutes: the public store is away: ConnectionRefusedError"
            ]
            again = server.start()
            for _ in range(60):
                if _health(port) == 200:
                    break
                time.sleep(0.25)
            ready = httpx.get(f"http://127.0.0.1:{port}/ready").json()
        finally:
            process.terminate()
            process.wait(20)
        again.terminate()
        again.wait(20)
    assert set(ready["stores"].values()) == {"ok"}


def test_a_database_that_does_not_exist_is_said_at_once(tmp_path: Path, postgres_server: str) -> None:
    log = tmp_path / "log"
    process = _serve(tmp_path / "data", postgres_server.format(db="nobody_made_{store}"), postgres.free_port(), log)
    assert process.wait(20) == 1
    assert log.read_text().startswith("The data cannot be opened:") and "Traceback" not in log.read_text()


def test_the_documents_say_how_long_it_waits() -> None:
    text = (Path(__file__).parents[3] / "docs" / "installation.md").read_text("utf-8")
    assert f"every {running.SAY_SECONDS} seconds" in text and f"after {running.WAIT_SECONDS // 60} minutes" in text
