"""Results for HR: what is clear, the map of groups, every question, and the export. The same figures that staff read."""

from dataclasses import dataclass
from typing import ClassVar

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from server.frame.asked import AppRequest
from server.frame.display import text_of
from server.frame.pages import Shell, show
from server.frame.security import account_of
from server.frame.signed_in import Desk, frame
from server.frame.texts import say
from server.papers.told import Territory, territories_of
from server.results.acts import Act, acts
from server.results.exports import as_csv, as_workbook
from server.results.findings import alerts_in_words, gender_line, single_line
from server.results.heat import Heat, heat
from server.results.promise import AnswerForm, PromiseWords, answer_form, promise_of
from server.results.reading import ItemLine, item_lines, labels_of, participation_line
from server.results.shown import ExperienceLine, certificate_line, experience_lines, released
from server.results.story import Claim, story_of, title_of, trend_claims, unit_claims
from server.results.telling import driver_lines, quality_lines
from surveys import certification
from surveys.lifecycle.context import today
from surveys.people import log
from surveys.public.waves import State, first_read, in_state
from surveys.stores import Engines

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@dataclass(frozen=True, slots=True)
class ResultsHrPage:
    """A release as HR works with it."""

    template: ClassVar[str] = "results_hr.html"
    shell: Shell
    desk: Desk
    title: str
    wave: str
    heading: str
    name: str
    participation: str
    origin_note: str
    alerts: tuple[str, ...]
    claims: tuple[Claim, ...]
    gender: str
    single: str
    heat: Heat
    by_name: bool
    items: tuple[ItemLine, ...]
    experience: tuple[ExperienceLine, ...]
    quality: tuple[str, ...]
    drivers: tuple[str, ...]
    actions: tuple[Act, ...]
    posters: tuple[Territory, ...]
    others: tuple[tuple[str, str], ...]
    k: int
    certificate: str
    promise: PromiseWords | None
    answer: AnswerForm


@dataclass(frozen=True, slots=True)
class NoResultsPage:
    """Before anything was published."""

    template: ClassVar[str] = "no_results.html"
    shell: Shell
    desk: Desk
    title: str


@get("/results")
async def newest(request: AppRequest) -> Response[str] | Redirect:
    """Go to the newest wave of everyone, else to the one published last; say so where there is none."""
    shell, desk = await frame(request)
    found = await certification.newest_wave()
    others = sorted(await in_state(State.RELEASED), key=lambda wave: (str(wave.closed), wave.id))
    wave = found[0].id if found else others[-1].id if others else ""
    if wave:
        return Redirect(f"/hr/results/{wave}?lang={shell.language}", status_code=303)
    return show(NoResultsPage(shell, desk, say(shell.language, "results.title")))


async def results_page(
    request: AppRequest, wave_id: str, error: str = "", answer: AnswerForm | None = None
) -> Response[str]:
    """A release as HR works with it; the day on which it is first opened is kept, as a part of what the auditor asks for."""
    shell, desk = await frame(request, error=error)
    language = shell.language
    story = await story_of(wave_id, language)
    document, labels = story.document, story.labels
    by_name = request.query_params.get("order") == "name"
    others = [wave for wave in await in_state(State.RELEASED) if wave.id != wave_id]
    if story.wave.read_on is None:
        await first_read(wave_id, today())
    page = ResultsHrPage(
        shell,
        desk,
        say(language, "results.title"),
        wave_id,
        title_of(story),
        text_of(story.wave.title, language),
        participation_line(document, language),
        say(language, "results.imported") if document.origin == "imported" else "",
        alerts_in_words(document, labels, language),
        (*unit_claims(story), *trend_claims(story)),
        gender_line(document, language),
        single_line(document, labels, language),
        heat(document, language, labels, by_name=by_name),
        by_name,
        item_lines(document, language, labels),
        experience_lines(document, labels, language),
        quality_lines(story),
        driver_lines(story),
        await acts(language, lambda one: one.wave == wave_id),
        territories_of(document, language),
        tuple(
            (wave.id, text_of(wave.title, language))
            for wave in sorted(others, key=lambda w: str(w.closed), reverse=True)
        ),
        document.rules.k["items"],
        certificate_line(document, language),
        await promise_of(wave_id, language, today()),
        answer or await answer_form(wave_id, {}),
    )
    return show(page, status=422 if error else 200)


@get("/results/{wave_id:str}")
async def results(request: AppRequest, wave_id: FromPath[str]) -> Response[str]:
    """Show a release: what is clear, the map, questions, actions."""
    return await results_page(request, wave_id)


async def _exported(request: AppRequest, engines: Engines, wave: str, kind: str) -> None:
    await log.record(engines["people"], today(), account_of(request).name, "results exported", wave=wave, kind=kind)


@get("/results/{wave_id:str}/release.xlsx")
async def workbook(request: AppRequest, wave_id: FromPath[str], engines: NamedDependency[Engines]) -> Response[bytes]:
    """Give the release as a workbook: the figures of the document, "not shown" in words."""
    wave, document = await released(wave_id)
    await _exported(request, engines, wave_id, "xlsx")
    language = (await frame(request))[0].language
    headers = {"Content-Disposition": f'attachment; filename="{wave_id}.xlsx"'}
    return Response(as_workbook(document, labels_of(wave), language), media_type=XLSX, headers=headers)


@get("/results/{wave_id:str}/release.csv")
async def table(request: AppRequest, wave_id: FromPath[str], engines: NamedDependency[Engines]) -> Response[str]:
    """Give the release as one long table."""
    wave, document = await released(wave_id)
    await _exported(request, engines, wave_id, "csv")
    language = (await frame(request))[0].language
    headers = {"Content-Disposition": f'attachment; filename="{wave_id}.csv"'}
    return Response(as_csv(document, labels_of(wave), language), media_type="text/csv", headers=headers)


HANDLERS = (newest, results, workbook, table)
