"""HR's scorecard: as it stands, on a copy, and kept for the years."""

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from server.certification.years import kept_page, kept_text, scorecard_page
from server.frame.asked import AppRequest
from server.frame.security import checked_form
from server.frame.signed_in import done
from surveys import scorecards
from surveys.lifecycle.context import Site

BASE = "/hr/scorecard"


@get("/scorecard")
async def card(request: AppRequest) -> Response[str]:
    """Show the scorecard."""
    return await scorecard_page(request, BASE, can_keep=True)


@post("/scorecard")
async def keep(request: AppRequest, site: NamedDependency[Site]) -> Redirect:
    """Keep the scorecard as it stands today."""
    await checked_form(request)
    await scorecards.keep(site)
    return done(BASE, "scorecard_kept")


@get("/scorecard/{name:str}")
async def kept(request: AppRequest, name: FromPath[str]) -> Response[str]:
    """Show a kept scorecard."""
    return await kept_page(request, name, BASE)


@get("/scorecard/{name:str}/signed.json")
async def signed(name: FromPath[str]) -> Response[str]:
    """Give a kept scorecard as it was signed."""
    return await kept_text(name)


HANDLERS = (card, keep, kept, signed)
