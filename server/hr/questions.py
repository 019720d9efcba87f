"""One question of a release over all groups that show it."""

from dataclasses import dataclass
from typing import ClassVar

from litestar import Response, get
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

from analysis.published import Document, Special, Statistic
from analysis.steps import as_number
from server.frame.asked import AppRequest
from server.frame.display import text_of
from server.frame.pages import Shell, show
from server.frame.signed_in import Desk, frame
from server.frame.texts import say
from server.results.reading import band_text, figure_text, labels_of, view_name
from server.results.shown import released
from server.results.telling import worst_case


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
            view_name(view.filter, document.plan.dimensions, language),
            band_text(found.n_band or view.n_band),
            figure_text(found.index, language),
            figure_text(found.favourable, language, " %"),
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
        _distribution(figure, language),
        rows,
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


def _distribution(figure: Statistic, language: str) -> tuple[tuple[str, str, float], ...]:
    """Unfavourable to favourable, in three or five classes."""
    shares = figure.distribution
    keys = {3: ("unfavourable", "neutral", "favourable"), 5: ("1", "2", "3", "4", "5")}.get(len(shares), ())
    return tuple(
        (say(language, f"hr.item.class.{key}"), figure_text(share, language, " %"), as_number(share))
        for key, share in zip(keys, shares, strict=bool(keys))
    )


HANDLERS = (item_page,)
