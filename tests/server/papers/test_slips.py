"""Slips from the shell: codes are made for a file that can be written, and counted once."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from surveys.lifecycle.printing import slips_left
from surveys.public.waves import State, change, get
from surveys.stores import StoreSettings, stores
from tests.conftest import WAVE


def _printed(data: Path, output: Path) -> int:
    command = [
        sys.executable,
        "-m",
        "server.command.cli",
        "wave",
        "slips",
        WAVE,
        "--count",
        "3",
        "--output",
        str(output),
    ]
    return subprocess.run(command, env={**os.environ, "ASCOLTO_DATA": str(data)}, capture_output=True).returncode


@pytest.mark.opened
async def test_a_mistyped_name_of_a_file_burns_no_code(sqlite_settings: StoreSettings, tmp_path: Path) -> None:
    """Done from outside: the codes were made first, and "0 more slips may be printed" stood there afterwards."""
    async with stores(
        sqlite_settings
    ) as engines:  # the open wave that tests copy has all its slips: as if three fewer were printed
        await change(engines["public"], WAVE, State.OPEN, slips=(await get(WAVE)).slips - 3)
    found = []
    for output in (tmp_path / "no" / "folder.pdf", tmp_path / "slips.pdf"):
        status = _printed(sqlite_settings.data, output)
        async with stores(sqlite_settings):
            found.append((status == 0, output.exists(), await slips_left(await get(WAVE))))
    assert found[0][:2] == (False, False) and found[1][:2] == (True, True)
    assert found[0][2] - found[1][2] == 3
