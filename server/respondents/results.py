"""Results for everyone: the page of a released wave, its charts, its document. The same numbers that HR reads."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from litestar import Request, Response, get
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

from analysis.document import answers_verdict
from server import scorecard
from server.display import day, text_of
from server.findings import in_words, lead_of_areas, lead_of_scales
from server.pages import Shell, show, staff_shell
from server.reading import (
    AreaLine,
    Heat,
    ItemLine,
    Labels,
    area_lines,
    figure_text,
    heat,
    item_lines,
    labels_of,
    participation_line,
)
from server.texts import say
from surveys.public import actions, comments, releases
from surveys.public.waves import WaveRecord
from surveys.public.waves import get as get_wave


@dataclass(frozen=True, slots=True)
class ChartPicture:
    """One stored chart in light and dark, with what it says for those who do not see it."""

    name: str
    light: str
    dark: str
    label: str


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
    areas: tuple[AreaLine, ...]
    charts: tuple[ChartPicture, ...]
    experience: tuple[tuple[str, str], ...]
    heat: Heat
    items: tuple[ItemLine, ...]
    comments: tuple[tuple[str, tuple[str, ...]], ...]
    actions: tuple[str, ...]
    k: int
    certificate: str


async def released(wave_id: str) -> tuple[WaveRecord, dict[str, Any]]:
    """A wave and its document, or 404: an unreleased wave has no page to speak of."""
    wave = await get_wave(wave_id)
    document = await releases.document(wave_id)
    if document is None:
        raise NotFoundException
    return wave, document


async def charts_of(wave: str, document: Mapping[str, Any], labels: Labels, language: str) -> tuple[ChartPicture, ...]:
    """The charts drawn at the release, in this language."""
    there = await releases.chart_names(wave)
    leads = {"areas": lead_of_areas(document, language), "scales": lead_of_scales(document, language, labels)}
    return tuple(
        ChartPicture(
            name,
            f"/results/{wave}/charts/{name}.{language}.light.svg",
            f"/results/{wave}/charts/{name}.{language}.dark.svg",
            lead,
        )
        for name, lead in leads.items()
        if f"{name}.{language}.light" in there
    )


def experience_lines(document: Mapping[str, Any], labels: Labels, language: str) -> tuple[tuple[str, str], ...]:
    """The experience questions for the whole organisation: bands in words, nothing finer."""
    lines = []
    for item, record in document.get("experience", {}).items():
        text = labels.items.get(item.partition(".")[0], {"it": item})
        name = text_of(text, language)
        if item in labels.options:
            name = f"{name} · {text_of(labels.options[item], language)}"
        if "band" in record:
            lines.append((name, say(language, "results.people_band", band=record["band"])))
        elif "share" in record:
            lines.append((name, figure_text(record["share"], language, " %")))
    return tuple(lines)


def certificate_line(document: Mapping[str, Any], language: str) -> str:
    """What was checked and what was not, in words."""
    groups = say(language, "results.certificate", auditor=document["certificate"]["auditor"])
    return groups + " " + say(language, f"results.answers_{answers_verdict(document)}")


async def action_lines(wave: str, language: str) -> tuple[str, ...]:
    return tuple(
        say(
            language, "results.action_done" if action.done else "results.action",
            text=action.text, owner=action.owner, due=day(action.due, language),
        )
        for action in await actions.everything()
        if action.wave == wave
    )  # fmt: skip


async def comment_lines(wave: str, labels: Labels, language: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """What two people let out, by question; in the language in which it was written."""
    found = await comments.published(wave)
    return tuple(
        (text_of(labels.items.get(item, {"it": item}), language), tuple(texts)) for item, texts in found.items()
    )


@get("/results/{wave_id:str}")
async def results(request: Request[Any, Any, Any], wave_id: FromPath[str]) -> Response[str]:
    """Show what was heard, and what will be done."""
    frame = await staff_shell(request)
    wave, document = await released(wave_id)
    labels, language = labels_of(wave), frame.language
    points = await scorecard.area_points(language)
    page = ResultsPage(
        shell=frame,
        title=say(language, "results.title"),
        wave=wave_id,
        heading=text_of(wave.title, language),
        participation=participation_line(document, language),
        origin_note=say(language, "results.imported") if document["origin"] == "imported" else "",
        findings=in_words(document, language),
        has_areas=bool(document["views"][0].get("areas")),
        areas=area_lines(document, language, points),
        charts=await charts_of(wave_id, document, labels, language),
        experience=experience_lines(document, labels, language),
        heat=heat(document, language, labels),
        items=item_lines(document, language, labels),
        comments=await comment_lines(wave_id, labels, language),
        actions=await action_lines(wave_id, language),
        k=document["rules"]["k"]["items"],
        certificate=certificate_line(document, language),
    )
    return show(page)


@get("/results/{wave_id:str}/release.json")
async def document_file(wave_id: FromPath[str]) -> Response[dict[str, Any]]:
    """Give the signed document itself."""
    _, document = await released(wave_id)
    return Response(document, media_type="application/json")


@get("/results/{wave_id:str}/charts/{name:str}")
async def chart(wave_id: FromPath[str], name: FromPath[str]) -> Response[str]:
    """Give a stored chart."""
    svg = await releases.chart(wave_id, name.removesuffix(".svg"))
    if svg is None:
        raise NotFoundException
    return Response(svg, media_type="image/svg+xml", headers={"Cache-Control": "public, max-age=86400"})


HANDLERS = (results, document_file, chart)
