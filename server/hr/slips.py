"""Slips for HR: a batch is made and printed, printed again until it is handed over, or given to the representative to be void."""

import base64
from collections.abc import Sequence
from typing import Any

from litestar import Response, post
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from litestar.response import Redirect

from server.frame.asked import AppRequest
from server.frame.security import checked_form
from server.frame.signed_in import Refused, desk_language, done
from server.frame.texts import say
from server.hr.waves import wave_page_with
from server.papers.facts import about_slips
from server.processes import workers
from server.settings import Settings
from surveys.lifecycle import frozen, printing, two_keys
from surveys.lifecycle.context import Site
from surveys.lifecycle.planning import PlanRefused
from surveys.public.waves import WrongState
from surveys.slips import SlipCode

REFUSALS = (frozen.AddressOther, printing.TooManySlips, PlanRefused, WrongState, ValueError)


async def _again(
    request: AppRequest, wave: str, site: Site, settings: Settings, problem: Exception, refused: Refused
) -> Response[str]:
    """The wave's page again, with what is wrong and what was typed."""
    language = desk_language(request)
    match problem:
        case frozen.AddressOther():
            text = say(language, "hr.refused.address")
        case printing.TooManySlips():
            text = say(language, "hr.refused.slips", left=problem.left)
        case PlanRefused():
            text = say(language, f"hr.refused.{problem.reason}", **problem.figures)
        case WrongState():
            text = say(language, "hr.refused.state")
        case _:
            text = say(language, "hr.refused.form")
    return await wave_page_with(request, wave, site, settings, text, refused=refused)


async def _paper(settings: Settings, wave: str, about: dict[str, str], codes: Sequence[SlipCode]) -> Response[bytes]:
    """The PDF of a batch; nothing of it is kept."""
    made = await workers.run(settings, "slips", {"codes": codes, "about": about})
    headers = {"Content-Disposition": f'attachment; filename="{wave}-slips.pdf"'}
    return Response(base64.b64decode(made["pdf"]), media_type="application/pdf", headers=headers)


@post("/waves/{wave:str}/slips", status_code=200)
async def make(
    request: AppRequest,
    wave: FromPath[str],
    settings: NamedDependency[Settings],
    site: NamedDependency[Site],
) -> Response[Any]:
    """Make a batch of slips and stream its PDF."""
    data = await checked_form(request)
    try:
        about = await about_slips(settings.data, wave)  # before: with another address than at the opening none is made
        codes = await printing.print_slips(site, wave, int(data.get("count", "")))
    except REFUSALS as problem:
        return await _again(request, wave, site, settings, problem, Refused("slips", data))
    return await _paper(settings, wave, about, codes)


@post("/waves/{wave:str}/slips/{number:int}/{what:str}", status_code=200)
async def about_a_batch(
    request: AppRequest,
    wave: FromPath[str],
    number: FromPath[int],
    what: FromPath[str],
    settings: NamedDependency[Settings],
    site: NamedDependency[Site],
) -> Response[Any] | Redirect:
    """Print a batch once more, say that it was given out, or ask that it be void."""
    data = await checked_form(request)
    try:
        match what:
            case "again":
                about = await about_slips(settings.data, wave)
                return await _paper(settings, wave, about, await printing.again(site, wave, number))
            case "hand-over":
                await printing.hand_over(site, wave, number)
            case "void":
                await two_keys.ask_void(site, wave, number, int(data.get("spoiled", "")))
            case _:
                raise NotFoundException
    except NotFoundException:  # which is a ValueError too
        raise
    except REFUSALS as problem:
        return await _again(request, wave, site, settings, problem, Refused(f"{what}-{number}", data))
    return done(f"/hr/waves/{wave}", "two_keys_asked" if what == "void" else "slips_handed")


HANDLERS = (make, about_a_batch)
