"""Offices of the served application: HR twice, the representative and the auditor, signed in as their pages have it."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx

from server.demonstration import channel
from server.frame.security import COOKIE, FORM_FIELD
from server.settings import Settings
from surveys.lifecycle.context import Site
from surveys.people import accounts
from surveys.stores import Engines, StoreSettings, stores
from tests.apps import create_app
from tests.conftest import DAY
from tests.signing_in import next_code

PASSWORD = "una-password-lunga"
PEOPLE = {"direzione": "hr", "risorse": "hr", "verifica": "auditor", "rappresentante": "representative"}


@dataclass
class Offices:
    """The served application, and the sessions of who signed in."""

    client: httpx.AsyncClient
    sessions: dict[str, str]
    engines: Engines
    """The stores as the application holds them: what is written between two pages is written here."""
    secrets: dict[str, str] = field(default_factory=dict)
    """Of their one-time codes, as text."""

    async def post(self, path: str, who: str = "direzione", files: Any = None, **data: str) -> httpx.Response:
        """Post a form as the page of this person would."""
        session = self.sessions[who]
        headers = {"sec-fetch-site": "same-origin", "cookie": f"{COOKIE}={session}"}
        return await self.client.post(
            path, data=data | {FORM_FIELD: accounts.form_token(session)}, files=files, headers=headers
        )

    async def get(self, path: str, who: str = "direzione") -> httpx.Response:
        return await self.client.get(path, headers={"cookie": f"{COOKIE}={self.sessions[who]}"})


@asynccontextmanager
async def offices(settings: StoreSettings, people: Mapping[str, str] = PEOPLE) -> AsyncIterator[Offices]:
    """Serve these stores to these people, by name and role."""
    sessions: dict[str, str] = {}
    secrets: dict[str, str] = {}
    async with stores(settings) as engines:
        for name, role in people.items():
            await accounts.add(engines["people"], name, role, PASSWORD)
            secrets[name] = await channel.with_codes(Site(engines, settings.data, DAY, "test"), name)
            sessions[name] = (
                await accounts.sign_in(
                    engines["people"], name, PASSWORD, datetime.now(UTC), second=next_code(secrets[name])
                )
            )[0]
    app = create_app(Settings(settings))
    transport = httpx.ASGITransport(app)  # type: ignore[arg-type]  # Litestar is an ASGI application
    async with app.lifespan(), httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        yield Offices(client, sessions, app.state.engines, secrets)
