"""What is due is done job by job: each is broken in turn, in its own store or file, and all others succeed."""

import asyncio
import json
import stat
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Sink
from litestar.testing import RequestFactory

from server.concern import channel as concern
from server.frame import asked
from server.handlers import seat
from server.processes import due, jobs, successes
from server.processes.due import JOBS, Look
from server.settings import Settings
from surveys.backup import making
from surveys.cases.clocks import SPOOL_DAYS
from surveys.cases.tables import Case, Piece
from surveys.engines import PooledSQLite
from surveys.lifecycle import clock
from surveys.lifecycle.context import Site, today
from surveys.people import steps
from surveys.public import channel, waves
from surveys.public.waves import State
from surveys.stores import StoreSettings, stores
from tests.conftest import DAY, ORGANISATION, WAVE, open_a_wave
from tests.postgres import free_port
from tests.surveys.cases import people

AFTER = DAY + timedelta(days=20)
NAMES = {job.name for job in JOBS}
BROKEN = {
    "ending": ("people", "log_entry"),
    "counting": ("answers", "spent"),
    "old_cases": ("cases", "piece"),
    "year_bands": ("cases", "tally"),
    "reviews": ("public", "evidence_document"),
    "notices": ("cases", "handler"),
    "invitations": ("people", "outbox"),
    "staff_lists": ("people", "list_before"),
    "charts": ("public", "chart"),
}
"""A table that this job alone needs on that day."""


@pytest.fixture
def mail() -> Iterator[str]:
    server = Controller(Sink(), hostname="127.0.0.1", port=free_port())
    server.start()
    yield f"smtp://127.0.0.1:{server.port}"
    server.stop()


@asynccontextmanager
async def _due(settings: StoreSettings, smtp: str, *, after: bool = False) -> AsyncIterator[Look]:
    """Stores in which every job has something to look at: an open wave, or one whose last day is over, and a channel of last year."""
    async with stores(settings) as engines:
        day = AFTER if after else DAY
        site = Site(engines, settings.data, day, jobs.ACTOR)
        await open_a_wave(replace(site, day=DAY))
        opened = replace(await channel.load(), opened=f"{DAY.year - 1}-02-01")
        await channel.save(engines["public"], opened)
        clock.path_of(settings.data).unlink(missing_ok=True)
        for earlier in (2, 1):  # the service has looked on two days before
            clock.look(settings.data, day - timedelta(days=earlier))
        yield Look(site, Settings(settings, smtp=smtp), datetime(day.year, day.month, day.day, 12, tzinfo=UTC))


async def _break(look: Look, job: str) -> None:
    if job == "clock":
        clock.path_of(look.site.data).unlink()
        clock.path_of(look.site.data).mkdir()
        return
    if job == "resuming":
        (look.site.data / "keys" / "release.lock").mkdir()
        return
    if job == "rehearsal":  # one is due, and nobody can be alone
        (look.site.data / making.MARK).write_text(look.site.day.isoformat())
        (look.site.data / "backup.lock").mkdir()
        return
    store, table = BROKEN[job]
    await look.site.engines[store]._run_in_new_connection(f'ALTER TABLE "{table}" RENAME TO "away"')


@pytest.mark.opened
async def test_on_a_whole_installation_every_job_succeeds(store_settings: StoreSettings, mail: str) -> None:
    async with _due(store_settings, mail) as look:
        assert set(await due.do_all(look, {})) == NAMES
        assert (await waves.get(WAVE)).received_on == look.site.day
        assert str(DAY.year - 1) in (await channel.load()).bands
    async with _due(store_settings, mail, after=True) as look:
        assert set(await due.do_all(look, {})) == NAMES
        assert (await waves.get(WAVE)).state == State.ENDED


@pytest.mark.opened
@pytest.mark.parametrize("job", sorted(NAMES))
async def test_a_job_that_fails_keeps_no_other_from_being_done(
    store_settings: StoreSettings, mail: str, job: str, capsys: pytest.CaptureFixture[str]
) -> None:
    async with _due(store_settings, mail, after=job == "ending") as look:
        await _break(look, job)
        assert set(await due.do_all(look, {})) == NAMES - {job}
        assert await steps.begun() == []  # where the log cannot be read no survey is ended, nor half
    told = [line.partition(": ")[0] for line in capsys.readouterr().err.splitlines()]
    assert told == [f"fault in job {job}"]


@pytest.mark.opened
async def test_a_job_that_hangs_is_given_up_and_those_after_it_are_done(
    sqlite_settings: StoreSettings, mail: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody holds the public store's writer: the count waits for it; what comes after needs no writer there."""
    shorter = [replace(job, seconds=0.3) if job.name == "counting" else job for job in JOBS]
    monkeypatch.setattr(due, "JOBS", tuple(shorter))
    async with _due(sqlite_settings, mail) as look:
        await due.JOBS[4].do(look)  # the bands of last year stand: they are not written again
        public = look.site.engines["public"]
        assert isinstance(public, PooledSQLite)
        async with public.write_lock:
            succeeded = await due.do_all(look, {})
        assert NAMES - set(succeeded) == {"counting"}
        assert set(await due.do_all(look, {})) == NAMES


@pytest.mark.opened
@pytest.mark.parametrize("wrong", [date(2036, 5, 1), date(2024, 5, 1)])
async def test_a_clock_that_jumps_ends_no_wave_and_deletes_nothing(
    store_settings: StoreSettings, mail: str, wrong: date
) -> None:
    """Done from outside: one start with a wrong clock ended the survey and deleted what was kept for years."""
    by_day = {job.name for job in JOBS if job.by_day}
    async with _due(store_settings, mail) as look:
        await Piece.insert(Piece(id=1, upload=b"", number=0, sealed=b"x", arrived=DAY - timedelta(days=1)))
        assert set(await due.do_all(look, {})) == NAMES
        jumped = replace(look, site=replace(look.site, day=wrong))
        for _ in range(2):
            assert NAMES - set(await due.do_all(jumped, {})) == by_day | {"clock"}
        assert (await waves.get(WAVE)).state == State.OPEN and await Piece.count() == 1
        assert set(await due.do_all(look, {})) == NAMES
        clock.believe(look.site.data, wrong)
        assert set(await due.do_all(jumped, {})) == NAMES
        assert await Piece.count() == 1  # it takes a second day


@pytest.mark.opened
async def test_what_is_over_is_deleted_on_the_second_day_that_says_so(store_settings: StoreSettings, mail: str) -> None:
    async with _due(store_settings, mail) as look:
        await Piece.insert(Piece(id=1, upload=b"", number=0, sealed=b"x", arrived=DAY))
        left = []
        for day in (DAY, DAY + timedelta(days=SPOOL_DAYS), DAY + timedelta(days=SPOOL_DAYS + 1)):
            await due.do_all(replace(look, site=replace(look.site, day=day)), {})
            left.append(await Piece.count())
        assert left == [1, 1, 1]
        await due.do_all(replace(look, site=replace(look.site, day=DAY + timedelta(days=SPOOL_DAYS + 2))), {})
        assert await Piece.count() == 0


@pytest.mark.opened
async def test_a_year_is_said_on_the_second_day_after_it(store_settings: StoreSettings, mail: str) -> None:
    """Done from outside: a clock five days ahead on 28 December said the band of the year for good, without what came after."""
    async with _due(store_settings, mail) as look:
        this = str(DAY.year)

        async def said(day: date) -> bool:
            await due.do_all(replace(look, site=replace(look.site, day=day)), {})
            return this in (await channel.load()).bands

        clock.believe(look.site.data, date(DAY.year, 12, 28))
        ahead = date(DAY.year + 1, 1, 2)
        assert [await said(day) for day in (ahead, ahead, date(DAY.year, 12, 28))] == [False] * 3
        assert [await said(ahead + timedelta(days=n)) for n in (0, 1)] == [False, True]


async def test_what_is_written_while_the_clock_is_years_behind_stays_when_it_is_right(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Done from outside: a diary written while the clock said 2020 was deleted minutes after it was set right."""
    made, settings = await people.opened(site, ORGANISATION), Settings(StoreSettings(site.data))
    for n in (-1, 0):
        clock.look(site.data, site.day + timedelta(days=n))
    monkeypatch.setattr(concern, "today", lambda: date(2020, 1, 1))
    said = await concern.open_channel(settings, site.engines)
    assert said is not None
    await people.report(replace(site, day=said.day), made, "giorno uno", diary=True)
    await due._delete_old_cases(Look(site, settings, datetime.now(UTC)))
    assert await Case.count() == 1


async def test_handlers_and_offices_write_the_last_day_too_while_the_clock_is_years_behind(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Could go too early: a case whose end was written in such an hour, and the staff list before an import."""
    await people.opened(site, ORGANISATION)
    settings = Settings(StoreSettings(site.data))
    for n in (-1, 0):
        clock.look(site.data, site.day + timedelta(days=n))
    for place in (asked, seat):
        monkeypatch.setattr(place, "today", lambda: date(2020, 1, 1))
    office = await asked.site_of(RequestFactory().get("/hr"), site.engines, settings)
    assert (office.day, (await seat.seat_of(settings, site.engines)).day) == (site.day, site.day)


@pytest.mark.opened
async def test_a_daily_job_is_done_once_a_day_and_again_where_it_failed(
    sqlite_settings: StoreSettings, mail: str
) -> None:
    daily: dict[str, date] = {}
    async with _due(sqlite_settings, mail) as look:
        await _break(look, "reviews")
        assert "reviews" not in await due.do_all(look, daily)
        await look.site.engines["public"]._run_in_new_connection('ALTER TABLE "away" RENAME TO "evidence_document"')
        assert "reviews" in await due.do_all(look, daily)
        assert "reviews" not in await due.do_all(look, daily)
        tomorrow = replace(look, site=replace(look.site, day=DAY + timedelta(days=1)))
        assert "reviews" in await due.do_all(tomorrow, daily)


def test_all_jobs_of_a_look_have_its_minute_and_nothing_finer_is_kept(tmp_path: Path) -> None:
    """Whether an invitation left or an answer was counted shows in no time: a job that had nothing to do has the same."""
    began = datetime(2026, 11, 2, 9, 17, 43, 123456, tzinfo=UTC)
    successes.keep(tmp_path, NAMES, began)
    later = began + timedelta(minutes=5)
    successes.keep(tmp_path, NAMES - {"counting"}, later)
    kept = json.loads((tmp_path / successes.NAME).read_text())
    assert set(kept.values()) == {"2026-11-02T09:17+00:00", "2026-11-02T09:22+00:00"}
    assert [name for name, minute in kept.items() if minute == "2026-11-02T09:17+00:00"] == ["counting"]
    assert successes.read(tmp_path)["ending"] == datetime(2026, 11, 2, 9, 22, tzinfo=UTC)


@pytest.mark.parametrize("content", ["", "[]", '{"ending": 3}', '{"ending": "yesterday"}', "\xff"])
def test_a_file_that_cannot_be_read_is_no_success(tmp_path: Path, content: str) -> None:
    (tmp_path / successes.NAME).write_text(content, "latin-1")
    assert successes.read(tmp_path) == {}


def test_a_job_is_late_when_its_last_success_is_older_than_it_may_be() -> None:
    now = datetime(2026, 11, 2, 12, tzinfo=UTC)
    start = now - timedelta(days=60)
    fresh = {job.name: now - timedelta(minutes=job.allowed_minutes) for job in JOBS}
    assert not any(due.late(fresh, start, now).values())
    for job in JOBS:
        old = fresh | {job.name: now - timedelta(minutes=job.allowed_minutes + 1)}
        assert [name for name, is_late in due.late(old, start, now).items() if is_late] == [job.name]
    assert all(due.late({}, start, now).values())
    assert not any(due.late({}, now, now).values())  # it has only just begun


async def test_the_service_keeps_what_succeeded_for_itself_alone(sqlite_settings: StoreSettings) -> None:
    async with stores(sqlite_settings) as engines:
        ticking = jobs.start(Settings(sqlite_settings), engines)
        for _ in range(200):
            if successes.read(sqlite_settings.data):
                break
            await asyncio.sleep(0.05)
        await jobs.stop(ticking)
    assert set(successes.read(sqlite_settings.data)) == NAMES
    assert not stat.S_IMODE(sqlite_settings.data.stat().st_mode) & 0o077


async def test_the_running_service_says_last_years_band_though_old_reports_cannot_be_deleted(
    store_settings: StoreSettings,
) -> None:
    """Before, one failing job kept all later ones of its look from being done."""
    async with stores(store_settings) as engines:
        opened = replace(await channel.load(), opened=f"{DAY.year - 1}-02-01")
        await channel.save(engines["public"], opened)
        await engines["cases"]._run_in_new_connection('ALTER TABLE "piece" RENAME TO "away"')
        clock.look(store_settings.data, today() - timedelta(days=1))
        ticking = jobs.start(Settings(store_settings), engines)
        for _ in range(100):
            if bands := (await channel.load()).bands:
                break
            await asyncio.sleep(0.05)
        await jobs.stop(ticking)
        assert str(DAY.year - 1) in bands
