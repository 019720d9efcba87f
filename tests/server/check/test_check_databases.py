"""`ascolto check` on the databases: a real PostgreSQL whose settings and samples tell, and a SQLite that does not wipe."""

import asyncio
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from server.check import State, database
from surveys import sqlite_engine
from surveys.answers import wave as urn_of
from surveys.engines import PooledSQLite, SafePostgres, StoreEngine, sqlite_at
from surveys.lifecycle.context import Site
from surveys.people.tables import Panel
from surveys.stores import STORES, StoreSettings, StoresUnavailable, bind, open_stores, stores
from tests import postgres
from tests.conftest import open_a_wave
from tests.postgres import free_port
from tests.surveys.test_releasing import fill


async def test_postgres_needs_few_settings_and_a_store_that_logs_statements_is_named(
    postgres_server: str, tmp_path: Path
) -> None:
    url = postgres.fresh_databases(postgres_server, f"check{os.getpid()}")
    settings = StoreSettings(tmp_path, url)

    async def wrong() -> list[tuple[object, object]]:
        found = await database.judge_postgres(settings)
        named = [(one.values["name"], one.values["where"]) for one in found if one.state is State.FAILED]
        shipped = ("log_checkpoints", "wal_recycle")  # on as a server comes; for other tests
        return [one for one in named if one[0] not in shipped]

    def tell(store: str, setting: str) -> None:
        change = f'ALTER DATABASE "{url.format(store=store).rpartition("/")[2]}" SET {setting}'
        command = [postgres.tool("psql"), "-q", postgres_server.format(db="postgres"), "-c", change]
        subprocess.run(command, check=True, capture_output=True)

    verbose = ("log_error_verbosity", ", ".join(f"{store}: default" for store in STORES))
    forgetful = ("fsync", ", ".join(f"{store}: off" for store in STORES))  # as servers of tests are
    assert await wrong() == [verbose, forgetful, ("track_counts", "answers: on, people: on, cases: on")]
    for store in ("answers", "people", "cases"):
        tell(store, "track_counts = off")
    assert await wrong() == [verbose, forgetful]
    for store in STORES:
        tell(store, "log_error_verbosity = terse")
    assert await wrong() == [forgetful]
    tell("answers", "log_statement = 'all'")
    tell("answers", "log_min_duration_statement = 0")
    assert await wrong() == [
        ("log_statement", "answers: all"),
        ("log_min_duration_statement", "answers: 0"),
        forgetful,
    ]


async def test_a_server_whose_log_says_when_anything_was_written_is_named(tmp_path: Path) -> None:
    """Done from outside: in a quiet night the log had one line, half a minute after the one report: from version 15 on PostgreSQL
    writes one each five minutes in which anything came, and none in the others, and logs are kept for weeks."""
    with postgres.server() as address:
        settings = StoreSettings(tmp_path, postgres.fresh_databases(address, "quiet"))
        engine = bind(settings)["answers"]
        assert isinstance(engine, SafePostgres)
        folder = Path((await engine._run_in_new_connection("SHOW data_directory"))[0]["data_directory"])

        async def told(setting: str) -> tuple[bool, bool]:
            for step in (f"ALTER SYSTEM SET log_checkpoints = {setting}", "SELECT pg_reload_conf()"):
                await engine._run_in_new_connection(step)
            while (await engine._run_in_new_connection("SHOW log_checkpoints"))[0]["log_checkpoints"] != setting:
                await asyncio.sleep(0.05)
            await asyncio.sleep(1)  # until the one who writes the line has read it too
            before = len((folder.parent / postgres.LOG).read_bytes())
            for step in ("CREATE TABLE came ()", "DROP TABLE came", "CHECKPOINT"):
                await engine._run_in_new_connection(step)
            wrong = [one.values for one in await database.judge_postgres(settings) if one.state is State.FAILED]
            line = b"checkpoint complete" in (folder.parent / postgres.LOG).read_bytes()[before:]
            return line, "log_checkpoints" in {str(one.get("name")) for one in wrong}

        assert await told("on") == (True, True)
        assert await told("off") == (False, False)


async def test_a_module_that_logs_plans_is_named_as_a_plan_has_the_key_of_a_code_in_it(
    postgres_server: str, tmp_path: Path
) -> None:
    """Done from outside: with `auto_explain` each sheet left the key of its code in the log, with the millisecond."""
    url = postgres.fresh_databases(postgres_server, f"plans{os.getpid()}")
    place = url.format(store="answers").rpartition("/")[2]
    for setting in ("session_preload_libraries = 'auto_explain'", "auto_explain.log_min_duration = 0"):
        change = f'ALTER DATABASE "{place}" SET {setting}'
        command = [postgres.tool("psql"), "-q", postgres_server.format(db="postgres"), "-c", change]
        subprocess.run(command, check=True, capture_output=True)
    engine = bind(StoreSettings(tmp_path, url))["answers"]
    await engine._run_in_new_connection("SELECT oid FROM pg_class WHERE oid = $1", [1791938205])
    folder = (await engine._run_in_new_connection("SHOW data_directory"))[0]["data_directory"]
    assert "1791938205" in (Path(folder).parent / postgres.LOG).read_text()
    found = [one for one in await database.judge_postgres(StoreSettings(tmp_path, url)) if one.state is State.FAILED]
    assert ("auto_explain.log_min_duration", "answers: 0") in [
        (one.values.get("name"), one.values.get("where")) for one in found
    ]


async def test_a_store_whose_values_postgres_samples_is_named_and_a_restart_drops_the_samples(
    postgres_server: str, tmp_path: Path
) -> None:
    settings = StoreSettings(tmp_path, postgres.fresh_databases(postgres_server, f"sampled{os.getpid()}"))
    secret = b"a digest that will be wiped"

    async def wrong() -> list[Any]:
        found = await database.judge_postgres(settings)
        return [one.values for one in found if one.state is State.FAILED and one.key == "samples"]

    async def sampled(people: StoreEngine) -> bool:
        rows = await people._run_in_new_connection("SELECT histogram_bounds::text AS bounds FROM pg_stats")
        return any(secret.hex() in (row["bounds"] or "") for row in rows)

    async with stores(settings) as engines:
        people = engines["people"]
        await people._run_in_new_connection(
            "ALTER TABLE panel ALTER COLUMN link SET STATISTICS -1"
        )  # as it was made before
        await Panel.insert(
            *(Panel(id=i, wave="w", person=i, channel="sms", link=secret + bytes([i])) for i in range(9))
        )
        await people._run_in_new_connection("ANALYZE")
        assert await sampled(people)
        assert await wrong() == [{"stores": "people"}]
    async with stores(settings) as engines:
        assert not await sampled(engines["people"])
        await engines["people"]._run_in_new_connection("ANALYZE")
        assert not await sampled(engines["people"])
        assert await wrong() == []


async def test_a_postgres_that_does_not_answer_fails(tmp_path: Path) -> None:
    url = f"postgresql://nobody@127.0.0.1:{free_port()}/{{store}}"
    assert [one.key for one in await database.judge_postgres(StoreSettings(tmp_path, url))] == ["postgres"]


BAD = (
    ("log_connections", "on"),
    ("log_connections", "receipt"),
    ("log_disconnections", "on"),
    ("track_commit_timestamp", "on"),
    ("log_duration", "on"),
    ("log_parameter_max_length_on_error", "-1"),
    ("log_error_verbosity", "default"),
    ("log_error_verbosity", "verbose"),
    ("log_statement", "mod"),
    ("log_min_duration_statement", "0"),
    ("log_min_duration_sample", "100"),
    ("log_transaction_sample_rate", "0.5"),
    ("log_lock_waits", "on"),
    ("log_temp_files", "0"),
    ("log_min_messages", "debug1"),
    ("log_min_messages", "debug5"),
    ("log_statement_stats", "on"),
    ("log_parser_stats", "on"),
    ("log_planner_stats", "on"),
    ("log_executor_stats", "on"),
    ("debug_print_parse", "on"),
    ("debug_print_rewritten", "on"),
    ("debug_print_plan", "on"),
    ("auto_explain.log_min_duration", "0"),
    ("pgaudit.log", "read"),
    ("log_checkpoints", "on"),
    ("wal_keep_size", "1024"),
    ("wal_recycle", "on"),
    ("wal_recycle", "off (user)"),
    ("summarize_wal", "on"),
    ("synchronous_commit", "off"),
    ("fsync", "off"),
    ("full_page_writes", "off"),
)
"""What each setting must not be."""


@pytest.mark.parametrize(("name", "bad"), BAD)
def test_each_setting_that_writes_down_or_loses_is_named_with_its_store(name: str, bad: str) -> None:
    fine = database.ServerSettings({"log_statement": "ddl", "log_connections": "off", "log_error_verbosity": "terse"})
    told = {"answers": fine, "people": database.ServerSettings({**fine.settings, name: bad})}
    wrong = [one.values for one in database.judge_settings(told) if one.state is State.FAILED]
    assert wrong == [{"name": name, "where": f"people: {bad}", "wanted": database.WANTED[name][0]}]


@pytest.mark.parametrize(("seconds", "wrong"), [("30", False), ("300", False), ("301", True), ("86400", True)])
def test_a_server_whose_checkpoints_come_seldom_keeps_its_log_too_long(seconds: str, wrong: bool) -> None:
    told = {"answers": database.ServerSettings({"checkpoint_timeout": seconds})}
    found = [one for one in database.judge_settings(told) if one.values.get("name") == "checkpoint_timeout"]
    assert [one.state is State.FAILED for one in found] == [wrong]
    if wrong:
        assert found[0].values == {"name": "checkpoint_timeout", "where": f"answers: {seconds}", "wanted": 300}


async def test_what_one_role_was_told_of_the_log_s_old_files_counts_for_nothing(
    postgres_settings: StoreSettings,
) -> None:
    """Whoever removes them is no role: `ascolto check` would be content with what holds for its own session alone."""
    engine = bind(postgres_settings)["answers"]
    assert isinstance(engine, SafePostgres)
    name = (await engine._run_in_new_connection("SELECT current_database() AS name"))[0]["name"]
    await engine._run_in_new_connection(f'ALTER DATABASE "{name}" SET wal_recycle = off')
    assert (await database._ask(engine, "answers")).settings["wal_recycle"] == "off (database)"


def test_of_every_setting_that_is_looked_at_something_is_refused() -> None:
    assert {name for name, _ in BAD} == set(database.WANTED)


@pytest.mark.parametrize(("counts", "wrong"), [("on", True), ("off", False)])
def test_a_server_that_keeps_the_time_of_a_last_reading_must_count_nothing(counts: str, wrong: bool) -> None:
    """Done from outside on PostgreSQL 16: `last_idx_scan` of the parts of slots and codes told when 39 of 60 sheets came, and
    joined nine of them with their codes, after every stir and restart; on 15 `last_autoanalyze` kept the last stir's microsecond."""
    keeps = database.ServerSettings({"track_counts": counts})
    told = dict.fromkeys(("answers", "people", "cases", "public"), keeps)
    found = database.judge_counts(told)
    assert (found.state is State.FAILED) == wrong
    if wrong:
        assert found.values == {"name": "track_counts", "where": "answers: on, people: on, cases: on", "wanted": "off"}


async def test_this_server_says_whether_it_counts(postgres_settings: StoreSettings) -> None:
    """The settings that are judged are settings of a real server."""
    engine = bind(postgres_settings)["answers"]
    assert isinstance(engine, SafePostgres)
    told = (await database._ask(engine, "answers")).settings
    assert told["track_counts"] in ("on", "off")


def test_an_archive_on_the_answers_server_fails_and_on_another_does_not(tmp_path: Path) -> None:
    archiving = database.ServerSettings({"archive_mode": "on"}, "other")
    plain = database.ServerSettings({"archive_mode": "off"}, "own", str(tmp_path / "pg"))
    told = {"answers": plain, "people": archiving, "cases": archiving, "public": archiving}
    found = {one.key: one.state for one in database.judge_servers(told, tmp_path)}
    assert found == {"archive": State.GOOD, "keys_server": State.GOOD, "own_server": State.GOOD}
    shared = dict.fromkeys(told, database.ServerSettings({"archive_mode": "always"}, "one", str(tmp_path)))
    found = {one.key: one.state for one in database.judge_servers(shared, tmp_path)}
    assert found == {"archive": State.FAILED, "keys_server": State.FAILED, "own_server": State.UNSURE}


class Loose(PooledSQLite):
    """A weakened copy: what it frees stays readable."""

    async def get_connection(self) -> Any:
        connection = await super().get_connection()
        await connection.execute("PRAGMA secure_delete = OFF")
        return connection


async def test_a_store_that_does_not_wipe_is_found_out(tmp_path: Path) -> None:
    assert not await database.wipes(Loose(tmp_path / "loose.sqlite"))
    assert await database.wipes(sqlite_at(tmp_path / "answers.sqlite", "answers"))
    found = {
        str(one.values["store"]): one.state for one in await database.judge_sqlite(tmp_path) if "store" in one.values
    }
    assert found == {"answers": State.GOOD, "cases": State.UNSURE, "people": State.UNSURE, "public": State.UNSURE}
    assert not (tmp_path / "cases.sqlite").exists()


async def test_the_check_says_which_sqlite_runs_and_every_connection_uses_it(sqlite_settings: StoreSettings) -> None:
    async with stores(sqlite_settings) as opened:
        rows = [await engine._run_in_new_connection("SELECT sqlite_version() AS v") for _, engine in opened.items()]
        first = next(iter(await database.judge_sqlite(sqlite_settings.data)))
    assert [row[0]["v"] for row in rows] == [sqlite_engine.sqlite_version()] * 4
    assert tuple(map(int, sqlite_engine.sqlite_version().split("."))) >= (3, 51, 3)
    assert (first.key, first.state, first.values) == ("sqlite", State.GOOD, {"version": sqlite_engine.sqlite_version()})


async def test_a_sqlite_that_may_lose_answers_opens_no_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_engine, "SOUND_SQLITE", (99, 0, 0))
    assert database.judge_version().state is State.FAILED
    with pytest.raises(StoresUnavailable, match="may lose answers"):
        await open_stores(StoreSettings(tmp_path / "data"))
    assert not (tmp_path / "data").exists()


_PAIRS = {
    "sqlite": (
        "CREATE TABLE seen (what TEXT, at TEXT)",
        "CREATE TRIGGER sees_code AFTER INSERT ON spent BEGIN INSERT INTO seen VALUES (hex(new.digest), datetime()); END",
        "CREATE TRIGGER sees_place AFTER UPDATE ON slot BEGIN INSERT INTO seen VALUES (new.id, datetime()); END",
    ),
    "postgres": (
        "CREATE TABLE seen (what text, at timestamptz)",
        "CREATE FUNCTION sees() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " INSERT INTO seen VALUES (new.id::text, clock_timestamp()); RETURN new; END $$",
        "CREATE TRIGGER sees_code AFTER INSERT ON spent FOR EACH ROW EXECUTE FUNCTION sees()",
        "CREATE TRIGGER sees_place AFTER UPDATE ON slot FOR EACH ROW EXECUTE FUNCTION sees()",
    ),
}


async def strange(settings: StoreSettings) -> list[object]:
    judged = await (
        database.judge_postgres(settings) if settings.database_url else database.judge_sqlite(settings.data)
    )
    return [one.values["things"] for one in judged if one.key == "strange" and one.state is State.FAILED]


@pytest.mark.opened
async def test_a_trigger_that_writes_down_which_sheet_came_with_which_code_is_named(
    site: Site, store_settings: StoreSettings
) -> None:
    """Done from outside: two triggers paired every sheet with its code, with the second, and `ascolto check` was content."""
    wave, engine = await open_a_wave(site), site.engines["answers"]
    assert await strange(store_settings) == []
    for step in _PAIRS["sqlite" if isinstance(engine, PooledSQLite) else "postgres"]:
        await engine._run_in_new_connection(step)
    await fill(site, wave, 3)
    assert len(await engine._run_in_new_connection("SELECT at FROM seen")) == 6
    function = [] if isinstance(engine, PooledSQLite) else ["sees"]
    assert await strange(store_settings) == ["answers: " + ", ".join(["seen", *function, "sees_code", "sees_place"])]


@pytest.mark.opened
async def test_a_column_that_writes_down_when_each_code_was_spent_is_named(
    site: Site, store_settings: StoreSettings
) -> None:
    """Done from outside: a column with a clock as its default told the second of each code through every stir, which copies whole
    rows, and `ascolto check` was content."""
    wave, engine = await open_a_wave(site), site.engines["answers"]
    assert await strange(store_settings) == []
    if isinstance(engine, PooledSQLite):
        table = (await engine._run_in_new_connection("SELECT sql FROM sqlite_schema WHERE name = 'spent'"))[0]["sql"]
        wider = table.rstrip().removesuffix(")") + ", at TEXT DEFAULT (datetime()))"
        for step in ("DROP TABLE spent", wider):
            await engine._run_in_new_connection(step)
    else:
        await engine._run_in_new_connection("ALTER TABLE spent ADD COLUMN at timestamptz DEFAULT clock_timestamp()")
        await engine._run_in_new_connection("ALTER TABLE spent ALTER COLUMN at SET STATISTICS 0")
    await fill(site, wave, 3)
    await urn_of.stir(engine)
    assert len(await engine._run_in_new_connection("SELECT at FROM spent WHERE at IS NOT NULL")) == 3
    assert await strange(store_settings) == ["answers: spent.at"]


@pytest.mark.parametrize(
    ("steps", "name"),
    [
        (["CREATE VIEW peek AS SELECT * FROM spent"], "peek"),
        (["CREATE MATERIALIZED VIEW peek AS SELECT * FROM spent"], "peek"),
        (["CREATE RULE peek AS ON INSERT TO spent DO ALSO NOTHING"], "peek"),
        (["CREATE POLICY peek ON slot USING (false)"], "peek"),
        (["CREATE PUBLICATION peek FOR ALL TABLES"], "peek"),
        (["CREATE SCHEMA other", "CREATE TABLE other.spent (LIKE spent)"], "other.spent"),
        (
            [
                "CREATE FUNCTION peeks() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'",
                "CREATE EVENT TRIGGER peek ON ddl_command_end EXECUTE FUNCTION peeks()",
            ],
            "peek",
        ),
        (["SELECT pg_create_physical_replication_slot('peek')"], "peek"),
    ],
)
async def test_whatever_else_a_server_keeps_or_hands_on_beside_our_tables_is_named(
    postgres_settings: StoreSettings, steps: list[str], name: str
) -> None:
    async with stores(postgres_settings) as engines:
        engine = engines["answers"]
        assert await strange(postgres_settings) == []
        for step in steps:
            await engine._run_in_new_connection(step)
        try:
            assert [str(one).partition(", ")[0] for one in await strange(postgres_settings)] == [f"answers: {name}"]
        finally:  # a slot is of a server that other tests share
            slots = "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots"
            await engine._run_in_new_connection(slots)
