"""HR's first page, one screen: the road to the threshold, the six areas, three things to know, what is due."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from litestar import Response, get

from analysis.findings import gender_contrasts
from analysis.published import Document
from server.certification import scorecard
from server.certification.scorecard import EvidenceBar, Road
from server.frame.asked import AppRequest
from server.frame.display import day, number, text_of
from server.frame.pages import Shell, show
from server.frame.signed_in import Desk, frame
from server.frame.texts import say
from server.hr.beginning import Step, steps
from server.results.findings import gender_line
from server.results.promise import PromiseWords, promise_of
from server.results.reading import AREAS, figure_text
from server.results.story import Claim, Dot, Story, dot, story_of, theme_address, title_of, trend_claims, unit_claims
from surveys import certification
from surveys.certification import Standing
from surveys.lifecycle.context import today
from surveys.public import actions
from surveys.public.waves import State, WaveRecord, in_state

THINGS = 3
NARROW = (20.0, 80.0)
"""The axis of this page where everything lies on it: of 430 people, limits of three points vanish on 0-100."""


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


async def _deadlines(language: str) -> tuple[str, ...]:
    """Evidence that ends within ninety days or has ended, the nearest first."""
    on = today()
    return tuple(
        say(
            language,
            f"hr.overview.{'expired' if one.expired else 'expires'}",
            indicator=one.indicator.id,
            day=day(one.last, language),
        )
        for one in await certification.expiries(on)
        if (one.last - on).days <= scorecard.NEAR_DAYS
    )


def _things(story: Story, standings: Sequence[Standing]) -> tuple[Claim, ...]:
    """Three findings in words: units, what moved, women and men, and where documents and people disagree."""
    language = story.language
    gaps = [scorecard.indicator_line(one, language) for one in standings if one.alignment == "alignment_gap"]
    moved, units = trend_claims(story), unit_claims(story)
    found = [*units[:1], *moved[:1]]
    clear = [one for one in gender_contrasts(story.document) if one.clear]
    if clear:
        largest = max(clear, key=lambda one: abs(one.gap))
        name = story.name("areas", largest.statistic)
        found.append(
            Claim(gender_line(story.document, language, most=1), theme_address(story, "areas", largest.statistic), name)
        )
    for gap in sorted(gaps, key=lambda one: -one.gap):
        text = say(language, "hr.overview.gap", id=gap.id, text=gap.text)
        found.append(
            Claim(text, f"/hr/indicators/{gap.id}?lang={language}", say(language, "hr.story.indicator", id=gap.id))
        )
    return tuple([*found, *moved[1:], *units[1:]][:THINGS])


def _gender(story: Story) -> str:
    """Women and men over all areas, in one line: in how many the difference is clear."""
    language, found = story.language, gender_contrasts(story.document)
    clear = [one for one in found if one.clear]
    if not clear:
        return gender_line(story.document, language)
    key = f"hr.overview.gender_{found[0].against.partition(':')[2]}"
    return say(language, key, count=len(clear), of=len(found))


def _coverage(document: Document, language: str) -> str:
    """The least and the most of the territories whose participation is shown."""
    shares = [
        (figure_text(view.participation, language, " %"), str(view.participation))
        for view in document.views
        if view.participation is not None and document.kind_of(view.id) == "territory"
    ]
    if not shares:
        return ""
    ordered = sorted(shares, key=lambda pair: int(pair[1].lstrip(">=")))
    return say(language, "hr.overview.coverage", least=ordered[0][0], most=ordered[-1][0])


def _counted(document: Document, language: str) -> tuple[str, str]:
    """How many answered, in percent and in people."""
    received, invited = document.participation["received"], document.participation.get("invited")
    if not invited:
        return number(received, language), say(language, "hr.overview.sheets")
    words = say(language, "hr.overview.counted", received=number(received, language), invited=number(invited, language))
    return f"{round(100 * received / invited)} %", words


def _lead(story: Story) -> str:
    language = story.language
    return say(
        language,
        "hr.overview.wave",
        title=text_of(story.document.wave.title or story.wave.title, language),
        released=day(story.wave.released, language),
    )


async def _next_step(language: str, wave: str, running: bool) -> Claim:
    """What HR does next, in this order: actions after the newest results, else the next survey."""
    if wave and not any(one.wave == wave for one in await actions.everything()):
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


def _axis(rows: tuple[AreaRow, ...]) -> tuple[float, float]:
    places = [
        at
        for row in rows
        for at in (row.people.at, row.people.low, row.people.high, row.people.before)
        if at is not None
    ]
    return NARROW if places and NARROW[0] <= min(places) and max(places) <= NARROW[1] else (0.0, 100.0)


@get("/")
async def overview(request: AppRequest) -> Response[str]:
    """Show where things stand."""
    shell, desk = await frame(request)
    language = shell.language
    found = await certification.newest_wave()
    story = await story_of(found[0].id, language) if found else None
    bars, standings = await scorecard.evidence_bars(language), await certification.standings(today())
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
    waiting = sorted((one for one in await actions.everything() if not one.done), key=lambda one: one.due)
    participation, counted = _counted(story.document, language) if story else ("", "")
    page = OverviewPage(
        shell,
        desk,
        say(language, "hr.overview.heading"),
        title_of(story) if story else say(language, "hr.overview.empty"),
        story.wave.id if story else "",
        _lead(story) if story else say(language, "hr.overview.empty_lead"),
        tuple(_running_line(wave, language) for wave in running),
        await scorecard.road(language, standings),
        rows,
        _axis(rows),
        story.when if story else "",
        _gender(story) if story else "",
        _things(story, standings) if story else (),
        participation,
        counted,
        _coverage(story.document, language) if story else "",
        len(waiting),
        sum(one.due < today() for one in waiting),
        say(language, "hr.overview.action", text=waiting[0].text, due=day(waiting[0].due, language)) if waiting else "",
        await promise_of(story.wave.id, language, today()) if story else None,
        await _deadlines(language),
        await _next_step(language, story.wave.id if story else "", bool(running)),
        await steps(language) if not story else (),
    )
    return show(page)
