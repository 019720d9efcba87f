"""One question of a release over all groups that show it."""

from dataclasses import dataclass
from typing import ClassVar

from litestar import Response, get
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

from analysis.published import Document, Special, Statistic
from server.frame.asked import AppRequest
from server.frame.display import text_of
from server.frame.pages import Shell, show
from server.frame.signed_in import Desk, frame
from server.frame.texts import say
from server.results.reading import Slice, band_text, figure_text, labels_of, slices, view_name
from server.results.shown import released
from server.results.telling import worst_case


@dataclass(frozen=True, slots=True)
class GroupRow:
    """One group that shows the question."""

    name: str
    band: str
    index: str
    favourable: str


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
    slices: tuple[Slice, ...]
    rows: tuple[GroupRow, ...]
    crossed: tuple[GroupRow, ...]
    hidden: int
    special: tuple[str, ...]
    """How many do not know, prefer not to say, or left it out; of the whole organisation."""


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
    shown = [(view, view.items[item]) for view in document.views if item in view.items]
    rows = tuple(
        (
            document.kind_of(view.id),
            GroupRow(
                view_name(view.filter, document.plan.dimensions, language),
                band_text(found.n_band or view.n_band),
                figure_text(found.index, language),
                figure_text(found.favourable, language, " %"),
            ),
        )
        for view, found in shown
    )
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
        slices(figure, language),
        tuple(row for kind, row in rows if kind != "cross"),
        tuple(row for kind, row in rows if kind == "cross"),
        len(document.views) - len(shown),
        (*_special(document.everyone.special.get(item), language), *_worst(document, figure, language)),
    )
    return show(page)


def _special(found: Special | None, language: str) -> tuple[str, ...]:
    return tuple(
        say(language, f"hr.item.{name}", share=figure_text(share, language, " %"))
        for name in ("dont_know", "prefer_not", "skipped")
        if found and (share := getattr(found, name)) is not None
    )


def _worst(document: Document, figure: Statistic, language: str) -> tuple[str, ...]:
    bounds = worst_case(document, figure.favourable)
    return (say(language, "hr.item.worst", low=bounds[0], high=bounds[1]),) if bounds else ()


HANDLERS = (item_page,)
