"""Backups of PostgreSQL: one moment of four databases, with locks that end nobody's step, and nothing in the server's log."""

import asyncio
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from server.processes import workers
from server.processes.workers import WorkFailed
from server.settings import Settings
from surveys.answers import wave as urn_of
from surveys.backup import rehearsing
from surveys.backup.archive import BackupRefused
from surveys.backup.restoring import Found, restore
from surveys.lifecycle.context import Site, frozen_path
from surveys.stirring import StillInOrder
from surveys.stores import STORES, StoreSettings, stores
from tests import postgres
from tests.conftest import DAY, WAVE, open_a_wave
from tests.surveys.backed_up import Keys, backed_up, rows
from tests.surveys.test_releasing import fill


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    return Keys(tmp_path / "owner")


async def _copied(settings: StoreSettings, keys: Keys, folder: Path) -> tuple[Path, Found]:
    made = await asyncio.to_thread(backed_up, settings, folder / "kept", keys)
    number = len(list(folder.glob("again-*")))
    found = await asyncio.to_thread(restore, made.file, keys.file, folder / f"again-{number}")
    return folder / f"again-{number}", found


async def _execute(settings: StoreSettings, store: str, *steps: str) -> None:
    assert settings.database_url
    connection = await asyncpg.connect(settings.database_url.format(store=store))
    try:
        for step in steps:
            await connection.execute(step)
    finally:
        await connection.close()


@pytest.mark.opened
async def test_who_holds_a_store_for_seconds_is_waited_for_and_others_are_not_kept_from_writing(
    postgres_site: Site, postgres_settings: StoreSettings, keys: Keys, tmp_path: Path
) -> None:
    assert postgres_settings.database_url
    holding = await asyncpg.connect(postgres_settings.database_url.format(store="cases"))
    log = Path(await holding.fetchval("SHOW data_directory")).parent / postgres.LOG
    before = log.read_bytes()
    held = holding.transaction()
    await held.start()
    await holding.execute("INSERT INTO tally (year, cases, late) VALUES (2025, 7, 0)")
    waits = []
    backup = asyncio.create_task(_copied(postgres_settings, keys, tmp_path))
    end = time.monotonic() + 6
    while time.monotonic() < end:
        began = time.monotonic()
        await _execute(postgres_settings, "answers", "UPDATE slip_batch SET voided = voided")
        waits.append(time.monotonic() - began)
        await asyncio.sleep(0.02)
    assert not backup.done()
    await held.commit()
    await holding.close()
    folder, _ = await backup
    assert rows(folder, "cases", "SELECT cases FROM tally") == [(7,)]
    assert len(waits) > 20 and max(waits) < 2  # a lock waits for 0.3 seconds at most, and then lets all go
    said = log.read_bytes()[len(before) :]
    assert b"ERROR" not in said and b"TABLE" not in said  # not even that somebody was waited for


@pytest.mark.opened
async def test_a_stir_that_runs_all_the_time_takes_no_row_out_of_a_copy(
    postgres_site: Site, postgres_settings: StoreSettings, keys: Keys, tmp_path: Path
) -> None:
    """It empties each part by TRUNCATE, which an older snapshot sees as empty."""
    await fill(postgres_site, await open_a_wave(postgres_site), 30)
    ended = asyncio.Event()

    async def stirring() -> int:
        stirred = 0
        while not ended.is_set():
            try:
                await urn_of.stir(postgres_site.engines["answers"])
                stirred += 1
            except StillInOrder:
                pass
        return stirred

    task = asyncio.create_task(stirring())
    counts = []
    for _ in range(4):
        folder, _ = await _copied(postgres_settings, keys, tmp_path)
        counts += rows(
            folder, "answers", "SELECT (SELECT count(*) FROM slot WHERE taken), (SELECT count(*) FROM spent)"
        )
    ended.set()
    assert await task > 0
    assert counts == [(30, 30)] * 4


@pytest.mark.opened
async def test_sessions_and_attachments_that_no_report_claimed_are_left_out(
    postgres_site: Site, postgres_settings: StoreSettings, keys: Keys, tmp_path: Path
) -> None:
    await _execute(
        postgres_settings,
        "people",
        "INSERT INTO session (digest, account, day, failures, coded, mark) VALUES ('of hr', 'hr', '2026-11-02', 0, false, '')",
    )
    await _execute(
        postgres_settings,
        "cases",
        r"INSERT INTO piece (id, upload, number, sealed) VALUES (1, '\x00', 0, 'SPOOLED')",
        r"""INSERT INTO piece (id, upload, "case", number, sealed) VALUES (2, '\x00', 5, 0, 'CLAIMED')""",
    )
    folder, _ = await _copied(postgres_settings, keys, tmp_path)
    assert rows(folder, "people", "SELECT count(*) FROM session") == [(0,)]
    assert rows(folder, "cases", "SELECT sealed FROM piece") == [(b"CLAIMED",)]


@pytest.mark.opened
async def test_a_store_that_is_away_or_of_another_version_is_named_and_nothing_is_written(
    postgres_site: Site, postgres_settings: StoreSettings, keys: Keys, tmp_path: Path
) -> None:
    async def refused(settings: StoreSettings = postgres_settings) -> tuple[str, Any]:
        with pytest.raises(BackupRefused) as problem:
            await _copied(settings, keys, tmp_path)
        return problem.value.reason, problem.value.values.get("store")

    nowhere = f"postgresql://postgres@127.0.0.1:{postgres.free_port()}/{{store}}"
    assert await refused(replace(postgres_settings, database_url=nowhere)) == ("away", "public")
    newest = "(SELECT max(name) FROM migration)"
    await _execute(postgres_settings, "people", f"DELETE FROM migration WHERE name = {newest}")
    assert await refused() == ("behind", "people")
    await _execute(
        postgres_settings,
        "people",
        "INSERT INTO migration (name, app_name, ran_on) VALUES ('2099-01-01T00:00:00:000000', 'people', '2099-01-01')",
    )
    assert (await refused())[0] == "version"
    assert list((tmp_path / "kept").iterdir()) == []


@pytest.mark.opened
async def test_a_rehearsal_of_a_server_finds_what_could_not_go_on(
    postgres_site: Site, postgres_settings: StoreSettings
) -> None:
    settings = Settings(postgres_settings)
    await workers.run(settings, "rehearse", {"day": DAY.isoformat()})
    assert rehearsing.last(postgres_site.data) == rehearsing.Last(DAY, True)
    frozen_path(postgres_site.data, WAVE).unlink()
    with pytest.raises(WorkFailed, match="wave"):
        await workers.run(settings, "rehearse", {"day": DAY.isoformat()})


@pytest.fixture
def of_four_roles(tmp_path: Path) -> Iterator[StoreSettings]:
    """Empty databases, each of a role with a password that may not even connect to the others."""
    with postgres.server() as address:
        psql = [postgres.tool("psql"), "-qtA", address.format(db="postgres")]
        url = postgres.fresh_databases(address, "four").replace("postgres@", "four_{store}@")
        passwords = {store: f"of {store}" for store in STORES}
        steps = [f"CREATE ROLE four_{store} LOGIN PASSWORD '{password}'" for store, password in passwords.items()]
        steps += [f"ALTER DATABASE four_{store} OWNER TO four_{store}" for store in STORES]
        subprocess.run([*psql, *(part for step in steps for part in ("-c", step))], check=True, capture_output=True)
        rules = subprocess.run(
            [*psql, "-c", "SHOW hba_file"], check=True, capture_output=True, text=True
        ).stdout.strip()
        Path(rules).write_text("host all postgres 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\n")
        subprocess.run([*psql, "-c", "SELECT pg_reload_conf()"], check=True, capture_output=True)
        yield StoreSettings(tmp_path / "data", url, passwords)


async def test_four_roles_with_passwords_that_see_one_store_each_are_enough_and_a_wrong_password_is_said(
    of_four_roles: StoreSettings, keys: Keys, tmp_path: Path
) -> None:
    async with stores(of_four_roles) as engines:
        await open_a_wave(Site(engines, of_four_roles.data, DAY, "hr"))
    _, found = await _copied(of_four_roles, keys, tmp_path)
    assert (found.waves, found.people) == (((WAVE, "open"),), 60)
    assert of_four_roles.passwords
    wrong = replace(of_four_roles, passwords={**of_four_roles.passwords, "answers": "of people"})
    with pytest.raises(BackupRefused) as problem:
        await _copied(wrong, keys, tmp_path)
    assert (problem.value.reason, problem.value.values) == (
        "away",
        {"store": "answers", "kind": "InvalidPasswordError"},
    )
