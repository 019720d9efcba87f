"""Waves for HR: planning, opening, slips, a later end, closing. Every step says what it will do before it does it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import ClassVar

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from litestar.response import Redirect

from server.frame.asked import AppRequest
from server.frame.display import day, text_of
from server.frame.pages import Shell, show
from server.frame.security import checked_form
from server.frame.signed_in import NOTHING_REFUSED, Desk, Refused, desk_language, done, frame
from server.frame.texts import say
from server.frame.two_keys import act_in_words
from server.processes import patient
from server.results.promise import AnswerForm, PromiseWords, answer_form, promise_of
from server.results.reading import groups_of
from server.settings import Settings
from surveys.answers import batches
from surveys.legible import legible
from surveys.lifecycle import closing, opening, printing
from surveys.lifecycle.context import Site, today
from surveys.lifecycle.planning import GUARANTEE, LONGEST, PlanRefused, Wish, plan
from surveys.lifecycle.two_keys import ask_end, cap, is_early
from surveys.people import accounts, roster, two_keys, undelivered
from surveys.people.links import CHANNELS, channel_of, outbox_counts
from surveys.people.panel import PanelRefused
from surveys.people.undelivered import Addressee
from surveys.public import waves
from surveys.public.promises import BROKEN_OFF, can_promise
from surveys.public.waves import State, WaveRecord, WrongState

PROMISED_AFTER = timedelta(days=45)
"""So long after a wave's end the form proposes to answer."""


@dataclass(frozen=True, slots=True)
class WaveLine:
    id: str
    title: str
    state: str
    dates: str


@dataclass(frozen=True, slots=True)
class WavesPage:
    """All waves, newest first."""

    template: ClassVar[str] = "waves.html"
    shell: Shell
    desk: Desk
    title: str
    waves: tuple[WaveLine, ...]
    unreadable: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PlannerPage:
    """Four steps on one page: questions, people, groups and rules, dates."""

    template: ClassVar[str] = "planner.html"
    shell: Shell
    desk: Desk
    title: str
    given: dict[str, str]
    units: tuple[tuple[str, str], ...]
    people: int
    starts: str
    ends: str
    longest: int
    guarantors: int
    """How many accounts may read comments: each is let out by two."""


@dataclass(frozen=True, slots=True)
class WaveHrPage:
    """One wave: its state, what it lacks, and the next step."""

    template: ClassVar[str] = "wave_hr.html"
    shell: Shell
    desk: Desk
    title: str
    wave: str
    state_key: str
    state: str
    facts: tuple[tuple[str, str], ...]
    under_way: tuple[int, int] | None
    """How many places of how many an opening that is not over has made."""
    missing: tuple[str, ...]
    seats: tuple[tuple[str, str], ...]
    groups: tuple[tuple[str, str], ...]
    slips_left: int
    slips_printed: int
    batches: tuple["SlipsLine", ...]
    latest_end: str
    channels: tuple[tuple[str, int], ...]
    outbox: dict[str, int]
    failed: tuple["AddressLine", ...]
    mended: tuple["AddressLine", ...]
    has_mail: bool
    two_keys: "TwoKeys"
    promise: PromiseWords | None
    can_promise: bool
    promise_due: str
    answer: AnswerForm | None
    """Of a survey that came to nothing; of others it stands beside the results."""


@dataclass(frozen=True, slots=True)
class AddressLine:
    """Somebody whose address failed, or was corrected since: her number in the list, her name, the address."""

    person: int
    name: str
    contact: str


def _addresses(found: Sequence[Addressee]) -> tuple[AddressLine, ...]:
    return tuple(AddressLine(one.person, one.name, one.contact) for one in found)


@dataclass(frozen=True, slots=True)
class SlipsLine:
    """A batch of slips: its number (0 for what was printed before there were batches), how many, and in words where they are."""

    number: int
    slips: int
    where: str
    can_change: bool


async def _batches(wave: str, language: str) -> tuple[SlipsLine, ...]:
    return tuple(
        SlipsLine(
            batch.number,
            batch.slips,
            say(
                language,
                f"hr.wave.batch_{batch.state}",
                day=day(batch.day, language),
                voided=batch.voided,
                slips=batch.slips,
            ),
            batch.state == batches.PRINTED,
        )
        for batch in await batches.of_wave(wave)
    )


@dataclass(frozen=True, slots=True)
class TwoKeys:
    """What needs two keys: what waits for the representative, what may still be asked, and what is to be handed over."""

    waiting: tuple[str, ...]
    second: int
    cap: int
    thresholds: tuple[tuple[str, str, int], ...]
    files: tuple[str, ...]


async def _two_keys(wave: WaveRecord, language: str) -> TwoKeys:
    acts = await two_keys.of_wave(wave.id)
    ready = [act for act in acts if act.state == two_keys.CONFIRMED]
    channels = sorted({await channel_of(wave.id, act.person) or "" for act in ready})
    thresholds = tuple(
        (family, say(language, f"hr.two_keys.{family}"), k) for family, k in wave.rules.get("k", {}).items()
    )
    return TwoKeys(
        tuple([await act_in_words(act, language) for act in acts if act.state == two_keys.ASKED]),
        two_keys.given(acts),
        cap(wave),
        thresholds,
        tuple(channels),
    )


def _state(wave: WaveRecord, language: str) -> str:
    return say(language, f"desk.state.{wave.state.value.replace(' ', '_')}")


@get("/waves")
async def list_waves(request: AppRequest) -> Response[str]:
    """List all waves."""
    shell, desk = await frame(request)
    language = shell.language
    found, odd = await waves.look()
    lines = tuple(
        WaveLine(
            w.id,
            text_of(w.title, language),
            _state(w, language),
            f"{day(w.starts or w.opened, language)} – {day(w.ends or w.closed, language)}",
        )
        for w in found
    )
    unreadable = tuple(say(language, "hr.waves.unreadable", n=name) for name in odd)
    return show(WavesPage(shell, desk, say(language, "hr.waves.heading"), lines, unreadable))


async def _planner(request: AppRequest, given: dict[str, str], error: str = "") -> Response[str]:
    shell, desk = await frame(request, error=error)
    units = tuple((unit.code, unit.name) for unit in await roster.units() if not unit.parent)
    page = PlannerPage(
        shell,
        desk,
        say(shell.language, "hr.planner.heading"),
        given,
        units,
        await roster.count(),
        given.get("starts") or today().isoformat(),
        given.get("ends") or (today() + timedelta(days=19)).isoformat(),
        LONGEST.days,
        sum(account.role == GUARANTEE for account in await accounts.everyone()),
    )
    return show(page, status=422 if error else 200)


@get("/waves/new")
async def planner(request: AppRequest) -> Response[str]:
    """Show the planner."""
    return await _planner(request, {})


@post("/waves/new")
async def plan_wave(request: AppRequest, site: NamedDependency[Site]) -> Response[str] | Redirect:
    """Plan a wave, or show the form again with what is wrong."""
    data = await checked_form(request)
    language = (await frame(request))[0].language
    try:
        wish = Wish(
            id=data.get("id", "").strip(),
            title={
                "it": legible(data.get("title", "")),
                "en": legible(data.get("title_en", "")) or legible(data.get("title", "")),
            },
            starts=date.fromisoformat(data.get("starts", "")),
            ends=date.fromisoformat(data.get("ends", "")),
            form=data.get("form", "full"),
            unit=data.get("unit", ""),
            demographics=tuple(name for name in ("unit", "gender", "age") if data.get(f"ask_{name}")),
            k={"items": int(data.get("k", "5") or 5)},
            comments=bool(data.get("comments")),
            channels=tuple(name for name in CHANNELS if data.get(f"by_{name}")),
        )
        record = await plan(site, wish)
    except (PlanRefused, PanelRefused) as problem:
        return await _planner(request, data, say(language, f"hr.refused.{problem.reason}", **problem.figures))
    except ValueError:
        return await _planner(request, data, say(language, "hr.refused.form"))
    return done(f"/hr/waves/{record.id}", "wave_planned")


async def wave_page_with(
    request: AppRequest,
    wave_id: str,
    site: Site,
    settings: Settings,
    error: str = "",
    answer: AnswerForm | None = None,
    refused: Refused = NOTHING_REFUSED,
) -> Response[str]:
    shell, desk = await frame(request, error=error, refused=refused)
    language = shell.language
    wave = await waves.get(wave_id)
    if answer is None and wave.state in BROKEN_OFF:
        answer = await answer_form(wave_id, {})
    gaps = await opening.missing(site, wave) if wave.state in (State.PLANNED, State.READY) else ()
    facts = [
        (say(language, "hr.wave.dates"), f"{day(wave.starts, language)} – {day(wave.ends, language)}"),
        (say(language, "hr.wave.people"), str(wave.invited or wave.panel.get("people", ""))),
    ]
    if wave.slips:
        facts.append((say(language, "hr.wave.slips"), str(wave.slips)))
    if wave.state == State.OPEN:
        received = "–" if wave.received_tens is None else f"≥ {wave.received_tens}"
        facts.append((say(language, "hr.wave.received"), received))
    page = WaveHrPage(
        shell,
        desk,
        text_of(wave.title, language),
        wave.id,
        wave.state.value.replace(" ", "_"),
        _state(wave, language),
        tuple(facts),
        await opening.progress(wave.id) if wave.state in (State.PLANNED, State.READY) else None,
        tuple(say(language, f"hr.missing.{gap}") for gap in gaps),
        tuple((say(language, f"desk.seat.{seat}"), holder["holder"]) for seat, holder in wave.holders.items()),
        tuple((group.name, wave.headcount_bands.get(group.id, "")) for group in groups_of(wave, language)),
        await printing.slips_left(wave) if wave.invited else 0,
        wave.slips,
        await _batches(wave.id, language),
        str(wave.starts + LONGEST) if wave.starts else "",
        tuple(wave.panel.get("by_channel", {}).items()),
        dict.fromkeys(("waiting", "sent", "failed"), 0) | await outbox_counts(wave.id),
        _addresses(await undelivered.failed(wave.id)),
        _addresses(await undelivered.mended(wave.id)),
        bool(settings.smtp),
        await _two_keys(wave, language),
        promise := await promise_of(wave.id, language, today()),
        wave.origin == "ascolto" and can_promise(wave, promise is not None),
        (max(wave.ends or today(), today()) + PROMISED_AFTER).isoformat(),
        answer,
    )
    return show(page, status=422 if error else 200)


@get("/waves/{wave:str}")
async def wave_page(
    request: AppRequest, wave: FromPath[str], settings: NamedDependency[Settings], site: NamedDependency[Site]
) -> Response[str]:
    """Show one wave."""
    return await wave_page_with(request, wave, site, settings)


async def _step(site: Site, wave: str, step: str, data: dict[str, str]) -> str:
    """Take a step, or ask for one that two people must agree to; gives the key of what is said then."""
    match step:
        case "open":
            if await opening.progress(wave):
                return "wave_opening"
            await opening.ready_to_open(site, wave)  # what refuses it is said by this page, however long looking takes
            if not await patient.ends_soon(opening.open_wave(site, wave)):
                return "wave_opening"
        case "extend":
            await closing.extend(site, wave, date.fromisoformat(data.get("ends", "")))
        case "end" if is_early(site, await waves.get(wave)):
            await ask_end(site, wave)
            return "two_keys_asked"
        case "end":
            await closing.end(site, wave)
        case "close":
            await closing.close(site, wave, unused_slips=int(data.get("unused", "")))
        case "cancel":
            await closing.cancel(site, wave)
        case _:
            raise NotFoundException
    return f"wave_{step}"


@post("/waves/{wave:str}/{step:str}")
async def take_step(
    request: AppRequest,
    wave: FromPath[str],
    step: FromPath[str],
    settings: NamedDependency[Settings],
    site: NamedDependency[Site],
) -> Response[str] | Redirect:
    """Take one step of a wave's life."""
    data, language = await checked_form(request), desk_language(request)
    try:
        return done(f"/hr/waves/{wave}", await _step(site, wave, step, data))
    except NotFoundException:  # which is a ValueError too
        raise
    except opening.NotReady as problem:
        text = "; ".join(say(language, f"hr.missing.{gap}") for gap in problem.missing)
    except (PlanRefused, PanelRefused) as problem:
        text = say(language, f"hr.refused.{problem.reason}", **problem.figures)
    except WrongState:
        text = say(language, "hr.refused.state")
    except ValueError:
        text = say(language, "hr.refused.form")
    return await wave_page_with(request, wave, site, settings, text, refused=Refused(step, data))


HANDLERS = (list_waves, planner, plan_wave, wave_page, take_step)
