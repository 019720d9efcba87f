"""Waves that were under way or closed when what stands at a closing began to be kept: of the version before, and of version 1."""

import os
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest

from server.settings import Settings
from surveys.answers.envelope import seal
from surveys.answers.tables import Slot, Spent
from surveys.answers.urn import Urn
from surveys.lifecycle import frozen, pins, witness
from surveys.lifecycle.context import Site
from surveys.lifecycle.planning import Wish, plan
from surveys.people import log, roster
from surveys.public import organisation, releases, waves
from surveys.public.waves import State, WaveRecord
from surveys.slips import digest
from surveys.stores import StoreSettings, stores
from tests.apps import create_app
from tests.conftest import DAY, ORGANISATION, WAVE, close_as_the_version_before, end_and_close, small_cooperative
from tests.first_urn import open_first
from tests.promises.test_after_the_closing import ATTACKS, OTHER, SHEET, Watched, filled, outcome, rewrite_the_bulletin
from tests.rights import right
from tests.urn import WORDS, anchor, make_slips

# --- waves that the version before had closed ---


async def _closed_before(site: Site, monkeypatch: pytest.MonkeyPatch) -> Watched:
    watched = await filled(site)
    await close_as_the_version_before(site, monkeypatch)
    assert not witness.path_of(site.data, WAVE).exists()
    assert "closing kept" not in [act.act for act in await log.read()]
    return watched


async def test_a_wave_that_the_version_before_closed_is_released_and_its_page_says_since_when_it_is_kept(
    site: Site, store_settings: StoreSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _closed_before(site, monkeypatch)
    app = create_app(Settings(store_settings))
    async with (
        app.lifespan(),
        httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://test") as client,  # type: ignore[arg-type]  # Litestar is an ASGI application
    ):
        page = (await client.get(f"/wave/{WAVE}?lang=en")).text
    async with stores(store_settings) as engines:
        here = replace(site, engines=engines)
        when, mark = witness.shown(site.data, WAVE)
        assert (
            when == "update" and len(mark) == 39 and f">{mark}</code>" in page and "closed before we kept one" in page
        )
        assert (await log.read())[-1].act == "closing kept later"
        assert await outcome(here, monkeypatch) == "released, received 12"


@pytest.mark.parametrize("attack", ATTACKS)
async def test_such_a_wave_changed_since_the_update_is_not_released(
    site: Site, attack: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched = await _closed_before(site, monkeypatch)
    await witness.keep_at_update(site)
    await ATTACKS[attack](site, watched)
    await witness.keep_at_update(site)  # a second start keeps nothing anew
    assert await outcome(site, monkeypatch) == "closing_other"


async def test_a_wave_that_was_closed_by_nobody_is_not_kept_at_a_later_start(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The state set in the row: what the closing counts against the codes given out was never counted."""
    await witness.keep_at_update(site)
    await filled(site)
    await waves.change(site.engines["public"], WAVE, State.OPEN, state=State.CLOSED)
    await releases.keep_bulletin(WAVE, {}, [])
    await rewrite_the_bulletin()
    await witness.keep_at_update(site)
    assert await outcome(site, monkeypatch) == "closing_file"


# --- waves of version 1, whose sheets hold no proof ---


async def _cut_the_bulletin(_: WaveRecord) -> None:
    counts, digests = await releases.bulletin(WAVE) or ({}, [])
    await releases.keep_bulletin(WAVE, counts, digests[1:])


async def _other_codes(_: WaveRecord) -> None:
    row = await Spent.select(Spent.id).first()
    assert row is not None
    await Spent.update({Spent.digest: os.urandom(32)}).where(Spent.id == row["id"])


async def _seal_another(record: WaveRecord) -> None:
    row = await Slot.select(Slot.id).where(Slot.taken.eq(True)).first()
    assert row is not None
    await Slot.update({Slot.sheet: seal(OTHER, record.seal_key)}).where(Slot.id == row["id"])


async def _nothing(_: WaveRecord) -> None:
    return None


FIRST = {"": _nothing, "bulletin": _cut_the_bulletin, "codes": _other_codes, "sheet": _seal_another}


@pytest.mark.parametrize("attack", FIRST)
async def test_a_wave_of_version_1_is_released_as_it_stood_at_its_closing_alone(
    site: Site, attack: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await organisation.save(site.engines["public"], ORGANISATION)
    await roster.replace(site.engines["people"], *small_cooperative(60), DAY - timedelta(days=30))
    await anchor(site)
    await plan(site, Wish(WAVE, {"it": "Autunno"}, DAY, DAY + timedelta(days=14)))
    record, words = await open_first(site, WAVE)
    await pins.keep(site.data)
    await frozen.keep_at_update(site.data)
    urn = Urn(site.engines["answers"])
    codes = await make_slips(site.engines["answers"], WAVE, 12, first_version=True)
    await waves.change(site.engines["public"], WAVE, State.OPEN, slips=12)
    urn.start()
    for place, code in enumerate(codes):
        await urn.put(right(WAVE, digest(code)), place.to_bytes(16), seal(SHEET, record.seal_key))
    await urn.stop()
    await end_and_close(site)
    await FIRST[attack](record)
    monkeypatch.setitem(WORDS, "hr", words["hr"])
    monkeypatch.setitem(WORDS, "recovery", words["recovery"])
    assert await outcome(site, monkeypatch) == ("closing_other" if attack else "released, received 12")
