"""The shipped settings of nginx and Caddy, run by these programs: nothing of a request is written or handed on."""

import http.server
import re
import shutil
import ssl
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.postgres import free_port
from tests.server.check.test_check import ROOT, SERVE, _check, _failed, _running

NGINX_AROUND = """
daemon off; master_process off; pid {folder}/nginx.pid; error_log {folder}/main.log warn; worker_processes 1;
events {{}}
http {{
    access_log {folder}/default.log;  # what a distribution's own settings switch on
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    {shipped}
}}
"""
type Change = Callable[[str], str]


def _program(name: str) -> str:
    found = shutil.which(name, path="/usr/sbin:/usr/bin:/usr/local/bin:/usr/local/sbin")
    if found is None:
        raise RuntimeError(f"{name} is missing: scripts/system-packages installs it")
    return found


def _nginx(folder: Path, certificate: Path, upstream: str, change: Change) -> tuple[list[str], int]:
    """The shipped file with this machine's ports, certificate and upstream; all else as it is."""
    plain, secure = free_port(), free_port()
    text = change((ROOT / "deploy" / "nginx.conf").read_text("utf-8"))
    text = re.sub(r"    listen \[::\].*\n", "", text)
    text = text.replace("listen 80 ", f"listen 127.0.0.1:{plain} ").replace(
        "listen 443 ", f"listen 127.0.0.1:{secure} "
    )
    text = re.sub(r"(ssl_certificate(?:_key)?) [^;]+;", rf"\1 {certificate};", text)
    text = text.replace("http://127.0.0.1:8000", upstream)
    settings = folder / "nginx.conf"
    settings.write_text(NGINX_AROUND.format(folder=folder, shipped=text), "utf-8")
    return [_program("nginx"), "-c", str(settings), "-p", str(folder), "-e", str(folder / "start.log")], secure


def _caddy(folder: Path, certificate: Path, upstream: str, change: Change) -> tuple[list[str], int]:
    plain, secure = free_port(), free_port()
    text = change((ROOT / "deploy" / "Caddyfile").read_text("utf-8"))
    text = text.replace("admin off", f"admin off\n\thttp_port {plain}\n\tstorage file_system {folder}/store", 1)
    text = text.replace("\nascolto.example.it {", f"\nhttps://127.0.0.1:{secure} {{\n\ttls {certificate} {certificate}")
    text = text.replace("127.0.0.1:8000", upstream.removeprefix("http://"))
    settings = folder / "Caddyfile"
    settings.write_text(text, "utf-8")
    return [_program("caddy"), "run", "--adapter", "caddyfile", "--config", str(settings)], secure


PROXIES = {"nginx": _nginx, "caddy": _caddy}


@contextmanager
def _proxied(
    kind: str, folder: Path, certificate: Path, upstream: str, change: Change = lambda text: text
) -> Iterator[str]:
    """One of the two proxies in front of an address; whatever it writes lies in the folder."""
    folder.mkdir()
    command, port = PROXIES[kind](folder, certificate, upstream, change)
    with (folder / "output.log").open("wb") as output:
        home = {"HOME": str(folder), "PATH": "/usr/bin:/bin"}
        process = subprocess.Popen(command, cwd=folder, stdout=output, stderr=output, env=home)
        try:
            _wait_for(port, certificate)
            yield f"https://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(20)


def _get(address: str, certificate: Path, **headers: str) -> None:
    request = urllib.request.Request(address, headers={name.replace("_", "-"): text for name, text in headers.items()})
    urllib.request.urlopen(request, timeout=20, context=ssl.create_default_context(cafile=certificate)).read()


def _wait_for(port: int, certificate: Path) -> None:
    for _ in range(100):
        try:
            return _get(f"https://127.0.0.1:{port}/health", certificate)
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError("the proxy did not come up")


@pytest.mark.parametrize("kind", PROXIES)
def test_behind_a_shipped_proxy_the_canary_is_found_nowhere(kind: str, tmp_path: Path, certificate: Path) -> None:
    data, folder = tmp_path / "data", tmp_path / "proxy"
    with (
        _running(data, *SERVE, ASCOLTO_HTTPS="1") as served,
        _proxied(kind, folder, certificate, served) as address,
    ):
        checked = _check(data, address, folder, SSL_CERT_FILE=str(certificate))
    assert (_failed(checked), checked.returncode) == ([], 0), checked.stdout


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("nginx", lambda text: text.replace("    access_log off;\n", "")),
        ("nginx", lambda text: text.replace("error_log /dev/null crit;", "error_log errors.log info;")),
        (
            "caddy",
            lambda text: (
                text.replace("\trequest_body {", "\tlog\n\trequest_body {")
                .replace("include tls", "")
                .replace("level WARN", "level INFO")
            ),
        ),
    ],
    ids=["nginx, access log", "nginx, error log", "caddy, access log"],
)
def test_one_line_less_and_the_check_finds_the_canary(
    kind: str, change: Change, tmp_path: Path, certificate: Path
) -> None:
    """A weakened copy of each: the log that a distribution's own settings keep."""
    data, folder = tmp_path / "data", tmp_path / "proxy"
    with (
        _running(data, *SERVE, ASCOLTO_HTTPS="1") as served,
        _proxied(kind, folder, certificate, served, change) as address,
    ):
        checked = _check(data, address, folder, SSL_CERT_FILE=str(certificate))
    assert checked.returncode == 1
    assert any(str(folder) in line for line in _failed(checked)), checked.stdout


class Recorder(http.server.BaseHTTPRequestHandler):
    """Stands where the service is and keeps what it is told about who asks."""

    seen: list[dict[str, str]]

    def do_GET(self) -> None:
        self.seen.append({name.lower(): text for name, text in self.headers.items()})
        self.send_response_only(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.mark.parametrize("kind", PROXIES)
def test_the_service_is_told_the_host_and_never_who_asks(kind: str, tmp_path: Path, certificate: Path) -> None:
    """Could leak: what phones and networks send; with a plain proxy all of it arrives."""
    told = {
        "User-Agent": "Phone 3",
        "Referer": "https://mail.invalid/",
        "X-Forwarded-For": "203.0.113.9",
        "X-Real-IP": "203.0.113.9",
        "Forwarded": "for=203.0.113.9",
        "X-Client-IP": "203.0.113.9",
        "True-Client-IP": "203.0.113.9",
    }
    seen: list[dict[str, str]] = []
    handler = type("Seen", (Recorder,), {"seen": seen})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as service:
        threading.Thread(target=service.serve_forever, daemon=True).start()
        upstream = f"http://127.0.0.1:{service.server_port}"
        with _proxied(kind, tmp_path / "proxy", certificate, upstream) as address:
            _get(f"{address}/answer", certificate, **told)
        urllib.request.urlopen(urllib.request.Request(f"{upstream}/answer", headers=told), timeout=20).read()
        service.shutdown()
    *_, through, directly = seen
    assert {name.lower() for name in told} <= set(directly)
    assert not set(through.values()) & set(told.values())
    assert "203.0.113.9" not in str(through) and "127.0.0.1" in through["host"]
