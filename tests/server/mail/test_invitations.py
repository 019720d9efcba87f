"""Invitations: through a real mail server, in nine languages, wiped when they leave; letters that can be read again."""

import re
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from subprocess import run
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from server.mail import invitations
from server.papers import letters
from server.settings import Settings
from surveys.lifecycle import issuing
from surveys.lifecycle.context import Site
from surveys.people import links, sending
from surveys.people.tables import Outbox, Panel
from tests.conftest import WAVE
from tests.postgres import free_port
from tests.server.mail.inbox import Inbox, open_for


async def test_invitations_reach_everyone_in_her_language_and_are_wiped(sqlite_site: Site) -> None:
    site = sqlite_site
    await open_for(site, "email")
    facts = await invitations.about(site.data, WAVE)
    await issuing.invite_by_mail(site, WAVE, "invitation", only_missing=False)
    inbox = Inbox()
    server = Controller(inbox, hostname="127.0.0.1", port=free_port())
    server.start()
    settings: Any = Settings(stores=None, smtp=f"smtp://127.0.0.1:{server.port}", mail_from="ascolto@prova.invalid")  # type: ignore[arg-type]  # sending needs no store
    try:
        assert await invitations.send_due(settings, site) == 35
        assert await invitations.send_due(settings, site) == 0
    finally:
        server.stop()
    assert await links.outbox_counts(WAVE) == {"sent": 35, "failed": 1}
    assert {row["member"] for row in await Outbox.select().where(Outbox.state == links.SENT)} == {0}
    messages = [message_from_bytes(content, policy=default) for content in inbox.arrived]
    found = [re.findall(r"https://\S+/answer#l=([\w-]{22})\.([0-9a-f]{32})", str(m.get_content()))[0] for m in messages]
    assert len({link for link, _ in found}) == 35 and {mark for _, mark in found} == {facts.mark}
    assert all([await links.find(link) is not None for link, _ in found])
    assert len({str(m["Subject"]) for m in messages}) == 9  # one wording for each language
    assert not any("Persona" in str(m.get_content()) for m in messages)
    assert {str(m["Date"])[17:25] for m in messages} == {"09:00:00"}


async def test_a_mail_server_that_is_away_keeps_messages_waiting_and_earlier_links_working(sqlite_site: Site) -> None:
    await open_for(sqlite_site, "email")
    await issuing.invite_by_mail(sqlite_site, WAVE, "reminder", only_missing=True)
    drawn = await links.draw(sqlite_site.engines["people"], await links.members_of(WAVE, "email", only_missing=True))
    settings: Any = Settings(stores=None, smtp=f"smtp://127.0.0.1:{free_port()}")  # type: ignore[arg-type]  # nobody listens there
    for _ in range(sending.TRIES + 1):  # however often it is tried
        assert await invitations.send_due(settings, sqlite_site) == 0
    assert all([await links.find(invitation.link) is not None for invitation in drawn])
    assert await links.outbox_counts(WAVE) == {"waiting": 36}


@pytest.mark.parametrize("trouble", ["later", "drops"])
async def test_one_address_that_waits_or_breaks_the_connection_keeps_no_other_waiting(
    sqlite_site: Site, trouble: str
) -> None:
    """Done from outside: behind one such address 40 of 47 messages waited for ever; "try again later" was taken for a refusal."""
    await open_for(sqlite_site, "email")
    await issuing.invite_by_mail(sqlite_site, WAVE, "invitation", only_missing=False)
    inbox = Inbox()
    setattr(inbox, trouble, "persona7@prova.invalid")
    server = Controller(inbox, hostname="127.0.0.1", port=free_port())
    server.start()
    settings: Any = Settings(stores=None, smtp=f"smtp://127.0.0.1:{server.port}", mail_from="ascolto@prova.invalid")  # type: ignore[arg-type]  # sending needs no store
    try:
        for _ in range(2):
            await invitations.send_due(settings, sqlite_site)
        assert await links.outbox_counts(WAVE) == {"sent": 34, "waiting": 1, "failed": 1}
        setattr(inbox, trouble, "")
        await invitations.send_due(settings, sqlite_site)
        assert await links.outbox_counts(WAVE) == {"sent": 35, "failed": 1}
    finally:
        server.stop()
    numbers = [message_from_bytes(content, policy=default)["Message-ID"] for content in inbox.arrived]
    assert len(set(numbers)) == len(numbers)
    assert all(re.fullmatch(r"<[0-9a-f]{32}@ascolto\.invalid>", number) for number in numbers)


async def test_whoever_changes_to_a_slip_gets_no_link_by_a_message_that_waits(sqlite_site: Site) -> None:
    """Done from outside: switched while a message waited, she had a slip and a link that worked, and answered twice."""
    await open_for(sqlite_site, "email")
    await issuing.invite_by_mail(sqlite_site, WAVE, "invitation", only_missing=False)
    people = sqlite_site.engines["people"]
    member = (await links.members_of(WAVE, "email", only_missing=True))[7]
    row = await Panel.select(Panel.person).where(Panel.id == member).first()
    assert row is not None
    drawn = await links.propose([member])  # her message is with the mail server at this moment
    assert await links.switch_to_slip(people, WAVE, int(row["person"]))
    assert await Outbox.count().where(Outbox.member == member) == 0
    await links.keep(people, drawn)
    assert await links.find(drawn[0].link) is None


async def test_a_letter_has_a_page_for_each_person_with_a_link_that_works(sqlite_site: Site, tmp_path: Path) -> None:
    site = sqlite_site
    await open_for(site, "letter")
    drawn = await issuing.hand_over(site, WAVE, "letter")
    pdf = tmp_path / "letters.pdf"
    pdf.write_bytes(letters.letter_pages(letters.pages(await invitations.about(site.data, WAVE), drawn)["letters"]))
    pages = run(["pdftotext", "-layout", str(pdf), "-"], check=True, capture_output=True, text=True).stdout.split("\f")
    assert len([page for page in pages if page.strip()]) == 36
    first = next(page for page in pages if drawn[0].name in page)
    assert drawn[0].link[:10] in re.sub(r"\s", "", first)


@pytest.mark.parametrize(
    ("contact", "offered", "channel"),
    [
        ("a@b.it", ("email",), "email"),
        ("a@b.it", ("letter",), "letter"),
        ("a@b.it", (), "slip"),
        ("055 1234567", ("email", "sms"), "sms"),
        ("+39 333 1234567", ("email",), "slip"),
        ("", ("email", "sms", "letter"), "letter"),
        ("interno 12", ("sms",), "slip"),
    ],
)
def test_each_contact_has_one_way(contact: str, offered: tuple[str, ...], channel: str) -> None:
    assert links.channel_for(contact, offered) == channel
