"""The management's promise of a wave, and its answer: written by HR, read by staff."""

from collections.abc import Mapping
from datetime import date

from litestar import Response, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from server.frame.asked import AppRequest
from server.frame.security import checked_form
from server.frame.signed_in import Refused, desk_language, done
from server.frame.texts import say
from server.hr.results import results_page
from server.hr.waves import wave_page_with
from server.results.promise import AnswerForm, answer_form
from server.settings import Settings
from surveys.languages import LANGUAGES
from surveys.legible import legible
from surveys.lifecycle.context import Site, today
from surveys.public import promises
from surveys.public.promises import PromiseRefused


@post("/waves/{wave:str}/promise")
async def sign_promise(
    request: AppRequest, wave: FromPath[str], settings: NamedDependency[Settings], site: NamedDependency[Site]
) -> Response[str] | Redirect:
    """Promise by when the management answers."""
    data = await checked_form(request)
    try:
        due = date.fromisoformat(data.get("due", ""))
        await promises.sign(site.engines["public"], wave, due, legible(data.get("by", "")[:100]), today())
    except PromiseRefused as problem:
        reason = str(problem)
    except ValueError:
        reason = "day"
    else:
        return done(f"/hr/waves/{wave}", "promise_signed")
    said = say(desk_language(request), f"hr.promise.refused.{reason}")
    return await wave_page_with(request, wave, site, settings, said, refused=Refused("promise", data))


@post("/results/{wave:str}/answer")
async def answer(request: AppRequest, wave: FromPath[str], site: NamedDependency[Site]) -> Response[str] | Redirect:
    """Answer what a wave said."""
    data = await checked_form(request)
    if (problem := await _answered(site, wave, data)) is None:
        return done(f"/hr/results/{wave}", "promise_answered")
    return await results_page(request, wave, *await _said_again(request, wave, problem, data))


@post("/waves/{wave:str}/answer")
async def answer_nothing(
    request: AppRequest, wave: FromPath[str], settings: NamedDependency[Settings], site: NamedDependency[Site]
) -> Response[str] | Redirect:
    """Answer of a wave that came to nothing: it has no page of results."""
    data = await checked_form(request)
    if (problem := await _answered(site, wave, data)) is None:
        return done(f"/hr/waves/{wave}", "promise_answered")
    return await wave_page_with(request, wave, site, settings, *await _said_again(request, wave, problem, data))


async def _said_again(
    request: AppRequest, wave: str, problem: PromiseRefused, data: Mapping[str, str]
) -> tuple[str, AnswerForm]:
    """What speaks against an answer, and its form with what was typed."""
    said = say(desk_language(request), f"hr.promise.refused.{problem}")
    return said, await answer_form(wave, data, changed=str(problem) == "changed")


async def _answered(site: Site, wave: str, data: Mapping[str, str]) -> PromiseRefused | None:
    """Take an answer down as a form has it; what speaks against it, or None."""
    said = {
        language: legible(data.get(f"answer_{language}", "")[: promises.LONGEST_ANSWER + 1], lines=True)
        for language in LANGUAGES
    }
    try:
        await promises.answer(
            site.engines["public"], wave, said, legible(data.get("by", "")[:100]), today(), data.get("seen", "")
        )
    except PromiseRefused as problem:
        return problem
    return None


HANDLERS = (sign_promise, answer, answer_nothing)
