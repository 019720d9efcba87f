"""A release beside the one before it, in words: what is clear, what moved, and what cannot be said.

Each sentence follows from published values; a page never writes one by hand.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache

from babel.dates import format_date
from litestar.exceptions import NotFoundException

from analysis.document import ReleaseInvalid
from analysis.published import UNITS, Difference, Document
from analysis.steps import as_number
from analysis.trend import Trend, trends
from server.frame.display import number, text_of
from server.frame.texts import say
from server.results.reading import AREAS, Labels, as_figures, figure_text, interval_text, labels_of, view_name
from server.results.shown import released
from surveys import certification
from surveys.public.questionnaires import asked_alike
from surveys.public.waves import NoSuchWave, WaveRecord

EVERYONE = "all"
FAMILIES = ("areas", "scales")
CLAIMED = ("rose", "fell")


@dataclass(frozen=True, slots=True)
class Story:
    """A release with its names, and the release of everyone before it."""

    wave: WaveRecord
    document: Document
    labels: Labels
    before: Document | None
    when: str
    """When the wave before closed, as a month; "" where there is none."""
    trends: Mapping[tuple[str, str, str], Trend]
    """By family, view and statistic; empty where there is nothing before."""
    language: str
    alike: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """By family, the statistics whose questions were the same in both; empty where there is nothing before."""

    def name(self, family: str, statistic: str) -> str:
        """What a statistic is called."""
        if family == "areas":
            return say(self.language, f"results.area.{statistic}")
        texts = (self.labels.scales if family == "scales" else self.labels.items).get(statistic)
        return text_of(texts, self.language) if texts else statistic

    def group(self, view: str) -> str:
        """What a view is called."""
        filters = {one.id: one.filter for one in self.document.plan.views}
        return view_name(filters[view], self.document.plan.dimensions, self.language)

    def trend(self, family: str, view: str, statistic: str) -> Trend:
        return self.trends.get((family, view, statistic), Trend("absent"))

    def difference(self, family: str, view: str, statistic: str) -> Difference | None:
        """A view against the whole organisation, or women against their contrast; None where it is not compared."""
        wanted = family, view, statistic
        return next((d for d in self.document.differences if (d.family, d.view, d.statistic) == wanted), None)


async def story_of(wave: str, language: str) -> Story:
    """Read a release and the one before it.

    Raises
    ------
    NotFoundException, ReleaseInvalid
        As `released` does.
    """
    return await _story(wave, await certification.waves_of_everyone(), language)


async def _story(wave: str, of_everyone: Sequence[WaveRecord], language: str) -> Story:
    record, document = await released(wave)
    found = await _before(record, document, of_everyone)
    if found is None:
        return Story(record, document, labels_of(record), None, "", {}, language)
    pair = _Pair((record, document), found)
    when = format_date(date.fromisoformat(found[1].wave.closed or ""), "LLLL y", locale=language.replace("-", "_"))
    return Story(record, document, labels_of(record), found[1], when, _moved(pair), language, _alike(pair))


async def stories_of_everyone(language: str) -> tuple[Story, ...]:
    """The releases of everyone that this installation signed, the oldest first; each knows the one before it."""
    of_everyone = await certification.waves_of_everyone()
    found = await stories_of((wave.id for wave in of_everyone), of_everyone, language)
    return tuple(found.values())


async def stories_of(waves: Iterable[str], of_everyone: Sequence[WaveRecord], language: str) -> dict[str, Story]:
    """The releases of these waves that are here and this installation signed."""
    found = {}
    for wave in waves:
        try:
            found[wave] = await _story(wave, of_everyone, language)
        except (NotFoundException, NoSuchWave, ReleaseInvalid):
            continue
    return found


async def _before(
    record: WaveRecord, document: Document, of_everyone: Sequence[WaveRecord]
) -> tuple[WaveRecord, Document] | None:
    """The wave of everyone before, by its signed days, and only where its questions are those that were signed with its figures.

    Rows say which waves there are. Where one of them was changed, nothing is compared with it; its own page says why.
    """
    earlier = certification.wave_before(record, of_everyone)
    if earlier is None:
        return None
    try:
        found = await released(earlier.id)
    except (NotFoundException, ReleaseInvalid):
        return None
    days = found[1].wave.closed or "", document.wave.closed or ""
    return found if days[0] and days[0] < days[1] else None


class _Pair:
    """Two releases to compare. Their signatures, which were checked, stand for all of them: questions too."""

    def __init__(self, now: tuple[WaveRecord, Document], before: tuple[WaveRecord, Document]) -> None:
        self.now, self.before = now, before
        self.signatures = now[1].signature, before[1].signature

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Pair) and self.signatures == other.signatures

    def __hash__(self) -> int:
        return hash(self.signatures)


@lru_cache(maxsize=8)
def _alike(pair: _Pair) -> Mapping[str, frozenset[str]]:
    return asked_alike(pair.now[0], pair.before[0])


@lru_cache(maxsize=8)
def _moved(pair: _Pair) -> Mapping[tuple[str, str, str], Trend]:
    document, before, alike = pair.now[1], pair.before[1], _alike(pair)
    return {
        (family, *place): trend
        for family in FAMILIES
        for place, trend in trends(document, before, family, alike[family]).items()
    }


def signed(value: float, language: str) -> str:
    """A gap with its sign, the minus as a minus."""
    return as_figures(("−" if value < 0 else "+" if value > 0 else "") + number(abs(value), language), language)


def trend_text(trend: Trend, language: str) -> str:
    """A change in at most a few words: one of four, or why there is none."""
    match trend.word:
        case "rose" | "fell":
            return f"{'▲' if trend.word == 'rose' else '▼'} {signed(trend.change, language)}"
        case "little":
            return say(language, "hr.story.little", change=signed(trend.change, language))
        case "absent":
            return "–"
        case "few":
            return say(language, "hr.story.unsure")
        case word:
            return say(language, f"hr.story.{word}")


def trend_look(trend: Trend) -> str:
    return {"rose": "up", "fell": "down"}.get(trend.word, "")


def range_text(low: float, high: float, language: str) -> str:
    """Limits of a gap: from −20 to −5."""
    return say(language, "hr.story.range", low=signed(low, language), high=signed(high, language))


@dataclass(frozen=True, slots=True)
class Dot:
    """One statistic of a group on its axis, beside the whole organisation and the wave before; all places on 0-100."""

    name: str
    address: str
    value: str
    limits: str
    at: float | None
    low: float | None
    high: float | None
    before: float | None
    whole: float | None
    look: str
    """``lo`` or ``hi`` where it is clearly below or above the whole; ``grey`` where that cannot be said; else nothing."""
    gap: str
    gap_limits: str
    trend: str
    trend_look: str
    trend_limits: str


def dot(story: Story, family: str, view: str, statistic: str, *, address: str = "", name: str = "") -> Dot:
    """Put a statistic of a view on its axis; of a group the limits are those of its gap, laid on the whole.

    Parameters
    ----------
    story : a release and the one before
    family, view, statistic : which figure
    address, name : where it leads, and what the row is called; the statistic's own name where there is none
    """
    language, views = story.language, {one.id: one for one in story.document.views}
    figure = views[view].family(family).get(statistic)
    whole = story.document.everyone.family(family).get(statistic)
    moved, compared = story.trend(family, view, statistic), story.difference(family, view, statistic)
    low: float | None
    high: float | None
    low, high = (figure.ci.index or (None, None)) if figure else (None, None)
    look, gap, gap_limits = "", "", ""
    if view != EVERYONE:
        look, gap = "grey", ""
        if compared and compared.against == EVERYONE:
            gap = say(language, "hr.story.unsure")
            low, high = compared.reference + compared.low, compared.reference + compared.high
            gap_limits = range_text(compared.low, compared.high, language)
            if compared.clear:
                look, gap = "lo" if compared.gap < 0 else "hi", signed(compared.gap, language)
    return Dot(
        name or story.name(family, statistic),
        address,
        figure_text(figure.index if figure else None, language),
        interval_text(figure.ci.index if figure else None, language),
        as_number(figure.index) if figure else None,
        None if low is None else max(0.0, float(low)),
        None if high is None else min(100.0, float(high)),
        moved.before,
        as_number(whole.index) if whole and view != EVERYONE else None,
        look,
        gap,
        gap_limits,
        trend_text(moved, language) if story.before else "",
        trend_look(moved),
        range_text(moved.low, moved.high, language) if moved.before is not None else "",
    )


def lone_dot(
    name: str,
    value: str,
    limits: str,
    at: float | None,
    ends: tuple[float, float] | None,
    before: float | None = None,
) -> Dot:
    """A figure on its axis, beside its own of the wave before where there is one.

    Parameters
    ----------
    name, value, limits : in words
    at, ends, before : the figure, its limits and the earlier figure, on 0-100
    """
    low, high = ends or (None, None)
    return Dot(name, "", value, limits, at, low, high, before, None, "", "", "", "", "", "")


@dataclass(frozen=True, slots=True)
class Claim:
    """A sentence, and the page that shows it with the name of its link."""

    text: str
    address: str
    link: str


def unit_claims(story: Story) -> tuple[Claim, ...]:
    """Each unit with a clear difference from the whole organisation: first where it hurts, then by how many areas."""
    of = len(story.document.everyone.areas)
    clear: dict[str, list[Difference]] = {}
    for one in story.document.differences:
        if one.clear and one.family == "areas" and story.document.kind_of(one.view) in UNITS:
            clear.setdefault(one.view, []).append(one)
    sides = [
        (side, view, [one for one in found if one.gap * side > 0]) for view, found in clear.items() for side in (-1, 1)
    ]
    return tuple(
        Claim(_unit_text(story, story.group(view), view, areas, of), address_of(story, view), story.group(view))
        for _, view, areas in sorted(sides, key=lambda one: (one[0], -len(one[2]), one[1]))
        if areas
    )


def _unit_text(story: Story, name: str, view: str, areas: Sequence[Difference], of: int) -> str:
    way = "low" if areas[0].gap < 0 else "high"
    language = story.language
    if len(areas) == 1:
        text = say(language, f"hr.story.{way}_one", group=name, area=story.name("areas", areas[0].statistic))
    else:
        text = say(language, f"hr.story.{way}", group=name, n=len(areas), of=of)
    fell = [one for one in story.document.everyone.areas if story.trend("areas", view, one).word == "fell"]
    if fell and way == "low":
        text += " " + say(language, "hr.story.fell_too", when=story.when, n=len(fell), of=of)
    return text


def address_of(story: Story, view: str) -> str:
    """The page of a group."""
    return f"/hr/results/{story.wave.id}/group/{view}?lang={story.language}"


def theme_address(story: Story, family: str, statistic: str) -> str:
    """The page of an area or a theme."""
    return f"/hr/results/{story.wave.id}/{family}/{statistic}?lang={story.language}"


def trend_claims(story: Story) -> tuple[Claim, ...]:
    """What rose or fell in the whole organisation, areas before themes, the largest change first."""
    found = [
        (family, statistic, trend)
        for (family, view, statistic), trend in story.trends.items()
        if view == EVERYONE and trend.word in CLAIMED and (family == "areas" or statistic in story.document.scales)
    ]
    found.sort(key=lambda one: (one[0] != "areas", -abs(one[2].change), one[1]))
    return tuple(
        Claim(
            say(
                story.language,
                f"hr.story.{trend.word}",
                name=story.name(family, statistic),
                n=number(abs(trend.change), story.language),
                when=story.when,
                low=number(min(abs(trend.low), abs(trend.high)), story.language),
                high=number(max(abs(trend.low), abs(trend.high)), story.language),
            ),
            theme_address(story, family, statistic),
            story.name(family, statistic),
        )
        for family, statistic, trend in found
    )


def title_of(story: Story) -> str:
    """The finding that a page about the whole begins with."""
    claims = [*unit_claims(story), *trend_claims(story)]
    return claims[0].text.split(". ")[0].rstrip(".") if claims else say(story.language, "hr.story.flat")


def area_dots(story: Story, view: str = EVERYONE) -> tuple[Dot, ...]:
    """The six areas of a group, as far as the whole organisation has them."""
    return tuple(
        dot(story, "areas", view, area, address=theme_address(story, "areas", area))
        for area in AREAS
        if area in story.document.everyone.areas
    )


def theme_dots(story: Story, view: str = EVERYONE) -> tuple[Dot, ...]:
    """The themes that hold together, of a group."""
    return tuple(
        dot(story, "scales", view, scale, address=theme_address(story, "scales", scale))
        for scale in story.document.scales
    )
