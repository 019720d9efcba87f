"""The board report: what one release lets be said, gathered as rows of text and places on an axis.

Every sentence and figure is made by what the pages ask: `server.results` and `server.certification`. Nothing is typeset here;
`server.papers.printing` does that in a process that ends. The order is that of the reader: where we stand, what matters, the six
areas, women and men, places, what was done, who took part, how the numbers were made.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from analysis.document import canonical
from server.certification import scorecard
from server.certification.scorecard import EvidenceBar, NextPoints
from server.certification.things import things
from server.frame.display import day, text_of
from server.frame.texts import catalogue, say
from server.papers.board_acts import Changes, changes_of
from server.papers.board_groups import MapTable, Place, Share, people_table, place_table, places_of, shares_of
from server.papers.board_pictures import GapRow, Row, Thing, gap_rows, rows_of, thing_of
from server.papers.plain import plain
from server.results.findings import alerts_in_words, gender_line, lead_of_areas, single_line
from server.results.reading import AREAS, participation_line
from server.results.shown import certificate_line, experience_lines
from server.results.story import EVERYONE, Story, story_of, title_of, trend_claims
from server.results.telling import axis_of, counted, coverage, listed, quality_lines
from surveys import certification
from surveys.lifecycle.context import today
from surveys.public import organisation, releases
from surveys.public.signing import fingerprint

MARK = 16
"""So many hex digits of a document's SHA-256 stand on every page; all of them on the page of the method."""


@dataclass(frozen=True, slots=True)
class RoadRow:
    """Points of the total of 100, and what they say."""

    earned: float
    lost: float
    threshold: float
    hero: str
    verdict: str
    words: str
    next: tuple[NextPoints, ...]


@dataclass(frozen=True, slots=True)
class AreaRow:
    """An area: its evidence as a bar, and how people live it as a dot."""

    number: str
    name: str
    evidence: EvidenceBar | None
    people: Row


@dataclass(frozen=True, slots=True)
class Method:
    """How the numbers were made: sentences, the smallest groups, days, and the digests that anybody can compute."""

    lines: tuple[str, ...]
    quality: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Report:
    """All that `board.typ` prints; `t` are the fixed sentences."""

    lang: str
    t: dict[str, str]
    about: str
    organisation: str
    day: str
    source: str
    mark: str
    title: str
    lead: str
    shown: bool
    road: RoadRow
    things: tuple[Thing, ...]
    areas_title: str
    areas: tuple[AreaRow, ...]
    when: str
    axis: tuple[float, float]
    themes: tuple[Row, ...]
    single: str
    gender_title: str
    gender: str
    gaps: tuple[GapRow, ...]
    people: MapTable
    alert: str
    experience: tuple[tuple[str, str], ...]
    map: MapTable
    places_title: str
    places: tuple[Place, ...]
    more_places: tuple[str, ...]
    hidden: str
    changes: Changes
    share: str
    counted: str
    took_part: str
    coverage: str
    shares: tuple[Share, ...]
    method: Method


def _fixed(language: str) -> dict[str, str]:
    """The sentences of the paper itself, by their keys without the file's name; two are those of the pages of results."""
    same = {name: say(language, f"results.{name}") for name in ("experience", "experience_note")}
    return same | {
        key.removeprefix("board.t."): str(text)
        for key, text in catalogue(language).items()
        if key.startswith("board.t.")
    }


def _evidence_rows(story: Story, bars: dict[str, EvidenceBar]) -> tuple[AreaRow, ...]:
    people = {row.id: row for row in rows_of(story, EVERYONE, "areas", AREAS)}
    return tuple(AreaRow(area, people[area].name, bars.get(area), people[area]) for area in AREAS)


def _areas_title(story: Story) -> str:
    """The first clear change of an area, else what stands out of the six."""
    names = {story.name("areas", area) for area in story.document.everyone.areas}
    moved = [claim.text for claim in trend_claims(story) if claim.link in names]
    return (moved[0] if moved else lead_of_areas(story.document, story.language)).rstrip(".")


def _places_title(story: Story, names: Sequence[str], more: Sequence[str]) -> str:
    if names:
        return say(story.language, "board.clear_in", groups=listed(names, story.language))
    return say(story.language, "board.clear_inside" if more else "board.t.map_nothing")


def _method(story: Story, digest: str) -> Method:
    language, document = story.language, story.document
    k = document.rules.k
    facts = {
        "asked": " – ".join(day(one, language) for one in (document.wave.opened, document.wave.closed) if one),
        "k_items": say(language, "board.people", n=k["items"]),
        "k_comments": say(language, "board.people", n=k.get("comments", k["items"])),
        "k_experience": say(language, "board.people", n=k.get("experience", k["items"])),
        "questions": document.questionnaire.sha256[:MARK],
        "key": fingerprint(document.key) if document.key else "",
        "document": f"{digest[:32]}\u200b{digest[32:]}",
        "edition": certification.catalogue().edition,
    }
    lines = (
        say(language, "board.method.scale"),
        say(language, "results.method_text", k=k["items"]),
        certificate_line(document, language),
        say(language, "hr.group.method"),
        say(language, "board.method.points"),
    )
    return Method(
        lines,
        quality_lines(story),
        tuple((say(language, f"board.fact.{name}"), text) for name, text in facts.items() if text),
    )


async def digest_of(wave: str) -> str:
    """SHA-256 of the signed document, over the bytes that the page of results gives out."""
    found = await releases.document(wave)
    return hashlib.sha256(canonical(found)).hexdigest() if found else ""


async def board_report(wave: str, language: str) -> dict[str, Any]:
    """Gather the report of a release, as plain JSON.

    Parameters
    ----------
    wave : of a release, also one of few people or an imported one
    language : ``it`` or ``en``

    Raises
    ------
    NotFoundException, ReleaseInvalid
        As `server.results.shown.released` does.
    """
    story = await story_of(wave, language)
    document, on = story.document, today()
    ground, about = await certification.ground(on), await organisation.load()
    card, standings = ground.scores(), ground.standings()
    road, bars = scorecard.road(ground, card, standings, language), scorecard.evidence_bars(card, language)
    digest = await digest_of(wave)
    title = plain(text_of(document.wave.title or story.wave.title, language), 120)
    released = day(story.wave.released or document.wave.closed, language)
    source = say(language, "board.source", title=title, released=released, k=document.rules.k["items"])
    shown = bool(document.everyone.areas or document.everyone.scales or document.everyone.items)
    share, people = counted(document, language)
    places, more = places_of(story)
    alerts = alerts_in_words(document, story.labels, language)
    areas, themes = _evidence_rows(story, bars), rows_of(story, EVERYONE, "scales", tuple(document.scales))
    report = Report(
        lang=language,
        t=_fixed(language),
        about=say(language, "board.about", title=title),
        organisation=plain(about.name if about else "Ascolto", 80),
        day=day(on, language),
        source=source,
        mark=say(language, "board.certificate", mark=grouped(digest[:MARK])),
        title=title_of(story) if shown else say(language, "board.nothing"),
        lead=f"{title}. {participation_line(document, language)} {_origin(story)}".strip(),
        shown=shown,
        road=RoadRow(
            road.earned,
            road.lost,
            road.threshold,
            road.hero,
            road.verdict,
            f"{road.words} {say(language, 'board.points_day', day=day(on, language))}",
            road.next,
        ),
        things=tuple(thing_of(story, claim, standings) for claim in things(story, standings)),
        areas_title=_areas_title(story) if document.everyone.areas else say(language, "board.nothing"),
        areas=areas,
        when=say(language, "hr.overview.since", when=story.when) if story.when else "",
        axis=axis_of(row.dot for row in (*(one.people for one in areas), *themes) if row.dot),
        themes=themes,
        single=single_line(document, story.labels, language),
        gender_title=gender_line(document, language, most=1).rstrip("."),
        gender=gender_line(document, language),
        gaps=gap_rows(story, "areas", AREAS),
        people=people_table(story),
        alert=say(language, "hr.alert.lead", n=len(alerts)) if alerts else "",
        experience=tuple(
            (line.text, line.figure)
            for item, line in zip(document.experience, experience_lines(document, story.labels, language), strict=True)
            if "." not in item
        ),
        map=place_table(story),
        places_title=_places_title(story, [one.name for one in places], more),
        places=places,
        more_places=more,
        hidden=say(language, "results.hidden", n=sum(not view.shown for view in document.views)),
        changes=await changes_of(story, on),
        share=share,
        counted=people,
        took_part=participation_line(document, language).rstrip("."),
        coverage=coverage(document, language),
        shares=shares_of(story),
        method=_method(story, digest),
    )
    return asdict(report)


def _origin(story: Story) -> str:
    return say(story.language, "results.imported") if story.document.origin == "imported" else ""


def grouped(digits: str) -> str:
    """Hex digits in groups of four."""
    return " ".join(digits[start : start + 4] for start in range(0, len(digits), 4))
