"""`ascolto release verify` and `wave verify` against files and addresses that somebody doctored: refused in words, never called good."""

import argparse
import asyncio
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from server.command.life import release_verify
from server.command.proving import wave_verify
from server.frame.terminal import LANGUAGE
from server.frame.texts import say
from tests.server.papers.test_pack_tampered import OWN, files_of


def _verified(folder: Path, release: str, plan: str) -> int:
    document, frozen = folder / "release.json", folder / "plan.json"
    document.write_text(release, "utf-8")
    frozen.write_text(plan, "utf-8")
    return asyncio.run(release_verify(argparse.Namespace(file=str(document), key="", plan=str(frozen))))


@pytest.fixture
def given() -> tuple[str, str]:
    files = files_of()
    return files[f"{OWN}/release.json"].decode(), files[f"{OWN}/plan.json"].decode()


def test_a_file_that_is_no_plan_is_not_passed_over(
    given: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Found from outside: beside `null` for a plan the document was verified and nothing was held against it."""
    release, plan = given
    assert _verified(tmp_path, release, plan) == 0
    capsys.readouterr()
    other_k = json.dumps(json.loads(plan) | {"k": "x"})
    for other in ("null", "[]", "7", "{}", other_k, "[" * 100_000):
        assert _verified(tmp_path, release, other) == 1
        assert capsys.readouterr().err == say(LANGUAGE, "cli.not_a_plan", file=tmp_path / "plan.json") + "\n"


def test_a_name_that_stands_twice_in_a_document_is_refused(given: tuple[str, str], tmp_path: Path) -> None:
    """Found from outside: whoever opened the file read 400 received sheets, and the command looked at the 40 that were signed."""
    release, plan = given
    twice = release.replace('"received":40', '"received":400,"received":40')
    assert twice != release and json.loads(twice) == json.loads(release)
    assert _verified(tmp_path, twice, plan) == 1
    assert _verified(tmp_path, release, plan.replace("{", '{"opened":"2025-01-01",', 1)) == 1


@contextmanager
def _answering(answer: bytes) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def once() -> None:
            there, _ = server.accept()
            with there:
                there.recv(4096)
                there.sendall(answer)

        thread = threading.Thread(target=once)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/bulletin.txt"
        thread.join()


@pytest.mark.parametrize(
    "answer",
    [
        b"garbage\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nreceived 1",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
)
def test_an_address_that_answers_no_http_is_no_bulletin(answer: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    """Found from outside: a traceback."""
    with _answering(answer) as address:
        assert asyncio.run(wave_verify(argparse.Namespace(bulletin=address, release="", code=""))) == 1
    assert capsys.readouterr().err == say(LANGUAGE, "cli.not_a_bulletin", file=address) + "\n"
    assert asyncio.run(wave_verify(argparse.Namespace(bulletin="http://a b/", release="", code=""))) == 1
