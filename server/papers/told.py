"""What you told us, what we do: the poster after a wave, one A4 page a language, for everyone or for one territory.

It says what the staff's page of results says, in the same sentences. Of a territory it says what is clear and shown there, of
other places nothing.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from litestar.exceptions import NotFoundException

from analysis.published import Document
from server.frame.display import text_of
from server.frame.texts import direction, say
from server.papers.plain import plain
from server.results.doing import action_line, actions_of
from server.results.findings import of_everyone, of_group
from server.results.reading import Labels, figure_text, labels_of, participation_line, view_name
from server.results.shown import released
from server.results.story import EVERYONE
from surveys.languages import REVIEWED
from surveys.public import organisation
from surveys.public.actions import ActionRecord

FINDINGS = 3
ACTS = 4
ACT, OWNER = 160, 50


@dataclass(frozen=True, slots=True)
class ToldPage:
    """One page, in one language."""

    lang: str
    rtl: bool
    organisation: str
    wave: str
    title: str
    took_part: str
    heard_head: str
    heard: tuple[str, ...]
    here_head: str
    here: tuple[str, ...]
    do_head: str
    do: tuple[str, ...]
    more: str
    how: str
    qr: str
    method: str
    draft: str


@dataclass(frozen=True, slots=True)
class Territory:
    """A territory that is shown: its id, and its name in Italian or another language."""

    id: str
    name: str


def territories_of(document: Document, language: str) -> tuple[Territory, ...]:
    """The territories that may have a poster of their own: those that are shown."""
    return tuple(
        Territory(view.id, view_name(view.filter, document.plan.dimensions, language))
        for view in document.views
        if view.shown and document.kind_of(view.id) == "territory"
    )


async def told_poster(wave: str, view: str, languages: Sequence[str]) -> dict[str, Any]:
    """Gather the poster of a release, as plain JSON: its pages, and the address that its QR leads to.

    Parameters
    ----------
    wave : of a release
    view : ``all``, or a territory that is shown
    languages : of the pages, in this order

    Raises
    ------
    NotFoundException
        If there is no release, or no such territory is shown: one that is hidden is not told from one that does not exist.
    ReleaseInvalid
        As `server.results.shown.released` does.
    """
    record, document = await released(wave)
    if view != EVERYONE and view not in {one.id for one in territories_of(document, "it")}:
        raise NotFoundException
    about, found, labels = await organisation.load(), await actions_of(wave), labels_of(record)
    waiting = sorted(found, key=lambda one: (one.done, one.due))[:ACTS]
    name, title = plain(about.name if about else "Ascolto", 80), document.wave.title or record.title
    address = f"{about.address.rstrip('/') if about else ''}/results/{wave}"
    pages = [
        asdict(_page(document, labels, language, view, name, plain(text_of(title, language), 100), waiting, address))
        for language in languages
    ]
    return {"pages": pages, "address": address}


def _page(
    document: Document,
    labels: Labels,
    language: str,
    view: str,
    organisation_name: str,
    title: str,
    waiting: Sequence[ActionRecord],
    address: str,
) -> ToldPage:
    here_head, here = _here(document, labels, language, view) if view != EVERYONE else ("", ())
    acts = tuple(action_line(_typed(one, language), language) for one in waiting)
    return ToldPage(
        language.split("-")[0],
        direction(language) == "rtl",
        organisation_name,
        title,
        say(language, "told.title"),
        participation_line(document, language),
        say(language, "told.heard"),
        of_everyone(document, labels, language)[:FINDINGS],
        here_head,
        here,
        say(language, "told.do"),
        acts or (say(language, "results.no_actions"),),
        say(language, "told.more"),
        say(language, "told.how"),
        say(language, "told.qr", address=address),
        say(language, "results.method_text", k=document.rules.k["items"]),
        "" if language in REVIEWED else say(language, "staff.shell.draft"),
    )


def _typed(one: ActionRecord, language: str) -> ActionRecord:
    """An action with its words as they can be printed; in a line from right to left they stand for themselves."""
    return replace(one, text=_apart(plain(one.text, ACT), language), owner=_apart(plain(one.owner, OWNER), language))


def _apart(words: str, language: str) -> str:
    return f"\u200f{words}\u200f" if direction(language) == "rtl" else words


def _here(document: Document, labels: Labels, language: str, view: str) -> tuple[str, tuple[str, ...]]:
    """What is shown and clear of a territory; that nothing is clear is said as calmly."""
    found = next(one for one in document.views if one.id == view)
    lines = of_group(document, labels, language, view)[:FINDINGS] or (say(language, "told.here_nothing"),)
    if share := figure_text(found.participation, language, " %"):
        lines = (say(language, "told.here_share", share=share), *lines)
    name = plain(view_name(found.filter, document.plan.dimensions, language), 60)
    return say(language, "told.here", group=_apart(name, language)), lines
