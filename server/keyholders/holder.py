"""A holder at her own device: she makes her words, finds herself in the signed plan, and says so."""

from dataclasses import dataclass
from typing import ClassVar

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from litestar.response import Redirect

from server.frame.asked import AppRequest
from server.frame.pages import Shell, show, static_address
from server.frame.security import DeskAccount, account_of, checked_form
from server.frame.signed_in import Desk, done, frame
from server.frame.texts import say
from server.settings import Settings
from surveys.answers.keys import SEATS
from surveys.answers.plans import PlanOther, SignedPlan
from surveys.lifecycle.context import Site, today
from surveys.lifecycle.planning import PlanRefused, anchored
from surveys.lifecycle.ready import checked_plan, take_confirmation, take_statement
from surveys.public.waves import State, WaveRecord, WrongState
from surveys.public.waves import get as get_wave

SCRIPTS = ("argon.js", "sealing.js", "concern-protocol.js", "signed.js", "holder.js")


@dataclass(frozen=True, slots=True)
class PlanLine:
    """A holder in the plan: her seat, her name, the six words of her statement."""

    seat: str
    name: str
    words: str


@dataclass(frozen=True, slots=True)
class HolderPage:
    """What a holder does on her own device: she makes her words, or finds herself in the plan. Its words are never sent."""

    template: ClassVar[str] = "holder.html"
    shell: Shell
    desk: Desk
    title: str
    wave: str
    place: str
    seat: str
    house: str
    name: str
    day: str
    plan: str
    hash: str
    words: tuple[str, ...]
    lines: tuple[PlanLine, ...]
    scripts: tuple[str, ...]
    list: str


async def holder_page(
    request: AppRequest, record: WaveRecord, house: str, plan: SignedPlan | None = None
) -> Response[str]:
    shell, desk = await frame(request)
    me = account_of(request)
    lines = (
        [PlanLine(say(shell.language, f"desk.seat.{h.seat}"), h.name, " ".join(h.words)) for h in plan.holders]
        if plan
        else []
    )
    page = HolderPage(
        shell,
        desk,
        say(shell.language, "desk.keys.heading"),
        record.id,
        me.role,
        say(shell.language, f"desk.seat.{me.role}"),
        house,
        me.name,
        today().isoformat(),
        plan.text if plan else "",
        plan.hash if plan else "",
        plan.words if plan else (),
        tuple(lines),
        tuple(static_address(name) for name in SCRIPTS),
        static_address("words.txt"),
    )
    return show(page)


@post("/{wave:str}/statement", guards=[DeskAccount(*SEATS)])
async def keep_statement(request: AppRequest, wave: FromPath[str], site: NamedDependency[Site]) -> Redirect:
    """Keep what a holder's device signed: her public halves. Her words are in no form."""
    data, me = await checked_form(request), account_of(request)
    try:
        await take_statement(site, wave, data.get("signed", ""), me.role)
    except (PlanRefused, WrongState):
        return done("/keys", "seat_taken")
    return done("/keys", "secret_kept")


@get("/{wave:str}/plan", guards=[DeskAccount(*SEATS)])
async def plan_page(request: AppRequest, wave: FromPath[str], settings: NamedDependency[Settings]) -> Response[str]:
    """Show a holder the signed plan, in which her own device finds her."""
    record = await get_wave(wave)
    if record.state != State.PLANNED or not record.signed_plan:
        raise NotFoundException
    plan = await checked_plan(settings.data, record)
    return await holder_page(request, record, (await anchored(settings.data))[0].hash, plan)


@post("/{wave:str}/confirm", guards=[DeskAccount(*SEATS)])
async def keep_confirmation(request: AppRequest, wave: FromPath[str], site: NamedDependency[Site]) -> Redirect:
    """Keep the word that a holder stands in the plan, signed on her device."""
    data, me = await checked_form(request), account_of(request)
    try:
        await take_confirmation(site, wave, me.role, data.get("signed", ""))
    except (PlanRefused, PlanOther, WrongState):
        return done("/keys", "plan_not_confirmed")
    return done("/keys", "plan_confirmed")


HANDLERS = [keep_statement, plan_page, keep_confirmation]
