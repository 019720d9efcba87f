"""An application on real stores, without a network between it and the test."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from litestar import Litestar

from server.settings import Settings
from surveys.stores import StoreSettings
from tests.apps import create_app

PAGE = {"accept": "text/html"}


@asynccontextmanager
async def running(settings: StoreSettings) -> AsyncIterator[tuple[httpx.AsyncClient, Litestar]]:
    app = create_app(Settings(settings))
    async with (
        app.lifespan(),
        httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://test", timeout=90) as client,  # type: ignore[arg-type]  # Litestar is an ASGI application
    ):
        await app.state.watch.look()  # the look of a start is over before anything is broken,
        app.state.watch._looked = 0.0  # and the next who asks looks anew
        yield client, app
