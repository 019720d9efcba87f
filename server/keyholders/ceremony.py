"""Holders: making a secret, and the one ceremony in which two of them release a wave."""

import hashlib
import hmac
from dataclasses import dataclass
from typing import ClassVar

from litestar import Response, Router, get, post
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from litestar.response import Redirect

from server.frame.asked import AppRequest
from server.frame.display import day, text_of
from server.frame.pages import Shell, show
from server.frame.security import DeskAccount, account_of, checked_form
from server.frame.signed_in import Desk, done, frame
from server.frame.texts import say, step_in_words
from server.frame.two_keys import act_in_words
from server.keyholders.holder import HANDLERS as HOLDER_HANDLERS
from server.keyholders.holder import holder_page
from server.keyholders.log_pages import HANDLERS as LOG_HANDLERS
from server.keyholders.log_pages import HeadLine, newest_heads
from server.processes import following
from server.processes.following import failure_in_words, missing_of
from server.settings import Settings
from surveys.answers.keys import SEATS, SecretRefused, read_secret
from surveys.lifecycle.context import Site
from surveys.lifecycle.planning import GUARANTEE, PlanRefused, anchored, draw_secret, seats_of, take_seat
from surveys.people import two_keys
from surveys.public.waves import State, WaveRecord, WrongState, everything, in_state
from surveys.public.waves import get as get_wave
from surveys.stores import Engines

SEALED = (State.OPEN, State.ENDED, State.CLOSED)
"""While sheets wait sealed, the recovery sheet can be printed."""
ROLES = ("hr", "representative", "recovery", GUARANTEE)


@dataclass(frozen=True, slots=True)
class WaveKeys:
    id: str
    title: str
    state: str
    seats: tuple[tuple[str, str], ...]
    free: tuple[tuple[str, str], ...]
    can_confirm: bool
    can_release: bool
    can_read: bool
    has_sheet: bool
    must_destroy: bool


@dataclass(frozen=True, slots=True)
class KeysPage:
    """The waves whose keys this account may make or use."""

    template: ClassVar[str] = "keys.html"
    shell: Shell
    desk: Desk
    title: str
    waves: tuple[WaveKeys, ...]
    asked: tuple[tuple[int, str], ...]
    heads: tuple[HeadLine, ...]


@dataclass(frozen=True, slots=True)
class SecretPage:
    """Eight words, shown once."""

    template: ClassVar[str] = "secret.html"
    shell: Shell
    desk: Desk
    title: str
    wave: str
    seat: str
    place: str
    words: tuple[str, ...]
    expected: str


@dataclass(frozen=True, slots=True)
class ReleasePage:
    """Two secrets, one button, and what is at stake."""

    template: ClassVar[str] = "release.html"
    shell: Shell
    desk: Desk
    title: str
    wave: str
    wave_title: str
    running: bool
    step: str
    without: int
    """So many sheets are missing, and the two keepers may say that they release without them; 0: nothing is asked."""


def _keeps_words(wave: WaveRecord, role: str) -> bool:
    """Whether a holder has not yet said that she destroyed her words."""
    return role in SEATS and role in wave.holders and "destroyed" not in wave.holders[role]


def _wave_keys(wave: WaveRecord, role: str, language: str) -> WaveKeys:
    def seat_line(seat: str) -> str:
        holder = wave.holders.get(seat)
        if holder is None or (seat in SEATS and wave.state == State.PLANNED and "statement" not in holder):
            return say(language, "desk.keys.not_made")
        if "destroyed" in holder:
            return say(language, "desk.keys.destroyed", holder=holder["holder"], day=day(holder["destroyed"], language))
        return say(language, "desk.keys.made", holder=holder["holder"], day=day(holder["day"], language))

    seats = seats_of(wave)
    made = wave.statements()
    missing = [seat for seat in seats if seat not in (made if seat in SEATS else wave.holders)]
    mine = [seat for seat in missing if seat == role and wave.state == State.PLANNED]
    confirms = (
        wave.state == State.PLANNED and bool(wave.signed_plan) and role in SEATS and role not in wave.confirmations
    )
    return WaveKeys(
        wave.id,
        text_of(wave.title, language),
        say(language, f"desk.state.{wave.state.value.replace(' ', '_')}"),
        tuple((say(language, f"desk.seat.{seat}"), seat_line(seat)) for seat in seats),
        tuple((seat, say(language, f"desk.seat.{seat}")) for seat in mine),
        confirms,
        wave.state == State.CLOSED and role in SEATS,
        role == GUARANTEE and wave.state == State.RELEASED,
        role == "recovery" and wave.state in SEALED,
        wave.state == State.RELEASED and _keeps_words(wave, role),
    )


@get("/")
async def keys(request: AppRequest, settings: NamedDependency[Settings]) -> Response[str]:
    """Show every wave whose keys are not yet used up."""
    shell, desk = await frame(request)
    live = {State.PLANNED, State.READY, *SEALED}
    waves = tuple(
        _wave_keys(w, desk.role, shell.language)
        for w in await everything()
        if w.state in live or (w.state == State.RELEASED and (desk.role == GUARANTEE or _keeps_words(w, desk.role)))
    )
    asked = await _asked(shell.language) if desk.role == "representative" else ()
    kept = await newest_heads(settings, shell.language) if desk.role == "representative" else ()
    return show(KeysPage(shell, desk, say(shell.language, "desk.keys.heading"), waves, asked, kept))


async def _asked(language: str) -> tuple[tuple[int, str], ...]:
    acts = [act for wave in await in_state(State.OPEN) for act in await two_keys.of_wave(wave.id)]
    return tuple([(act.id, await act_in_words(act, language)) for act in acts if act.state == two_keys.ASKED])


def _mark(secret: str, form: str) -> str:
    """What the page keeps of the words it showed, to compare the repetition; bound to the session."""
    return hmac.new(form.encode(), secret.encode(), hashlib.sha256).hexdigest()


async def _show_secret(request: AppRequest, wave: str, seat: str, error: str = "") -> Response[str]:
    shell, desk = await frame(request, error=error)
    secret = draw_secret()
    page = SecretPage(
        shell,
        desk,
        say(shell.language, "desk.keys.heading"),
        wave,
        say(shell.language, f"desk.seat.{seat}"),
        seat,
        tuple(secret.split()),
        _mark(secret, desk.form),
    )
    return show(page, status=422 if error else 200)


def _own_seat(request: AppRequest, seat: str) -> None:
    if account_of(request).role != seat:
        raise NotFoundException


@post("/{wave:str}/{seat:str}/secret", status_code=200)
async def make_secret(
    request: AppRequest,
    wave: FromPath[str],
    seat: FromPath[str],
    settings: NamedDependency[Settings],
) -> Response[str] | Redirect:
    """Let a holder's device draw her words; the guarantee team's are drawn here, shown once, and kept by nobody."""
    await checked_form(request)
    _own_seat(request, seat)
    record = await get_wave(wave)
    if seat == GUARANTEE:
        return await _show_secret(request, record.id, seat)
    try:
        anchor = (await anchored(settings.data))[0].hash
    except PlanRefused:
        return done("/keys", "plan_not_confirmed")
    return await holder_page(request, record, anchor)


@post("/{wave:str}/{seat:str}")
async def keep_secret(
    request: AppRequest, wave: FromPath[str], seat: FromPath[str], site: NamedDependency[Site]
) -> Response[str] | Redirect:
    """Keep the public half when the words were repeated right; else show new words."""
    data = await checked_form(request)
    _own_seat(request, seat)
    shell, desk = await frame(request)
    if seat != GUARANTEE:
        raise NotFoundException
    try:
        secret = read_secret(data.get("secret", ""))
        if not hmac.compare_digest(_mark(secret, desk.form).encode(), data.get("expected", "").encode()):
            raise SecretRefused("not the words that were shown")
        await take_seat(site, wave, secret)
    except SecretRefused:
        return await _show_secret(request, wave, seat, say(shell.language, "desk.secret.differs"))
    except (PlanRefused, WrongState):
        return done("/keys", "seat_taken")
    return done("/keys", "secret_kept")


async def _release_page(
    request: AppRequest, wave: str, *, step: str | None = None, error: str = "", without: int = 0
) -> Response[str]:
    """The ceremony; its form, or the step of the release that runs."""
    shell, desk = await frame(request, error=error)
    title = text_of((await get_wave(wave)).title, shell.language)
    in_words = step_in_words(shell.language, step) if step else ""
    page = ReleasePage(
        shell, desk, say(shell.language, "desk.keys.release"), wave, title, step is not None, in_words, without
    )
    return show(page, status=422 if error else 200)


@get("/{wave:str}/release", guards=[DeskAccount(*SEATS)])
async def release_page(
    request: AppRequest, wave: FromPath[str], settings: NamedDependency[Settings]
) -> Response[str] | Redirect:
    """Show the ceremony, its progress, or its result."""
    record = await get_wave(wave)
    found = await following.look(settings.data, wave)
    if found and not found.finished:
        return await _release_page(request, wave, step=found.step)
    if record.state == State.RELEASED:
        return Redirect(f"/results/{wave}", status_code=303)
    if found and found.failed:
        error = failure_in_words((await frame(request))[0].language, found.failed)
        return await _release_page(request, wave, error=error, without=missing_of(found.failed))
    return await _release_page(request, wave)


@post("/{wave:str}/release", guards=[DeskAccount(*SEATS)])
async def release(
    request: AppRequest,
    wave: FromPath[str],
    settings: NamedDependency[Settings],
    engines: NamedDependency[Engines],
) -> Response[str] | Redirect:
    """Begin the release in a process of its own, unless one runs already."""
    data = await checked_form(request)
    if (await get_wave(wave)).state != State.CLOSED:
        return await _release_page(request, wave, error=say((await frame(request))[0].language, "desk.failed.state"))
    without = int(given) if (given := data.get("without", "")).isdecimal() and len(given) < 6 else 0
    secrets: dict[str, str | int] = {
        "first": data.get("first", ""),
        "second": data.get("second", ""),
        "actor": account_of(request).name,
        "without": without,
    }
    await following.release(settings, engines, wave, secrets)
    return Redirect(f"/keys/{wave}/release", status_code=303)


ROUTERS = [
    Router(
        path="/keys",
        guards=[DeskAccount(*ROLES)],
        route_handlers=[keys, make_secret, *HOLDER_HANDLERS, keep_secret, release_page, release, *LOG_HANDLERS],
    )
]
