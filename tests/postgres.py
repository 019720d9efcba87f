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
from pathlib import Path

from surveys.stores import STORES

LOG = "server.log"
"""What the server writes as it comes, beside its data folder."""


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


@contextlib.contextmanager
def server() -> Iterator[str]:
    """Start a server; gives the address of its databases with ``{db}`` in it."""
    folder = Path(tempfile.mkdtemp(prefix="ascolto-pg-"))
    if os.geteuid() == 0:
        shutil.chown(folder, "nobody")
    data, port, as_user = folder / "data", free_port(), _unprivileged()
    run = {"check": True, "capture_output": True, "cwd": "/"}
    subprocess.run([*as_user, tool("initdb"), "-D", str(data), "-U", "postgres", "--no-sync", "-A", "trust"], **run)  # type: ignore[call-overload]  # plain keyword arguments
    options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off -c max_connections=200"
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


def fresh_databases(address: str, name: str) -> str:
    """Make four empty databases; gives an ASCOLTO_DATABASE_URL."""
    psql = [tool("psql"), "-q", address.format(db="postgres")]
    for store in STORES:
        subprocess.run([*psql, "-c", f'CREATE DATABASE "{name}_{store}"'], check=True, capture_output=True)
        subprocess.run(
            [*psql, "-c", f'REVOKE CONNECT ON DATABASE "{name}_{store}" FROM PUBLIC'], check=True, capture_output=True
        )
    return address.format(db=f"{name}_{{store}}")
