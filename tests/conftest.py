"""Fixtures for all tests: stores on SQLite and on a real PostgreSQL, a small cooperative, a wave in any state."""

import asyncio
import json
import os
import random
import shutil
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cache
from itertools import cycle
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from typing import Any

import pytest
import pytest_asyncio
from argon2 import PasswordHasher
from hypothesis import settings
from nacl.pwhash import argon2id
from playwright.async_api import Browser, async_playwright
from xdist.scheduler import LoadScopeScheduling

from surveys.answers.keys import HolderSecret
from surveys.blind import SigningKey, generate_key
from surveys.lifecycle import closing, issuing, opening, printing, witness
from surveys.lifecycle.context import Site
from surveys.lifecycle.planning import Wish, plan
from surveys.people import passwords, roster
from surveys.people.roster import PersonEntry, UnitEntry
from surveys.public import organisation, waves
from surveys.public.organisation import Notice, OrganisationRecord
from surveys.public.waves import WaveRecord
from surveys.slips import SlipCode
from surveys.stores import StoreSettings, close_stores, open_stores
from tests import apps, once, postgres, urn
from tests.browsers import ARGUMENTS, without_windows

DAY = date(2026, 11, 2)
WAVE = "autunno-2026"


settings.register_profile("untimed", deadline=None)  # an example that waits for a processor is no failure
settings.load_profile("untimed")

DEAR = (
    "promises/test_hostile_store",
    "promises/test_order_of_reports",
    "server/operation/test_machines",
    "journeys/test_accessibility",
    "journeys/test_every_door",
    "journeys/test_every_cell",
    "journeys/test_every_way_out",
    "journeys/test_answering",
    "journeys/test_closeness",
    "journeys/test_a_wave",
    "server/check/test_check.py",
    "journeys/test_going_back",
    "server/frame/test_connections",
    "journeys/test_concern_promises",
    "promises/test_forensics",
    "promises/test_hostile_cases",
    "journeys/test_a_concern",
    "journeys/test_signs",
    "journeys/test_a_link",
    "journeys/test_handlers_desk",
    "journeys/test_asks",
    "journeys/test_proofs",
    "journeys/test_version_one",
    "server/processes/test_uploads",
)
"""What takes longest begins first, so that no worker is left with a long piece when the others have nothing more to do."""


class _ByWhatTheyShare(LoadScopeScheduling):  # type: ignore[misc]  # xdist tells no types
    """Tests that share something dear stay on one worker: the served demonstration, or what one file makes once.

    By the text of the file, as marks do not reach the scheduler: xdist 3.8 writes groups into node ids that pytest 9
    no longer reads.
    """

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.split("::")[0]
        shared = _shared_by(file)
        return "served" if shared == "served" else file if shared else nodeid


@cache
def _shared_by(file: str) -> str:
    text = Path(__file__).parents[1].joinpath(file).read_text("utf-8")
    return "served" if "served: Served" in text else "file" if 'scope="module"' in text else ""


def pytest_configure(config: pytest.Config) -> None:
    if end := once.begin():
        config.add_cleanup(end)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    config.option.loadscopereorder = False  # not by the number of tests: by DEAR
    return _ByWhatTheyShare(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Bring the order of DEAR; a test with the browser runs in the loop in which that was started."""
    place = {
        file: next((at for at, begin in enumerate(DEAR) if f"tests/{begin}" in file), len(DEAR))
        for file in {item.nodeid.split("::")[0] for item in items}
    }
    items.sort(key=lambda item: place[item.nodeid.split("::")[0]])
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def _browsers() -> AsyncIterator[Callable[[], Awaitable[Browser]]]:
    """One browser for all tests of a worker, and another if it went away."""
    async with async_playwright() as playwright:
        started: list[Browser] = []

        async def running() -> Browser:
            if not started or not started[-1].is_connected():
                started.append(await playwright.chromium.launch(executable_path=without_windows(), args=ARGUMENTS))
            return started[-1]

        yield running
        for one in started:
            await one.close()


@pytest_asyncio.fixture(loop_scope="session")
async def browser(_browsers: Callable[[], Awaitable[Browser]]) -> AsyncIterator[Browser]:
    """The system's Chromium; what a test opens in it, with cookies, storage and cache, goes at its end."""
    opened = await _browsers()
    yield opened
    for context in list(opened.contexts):
        await context.close()


@pytest.fixture(autouse=True)
def own_applications() -> Iterator[None]:
    """The applications that a test takes are its own until its end."""
    with apps.of_one_test():
        yield


@pytest.fixture(autouse=True)
def token_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waves take turns with four keys that this run made: a key of 3,072 bits takes a third of a second."""
    made = cycle(_four_keys())
    monkeypatch.setattr(issuing, "generate_key", lambda: next(made))


@pytest.fixture(autouse=True)
def derived_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Most waves have the same holders with the same words: what Argon2 makes of them is computed once, and is the same."""
    monkeypatch.setattr(argon2id, "kdf", _kdf)


_kdf = cache(argon2id.kdf)
_QUICK = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
_NOBODY = _QUICK.hash("nobody has this")


@pytest.fixture(autouse=True)
def quick_passwords(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Argon2id with less work, where a test is not about its cost (marked `dear`); a hash carries its own parameters."""
    if request.node.get_closest_marker("dear") is None:
        monkeypatch.setattr(passwords, "_hasher", _QUICK)
        monkeypatch.setattr(passwords, "NOBODY", _NOBODY)


@cache
def _four_keys() -> list[SigningKey]:
    return [generate_key() for _ in range(4)]


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    with postgres.server() as address:
        yield address


def _is_opened(request: pytest.FixtureRequest) -> bool:
    """Whether a test asks for stores in which its wave is open already: what `open_a_wave` leaves, made once and copied."""
    return request.node.get_closest_marker("opened") is not None


@pytest.fixture(params=["sqlite", "postgres"])
def store_settings(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[StoreSettings]:
    """Empty stores, once on each engine; with an open wave where a test is marked `opened`."""
    if request.param == "sqlite":
        yield _on_sqlite(tmp_path, _is_opened(request))
    else:
        yield from _on_postgres(request.getfixturevalue("postgres_server"), tmp_path, _is_opened(request))


@pytest.fixture
def sqlite_settings(request: pytest.FixtureRequest, tmp_path: Path) -> StoreSettings:
    """The same on SQLite, for what does not touch the engine."""
    return _on_sqlite(tmp_path, _is_opened(request))


def _on_sqlite(folder: Path, opened: bool) -> StoreSettings:
    shutil.copytree(
        once.made("opened", _open_one) if opened else once.made("migrated", _migrate), folder, dirs_exist_ok=True
    )
    return StoreSettings(folder / "data")


def _on_postgres(address: str, folder: Path, opened: bool) -> Iterator[StoreSettings]:
    name = f"t{uuid.uuid4().hex[:12]}"
    if opened:
        shutil.copytree(_opened_on(address), folder, dirs_exist_ok=True)
    yield StoreSettings(
        folder / "data", postgres.fresh_databases(address, name, "opened" if opened else _migrated_on(address))
    )
    postgres.give_back(address, name)


def _migrate(folder: Path) -> None:
    """Empty stores with all migrations, copied for each test."""
    asyncio.run(_opened_once(StoreSettings(folder / "data")))


def _open_one(folder: Path) -> None:
    """Stores with an open wave, copied for each test that is marked."""
    asyncio.run(_opened_once(_on_sqlite(folder, opened=False), with_a_wave=True))


@cache
def _migrated_on(address: str) -> str:
    with TemporaryDirectory() as folder:
        asyncio.run(_opened_once(StoreSettings(Path(folder) / "data", postgres.fresh_databases(address, "migrated"))))
    return "migrated"


@cache
def _opened_on(address: str) -> Path:
    """The same on PostgreSQL: four databases to copy, and what belongs in the folder beside them."""
    folder = Path(mkdtemp(dir=os.environ[once.PLACE]))
    databases = postgres.fresh_databases(address, "opened", _migrated_on(address))
    asyncio.run(_opened_once(StoreSettings(folder / "data", databases), with_a_wave=True))
    return folder


async def _opened_once(settings: StoreSettings, *, with_a_wave: bool = False) -> None:
    engines = await open_stores(settings)
    if with_a_wave:
        made = await open_a_wave(Site(engines, settings.data, DAY, "hr"))
        (settings.data.parent / CODES).write_text(json.dumps(made.codes), "utf-8")
    await close_stores(engines)


async def _site(settings: StoreSettings) -> AsyncIterator[Site]:
    engines = await open_stores(settings)
    try:
        yield Site(engines, settings.data, DAY, "hr")
    finally:
        await close_stores(engines)


@pytest.fixture
async def site(store_settings: StoreSettings) -> AsyncIterator[Site]:
    """Opened empty stores on each engine; the day is 2 November 2026."""
    async for opened in _site(store_settings):
        yield opened


@pytest.fixture
async def sqlite_site(sqlite_settings: StoreSettings) -> AsyncIterator[Site]:
    async for opened in _site(sqlite_settings):
        yield opened


@pytest.fixture
def postgres_settings(request: pytest.FixtureRequest, postgres_server: str, tmp_path: Path) -> Iterator[StoreSettings]:
    """The same on PostgreSQL."""
    yield from _on_postgres(postgres_server, tmp_path, _is_opened(request))


@pytest.fixture
async def postgres_site(postgres_settings: StoreSettings) -> AsyncIterator[Site]:
    """For what PostgreSQL alone has: its own columns, statistics and log."""
    async for opened in _site(postgres_settings):
        yield opened


CODES = "codes.json"
ORGANISATION = OrganisationRecord(
    name="Cooperativa Prova",
    referente="Sara Prova, 055 000000",
    canale="cassetta gialla",
    address="https://ascolto.invalid",
    help_checked_on=DAY.isoformat(),
    notice=Notice("Cooperativa Prova", "ascoltare", "un anno", "privacy@prova.invalid"),
)


def small_cooperative(people: int = 60) -> tuple[list[UnitEntry], list[PersonEntry]]:
    """Two territories of two services each, and people by a fixed seed."""
    units = [
        UnitEntry("po", "Prato", ""),
        UnitEntry("po.nido", "Nido", "po"),
        UnitEntry("po.cura", "Cura", "po"),
        UnitEntry("fi", "Firenze", ""),
        UnitEntry("fi.nido", "Nido", "fi"),
        UnitEntry("fi.cura", "Cura", "fi"),
    ]
    dice = random.Random(people)
    leaves = [unit.code for unit in units if unit.parent]
    persons = [
        PersonEntry(
            f"Persona {i}",
            "",
            "it",
            leaves[i % len(leaves)],
            dice.choice("fffm"),
            dice.choice(["30_39", "40_49", "50_59"]),
            {},
        )
        for i in range(people)
    ]
    return units, persons


@dataclass(frozen=True, slots=True)
class Opened:
    """An open wave, its holders' secrets and its codes."""

    record: WaveRecord
    secrets: dict[str, HolderSecret]
    codes: list[SlipCode]


async def open_a_wave(site: Site, people: int = 60, slips: int | None = None) -> Opened:
    """Plan and open a wave with everything it needs; where a test is marked `opened`, the one that is there."""
    kept = site.data.parent / CODES
    if kept.exists():
        assert people == 60 and slips is None
        return Opened(await waves.get(WAVE), dict(urn.WORDS), json.loads(kept.read_text("utf-8")))
    await organisation.save(site.engines["public"], ORGANISATION)
    await roster.replace(site.engines["people"], *small_cooperative(people), DAY - timedelta(days=30))
    await urn.anchor(site)
    await plan(site, Wish(WAVE, {"it": "Autunno", "en": "Autumn"}, DAY, DAY + timedelta(days=14)))
    secrets = await urn.get_ready(site, WAVE)
    record = await opening.open_wave(site, WAVE)
    codes = await printing.print_slips(site, WAVE, slips if slips is not None else people)
    return Opened(record, secrets, codes)


async def end_and_close(site: Site, unused: int = 0) -> WaveRecord:
    """End and close the wave on the day after its last."""
    late = replace(site, day=DAY + timedelta(days=15))
    await closing.end(late, WAVE)
    return await closing.close(late, WAVE, unused_slips=unused)


async def close_as_the_version_before(site: Site, monkeypatch: pytest.MonkeyPatch) -> WaveRecord:
    """End and close the wave without a word of what stood at the closing, as was done until it was kept."""

    async def nothing(*_: object) -> bool:
        return True

    with monkeypatch.context() as before:
        before.setattr(witness, "keep", nothing)
        return await end_and_close(site)
