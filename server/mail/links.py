"""Links that go out: into the outbox, or as a file of letters or texts to hand over."""

import base64
from collections.abc import Sequence

from server.mail import invitations
from server.processes import workers
from server.settings import Settings
from surveys.lifecycle import issuing
from surveys.lifecycle.context import Site
from surveys.people.links import Invitation

KINDS = {"invite": ("invitation", True), "remind": ("reminder", False), "remind_missing": ("reminder", True)}
"""What a button sends, and whether it goes to those alone who have no token yet."""


async def put_into_outbox(site: Site, wave: str, what: str) -> int:
    """Write the messages of one button and leave them to the jobs."""
    kind, only_missing = KINDS[what]
    return await issuing.invite_by_mail(site, wave, kind, only_missing=only_missing)


async def handed_over(settings: Settings, site: Site, wave: str, channel: str) -> tuple[bytes, str]:
    """New links of a channel as a file to download once: content and ending."""
    return await written(settings, wave, channel, await issuing.hand_over(site, wave, channel))


async def written(settings: Settings, wave: str, channel: str, drawn: Sequence[Invitation]) -> tuple[bytes, str]:
    facts = await invitations.about(settings.data, wave)
    if channel == "sms":
        return invitations.text_messages(facts, drawn).encode(), "csv"
    made = await workers.run(settings, "letters", invitations.pages(facts, drawn))
    return base64.b64decode(made["pdf"]), "pdf"
