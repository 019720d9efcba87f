"""The trust page of an installation that published before figures moved, and of one that did not."""

import html
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from server.frame.texts import NAMES, say
from server.settings import Settings
from surveys.lifecycle.context import Site, plan_path
from surveys.lifecycle.ready import mark_of
from surveys.public import organisation, releases, waves
from surveys.public.waves import State
from surveys.stores import StoreSettings, stores
from tests.apps import create_app
from tests.conftest import DAY, ORGANISATION, WAVE, open_a_wave

BEFORE = Path(__file__).parents[2] / "vectors" / "release-steps-1.json"


async def test_what_was_published_before_figures_moved_is_spoken_of_only_where_there_is_such_a_document(
    store_settings: StoreSettings,
) -> None:
    app = create_app(replace(Settings(store_settings), https=False))
    async with (
        app.lifespan(),
        httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://test") as client,  # type: ignore[arg-type]  # Litestar is an ASGI application
    ):
        await organisation.save(app.state.engines["public"], ORGANISATION)

        async def said(language: str) -> bool:
            page = html.unescape((await client.get(f"/trust?lang={language}")).text)
            assert say(language, "trust.limits.writing") in page
            return say(language, "trust.limits.before") in page

        assert [await said(language) for language in NAMES] == [False] * len(NAMES)
        text = BEFORE.read_text("utf-8")
        await releases.keep("now", text.replace("ascolto-steps/1", "ascolto-steps/2"), "")
        assert not await said("it")
        await releases.keep("before", text, "")
        assert [await said(language) for language in NAMES] == [True] * len(NAMES)


async def test_the_number_to_compare_is_the_one_that_invitations_carry(sqlite_settings: StoreSettings) -> None:
    """Done from outside: whoever followed this page found another number, and was told not to answer."""
    async with stores(sqlite_settings) as engines:
        site = Site(engines, sqlite_settings.data, DAY, "hr")
        carried = await mark_of(site.data, (await open_a_wave(site)).record)
    app = create_app(Settings(sqlite_settings))
    async with (
        app.lifespan(),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client,  # type: ignore[arg-type]  # Litestar is an ASGI application
    ):
        page = (await client.get("/trust?lang=en")).text
        assert f"<code>{carried}</code>" in page and len(carried) == 32
        plan_path(sqlite_settings.data, WAVE).write_text("{}")
        stopped = await client.get("/trust?lang=en")
        assert stopped.status_code == 200 and html.escape(say("en", "link.page.other_key")) in stopped.text


@pytest.mark.parametrize("changed", ["rules", "groups", "rules of a wave that says it never opened"])
async def test_no_page_says_of_an_open_wave_what_was_not_frozen(sqlite_settings: StoreSettings, changed: str) -> None:
    """Done from outside: the page of a wave, and the file to keep, said "100 people" and "one group" while answers were taken."""
    async with stores(sqlite_settings) as engines:
        record = (await open_a_wave(Site(engines, sqlite_settings.data, DAY, "hr"))).record
    app = create_app(Settings(sqlite_settings))
    async with (
        app.lifespan(),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client,  # type: ignore[arg-type]  # Litestar is an ASGI application
    ):
        pages = [f"/wave/{WAVE}?lang=en", f"/wave/{WAVE}/plan.json", f"/answer/words?wave={WAVE}"]
        assert [(await client.get(page)).status_code for page in pages] == [200, 200, 200]
        new: dict[str, Any] = (
            {"rules": {"k": {**record.rules["k"], "items": 100}}}
            if changed.startswith("rules")
            else {"plan": {**record.plan, "views": record.plan["views"][:1]}}
        )
        if "never" in changed:
            new["opened"] = None
            pages.remove(f"/wave/{WAVE}/plan.json")
        await waves.change(app.state.engines["public"], WAVE, State.OPEN, **new)
        assert f"/wave/{WAVE}" not in (await client.get("/")).text
        assert {(await client.get(page)).status_code for page in pages} == {409}


@pytest.mark.parametrize("column", ["plan", "rules", "panel"])
@pytest.mark.parametrize("odd", [{}, [], 3, "x"])
async def test_a_row_of_another_shape_is_said_in_words_and_never_a_fault(
    sqlite_settings: StoreSettings, column: str, odd: Any
) -> None:
    """Done from outside: `plan = '{}'` or `rules = '[]'` were faults on three pages."""
    async with stores(sqlite_settings) as engines:
        await open_a_wave(Site(engines, sqlite_settings.data, DAY, "hr"))
    app = create_app(Settings(sqlite_settings))
    async with (
        app.lifespan(),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client,  # type: ignore[arg-type]  # Litestar is an ASGI application
    ):
        await waves.change(app.state.engines["public"], WAVE, State.OPEN, **{column: odd})
        for page in (f"/wave/{WAVE}?lang=en", f"/wave/{WAVE}/plan.json", f"/answer/words?wave={WAVE}", "/answer"):
            assert (await client.get(page)).status_code == 409, page
        assert (await client.get("/trust?lang=en")).status_code == 200
        assert f"/wave/{WAVE}" not in (await client.get("/")).text
