"""What a page of HR costs, counted: what it asks of the stores, and how that grows. Times stand in the benchmarks of whoever looks."""

import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from server.frame.texts import say
from server.hr import people
from surveys.engines import PooledSQLite
from surveys.people import roster
from surveys.people.roster import PersonEntry, UnitEntry
from surveys.public import waves
from surveys.stores import Engines, StoreSettings
from tests.conftest import DAY
from tests.server.hr.offices import offices
from tests.server.hr.readings import reading


@asynccontextmanager
async def _asked(engines: Engines) -> AsyncIterator[list[str]]:
    """Every statement that the readers of the stores are asked meanwhile, as SQLite itself tells it."""
    found: list[str] = []
    readers = [one for _, engine in engines.items() if isinstance(engine, PooledSQLite) for one in engine._readers]
    for reader in readers:
        await reader.set_trace_callback(found.append)
    try:
        yield found
    finally:
        for reader in readers:
            await reader.set_trace_callback(lambda _: None)


@pytest.mark.parametrize(
    "path",
    [
        "/hr",
        "/hr/indicators",
        "/hr/indicators/3.6",
        "/hr/scorecard",
        "/hr/scorecard?met=1.1",
        "/hr/actions",
        "/hr/trend",
    ],
)
async def test_a_page_asks_for_evidence_people_actions_and_the_waves_of_everyone_once(tmp_path: Any, path: str) -> None:
    """All of a page is then of one moment, too. The list of waves is read again where two of its parts know nothing of each other."""
    async with reading(StoreSettings(tmp_path)) as here:
        async with _asked(here.engines) as found:
            assert (await here.get(path)).status_code == 200
    for table in ('FROM "evidence"', 'FROM "evidence_document"', 'FROM "action"', 'COUNT(*) AS "count" FROM "person"'):
        assert sum(table in one for one in found) <= 1, (path, table)
    lists = [one for one in found if 'FROM "wave"' in one and '"wave"."id" = ' not in one]
    assert len(lists) <= (3 if path == "/hr" else 2), path
    assert len(found) <= 24


async def test_the_questions_of_a_wave_are_read_once_for_all_pages(tmp_path: Any) -> None:
    async with reading(StoreSettings(tmp_path)) as here:
        first, second = await waves.get("adesso"), await waves.get("adesso")
        assert first.questionnaire is second.questionnaire
        await waves.change(here.engines["public"], "adesso", first.state, questionnaire={"id": "other"})
        assert (await waves.get("adesso")).questionnaire == {"id": "other"}


def _cooperative(territories: int, each: int) -> tuple[list[UnitEntry], list[PersonEntry]]:
    """Territories with as many services each, in which as many people work."""
    units = [UnitEntry(f"t{t}", f"Territorio {t}", "") for t in range(territories)]
    units += [UnitEntry(f"t{t}.{s}", f"Servizio {s}", f"t{t}") for t in range(territories) for s in range(each)]
    persons = [
        PersonEntry(f"{unit.code} {n}", "", "it", unit.code, "f", "30_39", {})
        for unit in units
        if unit.parent
        for n in range(each)
    ]
    return units, persons


async def _lines_run(run: Callable[[], Awaitable[Any]], *modules: Any) -> int:
    """How many lines of these modules are run."""
    files, count = {module.__file__ for module in modules}, 0

    def count_line(_: Any, event: str, __: Any) -> Any:
        nonlocal count
        count += event == "line"
        return count_line

    before = sys.gettrace()
    sys.settrace(lambda frame, _, __: count_line if frame.f_code.co_filename in files else None)
    try:
        await run()
    finally:
        sys.settrace(before)
    return count


async def test_the_page_of_people_does_twice_the_work_for_twice_the_units_whatever_people_there_are(
    sqlite_settings: StoreSettings,
) -> None:
    """Was units times people: three seconds at 640 units and 20,000 people, in which nobody else was answered."""
    work = []
    async with offices(sqlite_settings) as here:
        for territories, each in ((4, 4), (8, 4), (8, 8)):
            await roster.replace(here.engines["people"], *_cooperative(territories, each), DAY)
            shown = (await here.get("/hr/people?lang=it")).text
            everybody = territories * each * each
            assert f">{each * each}<" in shown and say("it", "hr.people.count", n=everybody) in shown
            work.append(await _lines_run(lambda: here.get("/hr/people?lang=it"), people, roster))
    few, more, many = work
    assert more < 2.2 * few and many < 2.2 * more, work  # 20 units of 64 people, 40 of 128, 72 of 512
