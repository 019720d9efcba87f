"""What a network sees of a report that is sent: one size, whatever she answered."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Request

from tests.journeys.channel import Channel, phone, running
from tests.journeys.test_who_was_asked import RECOVERY, _write


@pytest.fixture
def channel(tmp_path: Path) -> Iterator[Channel]:
    with running(tmp_path) as made:
        yield made


async def test_how_many_she_keeps_out_is_not_seen_by_the_size_of_what_she_sends(
    browser: Browser, channel: Channel
) -> None:
    """Found from outside: each reader's key made the report three thousand bytes longer, for whoever keeps the Wi-Fi."""
    sizes = []

    def note(request: Request) -> None:
        if request.method == "POST" and "/concern/" in request.url:
            sizes.append(len(request.post_data_buffer or b""))

    for out in ((), ('input[name="reads.ascolto2"]',), ('input[name="reads.ascolto2"]', RECOVERY)):
        context, page = await phone(browser, "it-IT")
        page.on("request", note)
        await page.goto(f"{channel.address}/concern?lang=it#who")
        for one in out:
            await page.check(f"{one}[value=no]")
        await page.goto(f"{channel.address}/concern?lang=it#start")
        await _write(page, script=True)
        await page.click("#send")
        await page.wait_for_selector("#letters h1")
        await context.close()
    assert len(sizes) == 3 and set(sizes) == {64 * 1024}
