"""HR's evidence, posted as the pages post it: each step works, is refused to who may not take it, and bears being repeated."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from server.app import create_app
from server.demonstration import channel
from server.frame.security import COOKIE, FORM_FIELD
from server.settings import Settings
from surveys.certification import scores
from surveys.lifecycle.context import House, today
from surveys.people import accounts
from surveys.public import evidence
from surveys.stores import StoreSettings, stores
from tests.conftest import DAY
from tests.signing_in import next_code

PASSWORD = "una-password-lunga"
PEOPLE = {"direzione": "hr", "risorse": "hr", "verifica": "auditor"}
INDICATOR = "1.1"
POINTS = 20.0
"""Of indicator 1.1 among the hundred of its area (the catalogue of UNI/PdR 125:2022)."""


@dataclass
class Offices:
    """The served application, and the sessions of who signed in."""

    client: httpx.AsyncClient
    sessions: dict[str, str]

    async def post(self, who: str, path: str, files: Any = None, **data: str) -> httpx.Response:
        session = self.sessions[who]
        headers = {"sec-fetch-site": "same-origin", "cookie": f"{COOKIE}={session}"}
        return await self.client.post(f"/hr/indicators/{path}", data=data | {FORM_FIELD: accounts.form_token(session)}, files=files, headers=headers)

    async def document(self, who: str = "direzione") -> str:
        """Add a document; gives its number."""
        day = (today() - timedelta(days=3)).isoformat()
        answered = await self.post(who, f"{INDICATOR}/documents", title="Piano strategico", day=day, link="https://example.org/piano.pdf")
        assert answered.status_code == 303
        return (await evidence.of(INDICATOR)).documents[-1].id

    async def met(self, who: str = "direzione", **more: str) -> httpx.Response:
        return await self.post(who, INDICATOR, state="met", **more)

    async def review(self, who: str) -> httpx.Response:
        return await self.post(who, f"{INDICATOR}/review")


@asynccontextmanager
async def served(sqlite_settings: StoreSettings) -> AsyncIterator[Offices]:
    sessions = {}
    async with stores(sqlite_settings) as engines:
        for name, role in PEOPLE.items():
            await accounts.add(engines["people"], name, role, PASSWORD)
            secret = await channel.with_codes(House(engines, sqlite_settings.data, DAY, "test"), name)
            sessions[name] = (await accounts.sign_in(engines["people"], name, PASSWORD, datetime.now(UTC), second=next_code(secret)))[0]
    app = create_app(Settings(sqlite_settings), with_jobs=False)
    async with app.lifespan(), httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        yield Offices(client, sessions)


async def earned() -> float:
    """Points of the first area."""
    return next(area.earned for area in (await scores(today())).areas if area.number == 1)


async def test_points_come_with_a_document_and_the_review_of_another_and_not_before(sqlite_settings: StoreSettings) -> None:
    async with served(sqlite_settings) as offices:
        refused = await offices.met()
        assert refused.status_code == 422 and "documento" in refused.text and await earned() == 0
        await offices.document()
        assert (await offices.met()).status_code == 303 and await earned() == 0
        assert (await offices.review("risorse")).status_code == 303
        assert await earned() == POINTS
        state = await evidence.of(INDICATOR)
        assert (state.set_by, state.reviewed_by, state.reviewed_on) == ("direzione", "risorse", today())


async def test_nobody_reviews_what_she_set_herself(sqlite_settings: StoreSettings) -> None:
    async with served(sqlite_settings) as offices:
        await offices.document()
        await offices.met()
        refused = await offices.review("direzione")
        assert refused.status_code == 422 and "role=\"alert\"" in refused.text
        assert ((await evidence.of(INDICATOR)).reviewed_by, await earned()) == ("", 0)


async def test_a_state_that_is_set_again_waits_for_another_review(sqlite_settings: StoreSettings) -> None:
    async with served(sqlite_settings) as offices:
        await offices.document()
        await offices.met()
        await offices.review("risorse")
        assert (await offices.met("risorse", note="riletto")).status_code == 303
        assert ((await evidence.of(INDICATOR)).reviewed_by, await earned()) == ("", 0)
        assert (await offices.review("risorse")).status_code == 422 and await earned() == 0
        assert (await offices.review("direzione")).status_code == 303 and await earned() == POINTS


async def test_evidence_that_has_run_out_earns_nothing_from_the_next_day_on(sqlite_settings: StoreSettings) -> None:
    async with served(sqlite_settings) as offices:
        await offices.document()
        await offices.met(valid=today().isoformat())
        await offices.review("risorse")
        assert await earned() == POINTS
        await offices.met(valid=(today() - timedelta(days=1)).isoformat())
        await offices.review("risorse")
        assert await earned() == 0


async def test_without_its_last_document_an_indicator_is_not_assessed(sqlite_settings: StoreSettings) -> None:
    async with served(sqlite_settings) as offices:
        document = await offices.document()
        await offices.met()
        await offices.review("risorse")
        for _ in range(2):
            assert (await offices.post("direzione", f"{INDICATOR}/documents/{document}/remove")).status_code == 303
        assert ((await evidence.of(INDICATOR)).documents, await earned()) == ((), 0)


@pytest.mark.parametrize("path", [INDICATOR, f"{INDICATOR}/review", f"{INDICATOR}/documents", f"{INDICATOR}/documents/x/remove"])
async def test_the_auditor_and_strangers_change_nothing(sqlite_settings: StoreSettings, path: str) -> None:
    async with served(sqlite_settings) as offices:
        await offices.document()
        before = await evidence.everything()
        assert (await offices.post("verifica", path, state="met", title="x", day="2026-01-01", link="https://example.org")).status_code in (303, 403, 404)
        stranger = await offices.client.post(f"/hr/indicators/{path}", data={"state": "met"}, headers={"sec-fetch-site": "same-origin"})
        assert stranger.status_code == 303 and stranger.headers["location"].startswith("/account/in")
        assert (await offices.client.put(f"/hr/indicators/{INDICATOR}")).status_code in (303, 405)
        assert await evidence.everything() == before


@pytest.mark.parametrize(
    "wrong",
    [{"title": "", "day": "2026-01-01", "link": "https://example.org"}, {"title": "Piano", "day": "1.1.2026", "link": "https://example.org"},
     {"title": "Piano", "day": "2026-01-01"}, {"title": "Piano", "day": "2026-01-01", "link": "javascript:alert(1)"}],
    ids=["no title", "a day that is none", "neither link nor file", "a link that runs"],
)  # fmt: skip
async def test_a_document_that_cannot_be_kept_is_refused_in_words(sqlite_settings: StoreSettings, wrong: dict[str, str]) -> None:
    async with served(sqlite_settings) as offices:
        refused = await offices.post("direzione", f"{INDICATOR}/documents", **wrong)
        assert refused.status_code == 422 and "role=\"alert\"" in refused.text
        assert (await evidence.of(INDICATOR)).documents == ()


async def test_an_indicator_that_the_standard_has_not_is_not_found(sqlite_settings: StoreSettings) -> None:
    async with served(sqlite_settings) as offices:
        assert (await offices.post("direzione", "9.9", state="met")).status_code == 404
