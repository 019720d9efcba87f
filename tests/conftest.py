"""Fixtures for all tests: stores on SQLite and on a real PostgreSQL, a small cooperative, a wave in any state."""

import random
import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from surveys.lifecycle import closing, opening
from surveys.lifecycle.context import House
from surveys.lifecycle.planning import Wish, draw_secret, plan, take_seat
from surveys.people import roster
from surveys.people.roster import PersonEntry, UnitEntry
from surveys.public import organisation
from surveys.public.organisation import Notice, OrganisationRecord
from surveys.public.waves import WaveRecord
from surveys.stores import StoreSettings, close_stores, open_stores
from surveys.tokens import SlipCode
from tests import postgres

DAY = date(2026, 11, 2)
WAVE = "autunno-2026"


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    with postgres.server() as address:
        yield address


@pytest.fixture(params=["sqlite", "postgres"])
def store_settings(request: pytest.FixtureRequest, tmp_path: Path) -> StoreSettings:
    """Empty stores, once on each engine."""
    if request.param == "sqlite":
        return StoreSettings(tmp_path / "data")
    address = request.getfixturevalue("postgres_server")
    return StoreSettings(tmp_path / "data", postgres.fresh_databases(address, f"t{uuid.uuid4().hex[:12]}"))


@pytest.fixture
def sqlite_settings(tmp_path: Path) -> StoreSettings:
    """Empty stores on SQLite, for what does not touch the engine."""
    return StoreSettings(tmp_path / "data")


async def _house(settings: StoreSettings) -> AsyncIterator[House]:
    engines = await open_stores(settings)
    try:
        yield House(engines, settings.data, DAY, "hr")
    finally:
        await close_stores(engines)


@pytest.fixture
async def house(store_settings: StoreSettings) -> AsyncIterator[House]:
    """Opened empty stores on each engine; the day is 2 November 2026."""
    async for opened in _house(store_settings):
        yield opened


@pytest.fixture
async def sqlite_house(sqlite_settings: StoreSettings) -> AsyncIterator[House]:
    async for opened in _house(sqlite_settings):
        yield opened


@pytest.fixture
async def postgres_house(postgres_server: str, tmp_path: Path) -> AsyncIterator[House]:
    """For what PostgreSQL alone has: its own columns, statistics and log."""
    address = postgres.fresh_databases(postgres_server, f"t{uuid.uuid4().hex[:12]}")
    async for opened in _house(StoreSettings(tmp_path / "data", address)):
        yield opened


ORGANISATION = OrganisationRecord(
    name="Cooperativa Prova", referente="Sara Prova, 055 000000", canale="cassetta gialla", address="https://ascolto.invalid",
    help_checked_on=DAY.isoformat(), notice=Notice("Cooperativa Prova", "ascoltare", "un anno", "privacy@prova.invalid"),
)  # fmt: skip


def small_cooperative(people: int = 60) -> tuple[list[UnitEntry], list[PersonEntry]]:
    """Two territories of two services each, and people by a fixed seed."""
    units = [UnitEntry("po", "Prato", ""), UnitEntry("po.nido", "Nido", "po"), UnitEntry("po.cura", "Cura", "po"),
             UnitEntry("fi", "Firenze", ""), UnitEntry("fi.nido", "Nido", "fi"), UnitEntry("fi.cura", "Cura", "fi")]  # fmt: skip
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
    secrets: dict[str, str]
    codes: list[SlipCode]


async def open_a_wave(house: House, people: int = 60, slips: int | None = None) -> Opened:
    """Plan and open a wave with everything it needs."""
    await organisation.save(house.engines["public"], ORGANISATION)
    await roster.replace(house.engines["people"], *small_cooperative(people), DAY - timedelta(days=30))
    await plan(house, Wish(WAVE, {"it": "Autunno", "en": "Autumn"}, DAY, DAY + timedelta(days=14)))
    secrets = {}
    for seat in ("hr", "representative", "recovery"):
        secrets[seat] = draw_secret()
        await take_seat(house, WAVE, seat, secrets[seat])
    record = await opening.open_wave(house, WAVE)
    codes = await opening.print_slips(house, WAVE, slips if slips is not None else people)
    return Opened(record, secrets, codes)


async def end_and_close(house: House, unused: int = 0) -> WaveRecord:
    """End and close the wave on the day after its last."""
    late = replace(house, day=DAY + timedelta(days=15))
    await closing.end(late, WAVE)
    return await closing.close(late, WAVE, unused_slips=unused)
