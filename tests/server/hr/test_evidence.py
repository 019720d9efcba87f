"""HR's evidence, posted as the pages post it: each step works, is refused to who may not take it, and bears being repeated."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx
import pytest

from surveys.certification import scores
from surveys.lifecycle.context import today
from surveys.public import evidence
from surveys.stores import StoreSettings
from tests.server.hr.offices import Offices, offices

INDICATOR = "1.1"
POINTS = 20.0
"""Of indicator 1.1 among the hundred of its area (the catalogue of UNI/PdR 125:2022)."""


@dataclass
class Evidence:
    """What these tests do with an indicator's evidence."""

    offices: Offices

    @property
    def client(self) -> httpx.AsyncClient:
        return self.offices.client

    @property
    def sessions(self) -> dict[str, str]:
        return self.offices.sessions

    async def post(self, who: str, path: str, files: Any = None, **data: str) -> httpx.Response:
        return await self.offices.post(f"/hr/indicators/{path}", who, files, **data)

    async def document(self, who: str = "direzione", title: str = "Piano strategico") -> str:
        """Add a document; gives its number."""
        day = (today() - timedelta(days=3)).isoformat()
        answered = await self.post(
            who, f"{INDICATOR}/documents", title=title, day=day, link="https://example.org/piano.pdf"
        )
        assert answered.status_code == 303
        return (await evidence.of(INDICATOR)).documents[-1].id

    async def met(self, who: str = "direzione", **more: str) -> httpx.Response:
        return await self.post(who, INDICATOR, state="met", **more)

    async def looked_at(self, who: str) -> str:
        """What the page of the indicator gives along with its button to confirm."""
        page = await self.offices.get(f"/hr/indicators/{INDICATOR}", who)
        found = re.search(r'name="seen" value="(\w+)"', page.text)
        return found[1] if found else ""

    async def review(self, who: str, seen: str | None = None) -> httpx.Response:
        return await self.post(who, f"{INDICATOR}/review", seen=await self.looked_at(who) if seen is None else seen)


@asynccontextmanager
async def served(settings: StoreSettings) -> AsyncIterator[Evidence]:
    async with offices(settings) as signed_in:
        yield Evidence(signed_in)


async def earned() -> float:
    """Points of the first area."""
    return next(area.earned for area in (await scores(today())).areas if area.number == 1)


async def test_points_come_with_a_document_and_the_review_of_another_and_not_before(
    sqlite_settings: StoreSettings,
) -> None:
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
        assert refused.status_code == 422 and 'role="alert"' in refused.text
        assert ((await evidence.of(INDICATOR)).reviewed_by, await earned()) == ("", 0)


async def test_a_review_is_of_what_the_reviewer_saw(sqlite_settings: StoreSettings) -> None:
    """Done by an attacker: a page was open on "partly, 10 %", the state was set to "met, 99 %", and the old page's button confirmed it."""
    async with served(sqlite_settings) as offices:
        await offices.document()
        await offices.post("direzione", INDICATOR, state="partly", figure="10 %")
        seen = await offices.looked_at("risorse")
        await offices.met(figure="99 %")
        for old in (seen, "", "0" * 32):
            refused = await offices.review("risorse", old)
            assert refused.status_code == 422 and "rileggi" in refused.text
        assert await earned() == 0
        assert (await offices.review("risorse")).status_code == 303 and await earned() == POINTS


async def test_a_review_is_of_the_documents_that_the_reviewer_saw(sqlite_settings: StoreSettings) -> None:
    """Nobody has confirmed yet: no earlier review could go when documents change, the mark alone tells."""
    async with served(sqlite_settings) as offices:
        first = await offices.document()
        await offices.met()
        seen = await offices.looked_at("risorse")
        await offices.document(title="Verbale")
        assert (await offices.review("risorse", seen)).status_code == 422
        seen = await offices.looked_at("risorse")
        await offices.post("direzione", f"{INDICATOR}/documents/{first}/remove")
        assert (await offices.review("risorse", seen)).status_code == 422 and await earned() == 0
        assert (await offices.review("risorse")).status_code == 303 and await earned() == POINTS


async def test_other_documents_than_those_that_were_reviewed_wait_for_another_review(
    sqlite_settings: StoreSettings,
) -> None:
    async with served(sqlite_settings) as offices:
        first = await offices.document()
        await offices.met()
        await offices.review("risorse")
        await offices.document(title="Verbale")
        assert ((await evidence.of(INDICATOR)).state, await earned()) == ("met", 0)
        await offices.review("risorse")
        assert await earned() == POINTS
        await offices.post("direzione", f"{INDICATOR}/documents/{first}/remove")
        assert ((await evidence.of(INDICATOR)).state, await earned()) == ("met", 0)


async def test_of_many_states_that_are_set_at_once_one_stays_and_none_is_a_fault(store_settings: StoreSettings) -> None:
    async with served(store_settings) as offices:
        await offices.document()
        answered = await asyncio.gather(
            *(offices.met(("direzione", "risorse")[i % 2], figure=str(i)) for i in range(30))
        )
        assert {one.status_code for one in answered} == {303}
        found = await evidence.of(INDICATOR)
        assert found.state == "met" and found.figure in {str(i) for i in range(30)}


async def test_signs_that_show_nothing_or_turn_a_line_round_are_taken_out(sqlite_settings: StoreSettings) -> None:
    async with served(sqlite_settings) as offices:
        await offices.document()
        await offices.met(figure="\u202e99 %\u200b", note="una riga\nun'altra\u2066")
        found = await evidence.of(INDICATOR)
        assert (found.figure, found.note) == ("99 %", "una riga\nun'altra")


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
        found = await evidence.of(INDICATOR)
        assert (found.documents, found.state, await earned()) == ((), "not_assessed", 0)


@pytest.mark.parametrize(
    "path", [INDICATOR, f"{INDICATOR}/review", f"{INDICATOR}/documents", f"{INDICATOR}/documents/x/remove"]
)
async def test_the_auditor_and_strangers_change_nothing(sqlite_settings: StoreSettings, path: str) -> None:
    async with served(sqlite_settings) as offices:
        await offices.document()
        before = await evidence.everything()
        assert (
            await offices.post("verifica", path, state="met", title="x", day="2026-01-01", link="https://example.org")
        ).status_code in (303, 403, 404)
        stranger = await offices.client.post(
            f"/hr/indicators/{path}", data={"state": "met"}, headers={"sec-fetch-site": "same-origin"}
        )
        assert stranger.status_code == 303 and stranger.headers["location"].startswith("/account/in")
        assert (await offices.client.put(f"/hr/indicators/{INDICATOR}")).status_code in (303, 405)
        assert await evidence.everything() == before


@pytest.mark.parametrize(
    "wrong",
    [
        {"title": "", "day": "2026-01-01", "link": "https://example.org"},
        {"title": "Piano", "day": "1.1.2026", "link": "https://example.org"},
        {"title": "Piano", "day": "2026-01-01"},
        {"title": "Piano", "day": "2026-01-01", "link": "javascript:alert(1)"},
        {"title": "\u200b\u2060", "day": "2026-01-01", "link": "https://example.org"},
        {"title": "Piano\u202e", "day": "2026-01-01", "link": "https://example.org"},
        {"title": "—", "day": "2026-01-01", "link": "https://example.org"},
        {"title": "Piano", "day": "0001-01-01", "link": "https://example.org"},
        {"title": "Piano", "day": "9999-12-31", "link": "https://example.org"},
    ],
    ids=[
        "no title",
        "a day that is none",
        "neither link nor file",
        "a link that runs",
        "a title of nothing",
        "a title that turns round",
        "a title without a letter",
        "before all days",
        "after today",
    ],
)
async def test_a_document_that_cannot_be_kept_is_refused_in_words(
    sqlite_settings: StoreSettings, wrong: dict[str, str]
) -> None:
    async with served(sqlite_settings) as offices:
        refused = await offices.post("direzione", f"{INDICATOR}/documents", **wrong)
        assert refused.status_code == 422 and 'role="alert"' in refused.text
        assert (await evidence.of(INDICATOR)).documents == ()


async def test_what_was_typed_stays_in_a_form_that_is_refused(sqlite_settings: StoreSettings) -> None:
    """Found from outside: a note of a thousand letters was gone because the day beside it was none, or a colleague was faster."""
    async with served(sqlite_settings) as it:
        refused = await it.post(
            "direzione", INDICATOR, state="met", note="una nota lunga", valid="2026-13-45", seen="x"
        )
        assert refused.status_code == 422
        assert "una nota lunga" in refused.text and 'value="2026-13-45"' in refused.text
        assert re.search(r'value="met" selected', refused.text)
        title = 'Piano & "strategico"'
        refused = await it.post(
            "direzione", f"{INDICATOR}/documents", title=title, day="ieri", link="https://example.org/"
        )
        assert refused.status_code == 422
        assert "Piano &amp; &#34;strategico&#34;" in refused.text and 'value="https://example.org/"' in refused.text


async def test_an_indicator_that_the_standard_has_not_is_not_found(sqlite_settings: StoreSettings) -> None:
    async with served(sqlite_settings) as offices:
        assert (await offices.post("direzione", "9.9", state="met")).status_code == 404
