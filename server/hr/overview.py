"""HR's first page: who answered, the six areas, what stands out, what is due."""

from dataclasses import dataclass
from typing import ClassVar

from litestar import Response, get

from server.certification import scorecard
from server.frame.asked import AppRequest
from server.frame.display import day, text_of
from server.frame.pages import Shell, show
from server.frame.signed_in import Desk, frame
from server.frame.texts import say
from server.results.findings import in_words
from server.results.reading import AreaLine, area_lines, figure_text, participation_line, view_name
from surveys import certification
from surveys.lifecycle.context import today
from surveys.public import actions, evidence
from surveys.public.waves import State, WaveRecord, in_state

NEAR_DAYS = 90
MOST = 5


@dataclass(frozen=True, slots=True)
class GapLine:
    id: str
    text: str


@dataclass(frozen=True, slots=True)
class OverviewPage:
    """The story of the newest release on one screen."""

    template: ClassVar[str] = "overview.html"
    shell: Shell
    desk: Desk
    title: str
    wave: str
    wave_line: str
    running: tuple[str, ...]
    participation: str
    coverage: tuple[tuple[str, str], ...]
    areas: tuple[AreaLine, ...]
    total: str
    findings: tuple[str, ...]
    gaps: tuple[GapLine, ...]
    actions: tuple[tuple[str, bool], ...]
    deadlines: tuple[str, ...]


def _running_line(wave: WaveRecord, language: str) -> str:
    received = say(language, "hr.overview.few") if wave.received_tens is None else f"≥ {wave.received_tens}"
    return say(
        language,
        "hr.overview.running",
        title=text_of(wave.title, language),
        ends=day(wave.ends, language),
        received=received,
        day=day(wave.received_on, language) or "–",
    )


async def _deadlines(language: str) -> tuple[str, ...]:
    lines = []
    for record in (await evidence.everything()).values():
        if record.valid_until and (record.valid_until - today()).days <= NEAR_DAYS:
            key = "expired" if record.valid_until < today() else "expires"
            lines.append(
                say(language, f"hr.overview.{key}", indicator=record.indicator, day=day(record.valid_until, language))
            )
    return tuple(lines)


@get("/")
async def overview(request: AppRequest) -> Response[str]:
    """Show where things stand."""
    shell, desk = await frame(request)
    language = shell.language
    found = await certification.newest_wave()
    wave, document = found if found else (None, None)
    lines = await scorecard.indicator_lines(language)
    gaps = sorted((line for line in lines if line.alignment_key == "alignment_gap"), key=lambda line: -line.gap)
    wave_line = ""
    coverage: tuple[tuple[str, str], ...] = ()
    if wave and document:
        wave_line = say(
            language,
            "hr.overview.wave",
            title=text_of(document.wave.title or wave.title, language),
            closed=day(wave.closed, language),
            released=day(wave.released, language),
        )
        coverage = tuple(
            (
                view_name(view.filter, document.plan.dimensions, language),
                figure_text(view.participation, language, " %"),
            )
            for view in document.views
            if view.participation is not None and document.kind_of(view.id) == "territory"
        )
    page = OverviewPage(
        shell,
        desk,
        say(language, "hr.overview.heading"),
        wave.id if wave else "",
        wave_line,
        tuple(_running_line(w, language) for w in await in_state(State.OPEN)),
        participation_line(document, language) if document else "",
        coverage,
        area_lines(document, language, await scorecard.area_points(language)),
        await scorecard.total_line(language),
        in_words(document, language) if document else (),
        tuple(GapLine(g.id, say(language, "hr.overview.gap", id=g.id, text=g.text)) for g in gaps[:MOST]),
        tuple(
            (say(language, "results.action", text=a.text, owner=a.owner, due=day(a.due, language)), a.due < today())
            for a in await actions.everything()
            if not a.done
        ),
        await _deadlines(language),
    )
    return show(page)
