"""A store that is away: no page is a fault, each says in the person's language to come again, and her sheet is in the page."""

import asyncio
import html
import json
import os
import re
import resource
import signal
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from pytest import CaptureFixture, MonkeyPatch

from server.frame import faults
from server.frame.texts import say
from server.operation import watch
from surveys import sqlite_engine
from surveys.answers.tables import Spent
from surveys.engines import PooledSQLite
from surveys.languages import LANGUAGES
from surveys.lifecycle.context import Site
from surveys.stores import STORES, StoreSettings, stores
from tests import postgres
from tests.conftest import CODES, DAY, WAVE, open_a_wave
from tests.server.operation.running import PAGE, running
from tests.server.operation.test_ready import postmaster_of

PAGES = (
    "/",
    "/answer",
    "/trust",
    "/help",
    f"/wave/{WAVE}",
    f"/results/{WAVE}",
    "/concern",
    "/thanks",
    "/account/in",
    "/cases/in",
    "/.well-known/security.txt",
)
FORM = PAGE | {"content-type": "application/x-www-form-urlencoded", "sec-fetch-site": "same-origin"}
SIGNED_IN = PAGE | {"cookie": "ascolto=" + "x" * 43}


def _sheet(code: str, language: str = "ro") -> dict[str, str]:
    return {
        "_wave": WAVE,
        "_lang": language,
        "_attempt": "ab" * 16,
        "_phone": "",
        "_code": code,
        "CUL1": "1",
    }


class Server:
    """A PostgreSQL of a test's own that can be ended and started again on the same port."""

    def __init__(self, address: str) -> None:
        self.address, self.postmaster = address, postmaster_of(address)
        command = Path(f"/proc/{self.postmaster}/cmdline").read_bytes().split(b"\0")[:-1]
        self._command = [part.decode() for part in command]
        self._owner = Path(f"/proc/{self.postmaster}").stat()

    def end(self) -> None:
        """At once, as in a crash; the process is a child of the fixture, which waits for it."""
        os.kill(self.postmaster, signal.SIGQUIT)
        for _ in range(100):
            if self._state() in ("Z", ""):
                return
            subprocess.run(["sleep", "0.05"], check=True)

    def _state(self) -> str:
        with suppress(OSError):
            return Path(f"/proc/{self.postmaster}/stat").read_text().rpartition(")")[2].split()[0]
        return ""

    def start(self) -> Any:
        as_user = (
            {"user": self._owner.st_uid, "group": self._owner.st_gid, "extra_groups": []} if os.geteuid() == 0 else {}
        )
        quiet = subprocess.DEVNULL
        started = subprocess.Popen(self._command, stdout=quiet, stderr=quiet, cwd="/", **as_user)  # type: ignore[call-overload]  # who runs it
        ready = [postgres.tool("pg_isready"), "-q", "-d", self.address.format(db="postgres")]
        for _ in range(100):
            if subprocess.run(ready, check=False).returncode == 0:
                break
            subprocess.run(["sleep", "0.1"], check=True)
        return started


@pytest.fixture
def own(tmp_path: Path) -> Iterator[tuple[StoreSettings, Server]]:
    with postgres.server() as address:
        yield StoreSettings(tmp_path / "data", postgres.fresh_databases(address, "own")), Server(address)


async def _codes(settings: StoreSettings) -> list[str]:
    async with stores(settings) as opened:
        return [str(code) for code in (await open_a_wave(Site(opened, settings.data, DAY, "hr"), people=40)).codes]


def _printed(settings: StoreSettings) -> str:
    """The first code of the wave that is open in copied stores."""
    return str(json.loads((settings.data.parent / CODES).read_text("utf-8"))[0])


@contextmanager
def _full() -> Iterator[None]:
    """No file of this process may grow: a log of commits that was emptied takes none."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@asynccontextmanager
async def _held(engine: PooledSQLite) -> AsyncIterator[None]:
    """Another connection that writes and does not end: closed whatever happens, as its thread would keep the process."""
    other = await engine.get_connection()
    try:
        await other.execute("BEGIN IMMEDIATE")
        yield
    finally:
        await other.close()


async def _nothing_is_a_fault(client: httpx.AsyncClient, code: str, *, all_away: bool) -> None:
    for path in PAGES:
        answer = await client.get(path, headers=PAGE)
        assert answer.status_code < 500 or answer.status_code == 503, path
        if all_away and path not in ("/account/in", "/cases/in"):
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "30"), path
    for path in ("/hr", "/keys", "/audit", "/account", "/cases"):
        assert (await client.get(path, headers=SIGNED_IN)).status_code in (303, 503), path
    assert (
        await client.post("/answer/sealed", json={"wave": WAVE, "code": code, "attempt": "ab" * 16, "envelope": ""})
    ).status_code in (422, 503)


def _fields(page: str) -> list[tuple[str, str]]:
    return [
        (name, html.unescape(value))
        for name, value in re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', page)
    ]


async def test_postgresql_that_was_stopped_is_said_in_nine_languages_and_the_sheet_is_sent_again_when_it_is_back(
    own: tuple[StoreSettings, Server], capsys: CaptureFixture[str], monkeypatch: MonkeyPatch
) -> None:
    settings, server = own
    code = (await _codes(settings))[0]
    monkeypatch.setattr(watch, "TELL_SECONDS", 3600)
    async with running(settings) as (client, _):
        await client.get("/answer")
        server.end()
        await _nothing_is_a_fault(client, code, all_away=True)
        for language in LANGUAGES:
            page = await client.get(f"/?lang={language}", headers=PAGE)
            assert (
                page.status_code == 503
                and html.escape(say(language, "staff.away.text"), quote=True).replace("&#x27;", "&#39;") in page.text
            )
        sent = await client.post("/answer", content=urlencode(_sheet(code)), headers=FORM)
        assert (sent.status_code, sent.headers["retry-after"]) == (503, "30")
        assert say("ro", "staff.problem.storage") in html.unescape(sent.text)
        assert dict(_fields(sent.text)) == _sheet(code)
        words = await client.get("/answer/words")
        assert words.status_code == 503 and words.json()["problem"]
        capsys.readouterr()
        faults.say_away()
        lines = capsys.readouterr().err.splitlines()
        named = [line.split(" (")[0] for line in lines]
        assert set(named) <= {f"store away: {store}" for store in STORES} and len(named) == len(set(named))
        assert "store away: public" in named
        again = server.start()
        try:
            for _ in range(20):
                arrived = await client.post("/answer", content=urlencode(_fields(sent.text)), headers=FORM)
                if arrived.status_code != 503:
                    break
                await asyncio.sleep(0.5)
            assert (arrived.status_code, arrived.headers["location"]) == (303, f"/thanks?lang=ro&wave={WAVE}")
            assert await Spent.count() == 1
            for path in PAGES:
                assert (await client.get(path, headers=PAGE)).status_code in (200, 404), path
        finally:
            again.send_signal(signal.SIGINT)  # waits for no client
            again.wait(20)


@pytest.mark.opened
@pytest.mark.parametrize("store", STORES)
async def test_a_file_that_another_program_holds_refuses_what_is_sent_and_takes_it_when_it_is_free(
    sqlite_settings: StoreSettings, store: str, monkeypatch: MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_engine, "BUSY_SECONDS", 1)
    code = _printed(sqlite_settings)
    async with running(sqlite_settings) as (client, app):
        engine = app.state.engines[store]
        assert isinstance(engine, PooledSQLite)
        async with _held(engine):
            await _nothing_is_a_fault(client, code, all_away=False)
            sent = await client.post("/answer", content=urlencode(_sheet(code)), headers=FORM)
            if store == "answers":
                assert sent.status_code == 503 and say("ro", "staff.problem.storage") in html.unescape(sent.text)
        again = await client.post("/answer", content=urlencode(_sheet(code)), headers=FORM)
        assert store != "answers" or again.status_code == 303, html.unescape(again.text)[-3000:]
        assert await Spent.count() == 1


@pytest.mark.opened
async def test_a_file_that_is_no_database_any_more_is_said_and_the_whole_one_is_read_without_a_restart(
    sqlite_settings: StoreSettings,
) -> None:
    code = _printed(sqlite_settings)
    async with running(sqlite_settings) as (client, app):
        public, file = app.state.engines["public"], sqlite_settings.data / "public.sqlite"
        await public.truncate_wal()
        whole = file.read_bytes()
        file.write_bytes(b"\xff" * len(whole))
        await public._run_in_new_connection("PRAGMA shrink_memory")
        await _nothing_is_a_fault(client, code, all_away=False)
        file.write_bytes(whole)
        for path in PAGES:
            assert (await client.get(path, headers=PAGE)).status_code in (200, 404), path


@pytest.mark.opened
async def test_a_full_disk_takes_nothing_and_loses_nothing(sqlite_settings: StoreSettings) -> None:
    """The disk is full for one store: its file may not grow."""
    code = _printed(sqlite_settings)
    async with running(sqlite_settings) as (client, app):
        answers = app.state.engines["answers"]
        assert isinstance(answers, PooledSQLite)
        await answers.truncate_wal()
        with _full():
            sent = await client.post("/answer", content=urlencode(_sheet(code)), headers=FORM)
            assert sent.status_code == 503 and say("ro", "staff.problem.storage") in html.unescape(sent.text)
            await _nothing_is_a_fault(client, code, all_away=False)
        assert await Spent.count() == 0
        assert (await client.post("/answer", content=urlencode(_sheet(code)), headers=FORM)).status_code == 303
        assert await Spent.count() == 1
