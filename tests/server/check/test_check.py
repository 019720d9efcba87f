"""`ascolto check` on a real server finds nothing; on one weakened on purpose, each weakness is found and named."""

import base64
import bz2
import gzip
import http.client
import http.server
import lzma
import os
import re
import resource
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

import pytest

from server.check import Finding, State, canary, database, machine, traces
from server.frame import texts
from server.settings import from_environment
from surveys.stores import StoreSettings
from tests.benchmarks.installation import opened, wait_for
from tests.conftest import ORGANISATION
from tests.journeys.conftest import environment
from tests.postgres import free_port

ROOT = Path(__file__).parents[3]
LOGGING_SERVER = (
    "import sys, uvicorn; from server.app import create_app; from server.settings import from_environment\n"
    "uvicorn.run(create_app(from_environment()), port=int(sys.argv[1]), access_log=True)"
)


@contextmanager
def _running(
    data: Path, *arguments: str, output: IO[bytes] | int = subprocess.DEVNULL, core: int = 0, **more: str
) -> Iterator[str]:
    """A real server process on loopback; `core` is the limit of core files it is started with."""
    port = free_port()
    hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
    process = subprocess.Popen(
        [sys.executable, *(part.format(port=port) for part in arguments)],
        cwd=ROOT,
        env=environment(data) | more,
        stdout=output,
        stderr=output,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE, (core, hard)),
    )
    try:
        wait_for(port)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)


SERVE = ("-m", "server.command.cli", "serve", "--port", "{port}")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An installation with an open wave."""
    folder = tmp_path_factory.mktemp("check") / "data"
    opened(folder, 40)
    return folder


@pytest.fixture(scope="module")
def address(data: Path) -> Iterator[str]:
    with _running(data, *SERVE) as served:
        yield served


def _check(data: Path, address: str, *logs: Path, **more: str) -> subprocess.CompletedProcess[str]:
    command = ["-m", "server.command.cli", "check", "--url", address, "--wait", "0.5", "--logs", *map(str, logs)]
    return subprocess.run(
        [sys.executable, *command], cwd=ROOT, env=environment(data) | more, capture_output=True, text=True, check=False
    )


def _said(key: str, state: State, **values: object) -> str:
    word = {State.GOOD: "good", State.FAILED: "failed", State.UNSURE: "unsure"}[state]
    return f"{state} {texts.say('en', f'cli.check.{key}.{word}', **values)}"


def _failed(checked: "subprocess.CompletedProcess[str]") -> list[str]:
    return [line for line in checked.stdout.splitlines() if line.startswith(State.FAILED)]


# a good machine


def test_a_server_as_shipped_passes_the_canary_and_every_check(data: Path, address: str, tmp_path: Path) -> None:
    checked = _check(data, address, tmp_path)
    assert (checked.returncode, _failed(checked), checked.stderr) == (0, [], "")
    lines = checked.stdout.splitlines()
    for key in (
        "same",
        "cookie",
        "cache_control",
        "referrer_policy",
        "content_security_policy",
        "data_mode",
        "key_modes",
        "keys_apart",
        "core",
    ):
        assert _said(key, State.GOOD) in lines
    for store in ("answers", "cases"):
        assert _said("secure_delete", State.GOOD, store=store) in lines
    assert re.search(r"✓ .* \(\d\d+ changed files read\)", checked.stdout)
    assert _said("https", State.UNSURE) in lines, "that loopback is not what phones use is said"


def test_the_canary_gets_as_far_as_the_pages_and_is_refused_in_every_way(address: str) -> None:
    replies = canary.send(urlsplit(address), canary.new_mark())
    assert {reply.status for reply in replies} >= {200, 400, 404, 405, 413, 422}
    assert max(reply.status for reply in replies) < 500
    assert next(reply.status for reply in replies if reply.page == "/answer") == 200, "a wave is open"


def test_nothing_of_the_canary_stays_in_the_check_s_own_output(data: Path, address: str, tmp_path: Path) -> None:
    checked = _check(data, address, tmp_path)
    assert not re.search(r"canary[0-9a-f]{8}", checked.stdout + checked.stderr)


# logs


@pytest.mark.parametrize("file", ["access.log", "access.log.1.gz"])
def test_a_server_started_with_an_access_log_is_found_out(data: Path, tmp_path: Path, file: str) -> None:
    log = tmp_path / file
    with (gzip.open if log.suffix == ".gz" else open)(log, "wb") as writing:
        reader, writer = os.pipe()
        copying = threading.Thread(target=_copy, args=(reader, writing))
        copying.start()
        try:
            with (
                os.fdopen(writer, "wb") as output,
                _running(data, "-c", LOGGING_SERVER, "{port}", output=output) as served,
            ):
                checked = _check(data, served, tmp_path)
        finally:
            copying.join(20)
    assert checked.returncode == 1
    assert _failed(checked) == [_said("canary", State.FAILED, paths=log)]


def _copy(reader: int, writing: Any) -> None:
    """Write what a server says as it comes, as a log's program does."""
    with os.fdopen(reader, "rb", buffering=0) as said:
        while piece := said.read(65536):
            writing.write(piece)
            writing.flush()


class Proxy(http.server.BaseHTTPRequestHandler):
    """A tiny proxy that does what a bad one may: writes a line for each request, sets a cookie, changes headers."""

    upstream: str
    log: Path | None = None
    write: Any = staticmethod(str.encode)
    adds: tuple[tuple[str, str], ...] = ()
    drops: tuple[str, ...] = ()

    def do_GET(self) -> None:
        if self.log is not None:
            with self.log.open("ab") as file:
                file.write(b"request " + self.write(f"{self.path} {self.headers['User-Agent']}") + b"\n")
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        connection = http.client.HTTPConnection(urlsplit(self.upstream).netloc, timeout=20)
        headers = {name: value for name, value in self.headers.items() if name != "Connection"}
        connection.request(self.command, self.path, body or None, headers)
        answer = connection.getresponse()
        content = answer.read()
        self.send_response_only(answer.status)
        for name, value in [*answer.getheaders(), *self.adds]:
            if name.lower() not in ("content-length", "transfer-encoding", "connection", *self.drops):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
        connection.close()

    do_POST = do_DELETE = do_GET

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def _proxy(upstream: str, certificate: Path | None = None, **behaviour: Any) -> Iterator[str]:
    """Run the proxy; with a certificate, by https."""
    handler = type("Bad", (Proxy,), {"upstream": upstream, **behaviour})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"{'https' if certificate else 'http'}://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


@pytest.mark.parametrize(
    "write",
    [
        str.encode,
        lambda text: text.upper().encode(),
        lambda text: "".join(f"%{byte:02X}" for byte in text.encode()).encode(),
        lambda text: text.encode().hex().encode(),
        lambda text: base64.b64encode(text.encode()),
        lambda text: base64.urlsafe_b64encode(b"x" + text.encode()),
        lambda text: base64.b64encode(b"xy" + text.encode()),
    ],
    ids=["plain", "capitals", "percent", "hex", "base64", "base64 after one byte", "base64 after two"],
)
def test_a_proxy_that_logs_is_found_out_however_it_spells(address: str, tmp_path: Path, write: Any) -> None:
    log, mark = tmp_path / "proxy.log", canary.new_mark()
    with _proxy(address, log=log, write=staticmethod(write)) as proxied:
        canary.send(urlsplit(proxied), mark)
    assert traces.search([tmp_path], traces.spellings(mark)).found == [str(log)]
    assert traces.search([tmp_path], traces.spellings(canary.new_mark())).found == []


@pytest.mark.parametrize(("pack", "ending"), [(gzip.compress, ".gz"), (bz2.compress, ".bz2"), (lzma.compress, ".xz")])
def test_a_word_in_a_packed_log_is_found_also_across_two_pieces(tmp_path: Path, pack: Any, ending: str) -> None:
    mark = canary.new_mark()
    path = tmp_path / f"old.log.2{ending}"
    path.write_bytes(pack(b"a" * (traces.CHUNK - 7) + mark.encode() + b"b" * 99))
    assert traces.search([tmp_path], traces.spellings(mark)).found == [str(path)]


def test_what_cannot_be_searched_is_named_and_not_passed_over(tmp_path: Path) -> None:
    (tmp_path / "broken.log.gz").write_bytes(b"no gzip")
    (tmp_path / "old.log.zst").write_bytes(b"packed otherwise")
    (tmp_path / "again").symlink_to(tmp_path)
    searched = traces.search([tmp_path], traces.spellings(canary.new_mark()))
    assert sorted(Path(path).name for path in searched.unread) == ["broken.log.gz", "old.log.zst"]


def test_a_file_that_did_not_change_since_is_not_read_again(tmp_path: Path) -> None:
    (tmp_path / "today.log").write_bytes(b"something")
    assert traces.search([tmp_path], (b"word",), since=time.time()).n_read == 1
    assert traces.search([tmp_path], (b"word",), since=time.time() + 2 * traces.SLACK_SECONDS).n_read == 0


def test_a_log_folder_that_is_not_there_fails_the_check(data: Path, address: str, tmp_path: Path) -> None:
    checked = _check(data, address, tmp_path / "typo")
    assert (checked.returncode, _failed(checked)) == (1, [_said("logs", State.FAILED, path=tmp_path / "typo")])


# addresses and headers


def test_a_proxy_that_sets_a_cookie_is_found_out(data: Path, address: str, tmp_path: Path) -> None:
    with _proxy(address, adds=(("Set-Cookie", "visitor=1"),)) as proxied:
        checked = _check(data, proxied, tmp_path)
    assert checked.returncode == 1
    assert [line[:20] for line in _failed(checked)] == [_said("cookie", State.FAILED, pages="")[:20]]


@pytest.mark.parametrize("name", ["cache-control", "referrer-policy", "content-security-policy"])
def test_a_header_that_the_proxy_drops_or_doubles_is_missed(address: str, name: str) -> None:
    for behaviour in ({"drops": (name,)}, {"adds": ((name, "public"),)}):
        with _proxy(address, **behaviour) as proxied:
            found = canary.judge_headers(canary.send(urlsplit(proxied), canary.new_mark()), https=False)
            assert [one.key for one in found if one.state is State.FAILED] == [name.replace("-", "_")]


def test_on_https_a_browser_must_be_told_to_stay_there(address: str, data: Path) -> None:
    replies = canary.send(urlsplit(address), canary.new_mark())
    assert [one.key for one in canary.judge_headers(replies, https=True) if one.state is State.FAILED] == [
        "strict_transport_security"
    ]
    with _running(data, *SERVE, ASCOLTO_HTTPS="1") as secure:
        replies = canary.send(urlsplit(secure), canary.new_mark())
    assert all(one.state is State.GOOD for one in canary.judge_headers(replies, https=True))


def test_behind_an_https_proxy_everything_holds_and_nothing_is_left_open(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, certificate: Path
) -> None:
    data = tmp_path_factory.mktemp("https") / "data"
    with _running(data, *SERVE, ASCOLTO_HTTPS="1") as served, _proxy(served, certificate) as proxied:
        checked = _check(data, proxied, tmp_path, SSL_CERT_FILE=str(certificate))
        unknown = _check(data, proxied, tmp_path)
    assert (checked.returncode, _failed(checked)) == (0, [])
    lines = checked.stdout.splitlines()
    assert {_said(key, State.GOOD) for key in ("https", "https_set", "strict_transport_security")} <= set(lines)
    assert _said("reached", State.FAILED, url=proxied, why="SSLCertVerificationError") in _failed(unknown)


def test_a_service_that_does_not_know_of_its_https_proxy_fails(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, certificate: Path
) -> None:
    data = tmp_path_factory.mktemp("https") / "data"
    with _running(data, *SERVE, ASCOLTO_HTTPS="0") as served, _proxy(served, certificate) as proxied:
        checked = _check(data, proxied, tmp_path, SSL_CERT_FILE=str(certificate))
    pages = ", ".join(canary.PAGES[:5]) + " (+2)"
    assert _failed(checked) == [
        _said("https_set", State.FAILED),
        _said("strict_transport_security", State.FAILED, pages=pages),
    ]


@pytest.mark.parametrize(
    ("url", "set_", "said"),
    [
        ("http://ascolto.example.it", True, {"https": State.FAILED}),
        ("http://127.0.0.1:8000", False, {"https": State.UNSURE}),
        ("https://ascolto.example.it", True, {"https": State.GOOD, "https_set": State.GOOD}),
        ("https://ascolto.example.it", False, {"https": State.GOOD, "https_set": State.FAILED}),
    ],
)
def test_plain_http_fails_unless_it_is_this_machine(url: str, set_: bool, said: dict[str, State]) -> None:
    judged = canary.judge_scheme(urlsplit(url), service_says_https=set_)
    assert {one.key: one.state for one in judged} == said


@pytest.mark.parametrize(
    "url",
    [
        "https://example.org",
        "http://127.0.0.1.example.org",
        "https://ascolto.invalid@example.org",
        "ftp://127.0.0.1",
        "http://192.0.2.1",
        "http://[::1",
        "http://127.0.0.1:99999",
        "nonsense",
        "",
    ],
)
def test_no_other_address_is_contacted(url: str) -> None:
    with pytest.raises(canary.AddressRefused):
        canary.allowed(url, "https://ascolto.invalid")


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8000", "http://localhost", "http://[::1]:8000", "https://ascolto.invalid/"]
)
def test_this_machine_and_the_organisation_s_own_address_are(url: str) -> None:
    assert canary.allowed(url, "https://ascolto.invalid").scheme in ("http", "https")


async def test_the_organisation_s_address_is_read_without_making_a_store(data: Path, tmp_path: Path) -> None:
    assert await database.public_address(StoreSettings(data)) == ORGANISATION.address
    assert await database.public_address(StoreSettings(tmp_path)) == ""
    assert list(tmp_path.iterdir()) == []


def test_a_foreign_address_is_refused_and_fails_the_check(data: Path, tmp_path: Path) -> None:
    checked = _check(data, "https://example.org", tmp_path)
    assert (checked.returncode, _failed(checked)) == (1, [_said("address", State.FAILED, url="https://example.org")])


def test_no_server_and_another_installation_s_server_fail_the_check(
    data: Path, address: str, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    nobody = f"http://127.0.0.1:{free_port()}"
    assert _failed(_check(data, nobody, tmp_path)) == [
        _said("reached", State.FAILED, url=nobody, why="ConnectionRefusedError")
    ]
    other = tmp_path_factory.mktemp("other")
    assert _said("same", State.FAILED) in _failed(_check(other, address, tmp_path))


# the machine


def _key(found: Iterator[Finding], key: str) -> Finding:
    return next(one for one in found if one.key == key)


def test_a_key_that_others_may_read_is_named(data: Path, address: str, tmp_path: Path) -> None:
    key = data / "keys" / "installation.pem"
    key.chmod(0o644)
    try:
        checked = _check(data, address, tmp_path)
    finally:
        key.chmod(0o600)
    assert (checked.returncode, _failed(checked)) == (1, [_said("key_modes", State.FAILED, paths=key)])


def test_a_data_folder_that_others_may_enter_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o750)
    assert _key(machine.judge_modes(tmp_path), "data_mode").state is State.FAILED
    tmp_path.chmod(0o700)
    assert _key(machine.judge_modes(tmp_path), "data_mode").state is State.GOOD


@pytest.mark.parametrize(
    "place", ["copy of a key", "wrap in the answers", "wrap's hex in the answers", "raw key in the answers"]
)
def test_a_key_beside_or_inside_the_answers_is_named(tmp_path: Path, place: str) -> None:
    keys, answers = tmp_path / "keys", tmp_path / "answers.sqlite-wal"
    keys.mkdir()
    wrap, raw = bytes(range(200, 248)), bytes(range(60, 92))
    (keys / "w.wraps.json").write_text(f'{{"public": "00", "wraps": {{"hr+representative": "{wrap.hex()}"}}}}')
    (keys / "cases.key").write_bytes(raw)
    answers.write_bytes(b"sealed" * 99)
    assert machine.judge_keys_apart(tmp_path).state is State.GOOD
    if place == "copy of a key":
        answers = tmp_path / "backup" / "cases.key"
        answers.parent.mkdir()
    answers.write_bytes(
        b"page" * 99 + {"wrap in the answers": wrap, "wrap's hex in the answers": wrap.hex().encode()}.get(place, raw)
    )
    found = machine.judge_keys_apart(tmp_path)
    assert (found.state, found.values["paths"]) == (State.FAILED, str(answers))


def test_a_running_service_that_may_dump_its_memory_is_found_out(data: Path, address: str, tmp_path: Path) -> None:
    assert machine.judge_core(machine.services_of(data)).state is State.GOOD
    allowed = resource.getrlimit(resource.RLIMIT_CORE)[1]  # a machine may allow nobody any
    with _running(tmp_path / "data", *SERVE, core=allowed):
        found = machine.judge_core(machine.services_of(tmp_path / "data"))
    assert found.state is (State.FAILED if allowed else State.GOOD)


def test_a_service_with_a_core_limit_above_zero_is_found_out(tmp_path: Path) -> None:
    process = tmp_path / "1"
    process.mkdir()
    (process / "limits").write_text(
        "Limit                     Soft Limit           Hard Limit           Units\n"
        "Max core file size        unlimited            unlimited            bytes\n"
    )
    assert machine.judge_core([machine.Service(process, https=False)]).state is State.FAILED
    assert machine.judge_core([machine.Service(tmp_path, https=False)]).state is State.UNSURE
    assert machine.judge_core([]).state is State.UNSURE


def test_swap_on_a_disk_is_said_unless_the_service_may_not_use_it(tmp_path: Path) -> None:
    swaps, service = tmp_path / "swaps", [machine.Service(tmp_path, https=False)]
    head = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"
    swaps.write_text(head + "/dev/zram0 partition 1000 5 100\n")
    assert machine.judge_swap(service, swaps, tmp_path).state is State.GOOD
    swaps.write_text(head + "/dev/sda2 partition 1000 0 -2\n")
    assert machine.judge_swap(service, swaps, tmp_path).values == {"areas": "/dev/sda2"}
    (tmp_path / "cgroup").write_text("0::/system.slice/ascolto.service\n")
    group = tmp_path / "system.slice" / "ascolto.service"
    group.mkdir(parents=True)
    (group / "memory.swap.max").write_text("max\n")
    assert machine.judge_swap(service, swaps, tmp_path).state is State.UNSURE
    (group / "memory.swap.max").write_text("0\n")
    assert machine.judge_swap(service, swaps, tmp_path).state is State.GOOD


def test_a_clock_behind_what_is_written_fails(tmp_path: Path) -> None:
    (tmp_path / "public.sqlite").write_bytes(b"")
    now = time.time()
    assert machine.judge_clock(tmp_path, now).state is not State.FAILED
    assert machine.judge_clock(tmp_path, now - 86_400).state is State.FAILED


def test_a_last_backup_of_more_than_a_week_ago_is_named_with_its_day(tmp_path: Path) -> None:
    now = datetime(2026, 11, 20, 12, tzinfo=UTC).timestamp()
    assert machine.judge_backup(tmp_path, now) == Finding("backup", State.UNSURE)
    for day, state in (("2026-11-20", State.GOOD), ("2026-11-13", State.GOOD), ("2026-11-12", State.FAILED)):
        (tmp_path / "backup.day").write_text(day)
        found = machine.judge_backup(tmp_path, now)
        assert (found.state, str(found.values["day"])) == (state, day)
    (tmp_path / "backup.day").write_text("yesterday")
    assert machine.judge_backup(tmp_path, now).state is State.UNSURE


# what is shipped


def test_every_finding_has_its_sentences_in_both_languages() -> None:
    source = "".join(
        path.read_text("utf-8") for path in [*(ROOT / "server/check").glob("*.py"), ROOT / "server/command/check.py"]
    )
    used = {(key, state) for state, key in re.findall(r'\b(good|failed|unsure)\("([a-z_]+)"', source)}
    used |= {
        (name.replace("-", "_"), state)
        for name in ("cache-control", "referrer-policy", "content-security-policy", "strict-transport-security")
        for state in ("good", "failed")
    }
    for language in texts.DESK_LANGUAGES:
        written = {tuple(key.split(".")[2:4]) for key in texts.catalogue(language) if key.startswith("cli.check.")}
        assert {(key, state) for key, state in written if key != "end"} == used


@pytest.mark.parametrize(
    "line",
    [
        "error_log /dev/null crit;",
        "access_log off;",
        'proxy_set_header X-Forwarded-For "";',
        'proxy_set_header X-Real-IP "";',
        'proxy_set_header Forwarded "";',
        "proxy_max_temp_file_size 0;",
        "client_body_in_file_only off;",
    ],
)
def test_the_shipped_nginx_settings_hold_each_line_that_protects(line: str) -> None:
    text = (ROOT / "deploy" / "nginx.conf").read_text("utf-8")
    servers = text.split("\nserver {")[1:]
    wanted = servers if "log" in line.split()[0] else servers[1:]
    assert len(servers) == 2 and all(line in server for server in wanted)


def test_a_staff_form_never_outgrows_nginx_s_memory() -> None:
    from server.concern.wire import LIMIT
    from server.reporters.plain import FORM_LIMIT

    text = (ROOT / "deploy" / "nginx.conf").read_text("utf-8")

    def bytes_of(name: str) -> int:
        found = re.search(rf"\n    {name} (\d+)m;", text)
        assert found is not None
        return int(found[1]) << 20

    largest, buffered = bytes_of("client_max_body_size"), bytes_of("client_body_buffer_size")
    assert buffered >= largest >= max(FORM_LIMIT, LIMIT)


def test_the_service_is_known_by_its_data_folder(data: Path, address: str, tmp_path: Path) -> None:
    assert machine.services_of(data) != []
    assert machine.services_of(tmp_path) == []
    assert from_environment({"ASCOLTO_DATA": str(data)}).data == data
