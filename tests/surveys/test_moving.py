"""An installation moves from SQLite to PostgreSQL: every row arrives, surveys and cases go on, and what fails leaves both as they were."""

import asyncio
import os
import random
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from server.command import cli
from server.frame.terminal import LANGUAGE
from server.frame.texts import say
from server.processes import jobs
from server.settings import Settings
from surveys.answers.filling import Receipt
from surveys.answers.urn import Urn
from surveys.backup import moving, shapes
from surveys.backup.archive import BackupRefused
from surveys.backup.moving import move
from surveys.backup.restoring import restore
from surveys.cases.keeper import key_path
from surveys.lifecycle import closing, opening, printing
from surveys.lifecycle.context import Site
from surveys.lifecycle.planning import Wish, plan
from surveys.lifecycle.releasing import release_wave
from surveys.public import waves
from surveys.questionnaire import Questionnaire, read_form
from surveys.stores import MOVED, STORES, UNDER_WAY, StoreSettings, StoresUnavailable, stores
from tests import postgres
from tests.benchmarks.installation import channel_beside
from tests.conftest import DAY, WAVE, Opened, open_a_wave
from tests.promises.test_order import tau
from tests.rights import right
from tests.surveys.backed_up import Keys, backed_up, everything_under, rows, write
from tests.surveys.cases import people
from tests.surveys.test_releasing import SHEET
from tests.urn import WORDS, get_ready, put_in, team

LATE = DAY + timedelta(days=15)
WAVES = {WAVE: "released", "chiusa": "closed", "aperta": "open"}


async def _opened(site: Site, wave: str) -> Opened:
    if wave == WAVE:
        return await open_a_wave(site)
    await plan(site, Wish(wave, {"it": wave, "en": wave}, DAY, DAY + timedelta(days=14)))
    words = await get_ready(site, wave)
    record = await opening.open_wave(site, wave)
    return Opened(record, words, await printing.print_slips(site, wave, 60))


async def _answers(site: Site, wave: Opened, first: int, end: int) -> None:
    urn = Urn(site.engines["answers"])
    urn.start()
    questionnaire = Questionnaire.from_json(dict(wave.record.questionnaire))
    for number, code in enumerate(wave.codes[first:end], first):
        form = {item: [value] for item, value in SHEET.items()} | {
            "CUL3": [str(1 + number % 5)],
            "unit": [("po.nido", "fi.cura")[number % 2]],
        }
        row, envelope = put_in(site, wave.record, code, read_form(questionnaire, form).to_bytes())
        assert await urn.put(right(wave.record.id, row), number.to_bytes(16), envelope) == Receipt.RECEIVED
    await urn.stop()


async def _close_and_release(site: Site, wave: str, state: str) -> None:
    late = replace(site, day=LATE)
    if (await waves.get(wave)).state == "open":
        await closing.end(late, wave)
        await closing.close(late, wave, unused_slips=20)
    if state == "released":
        await release_wave(late, wave, (WORDS["hr"], WORDS["recovery"]), lambda _: None)
    assert (await waves.get(wave)).state == state


@pytest.fixture
def empty(postgres_server: str) -> Iterator[str]:
    name = f"m{random.getrandbits(40):x}"
    yield postgres.fresh_databases(postgres_server, name)
    postgres.give_back(postgres_server, name)


async def _relations(url: str) -> list[int]:
    found = []
    for store in STORES:
        connection = await asyncpg.connect(url.format(store=store))
        found.append(
            await connection.fetchval("SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace")
        )
        await connection.close()
    return found


def _lie(data: Path) -> dict[str, bytes]:
    return {store: (data / f"{store}.sqlite").read_bytes() for store in STORES}


@pytest.mark.opened
async def test_after_the_move_surveys_take_answers_close_and_release_and_a_case_opens(
    sqlite_settings: StoreSettings, empty: str, tmp_path: Path
) -> None:
    there = replace(sqlite_settings, database_url=empty)
    async with stores(sqlite_settings) as engines:
        site = Site(engines, sqlite_settings.data, DAY, "hr")
        made = {}
        for wave, state in WAVES.items():  # one after the other: two are never open
            made[wave] = await _opened(site, wave)
            await _answers(site, made[wave], 0, 30)
            if state != "open":
                await _answers(site, made[wave], 30, 40)
                await _close_and_release(site, wave, state)
        await channel_beside(site)
        written = await people.report(site, team(), "la mia storia")
        await people.say(site, team(), written, "anna", "la risposta")
    before = {
        (store, shape.name): rows(sqlite_settings.data, store, f"SELECT count(*) FROM {shape.quoted}")[0][0]
        for store in STORES
        for shape in shapes.shapes_of(store)
    }
    counts = await move(sqlite_settings.data, there, DAY)
    assert counts == {store: sum(n for (its, _), n in before.items() if its == store) for store in STORES}
    with pytest.raises(StoresUnavailable, match="moved to PostgreSQL"):
        async with stores(sqlite_settings):
            pass
    with pytest.raises(BackupRefused, match="moved"):
        backed_up(sqlite_settings.data, tmp_path / "kept", Keys(tmp_path / "owner"))
    async with stores(there) as engines:
        site = Site(engines, sqlite_settings.data, DAY, "hr")
        assert {wave.id: wave.state for wave in await waves.everything()} == WAVES
        assert await people.texts(site, team(), written, "anna") == ["la mia storia", "la risposta"]
        await _answers(site, made["aperta"], 30, 40)
        for wave in ("chiusa", "aperta"):
            await _close_and_release(site, wave, "released")


@pytest.mark.opened
async def test_rows_lie_in_no_order_of_arrival_after_the_move(sqlite_settings: StoreSettings, empty: str) -> None:
    came = [f"device-{random.Random(number).getrandbits(64):x}" for number in range(60)]
    write(
        sqlite_settings.data,
        "people",
        *(f"INSERT INTO device (digest, account, failures) VALUES ('{name}', 'hr', 0)" for name in came),
    )
    numbers = dict(rows(sqlite_settings.data, "people", "SELECT digest, rowid FROM device"))
    assert tau(list(range(60)), [numbers[name] for name in came]) == 1
    await move(sqlite_settings.data, replace(sqlite_settings, database_url=empty), DAY)
    connection = await asyncpg.connect(empty.format(store="people"))
    found = await connection.fetch("SELECT digest, xmin::text AS at, ctid FROM device")
    await connection.close()
    places = {row["digest"]: row["ctid"][0] * 10_000 + row["ctid"][1] for row in found}
    assert len({row["at"] for row in found}) == 1
    assert tau(list(range(60)), [places[name] for name in came]) < 0.4  # chance reaches it once in 100,000 times


@pytest.mark.opened
@pytest.mark.parametrize(
    ("store", "step", "reason"),
    [
        ("public", "UPDATE wave SET state = 'much longer than any state'", "move_row"),
        ("people", "UPDATE person SET joined = 'yesterday'", "move_row"),
        ("cases", "CREATE TABLE mine (id INTEGER PRIMARY KEY)", "move_unknown"),
        ("cases", "DELETE FROM migration WHERE name = (SELECT max(name) FROM migration)", "behind"),
    ],
)
async def test_what_fails_leaves_both_sides_as_they_were(
    sqlite_settings: StoreSettings, empty: str, store: str, step: str, reason: str
) -> None:
    write(sqlite_settings.data, store, step)
    before, there = _lie(sqlite_settings.data), replace(sqlite_settings, database_url=empty)
    with pytest.raises(BackupRefused) as problem:
        await move(sqlite_settings.data, there, DAY)
    assert (problem.value.reason, problem.value.values["store"]) == (reason, store)
    assert _lie(sqlite_settings.data) == before and not (sqlite_settings.data / MOVED).exists()
    assert await _relations(empty) == [0, 0, 0, 0]


@pytest.mark.opened
async def test_a_value_that_arrives_as_another_is_found(
    sqlite_settings: StoreSettings, empty: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = shapes._to_postgres
    monkeypatch.setattr(
        shapes, "_to_postgres", lambda kind, value: whole(kind, value)[:-1] if value == "Prato" else whole(kind, value)
    )
    with pytest.raises(BackupRefused, match="move_differs"):
        await move(sqlite_settings.data, replace(sqlite_settings, database_url=empty), DAY)
    assert await _relations(empty) == [0, 0, 0, 0]


@pytest.mark.opened
async def test_a_move_that_is_interrupted_empties_the_target_again(sqlite_settings: StoreSettings, empty: str) -> None:
    write(
        sqlite_settings.data,
        "public",
        "INSERT INTO evidence_document (id, indicator, title, content) VALUES ('a', '1.1', 'grande', randomblob(90000000))",
    )
    before = _lie(sqlite_settings.data)
    moving = asyncio.create_task(move(sqlite_settings.data, replace(sqlite_settings, database_url=empty), DAY))
    while not all(await _relations(empty)):
        await asyncio.sleep(0.05)
    moving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await moving
    assert await _relations(empty) == [0, 0, 0, 0] and _lie(sqlite_settings.data) == before


@pytest.mark.opened
@pytest.mark.parametrize("copied", ["public", "answers", "all"])
async def test_nothing_starts_on_what_a_killed_move_left(
    sqlite_settings: StoreSettings, empty: str, copied: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Done from outside: killed after the first store, the survey was served as open, with no code, nobody on its list and
    every part of `/ready` well."""

    class Killed(BaseException):
        pass

    whole, there = moving._compared, replace(sqlite_settings, database_url=empty)

    async def compared(here: Any, connection: Any, store: str, shape: Any) -> int:
        n = await whole(here, connection, store, shape)
        if store == copied:
            raise Killed
        return n

    def served() -> bool:
        raise Killed

    async def nothing(_: object) -> None:
        """A process that is killed empties nothing."""

    monkeypatch.setattr(moving, "_compared", compared)
    monkeypatch.setattr(moving, "_empty", nothing)
    before = _lie(sqlite_settings.data)
    with pytest.raises(Killed):
        await move(sqlite_settings.data, there, DAY, served)
    with pytest.raises(StoresUnavailable, match="cut off"):
        async with stores(there):
            pass
    with pytest.raises(BackupRefused, match="move_not_empty"):
        await move(sqlite_settings.data, there, DAY)
    assert _lie(sqlite_settings.data) == before
    async with stores(sqlite_settings):
        pass


@pytest.mark.opened
@pytest.mark.parametrize("step", ["pg_advisory_lock", "ALTER TABLE", "INSERT INTO", "READ ONLY", "DROP TABLE move"])
async def test_a_server_that_ends_the_connection_is_said_to_be_away_and_is_emptied(
    sqlite_settings: StoreSettings, empty: str, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Done from outside: it was told that this version cannot take the backup, or that a store cannot be read whole."""
    ended, before = list[str](), _lie(sqlite_settings.data)

    async def ends(connection: asyncpg.Connection, at: str) -> None:
        if step in at and not ended:
            ended.append(await connection.fetchval("SELECT split_part(current_database(), '_', 2)"))
            other = await asyncpg.connect(empty.format(store="public"))
            await other.execute(f"SELECT pg_terminate_backend({connection.get_server_pid()}, 5000)")
            await other.close()

    def of(name: str) -> Callable[..., Awaitable[object]]:
        whole = getattr(asyncpg.Connection, name)

        async def run(connection: asyncpg.Connection, at: str, *values: object, **more: object) -> object:
            await ends(connection, at)
            return await whole(connection, at, *values, **more)

        return run

    for name in ("execute", "executemany", "fetch"):
        monkeypatch.setattr(asyncpg.Connection, name, of(name))
    with pytest.raises(BackupRefused) as problem:
        await move(sqlite_settings.data, replace(sqlite_settings, database_url=empty), DAY)
    assert (problem.value.reason, [problem.value.values["store"]]) == ("away", ended)
    assert await _relations(empty) == [0, 0, 0, 0] and _lie(sqlite_settings.data) == before
    assert not (sqlite_settings.data / MOVED).exists()


@pytest.mark.opened
async def test_a_move_into_databases_that_another_move_just_took_takes_nothing_out(
    sqlite_settings: StoreSettings, empty: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Read, then done: both had found them empty, and the second, which was refused, emptied what the first had filled."""
    there, looked = replace(sqlite_settings, database_url=empty), moving._refuse_full

    async def late(engines: Any) -> None:
        await looked(engines)
        public = await asyncpg.connect(empty.format(store="public"))
        await public.execute(f"CREATE TABLE {UNDER_WAY} ()")
        await public.execute("CREATE TABLE wave (id text)")
        await public.close()

    monkeypatch.setattr(moving, "_refuse_full", late)
    with pytest.raises(BackupRefused, match="move_not_empty"):
        await move(sqlite_settings.data, there, DAY)
    assert await _relations(empty) == [2, 0, 0, 0] and not (sqlite_settings.data / MOVED).exists()


@pytest.mark.opened
async def test_what_is_being_emptied_is_no_half_that_serves(
    sqlite_settings: StoreSettings, empty: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Read, then done: the mark was gone and the answer lost; one store was emptied, the server went, the rest was served."""
    there, whole, broken = replace(sqlite_settings, database_url=empty), asyncpg.Connection.execute, list[str]()

    async def execute(connection: asyncpg.Connection, at: str, *values: object, **more: object) -> object:
        if broken and "DROP TABLE" in at and "answers" in await connection.fetchval("SELECT current_database()"):
            raise ConnectionResetError
        found = await whole(connection, at, *values, **more)
        if at == f"DROP TABLE {UNDER_WAY}":
            broken.append(at)
            raise ConnectionResetError  # it was done, and nobody heard
        return found

    monkeypatch.setattr(asyncpg.Connection, "execute", execute)
    with pytest.raises(BackupRefused, match="move_left"):
        await move(sqlite_settings.data, there, DAY)
    monkeypatch.undo()
    with pytest.raises(StoresUnavailable, match="cut off"):
        async with stores(there):
            pass


@pytest.mark.opened
async def test_of_databases_to_which_a_move_was_cut_off_no_backup_is_made_and_none_makes_way(
    sqlite_settings: StoreSettings, empty: str, tmp_path: Path
) -> None:
    """Read, then done: the nightly backup sealed the half as whole, and with `--keep` the last good one went for it."""
    keys, there = Keys(tmp_path / "owner"), replace(sqlite_settings, database_url=empty)
    good = backed_up(sqlite_settings, tmp_path / "kept", keys, keep=1).file
    await move(sqlite_settings.data, there, DAY)
    public = await asyncpg.connect(empty.format(store="public"))
    await public.execute(f"CREATE TABLE {UNDER_WAY} ()")  # as one leaves it that is killed
    await public.close()
    with pytest.raises(BackupRefused, match="half") as problem:
        await asyncio.to_thread(backed_up, there, tmp_path / "kept", keys, keep=1)
    assert say("it", f"backup.refused.{problem.value.reason}") and list((tmp_path / "kept").iterdir()) == [good]


@pytest.mark.opened
async def test_a_service_that_was_started_meanwhile_undoes_the_move(sqlite_settings: StoreSettings, empty: str) -> None:
    data, seen = sqlite_settings.data, []

    def served() -> bool:
        seen.append((data / MOVED).exists())  # whoever starts from now on is refused
        return True

    with pytest.raises(BackupRefused, match="move_running"):
        await move(data, replace(sqlite_settings, database_url=empty), DAY, served)
    assert seen == [True] and not (data / MOVED).exists() and await _relations(empty) == [0, 0, 0, 0]


@pytest.mark.opened
async def test_that_it_was_moved_is_on_the_disk_before_the_target_is_served(
    sqlite_settings: StoreSettings, empty: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Read: a power cut took the file, and what lay on both sides could be served from both."""
    data, plain = sqlite_settings.data, os.fsync
    flushed: set[int] = set()
    before: list[set[int]] = []

    def flush(handle: int) -> None:
        flushed.add(os.fstat(handle).st_ino)
        plain(handle)

    def served() -> bool:
        before.append({place.stat().st_ino for place in (data / MOVED, data)} - flushed)
        return False

    monkeypatch.setattr(os, "fsync", flush)
    await move(data, replace(sqlite_settings, database_url=empty), DAY, served)
    assert before == [set()] and (data / MOVED).read_text() == DAY.isoformat()


@pytest.mark.opened
async def test_a_target_with_anything_in_it_or_one_for_two_stores_is_refused(
    sqlite_settings: StoreSettings, empty: str
) -> None:
    async def refused(url: str) -> str:
        with pytest.raises(BackupRefused) as problem:
            await move(sqlite_settings.data, replace(sqlite_settings, database_url=url), DAY)
        return problem.value.reason

    assert await refused(empty.replace("{store}", "public") + "?application_name={store}") == "move_same"
    assert await refused(f"postgresql://127.0.0.1:{postgres.free_port()}/{{store}}") == "away"
    connection = await asyncpg.connect(empty.format(store="cases"))
    await connection.execute("CREATE TABLE somebodys (id int)")
    assert await refused(empty) == "move_not_empty"
    assert await connection.fetchval("SELECT count(*) FROM somebodys") == 0
    await connection.close()
    assert sum(await _relations(empty)) == 1


@pytest.mark.opened
async def test_a_backup_of_a_server_is_restored_and_moved_to_another_server(
    postgres_site: Site, postgres_settings: StoreSettings, empty: str, tmp_path: Path
) -> None:
    wave, keys = await open_a_wave(postgres_site), Keys(tmp_path / "owner")
    await _answers(postgres_site, wave, 0, 30)
    made = await asyncio.to_thread(backed_up, postgres_settings, tmp_path / "kept", keys)
    folder = tmp_path / "again"
    await asyncio.to_thread(restore, made.file, keys.file, folder)
    there = StoreSettings(folder, empty)
    await move(folder, there, DAY)
    if key_path(postgres_site.data).exists():
        key_path(folder).write_bytes(key_path(postgres_site.data).read_bytes())
    (folder / "keys" / f"{WAVE}.wave.key").write_bytes(postgres_site.wave_key_file(WAVE).read_bytes())
    async with stores(there) as engines:
        site = Site(engines, folder, DAY, "hr")
        await _answers(site, wave, 30, 40)
        await _close_and_release(site, WAVE, "released")


@pytest.mark.opened
def test_the_command_refuses_while_somebody_serves_and_says_what_to_set(
    sqlite_settings: StoreSettings,
    empty: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("ASCOLTO_DATA", str(sqlite_settings.data))
    monkeypatch.delenv("ASCOLTO_DATABASE_URL", raising=False)

    def run(url: str = empty) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            cli.main(["move", "--to", url])
        out = capsys.readouterr()
        return int(ended.value.code or 0), out.out, out.err

    def refused(reason: str, **values: Any) -> tuple[int, str, str]:
        return 1, "", say(LANGUAGE, f"backup.refused.{reason}", **values) + "\n"

    before = everything_under(tmp_path)
    assert run("postgresql://localhost/ascolto") == refused("move_url", store="{store}")
    assert run(empty.replace("postgres@", "postgres:secret@")) == refused("move_password")
    serving = jobs.take_lease(Settings(sqlite_settings))
    assert serving is not None
    assert run() == refused("move_running")
    serving.close()
    status, out, err = run()
    assert (status, err) == (0, "") and f"ASCOLTO_DATABASE_URL={empty}" in out and "answers.sqlite" in out
    assert {path for path in everything_under(tmp_path) - before if "lock" not in path} <= {f"data/{MOVED}"}
    assert run() == refused("moved", file=sqlite_settings.data / MOVED)
    monkeypatch.setenv("ASCOLTO_DATABASE_URL", empty)
    assert run() == refused("move_there")
