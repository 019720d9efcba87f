"""The scorecard of a day as something to keep: evidence, points, and how people lived it, all in one signed text."""

from datetime import date
from fractions import Fraction

from analysis.pdr125 import evidence as points
from analysis.published import Document
from surveys import certification
from surveys.certification import Ground, Standing
from surveys.lifecycle.context import Site
from surveys.public import scorecards
from surveys.public.scorecards import SCHEMA, Area, Line, Paper, Perceived, Scorecard
from surveys.public.signing import installation_key


async def as_of(day: date, by: str) -> Scorecard:
    """Draw up the scorecard as evidence counts on a day."""
    return drawn_up(await certification.ground(day), by)


def drawn_up(ground: Ground, by: str) -> Scorecard:
    """The same of what somebody hands in; asks no store."""
    card, document = ground.scores(), ground.document
    earned, lost, left = (
        sum((area.weighted(getattr(area, part)) for area in card.areas), Fraction(0))
        for part in ("earned", "lost", "not_assessed")
    )
    return Scorecard(
        schema=SCHEMA,
        name="",
        edition=certification.catalogue().edition,
        year=ground.day.year,
        day=ground.day.isoformat(),
        kept_by=by,
        band=ground.size,
        threshold=card.threshold_percent,
        earned=str(earned),
        lost=str(lost),
        open=str(left),
        reaches=card.reaches_threshold,
        areas=tuple(_area(area, document) for area in card.areas),
        lines=tuple(_line(one) for one in ground.standings()),
        wave=document.wave.id if document else "",
        wave_signature=document.signature if document else "",
    )


async def keep(site: Site) -> str:
    """Keep the scorecard of this day; gives its name."""
    card = await as_of(site.day, site.actor)
    return await scorecards.keep(site.engines["public"], card, installation_key(site.data))


def _area(area: points.AreaScore, document: Document | None) -> Area:
    figure = document.everyone.areas.get(str(area.number)) if document else None
    low, high = (figure.ci.index or (None, None)) if figure else (None, None)
    return Area(
        area.number,
        area.weight_percent,
        area.applicable,
        area.earned,
        area.lost,
        area.not_assessed,
        figure.index if figure else None,
        low,
        high,
    )


def _line(standing: Standing) -> Line:
    state, seen = standing.evidence, standing.perception
    perceived = None
    if seen:
        low, high = seen.interval or (None, None)
        perceived = Perceived(seen.state, seen.index, low, high)
    return Line(
        id=standing.indicator.id,
        text_it=standing.indicator.text_it,
        text_en=standing.indicator.text_en,
        kind=standing.indicator.kind,
        points=standing.indicator.points,
        counted="expired" if standing.expired else standing.counted.assessed_state,
        set_by=state.set_by,
        set_on=str(state.set_on or ""),
        reviewed_by=state.reviewed_by,
        reviewed_on=str(state.reviewed_on or ""),
        last=str(standing.last or ""),
        figure=state.figure,
        source=state.source,
        papers=tuple(Paper(one.title, one.day.isoformat(), one.sha256, one.link) for one in state.documents),
        perception=perceived,
    )
