"""Personal links for HR: invite, remind, print letters, give texts to a gateway. Listed by name is only whose address failed."""

from collections.abc import Sequence
from typing import Any

from litestar import Response, post
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from litestar.response import Redirect

from server.frame.asked import AppRequest
from server.frame.security import checked_form
from server.frame.signed_in import done
from server.papers.letters import written
from server.settings import Settings
from surveys.lifecycle import issuing
from surveys.lifecycle.context import Site
from surveys.people.links import Invitation
from surveys.public.waves import WrongState


async def as_file(settings: Settings, wave: str, channel: str, drawn: Sequence[Invitation]) -> Response[Any]:
    """Links as a file to download: letters (PDF) or texts (CSV)."""
    content, ending = await written(settings, wave, channel, drawn)
    headers = {"Content-Disposition": f'attachment; filename="{wave}-{channel}.{ending}"'}
    kind = "application/pdf" if ending == "pdf" else "text/csv"
    return Response(content, status_code=200, media_type=kind, headers=headers)


@post("/waves/{wave:str}/links/{what:str}", status_code=200)
async def links_step(
    request: AppRequest,
    wave: FromPath[str],
    what: FromPath[str],
    settings: NamedDependency[Settings],
    site: NamedDependency[Site],
) -> Response[Any] | Redirect:
    """Send, or give a file that is made once: its links replace the older ones."""
    await checked_form(request)
    try:
        if what in issuing.MESSAGES:
            await issuing.put_into_outbox(site, wave, what)
            return done(f"/hr/waves/{wave}", "links_sent")
        if what == "corrected":
            await issuing.invite_corrected(site, wave)
            return done(f"/hr/waves/{wave}", "links_sent")
        if what not in ("letter", "sms"):
            raise NotFoundException
        return await as_file(settings, wave, what, await issuing.hand_over(site, wave, what))
    except WrongState:
        return done(f"/hr/waves/{wave}", "links_not_open")


HANDLERS = (links_step,)
