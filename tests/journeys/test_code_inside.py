"""Whoever reads a report must not get the code that opens it: wherever its author wrote it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import Browser

from server.frame.texts import say
from tests.journeys.channel import Channel, phone, running
from tests.journeys.test_proofs import store


@pytest.fixture
def channel(tmp_path: Path) -> Iterator[Channel]:
    with running(tmp_path) as made:
        yield made


@pytest.mark.parametrize("script", [True, False], ids=["with a script", "without"])
async def test_the_code_in_any_field_is_refused(browser: Browser, channel: Channel, script: bool) -> None:
    """Found from outside: without a script the text alone was looked through, and "who was it?" took the code to the readers."""
    for name in ("where", "when", "who"):
        context, page = await phone(browser, "it-IT", script=script)
        await page.goto(f"{channel.address}/concern?lang=it{'' if script else '#write'}")
        if script:
            await page.click('a[href="#who"]')
            await page.click('#who a[href="#write"]')
        await page.fill("#text", "prova")
        await page.click("#to-check")
        if script:
            await page.click('#check a[href="#code"]')
        await page.wait_for_selector(".secret span")
        parts = await page.locator(".secret span").all_inner_texts()
        for n in (2, 7):
            await page.fill(f"#part{n}", parts[n - 1])
        await page.evaluate("location.replace('#write')") if script else await page.goto(
            f"{page.url.partition('#')[0]}#write"
        )
        await page.click("#write details summary")
        await page.fill(f"#d-{name}", " ".join(parts))
        await page.click("#to-check")
        if script:
            await page.click('#check a[href="#code"]')
        await page.click("#send" if script else "button[value=send]")
        await page.wait_for_selector(f'p:text-is("{say("it", "concern.write.code_inside")}"):visible')
        with store(channel) as rows:
            assert rows.execute('SELECT count(*) FROM "case"').fetchone() == (0,)
        await context.close()
