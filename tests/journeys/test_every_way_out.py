"""Every way out of a release says what its document says and nothing else: pages, charts, files, for every seat."""

import re
import shutil
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import httpx
import pysqlite3.dbapi2 as sqlite
import pytest

from tests.journeys.conftest import Served, start
from tests.postgres import free_port
from tests.signing_in import session_of

WAVE = "primavera-2026"
STAFF = (
    f"/results/{WAVE}?lang=it",
    f"/results/{WAVE}?lang=ar",
    f"/results/{WAVE}/release.json",
    f"/wave/{WAVE}",
    f"/wave/{WAVE}/plan.json",
)
SEATS = {
    "direzione": (
        f"/hr/results/{WAVE}",
        f"/hr/results/{WAVE}?order=name",
        f"/hr/results/{WAVE}/item/CUL1",
        f"/hr/results/{WAVE}/release.csv",
        "/hr/indicators/3.6",
        "/hr/indicators/5.1",
        "/hr/scorecard",
    ),
    "verifica": ("/audit", "/audit/indicators/3.6", "/audit/scorecard"),
}
FORGOTTEN = {"people": ("person", "unit", "panel", "headcount", "outbox"), "answers": ("spent", "slot", "gate")}
"""Everything that is not the public store, except who may sign in."""


@pytest.fixture
def bare(served: Served, tmp_path: Path) -> Iterator[Served]:
    """The same installation with its public store alone: no people, no headcounts, no sheet."""
    data, port = tmp_path / "bare", free_port()
    shutil.copytree(served.data, data)
    for store, tables in FORGOTTEN.items():
        with closing(sqlite.connect(data / f"{store}.sqlite")) as file, file:
            assert any(file.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables)  # our own names
            for table in tables:
                file.execute(f"DELETE FROM {table}")
    process = start(data, port)
    try:
        yield replace(served, address=f"http://127.0.0.1:{port}", data=data)
    finally:
        process.terminate()
        process.wait(20)


def _signed_in(served: Served, name: str) -> httpx.Client:
    answered = httpx.post(
        f"{served.address}/account/in",
        data={"name": name, "password": served.password(name), "second": served.code(name)},
        headers={"Origin": served.address},
    )
    assert answered.status_code == 303, answered.text
    return httpx.Client(base_url=served.address, headers={"Cookie": f"ascolto={session_of(answered)}"})


def _ways_out(served: Served) -> dict[str, str]:
    """Every address and what it says, without the token of this session's forms."""
    found = {path: httpx.get(f"{served.address}{path}").text for path in STAFF}
    charts = sorted(set(re.findall(rf"/results/{WAVE}/charts/[^\"?]+", found[STAFF[0]])))
    assert len(charts) >= 2
    found |= {path: httpx.get(f"{served.address}{path}").text for path in charts}
    for name, paths in SEATS.items():
        with _signed_in(served, name) as client:
            for path in paths:
                answered = client.get(path)
                assert answered.status_code == 200, (path, answered.status_code)
                found[f"{name} {path}"] = re.sub(r'name="_form" value="\w+"', "", answered.text)
            if name == "direzione":
                found["book"] = client.get(f"/hr/results/{WAVE}/release.xlsx").content.hex()
    return found


def test_what_every_seat_reads_of_a_release_comes_from_the_public_store_alone(served: Served, bare: Served) -> None:
    """Could leak: the full installation knows every person, unit and headcount; the bare one nothing, and says the same."""
    full, alone = _ways_out(served), _ways_out(bare)
    assert {path for path in full if full[path] != alone[path]} == set()


def test_a_hidden_view_an_empty_view_and_an_invented_one_are_answered_alike(served: Served) -> None:
    """Status, size and, within the noise of a machine, time: by median of 30."""
    document = httpx.get(f"{served.address}/results/{WAVE}/release.json").json()
    hidden = [view["id"] for view in document["views"] if not view["shown"]]
    assert len(hidden) > 5
    answers, seconds = set(), {}
    with httpx.Client(base_url=served.address) as client:
        for name in (hidden[0], hidden[-1], "unit:nessuna"):
            taken = []
            for _ in range(30):
                began = time.perf_counter()
                answered = client.get(f"/results/{WAVE}/charts/{name}")
                taken.append(time.perf_counter() - began)
                answers.add((answered.status_code, answered.text))
            seconds[name] = sorted(taken)[15]
    assert [status for status, _ in answers] == [404]
    assert max(seconds.values()) < 3 * min(seconds.values()) + 0.002
