"""One folder of keys for the databases of PostgreSQL: an id that no copy has, and a lock that goes with its process."""

import asyncio
import os
import shutil
from pathlib import Path

import pytest

from surveys import one_folder
from surveys.away import StoreAway
from surveys.engines import SafePostgres, postgres_from_url
from surveys.one_folder import FILE, KIND, AnotherFolder, Folder, Presence
from surveys.stores import FolderRefused, StoreSettings, stores


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(one_folder, "PATIENCE_SECONDS", 0.3)
    monkeypatch.setattr(one_folder, "AGAIN_SECONDS", 0.05)


def _engine(settings: StoreSettings) -> SafePostgres:
    assert settings.database_url is not None
    return postgres_from_url(settings.database_url.format(store="public"), "public", password=None)


def _folder(path: Path, name: str) -> Path:
    (path / name).mkdir()
    return path / name


async def _until(presence: Presence, wanted: Folder) -> None:
    for _ in range(400):
        if presence.folder == wanted:
            return
        await asyncio.sleep(0.02)
    assert presence.folder == wanted


async def test_processes_of_one_folder_share_an_id_and_the_next_after_all_have_gone_draws_another(
    postgres_settings: StoreSettings, tmp_path: Path
) -> None:
    folder = _folder(tmp_path, "one")
    first, second, third = (Presence([_engine(postgres_settings)], folder) for _ in range(3))
    await first.take()
    drawn = (folder / FILE).read_bytes()
    await second.take()
    await first.leave()
    await third.take()
    assert (folder / FILE).read_bytes() == drawn and second.folder == third.folder == Folder.OK
    await second.leave()
    await third.leave()
    await first.take()
    assert (folder / FILE).read_bytes() != drawn
    await first.leave()


async def test_a_copy_of_the_folder_is_another_folder(postgres_settings: StoreSettings, tmp_path: Path) -> None:
    folder = _folder(tmp_path, "one")
    first = Presence([_engine(postgres_settings)], folder)
    await first.take()
    shutil.copytree(folder, tmp_path / "copied")
    copied = Presence([_engine(postgres_settings)], tmp_path / "copied")
    with pytest.raises(AnotherFolder):
        await copied.take()
    await first.leave()
    await copied.take()
    assert copied.folder == Folder.OK
    await copied.leave()


async def test_of_many_folders_that_come_at_once_one_alone_comes_in(
    postgres_settings: StoreSettings, tmp_path: Path
) -> None:
    for turn in range(5):
        all_of_them = [
            Presence([_engine(postgres_settings)], _folder(tmp_path, f"{turn}.{number}")) for number in range(6)
        ]
        came = await asyncio.gather(*(one.take() for one in all_of_them), return_exceptions=True)
        assert len([problem for problem in came if isinstance(problem, AnotherFolder | StoreAway)]) == 5
        assert [one.folder for one in all_of_them].count(Folder.OK) == 1
        await asyncio.gather(*(one.leave() for one in all_of_them))


async def test_of_many_processes_of_one_folder_that_come_at_once_all_come_in(
    postgres_settings: StoreSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(one_folder, "PATIENCE_SECONDS", 20)
    folder = _folder(tmp_path, "one")
    for _ in range(5):
        all_of_them = [Presence([_engine(postgres_settings)], folder) for _ in range(8)]
        await asyncio.gather(*(one.take() for one in all_of_them))
        assert {one.folder for one in all_of_them} == {Folder.OK}
        await asyncio.gather(*(one.leave() for one in all_of_them))


async def test_a_session_that_the_server_ended_is_begun_again(postgres_settings: StoreSettings, tmp_path: Path) -> None:
    presence = Presence([_engine(postgres_settings)], _folder(tmp_path, "one"))
    await presence.take()
    other = await _engine(postgres_settings).get_new_connection()
    holders = f"SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND classid = {KIND} AND objsubid = 2"
    before = await other.fetchval(holders)
    await other.execute("SELECT pg_terminate_backend($1)", before)
    for _ in range(400):
        if await other.fetchval(holders) not in (None, before):
            break
        await asyncio.sleep(0.02)
    await _until(presence, Folder.OK)
    assert await other.fetchval(holders) != before
    await presence.leave()
    assert await other.fetchval(holders) is None
    await other.close()


async def test_while_another_folder_has_the_databases_nothing_is_read_or_written(
    postgres_settings: StoreSettings, tmp_path: Path
) -> None:
    other = Presence([_engine(postgres_settings)], _folder(tmp_path, "other"))
    async with stores(postgres_settings) as engines:
        presence, public = engines.presence, engines["public"]
        assert presence is not None and engines.folder == Folder.OK and await public.is_here()
        connection = presence._connection
        await connection.execute("SELECT pg_advisory_unlock_all()")  # as after a failover: the new server knows no lock
        await other.take()
        connection.terminate()
        await _until(presence, Folder.OTHER)
        with pytest.raises(StoreAway, match="OtherFolder"):
            await public.is_here()
        with pytest.raises(StoreAway, match="OtherFolder"):
            async with engines["answers"].transaction():
                pass
        await other.leave()
        await _until(presence, Folder.OK)
        assert await public.is_here()
        async with engines["answers"].transaction():
            pass


async def test_a_second_folder_is_refused_before_anything_is_made_in_it(
    postgres_settings: StoreSettings, tmp_path: Path
) -> None:
    second = StoreSettings(tmp_path / "second", postgres_settings.database_url)
    async with stores(postgres_settings):
        with pytest.raises(FolderRefused):
            async with stores(second):
                pass
    assert os.listdir(second.data) == [FILE]


async def test_no_time_of_a_machine_without_power_is_waited_for(
    postgres_settings: StoreSettings, tmp_path: Path
) -> None:
    """Its session would stand for two hours: the server asks after it every few seconds."""
    presence = Presence([_engine(postgres_settings)], _folder(tmp_path, "one"))
    await presence.take()
    asked = "SELECT name, setting FROM pg_settings WHERE name LIKE 'tcp_keepalives%' OR name = 'idle_session_timeout'"
    found = {row["name"]: row["setting"] for row in await presence._connection.fetch(asked)}
    await presence.leave()
    assert found == one_folder._SETTINGS
