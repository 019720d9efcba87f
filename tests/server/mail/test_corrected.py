"""A corrected address while a survey is open: the invitation stays hers, and what failed is sent to the new one, by real mail."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from email import message_from_bytes
from email.policy import default
from html import unescape
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from server.frame.texts import say
from server.mail import invitations
from server.settings import Settings
from surveys import blind
from surveys.lifecycle import issuing
from surveys.lifecycle.context import Site
from surveys.people import links, lists, log, roster, undelivered
from surveys.people.matching import PersonEntry
from surveys.people.tables import Outbox, Panel
from surveys.public import waves
from surveys.stores import StoreSettings, stores
from tests.conftest import DAY, WAVE
from tests.postgres import free_port
from tests.server.hr.offices import offices
from tests.server.mail.inbox import Inbox, open_for


@asynccontextmanager
async def _mail() -> AsyncIterator[tuple[Inbox, Any]]:
    inbox = Inbox()
    server = Controller(inbox, hostname="127.0.0.1", port=free_port())
    server.start()
    try:
        yield inbox, Settings(stores=None, smtp=f"smtp://127.0.0.1:{server.port}", mail_from="ascolto@prova.invalid")  # type: ignore[arg-type]  # sending needs no store
    finally:
        server.stop()


async def _correct(site: Site, **said: Any) -> None:
    """Import the same list again, in which the person with number 0 is another in this."""
    entries = [known.entry for known in await roster.everyone()]
    new = [replace(entry, **said) if entry.number == "0" else entry for entry in entries]
    await roster.replace(site.engines["people"], await roster.units(), new, DAY)


def _letters(inbox: Inbox, to: str) -> list[str]:
    found = [message_from_bytes(content, policy=default) for content in inbox.arrived]
    return [str(one.get_content()) for one in found if one["To"] == to]


async def _first() -> tuple[PersonEntry, dict[str, Any]]:
    known = next(one for one in await roster.everyone() if one.entry.number == "0")
    row = await Panel.select().where((Panel.wave == WAVE) & (Panel.person == known.id)).first()
    assert row is not None
    return known.entry, row


async def test_a_failed_address_is_named_corrected_and_invited_again(site: Site) -> None:
    """Could lose an invitation: 99 sent, 1 failed, no name, no remedy."""
    await open_for(site, "email")
    async with _mail() as (inbox, settings):
        await issuing.invite_by_mail(site, WAVE, "invitation", only_missing=True)
        assert await invitations.send_due(settings, site) == 35
        [one] = await undelivered.failed(WAVE)
        assert (one.name, one.contact) == ("Persona 0", "rifiutata0@prova.invalid")
        await _correct(site, name="Persona Zero", unit="fi.cura", contact="giusta@prova.invalid")
        assert await undelivered.failed(WAVE) == []
        assert [one.contact for one in await undelivered.mended(WAVE)] == ["giusta@prova.invalid"]
        assert await invitations.send_due(settings, site) == 0  # not before HR says so
        assert await issuing.invite_corrected(site, WAVE) == 1
        assert await invitations.send_due(settings, site) == 1
        [letter] = _letters(inbox, "giusta@prova.invalid")
    [(link, _)] = re.findall(r"https://\S+/answer#l=([\w-]{22})\.([0-9a-f]{32})", letter)
    record = await waves.get(WAVE)
    z, _ = blind.blind(blind.PublicKey.from_der(record.token_key), blind.prepare(b"m" * 32))
    assert await issuing.issue(site, link, z)
    assert await undelivered.mended(WAVE) == [] and await links.outbox_counts(WAVE) == {"sent": 36}
    assert {row["member"] for row in await Outbox.select()} == {0}
    assert (await log.read())[-1].details == {"n": "1", "wave": WAVE}


async def test_a_link_survives_a_new_name_and_unit_and_a_new_address_ends_it_with_the_next_message(
    sqlite_site: Site,
) -> None:
    site = sqlite_site
    await open_for(site, "email")
    async with _mail() as (inbox, settings):
        await _correct(site, contact="prima@prova.invalid")  # before anything left: the first message goes there
        await issuing.invite_by_mail(site, WAVE, "invitation", only_missing=True)
        assert await undelivered.mended(WAVE) == [] and await invitations.send_due(settings, site) == 36
        before = (await _first())[1]
        await _correct(site, name="Persona Zero", unit="fi.cura")
        assert (await _first())[1] == before and await undelivered.mended(WAVE) == []
        await _correct(site, contact="seconda@prova.invalid")
        assert (await _first())[1] == before and len(await undelivered.mended(WAVE)) == 1
        await issuing.invite_corrected(site, WAVE)
        await invitations.send_due(settings, site)
        assert (await _first())[1] == before | {"link": (await _first())[1]["link"]} != before
        assert len(_letters(inbox, "prima@prova.invalid")) == len(_letters(inbox, "seconda@prova.invalid")) == 1


@pytest.mark.parametrize("has_a_code", [False, True])
async def test_no_list_of_addresses_tells_who_has_a_code(sqlite_site: Site, has_a_code: bool) -> None:
    """Of a message to those alone who have no code: neither that it failed nor that it waits is told of anybody."""
    site = sqlite_site
    await open_for(site, "email")
    async with _mail() as (_, settings):
        await _correct(site, contact="prima@prova.invalid")
        await issuing.invite_by_mail(site, WAVE, "invitation", only_missing=True)
        await invitations.send_due(settings, site)
        first = int((await _first())[1]["id"])  # a panel has no order: the last of it may be the first person
        someone = next(one for one in await links.members_of(WAVE, "email", only_missing=True) if one != first)
        await Panel.update({Panel.issued: DAY}).where(Panel.id == someone)  # not everybody lacks one any more
        if has_a_code:
            await Panel.update({Panel.issued: DAY}).where(Panel.id == first)
        await issuing.invite_by_mail(site, WAVE, "reminder", only_missing=True)
        await _correct(site, contact="rifiutata@prova.invalid")  # while the reminder waits
        assert len(await undelivered.mended(WAVE)) == 1
        await invitations.send_due(settings, site)
        assert (await links.outbox_counts(WAVE)).get("failed", 0) == (0 if has_a_code else 1)
        assert await undelivered.failed(WAVE) == [] and len(await undelivered.mended(WAVE)) == 1
        await issuing.invite_corrected(site, WAVE)
        await invitations.send_due(settings, site)
        assert [one.contact for one in await undelivered.failed(WAVE)] == ["rifiutata@prova.invalid"]
        await issuing.invite_by_mail(site, WAVE, "reminder", only_missing=False)
        assert await undelivered.failed(WAVE) == []  # until that one fails too
        await invitations.send_due(settings, site)
        assert len(await undelivered.failed(WAVE)) == 1
        if not has_a_code:
            await Panel.update({Panel.issued: None}).where(Panel.wave == WAVE)


async def test_the_page_of_a_survey_names_whose_address_failed_and_sends_what_was_corrected(
    sqlite_settings: StoreSettings,
) -> None:
    async with stores(sqlite_settings) as engines:
        site = Site(engines, sqlite_settings.data, DAY, "hr")
        await open_for(site, "email")
        await issuing.invite_by_mail(site, WAVE, "invitation", only_missing=True)
        async with _mail() as (_, settings):
            await invitations.send_due(settings, site)
    async with offices(sqlite_settings) as here:
        page = unescape((await here.get(f"/hr/waves/{WAVE}?lang=it")).text)
        assert "Indirizzi che non funzionano: 1" in page and "Persona 0</a>: rifiutata0@prova.invalid" in page
        assert "Persona 1" not in page and "Invia agli indirizzi corretti" not in page
        await _correct(replace(site, engines=here.engines), contact="giusta@prova.invalid")
        page = unescape((await here.get(f"/hr/waves/{WAVE}?lang=it")).text)
        assert "Indirizzi che non funzionano" not in page and "Invia agli indirizzi corretti" in page
        answered = await here.post(f"/hr/waves/{WAVE}/links/corrected?lang=it")
        assert answered.headers["location"].endswith("done=links_sent")
        assert await links.outbox_counts(WAVE) == {"sent": 35, "waiting": 1}
        assert "giusta@prova.invalid" not in (await here.get(f"/hr/waves/{WAVE}?lang=it")).text


async def test_the_page_of_a_survey_says_no_number_of_messages_that_wait_or_failed(
    sqlite_settings: StoreSettings,
) -> None:
    """Done from outside: after a reminder to those without a code the number told whether one named person had one."""
    async with stores(sqlite_settings) as engines:
        site = Site(engines, sqlite_settings.data, DAY, "hr")
        await open_for(site, "email")
        await issuing.invite_by_mail(site, WAVE, "invitation", only_missing=True)
    async with offices(sqlite_settings) as here:
        site = replace(site, engines=here.engines)
        members = await links.members_of(WAVE, "email", only_missing=True)
        pages = []
        for with_a_code in (members[:1], members[:2]):
            await Panel.update({Panel.issued: DAY}).where(Panel.id.is_in(with_a_code))
            await issuing.invite_by_mail(site, WAVE, "reminder", only_missing=True)
            page = (await here.get(f"/hr/waves/{WAVE}?lang=it")).text
            pages.append(re.sub(r'name="_form" value="[^"]*"', "", page))
        assert pages[0] == pages[1] and say("it", "hr.links.outbox_waiting") in unescape(pages[0])


async def test_one_person_alone_with_an_address_is_not_named_by_a_reminder_to_those_without_a_code(
    sqlite_site: Site,
) -> None:
    """Could leak: a reminder to those alone that reaches everybody says of each that she has none."""
    await open_for(sqlite_site, "email")
    for kind in ("invitation", "reminder"):
        await issuing.invite_by_mail(sqlite_site, WAVE, kind, only_missing=True)
        assert {row["named"] for row in await Outbox.select()} == {kind == "invitation"}


@pytest.mark.parametrize("way", ["a new list", "undone"])
async def test_who_was_left_out_of_a_list_and_is_back_has_her_invitation_sent_to_the_address_that_she_has_now(
    site: Site, way: str
) -> None:
    """Done from outside: a list without her was taken while messages left. Back by the next list, or as that was undone, she was named
    as somebody whose address failed, which nobody had tried, and nothing sent her invitation."""
    people, address = (
        site.engines["people"],
        "tornata@prova.invalid" if way == "a new list" else "rifiutata0@prova.invalid",
    )
    await open_for(site, "email")
    entries = [known.entry for known in await roster.everyone()]
    async with _mail() as (inbox, settings):
        await issuing.invite_by_mail(site, WAVE, "invitation", only_missing=True)
        async with roster.alone(people):
            await lists.keep_before(DAY, "hr")
            await roster.replace(people, await roster.units(), [one for one in entries if one.number != "0"], DAY)
        await invitations.send_due(settings, site)
        assert await undelivered.failed(WAVE) == []  # she is not on the list
        if way == "undone":
            assert await lists.take_back(people, DAY) is not None
        else:
            back = [replace(one, contact=address) if one.number == "0" else one for one in entries]
            await roster.replace(people, await roster.units(), back, DAY)
        assert await undelivered.failed(WAVE) == []
        assert [one.contact for one in await undelivered.mended(WAVE)] == [address]
        assert await issuing.invite_corrected(site, WAVE) == 1
        await invitations.send_due(settings, site)
        assert len(_letters(inbox, address)) == (way == "a new list")
