"""Two taps keep one thing: a document of an indicator or of the register, and a scorecard with its entry in the log."""

import asyncio
from datetime import timedelta

import httpx
import pytest

from surveys import scorecards
from surveys.lifecycle.context import today
from surveys.people import log
from surveys.public import evidence, register
from surveys.public import scorecards as kept
from surveys.stores import StoreSettings
from tests.server.hr.offices import Offices, offices
from tests.server.hr.test_register import HELD, wrote

PAPER = ("verbale.pdf", b"%PDF-1.4 verbale", "application/pdf")
BEFORE = (today() - timedelta(days=3)).isoformat()


async def _twice(desk: Offices, path: str, **data: str) -> list[int]:
    """What is answered to the same form sent twice at once, with a file where there is no link."""

    async def once() -> httpx.Response:
        return await desk.post(path, files=None if "link" in data else {"file": PAPER}, **data)

    return [answered.status_code for answered in await asyncio.gather(once(), once())]


@pytest.mark.parametrize("link", ["", "https://example.org/verbale.pdf"])
async def test_a_document_that_was_sent_twice_is_kept_once_and_takes_back_no_review(
    store_settings: StoreSettings, link: str
) -> None:
    """Done from outside: two taps left two documents, and a form that a browser sent again took a review back."""
    given = {"title": "Verbale", "day": BEFORE} | ({"link": link} if link else {})
    async with offices(store_settings) as desk:
        at = "/hr/indicators/1.6"
        assert await _twice(desk, f"{at}/documents", **given) == [303, 303]
        assert len((await evidence.of("1.6")).documents) == 1
        await desk.post(at, state="met")
        state = await evidence.of("1.6")
        await evidence.review(desk.engines["public"], "1.6", "risorse", state.mark, today())
        assert await _twice(desk, f"{at}/documents", **given) == [303, 303]
        assert (await evidence.of("1.6")).reviewed_by == "risorse"
        [record] = await wrote(desk, HELD)
        assert await _twice(desk, f"/hr/register/{record.number}/documents", **given) == [303, 303]
        assert len((await register.everything())[record.number].documents) == 1


async def test_a_scorecard_that_two_taps_keep_is_one_and_each_that_two_people_keep_is_once_in_the_log(
    store_settings: StoreSettings,
) -> None:
    async with offices(store_settings) as desk:
        assert await _twice(desk, "/hr/scorecard", link="") == [303, 303]
        year = today().year
        assert await kept.names() == [f"{year}-1"]
        both = await asyncio.gather(*(desk.post("/hr/scorecard", who) for who in ("risorse", "direzione")))
        assert {one.status_code for one in both} == {303}
        entered = [act.details["card"] for act in await log.read() if act.act == scorecards.KEPT]
        assert sorted(entered) == sorted(await kept.names()) and len(entered) > 1
        assert await scorecards.chain() == scorecards.Chain()
