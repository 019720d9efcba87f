"""A mail server on loopback, and a wave that invites by mail."""

from dataclasses import replace
from datetime import timedelta

from aiosmtpd.smtp import SMTP, Envelope, Session

from surveys.languages import LANGUAGES
from surveys.lifecycle import opening
from surveys.lifecycle.context import Site
from surveys.lifecycle.planning import Wish, plan
from surveys.people import roster
from surveys.public import organisation
from tests.conftest import ORGANISATION, WAVE, small_cooperative
from tests.urn import anchor, get_ready


class Inbox:
    """A mail server's handler: keeps what arrives, refuses one address for good and another for now."""

    def __init__(self) -> None:
        self.arrived: list[bytes] = []
        self.later = self.drops = ""

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:  # the library's name
        if address.startswith("rifiutata"):
            return "550 no such person"
        if address == self.later:
            return "450 try again later"
        if address == self.drops and session.peer is not None:
            assert server.transport is not None
            server.transport.close()
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # the library's name
        self.arrived.append(envelope.content if isinstance(envelope.content, bytes) else b"")
        return "250 OK"


async def open_for(site: Site, channel: str, people: int = 36) -> None:
    """A wave that is open from the site's day on; the address of the first of its people is refused."""
    units, persons = small_cooperative(people)
    persons = [
        replace(
            p,
            contact={"email": f"{'persona' if i else 'rifiutata'}{i}@prova.invalid", "sms": f"+39 333 {i:07d}"}.get(
                channel, ""
            ),
            language=LANGUAGES[i % 9],
            number=str(i),
        )
        for i, p in enumerate(persons)
    ]
    await organisation.save(site.engines["public"], ORGANISATION)
    await roster.replace(site.engines["people"], units, persons, site.day - timedelta(days=30))
    await anchor(site)
    await plan(
        site, Wish(WAVE, {"it": "Autunno"}, site.day, site.day + timedelta(days=14), form="pulse", channels=(channel,))
    )
    await get_ready(site, WAVE)
    await opening.open_wave(site, WAVE)
