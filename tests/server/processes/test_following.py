"""A release that is followed: every process reads its steps in the store, none begins a second one, and one that was cut off says so."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pysqlite3.dbapi2 as sqlite
import pytest

from server.processes import following
from server.settings import Settings
from surveys.lifecycle.context import Site
from surveys.public import progress, waves
from surveys.public.progress import Progress
from surveys.public.waves import State
from surveys.stores import StoreSettings, stores
from tests.conftest import DAY, WAVE, Opened, end_and_close, open_a_wave
from tests.surveys.test_releasing import fill

STEPS = {"", "opening", "views", "audit", "statistics", "writing", "destroying", "charts"}
ANOTHER = """
import asyncio, sys
from pathlib import Path
from server.processes import following
from server.settings import Settings
from surveys.stores import StoreSettings, stores

async def main(data, act, *words):
    settings = Settings(StoreSettings(data))
    async with stores(settings.stores) as engines:
        if act == "begin":
            begun = await following.release(settings, engines, "autunno-2026", {"first": words[0], "second": words[1], "actor": "hr"})
            print("begun", begun, flush=True)
            while not (await following.look(data, "autunno-2026")).finished:
                await asyncio.sleep(0.1)
        print(await following.look(data, "autunno-2026"), flush=True)

asyncio.run(main(Path(sys.argv[1]), *sys.argv[2:]))
"""


def _another(data: Path, *act: str) -> "subprocess.Popen[str]":
    """Another process of the same installation."""
    return subprocess.Popen(
        [sys.executable, "-c", ANOTHER, str(data), *act], stdout=subprocess.PIPE, text=True, start_new_session=True
    )


async def _said(data: Path, *act: str) -> str:
    said, _ = await asyncio.to_thread(_another(data, *act).communicate)
    return said.strip()


async def _closed(settings: StoreSettings) -> Opened:
    async with stores(settings) as engines:
        site = Site(engines, settings.data, DAY, "hr")
        wave = await open_a_wave(site)
        await fill(site, wave, 40)
        await end_and_close(site, unused=20)
        return wave


def _words(wave: Opened, *, wrong: bool = False) -> dict[str, str]:
    return {
        "first": str(wave.secrets["hr"]),
        "second": "parole che nessuno ha" if wrong else str(wave.secrets["recovery"]),
        "actor": "hr",
    }


async def _until(data: Path, wanted: Any) -> Progress:
    for _ in range(600):
        found = await following.look(data, WAVE)
        if found is not None and wanted(found):
            return found
        await asyncio.sleep(0.05)
    raise AssertionError("it did not come to that")


@pytest.mark.opened
async def test_another_process_sees_each_step_begins_no_second_release_and_reads_how_it_ended(
    sqlite_settings: StoreSettings,
) -> None:
    wave, data = await _closed(sqlite_settings), sqlite_settings.data
    settings = Settings(sqlite_settings)
    async with stores(sqlite_settings) as engines:
        assert await following.look(data, WAVE) is None
        assert await following.release(settings, engines, WAVE, _words(wave, wrong=True))
        await _until(data, lambda found: found.finished)
        assert await _said(data, "look") == "Progress(step='', failed='secret', finished=True)"
        assert await following.release(settings, engines, WAVE, _words(wave))
        while_it_ran = (await _said(data, "begin", *_words(wave).values())).splitlines()
        assert while_it_ran[0] == "begun False"
        ended = await _until(data, lambda found: found.finished)
        assert (ended.failed, while_it_ran[1], (await waves.get(WAVE)).state) == ("", str(ended), State.RELEASED)
        assert ended.step == "charts" and {ended.step} < STEPS


@pytest.mark.opened
async def test_a_release_that_was_cut_off_with_its_process_is_told_and_begins_anew(
    sqlite_settings: StoreSettings,
) -> None:
    wave, data = await _closed(sqlite_settings), sqlite_settings.data
    words = _words(wave)
    begun = _another(data, "begin", words["first"], words["second"])
    async with stores(sqlite_settings) as engines:
        running = await _until(data, lambda found: found.step)
        assert not running.finished and begun.stdout is not None and begun.stdout.readline() == "begun True\n"
        os.killpg(begun.pid, signal.SIGKILL)
        begun.wait()
        cut = await _until(data, lambda found: found.finished)
        kept = await progress.of(WAVE)
        assert kept is not None  # it was begun
        assert (cut.failed, kept.finished, (await waves.get(WAVE)).state) == ("broken", False, State.CLOSED)
        assert await following.release(Settings(sqlite_settings), engines, WAVE, words)
        assert (await _until(data, lambda found: found.finished)).failed == ""
        assert (await waves.get(WAVE)).state == State.RELEASED


@pytest.mark.opened
async def test_who_looks_at_the_same_moment_keeps_nobody_from_beginning(sqlite_settings: StoreSettings) -> None:
    wave, data = await _closed(sqlite_settings), sqlite_settings.data
    async with stores(sqlite_settings) as engines:
        asking = True

        async def ask() -> None:
            while asking:
                await following.look(data, WAVE)
                await asyncio.sleep(0.005)

        looks = [asyncio.create_task(ask()) for _ in range(5)]
        assert await following.release(Settings(sqlite_settings), engines, WAVE, _words(wave, wrong=True))
        await _until(data, lambda found: found.finished and found.failed == "secret")
        asking = False
        await asyncio.gather(*looks)


@pytest.mark.opened
async def test_a_release_whose_steps_cannot_be_written_goes_on_and_says_how_it_ended(
    sqlite_settings: StoreSettings, capfd: pytest.CaptureFixture[str]
) -> None:
    wave, data = await _closed(sqlite_settings), sqlite_settings.data
    async with stores(sqlite_settings) as engines:
        refuses = sqlite.connect(data / "public.sqlite")
        refuses.execute(
            "CREATE TRIGGER full BEFORE UPDATE OF step ON releasing WHEN NEW.step <> '' BEGIN SELECT RAISE(ABORT, 'disk is full'); END"
        )
        refuses.close()
        assert await following.release(Settings(sqlite_settings), engines, WAVE, _words(wave))
        ended = await _until(data, lambda found: found.finished)
        assert (ended.step, ended.failed, (await waves.get(WAVE)).state) == ("", "", State.RELEASED)
    assert "releasing" in capfd.readouterr().err  # and whoever looks after the service can read of it
