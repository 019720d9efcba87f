"""What people do on served pages of the channel, for journeys: opening cases at a desk, a reporter's acts by Python."""

import os
from base64 import b64decode
from typing import Any

import httpx
from playwright.async_api import Page

from server.reporters.shown import read_lists
from surveys.cases import acts, codes
from surveys.cases.acts import Reporter
from surveys.cases.codes import Secret
from surveys.cases.opening import open_case
from surveys.cases.sealed_case import OpenedCase, SealedCase, SealedEpochRow, SealedLetter
from surveys.public.rings import Chain, Ring
from tests.journeys.channel import BEGIN, Channel

KEEP = "() => { const open = Fold.openCase; Fold.openCase = async (file, ...more) => { const opened = await open(file, ...more); window.__now = { file, opened }; return opened; }; }"
"""Keep on the page what it opened, so that a dishonest desk can go on from there."""


async def open_first(desk: Page) -> None:
    await desk.click("#board table button")
    await desk.wait_for_selector(".letter")


async def reopen(desk: Page) -> None:
    await desk.click('#board button:has-text("Tutti i casi")')
    await desk.wait_for_selector("#board table button")
    await open_first(desk)


async def thread(channel: Channel, secret: Secret) -> tuple[OpenedCase, Ring]:
    """The thread as the reporter's code opens it."""
    async with httpx.AsyncClient(base_url=channel.address, timeout=30) as client:
        house, chain, _ = read_lists((await client.get("/concern/keyring.json")).json())
        assert house is not None and isinstance(chain, Chain)
        me = Reporter(codes.derive(secret, bytes.fromhex(house.salt)))
        file = (
            await client.post("/concern/thread", json={"locator": me.keys.locator.hex(), "auth": me.keys.auth.hex()})
        ).json()
    epochs = [
        SealedEpochRow(e["stream"], e["number"], b64decode(e["wrap"]), b64decode(e["link"]), e["at"])
        for e in file["epochs"]
    ]
    rows = [SealedLetter(m["stream"], m["number"], m["epoch"], b64decode(m["sealed"])) for m in file["messages"]]
    return open_case(SealedCase(file["case"], epochs, rows), me.party, house.hash, chain), chain.newest


async def fails(channel: Channel, secret: Secret) -> int:
    """The reporter's word by Python, as her page sends it."""
    opened, ring = await thread(channel, secret)
    assert opened.fold is not None
    async with httpx.AsyncClient(base_url=channel.address, timeout=30) as client:
        me = await reporter(client, secret)
        file = (await client.post("/concern/thread", json=me.proofs)).json()
        rows = sum(row["stream"] == "thread" for row in file["messages"])
        made = acts.fails(opened, ring, me.author, rows, BEGIN, os.urandom)
        answered = await client.post("/concern/reply", json={**me.proofs, **made, "uploads": []})
    return answered.status_code


async def reporter(client: httpx.AsyncClient, secret: Secret) -> Reporter:
    lists: dict[str, Any] = (await client.get("/concern/keyring.json")).json()
    house, _, _ = read_lists(lists)
    assert house is not None
    return Reporter(codes.derive(secret, bytes.fromhex(house.salt)))
