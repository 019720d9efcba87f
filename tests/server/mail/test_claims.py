"""Two who send: each message leaves once, what a dead one left is taken up after a while, and nothing of a claim stays."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from aiosmtpd.controller import Controller

from server.mail import invitations
from server.settings import Settings
from surveys.lifecycle import issuing
from surveys.lifecycle.context import Site
from surveys.lifecycle.frozen import AddressOther
from surveys.people import links, sending
from surveys.people.sending import CLAIM_SECONDS, Claims
from surveys.people.tables import Outbox
from surveys.public import organisation
from tests.conftest import DAY, ORGANISATION, WAVE
from tests.postgres import free_port
from tests.server.mail.inbox import open_for
from tests.server.operation.machines import SlowInbox


@asynccontextmanager
async def _mail() -> AsyncIterator[tuple[SlowInbox, Any]]:
    inbox = SlowInbox()
    server = Controller(inbox, hostname="127.0.0.1", port=free_port())
    server.start()
    try:
        yield inbox, Settings(stores=None, smtp=f"smtp://127.0.0.1:{server.port}", mail_from="ascolto@prova.invalid")  # type: ignore[arg-type]  # sending needs no store
    finally:
        server.stop()


async def _put_out(site: Site) -> None:
    await open_for(site, "email")
    await issuing.invite_by_mail(site, WAVE, "invitation", only_missing=False)


async def test_of_two_who_send_at_once_one_alone_sends_each_message(site: Site) -> None:
    await _put_out(site)
    async with _mail() as (inbox, settings):
        sent = await asyncio.gather(*(invitations.send_due(settings, site) for _ in range(2)))
    assert (sum(sent), min(sent) > 0) == (36, True)
    assert set(inbox.addresses().values()) == {1}
    assert all([await links.find(link) is not None for link in inbox.links()])


async def test_a_row_that_left_tells_a_day_and_nothing_of_who_sent_it_or_when(site: Site) -> None:
    await _put_out(site)
    async with _mail() as (_, settings):
        await invitations.send_due(settings, site)
    rows = await Outbox.select()
    assert {(row["state"], row["day"], row["claim"], row["member"], row["tries"]) for row in rows} == {
        (links.SENT, DAY, 0, 0, 0)
    }
    assert set(rows[0]) == {"id", "wave", "kind", "state", "member", "tries", "day", "named", "claim"}


async def test_a_message_that_a_dead_sender_claimed_is_taken_up_once_it_was_seen_so_for_long(site: Site) -> None:
    await _put_out(site)
    other, people = Claims(), site.engines["people"]
    dead = await sending.claim(people, (await Claims().due(1, 0))[0])
    assert dead is not None and await sending.claim(people, dead) is not None  # as a row that was read after it
    left = (await other.due(100, 1000))[-1]
    assert len(await other.due(100, 1000 + CLAIM_SECONDS - 1)) == 35
    [first, *rest] = await other.due(100, 1000 + CLAIM_SECONDS)
    assert (first.row, len(rest)) == (dead.row, 35) and left.row != dead.row
    assert [type(await sending.claim(people, first)).__name__ for _ in range(2)] == ["Waiting", "NoneType"]
    assert len(await other.due(100, 1000 + 2 * CLAIM_SECONDS)) == 35  # claimed anew: it is new again


async def test_whoever_stood_still_while_another_sent_ends_no_link_that_works(site: Site) -> None:
    await _put_out(site)
    people, [message] = site.engines["people"], await Claims().due(1, 0)
    slow = await sending.claim(people, message)
    assert slow is not None
    taken_up = await sending.claim(people, slow)
    assert taken_up is not None
    newer, older = await links.propose([message.member]), await links.propose([message.member])
    await invitations._keep(people, taken_up, newer, DAY)
    await invitations._keep(people, slow, older, DAY)
    assert [await links.find(one.link) is not None for one in (*newer, *older)] == [True, False]
    assert await links.outbox_counts(WAVE) == {links.SENT: 1, links.WAITING: 35}


async def test_a_service_that_ends_notes_the_message_that_is_with_the_mail_server(site: Site) -> None:
    await _put_out(site)
    async with _mail() as (inbox, settings):
        sender = asyncio.create_task(invitations.send_due(settings, site))
        while len(inbox.arrived) < 5:
            await asyncio.sleep(0.001)
        sender.cancel()
        await asyncio.gather(sender, return_exceptions=True)
        assert (await links.outbox_counts(WAVE))[links.SENT] == len(inbox.arrived) < 36
        assert not await Outbox.exists().where(Outbox.claim != 0)
        await invitations.send_due(settings, site)
    assert set(inbox.addresses().values()) == {1}


async def test_no_message_leaves_any_more_once_the_folder_has_lost_its_hold_on_the_databases(
    postgres_site: Site,
) -> None:
    site = postgres_site
    await _put_out(site)
    presence = site.engines.presence
    assert presence is not None
    async with _mail() as (inbox, settings):
        sender = asyncio.create_task(invitations.send_due(settings, site))
        while len(inbox.arrived) < 5:
            await asyncio.sleep(0.001)
        assert presence._keeping is not None
        presence._keeping.cancel()  # it would take it again at once
        presence._connection.terminate()
        sent = await sender
    assert sent == len(inbox.arrived) < 10
    assert (await links.outbox_counts(WAVE))[links.SENT] == sent


async def test_a_message_that_cannot_be_written_is_claimed_by_nobody(site: Site) -> None:
    await _put_out(site)
    await organisation.save(site.engines["public"], replace(ORGANISATION, address="https://altra.invalid"))
    async with _mail() as (inbox, settings):
        failed = await asyncio.gather(invitations.send_due(settings, site), return_exceptions=True)
    assert isinstance(failed[0], AddressOther) and inbox.arrived == []
    assert not await Outbox.exists().where(Outbox.claim != 0)
