"""Figures of years in the people store: kept whole, by whoever saw what was there, and never in another store."""

import asyncio
from dataclasses import replace
from datetime import date

import pytest

from surveys.people import figures, log
from surveys.people.figures import KeepingRefused, Kept
from surveys.stores import STORES, StoreSettings, stores
from tests.analysis.pdr125.years import WHOLE, YEAR

DAY = date(2026, 2, 3)
KEPT = Kept(WHOLE, "Libro unico", "direzione", DAY)


async def test_figures_come_back_as_they_were_kept_newest_year_first(store_settings: StoreSettings) -> None:
    async with stores(store_settings) as engines:
        earlier = replace(KEPT, figures=replace(WHOLE, year=YEAR - 1))
        for one in (KEPT, earlier):
            await figures.keep(engines["people"], one, figures.mark_of(await figures.everything()))
        assert await figures.everything() == {YEAR: KEPT, YEAR - 1: earlier}
        assert list(await figures.everything()) == [YEAR, YEAR - 1]


async def test_a_year_that_is_kept_again_is_replaced_and_one_that_is_removed_is_gone(
    store_settings: StoreSettings,
) -> None:
    async with stores(store_settings) as engines:
        people, again = engines["people"], replace(KEPT, source="Bilancio sociale", typed_by="risorse")
        await figures.keep(people, KEPT, figures.mark_of({}))
        await figures.keep(people, again, figures.mark_of({YEAR: KEPT}))
        assert await figures.everything() == {YEAR: again}
        for _ in range(2):  # the second finds nothing and does nothing
            await figures.remove(people, YEAR, "direzione", DAY, figures.mark_of(await figures.everything()))
        assert await figures.everything() == {}
        acts = [(act.actor, act.act, dict(act.details)) for act in await log.read()]
        assert acts == [
            ("direzione", "figures kept", {"year": "2025"}),
            ("risorse", "figures kept", {"year": "2025"}),
            ("direzione", "figures removed", {"year": "2025"}),
        ]


async def test_whoever_saw_other_figures_changes_nothing(store_settings: StoreSettings) -> None:
    async with stores(store_settings) as engines:
        people, seen = engines["people"], figures.mark_of({})
        await figures.keep(people, KEPT, seen)
        for late in (seen, "", "0" * 32):
            with pytest.raises(KeepingRefused, match="changed"):
                await figures.keep(people, replace(KEPT, source="altro"), late)
            with pytest.raises(KeepingRefused, match="changed"):
                await figures.remove(people, YEAR, "risorse", DAY, late)
        assert await figures.everything() == {YEAR: KEPT}


async def test_of_many_who_keep_at_once_one_does(store_settings: StoreSettings) -> None:
    async with stores(store_settings) as engines:
        seen = figures.mark_of({})
        ended = await asyncio.gather(
            *(figures.keep(engines["people"], replace(KEPT, source=f"fonte {i}"), seen) for i in range(8)),
            return_exceptions=True,
        )
        assert sorted(str(one) for one in ended) == ["None"] + ["changed"] * 7
        assert len(await figures.everything()) == 1


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"source": " "}, "source"),
        ({"source": "a\u202eb"}, "source"),
        ({"source": "x" * 201}, "source"),
        ({"figures": replace(WHOLE, year=2027)}, "future"),
    ],
)
async def test_figures_without_a_source_or_of_a_year_to_come_are_not_kept(
    sqlite_settings: StoreSettings, wrong: dict[str, object], reason: str
) -> None:
    async with stores(sqlite_settings) as engines:
        with pytest.raises(KeepingRefused, match=reason):
            await figures.keep(engines["people"], replace(KEPT, **wrong), figures.mark_of({}))  # type: ignore[arg-type]  # any field of a year
        assert await figures.everything() == {}


async def test_pay_stands_in_the_file_of_the_people_store_and_in_no_other(sqlite_settings: StoreSettings) -> None:
    async with stores(sqlite_settings) as engines:
        await figures.keep(engines["people"], KEPT, figures.mark_of({}))
    holding = {
        store
        for store in STORES
        for file in sqlite_settings.data.glob(f"{store}.sqlite*")
        if b"27600" in file.read_bytes()
    }
    assert holding == {"people"}
