"""The front door, and the page of a wave: the same for everyone, remembering nobody."""

from dataclasses import dataclass
from typing import ClassVar

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from litestar.response import Redirect

from analysis.document import canonical
from server.frame import faults
from server.frame.asked import AppRequest
from server.frame.display import day, text_of
from server.frame.pages import Shell, show, staff_shell
from server.frame.texts import say
from server.results.promise import PromiseWords, promise_of
from server.results.reading import groups_of
from server.results.verifying import frozen_of
from server.settings import Settings
from surveys.answers.plans import PlanOther
from surveys.lifecycle import witness
from surveys.lifecycle.context import today
from surveys.lifecycle.ready import checked_row
from surveys.lifecycle.witness import Head
from surveys.odd import StoreOdd, reading
from surveys.public import releases
from surveys.public.organisation import OrganisationRecord, load
from surveys.public.promises import BROKEN_OFF
from surveys.public.questionnaires import questionnaire_of
from surveys.public.waves import State, WaveRecord, look
from surveys.public.waves import get as get_wave


@dataclass(frozen=True, slots=True)
class WaveCard:
    id: str
    title: str
    note: str
    promise: str = ""
    late: bool = False


@dataclass(frozen=True, slots=True)
class DoorPage:
    """Four doors, no log-in."""

    template: ClassVar[str] = "door.html"
    shell: Shell
    title: str
    open_waves: tuple[WaveCard, ...]
    between: tuple[WaveCard, ...]
    """Surveys that are over and not published yet, of which an answer was promised."""
    released: tuple[WaveCard, ...]


@dataclass(frozen=True, slots=True)
class WavePage:
    """What is asked, who sees what, the rules, the groups, the keys, the notice."""

    template: ClassVar[str] = "wave.html"
    shell: Shell
    title: str
    heading: str
    dates: str
    extensions: tuple[str, ...]
    state_note: str
    promise: PromiseWords | None
    can_answer: bool
    promises: tuple[tuple[str, str], ...]
    rules: tuple[str, ...]
    groups: tuple[str, ...]
    notice: tuple[tuple[str, str], ...]
    questionnaire: str
    bulletin: str
    kept: tuple[str, str]
    """What is said of the mark of the closing, and the mark to compare; empty before it."""
    plan_file: str
    log_head: str


async def _stands(settings: Settings, wave: WaveRecord) -> bool:
    """Whether a wave is what its people signed: another is on no front page."""
    try:
        await checked_row(settings.data, wave)
    except (PlanOther, StoreOdd) as problem:
        faults.note("plan", problem)
        return False
    return True


async def _waves() -> list[WaveRecord]:
    """All waves that can be read; others are on no front page, and help outside stays on it."""
    found, odd = await look()
    if odd:
        faults.note("store", StoreOdd("wave"))
    return found


async def _promise(wave: str, language: str) -> tuple[str, bool]:
    """By when the management answers a wave, in words, and whether that was missed; nothing where it promised nothing."""
    try:
        words = await promise_of(wave, language, today())
    except StoreOdd as problem:  # the wave's own page says so
        faults.note("store", problem)
        return "", False
    return (words.line, words.late) if words else ("", False)


@get("/")
async def door(request: AppRequest, settings: NamedDependency[Settings]) -> Response[str]:
    """Show what is open, what was heard, and where help is."""
    frame = await staff_shell(request)
    language = frame.language
    cards = []
    waves = await _waves()
    for wave in (one for one in waves if one.state == State.OPEN):
        if not await _stands(settings, wave):
            continue
        title = text_of(wave.title, language)
        minutes = questionnaire_of(wave).minutes(language)
        note = say(language, "staff.door.answer_note", title=title, minutes=minutes, ends=day(wave.ends, language))
        cards.append(WaveCard(wave.id, title, note, *await _promise(wave.id, language)))
    over = (one for one in waves if one.state == State.RELEASED)
    done = sorted(over, key=lambda wave: (wave.opened is not None, wave.opened), reverse=True)
    released = [
        WaveCard(wave.id, text_of(document.wave.title or wave.title, language), "", *await _promise(wave.id, language))
        for wave in done
        if (document := await releases.ours(wave.id)) is not None
    ]
    between = [
        WaveCard(wave.id, text_of(wave.title, language), "", *words)
        for wave in waves
        if wave.state in (State.ENDED, State.CLOSED, *BROKEN_OFF)
        and (words := await _promise(wave.id, language))[0]
        and (wave.state in BROKEN_OFF or await _stands(settings, wave))
    ]
    return show(DoorPage(frame, say(language, "staff.door.title"), tuple(cards), tuple(between), tuple(released)))


@get("/wave/{wave_id:str}")
async def wave_page(
    request: AppRequest, wave_id: FromPath[str], settings: NamedDependency[Settings]
) -> Response[str] | Redirect:
    """Show what staff should know before they answer; nobody answered an imported wave here, so its results are shown."""
    frame = await staff_shell(request)
    wave = await get_wave(wave_id)
    if wave.origin == "imported":
        return Redirect(f"/results/{wave_id}?lang={frame.language}", status_code=303)
    await checked_row(settings.data, wave)
    head = await witness.head_of_yesterday(today())
    kept = witness.shown(settings.data, wave_id)
    promise = await promise_of(wave_id, frame.language, today())
    return show(_wave_page(frame, wave, await load() or OrganisationRecord(frame.organisation), head, kept, promise))


def _state_note(wave: WaveRecord, language: str) -> str:
    match wave.state:
        case State.OPEN:
            return ""
        case State.DRAFT | State.PLANNED | State.READY:
            return say(language, "staff.wave.not_yet")
        case _:
            return say(language, "staff.wave.over")


def _wave_page(
    frame: Shell,
    wave: WaveRecord,
    organisation: OrganisationRecord,
    head: Head | None,
    kept: tuple[str, str],
    promise: PromiseWords | None,
) -> WavePage:
    language = frame.language
    questionnaire = questionnaire_of(wave)
    with reading("wave"):
        k, k_experience = wave.rules["k"]["items"], wave.rules["k"]["experience"]

    def sentence(key: str, **values: object) -> str:
        return say(language, f"staff.wave.{key}", **values)

    notice = organisation.notice
    return WavePage(
        shell=frame,
        title=sentence("title"),
        heading=sentence("heading", title=text_of(wave.title, language)),
        dates=sentence(
            "dates",
            starts=day(wave.starts, language),
            ends=day(wave.ends, language),
            minutes=questionnaire.minutes(language),
        ),
        extensions=tuple(
            sentence("extended", before=day(change["before"], language), after=day(change["after"], language))
            for change in wave.extensions
        ),
        state_note=_state_note(wave, language),
        promise=promise,
        can_answer=wave.state == State.OPEN,
        promises=(
            (sentence("promise_link"), sentence("promise_link_more")),
            (sentence("promise_groups", k=k), sentence("promise_groups_more")),
            (sentence("promise_readers"), sentence("promise_readers_more")),
        ),
        rules=(
            sentence("rule_items", k=k),
            sentence("rule_experience", k=k_experience),
            sentence("rule_once"),
            sentence("answers_audit"),
        ),
        groups=tuple(group.name for group in groups_of(wave, language)),
        notice=(
            (sentence("controller"), notice.controller),
            (sentence("purpose"), notice.purpose),
            (sentence("retention"), notice.retention),
            (sentence("contact"), notice.contact),
        ),
        questionnaire=f"{questionnaire.id} {questionnaire.version} · {questionnaire.sha256()[:16]}",
        bulletin=wave.id if wave.state in (State.CLOSED, State.RELEASED, State.TOO_FEW) else "",
        kept=(sentence(f"kept_{kept[0]}"), kept[1]) if kept[0] else ("", ""),
        plan_file=f"/wave/{wave.id}/plan.json" if wave.opened else "",
        log_head=sentence("log_head", n=head.number, day=day(head.day, language), head=head.short) if head else "",
    )


@get("/wave/{wave_id:str}/bulletin.txt")
async def bulletin(wave_id: FromPath[str], settings: NamedDependency[Settings]) -> Response[str]:
    """Give what is published when a wave closes: the counts, and the sorted digests of used codes (SHA-256)."""
    found = await releases.bulletin(wave_id)
    if found is None:
        raise NotFoundException
    counts, digests = found
    witness.check_bulletin(settings.data, wave_id, found)
    lines = [f"{name} {count}" for name, count in counts.items()]
    return Response("\n".join([*lines, "", *digests, ""]), media_type="text/plain")


@get("/wave/{wave_id:str}/plan.json")
async def frozen_plan(wave_id: FromPath[str], settings: NamedDependency[Settings]) -> Response[bytes]:
    """Give what was frozen when the wave opened: whoever keeps it can hold a later release against it."""
    wave = await get_wave(wave_id)
    if wave.opened is None or wave.origin != "ascolto":
        raise NotFoundException
    await checked_row(settings.data, wave)
    return Response(canonical(frozen_of(wave)), media_type="application/json")
