"""The scorecard over the years: as it stands, what would be if, what ends, and those that were kept, each printed from its own text."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar

from litestar import Response
from litestar.exceptions import NotFoundException

from analysis.pdr125 import evidence as points
from server.certification import scorecard
from server.frame.asked import AppRequest
from server.frame.display import day, number
from server.frame.pages import Shell, show
from server.frame.signed_in import Desk, frame
from server.frame.texts import say
from server.results.findings import indicator_text
from server.results.reading import figure_text, interval_text
from server.results.story import signed
from surveys import certification
from surveys.lifecycle.context import today
from surveys.public import scorecards
from surveys.public.scorecards import Area, Line, Scorecard, ScorecardInvalid
from surveys.scorecards import Chain, drawn_up
from surveys.scorecards import chain as chain_of_kept


@dataclass(frozen=True, slots=True)
class Bar:
    """Points as a bar of 100: what is earned and lost; the rest is open. `now` marks today, `supposed` what is only tried."""

    name: str
    points: str
    earned: float
    lost: float
    now: bool = False
    supposed: bool = False


@dataclass(frozen=True, slots=True)
class ScoreRow:
    """One area: its points in each year, the oldest first and today last, and how people live it."""

    name: str
    weight: str
    earned: str
    lost: str
    open: str
    people: str
    years: tuple[Bar, ...]
    change: str
    """What it brought to the total since the last year that was kept."""


@dataclass(frozen=True, slots=True)
class Choice:
    """An indicator that could be supposed met."""

    id: str
    text: str
    points: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class KeptLine:
    """A kept scorecard in the list."""

    name: str
    words: str
    address: str


@dataclass(frozen=True, slots=True)
class ScorecardPage:
    """Points earned, lost and not yet assessed, by area and over the years."""

    template: ClassVar[str] = "scorecard.html"
    shell: Shell
    desk: Desk
    title: str
    base: str
    lead: str
    bars: tuple[Bar, ...]
    threshold: int
    words: str
    rows: tuple[ScoreRow, ...]
    years: tuple[str, ...]
    since: str
    expiries: tuple[str, ...]
    choices: tuple[Choice, ...]
    supposed: str
    kept: tuple[KeptLine, ...]
    broken: tuple[str, ...]
    edition: str
    can_keep: bool


@dataclass(frozen=True, slots=True)
class KeptIndicator:
    """One indicator of a kept scorecard."""

    id: str
    text: str
    points: str
    state: str
    who: str
    papers: tuple[str, ...]
    people: str


@dataclass(frozen=True, slots=True)
class KeptPage:
    """A scorecard as it was kept."""

    template: ClassVar[str] = "scorecard_kept.html"
    shell: Shell
    desk: Desk
    title: str
    base: str
    name: str
    lead: str
    total: str
    verdict: str
    rows: tuple[ScoreRow, ...]
    lines: tuple[KeptIndicator, ...]
    edition: str


async def _kept() -> tuple[list[tuple[str, Scorecard]], list[str]]:
    """The scorecards that are kept, the newest first, and the names of those that are not as they were signed."""
    found, broken = [], []
    for name in await scorecards.names():
        try:
            card = await scorecards.read(name)
        except ScorecardInvalid:
            broken.append(name)
        else:
            found += [(name, card)] if card else []
            broken += [] if card else [name]
    return found, broken


async def kept_years() -> dict[int, Scorecard]:
    """The last scorecard that was kept of each year, of those that are as they were signed."""
    return _by_year((await _kept())[0])


def _by_year(cards: Iterable[tuple[str, Scorecard]]) -> dict[int, Scorecard]:
    """The last one that was kept of each year, the newest year first."""
    years: dict[int, Scorecard] = {}
    for _, card in cards:
        years.setdefault(card.year, card)
    return years


def _rows(areas: Iterable[Area], years: Sequence[Scorecard], language: str) -> tuple[ScoreRow, ...]:
    """The areas of a scorecard, beside the same areas in the years before it."""
    before = [{area.number: area for area in card.areas} for card in years]
    return tuple(
        ScoreRow(
            f"{area.number} {say(language, f'results.area.{area.number}')}",
            f"{area.weight} %",
            number(area.earned, language),
            number(area.lost, language),
            number(area.open, language),
            figure_text(area.index, language),
            (
                *(
                    _bar(year.get(area.number), str(card.year), language)
                    for card, year in zip(years, before, strict=True)
                ),
                _bar(area, say(language, "hr.indicator.now"), language, now=True),
            ),
            _change(area, before[-1].get(area.number), language) if before else "",
        )
        for area in areas
    )


def _bar(area: Area | None, name: str, language: str, *, now: bool = False) -> Bar:
    if area is None or not area.applicable:
        return Bar(name, "–", 0.0, 0.0, now)
    whole = area.applicable
    return Bar(name, number(area.earned, language), 100 * area.earned / whole, 100 * area.lost / whole, now)


def _change(area: Area, before: Area | None, language: str) -> str:
    """Points of the total of 100, with their sign; nothing where the area was not there."""
    if before is None:
        return "–"
    moved = _of_total(area) - _of_total(before)
    return signed(float(moved), language) if moved else "="


def _of_total(area: Area) -> Fraction:
    return Fraction(area.earned * area.weight, area.applicable) if area.applicable else Fraction(0)


def _bars(card: Scorecard, years: Sequence[Scorecard], then: points.Scorecard | None, language: str) -> tuple[Bar, ...]:
    """The total in each year that was kept, today, and on a copy where something is supposed."""
    found = [
        Bar(
            say(language, "hr.scorecard.today", year=one.year) if one is card else str(one.year),
            _points(one.total("earned"), language),
            float(one.total("earned")),
            float(one.total("lost")),
            one is card,
        )
        for one in (*years, card)
    ]
    if then:
        name = say(language, "hr.scorecard.if")
        found.append(Bar(name, number(then.earned, language), then.earned, then.lost, supposed=True))
    return tuple(found)


def _verdict(reaches: bool | None, language: str) -> str:
    key = {True: "verdict_pass", False: "verdict_fail", None: "verdict_open"}[reaches]
    return say(language, f"points.{key}")


def _points(value: Fraction, language: str) -> str:
    return number(float(value), language)


def _supposed(chosen: frozenset[str], now: points.Scorecard, then: points.Scorecard | None, language: str) -> str:
    """What the total would be; nothing where nothing is supposed."""
    if then is None:
        return ""
    key = "enough" if then.reaches_threshold else "not_enough"
    names = ", ".join(sorted(chosen))
    return say(
        language,
        f"hr.scorecard.supposed_{key}",
        names=names,
        now=number(now.earned, language),
        then=number(then.earned, language),
    )


async def scorecard_page(request: AppRequest, base: str, *, can_keep: bool) -> Response[str]:
    """The scorecard, for HR and the auditor."""
    shell, desk = await frame(request)
    language, ground = shell.language, await certification.ground(today())
    now, standings = ground.scores(), ground.standings()
    card, (kept, broken), chain = drawn_up(ground, ""), await _kept(), await chain_of_kept()
    open_ones = [one for one in standings if one.counted.assessed_state != "met"]
    asked = frozenset(request.query_params.getall("met", [])) & {one.indicator.id for one in open_ones}
    then = ground.scores(asked) if asked else None
    years, worth = list(reversed(_by_year(kept).values())), ground.weights()
    road = scorecard.road(ground, now, standings, language)
    page = ScorecardPage(
        shell,
        desk,
        f"{road.hero} {road.verdict}",
        base,
        say(language, "hr.scorecard.lead", edition=card.edition, band=card.band, day=day(card.day, language)),
        _bars(card, years, then, language),
        card.threshold,
        f"{road.words} {_verdict(card.reaches, language)}",
        _rows(card.areas, years, language),
        (*(str(one.year) for one in years), say(language, "hr.indicator.now")),
        say(language, "hr.scorecard.since", year=years[-1].year) if years else "",
        scorecard.expiry_lines(ground, language),
        tuple(
            Choice(
                one.indicator.id,
                indicator_text(one.indicator, language),
                number(worth[one.indicator.id], language),
                one.indicator.id in asked,
            )
            for one in open_ones
        ),
        _supposed(asked, now, then, language),
        tuple(
            KeptLine(name, _kept_words(name, one, chain, language), f"{base}/{name}?lang={language}")
            for name, one in kept
        ),
        _broken(broken, chain, language),
        card.edition,
        can_keep,
    )
    return show(page)


def _broken(unsigned: Sequence[str], chain: Chain, language: str) -> tuple[str, ...]:
    """What was kept and is gone, and what is there and is not what was kept, a sentence each."""
    missing = [say(language, "hr.scorecard.missing", year=name.partition("-")[0], name=name) for name in chain.missing]
    other = [*unsigned, *(name for name in chain.other if name not in unsigned)]
    return (*missing, *(say(language, "hr.scorecard.broken", name=name) for name in other))


def _kept_words(name: str, card: Scorecard, chain: Chain, language: str) -> str:
    words = say(
        language,
        "hr.scorecard.kept_line",
        year=card.year,
        day=day(card.day, language),
        who=card.kept_by,
        earned=_points(card.total("earned"), language),
    )
    return f"{words} · {say(language, 'hr.scorecard.loose')}" if name in chain.loose else words


async def kept_page(request: AppRequest, name: str, base: str) -> Response[str]:
    """A kept scorecard, from its own text alone.

    Raises
    ------
    ScorecardInvalid
        If it is not what was signed: nothing of it is shown.
    """
    card = await scorecards.read(name)
    if card is None:
        raise NotFoundException
    shell, desk = await frame(request)
    language = shell.language
    page = KeptPage(
        shell,
        desk,
        say(language, "hr.scorecard.kept_heading", year=card.year),
        base,
        name,
        say(language, "hr.scorecard.kept_lead", day=day(card.day, language), who=card.kept_by, band=card.band),
        say(
            language,
            "points.total_kept",
            **{part: _points(card.total(part), language) for part in ("earned", "lost", "open")},
            threshold=card.threshold,
        ),
        _verdict(card.reaches, language),
        _rows(card.areas, (), language),
        tuple(_indicator(line, language) for line in card.lines),
        card.edition,
    )
    return show(page)


def _indicator(line: Line, language: str) -> KeptIndicator:
    words = say(language, f"evidence.state.{line.counted}")
    who = [
        say(language, f"evidence.{key}", who=name, day=day(on, language))
        for key, name, on in (("set", line.set_by, line.set_on), ("reviewed", line.reviewed_by, line.reviewed_on))
        if name and on
    ]
    seen, people = line.perception, ""
    if seen and seen.index is not None:
        limits = None if seen.low is None or seen.high is None else (seen.low, seen.high)
        people = f"{figure_text(seen.index, language)} ({interval_text(limits, language)})"
    return KeptIndicator(
        line.id,
        line.text_it if language == "it" else line.text_en,
        number(line.points, language),
        words,
        " ".join(who),
        tuple(f"{paper.title} · {day(paper.day, language)}" for paper in line.papers),
        people,
    )


async def kept_text(name: str) -> Response[str]:
    """A kept scorecard as it was signed, with its signature, to be checked elsewhere."""
    signed = await scorecards.signed_text(name)
    if signed is None:
        raise NotFoundException
    headers = {"Content-Disposition": f'attachment; filename="scorecard-{name}.json"'}
    return Response(signed, media_type="application/json", headers=headers)
