"""Stores and engines: five processes at once, filled databases, transactions that fail, many writers."""

import asyncio
import os
import stat
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from surveys.answers.tables import Slip, Slot, Spent
from surveys.cases.tables import Message, Piece, Wrap
from surveys.engines import PooledSQLite, SafePostgres
from surveys.lifecycle.context import Site
from surveys.people import accounts, log
from surveys.people.tables import LogEntry, Panel, Person
from surveys.public import channel, keyring
from surveys.public.waves import everything
from surveys.stores import STORES, StoreSettings, StoresUnavailable, bind, close_to_others, open_stores, stores
from tests.conftest import DAY, open_a_wave
from tests.server.check.test_check_databases import strange

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
    "public": [
        "DROP TABLE ring",
        "DROP TABLE still",
        "DROP TABLE releasing",
        "ALTER TABLE chart DROP COLUMN signature",
        "ALTER TABLE comment DROP COLUMN signature",
        "ALTER TABLE wave DROP COLUMN signed_plan",
        *(f"ALTER TABLE wave DROP COLUMN {name}" for name in ("confirmations", "read_on")),
        *(f"DROP TABLE {name}" for name in ("evidence_entry", "kept_scorecard", "promise")),
        *(f"ALTER TABLE action DROP COLUMN {name}" for name in ("area", "unit", "changed_on")),
        *(f"ALTER TABLE evidence DROP COLUMN {name}" for name in ("reviewed_mark", "review_signature")),
        *(f"DROP TABLE register_{name}" for name in ("entry", "document", "act")),
    ],
    "people": [
        "DROP TABLE reported_year",
        "DROP TABLE step_begun",
        *(f"DROP TABLE {name}" for name in ("person_left", "list_draft", "list_before")),
        *(f"ALTER TABLE person DROP COLUMN {name}" for name in ("number", "consent")),
        *(f"ALTER TABLE outbox DROP COLUMN {name}" for name in ("named", "claim")),
        "DROP TABLE attempts",
        "DROP TABLE device",
        *(f"ALTER TABLE session DROP COLUMN {name}" for name in ("idle", "day", "failures", "coded", "mark")),
    ],
    "answers": ["DROP TABLE slip_batch"],
    "cases": [
        *(f'ALTER TABLE "case" DROP COLUMN {name}' for name in ("version", "ender", "ended", "words")),
        *(f"ALTER TABLE epoch DROP COLUMN {name}" for name in ("link", "confirmed", "maker", "at")),
        "ALTER TABLE handler DROP COLUMN statement",
        *(f"ALTER TABLE message DROP COLUMN {name}" for name in ("replacement", "maker")),
    ],
}


DIVIDED = {
    "people": {"panel": 16},
    "answers": {"slot": 128, "spent": 16},
    "cases": {"wrap": 8, "message": 16, "piece": 64},
}


async def _whole_again(engine: SafePostgres, table: str) -> None:
    """A table of PostgreSQL in one piece, as versions before the parts made it."""
    for step in (
        f"CREATE TABLE before (LIKE {table} INCLUDING DEFAULTS, CONSTRAINT before_key PRIMARY KEY (id))",
        f"INSERT INTO before SELECT * FROM {table}",
        f"DROP TABLE {table}",
        f"ALTER TABLE before RENAME TO {table}",
        f"ALTER TABLE {table} RENAME CONSTRAINT before_key TO {table}_pkey",
    ):
        await engine._run_in_new_connection(step)


async def test_migrations_leave_filled_stores_as_they_are(store_settings: StoreSettings) -> None:
    async with stores(store_settings) as engines:
        await open_a_wave(Site(engines, store_settings.data, DAY, "hr"))
        before = [wave.id for wave in await everything()], await Person.count()
        rows = {table: await table.count() for table in (Panel, Slot, Slip)}
        for store, steps in SINCE_THE_FIRST_VERSION.items():
            for step in steps:  # back to how the first version left it
                await engines[store]._run_in_new_connection(step)
            if isinstance(engine := engines[store], SafePostgres):
                for table in DIVIDED.get(store, {}):
                    await _whole_again(engine, table)
                if store == "people":
                    await engine._run_in_new_connection("CREATE INDEX panel_wave ON panel (wave)")
                    await engine._run_in_new_connection("CREATE INDEX panel_link ON panel (link)")
            await engines[store]._run_in_new_connection("DELETE FROM migration WHERE id > 1")
    async with stores(store_settings) as engines:
        ran = [
            await engines[store]._run_in_new_connection("SELECT name FROM migration")
            for store in ("public", "people", "answers", "cases")
        ]
        assert ([wave.id for wave in await everything()], await Person.count()) == before
        assert await keyring.versions() == () and not (await channel.load()).is_open
        assert {table: await table.count() for table in rows} == rows
        if isinstance(engines["people"], SafePostgres):
            assert isinstance(engines["answers"], SafePostgres) and isinstance(engines["cases"], SafePostgres)
            parts = {table._meta.tablename: len(await engines["people"].parts(table)) for table in (Panel,)}
            parts |= {t._meta.tablename: len(await engines["answers"].parts(t)) for t in (Slot, Spent)}
            parts |= {t._meta.tablename: len(await engines["cases"].parts(t)) for t in (Wrap, Message, Piece)}
            assert parts == DIVIDED["people"] | DIVIDED["answers"] | DIVIDED["cases"]
            indexes = await engines["people"]._run_in_new_connection(
                "SELECT indexname FROM pg_indexes WHERE tablename = 'panel'"
            )
            assert {row["indexname"] for row in indexes} == {"panel_pkey", "panel_wave", "panel_link"}
        assert [len(rows) for rows in ran] == [9, 10, 3, 5]
        assert await strange(store_settings) == []  # nothing of the first version is left for `ascolto check` to name


BEFORE_THE_FIRST_RELEASE = {
    "public": ("2026-11-23T08:02:40:915685", "2026-11-23T11:23:59:955322", "2026-11-23T15:04:46:361172"),
    "people": (
        "2026-11-23T08:02:41:928836",
        "2026-11-23T11:25:28:917597",
        "2026-11-23T15:04:44:579687",
        "2026-11-23T18:07:31:399484",
    ),
    "answers": ("2026-11-23T07:57:53:427350",),
}
"""The steps that the first step of each store holds since 0.1.0, as installations of before have them in their list."""


async def _write_steps(settings: StoreSettings, store: str, *steps: str) -> None:
    for step in steps:
        await bind(settings)[store]._run_in_new_connection(step)


async def test_a_store_that_took_the_steps_of_before_one_by_one_goes_on_as_it_is(store_settings: StoreSettings) -> None:
    async with stores(store_settings) as engines:
        await open_a_wave(Site(engines, store_settings.data, DAY, "hr"))
        before = [wave.id for wave in await everything()], await Person.count()
    for store, names in BEFORE_THE_FIRST_RELEASE.items():
        for name in names:
            row = f"INSERT INTO migration (name, app_name, ran_on) VALUES ('{name}', '{store}', '2026-11-23')"
            await _write_steps(store_settings, store, row)
    async with stores(store_settings):
        assert ([wave.id for wave in await everything()], await Person.count()) == before


@pytest.mark.parametrize("store", list(BEFORE_THE_FIRST_RELEASE))
async def test_a_store_that_never_took_the_last_of_those_steps_is_refused_in_words(
    store: str, store_settings: StoreSettings
) -> None:
    async with stores(store_settings):
        pass
    first = BEFORE_THE_FIRST_RELEASE[store][0]
    await _write_steps(
        store_settings, store, "DELETE FROM migration WHERE id > 1", f"UPDATE migration SET name = '{first}'"
    )
    with pytest.raises(StoresUnavailable, match=f"the {store} store was made before version 0.1.0"):
        await open_stores(store_settings)


@pytest.mark.parametrize("store", STORES)
async def test_a_store_that_a_later_version_brought_up_is_left_to_it(store: str, store_settings: StoreSettings) -> None:
    async with stores(store_settings):
        pass
    later = (
        f"INSERT INTO migration (name, app_name, ran_on) VALUES ('2027-01-01T00:00:00:000000', '{store}', '2027-01-01')"
    )
    await _write_steps(store_settings, store, later)
    with pytest.raises(StoresUnavailable, match=f"the {store} store was written by a newer version"):
        await open_stores(store_settings)


async def test_a_transaction_that_fails_leaves_nothing_and_the_next_one_works(site: Site) -> None:
    people = site.engines["people"]
    for _ in range(8):  # more often than the pool has connections
        with pytest.raises(RuntimeError, match="in the middle"):
            async with people.transaction():
                await accounts.add(people, "ada", "hr", "una-password-lunga")
                raise RuntimeError("in the middle")
    assert await accounts.everyone() == []
    await accounts.add(people, "ada", "hr", "una-password-lunga")
    assert [account.name for account in await accounts.everyone()] == ["ada"]


async def test_a_transaction_that_is_cancelled_at_whatever_moment_says_so_and_the_next_one_works(site: Site) -> None:
    """Could hang: a commit went through while it was cancelled, the rollback failed, and a service that was asked to end went on."""
    people = site.engines["people"]

    async def write(number: int) -> None:
        async with people.transaction():
            await Person.insert(Person(id=number + 1, name=f"Persona {number}", unit="po", gender="f", age="30_39"))

    said: list[BaseException | None] = []
    for number in range(150):
        writing = asyncio.create_task(write(number))
        await asyncio.sleep(number % 50 * 0.0002)
        writing.cancel()
        said += await asyncio.gather(writing, return_exceptions=True)
    assert [one for one in said if not (one is None or isinstance(one, asyncio.CancelledError))] == []
    assert {type(one) for one in said} == {asyncio.CancelledError, type(None)}
    await write(1000)
    assert await Person.exists().where(Person.name == "Persona 1000")


async def test_a_commit_that_fails_gives_its_connection_back(site: Site) -> None:
    """On PostgreSQL with a deferred constraint, on SQLite with a deferred foreign key: STACK 2."""
    engine = site.engines["people"]
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


async def test_sixteen_tasks_that_read_then_write_never_find_the_store_locked(site: Site) -> None:
    people = site.engines["people"]
    await asyncio.gather(*(log.record(people, DAY, f"task {i}", "act", n=str(i)) for i in range(16)))
    acts = await log.read()
    assert sorted(act.actor for act in acts) == sorted(f"task {i}" for i in range(16))
    assert all(act.intact for act in acts)


async def test_a_changed_line_breaks_the_chain_of_the_log(site: Site) -> None:
    people = site.engines["people"]
    for i in range(4):
        await log.record(people, DAY, "hr", "wave planned", wave=str(i))
    await LogEntry.update({LogEntry.actor: "somebody else"}).where(LogEntry.number == 2)
    assert [act.intact for act in await log.read()] == [True, False, False, False]


async def test_a_store_that_cannot_be_read_is_named(sqlite_settings: StoreSettings) -> None:
    (sqlite_settings.data / "people.sqlite").write_bytes(b"this is no database" * 100)
    with pytest.raises(StoresUnavailable, match="the people store"):
        await open_stores(sqlite_settings)


async def test_nobody_else_may_read_a_database_whatever_mask_it_was_made_under(tmp_path: Path) -> None:
    fresh, before = StoreSettings(tmp_path / "data"), os.umask(0)
    try:
        async with stores(fresh) as engines:
            await open_a_wave(Site(engines, fresh.data, DAY, "hr"))
            files = [*fresh.data.glob("*.sqlite*")]
            assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600} and len(files) >= 4
            assert stat.S_IMODE(fresh.data.stat().st_mode) == 0o700
        fresh.data.chmod(0o755)
        (fresh.data / "answers.sqlite").chmod(0o644)  # as a version before, or a copy put back, leaves it
        async with stores(fresh):
            assert stat.S_IMODE((fresh.data / "answers.sqlite").stat().st_mode) == 0o600
            assert stat.S_IMODE(fresh.data.stat().st_mode) == 0o700
    finally:
        os.umask(before)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to somebody else")
def test_a_database_of_somebody_else_s_that_others_may_read_is_named_with_the_command() -> None:
    with TemporaryDirectory() as made:  # not pytest's folders: nobody else may enter those
        data = Path(made)
        os.chown(data, 65534, 65534)
        (data / "answers.sqlite").touch()
        (data / "answers.sqlite").chmod(0o644)
        child = os.fork()
        if child == 0:
            code = 1
            try:
                os.setuid(65534)
                close_to_others(data)
            except StoresUnavailable as problem:
                code = 0 if str(problem).endswith(f"chmod 600 '{data / 'answers.sqlite'}'") else 2
            except BaseException:
                code = 3
            finally:
                os._exit(code)  # whatever happens: a child that went on would be a second worker of this run
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


async def test_each_store_is_a_database_of_its_own_and_durable(sqlite_site: Site) -> None:
    for store in STORES:
        engine = sqlite_site.engines[store]
        assert isinstance(engine, PooledSQLite)
        journal = await engine._run_in_new_connection("PRAGMA journal_mode")
        synchronous = await engine._run_in_new_connection("PRAGMA synchronous")
        assert (journal[0]["journal_mode"], synchronous[0]["synchronous"]) == ("wal", 2)
        assert (sqlite_site.data / f"{store}.sqlite").exists()
