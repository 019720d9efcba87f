"""Backups while people write: whole, of one moment, without what opens sheets or shows an order."""

import asyncio
import errno
import fcntl
import io
import os
import random
import signal
import stat
import subprocess
import sys
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from statistics import median
from typing import Any

import pytest

from surveys.backup.archive import BackupRefused, recipients_of, seal
from surveys.backup.contents import Left
from surveys.backup.making import make
from surveys.backup.restoring import restore
from surveys.cases.keeper import awaited_path, keeper_at, key_path
from surveys.engines import PooledSQLite
from surveys.lifecycle import drawing
from surveys.lifecycle.context import Site, draw_path, sign_path, slips_path, today
from surveys.lifecycle.planning import restore_key
from surveys.lifecycle.releasing import release_wave
from surveys.public import waves
from surveys.stores import StoreSettings, StoresUnavailable, stores
from tests.conftest import DAY, WAVE, end_and_close, open_a_wave
from tests.promises.test_order import _on_server, tau
from tests.surveys.backed_up import Keys, backed_up, everything_under, rows, write
from tests.surveys.loaded import afternoon_of, back_up
from tests.surveys.test_releasing import fill

BACKUPS = 20
ON_SERVER = 10
"""A tenth of what `python -m tests.benchmarks backups` makes."""
BETWEEN_SECONDS = 0.5
"""Each phone waits so long there after an answer: a backup of a server takes seconds, and people should not be through before."""
COPIES = 7
"""Of one order among 60 a tau of 0.2 is reached by chance once in forty readings: the median of seven is judged."""
PAGES = {"spent": 8192, "panel": 4096}
"""Where several rows lie on one page."""
DRAWN_ONCE = ("slot", "spent", "panel")
"""Over a whole file rows follow their keys, which were drawn once, before any copy: copies do not average that out, so the bound
is one that chance reaches once in 100,000 times. What a copy itself adds is judged on a page and by hidden row numbers."""


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    return Keys(tmp_path / "owner")


async def test_backups_while_people_answer_are_each_whole_and_of_one_moment(
    site: Site, store_settings: StoreSettings, keys: Keys, tmp_path: Path
) -> None:
    """Copying the folder while people answered gave stores that contradicted each other in 7 of 30 copies."""
    number, seconds = (ON_SERVER, BETWEEN_SECONDS) if store_settings.database_url else (BACKUPS, 0)
    found = await back_up(await afternoon_of(site, 800), store_settings, keys, tmp_path, number, seconds)
    assert (found.torn, found.missing, len(found.sizes)) == (0, 0, number)
    assert found.sizes == sorted(found.sizes) and len(set(found.sizes)) > number / 2  # they did write meanwhile


async def test_stores_that_are_written_one_after_the_other_are_never_seen_in_between(
    sqlite_settings: StoreSettings, keys: Keys, tmp_path: Path
) -> None:
    """A counter that goes up in one store and then in the other: between the two it never differs by more than that one step."""
    async with stores(sqlite_settings):
        pass
    script = (
        "import sys, pysqlite3.dbapi2 as s\n"
        "a, b = (s.connect(f'{sys.argv[1]}/{n}.sqlite', isolation_level=None, timeout=30) for n in ('people', 'answers'))\n"
        "for c in (a, b): c.execute('CREATE TABLE step (id INTEGER PRIMARY KEY)')\n"
        "print('ready', flush=True)\n"
        "n = 0\n"
        "while True:\n"
        "    n += 1\n"
        "    for c in (a, b): c.execute('INSERT INTO step VALUES (?)', (n,))\n"
    )
    writer = subprocess.Popen(
        [sys.executable, "-c", script, str(sqlite_settings.data)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert writer.stdout is not None and writer.stdout.readline() == "ready\n"
        reached = []
        for number in range(BACKUPS):
            made = backed_up(sqlite_settings.data, tmp_path / "kept", keys)
            restore(made.file, keys.file, tmp_path / f"again-{number}")
            first, second = (
                rows(tmp_path / f"again-{number}", store, "SELECT count(*) FROM step")[0][0]
                for store in ("people", "answers")
            )
            assert first - second in (0, 1)
            reached.append(second)
        assert reached == sorted(reached) and len(set(reached)) == BACKUPS
    finally:
        writer.kill()
        writer.wait()


async def test_rows_of_a_copy_do_not_lie_in_the_order_in_which_people_came(
    site: Site, store_settings: StoreSettings, keys: Keys, tmp_path: Path
) -> None:
    afternoon = await afternoon_of(site, 120)
    await afternoon.come(60)
    await afternoon.urn.stop()
    order = list(range(60))
    came = [f"device-{random.Random(number).getrandbits(64):x}" for number in order]
    for name in came:
        await site.engines["people"]._run_in_new_connection(
            f"INSERT INTO device (digest, account, failures) VALUES ('{name}', 'hr', 0)"
        )
    if isinstance(site.engines["people"], PooledSQLite):
        await site.engines["people"].truncate_wal()

    def places(data: Path) -> dict[str, list[int]]:
        files = {store: (data / f"{store}.sqlite").read_bytes() for store in ("answers", "people")}
        numbers = dict(rows(data, "people", "SELECT digest, rowid FROM device"))
        return {
            "hidden number": [numbers[name] for name in came],
            "spent": [files["answers"].rindex(one) for one in afternoon.attempts],
            "slot": [files["answers"].rindex(one[:48]) for one in afternoon.envelopes],
            "panel": [files["people"].rindex(one[:48]) for one in afternoon.signed],
        }

    before = places(site.data) if isinstance(site.engines["people"], PooledSQLite) else await _on_server(afternoon)
    name, page = ("spent", PAGES["spent"]) if "spent" in before else ("spent xmin", 0)
    assert tau(order, before[name], page) > 0.9  # not stirred yet: there is an order to copy
    learnt: dict[str, list[float]] = {}
    for number in range(COPIES):
        made = await asyncio.to_thread(backed_up, store_settings, tmp_path / "kept", keys)
        restore(made.file, keys.file, tmp_path / f"again-{number}")
        for name, found in places(tmp_path / f"again-{number}").items():
            learnt.setdefault(name, []).append(tau(order, found))
            if name in PAGES:
                learnt.setdefault(f"{name} on a page", []).append(tau(order, found, PAGES[name]))
    judged = {name: median(found) for name, found in learnt.items()}
    bounds = {name: 0.4 if name in DRAWN_ONCE else 0.2 for name in judged}
    assert len(judged) == 6 and {name: found for name, found in judged.items() if found >= bounds[name]} == {}


@pytest.mark.opened
async def test_no_key_that_is_left_out_and_nothing_deleted_is_in_a_backup(
    sqlite_site: Site, keys: Keys, tmp_path: Path
) -> None:
    data = sqlite_site.data
    await open_a_wave(sqlite_site)
    keeper_at(data)
    drawing.begin(data, WAVE, {"of": 1})
    sign = b"-----BEGIN PRIVATE KEY-----\nc2lnbmluZyBrZXkgb2YgdG9rZW5zIG9mIHRoaXMgd2F2ZQ==\n-----END PRIVATE KEY-----\n"
    sign_path(data, WAVE).write_bytes(sign)
    sqlite_site.wraps_file("x").write_text('{"wraps": {"hr+recovery": "' + "5a" * 64 + '"}}')
    (data / "keys" / "mine.age").write_text("AGE-SECRET-KEY-1NOBODYPUTTHISONTHELIST")
    write(data, "public", "PRAGMA secure_delete = OFF", "CREATE TABLE note (text TEXT)")
    write(
        data, "public", "PRAGMA secure_delete = OFF", "INSERT INTO note VALUES ('DELETED-BEFORE')", "DELETE FROM note"
    )
    write(data, "public", "PRAGMA wal_checkpoint(TRUNCATE)")
    write(data, "people", "INSERT INTO session (digest, account, day) VALUES ('SESSION-OF-HR', 'hr', '2026-11-02')")
    write(
        data,
        "cases",
        "INSERT INTO piece (id, upload, \"case\", number, sealed) VALUES (1, x'00', NULL, 0, 'SPOOLED'), (2, x'00', 5, 0, 'CLAIMED')",
    )
    wave_key = sqlite_site.wave_key_file(WAVE).read_bytes()
    hidden = {
        "cases.key": key_path(data).read_bytes(),
        "cases.key in hex": key_path(data).read_bytes().hex().encode(),
        "wave key": wave_key,
        "wave key in hex": wave_key.hex().encode(),
        "token key": sign.splitlines()[1],
        "wraps": b"5a" * 64,
        "draw": draw_path(data, WAVE).read_bytes(),
        "seed of slips": slips_path(data, WAVE, 1).read_bytes(),
        "another's key": b"NOBODYPUTTHISONTHELIST",
        "a deleted row": b"DELETED-BEFORE",
        "a session": b"SESSION-OF-HR",
        "the spool": b"SPOOLED",
    }
    here = b"".join(path.read_bytes() for path in data.rglob("*") if path.is_file())
    assert [name for name, needle in hidden.items() if needle not in here and "hex" not in name] == []
    made = backed_up(data, tmp_path / "kept", keys)
    plain = keys.plain(made.file)
    assert [name for name, needle in hidden.items() if needle in plain] == []
    assert (
        data / "keys" / "installation.pem"
    ).read_bytes() in plain and b"CLAIMED" in plain  # a search finds what is there
    assert hidden["cases.key"] not in made.file.read_bytes()
    assert {name: why for name, why in made.left.items() if why is not Left.MADE_AGAIN} == {
        "keys/cases.key": Left.CASES_KEY,
        f"keys/{WAVE}.wave.key": Left.WAVE_KEY,
        "keys/x.wraps.json": Left.WAVE_KEY,
        f"keys/{WAVE}.sign.pem": Left.TOKEN_KEY,
        f"keys/{WAVE}.slips-1": Left.SLIPS,
        f"keys/{WAVE}.draw": Left.DRAW,
        "keys/mine.age": Left.UNKNOWN,
    }
    assert stat.S_IMODE(made.file.stat().st_mode) == 0o600
    assert everything_under(tmp_path / "kept") == {made.file.name} and not (data / "backup.part").exists()


@pytest.mark.opened
async def test_a_wave_that_was_backed_up_open_closes_and_releases_from_the_copy_once_the_keys_are_brought(
    site: Site, store_settings: StoreSettings, keys: Keys, tmp_path: Path
) -> None:
    wave = await open_a_wave(site)
    await fill(site, wave, 40)
    keeper_at(site.data)
    cases_key, text = key_path(site.data).read_bytes(), site.wave_key_file(WAVE).read_bytes().hex()
    made = await asyncio.to_thread(backed_up, store_settings, tmp_path / "kept", keys)
    folder = tmp_path / "again"
    found = restore(made.file, keys.file, folder)
    assert (found.waves, found.under_way, found.people) == (((WAVE, "open"),), (WAVE,), 60)
    with pytest.raises(StoresUnavailable, match=r"cases\.key"):
        async with stores(StoreSettings(folder)):
            pass
    key_path(folder).write_bytes(b"another key of thirty-two bytes.")
    with pytest.raises(StoresUnavailable, match=r"cases\.key"):
        async with stores(StoreSettings(folder)):
            pass
    key_path(folder).write_bytes(cases_key)
    async with stores(StoreSettings(folder)) as engines:
        again = replace(site, engines=engines, data=folder)
        await end_and_close(again, unused=20)
        with pytest.raises(FileNotFoundError):
            await release_wave(again, WAVE, (wave.secrets["hr"], wave.secrets["recovery"]), lambda _: None)
        await restore_key(again, WAVE, text)
        document = await release_wave(again, WAVE, (wave.secrets["hr"], wave.secrets["recovery"]), lambda _: None)
        assert document.to_json()["participation"]["received"] == 40
        assert (await waves.get(WAVE)).state == "released"
    assert not awaited_path(folder).exists()


_BACKUP = """
import sys
from pathlib import Path
from surveys.backup.making import make
from surveys.lifecycle.context import today
from surveys.stores import StoreSettings
make(StoreSettings(Path(sys.argv[1])), Path(sys.argv[2]), [sys.argv[3]], today())
"""


_KILLED = """
import os, signal, sys
from datetime import date
from pathlib import Path
from surveys.backup.making import make
from surveys.stores import StoreSettings
os.fsync = lambda handle: os.kill(os.getpid(), signal.SIGKILL)
make(StoreSettings(Path(sys.argv[1])), Path(sys.argv[2]), [sys.argv[3]], date.fromisoformat(sys.argv[4]))
"""


@pytest.mark.opened
async def test_a_backup_that_is_killed_leaves_no_file_of_its_name_and_the_next_one_is_whole(
    sqlite_site: Site, keys: Keys, tmp_path: Path
) -> None:
    write(
        sqlite_site.data,
        "public",
        "INSERT INTO evidence_document (id, indicator, title, content) VALUES ('a', '1.1', 'grande', randomblob(100000000))",
    )
    kept = tmp_path / "kept"
    kept.mkdir()
    running = subprocess.Popen([sys.executable, "-c", _BACKUP, str(sqlite_site.data), str(kept), keys.public])
    while not (begun := list(kept.iterdir())) and running.poll() is None:
        time.sleep(0.001)
    os.kill(running.pid, signal.SIGKILL)
    assert running.wait() == -signal.SIGKILL and [path.suffix for path in begun] == [".partial"]
    assert [path.suffix for path in kept.iterdir()] == [".partial"]
    made = make(StoreSettings(sqlite_site.data), kept, [keys.public], today())
    assert everything_under(kept) == {made.file.name}
    assert restore(made.file, keys.file, tmp_path / "again").documents == 1


@pytest.mark.opened
async def test_what_a_backup_began_that_was_killed_on_another_day_goes_with_the_next_one(
    sqlite_site: Site, keys: Keys, tmp_path: Path
) -> None:
    """Done from outside: killed at its sealing, it left what its owner's key opens as far as it went, and no later night, `--keep`
    or end of a report's time removed it."""
    kept = tmp_path / "kept"
    kept.mkdir()
    before = (DAY - timedelta(days=1)).isoformat()
    running = subprocess.Popen(
        [sys.executable, "-c", _KILLED, str(sqlite_site.data), str(kept), keys.public, before],
        stderr=subprocess.DEVNULL,
    )
    assert running.wait() == -signal.SIGKILL
    left = {f"ascolto-{before}-1.age.partial"}
    assert everything_under(kept) == left and (kept / left.pop()).stat().st_size > 65_536
    (kept / "ascolto-notes.partial").write_text("somebody's")
    with (kept / f"ascolto-{before}-2.age.partial").open("wb") as held:  # another installation's, that is being made
        fcntl.flock(held, fcntl.LOCK_EX)
        made = backed_up(sqlite_site.data, kept, keys)
        assert everything_under(kept) == {made.file.name, "ascolto-notes.partial", Path(held.name).name}
    made = backed_up(sqlite_site.data, kept, keys, keep=1)
    assert everything_under(kept) == {made.file.name, "ascolto-notes.partial"}


class _SmallDisk(io.BytesIO):
    def write(self, piece: Any) -> int:
        if self.tell() > 1_000_000:
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().write(piece)


def test_a_backup_for_which_there_is_no_room_says_what_the_disk_says(keys: Keys) -> None:
    """Done from outside: on a full disk the command ended with a traceback of the sealing library."""
    with pytest.raises(OSError, match="No space left"):
        seal(_SmallDisk(), {}, {"public.sqlite": io.BytesIO(bytes(3_000_000))}, recipients_of([keys.public]))


@pytest.mark.opened
async def test_only_our_own_files_beyond_the_newest_are_removed(sqlite_site: Site, keys: Keys, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    others = {"ascolto-2026-11-01-0.age", "ascolto-2026-11-01-1.age.bak", "other-2026-11-01-1.age", "ascolto-old.age"}
    for name in others:
        (kept / name).write_text("somebody's")
    for number in range(12):
        make(StoreSettings(sqlite_site.data), kept, [keys.public], DAY - timedelta(days=number % 2))
    made = backed_up(sqlite_site.data, kept, keys, keep=3)
    day, before = DAY.isoformat(), (DAY - timedelta(days=1)).isoformat()
    assert everything_under(kept) == others | {f"ascolto-{day}-{number}.age" for number in (5, 6, 7)}
    assert (made.file.name, len(made.removed)) == (f"ascolto-{day}-7.age", 10)
    late = make(
        StoreSettings(sqlite_site.data), kept, [keys.public], DAY - timedelta(days=1), 3
    )  # the clock went back: this one stays
    assert late.file.name == f"ascolto-{before}-1.age" and late.file.exists() and late.removed == []


@pytest.mark.opened
async def test_what_cannot_be_backed_up_is_refused_and_nothing_is_written(
    sqlite_site: Site, keys: Keys, tmp_path: Path
) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()

    def refused(data: Path = sqlite_site.data, folder: Path = kept, to: str = keys.public) -> str:
        with pytest.raises(BackupRefused) as problem:
            make(StoreSettings(data), folder, [keys.public, to], DAY)
        assert "AGE-SECRET" not in repr(problem.value.values)
        return problem.value.reason

    assert refused(to="age1nobody") == "recipient"
    assert refused(to=str(keys.identity)) == "recipient_secret"
    assert refused(folder=tmp_path / "not mounted") == "no_folder"
    assert refused(folder=sqlite_site.data / "keys") == "inside"
    assert refused(data=tmp_path / "owner") == "no_stores"
    assert everything_under(kept) == set()
