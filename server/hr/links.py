"""Personal links for HR: invite, remind, print letters, give texts to a gateway. Nobody is listed by name."""

import base64
from collections.abc import Sequence
from typing import Any

from litestar import Request, Response, post
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from litestar.response import Redirect

from server import invitations, workers
from server.desk import done
from server.security import account_of, checked_form
from server.settings import Settings
from surveys.lifecycle import issuing
from surveys.lifecycle.context import House, today
from surveys.people.links import Invitation
from surveys.public.waves import WrongState
from surveys.stores import Engines

KINDS = {"invite": ("invitation", True), "remind": ("reminder", False), "remind_missing": ("reminder", True)}
"""What a button sends, and whether it goes to those alone who have no token yet."""


async def put_into_outbox(house: House, wave: str, what: str) -> int:
    """Write the messages of one button and leave them to the jobs."""
    kind, only_missing = KINDS[what]
    return await issuing.invite_by_mail(house, wave, kind, only_missing=only_missing)


async def handed_over(settings: Settings, house: House, wave: str, channel: str) -> tuple[bytes, str]:
    """New links of a channel as a file to download once: content and ending."""
    return await _written(settings, wave, channel, await issuing.hand_over(house, wave, channel))


async def _written(settings: Settings, wave: str, channel: str, drawn: Sequence[Invitation]) -> tuple[bytes, str]:
    facts = await invitations.about(settings.data, wave)
    if channel == "sms":
        return invitations.text_messages(facts, drawn).encode(), "csv"
    made = await workers.run(settings, "letters", invitations.pages(facts, drawn))
    return base64.b64decode(made["pdf"]), "pdf"


async def as_file(settings: Settings, wave: str, channel: str, drawn: Sequence[Invitation]) -> Response[Any]:
    """Links as a file to download: letters (PDF) or texts (CSV)."""
    content, ending = await _written(settings, wave, channel, drawn)
    headers = {"Content-Disposition": f'attachment; filename="{wave}-{channel}.{ending}"'}
    kind = "application/pdf" if ending == "pdf" else "text/csv"
    return Response(content, status_code=200, media_type=kind, headers=headers)


@post("/waves/{wave:str}/links/{what:str}", status_code=200)
async def links_step(
    request: Request[Any, Any, Any],
    wave: FromPath[str],
    what: FromPath[str],
    engines: NamedDependency[Engines],
    settings: NamedDependency[Settings],
) -> Response[Any] | Redirect:
    """Send, or give a file that is made once: its links replace the older ones."""
    await checked_form(request)
    house = House(engines, settings.data, today(), account_of(request).name)
    try:
        if what in KINDS:
            await put_into_outbox(house, wave, what)
            return done(f"/hr/waves/{wave}", "links_sent")
        if what not in ("letter", "sms"):
            raise NotFoundException
        return await as_file(settings, wave, what, await issuing.hand_over(house, wave, what))
    except WrongState:
        return done(f"/hr/waves/{wave}", "links_not_open")


HANDLERS = (links_step,)
