"""Figures for the operator: off unless set, on an address of their own, and the same whatever respondents and reporters do."""

import json
import re
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlencode

import httpx
import pytest

from server.operation import metrics
from server.processes.due import JOBS
from server.settings import Settings, from_environment
from surveys.answers.tables import Spent
from surveys.stores import STORES, StoreSettings
from tests.apps import create_app
from tests.conftest import CODES, WAVE
from tests.postgres import free_port
from tests.server.operation.running import PAGE

LINE = re.compile(r"^(ascolto_\w+)(?:\{(.*)\})? (\d+)$")
LABELS = {
    "desk": set(metrics.DESKS),
    "status": {"2xx", "3xx", "4xx", "5xx"},
    "le": {"0.1", "0.5", "2", "10", "+Inf"},
    "store": set(STORES),
    "job": {job.name for job in JOBS},
    "queue": {"mail"},
}


async def _read(port: int) -> str:
    async with httpx.AsyncClient() as other:
        answer = await other.get(f"http://127.0.0.1:{port}/metrics")
        assert (answer.status_code, (await other.get(f"http://127.0.0.1:{port}/")).status_code) == (200, 404)
    return re.sub(r"free_gigabytes \d+", "free_gigabytes 1", answer.text)  # others fill this disk, too


@pytest.mark.opened
async def test_nothing_that_respondents_reporters_or_handlers_do_changes_a_figure(
    sqlite_settings: StoreSettings,
) -> None:
    port = free_port()
    app = create_app(Settings(sqlite_settings, metrics=str(port)))
    codes = json.loads((sqlite_settings.data.parent / CODES).read_text("utf-8"))
    async with (
        app.lifespan(),
        httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://test") as client,  # type: ignore[arg-type]  # Litestar is an ASGI application
    ):
        before = await _read(port)
        for number, code in enumerate(codes[:20]):
            form = {
                "_wave": WAVE,
                "_lang": "it",
                "_attempt": f"{number:032x}",
                "_phone": "",
                "_code": code,
                "CUL1": "1",
            }
            headers = {"content-type": "application/x-www-form-urlencoded"}
            assert (await client.post("/answer", content=urlencode(form), headers=headers)).status_code == 303
        for path in (
            "/",
            "/answer",
            "/concern",
            "/trust",
            "/cases/in",
            f"/wave/{WAVE}",
            "/results/none",
            "/concern/thread",
            "/not-here",
        ):
            await client.get(path, headers=PAGE)
        await client.post("/concern/sealed", json={})
        assert await Spent.count() == 20
        assert await _read(port) == before
        await client.get(f"/hr/wave/{WAVE}?secret=1", headers=PAGE)
        after = await _read(port)
    assert 'ascolto_requests_total{desk="hr",status="4xx"} 1' in after
    assert WAVE not in after and "secret" not in after
    for line in after.splitlines():
        if not line.startswith("#"):
            found = LINE.fullmatch(line)
            assert found, line
            for name, value in re.findall(r'(\w+)="([^"]*)"', found[2] or ""):
                assert value in LABELS[name], line


async def test_without_the_setting_nothing_listens_and_with_a_port_it_is_loopback(
    sqlite_settings: StoreSettings,
) -> None:
    assert from_environment({"ASCOLTO_DATA": "x"}).metrics == ""
    with pytest.raises(ValueError, match="ASCOLTO_METRICS"):
        from_environment({"ASCOLTO_DATA": "x", "ASCOLTO_METRICS": "yes"})
    app = create_app(replace(Settings(sqlite_settings), metrics=str(free_port())))
    async with app.lifespan():
        server = await metrics.serve("0", app.state.tally, app.state.watch, sqlite_settings.data)
        assert {listening.getsockname()[0] for listening in server.sockets} == {"127.0.0.1"}
        server.close()


def test_time_is_told_in_coarse_steps_and_only_of_desks(tmp_path: Path) -> None:
    tally = metrics.Tally()
    for seconds in (0.01, 0.3, 0.3, 99):
        tally.count("hr", 200, seconds)
    lines = tally.lines()
    assert [line.rpartition(" ")[2] for line in lines if '_bucket{desk="hr"' in line] == ["1", "3", "3", "3", "4"]
    assert [metrics.Tally.desk_of(path) for path in ("/hr/x", "/hr", "/answer", "/cases/1", "/hrx", "", "hr")] == [
        "hr",
        "hr",
        "",
        "",
        "",
        "",
        "",
    ]
