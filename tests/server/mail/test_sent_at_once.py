"""Two people of the office send to everybody in the same moment: nobody gets two messages."""

import asyncio

import pytest

from surveys.lifecycle.context import Site
from surveys.people.tables import Outbox
from surveys.stores import StoreSettings, stores
from tests.conftest import DAY, WAVE
from tests.server.hr.offices import offices
from tests.server.mail.inbox import open_for

PEOPLE = 32


@pytest.mark.parametrize("message", ["invite", "remind", "remind_missing"])
async def test_of_two_who_send_at_once_everybody_is_sent_one_message(
    store_settings: StoreSettings, message: str
) -> None:
    """Done from outside: on PostgreSQL 64 messages waited for 32 people, and the link of the first was dead with the second."""
    async with stores(store_settings) as engines:
        await open_for(Site(engines, store_settings.data, DAY, "direzione"), "email", PEOPLE)
    async with offices(store_settings) as desk:
        for _ in range(6):
            sent = await asyncio.gather(
                *(desk.post(f"/hr/waves/{WAVE}/links/{message}", who) for who in ("direzione", "risorse"))
            )
            assert {one.status_code for one in sent} == {303}
            members = [row["member"] for row in await Outbox.select(Outbox.member)]
            assert len(members) == len(set(members)) == PEOPLE
