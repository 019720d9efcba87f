"""`ascolto check` on a real server: nothing is found; and on machines weakened on purpose: each weakness is."""

import gzip
import http.server
import os
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from server.checking import holding, send_canary
from tests.benchmarks.installation import opened, served
from tests.journeys.conftest import environment
from tests.postgres import free_port


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    data = tmp_path_factory.mktemp("check") / "data"
    opened(data, 40)
    with served(data) as (address, _):
        yield address, data


def _check(address: str, data: Path, logs: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "server.cli", "check", "--url", address, "--logs", str(logs)]
    return subprocess.run(command, env=environment(data), capture_output=True, text=True)


def _line(said: str, part: str) -> str:
    return next(line for line in said.splitlines() if part in line)


def test_a_marked_word_through_every_staff_page_is_found_nowhere(running: tuple[str, Path], tmp_path: Path) -> None:
    address, data = running
    said = _check(address, data, tmp_path).stdout
    for part in ("The server answers", "A marked word", "set no cookie", "not kept by browsers", "come by https", "for the service alone"):
        assert _line(said, part).startswith("✓"), said


class Leaky(http.server.BaseHTTPRequestHandler):
    """A proxy as many are set up: it writes what it passes on, and adds a cookie."""

    target = ""
    log: Path

    def _pass_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)) or None
        with self.log.open("a") as file:
            file.write(f"{self.command} {self.path} {self.headers.get('User-Agent')}\n")
        request = urllib.request.Request(self.target + self.path, data=body, method=self.command)
        try:
            with urllib.request.urlopen(request) as answer:
                status, headers, content = answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as problem:
            status, headers, content = problem.code, problem.headers, problem.read()
        self.send_response(status)
        for name, value in headers.items():
            if name.lower() not in (
                "content-length",
                "transfer-encoding",
                "connection",
                "date",
                "server",
                "referrer-policy",
            ):
                self.send_header(name, value)
        self.send_header("Set-Cookie", "seen=1")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = _pass_on  # the library's names

    def log_message(self, format: str, *args: object) -> None:
        pass


def test_a_proxy_that_logs_sets_a_cookie_and_drops_a_header_is_found_out(
    running: tuple[str, Path], tmp_path: Path
) -> None:
    address, data = running
    handler = type("Handler", (Leaky,), {"target": address, "log": tmp_path / "access.log"})
    proxy = http.server.ThreadingHTTPServer(("127.0.0.1", free_port()), handler)
    threading.Thread(target=proxy.serve_forever, daemon=True).start()
    try:
        made = _check(f"http://127.0.0.1:{proxy.server_port}", data, tmp_path)
    finally:
        proxy.shutdown()
    assert made.returncode == 1
    assert _line(made.stdout, "A marked word").startswith("✗") and str(tmp_path / "access.log") in made.stdout
    assert _line(made.stdout, "set no cookie").startswith("✗")
    assert _line(made.stdout, "not kept by browsers").startswith("✗")


def test_a_key_that_others_may_read_is_found_out(running: tuple[str, Path], tmp_path: Path) -> None:
    address, data = running
    loose = data / "keys" / "loose.pem"
    loose.write_text("key")
    os.chmod(loose, 0o644)
    try:
        made = _check(address, data, tmp_path)
    finally:
        loose.unlink()
    assert _line(made.stdout, "for the service alone").startswith("✗") and "loose.pem" in made.stdout


@pytest.mark.parametrize("way", ["plain", "percent", "hex", "base64", "base64 after one", "gzip"])
def test_the_mark_is_found_however_a_log_wrote_it(tmp_path: Path, way: str) -> None:
    import base64

    mark = "kanarienvogel0123456789abcdef"
    content = {
        "plain": f"GET /?q={mark}".encode(), "percent": f"%2F{mark}%20".encode(), "hex": b"00" + mark.encode().hex().encode(),
        "base64": base64.b64encode(mark.encode() + b" tail"), "base64 after one": base64.b64encode(b"x" + mark.encode() + b"yz"), "gzip": b"",
    }[way]  # fmt: skip
    if way == "gzip":
        with gzip.open(tmp_path / "access.log.1.gz", "wb") as file:
            file.write(b"x" * 3_000_000 + mark.encode())
    else:
        (tmp_path / "access.log").write_bytes(b"before " * 1000 + content)
    assert len(holding([tmp_path], mark)) == 1
    assert holding([tmp_path], "kanarienvogel-another-word-here") == []


def test_a_server_that_is_not_there_is_said() -> None:
    assert send_canary(f"http://127.0.0.1:{free_port()}", "mark") == []
