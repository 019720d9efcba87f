"""`/health` says that the process lives and asks no store; `/ready` says what it cannot do, within seconds, in names."""

import asyncio
import json
import os
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pytest import MonkeyPatch

from server.operation import watch
from server.processes import due, successes
from server.processes.due import JOBS
from server.settings import Settings
from surveys import one_folder
from surveys.engines import PooledSQLite, SafePostgres
from surveys.lifecycle.context import Site
from surveys.stores import STORES, StoreSettings
from tests import postgres
from tests.conftest import DAY
from tests.server.operation.running import running

NOON = datetime(2026, 11, 2, 11, tzinfo=UTC)
NOW = {job.name: "ok" for job in JOBS}
WELL = {"status": "ok", "stores": dict.fromkeys(sorted(STORES), "ok"), "disk": "ok", "folder": "ok", "jobs": NOW}


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[tuple[StoreSettings, int]]:
    """Stores on a PostgreSQL of this test's own, and the process that may be stopped or ended."""
    with postgres.server() as address:
        settings = StoreSettings(tmp_path / "data", postgres.fresh_databases(address, "alone"))
        yield settings, postmaster_of(address)


def postmaster_of(address: str) -> int:
    asked = [postgres.tool("psql"), "-tAc", "SHOW data_directory", address.format(db="postgres")]
    folder = subprocess.run(asked, check=True, capture_output=True, text=True).stdout.strip()
    return int((Path(folder) / "postmaster.pid").read_text().splitlines()[0])


@contextmanager
def frozen(postmaster: int) -> Iterator[None]:
    """All processes of one server stand still."""
    listed = subprocess.run(["pgrep", "-P", str(postmaster)], capture_output=True, text=True, check=True).stdout.split()
    family = [postmaster, *map(int, listed)]
    for process in family:
        os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        for process in family:
            os.kill(process, signal.SIGCONT)


@asynccontextmanager
async def _looking(public: SafePostgres) -> AsyncIterator[None]:
    """Another process looks whose folder it is, and does not come to an end: nobody takes the databases meanwhile."""
    connection = await public.get_new_connection()
    await connection.execute(f"SELECT pg_advisory_lock({one_folder.LOOKING})")
    try:
        yield
    finally:
        await connection.close()


async def test_a_whole_installation_is_ready_and_says_nothing_but_names(store_settings: StoreSettings) -> None:
    async with running(store_settings) as (client, _):
        answer = await client.get("/ready")
    assert (answer.status_code, answer.json()) == (200, WELL)


async def test_health_asks_no_store(sqlite_settings: StoreSettings, monkeypatch: MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "KEPT_SECONDS", 0.0)
    async with running(sqlite_settings) as (client, app):
        for _, engine in app.state.engines.items():
            await engine.close_connection_pool()
        for store in STORES:
            (sqlite_settings.data / f"{store}.sqlite").write_bytes(b"no database at all")
        health, ready = await client.get("/health"), await client.get("/ready")
    assert (health.status_code, health.json()) == (200, {"status": "ok"})
    assert ready.status_code == 503


async def test_a_postgresql_that_stands_still_is_said_within_five_seconds_and_comes_back(
    alone: tuple[StoreSettings, int], monkeypatch: MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "KEPT_SECONDS", 0.0)
    settings, postmaster = alone
    async with running(settings) as (client, _):
        with frozen(postmaster):
            began = time.monotonic()
            away = await client.get("/ready")
            took = time.monotonic() - began
            assert (await client.get("/health")).status_code == 200
        assert (away.status_code, set(away.json()["stores"].values())) == (503, {"away"})
        assert took < 5
        for _ in range(40):
            if (back := await client.get("/ready")).status_code == 200:
                break
            await asyncio.sleep(0.5)
        assert back.json() == WELL


async def test_one_store_whose_file_another_program_holds_is_named_and_the_others_are_well(
    sqlite_settings: StoreSettings, monkeypatch: MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "ANSWER_SECONDS", 0.5)
    monkeypatch.setattr(watch, "KEPT_SECONDS", 0.0)
    async with running(sqlite_settings) as (client, app):
        cases = app.state.engines["cases"]
        assert isinstance(cases, PooledSQLite)
        other = await cases.get_connection()
        try:
            await other.execute("BEGIN IMMEDIATE")
            answer = await client.get("/ready")
        finally:
            await other.close()
        await asyncio.sleep(0.5)
        back = await client.get("/ready")
    assert answer.json()["stores"] == dict.fromkeys(STORES, "ok") | {"cases": "away"}
    assert (answer.status_code, back.json()) == (503, WELL)


async def test_a_full_disk_is_said(sqlite_settings: StoreSettings, monkeypatch: MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "RESERVE_BYTES", 2**60)
    async with running(sqlite_settings) as (client, _):
        answer = await client.get("/ready")
    assert (answer.status_code, answer.json()) == (503, WELL | {"status": "not ready", "disk": "low"})


@pytest.mark.parametrize("job", sorted(NOW))
async def test_a_job_that_has_not_succeeded_for_long_is_named(
    sqlite_settings: StoreSettings, monkeypatch: MonkeyPatch, job: str
) -> None:
    now = datetime.now(UTC)
    successes.keep(sqlite_settings.data, set(NOW) - {job}, now)
    successes.keep(sqlite_settings.data, [job], now - timedelta(days=50))
    async with running(sqlite_settings) as (client, app):
        app.state.watch._since = now - timedelta(days=60)  # a process that runs for long
        answer = await client.get("/ready")
    assert (answer.status_code, answer.json()) == (503, WELL | {"status": "not ready", "jobs": NOW | {job: "late"}})


async def test_a_folder_that_lost_its_hold_on_the_databases_is_said_and_no_job_is_done(
    postgres_settings: StoreSettings, monkeypatch: MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "KEPT_SECONDS", 0.0)
    monkeypatch.setattr(one_folder, "AGAIN_SECONDS", 0.1)
    async with running(postgres_settings) as (client, app):
        engines = app.state.engines
        look = due.Look(Site(engines, postgres_settings.data, DAY, "test"), Settings(postgres_settings), NOON)
        async with _looking(engines["public"]):
            engines.presence._connection.terminate()
            unheld = await client.get("/ready")
            done = await due.do_all(look, {})
        for _ in range(100):
            if (back := await client.get("/ready")).status_code == 200:
                break
            await asyncio.sleep(0.1)
        assert "clock" in await due.do_all(look, {})
    assert (unheld.status_code, unheld.json()) == (503, WELL | {"status": "not ready", "folder": "unheld"})
    assert (done, back.json()) == ([], WELL)


async def test_many_who_ask_at_once_make_one_look(sqlite_settings: StoreSettings, monkeypatch: MonkeyPatch) -> None:
    async with running(sqlite_settings) as (client, app):
        public = app.state.engines["public"]
        statements: list[str] = []
        await public._writer.set_trace_callback(statements.append)
        app.state.watch._looked = 0.0
        answers = await asyncio.gather(*(client.get("/ready") for _ in range(200)))
        await public._writer.set_trace_callback(None)
    assert {answer.status_code for answer in answers} == {200}
    assert len([one for one in statements if one.startswith("BEGIN")]) == 1


async def test_what_it_says_is_the_same_whatever_was_answered(
    sqlite_settings: StoreSettings,
) -> None:
    """No count, no time, no moment: names and one word each."""
    async with running(sqlite_settings) as (client, _):
        said = (await client.get("/ready")).text
    words = {
        word for value in json.loads(said).values() for word in (value.values() if isinstance(value, dict) else [value])
    }
    assert words <= {"ok", "away", "low", "late", "not ready", "unheld", "other"} and not any(
        letter.isdigit() for letter in said
    )
