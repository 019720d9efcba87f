"""A service that is killed while it reads a file that was sent leaves nothing of it in the data folder beyond the next look of the jobs."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from surveys.lifecycle import copies, resuming
from surveys.lifecycle.context import Site

_READS = """
import asyncio, sys
from pathlib import Path
from litestar.datastructures import UploadFile
from server.hr import people_import, uploads
from server.settings import Settings
from surveys.stores import StoreSettings
read = {"people": people_import._read, "figures": lambda *given: uploads.read_sent(*given, "figures", year=2025)}[sys.argv[2]]
sent = UploadFile("text/csv", "staff.csv", b"name;email\\nAnna Bianchi;anna@example.org\\n" * 20000)
asyncio.run(read(Settings(StoreSettings(Path(sys.argv[1]))), sent))
"""
WHO = b"Anna Bianchi"


def _holding(folder: Path) -> list[str]:
    return [path.name for path in folder.rglob("*") if path.is_file() and WHO in path.read_bytes()]


@pytest.mark.parametrize("what", ["people", "figures"])
async def test_nothing_of_a_file_that_was_sent_outlives_the_service_that_read_it(sqlite_site: Site, what: str) -> None:
    """Done from outside: the whole staff list lay open in the data folder for good, under a name that nobody looks for."""
    data = sqlite_site.data
    reading = subprocess.Popen([sys.executable, "-c", _READS, str(data), what], start_new_session=True)
    while not _holding(data):
        assert reading.poll() is None
        time.sleep(0.005)
    os.kill(reading.pid, signal.SIGSTOP)
    held = _holding(data)
    await resuming.resume(sqlite_site)
    assert _holding(data) == held and len(held) == 1  # what is being read stays
    os.killpg(reading.pid, signal.SIGKILL)
    reading.wait()
    await resuming.resume(sqlite_site)
    assert _holding(data) == []


def test_what_versions_before_left_goes_too_and_nothing_else(tmp_path: Path) -> None:
    for name in ("tmpab12_x9z.csv", ".pack-ab12_x9z"):
        (tmp_path / name).write_bytes(WHO)
    others = {"tmp", "tmpab12.csv", "people.sqlite", "temporary.txt"}
    for name in others:
        (tmp_path / name).write_bytes(WHO)
    copies.clear(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == others
