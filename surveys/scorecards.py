"""The scorecard of a day as something to keep: evidence, points, and how people lived it, all in one signed text.

The log of acts, which lies in another store and whose head is kept outside, names each that is kept: one that is taken away is missed.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from analysis.pdr125 import evidence as points
from analysis.published import Document
from surveys import certification
from surveys.certification import Ground, Standing
from surveys.lifecycle.context import Site
from surveys.people import log
from surveys.public import scorecards
from surveys.public.scorecards import SCHEMA, Area, Line, Paper, Perceived, Scorecard, ScorecardInvalid
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


PATIENCE = 30.0
"""So many seconds somebody who keeps a scorecard waits for somebody else who does."""
KEPT = "scorecard kept"
"""The act in the log that names a kept scorecard and its digest."""
_NAME, _DIGEST = re.compile(r"\d{4}-\d{1,8}"), re.compile(r"[0-9a-f]{64}")


async def keep(site: Site) -> str:
    """Keep the scorecard of this day, and enter it in the log; gives its name.

    One that was kept by a step which was cut off before the log is entered first.
    """
    people = site.engines["people"]
    async with people.held("scorecards", PATIENCE):  # of two who keep at once, one enters each in the log
        card, entered = await as_of(site.day, site.actor), await _entered()
        name = await scorecards.keep(site.engines["public"], card, installation_key(site.data), entered)
        there = await scorecards.digests()
        for one, _ in reversed(await _chained(there)):
            if one not in entered:
                await log.record(people, site.day, site.actor, KEPT, card=one, sha256=there[one])
    return name


async def _entered() -> dict[str, str]:
    """The digests of kept scorecards by their names, as the log says them; the first entry of a name counts."""
    found: dict[str, str] = {}
    for act in await log.read():
        name, digest = str(act.details.get("card", "")), str(act.details.get("sha256", ""))
        if act.act == KEPT and _NAME.fullmatch(name) and _DIGEST.fullmatch(digest):
            found.setdefault(name, digest)
    return found


async def _chained(there: Mapping[str, str]) -> list[tuple[str, Scorecard]]:
    """The scorecards that are as they were signed and say which was before them, the newest first."""
    found = []
    for name in there:
        try:
            card = await scorecards.read(name)
        except ScorecardInvalid:
            continue
        if card and card.before is not None:
            found.append((name, card))
    return found


@dataclass(frozen=True, slots=True)
class Chain:
    """What the scorecards that are kept, and the log, say of each other; names, the newest first.

    missing : were kept and are no longer there
    other : are there, with another text than was kept
    loose : of a version that did not chain them, and that nothing names: of these nobody would see that one is missing
    """

    missing: tuple[str, ...] = ()
    other: tuple[str, ...] = ()
    loose: tuple[str, ...] = ()


async def chain() -> Chain:
    """Hold the scorecards that are there against what the log and they themselves say was kept."""
    there, entered = await scorecards.digests(), await _entered()
    chained = await _chained(there)
    named = [found for _, card in chained if (found := card.named_before())]
    said = {*entered.items(), *named}
    names = {name for name, _ in said}
    own = {name for name, _ in chained}
    return Chain(
        tuple(sorted(names - there.keys(), reverse=True)),
        tuple(sorted({name for name, digest in said if there.get(name, digest) != digest}, reverse=True)),
        tuple(name for name in there if name not in own | names),
    )


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
