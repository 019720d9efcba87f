"""The operator's handbook: every command in it runs on a served installation, and what it says one sees is what is said."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from server.check import State
from server.frame import faults, texts
from server.operation import watch
from server.processes.due import JOBS
from surveys import one_folder
from surveys.away import StoreAway
from surveys.one_folder import Folder
from surveys.people import sending
from surveys.stores import StoreSettings
from tests.journeys.conftest import environment, start
from tests.postgres import free_port
from tests.surveys.backed_up import Keys

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "docs" / "handbooks" / "operator.md").read_text("utf-8")
COMMANDS = list(dict.fromkeys("".join(re.findall(r"^```sh\n(.*?)^```", TEXT, flags=re.M | re.S)).splitlines()))


@pytest.mark.opened
def test_every_command_runs_on_a_served_installation(sqlite_settings: StoreSettings, tmp_path: Path) -> None:
    tools, port = tmp_path / "tools", free_port()
    tools.mkdir()
    program = tools / "ascolto"
    program.write_text(f'#!/bin/sh\ncd {ROOT} && exec {sys.executable} -m server.command.cli "$@"\n')
    program.chmod(0o755)
    here = environment(sqlite_settings.data) | {"PATH": f"{tools}{os.pathsep}{os.environ['PATH']}"}
    (tmp_path / "copies").mkdir()
    here |= {"COPIES": str(tmp_path / "copies"), "OWNER": Keys(tmp_path / "owner").public}
    here |= {"RESTIC_REPOSITORY": str(tmp_path / "elsewhere"), "RESTIC_PASSWORD": "of this test"}
    here |= {"RESTIC_CACHE_DIR": str(tmp_path / "cache")}
    process = start(sqlite_settings.data, port)
    try:
        assert len(COMMANDS) > 12
        for command in COMMANDS:
            logs = f" --wait 0.5 --logs {tools}" if command.startswith("ascolto check") else ""
            asked = command.replace(":8000", f":{port}") + logs
            done = subprocess.run(asked, shell=True, env=here, capture_output=True, text=True, check=False)
            away = [line for line in done.stdout.splitlines() if line.startswith(State.FAILED) and "memory" not in line]
            assert (away, done.stderr) == ([], "") and done.stdout, command
            assert done.returncode == 0 or command.startswith("ascolto check"), command
    finally:
        process.terminate()
        process.wait(20)


def test_what_one_sees_is_what_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    faults.say_away()  # what tests before this one met
    capsys.readouterr()
    faults.note("request", StoreAway("answers", "ConnectionRefusedError"))
    faults.note("request", StoreAway("answers", "ConnectionRefusedError"))
    faults.say_away()
    said = capsys.readouterr().err
    assert said == "store away: answers (ConnectionRefusedError)\n" and said.strip() in TEXT
    assert f"{watch.RESERVE_BYTES // 2**20} MB" in TEXT
    minutes = next(job.allowed_minutes for job in JOBS if job.name == "notices")
    assert f"after {minutes} minutes" in TEXT
    minutes = next(job.allowed_minutes for job in JOBS if job.name == "rehearsal")
    assert f"after {minutes // (24 * 60)} days" in TEXT
    for key in ("disk.failed", "mail.failed", "clock.failed", "rehearsal.failed"):
        begun = texts.catalogue("en")[f"cli.check.{key}"].split("{")[0].split(" (")[0].strip()
        assert f"✗ {begun}" in TEXT, key
    awaited = texts.catalogue("en")["cli.awaited"].split(",")[0]
    assert awaited in TEXT
    assert texts.catalogue("en")["cli.other_folder"] in TEXT
    assert f"classid = {one_folder.KIND}" in TEXT and all(f'"{word}"' in TEXT or f"`{word}`" in TEXT for word in Folder)
    assert "a quarter of an hour" in TEXT and sending.CLAIM_SECONDS == 15 * 60
