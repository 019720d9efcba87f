"""What is said to be destroyed is: also where a release, a cancelling or a closing was cut off, or somebody reads in the store.

Done from outside: after a kill at "destroying the sheets" two keepers opened 64 sheets of a released wave; a cancelled wave kept
everything and took one more; a backup that was open left keys and sheets for good.
"""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing as closing_of
from contextlib import contextmanager
from pathlib import Path

import pyrage
import pysqlite3.dbapi2 as sqlite
import pytest

from server.processes import jobs
from server.settings import Settings
from surveys.answers import wave as urn_of
from surveys.backup.contents import STAGING
from surveys.lifecycle import accepting, closing, destroying, drawing, resuming
from surveys.lifecycle.context import Site, draw_path, keep_file, over_path, wave_key_path
from surveys.lifecycle.drawing import DrawnBefore
from surveys.lifecycle.issuing import key_file
from surveys.lifecycle.planning import PlanRefused, restore_key
from surveys.lifecycle.releasing import release_wave
from surveys.people import links, log
from surveys.public import waves
from surveys.public.waves import State, WaveRecord
from surveys.stores import StoreSettings
from tests.conftest import WAVE, Opened, end_and_close, open_a_wave
from tests.surveys.test_releasing import fill


async def _decided(site: Site, state: State) -> None:
    """As a process leaves a wave that is killed right after the decision."""
    await waves.change(site.engines["public"], WAVE, *State, state=state)


async def _cancelled(site: Site, _: Opened) -> None:
    await _decided(site, State.CANCELLED)


async def _too_few(site: Site, _: Opened) -> None:
    await closing.end(site, WAVE)
    await _decided(site, State.TOO_FEW)


async def _released(site: Site, wave: Opened) -> None:
    """The kill itself is in test_releasing; here the files stay that it leaves, one after the other."""
    await end_and_close(site)
    key = wave_key_path(site.data, WAVE).read_bytes()
    await release_wave(site, WAVE, (wave.secrets["hr"], wave.secrets["recovery"]), lambda _: None)
    keep_file(wave_key_path(site.data, WAVE), key)
    drawing.begin(site.data, WAVE, {})


def _files(site: Site) -> list[bool]:
    files = (wave_key_path(site.data, WAVE), draw_path(site.data, WAVE), key_file(site, WAVE))
    return [file.exists() for file in files]


@pytest.mark.opened
@pytest.mark.parametrize("cut_off", [_cancelled, _too_few, _released])
async def test_what_was_decided_and_not_done_is_done_by_the_next_look_of_the_jobs(
    site: Site, cut_off: Callable[[Site, Opened], Awaitable[None]]
) -> None:
    wave = await open_a_wave(site)
    await fill(site, wave, 12)
    await cut_off(site, wave)
    assert any(_files(site)) and await urn_of.is_there(WAVE) is (cut_off is not _released)
    await resuming.resume(site)
    assert not any(_files(site)) and not await urn_of.is_there(WAVE) and not await links.are_there(WAVE)
    done = len(await log.read())
    await resuming.resume(site)
    assert len(await log.read()) == done  # and once


@pytest.mark.opened
async def test_links_that_a_closing_left_go_too(site: Site) -> None:
    wave = await open_a_wave(site)
    await fill(site, wave, 12)
    await links.draw(site.engines["people"], (await links.members_of(WAVE, "slip", only_missing=False))[:3])
    await closing.end(site, WAVE)
    await _decided(site, State.CLOSED)
    await destroying.finish(site)
    assert not await links.are_there(WAVE) and not key_file(site, WAVE).exists()
    assert await urn_of.is_there(WAVE)  # what waits for its release stays


@pytest.mark.opened
async def test_a_cancelled_wave_takes_no_sheet_also_in_a_process_that_knew_it(site: Site) -> None:
    await open_a_wave(site)
    accepting.begin(site.data)
    assert await accepting.to_answer(WAVE) is not None
    await _decided(site, State.CANCELLED)
    assert await accepting.to_send(WAVE) is None


@pytest.mark.opened
@pytest.mark.parametrize("end", [_cancelled, _too_few, _released])
async def test_a_process_that_took_sheets_lets_the_wave_key_go_whoever_does_the_jobs(
    site: Site, monkeypatch: pytest.MonkeyPatch, end: Callable[[Site, Opened], Awaitable[None]]
) -> None:
    """Found: until it ended, a serving process had the key of every wave that it ever took a sheet for in its memory."""
    monkeypatch.setattr(jobs, "EVERY_SECONDS", 0.05)
    settings = Settings(StoreSettings(site.data))
    wave = await open_a_wave(site)
    await fill(site, wave, 12)
    accepting.begin(site.data)
    taken = await accepting.to_answer(WAVE)
    assert taken is not None and taken.wave_key == wave_key_path(site.data, WAVE).read_bytes()
    lease = jobs.take_lease(settings)
    assert lease is not None
    with lease:  # another process does the jobs
        looks = jobs.start(settings, site.engines)
        await asyncio.sleep(0.3)
        assert accepting.known(WAVE) is taken  # while it takes sheets it stays
        await end(site, wave)
        async with asyncio.timeout(10):
            while accepting.known(WAVE) is not None:
                await asyncio.sleep(0.05)
        await jobs.stop(looks)


@pytest.mark.opened
async def test_somebody_who_reads_in_the_store_keeps_no_key_alive(sqlite_site: Site) -> None:
    wave = await open_a_wave(sqlite_site)
    await fill(sqlite_site, wave, 40)
    await end_and_close(sqlite_site)
    reader = sqlite.connect(sqlite_site.data / "answers.sqlite", isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM slot").fetchone()
    await release_wave(sqlite_site, WAVE, (wave.secrets["hr"], wave.secrets["recovery"]), lambda _: None)
    assert not any(_files(sqlite_site)) and not await urn_of.is_there(WAVE)
    reader.close()


@pytest.mark.opened
async def test_a_wave_that_says_it_is_released_without_our_document_keeps_its_keys(site: Site) -> None:
    """Could lose: whoever writes the store, or an older copy of it that is put back, would have all sheets destroyed."""
    wave = await open_a_wave(site)
    await fill(site, wave, 12)
    await end_and_close(site)
    await _decided(site, State.RELEASED)
    await destroying.finish(site)
    assert wave_key_path(site.data, WAVE).exists() and await urn_of.is_there(WAVE)


@pytest.mark.opened
async def test_a_row_that_cannot_be_right_keeps_no_other_wave_waiting(site: Site) -> None:
    """Could block: the jobs would stop at a name that no wave has, or reach for a file outside the folder of keys."""
    await open_a_wave(site)
    outside = site.data / "theirs.sign.pem"
    outside.write_text("not ours")
    await waves.add(site.engines["public"], WaveRecord("../theirs", {"it": "x"}, State.CANCELLED))
    await _decided(site, State.CANCELLED)
    with pytest.raises(waves.NoSuchWave):  # which the jobs note
        await destroying.finish(site)
    assert outside.read_text() == "not ours" and not await urn_of.is_there(WAVE)


async def test_a_wave_that_was_cancelled_before_it_opened_has_no_urn_to_be_destroyed(site: Site) -> None:
    await waves.add(site.engines["public"], WaveRecord("bozza", {"it": "x"}, State.PLANNED))
    await closing.cancel(site, "bozza")
    assert [act.act for act in await log.read()] == ["wave cancelled"]


@pytest.mark.opened
async def test_a_wave_that_is_over_comes_back_by_no_row_and_no_recovery_sheet(site: Site) -> None:
    """Done from outside: databases of before the release, the text of the recovery sheet, and two keepers who typed again: three
    documents of one wave, with other moves each."""
    wave = await open_a_wave(site)
    await fill(site, wave, 12)
    await end_and_close(site)
    key = wave_key_path(site.data, WAVE).read_bytes()
    await release_wave(site, WAVE, (wave.secrets["hr"], wave.secrets["recovery"]), lambda _: None)
    assert over_path(site.data, WAVE).exists()
    await waves.change(site.engines["public"], WAVE, State.RELEASED, state=State.CLOSED)
    with pytest.raises(PlanRefused, match="over"):
        await restore_key(site, WAVE, key.hex())
    keep_file(wave_key_path(site.data, WAVE), key)
    with pytest.raises(DrawnBefore):
        await release_wave(site, WAVE, (wave.secrets["hr"], wave.secrets["recovery"]), lambda _: None)


@pytest.mark.opened
async def test_waves_that_the_version_before_had_ended_are_noted_once(site: Site) -> None:
    await open_a_wave(site)
    await _decided(site, State.RELEASED)
    await destroying.keep_at_update(site)
    assert over_path(site.data, WAVE).exists()
    over_path(site.data, WAVE).unlink()
    await destroying.keep_at_update(site)
    assert not over_path(site.data, WAVE).exists()


async def test_half_written_files_of_a_process_that_is_gone_go_and_take_no_file_with_them(sqlite_site: Site) -> None:
    """Found by the simulator: a process that died after it had linked a file left two names of it; one was written over."""
    keys = sqlite_site.data / "keys"
    keys.mkdir(exist_ok=True)
    (keys / "a.plan").write_bytes(b"whole")
    (keys / "a.plan.999999999.partial").hardlink_to(keys / "a.plan")
    (keys / "b.wave.key.999999999.partial").write_bytes(b"half a key")
    (keys / f"c.plan.{os.getpid()}.partial").write_bytes(b"being written")
    await resuming.resume(sqlite_site)
    assert (keys / "a.plan").read_bytes() == b"whole"
    assert [path.name for path in keys.glob("*.partial")] == [f"c.plan.{os.getpid()}.partial"]


@pytest.mark.opened
@pytest.mark.parametrize("end", [_cancelled, _too_few, _released])
async def test_what_a_killed_backup_laid_down_of_sheets_goes_with_them(
    sqlite_site: Site, end: Callable[[Site, Opened], Awaitable[None]]
) -> None:
    """Done from outside: a backup was killed while a survey was open; weeks after its release all sealed sheets and all codes
    that were spent still lay in the data folder, until somebody made another backup."""
    wave, data = await open_a_wave(sqlite_site), sqlite_site.data
    await fill(sqlite_site, wave, 12)
    sheet = (await urn_of.contents(WAVE)).sheets[0]
    with _backup_under_way(sqlite_site) as left:
        assert sheet in left.read_bytes()  # the search finds what is there
        await resuming.resume(sqlite_site)
        assert left.exists()  # while it runs nobody takes its copies away
    assert sheet in left.read_bytes()
    await end(sqlite_site, wave)
    await resuming.resume(sqlite_site)
    assert [path.name for path in data.rglob("*") if path.is_file() and sheet in path.read_bytes()] == []


@contextmanager
def _backup_under_way(site: Site) -> Iterator[Path]:
    """A backup that has copied the answers and still copies a large document, until it is killed."""
    with closing_of(sqlite.connect(site.data / "public.sqlite")) as public:
        public.execute(
            "INSERT INTO evidence_document (id, indicator, title, content) VALUES ('a', '1.1', 'grande', randomblob(200000000))"
        )
        public.commit()
    (site.data.parent / "kept").mkdir()
    to = str(pyrage.x25519.Identity.generate().to_public())
    running = subprocess.Popen(
        [sys.executable, "-m", "server.command.cli", "backup", str(site.data.parent / "kept"), "--to", to],
        env=os.environ | {"ASCOLTO_DATA": str(site.data)},
    )
    copied = site.data / STAGING / "public.sqlite"
    while not copied.exists() or copied.stat().st_size < 1_000_000:
        assert running.poll() is None
        time.sleep(0.001)
    os.kill(running.pid, signal.SIGSTOP)
    try:
        yield site.data / STAGING / "answers.sqlite"
    finally:
        running.kill()
        running.wait()
