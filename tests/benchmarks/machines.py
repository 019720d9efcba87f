"""Two machines with networks of their own before one PostgreSQL, nginx in front: one folder, a second folder, a cable that is pulled.

Needs root and Linux: each machine is a network namespace. The folder that both share lies on one disk, so that locks of a
network's file system are not part of it.
"""

import os
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import httpx
from aiosmtpd.controller import Controller

from surveys.stores import StoreSettings
from tests import postgres
from tests.postgres import free_port
from tests.server.operation import machines
from tests.server.operation.machines import PEOPLE, Machine, SlowInbox, until
from tests.server.operation.test_away import Server

_NET = "10.77"
_NGINX = """
daemon off; master_process off; pid {folder}/nginx.pid; error_log {folder}/main.log crit; worker_processes 1;
events {{}}
http {{
    access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    upstream machines {{ {servers} }}
    server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass http://machines; }} }}
}}
"""


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)


@contextmanager
def _network(number: int) -> Iterator[tuple[list[str], str]]:
    """A namespace with a cable to here; gives what runs a program in it and the name of its end of the cable."""
    space, here, there = f"ascolto-{os.getpid()}-{number}", f"as{os.getpid()}h{number}", f"as{os.getpid()}n{number}"
    _ip("netns", "add", space)
    try:
        _ip("link", "add", here, "type", "veth", "peer", "name", there, "netns", space)
        _ip("addr", "add", f"{_NET}.{number}.254/24", "dev", here)
        _ip("link", "set", here, "up")
        for step in (("addr", "add", f"{_NET}.{number}.1/24", "dev", there), ("link", "set", there, "up")):
            _ip("-n", space, *step)
        _ip("-n", space, "link", "set", "lo", "up")
        yield ["ip", "netns", "exec", space], there
    finally:
        _ip("netns", "del", space)


@contextmanager
def _database() -> Iterator[str]:
    """A PostgreSQL that both machines reach; gives its address with `{host}` and `{db}` in it."""
    with postgres.server() as address:
        server = Server(address)
        data = Path(server._command[server._command.index("-D") + 1])
        with (data / "pg_hba.conf").open("a") as file:
            file.write(f"host all all {_NET}.0.0/16 trust\n")
        server.end()
        server._command = [part.replace("listen_addresses=127.0.0.1", "listen_addresses=*") for part in server._command]
        again = server.start()
        try:
            yield address.replace("127.0.0.1", "{host}")
        finally:
            again.send_signal(signal.SIGINT)
            again.wait(20)


@contextmanager
def _front(folder: Path, behind: list[Machine]) -> Iterator[str]:
    port, servers = free_port(), " ".join(f"server {one.host}:{one.port};" for one in behind)
    (folder / "nginx.conf").write_text(_NGINX.format(folder=folder, port=port, servers=servers))
    process = subprocess.Popen(["nginx", "-c", str(folder / "nginx.conf"), "-p", str(folder), "-e", os.devnull])
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)


def _seconds(since: float) -> str:
    return f"{time.monotonic() - since:.0f} s"


def _folder_of(machine: Machine) -> str:
    with suppress(AssertionError, httpx.HTTPError):
        return str(machine.read("/ready")["folder"])
    return ""


async def measure(folder: Path) -> list[tuple[str, str, str]]:
    folder.mkdir(parents=True)
    with ExitStack() as stack:
        address = stack.enter_context(_database())
        here = postgres.fresh_databases(address.format(host="127.0.0.1", db="{db}"), "machines")
        networks = {number: stack.enter_context(_network(number)) for number in (1, 2)}
        inbox = SlowInbox()
        mail = Controller(inbox, hostname="0.0.0.0", port=free_port())
        mail.start()
        stack.callback(mail.stop)
        shared, other = StoreSettings(folder / "shared", here), folder / "other"
        other.mkdir()
        await machines.put_out(shared)

        def machine(number: int, data: Path) -> Machine:
            host = f"{_NET}.{number}.254"
            one = Machine(
                data,
                here.replace("127.0.0.1", host),
                f"smtp://{host}:{mail.port}",
                host=f"{_NET}.{number}.1",
                within=networks[number][0],
            )
            stack.callback(one.end)
            return one

        pair = [machine(1, shared.data), machine(2, shared.data)]
        for one in pair:
            one.comes_up()
        front = stack.enter_context(_front(folder, pair))
        until(lambda: len(inbox.arrived) >= PEOPLE)
        keys = Counter(httpx.get(f"{front}/.well-known/ascolto").text for _ in range(20))
        refused = machine(2, other)
        status = refused.process.wait(60)
        good = await machines.work(shared, inbox.links())
        found = [
            ("letters to 120 people, links that work", f"{len(inbox.arrived)}, {sum(good)}", "120, 120"),
            ("keys that 20 requests through the proxy met", str(len(keys)), "1"),
            ("status of a second folder", str(status), "1"),
        ]
        pair[1].end()
        _ip("-n", networks[1][0][3], "link", "set", networks[1][1], "down")
        pulled = time.monotonic()
        came = machine(2, other)
        while came.get("/health") is None:
            if came.process.poll() is not None:
                came = machine(2, other)
            time.sleep(0.1)
        found.append(("a second folder comes in after a cable was pulled", _seconds(pulled), "20 to 40 s"))
        _ip("-n", networks[1][0][3], "link", "set", networks[1][1], "up")
        back = time.monotonic()
        until(lambda: _folder_of(pair[0]) == "other")
        page = pair[0].get("/")
        found.append(("the first says so, once it has its cable again", _seconds(back), "<= 30 s"))
        found.append(("its pages then", str(page.status_code if page else ""), "503"))
        came.end()
        gone = time.monotonic()
        until(lambda: _folder_of(pair[0]) == "ok")
        found.append(("and serves again after the second has ended", _seconds(gone), "<= 10 s"))
    return found
