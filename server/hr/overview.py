"""HR's first page, one screen: the road to the threshold, the six areas, three things to know, what is due."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from litestar import Response, get

from server.certification import scorecard
from server.certification.register import review_deadline
from server.certification.scorecard import EvidenceBar, Road
from server.certification.things import things
from server.frame.asked import AppRequest
from server.frame.display import day, text_of
from server.frame.pages import Shell, show
from server.frame.signed_in import Desk, frame
from server.frame.texts import say
from server.hr.beginning import Step, steps
from server.results.promise import PromiseWords, promise_of
from server.results.reading import AREAS
from server.results.story import Claim, Dot, Story, dot, story_of, theme_address, title_of
from server.results.telling import axis_of, counted, coverage, gender_count
from surveys import certification
from surveys.certification import Ground
from surveys.lifecycle.context import today
from surveys.public import actions
from surveys.public.actions import ActionRecord
from surveys.public.waves import State, WaveRecord, in_state


@dataclass(frozen=True, slots=True)
class AreaRow:
    """One area: points of its evidence, and how people live it."""

    number: str
    evidence: EvidenceBar
    people: Dot


@dataclass(frozen=True, slots=True)
class OverviewPage:
    """The story of the newest release on one screen; before there is one, the way to the first."""

    template: ClassVar[str] = "overview.html"
    shell: Shell
    desk: Desk
    title: str
    heading: str
    wave: str
    lead: str
    running: tuple[str, ...]
    road: Road
    rows: tuple[AreaRow, ...]
    axis: tuple[float, float]
    when: str
    gender: str
    things: tuple[Claim, ...]
    participation: str
    counted: str
    coverage: str
    open_actions: int
    late_actions: int
    next_action: str
    promise: PromiseWords | None
    deadlines: tuple[str, ...]
    next_step: Claim
    steps: tuple[Step, ...]


def _running_line(wave: WaveRecord, language: str) -> str:
    received = say(language, "hr.overview.few") if wave.received_tens is None else f"≥\u00a0{wave.received_tens}"
    return say(
        language,
        "hr.overview.running",
        title=text_of(wave.title, language),
        ends=day(wave.ends, language),
        received=received,
    )


def _deadlines(ground: Ground, language: str) -> tuple[str, ...]:
    """Evidence that ends within ninety days or has ended, the nearest first."""
    return tuple(
        say(
            language,
            f"hr.overview.{'expired' if one.expired else 'expires'}",
            indicator=one.indicator.id,
            day=day(one.last, language),
        )
        for one in ground.expiries()
        if (one.last - ground.day).days <= scorecard.NEAR_DAYS
    )


def _lead(story: Story) -> str:
    language = story.language
    return say(
        language,
        "hr.overview.wave",
        title=text_of(story.document.wave.title or story.wave.title, language),
        released=day(story.wave.released, language),
    )


def _next_step(language: str, wave: str, running: bool, known: Sequence[ActionRecord]) -> Claim:
    """What HR does next, in this order: actions after the newest results, else the next survey."""
    if wave and not any(one.wave == wave for one in known):
        return Claim(
            say(language, "hr.overview.act_why"),
            f"/hr/results/{wave}?lang={language}",
            say(language, "hr.overview.act"),
        )
    if running:
        return Claim(
            say(language, "hr.overview.wait_why"), f"/hr/waves?lang={language}", say(language, "hr.overview.wait")
        )
    return Claim(
        say(language, "hr.overview.plan_why"), f"/hr/waves/new?lang={language}", say(language, "hr.overview.plan")
    )


@get("/")
async def overview(request: AppRequest) -> Response[str]:
    """Show where things stand."""
    shell, desk = await frame(request)
    language = shell.language
    ground = await certification.ground(today())
    story = await story_of(ground.document.wave.id, language) if ground.document else None
    card, standings = ground.scores(), ground.standings()
    bars = scorecard.evidence_bars(card, language)
    rows = tuple(
        AreaRow(
            area,
            bars[area],
            dot(story, "areas", "all", area, address=theme_address(story, "areas", area)),
        )
        for area in (AREAS if story else ())
        if story and area in story.document.everyone.areas
    )
    running = await in_state(State.OPEN)
    known = await actions.everything()
    waiting = sorted((one for one in known if not one.done), key=lambda one: one.due)
    participation, people = counted(story.document, language) if story else ("", "")
    page = OverviewPage(
        shell,
        desk,
        say(language, "hr.overview.heading"),
        title_of(story) if story else say(language, "hr.overview.empty"),
        story.wave.id if story else "",
        _lead(story) if story else say(language, "hr.overview.empty_lead"),
        tuple(_running_line(wave, language) for wave in running),
        scorecard.road(ground, card, standings, language),
        rows,
        axis_of(row.people for row in rows),
        story.when if story else "",
        gender_count(story) if story else "",
        things(story, standings) if story else (),
        participation,
        people,
        coverage(story.document, language) if story else "",
        len(waiting),
        sum(one.due < today() for one in waiting),
        say(language, "hr.overview.action", text=waiting[0].text, due=day(waiting[0].due, language)) if waiting else "",
        await promise_of(story.wave.id, language, today()) if story else None,
        (*_deadlines(ground, language), *await review_deadline(language)),
        _next_step(language, story.wave.id if story else "", bool(running), known),
        await steps(language) if not story else (),
    )
    return show(page)
