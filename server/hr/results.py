"""Results for HR: the release by area, group and item, and its export. The same figures that staff read."""

from dataclasses import dataclass
from datetime import date
from typing import ClassVar

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from litestar.response import Redirect

from analysis.published import Statistic
from analysis.steps import as_number
from server.frame.asked import AppRequest
from server.frame.display import day, text_of
from server.frame.pages import Shell, show
from server.frame.security import account_of, checked_form
from server.frame.signed_in import Desk, done, frame
from server.frame.texts import say
from server.results.exports import as_csv, as_workbook
from server.results.findings import alerts_in_words, in_words
from server.results.reading import (
    Heat,
    ItemLine,
    figure_text,
    heat,
    item_lines,
    labels_of,
    participation_line,
    view_name,
)
from server.results.shown import ChartPicture, certificate_line, charts_of, experience_lines, released
from surveys.lifecycle.context import today
from surveys.people import log
from surveys.public import actions
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
    participation: str
    origin_note: str
    alerts: tuple[str, ...]
    findings: tuple[str, ...]
    charts: tuple[ChartPicture, ...]
    heat: Heat
    items: tuple[ItemLine, ...]
    experience: tuple[tuple[str, str], ...]
    actions: tuple[tuple[str, str, bool], ...]
    k: int
    certificate: str


@dataclass(frozen=True, slots=True)
class ItemPage:
    """One item over all planned groups; the distribution where the size allows it."""

    template: ClassVar[str] = "item.html"
    shell: Shell
    desk: Desk
    title: str
    wave: str
    finding: str
    text: str
    reverse: bool
    distribution: tuple[tuple[str, str, float], ...]
    rows: tuple[tuple[str, str, str, str], ...]


@get("/results/{wave_id:str}")
async def results(request: AppRequest, wave_id: FromPath[str]) -> Response[str]:
    """Show a release: findings, charts, heat map, items, actions."""
    wave, document = await released(wave_id)
    shell, desk = await frame(request)
    labels, language = labels_of(wave), shell.language
    page = ResultsHrPage(
        shell,
        desk,
        say(language, "results.title"),
        wave_id,
        text_of(wave.title, language),
        participation_line(document, language),
        say(language, "results.imported") if document.origin == "imported" else "",
        alerts_in_words(document, labels, language),
        in_words(document, language),
        await charts_of(wave_id, document, labels, language),
        heat(document, language, labels, by_name=request.query_params.get("order") == "name"),
        item_lines(document, language, labels),
        experience_lines(document, labels, language),
        tuple(
            (
                a.id,
                say(
                    language,
                    "results.action_done" if a.done else "results.action",
                    text=a.text,
                    owner=a.owner,
                    due=day(a.due, language),
                ),
                a.done,
            )
            for a in await actions.everything()
            if a.wave == wave_id
        ),
        document.rules.k["items"],
        certificate_line(document, language),
    )
    return show(page)


@get("/results/{wave_id:str}/item/{item:str}")
async def item_page(request: AppRequest, wave_id: FromPath[str], item: FromPath[str]) -> Response[str]:
    """Show one item."""
    wave, document = await released(wave_id)
    labels = labels_of(wave)
    root = document.everyone.items
    if item not in root:
        raise NotFoundException
    shell, desk = await frame(request)
    language = shell.language
    figure = root[item]
    rows = []
    for view in document.views:
        found = view.items.get(item)
        name = view_name(view.filter, document.plan.dimensions, language)
        index = figure_text(found.index, language) if found else ""
        favourable = figure_text(found.favourable, language, " %") if found else ""
        rows.append((name, (found.n_band if found else "") or view.n_band, index, favourable))
    finding = say(
        language,
        "hr.item.finding",
        index=figure_text(figure.index, language),
        favourable=figure_text(figure.favourable, language, " %"),
    )
    page = ItemPage(
        shell,
        desk,
        say(language, "hr.item.title", id=item),
        wave_id,
        finding,
        text_of(labels.items.get(item, {"it": item}), language),
        item in labels.reverse,
        _distribution(figure, language),
        tuple(rows),
    )
    return show(page)


def _distribution(figure: Statistic, language: str) -> tuple[tuple[str, str, float], ...]:
    """Unfavourable to favourable, in three or five classes."""
    shares = figure.distribution
    keys = {3: ("unfavourable", "neutral", "favourable"), 5: ("1", "2", "3", "4", "5")}.get(len(shares), ())
    return tuple(
        (say(language, f"hr.item.class.{key}"), figure_text(share, language, " %"), as_number(share))
        for key, share in zip(keys, shares, strict=bool(keys))
    )


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


def _back(data: dict[str, str]) -> str:
    back = data.get("back", "")
    return back if back.startswith("/hr/") else "/hr"


@post("/actions")
async def add_action(request: AppRequest) -> Redirect:
    """Write an action down."""
    data = await checked_form(request)
    try:
        due = date.fromisoformat(data.get("due", ""))
        await actions.add(
            data.get("wave", ""),
            data.get("indicator", ""),
            data.get("text", "")[:500],
            data.get("owner", "")[:100],
            due,
            today(),
        )
    except ValueError:
        return done(_back(data), "action_incomplete")
    return done(_back(data), "action_added")


@post("/actions/{action:str}/done")
async def finish_action(request: AppRequest, action: FromPath[str]) -> Redirect:
    """Mark an action as done."""
    data = await checked_form(request)
    await actions.finish(action, today())
    return done(_back(data), "action_finished")


HANDLERS = (results, item_page, workbook, table, add_action, finish_action)
