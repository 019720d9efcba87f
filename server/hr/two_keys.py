"""What HR asks for and the representative confirms: a second code for somebody, slips to spare, a higher minimum group size."""

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
from server.hr.links import as_file
from server.hr.waves import wave_page_with
from server.settings import Settings
from surveys.lifecycle import two_keys
from surveys.lifecycle.context import Site
from surveys.lifecycle.planning import PlanRefused
from surveys.people import roster
from surveys.public.waves import WrongState


async def _ask(site: Site, wave: str, data: dict[str, str], what: str) -> None:
    match what:
        case "second":
            people = await roster.numbers_of(data.get("name", ""))
            if len(people) != 1:
                raise PlanRefused("second_which" if people else "second_who")
            await two_keys.ask_second_code(site, wave, people[0])
        case "raise":
            await two_keys.ask_higher_k(site, wave, data.get("family", ""), int(data.get("k", "")))
        case "spare":
            await two_keys.ask_spare_slips(site, wave, int(data.get("slips", "")))
        case _:
            raise NotFoundException


@post("/waves/{wave:str}/two-keys/{what:str}")
async def ask(
    request: AppRequest,
    wave: FromPath[str],
    what: FromPath[str],
    settings: NamedDependency[Settings],
    site: NamedDependency[Site],
) -> Response[str] | Redirect:
    """Ask for something that the representative must confirm."""
    data, language = await checked_form(request), desk_language(request)
    try:
        await _ask(site, wave, data, what)
    except NotFoundException:  # which is a ValueError too
        raise
    except PlanRefused as problem:
        error = say(language, f"hr.refused.{problem.reason}", **problem.figures)
    except WrongState:
        error = say(language, "hr.refused.state")
    except ValueError:
        error = say(language, "hr.refused.form")
    else:
        return done(f"/hr/waves/{wave}", "two_keys_asked")
    return await wave_page_with(request, wave, site, settings, error, refused=Refused(what, data))


@post("/waves/{wave:str}/two-keys/file/{channel:str}", status_code=200)
async def second_codes_file(
    request: AppRequest,
    wave: FromPath[str],
    channel: FromPath[str],
    settings: NamedDependency[Settings],
    site: NamedDependency[Site],
) -> Response[Any] | Redirect:
    """Letters or texts for those alone whose second code was confirmed; made once."""
    await checked_form(request)
    if channel not in ("letter", "sms"):
        raise NotFoundException
    try:
        return await as_file(settings, wave, channel, await two_keys.hand_over(site, wave, channel))
    except WrongState:
        return done(f"/hr/waves/{wave}", "links_not_open")


HANDLERS = (ask, second_codes_file)
