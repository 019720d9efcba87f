"""Results for everyone: the page of a released wave, its charts, its document. The same numbers that HR reads."""

from dataclasses import dataclass
from typing import Any, ClassVar

from litestar import Response, get
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

from server.certification import scorecard
from server.frame.asked import AppRequest
from server.frame.display import text_of
from server.frame.pages import Shell, show, staff_shell
from server.frame.texts import say
from server.results.doing import action_line, actions_of
from server.results.findings import in_words
from server.results.heat import Heat, heat
from server.results.promise import PromiseWords, promise_of
from server.results.reading import (
    AreaLine,
    ItemLine,
    Labels,
    area_lines,
    item_lines,
    labels_of,
    participation_line,
)
from server.results.shown import ChartPicture, ExperienceLine, certificate_line, charts_of, experience_lines, released
from surveys import certification
from surveys.lifecycle.context import today
from surveys.public import comments, releases


@dataclass(frozen=True, slots=True)
class ResultsPage:
    """A release in the person's language."""

    template: ClassVar[str] = "results.html"
    shell: Shell
    title: str
    wave: str
    heading: str
    participation: str
    origin_note: str
    findings: tuple[str, ...]
    has_areas: bool
    has_points: bool
    """Whether points stand beside the areas: they are of today, so beside the newest survey alone."""
    areas: tuple[AreaLine, ...]
    charts: tuple[ChartPicture, ...]
    experience: tuple[ExperienceLine, ...]
    heat: Heat
    items: tuple[ItemLine, ...]
    comments: tuple[tuple[str, tuple[str, ...]], ...]
    promise: PromiseWords | None
    actions: tuple[str, ...]
    k: int
    certificate: str


async def comment_lines(wave: str, labels: Labels, language: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """What two people let out, by question; in the language in which it was written."""
    found = await comments.published(wave)
    return tuple(
        (text_of(labels.items.get(item, {"it": item}), language), tuple(texts)) for item, texts in found.items()
    )


@get("/results/{wave_id:str}")
async def results(request: AppRequest, wave_id: FromPath[str]) -> Response[str]:
    """Show what was heard, and what will be done."""
    frame = await staff_shell(request)
    wave, document = await released(wave_id)
    labels, language = labels_of(wave), frame.language
    newest = await certification.newest_wave()
    is_newest = newest is not None and newest[0].id == wave_id
    points = await scorecard.area_points(language) if is_newest else {}
    page = ResultsPage(
        shell=frame,
        title=say(language, "results.title"),
        wave=wave_id,
        heading=text_of(wave.title, language),
        participation=participation_line(document, language),
        origin_note=say(language, "results.imported") if document.origin == "imported" else "",
        findings=in_words(document, labels, language),
        has_areas=bool(document.everyone.areas),
        has_points=is_newest,
        areas=area_lines(document, language, points),
        charts=await charts_of(wave_id, document, labels, language),
        experience=experience_lines(document, labels, language),
        heat=heat(document, language, labels),
        items=item_lines(document, language, labels),
        comments=await comment_lines(wave_id, labels, language) if document.comments == "sealed" else (),
        promise=await promise_of(wave_id, language, today()),
        actions=tuple(action_line(one, language) for one in await actions_of(wave_id)),
        k=document.rules.k["items"],
        certificate=certificate_line(document, language),
    )
    return show(page)


@get("/results/{wave_id:str}/release.json")
async def document_file(wave_id: FromPath[str]) -> Response[dict[str, Any]]:
    """Give the signed document itself."""
    document = await releases.document(wave_id)
    if document is None:
        raise NotFoundException
    return Response(document, media_type="application/json")


@get("/results/{wave_id:str}/charts/{name:str}")
async def chart(wave_id: FromPath[str], name: FromPath[str]) -> Response[str]:
    """Give a stored chart."""
    svg = await releases.chart(wave_id, name.removesuffix(".svg"))
    if svg is None:
        raise NotFoundException
    return Response(svg, media_type="image/svg+xml", headers={"Cache-Control": "public, max-age=86400"})


HANDLERS = (results, document_file, chart)
