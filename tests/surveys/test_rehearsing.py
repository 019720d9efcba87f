"""A rehearsal puts a fresh copy back, opens it and looks at every survey; what could not go on is found, and no copy stays."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from server.check import State, machine
from server.command import cli
from server.frame.terminal import LANGUAGE
from server.frame.texts import say
from server.processes import workers
from server.processes.rehearsals import RehearsalFailed, rehearse_due
from server.processes.workers import WorkFailed
from server.settings import Settings
from surveys.backup import making, rehearsing
from surveys.backup.contents import STAGING
from surveys.backup.rehearsing import Last, last
from surveys.lifecycle import witness
from surveys.lifecycle.context import Site, frozen_path, plan_path, wave_key_path
from surveys.stores import StoreSettings
from tests.conftest import DAY, WAVE, end_and_close, open_a_wave
from tests.surveys.backed_up import everything_under, rows, write
from tests.surveys.test_releasing import fill

type Damage = Callable[[Path], None]


async def _rehearse(site: Site) -> str:
    """Why it failed; empty if it did not."""
    try:
        await workers.run(Settings(StoreSettings(site.data)), "rehearse", {"day": DAY.isoformat()})
    except WorkFailed as problem:
        return problem.reason
    return ""


@pytest.mark.opened
async def test_an_open_and_a_closed_survey_are_found_whole_and_no_copy_stays(sqlite_site: Site, tmp_path: Path) -> None:
    wave = await open_a_wave(sqlite_site)
    await fill(sqlite_site, wave, 20)
    for closed in (False, True):
        if closed:
            await end_and_close(sqlite_site, unused=40)
        before = {name: (tmp_path / name).stat().st_mtime_ns for name in everything_under(tmp_path)}
        assert await _rehearse(sqlite_site) == ""
        new = {path for path in everything_under(tmp_path) if path not in before}
        assert new <= {"data/backup.lock", f"data/{rehearsing.MARK}"}
        assert last(sqlite_site.data) == Last(DAY, True)
    assert rows(sqlite_site.data, "answers", "SELECT count(*) FROM slot WHERE taken") == [(20,)]


def _another_plan(data: Path) -> None:
    plan_path(data, WAVE).write_text(plan_path(data, WAVE).read_text("utf-8").replace("plan", "plam", 1))


def _no_wave_key(data: Path) -> None:
    wave_key_path(data, WAVE).unlink()


def _no_frozen(data: Path) -> None:
    frozen_path(data, WAVE).unlink()


def _no_closing(data: Path) -> None:
    witness.path_of(data, WAVE).unlink()


def _other_bulletin(data: Path) -> None:
    write(data, "public", "UPDATE bulletin SET digests = ''")


def _a_sheet_too_many(data: Path) -> None:
    write(data, "answers", "UPDATE slot SET taken = 1 WHERE id = (SELECT id FROM slot WHERE NOT taken LIMIT 1)")


def _another_wave_key(data: Path) -> None:
    wave_key_path(data, WAVE).write_bytes(bytes(32))


def _an_act_gone(data: Path) -> None:
    write(data, "people", "DELETE FROM log_entry WHERE number = 2")


def _a_newer_program(data: Path) -> None:
    write(
        data,
        "cases",
        "INSERT INTO migration (name, app_name, ran_on) VALUES ('2099-01-01T00:00:00:000000', 'cases', '2099-01-01')",
    )


@pytest.mark.opened
@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (_another_plan, "wave"),
        (_no_frozen, "wave"),
        (_no_closing, "wave"),
        (_other_bulletin, "wave"),
        (_a_sheet_too_many, "wave"),
        (_another_wave_key, "wave"),
        (_no_wave_key, "wave_key"),  # done from outside, after a restore: "FileNotFoundError" was all that was said
        (_an_act_gone, "log"),
        (_a_newer_program, "version"),
    ],
)
async def test_what_could_not_go_on_from_a_copy_is_found(sqlite_site: Site, damage: Damage, reason: str) -> None:
    wave = await open_a_wave(sqlite_site)
    await fill(sqlite_site, wave, 10)
    await end_and_close(sqlite_site, unused=50)
    assert await _rehearse(sqlite_site) == ""
    damage(sqlite_site.data)
    assert await _rehearse(sqlite_site) == reason
    assert last(sqlite_site.data) == Last(DAY, False) and not (sqlite_site.data / STAGING).exists()


@pytest.mark.opened
async def test_a_rehearsal_that_is_killed_was_not_good_and_the_next_one_removes_what_it_left(
    sqlite_site: Site,
) -> None:
    data = sqlite_site.data
    write(
        data,
        "public",
        "INSERT INTO evidence_document (id, indicator, title, content) VALUES ('a', '1.1', 'grande', randomblob(50000000))",
    )
    running = subprocess.Popen(
        [sys.executable, "-m", "server.command.worker", "rehearse"],
        stdin=subprocess.PIPE,
        env=os.environ | {"ASCOLTO_DATA": str(data)},
    )
    assert running.stdin is not None
    running.stdin.write(json.dumps({"day": DAY.isoformat()}).encode())
    running.stdin.close()
    while not (data / rehearsing.MARK).exists() or not (data / STAGING).exists():
        await asyncio.sleep(0.001)
        assert running.poll() is None
    os.kill(running.pid, signal.SIGKILL)
    assert running.wait() == -signal.SIGKILL
    assert last(data) == Last(DAY, False) and (data / STAGING).exists()
    assert await _rehearse(sqlite_site) == ""
    assert last(data) == Last(DAY, True) and not (data / STAGING).exists()


@pytest.mark.opened
async def test_the_service_rehearses_where_backups_are_made_once_a_month_and_again_the_day_after_a_failure(
    sqlite_site: Site,
) -> None:
    data, settings = sqlite_site.data, Settings(StoreSettings(sqlite_site.data))
    await rehearse_due(settings, DAY)
    assert last(data) is None  # no backup was ever made here
    (data / making.MARK).write_text(DAY.isoformat())
    later = [DAY + timedelta(days=days) for days in (0, 1, 27, 28, 29)]
    reached = []
    for day in later:
        await rehearse_due(settings, day)
        reached.append(last(data))
    assert reached == [Last(day, True) for day in (DAY, DAY, DAY, later[3], later[3])]
    frozen = frozen_path(data, WAVE).read_bytes()
    frozen_path(data, WAVE).unlink()
    day = later[3] + timedelta(days=28)
    with pytest.raises(WorkFailed, match="wave"):
        await rehearse_due(settings, day)
    frozen_path(data, WAVE).write_bytes(frozen)
    with pytest.raises(RehearsalFailed):
        await rehearse_due(settings, day)
    await rehearse_due(settings, day + timedelta(days=1))
    assert last(data) == Last(day + timedelta(days=1), True)


def test_a_check_names_a_rehearsal_that_failed_and_one_of_more_than_forty_days_ago(tmp_path: Path) -> None:
    now = time.mktime((DAY + timedelta(days=41)).timetuple()) + 43200
    assert machine.judge_rehearsal(tmp_path, now).state is State.UNSURE
    for good, days, key, state in (
        (True, 40, "rehearsal", State.GOOD),
        (True, 41, "rehearsal_old", State.FAILED),
        (False, 1, "rehearsal", State.FAILED),
    ):
        day = DAY + timedelta(days=41 - days)
        (tmp_path / rehearsing.MARK).write_text(json.dumps({"day": day.isoformat(), "good": good}))
        found = machine.judge_rehearsal(tmp_path, now)
        assert (found.key, found.state, found.values["day"]) == (key, state, day)
    (tmp_path / rehearsing.MARK).write_text("yesterday")
    assert machine.judge_rehearsal(tmp_path, now).state is State.UNSURE


@pytest.mark.opened
def test_the_command_says_how_it_went(
    sqlite_settings: object,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    data = tmp_path / "data"
    monkeypatch.setenv("ASCOLTO_DATA", str(data))
    monkeypatch.delenv("ASCOLTO_DATABASE_URL", raising=False)

    def run() -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            cli.main(["backup", "rehearse"])
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    status, out, err = run()
    assert (status, err) == (0, "") and out.endswith(say(LANGUAGE, "backup.rehearsed") + "\n")
    frozen_path(data, WAVE).unlink()
    status, out, err = run()
    problem = "PlanOther: there is no file of what was frozen at the opening"
    assert (status, out) == (1, "") and err == say(LANGUAGE, "backup.refused.wave", wave=WAVE, problem=problem) + "\n"
