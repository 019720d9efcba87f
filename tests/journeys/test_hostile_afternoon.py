"""A hostile afternoon: files that are none, a full disk, a read-only database, a lost process. Each ends in a clear message."""

import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pysqlite3.dbapi2 as sqlite
import pytest

from tests.benchmarks.installation import WAVE, opened, process, served, wait_for
from tests.journeys.conftest import environment
from tests.postgres import free_port

MAPPING = Path(__file__).parents[2] / "docs" / "examples" / "osmi-2014.toml"
OSMI = Path(__file__).parents[3] / "shared" / "data" / "osmi-2014.csv"


def _ascolto(data: Path, *arguments: str, typed: str = "") -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "server.command.cli", *arguments],
        env=environment(data),
        input=typed,
        text=True,
        capture_output=True,
        check=False,
        timeout=120,
    )


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "The file is empty."),
        (os.urandom(4000), "neither a CSV nor an XLSX"),
        (b"PK\x03\x04" + os.urandom(900), "damaged or was cut off"),
        (b'a,b\n"1,2\n3,4\n', "quotation mark"),
    ],
    ids=["empty", "binary", "truncated", "damaged"],
)
@pytest.mark.parametrize("kind", ["people", "responses"])
def test_a_file_that_is_none_is_refused_in_words(tmp_path: Path, content: bytes, sentence: str, kind: str) -> None:
    file = tmp_path / "file.csv"
    file.write_bytes(content)
    more = ["--mapping", str(MAPPING)] if kind == "responses" else []
    made = _ascolto(tmp_path / "data", "import", kind, str(file), *more)
    assert made.returncode == 1
    assert sentence in made.stderr
    assert "Traceback" not in made.stderr


def test_a_file_of_200_megabytes_is_refused_before_it_is_read(tmp_path: Path) -> None:
    file = tmp_path / "big.csv"
    with file.open("wb") as handle:
        handle.truncate(200 * 1024 * 1024)
    made = _ascolto(tmp_path / "data", "import", "people", str(file))
    assert (made.returncode, "200 MB; at most 50 MB" in made.stderr) == (1, True)


def test_another_tool_s_real_file_is_released_and_verified_and_a_broken_row_is_named(tmp_path: Path) -> None:
    """The real file is used wherever it is beside the project; our own small file has the same faults and is tested anyway."""
    if not OSMI.exists():
        print("the file osmi-2014.csv is not beside the project: the tests of surveys.importing ran on our own file")
        assert (Path(__file__).parents[1] / "surveys" / "importing" / "data").exists()
        return
    data = tmp_path / "data"
    made = _ascolto(data, "import", "responses", str(OSMI), "--mapping", str(MAPPING))
    assert made.returncode == 0, made.stderr
    assert "1259 sheets" in made.stdout
    assert "Timestamp, ID" in made.stdout
    shown = _ascolto(data, "release", "show", "osmi-2014")
    document = tmp_path / "osmi.json"
    document.write_text(shown.stdout, "utf-8")
    assert _ascolto(data, "release", "verify", str(document)).returncode == 0
    again = _ascolto(data, "import", "responses", str(OSMI), "--mapping", str(MAPPING))
    assert "is here already" in again.stderr
    broken = tmp_path / "broken.csv"
    lines = OSMI.read_text("utf-8-sig").splitlines()
    lines[6] = lines[6].replace("Somewhat easy", "???").replace("Don't know", "???")
    broken.write_text("\n".join(lines), "utf-8")
    refused = _ascolto(tmp_path / "other", "import", "responses", str(broken), "--mapping", str(MAPPING))
    assert refused.returncode == 1
    assert "Row 7," in refused.stderr


def test_a_read_only_database_keeps_nothing_and_says_so(tmp_path: Path) -> None:
    codes, _ = opened(tmp_path / "data", 40)
    sheet = {"_code": codes[0], "_lang": "en", "_wave": WAVE, "_attempt": "a" * 32, "CUL1": "3"}
    with served(tmp_path / "data") as (address, _):
        _fill_disk_of_answers(tmp_path / "data")
        refused = httpx.post(f"{address}/answer", data=sheet)
        assert refused.status_code == 503
        assert "Nothing was recorded" in refused.text
        assert 'name="CUL1" value="3" checked' in refused.text
        _free_disk_of_answers(tmp_path / "data")
        assert httpx.post(f"{address}/answer", data=sheet).status_code == 303


def _fill_disk_of_answers(data: Path) -> None:
    """Make every write to the answers store fail, as a read-only or full disk does: a trigger that aborts."""
    _sqlite(
        data,
        "CREATE TRIGGER full_disk BEFORE INSERT ON spent BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END",
    )


def _free_disk_of_answers(data: Path) -> None:
    _sqlite(data, "DROP TRIGGER full_disk")


def _sqlite(data: Path, statement: str) -> None:
    connection = sqlite.connect(data / "answers.sqlite", timeout=20)
    connection.execute(statement)
    connection.commit()
    connection.close()


def test_a_data_folder_that_cannot_be_written_is_named_and_nothing_starts(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    made = _ascolto(blocked / "data", "wave", "list")
    assert made.returncode == 1
    assert "The data cannot be opened" in made.stderr


def test_a_server_killed_in_the_middle_comes_back_with_every_thanked_sheet(tmp_path: Path) -> None:
    codes, _ = opened(tmp_path / "data", 60)
    port = free_port()
    running = process(tmp_path / "data", port)
    wait_for(port)
    form = {"_lang": "it", "_wave": WAVE, "CUL1": "2"}
    thanked = [
        c
        for i, c in enumerate(codes[:20])
        if httpx.post(f"http://127.0.0.1:{port}/answer", data={**form, "_code": c, "_attempt": f"{i:032x}"}).status_code
        == 303
    ]
    running.send_signal(signal.SIGKILL)
    running.wait(10)
    port = free_port()
    again = process(tmp_path / "data", port)
    try:
        wait_for(port)
        for i, code in enumerate(thanked):
            other = httpx.post(
                f"http://127.0.0.1:{port}/answer", data={**form, "_code": code, "_attempt": f"{i + 500:032x}"}
            )
            assert other.status_code == 409  # it is there: another form finds its code used
        assert len(thanked) == 20
    finally:
        again.terminate()
        again.wait(20)


def test_no_log_or_file_of_the_server_holds_an_answer_an_address_or_an_agent(tmp_path: Path) -> None:
    codes, _ = opened(tmp_path / "data", 40)
    port, log = free_port(), tmp_path / "log"
    with log.open("wb") as handle:
        running = subprocess.Popen(
            [sys.executable, "-m", "server.command.cli", "serve", "--port", str(port)],
            env=environment(tmp_path / "data"),
            stdout=handle,
            stderr=handle,
        )
    try:
        wait_for(port)
        canary = {
            "User-Agent": "canary-agent-7731",
            "X-Forwarded-For": "203.0.113.77",
            "Referer": "http://canary-referer.invalid",
        }
        sent = httpx.post(
            f"http://127.0.0.1:{port}/answer",
            headers=canary,
            data={"_code": codes[0], "_lang": "it", "_wave": WAVE, "CUL1": "2", "_attempt": "c" * 32},
        )
        assert sent.status_code == 303
        httpx.post(f"http://127.0.0.1:{port}/answer", headers=canary, content=b"\xff\xfe=canary-body-9913")
        time.sleep(0.5)
    finally:
        running.terminate()
        running.wait(20)
    for canary_text in (
        b"canary-agent-7731",
        b"203.0.113.77",
        b"canary-referer",
        b"canary-body-9913",
        codes[0].encode(),
    ):
        holding = [
            str(path)
            for path in [*(tmp_path / "data").rglob("*"), log]
            if path.is_file() and canary_text in path.read_bytes()
        ]
        assert holding == [], canary_text


def test_key_files_are_for_their_owner_alone(tmp_path: Path) -> None:
    opened(tmp_path / "data", 40)
    for path in (tmp_path / "data" / "keys").iterdir():
        if path.suffix in (".json", ".pem"):
            assert stat.S_IMODE(path.stat().st_mode) == 0o600, path.name
