"""Somebody who writes the public store exchanges what people read: a figure, a document, a chart, a whole survey.

Done from outside: one UPDATE set every index of a territory to 80, and the page beside it said "the signed document".
"""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest

from server.frame.texts import say
from server.processes import charting
from server.results.releasing import draw
from server.settings import Settings
from surveys.lifecycle.context import Site
from surveys.lifecycle.releasing import signed
from surveys.public import releases, waves
from surveys.public.releases import WORDS_SIGNED, words_digest
from surveys.public.tables import Chart, Comment, ReleaseDocument
from surveys.public.waves import State, WaveRecord
from surveys.questionnaire.shipped import shipped
from surveys.stores import StoreSettings
from tests.analysis.waves import released, wave
from tests.apps import create_app
from tests.conftest import DAY

FIRST, SECOND = "primavera-2026", "autunno-2026"


def _document(name: str, agree: int) -> dict[str, Any]:
    made = released(wave(60, A1=[agree] * 40 + [3] * 20))
    return made | {"origin": "imported", "wave": made["wave"] | {"id": name}}


async def _publish(site: Site, name: str, agree: int) -> None:
    public = site.engines["public"]
    frozen = {"imported": True, "items": {}, "scales": {}}
    title = {"it": name, "en": name}
    record = WaveRecord(name, title, State.RELEASED, closed=date(2026, 3, 1), origin="imported", questionnaire=frozen)
    async with public.transaction():
        await waves.add(public, record)
        await releases.keep(name, signed(site, _document(name, agree)), "")
    await draw(site, name, lambda _: None)


@asynccontextmanager
async def _served(settings: StoreSettings) -> AsyncIterator[tuple[Site, httpx.AsyncClient]]:
    app = create_app(Settings(settings))
    transport = httpx.ASGITransport(app)  # type: ignore[arg-type]  # Litestar is an ASGI application
    async with app.lifespan(), httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        site = Site(app.state.engines, settings.data, DAY, "")
        await _publish(site, FIRST, 5)
        await _publish(site, SECOND, 1)
        yield site, client


async def _write(name: str, document: dict[str, Any] | str) -> None:
    text = document if isinstance(document, str) else json.dumps(document)
    await ReleaseDocument.update({ReleaseDocument.document: text}).where(ReleaseDocument.wave == name)


async def test_what_was_published_is_read_with_its_charts(sqlite_settings: StoreSettings) -> None:
    async with _served(sqlite_settings) as (_, client):
        front = (await client.get("/?lang=en")).text
        for name in (FIRST, SECOND):
            page = await client.get(f"/results/{name}?lang=en")
            assert page.status_code == 200 and f"/results/{name}" in front
            assert (await client.get(f"/results/{name}/charts/areas.en.light.svg")).status_code == 200


@pytest.mark.parametrize("how", ["a figure", "another wave's", "another house's", "no signature", "nothing", "no key"])
async def test_no_page_shows_a_document_that_was_not_signed_here_for_this_wave(
    sqlite_settings: StoreSettings, tmp_path: Path, how: str
) -> None:
    async with _served(sqlite_settings) as (site, client):
        document = await releases.document(FIRST) or {}
        other = Site(site.engines, tmp_path / "another", DAY, "")
        match how:
            case "a figure":
                document["views"][0]["items"]["A1"]["index"] = 80
                await _write(FIRST, document)
            case "another wave's":
                await _write(FIRST, json.dumps(await releases.document(SECOND)))
            case "another house's":
                await _write(FIRST, signed(other, _document(FIRST, 5)))
            case "no signature":
                await _write(FIRST, _document(FIRST, 5))
            case "nothing":
                await _write(FIRST, "{}")
            case "no key":
                await _write(FIRST, document | {"key": ""})
        for address in (f"/results/{FIRST}", f"/results/{FIRST}/release.json"):
            answered = await client.get(f"{address}?lang=en")
            assert answered.status_code == 409 and say("en", "results.not_ours") in answered.text
        front = (await client.get("/?lang=en")).text
        assert f"/results/{FIRST}" not in front and f"/results/{SECOND}" in front
        assert (await client.get(f"/results/{SECOND}")).status_code == 200


async def test_a_survey_that_never_was_is_on_no_page(sqlite_settings: StoreSettings) -> None:
    async with _served(sqlite_settings) as (site, client):
        public, frozen = site.engines["public"], {"imported": True, "items": {}, "scales": {}}
        record = WaveRecord("mai", {"it": "Mai"}, State.RELEASED, origin="imported", questionnaire=frozen)
        async with public.transaction():
            await waves.add(public, record)
            await releases.keep("mai", json.dumps(await releases.document(FIRST)), "")
        assert "/results/mai" not in (await client.get("/")).text
        assert (await client.get("/results/mai")).status_code == 409


async def test_a_chart_that_was_drawn_otherwise_or_elsewhere_is_not_given(sqlite_settings: StoreSettings) -> None:
    async with _served(sqlite_settings) as (_, client):
        light, dark = f"{FIRST}/areas.en.light", f"{FIRST}/areas.en.dark"
        row = await Chart.select().where(Chart.id == light).first()
        assert row is not None
        await Chart.update({Chart.svg: row["svg"].replace("0b6e69", "ff0000")}).where(Chart.id == light)
        await Chart.update({Chart.svg: row["svg"], Chart.signature: row["signature"]}).where(Chart.id == dark)
        for name in ("light", "dark"):
            assert (await client.get(f"/results/{FIRST}/charts/areas.en.{name}.svg")).status_code == 404


async def test_charts_of_the_version_before_and_those_that_were_never_drawn_are_drawn(
    sqlite_settings: StoreSettings,
) -> None:
    """Before charts were signed they had none; a release that was cut off after its commit had no chart for ever."""
    async with _served(sqlite_settings) as (_, client):
        await Chart.update({Chart.signature: ""}).where(Chart.wave == FIRST)
        await Chart.delete().where(Chart.wave == SECOND)
        charting._tried.clear()
        await charting.draw_missing(Settings(sqlite_settings))
        for name in (FIRST, SECOND):
            assert (await client.get(f"/results/{name}/charts/areas.en.light.svg")).status_code == 200


async def test_no_other_question_stands_beside_the_figures(sqlite_settings: StoreSettings) -> None:
    """Could mislead: the figures are signed, the words beside them stand in the wave's row."""
    form = shipped("pulse", [], [])
    async with _served(sqlite_settings) as (site, client):
        public = site.engines["public"]
        document = _document("forma", 5) | {"origin": "ascolto"}
        document |= {"questionnaire": {"id": form.id, "version": form.version, "sha256": form.sha256()}}
        record = WaveRecord("forma", {"it": "Forma"}, State.RELEASED, questionnaire=form.to_json())
        async with public.transaction():
            await waves.add(public, record)
            await releases.keep("forma", signed(site, document), "")
        assert (await client.get("/results/forma?lang=it")).status_code == 200
        mine = {"imported": True, "items": {"A1": {"it": "Altra domanda"}}, "scales": {}}
        await waves.change(
            public, "forma", State.RELEASED, origin="imported", questionnaire=mine
        )  # as an imported wave has
        assert (await client.get("/results/forma?lang=it")).status_code == 409
        await waves.change(public, "forma", State.RELEASED, origin="ascolto", questionnaire=form.to_json())
        other = json.loads(json.dumps(form.to_json()).replace("rispetto", "disprezzo"))
        assert other != form.to_json()
        await waves.change(public, "forma", State.RELEASED, questionnaire=other)
        assert (await client.get("/results/forma?lang=it")).status_code == 409


async def test_the_words_of_an_imported_wave_are_signed_and_its_title_is_the_signed_one(
    sqlite_settings: StoreSettings,
) -> None:
    async with _served(sqlite_settings) as (site, client):
        words = {"imported": True, "items": {"A1": {"it": "Domanda"}}, "scales": {}}
        document = _document("nuova", 5)
        document["questionnaire"] = {"id": "nuova", "version": WORDS_SIGNED, "sha256": words_digest(words)}
        public = site.engines["public"]
        record = WaveRecord("nuova", {"it": "2031"}, State.RELEASED, origin="imported", questionnaire=words)
        async with public.transaction():
            await waves.add(public, record)
            await releases.keep("nuova", signed(site, document), "")
        page = await client.get("/results/nuova?lang=it")
        assert page.status_code == 200 and "2031" not in page.text and "Domanda" in page.text
        assert "/results/nuova" in (front := (await client.get("/?lang=it")).text) and "2031" not in front
        await waves.change(public, "nuova", State.RELEASED, questionnaire={**words, "items": {"A1": {"it": "Altra"}}})
        assert (await client.get("/results/nuova?lang=it")).status_code == 409


async def test_no_comment_stands_beside_a_document_that_has_none(sqlite_settings: StoreSettings) -> None:
    """Done from outside, with one INSERT."""
    async with _served(sqlite_settings) as (_, client):
        await Comment.insert(Comment(id=7, wave=FIRST, item="A1", state="published", text="Sono Maria e ritiro tutto"))
        page = await client.get(f"/results/{FIRST}?lang=it")
        assert page.status_code == 200 and "ritiro tutto" not in page.text


async def test_no_chart_is_drawn_and_signed_beside_other_names_than_those_that_were_asked(
    sqlite_settings: StoreSettings,
) -> None:
    """Could mislead: other names in the row, the charts deleted, and the jobs would draw and sign them anew."""
    form = shipped("pulse", [], [])
    async with _served(sqlite_settings) as (site, client):
        public = site.engines["public"]
        document = _document("forma", 5) | {"origin": "ascolto"}
        document |= {"questionnaire": {"id": form.id, "version": form.version, "sha256": form.sha256()}}
        record = WaveRecord("forma", {"it": "Forma"}, State.RELEASED, questionnaire=form.to_json())
        async with public.transaction():
            await waves.add(public, record)
            await releases.keep("forma", signed(site, document), "")
        other = json.loads(json.dumps(form.to_json()).replace("rispetto", "disprezzo"))
        await waves.change(public, "forma", State.RELEASED, questionnaire=other)
        charting._tried.clear()
        await charting.draw_missing(Settings(sqlite_settings))
        assert await Chart.count().where(Chart.wave == "forma") == 0
        assert (await client.get("/results/forma/charts/areas.it.light.svg")).status_code == 404


@pytest.mark.parametrize("odd", [{}, {"sections": 3}, {"imported": True}])
async def test_a_row_that_is_no_questionnaire_is_said_in_words(sqlite_settings: StoreSettings, odd: Any) -> None:
    async with _served(sqlite_settings) as (site, client):
        document = _document("forma", 5) | {"origin": "ascolto"}
        public = site.engines["public"]
        async with public.transaction():
            await waves.add(public, WaveRecord("forma", {"it": "Forma"}, State.RELEASED, questionnaire=odd))
            await releases.keep("forma", signed(site, document), "")
        assert (await client.get("/results/forma?lang=it")).status_code == 409
