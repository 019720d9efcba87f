"""The scorecard over the years: as it stands, what would be if, what ends, and those that were kept, each printed from its own text."""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar

from litestar import Response
from litestar.exceptions import NotFoundException

from server.certification import scorecard
from server.frame.asked import AppRequest
from server.frame.display import day, number
from server.frame.pages import Shell, show
from server.frame.signed_in import Desk, frame
from server.frame.texts import say
from server.results.findings import indicator_text
from server.results.reading import figure_text, interval_text
from surveys import certification
from surveys.lifecycle.context import today
from surveys.public import scorecards
from surveys.public.scorecards import Area, Line, Scorecard, ScorecardInvalid
from surveys.scorecards import as_of


@dataclass(frozen=True, slots=True)
class ScoreRow:
    """One area: its points, and how people live it."""

    name: str
    weight: str
    earned: str
    lost: str
    open: str
    people: str
    years: tuple[str, ...]


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
    road: scorecard.Road
    verdict: str
    rows: tuple[ScoreRow, ...]
    years: tuple[str, ...]
    totals: tuple[str, ...]
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


def _rows(areas: Iterable[Area], years: Iterable[Scorecard], language: str) -> tuple[ScoreRow, ...]:
    before = [{area.number: area for area in card.areas} for card in years]
    return tuple(
        ScoreRow(
            f"{area.number} {say(language, f'results.area.{area.number}')}",
            f"{area.weight} %",
            number(area.earned, language),
            number(area.lost, language),
            number(area.open, language),
            figure_text(area.index, language),
            tuple(number(year[area.number].earned, language) if area.number in year else "–" for year in before),
        )
        for area in areas
    )


def _verdict(reaches: bool | None, language: str) -> str:
    key = {True: "verdict_pass", False: "verdict_fail", None: "verdict_open"}[reaches]
    return say(language, f"points.{key}")


def _points(value: Fraction, language: str) -> str:
    return number(float(value), language)


async def _supposed(chosen: frozenset[str], language: str) -> str:
    """What the total would be; nothing where nothing is supposed."""
    if not chosen:
        return ""
    now, then = await certification.scores(today()), await certification.scores(today(), chosen)
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
    language, standings = shell.language, await certification.standings(today())
    card, (kept, broken) = await as_of(today(), ""), await _kept()
    open_ones = [one for one in standings if one.counted.assessed_state != "met"]
    asked = frozenset(request.query_params.getall("met", [])) & {one.indicator.id for one in open_ones}
    years, worth = _by_year(kept), await certification.weights()
    page = ScorecardPage(
        shell,
        desk,
        say(language, "hr.scorecard.heading"),
        base,
        await scorecard.road(language, standings),
        _verdict(card.reaches, language),
        _rows(card.areas, years.values(), language),
        tuple(str(year) for year in years),
        tuple(_points(one.total("earned"), language) for one in years.values()),
        await scorecard.expiry_lines(language),
        tuple(
            Choice(
                one.indicator.id,
                indicator_text(one.indicator, language),
                number(worth[one.indicator.id], language),
                one.indicator.id in asked,
            )
            for one in open_ones
        ),
        await _supposed(asked, language),
        tuple(KeptLine(name, _kept_words(one, language), f"{base}/{name}?lang={language}") for name, one in kept),
        tuple(say(language, "hr.scorecard.broken", name=name) for name in broken),
        card.edition,
        can_keep,
    )
    return show(page)


def _kept_words(card: Scorecard, language: str) -> str:
    return say(
        language,
        "hr.scorecard.kept_line",
        year=card.year,
        day=day(card.day, language),
        who=card.kept_by,
        earned=_points(card.total("earned"), language),
    )


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
