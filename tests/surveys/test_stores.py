"""Stores and engines: five processes at once, filled databases, transactions that fail, many writers."""

import asyncio
import os
import subprocess
import sys

import pytest

from surveys.engines import PooledSQLite
from surveys.lifecycle.context import House
from surveys.people import accounts, log
from surveys.people.tables import LogEntry, Person
from surveys.public import channel, keyring
from surveys.public.waves import everything
from surveys.stores import STORES, StoreSettings, StoresUnavailable, open_stores, stores
from tests.conftest import DAY, open_a_wave

_START = """
import asyncio, sys
from pathlib import Path
from surveys.stores import StoreSettings, stores
async def main():
    async with stores(StoreSettings(Path(sys.argv[1]), sys.argv[2] or None)):
        from surveys.public.waves import everything
        assert await everything() == []
asyncio.run(main())
"""


def test_five_processes_that_start_together_on_empty_stores_all_come_up(store_settings: StoreSettings) -> None:
    command = [sys.executable, "-c", _START, str(store_settings.data), store_settings.database_url or ""]
    started = [subprocess.Popen(command, stderr=subprocess.PIPE, env=dict(os.environ)) for _ in range(5)]
    ended = [(process.communicate(timeout=120)[1], process.returncode) for process in started]
    assert [code for _, code in ended] == [0] * 5, ended


SINCE_THE_FIRST_VERSION = {
    "public": ["DROP TABLE comment", "DROP TABLE keyring", "DROP TABLE channel", "ALTER TABLE wave DROP COLUMN phone_key", "ALTER TABLE wave DROP COLUMN token_key"],
    "people": ["DROP TABLE second_factor", "DROP TABLE outbox", "DROP TABLE two_key_act", "DROP INDEX panel_link", *(f"ALTER TABLE panel DROP COLUMN {name}" for name in ("link", "asked", "signed", "before"))],
    "answers": ["DROP TABLE gate"],
}  # fmt: skip


async def test_migrations_leave_filled_stores_as_they_are(store_settings: StoreSettings) -> None:
    async with stores(store_settings) as engines:
        await open_a_wave(House(engines, store_settings.data, DAY, "hr"))
        before = [wave.id for wave in await everything()], await Person.count()
        for store, steps in SINCE_THE_FIRST_VERSION.items():
            for step in steps:  # back to how the first version left it
                await engines[store]._run_in_new_connection(step)
            await engines[store]._run_in_new_connection("DELETE FROM migration WHERE id > 1")
    async with stores(store_settings) as engines:
        ran = [
            await engines[store]._run_in_new_connection("SELECT name FROM migration")
            for store in ("public", "people", "answers", "cases")
        ]
        assert ([wave.id for wave in await everything()], await Person.count()) == before
        assert await keyring.current() is None and not (await channel.load()).is_open
        assert [len(rows) for rows in ran] == [4, 5, 2, 1]


async def test_a_transaction_that_fails_leaves_nothing_and_the_next_one_works(house: House) -> None:
    people = house.engines["people"]
    for _ in range(8):  # more often than the pool has connections
        with pytest.raises(RuntimeError, match="in the middle"):
            async with people.transaction():
                await accounts.add(people, "ada", "hr", "una-password-lunga")
                raise RuntimeError("in the middle")
    assert await accounts.everyone() == []
    await accounts.add(people, "ada", "hr", "una-password-lunga")
    assert [account.name for account in await accounts.everyone()] == ["ada"]


async def test_a_commit_that_fails_gives_its_connection_back(house: House) -> None:
    """On PostgreSQL with a deferred constraint, on SQLite with a deferred foreign key: STACK 2."""
    engine = house.engines["people"]
    await engine._run_in_new_connection("CREATE TABLE head (id INTEGER PRIMARY KEY)")
    await engine._run_in_new_connection(
        "CREATE TABLE tail (id INTEGER PRIMARY KEY, head INTEGER REFERENCES head (id) DEFERRABLE INITIALLY DEFERRED)"
    )
    for _ in range(8):
        with pytest.raises(Exception, match=r"(?i)foreign key"):
            async with engine.transaction() as transaction:
                await transaction.connection.execute("INSERT INTO tail VALUES (1, 99)")
    assert engine.current_transaction.get() is None
    async with engine.transaction() as transaction:
        await transaction.connection.execute("INSERT INTO head VALUES (7)")
    rows = await engine._run_in_new_connection("SELECT id FROM head")
    assert [dict(row)["id"] for row in rows] == [7]


async def test_sixteen_tasks_that_read_then_write_never_find_the_store_locked(house: House) -> None:
    people = house.engines["people"]
    await asyncio.gather(*(log.record(people, DAY, f"task {i}", "act", n=str(i)) for i in range(16)))
    acts = await log.read()
    assert sorted(act.actor for act in acts) == sorted(f"task {i}" for i in range(16))
    assert all(act.intact for act in acts)


async def test_a_changed_line_breaks_the_chain_of_the_log(house: House) -> None:
    people = house.engines["people"]
    for i in range(4):
        await log.record(people, DAY, "hr", "wave planned", wave=str(i))
    await LogEntry.update({LogEntry.actor: "somebody else"}).where(LogEntry.number == 2)
    assert [act.intact for act in await log.read()] == [True, False, False, False]


async def test_a_store_that_cannot_be_read_is_named(sqlite_settings: StoreSettings) -> None:
    sqlite_settings.data.mkdir()
    (sqlite_settings.data / "people.sqlite").write_bytes(b"this is no database" * 100)
    with pytest.raises(StoresUnavailable, match="the people store"):
        await open_stores(sqlite_settings)


async def test_each_store_is_a_database_of_its_own_and_durable(sqlite_house: House) -> None:
    for store in STORES:
        engine = sqlite_house.engines[store]
        assert isinstance(engine, PooledSQLite)
        journal = await engine._run_in_new_connection("PRAGMA journal_mode")
        synchronous = await engine._run_in_new_connection("PRAGMA synchronous")
        assert (journal[0]["journal_mode"], synchronous[0]["synchronous"]) == ("wal", 2)
        assert (sqlite_house.data / f"{store}.sqlite").exists()
