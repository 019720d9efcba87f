"""The trust page of an installation that published before figures moved, and of one that did not."""

import html
from dataclasses import replace
from pathlib import Path

import httpx

from server.app import create_app
from server.frame.texts import NAMES, say
from server.settings import Settings
from surveys.public import organisation, releases
from surveys.stores import StoreSettings
from tests.conftest import ORGANISATION

BEFORE = Path(__file__).parents[1] / "vectors" / "release-steps-1.json"


async def test_what_was_published_before_figures_moved_is_spoken_of_only_where_there_is_such_a_document(
    store_settings: StoreSettings,
) -> None:
    app = create_app(replace(Settings(store_settings), https=False), with_jobs=False)
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
