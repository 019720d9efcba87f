"""The stir that runs beside the service: while anything changed, once at the end, and never in the way of an answer."""

import asyncio
import os
import time
from pathlib import Path

import asyncpg
import pytest

from server.processes import jobs
from surveys import stirring
from surveys.answers import wave as urn_of
from surveys.answers.filling import Receipt
from surveys.answers.tables import Spent
from surveys.answers.urn import Urn
from surveys.engines import SafePostgres
from surveys.lifecycle.context import Site
from tests.conftest import WAVE, open_a_wave
from tests.rights import right
from tests.urn import sealed, spent


class Store:
    """Counts what came and how often it was stirred."""

    def __init__(self) -> None:
        self.came, self.stirs, self.broken = 0, 0, False

    async def count(self) -> int:
        return self.came

    async def stir(self) -> None:
        self.stirs += 1
        if self.broken:
            raise OSError


async def test_a_store_is_stirred_after_a_start_and_then_only_when_something_came() -> None:
    store = Store()
    stirrer = jobs.Stirrer(store.count, store.stir)
    seen = []
    for came in (0, 0, 1, 1, 2):
        store.came = came
        await stirrer.once()
        seen.append(store.stirs)
    assert seen == [1, 1, 2, 2, 3]


async def test_nothing_is_stirred_while_another_folder_of_keys_may_have_the_store() -> None:
    store, may = Store(), [False, False, True]
    stirrer = jobs.Stirrer(store.count, store.stir, lambda: may.pop(0))
    seen = []
    for _ in range(3):
        await stirrer.once()
        seen.append(store.stirs)
    assert seen == [0, 0, 1]


async def test_a_stir_that_failed_is_tried_again() -> None:
    store = Store()
    stirrer = jobs.Stirrer(store.count, store.stir)
    store.broken = True
    await stirrer.once()
    store.broken = False
    await stirrer.once()
    await stirrer.once()
    assert store.stirs == 2


async def test_what_came_last_is_stirred_when_the_service_ends() -> None:
    store = Store()
    working = asyncio.create_task(jobs.Stirrer(store.count, store.stir).work())
    await asyncio.sleep(0.05)
    store.came = 7
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)
    assert store.stirs == 2


async def test_a_service_ends_also_where_a_stir_answers_the_cancelling_with_a_fault() -> None:
    """Could hang, and did in one of fourteen starts that were ended at once: the stirrer slept for another five minutes."""
    store, stirring_now = Store(), asyncio.Event()

    async def stir() -> None:
        store.stirs += 1
        if store.stirs == 1:
            stirring_now.set()
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                raise OSError("cannot rollback") from None

    working = asyncio.create_task(jobs.Stirrer(store.count, stir).work())
    await stirring_now.wait()
    working.cancel()
    await asyncio.wait_for(asyncio.gather(working, return_exceptions=True), 5)
    assert store.stirs == 2  # and the last one was made


async def test_the_wait_between_two_stirs_is_minutes() -> None:
    assert jobs.STIR_SECONDS == (180, 300)


@pytest.mark.opened
async def test_while_somebody_holds_the_tables_of_postgresql_answers_wait_less_than_a_second(
    postgres_site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A backup reads all tables and holds them; the stir gives up and the answers go on."""
    monkeypatch.setattr(stirring, "TRIES", 2)
    wave = await open_a_wave(postgres_site)
    answers = postgres_site.engines["answers"]
    assert isinstance(answers, SafePostgres)
    urn = Urn(answers)
    urn.start()
    backup: asyncpg.Connection = await answers.get_new_connection()
    await backup.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
    await backup.execute("LOCK TABLE slot, spent IN ACCESS SHARE MODE")
    stir = asyncio.create_task(urn_of.stir(answers))
    waits = []
    for code in wave.codes[:30]:
        began = time.monotonic()
        assert (
            await urn.put(right(WAVE, spent(code)), b"a" * 16, sealed(postgres_site, wave.record, b"sheet"))
            == Receipt.RECEIVED
        )
        waits.append(time.monotonic() - began)
    with pytest.raises(stirring.StillInOrder):
        await stir
    assert max(waits) < 1
    await backup.close()
    await urn_of.stir(answers)
    await urn.stop()
    assert await Spent.count() == 30


def test_files_of_the_stores_have_the_time_of_the_last_look_and_not_of_the_last_answer(tmp_path: Path) -> None:
    """Done from outside: of a quiet installation the file's time told within five minutes when the one report came."""
    for name in ("answers.sqlite", "answers.sqlite-wal", "cases.sqlite", "people.sqlite-shm"):
        (tmp_path / name).write_bytes(b"")
        os.utime(tmp_path / name, (1_000_000, 1_000_000))
    os.utime(tmp_path, (1_000_000, 1_000_000))
    before = time.time() - 1
    jobs.touch(tmp_path)
    assert all(path.stat().st_mtime >= before for path in [tmp_path, *tmp_path.iterdir()])
    jobs.touch(tmp_path / "gone")
