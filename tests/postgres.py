"""A real PostgreSQL for the tests: started on loopback in a folder of its own, as an unprivileged user when run as root."""

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from surveys.stores import STORES

LOG = "server.log"
"""What the server writes as it comes, beside its data folder."""


@cache
def tool(name: str) -> str:
    """The path of a PostgreSQL program; Debian keeps most of them off PATH."""
    folder = subprocess.run(["pg_config", "--bindir"], capture_output=True, text=True, check=False).stdout.strip()
    found = shutil.which(name, path=f"{folder}{os.pathsep}{os.environ.get('PATH', '')}") or next(
        (str(path) for path in sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), reverse=True)), None
    )
    if found is None:
        raise RuntimeError(f"{name} is missing: install PostgreSQL (Debian: apt-get install postgresql)")
    return found


def _unprivileged() -> list[str]:
    if os.geteuid() != 0:
        return []
    return ["setpriv", "--reuid=nobody", f"--regid={pwd.getpwnam('nobody').pw_gid}", "--clear-groups"]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


MEMORY, ROOM = "/dev/shm", 2**30


def _place() -> str | None:
    """In memory, where there is room: a copied database is three hundred files, which a disk takes ten times as long for."""
    with contextlib.suppress(OSError):
        if os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOM:
            return MEMORY
    return None


@contextlib.contextmanager
def server(*, durable: bool = False, short_log: bool = False, recycles: bool = True) -> Iterator[str]:
    """Start a server, for measurements one that flushes to disk, for searches one whose log comes round soon,
    or whose old log is removed; gives the address of its databases with ``{db}`` in it."""
    folder = Path(tempfile.mkdtemp(prefix="ascolto-pg-", dir=None if durable else _place()))
    if os.geteuid() == 0:
        shutil.chown(folder, "nobody")
    data, port, as_user = folder / "data", free_port(), _unprivileged()
    run: dict[str, Any] = {"check": True, "capture_output": True, "cwd": "/"}
    subprocess.run([*as_user, tool("initdb"), "-D", str(data), "-U", "postgres", "--no-sync", "-A", "trust"], **run)
    options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c max_connections=200"
    # small buffers: each of the hundreds of tables that a stir empties is looked for in all of them
    options += "" if durable else " -c fsync=off -c jit=off -c shared_buffers=16MB"
    options += " -c min_wal_size=32MB -c max_wal_size=32MB" if short_log else ""
    options += "" if recycles else " -c wal_recycle=off"
    with open(folder / LOG, "wb") as log:
        process = subprocess.Popen(
            [*as_user, tool("postgres"), "-D", str(data), *options.split()], stdout=log, stderr=log, cwd="/"
        )
    try:
        for _ in range(100):
            if (
                subprocess.run(
                    [tool("pg_isready"), "-h", "127.0.0.1", "-p", str(port)], capture_output=True, check=False
                ).returncode
                == 0
            ):
                break
            time.sleep(0.1)
        yield f"postgresql://postgres@127.0.0.1:{port}/{{db}}"
    finally:
        process.terminate()
        process.wait(20)
        shutil.rmtree(folder, ignore_errors=True)


@cache
def _by_file(psql: tuple[str, ...]) -> str:
    """Copy the files of a template, not each of its pages through the log: PostgreSQL 15 and later ask which."""
    asked = subprocess.run([*psql, "-tAc", "SHOW server_version_num"], check=True, capture_output=True, text=True)
    return "STRATEGY FILE_COPY" if int(asked.stdout) >= 150000 else ""


_over: dict[str, list[str]] = {}


def give_back(address: str, name: str) -> None:
    """Nobody needs these four databases any more: they go when the next are made."""
    _over.setdefault(address, []).append(name)


def fresh_databases(address: str, name: str, template: str = "") -> str:
    """Make four empty databases, or copies of four others; gives an ASCOLTO_DATABASE_URL."""
    psql: tuple[str, ...] = (tool("psql"), "-q", address.format(db="postgres"))
    steps = [f'DROP DATABASE "{one}_{store}" WITH (FORCE)' for one in _over.pop(address, []) for store in STORES]
    for store in STORES:
        copied = f' TEMPLATE "{template}_{store}" {_by_file(psql)}' if template else ""
        steps += [
            f'CREATE DATABASE "{name}_{store}"{copied}',
            f'REVOKE CONNECT ON DATABASE "{name}_{store}" FROM PUBLIC',
        ]
    subprocess.run([*psql, *(part for step in steps for part in ("-c", step))], check=True, capture_output=True)
    return address.format(db=f"{name}_{{store}}")
