"""What the office types is kept as letters that can be seen: nothing that breaks a mail, hides, or turns a line round."""

from dataclasses import asdict, replace
from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import default
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from server.mail import invitations, post
from server.settings import Settings
from surveys.legible import legible
from surveys.lifecycle import issuing
from surveys.lifecycle.context import Site
from surveys.people import links
from surveys.public import actions, organisation
from surveys.stores import StoreSettings, stores
from tests.conftest import DAY, ORGANISATION, WAVE
from tests.postgres import free_port
from tests.server.hr.offices import offices
from tests.server.mail.inbox import Inbox, open_for

ODD = [
    "Coop\vSociale",
    "Coop\u2028Sociale",
    "Coop\r\nSociale",
    "Coop\r\nBcc:\tx@prova.invalid",
    "Coop \u202eSoc\u200biale",
]
"""Names as a word processor gives them to whoever copies, and as somebody would who means harm."""


@pytest.mark.parametrize("name", ODD)
async def test_an_organisation_s_name_that_was_copied_with_its_line_break_stops_no_invitation(
    sqlite_settings: StoreSettings, name: str
) -> None:
    """Done from outside: each of 32 messages failed for good, and each address was named as wrong."""
    async with stores(sqlite_settings) as engines:
        await open_for(Site(engines, sqlite_settings.data, DAY, "direzione"), "email", 32)
    inbox = Inbox()
    server = Controller(inbox, hostname="127.0.0.1", port=free_port())
    async with offices(sqlite_settings) as desk:
        known = asdict(ORGANISATION) | asdict(ORGANISATION.notice) | {"name": name}
        fields = {key: value for key, value in known.items() if isinstance(value, str)}
        kept = await desk.post("/hr/organisation?lang=it", **fields, seen=organisation.shown(ORGANISATION))
        assert kept.status_code == 303
        site = Site(desk.engines, sqlite_settings.data, DAY, "direzione")
        await issuing.invite_by_mail(site, WAVE, "invitation", only_missing=False)
        settings: Any = Settings(stores=None, smtp=f"smtp://127.0.0.1:{server.port}", mail_from="a@prova.invalid")  # type: ignore[arg-type]  # sending needs no store
        server.start()
        try:
            await invitations.send_due(settings, site)
        finally:
            server.stop()
        assert await links.outbox_counts(WAVE) == {"sent": 31, "failed": 1}  # one address is refused by its server
        assert (await organisation.load() or ORGANISATION).name == legible(name)
    sent = [message_from_bytes(content, policy=default) for content in inbox.arrived]
    assert all(legible(name) in str(one["Subject"]) and one["Bcc"] is None for one in sent)


@pytest.mark.parametrize("name", ODD)
def test_a_name_that_was_kept_before_makes_a_subject_of_one_line(name: str) -> None:
    made = post.message("a@prova.invalid", "b@prova.invalid", f"{name}: il tuo link", "x", datetime.now(UTC), 9)
    assert made["Subject"] == f"{legible(name)}: il tuo link"


async def test_what_is_written_for_staff_keeps_its_words_apart_and_hides_nothing(
    sqlite_settings: StoreSettings,
) -> None:
    """Done from outside: "entro il 5 maggio", copied with the blank that keeps a line together, was "entro il 5maggio"."""
    typed, read = "Turni entro il 5\u00a0maggio\u202e\u2009!\r\nPoi\tbasta", "Turni entro il 5 maggio !\nPoi basta"
    async with offices(sqlite_settings) as desk:
        await organisation.save(desk.engines["public"], replace(ORGANISATION))
        fields = {"text": typed, "owner": "Capo\u00a0turno\n", "due": "2027-05-05"}
        assert (await desk.post("/hr/actions", **fields)).status_code == 303
        [action] = await actions.everything()
        assert (action.text, action.owner) == (read, "Capo turno")
        kept = {"name": "C", "controller": typed, "referente": "La\u00a0Rossi\u202e", "contact_name_1": "Sportello\v1"}
        assert (await desk.post("/hr/organisation", **kept, seen=organisation.shown(ORGANISATION))).status_code == 303
        found = await organisation.load()
        assert found is not None
        assert (found.notice.controller, found.referente, found.contacts[0].name) == (read, "La Rossi", "Sportello 1")
