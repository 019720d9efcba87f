"""The figures of a release: of each statistic in a view, stepped by its size, and of the whole organisation."""

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis import careless, drivers, reliability
from analysis.comparison import band_of, published_interval, published_share_interval
from analysis.moves import COUNTS, SUMS, Law, law_of
from analysis.responses import DONT_KNOW, PREFER_NOT, SKIPPED, RawResponses
from analysis.rules import LOW_AWARENESS
from analysis.scoring import Instrument, ItemSpec, item_index, mean_index, recoded
from analysis.statistic import RawStatistic
from analysis.steps import (
    ROWS,
    SPREAD_FROM,
    Rows,
    as_number,
    distribution_figures,
    index_figure,
    is_coded,
    mean_share,
    organisation_share,
    share_figure,
    size_band,
    spread_figure,
    state_of,
)

LEAST_VALID, LEAST_RATE = 30, 0.3

type Draw = Callable[[Law, str], int]
"""The move of one figure of a statistic in a view, by its name."""


def figure(
    statistic: RawStatistic,
    people: NDArray[np.int64],
    draw: Draw,
    *,
    is_root: bool,
    population: int | None,
    rows: Rows = ROWS,
) -> dict[str, Any]:
    """The figures of one statistic in one shown view. Spread and intervals for the root only.

    Intervals follow from what is published beside them: they say nothing of the answers. Everything follows the number who
    entered the statistic; where that is in a smaller band than the view, its own band is published (docs/decisions/0030).

    Parameters
    ----------
    statistic : before protection
    people : the respondents in the view, by their places
    draw : gives the move of a figure by its law and name
    is_root : whether the view is the whole organisation
    population : everyone invited, or None if unknown; only intervals read it
    rows : the table to round by

    Returns
    -------
    Empty where nobody entered the statistic, or so few that no index is shown.
    """
    scores = statistic.scores[people]
    valid = scores[~np.isnan(scores)]
    n = len(valid)
    made: dict[str, Any] = {}
    move = draw(law_of(statistic.steps), "index")
    index = index_figure(statistic.mean(people), n, statistic.steps, move, rows) if n else None
    if index is None:
        return made
    made["index"] = index
    band = size_band(n)
    if band != size_band(len(people)):
        made["n_band"] = band
    if statistic.values is not None:
        made |= _counted(statistic, people, draw, rows)
    if is_root:
        if not is_coded(index) and n >= SPREAD_FROM:  # beside a coded end it would say how near to unanimous people are
            made["sd"] = spread_figure(float(valid.var()) * n, n, draw(SUMS, "spread"))
        limits = published_interval(index, band, made.get("sd"), population, statistic.steps, rows, len(people))
        made["ci"] = {"index": list(limits)}
        if "favourable" in made:
            shares = published_share_interval(made["favourable"], band, population, rows, len(people))
            made["ci"]["favourable"] = list(shares)
    return made


def _counted(statistic: RawStatistic, people: NDArray[np.int64], draw: Draw, rows: Rows) -> dict[str, Any]:
    """The favourable share and the distribution of an item, as far as their size shows them."""
    assert statistic.values is not None  # asked of items alone
    item, values = statistic.members[0], statistic.values[people]
    values = values[~np.isnan(values)]
    n = len(values)
    name = "index" if statistic.steps == 1 else "favourable"  # of yes or no, the index is the share
    favourable = share_figure(int((values >= item.favourable_from).sum()), n, draw(COUNTS, name), rows)
    counts = [int((values == v).sum()) for v in range(item.low, item.high + 1)]
    moves = [draw(COUNTS, f"class {place}") for place in range(len(counts))]
    classes = distribution_figures(counts, n, favourable, moves, rows)
    made: dict[str, Any] = {} if favourable is None else {"favourable": favourable}
    return made if classes is None else made | {"distribution": list(classes)}


def special_shares(raw: RawResponses, instrument: Instrument) -> dict[str, Any]:
    """Don't know, prefer not and skipped of each item, whole organisation, in steps that follow from how many (STATISTICS 2.1).

    Don't know is a share of those who know or do not, of items that offer it; prefer not of those and the ones who prefer not; skipped of all
    to whom the item was shown. What has no base is left out.
    """
    records: dict[str, Any] = {}
    for item in instrument.likert():
        codes = raw.answer(item.id)
        base, record = int((codes >= 0).sum()), {}
        for name, code in (("dont_know", DONT_KNOW), ("prefer_not", PREFER_NOT), ("skipped", SKIPPED)):
            if name == "dont_know" and not item.dont_know:  # who cannot say so is not asked whether she knows
                continue
            count = int((codes == code).sum())
            base += count
            share = organisation_share(Fraction(100 * count, base), base) if base else None
            if share is not None:
                record[name] = share
        records[item.id] = record
    return records


def perception(
    instrument: Instrument,
    found: list[RawStatistic],
    views: list[dict[str, Any]],
    population: int | None,
    rows: Rows = ROWS,
) -> dict[str, Any]:
    """How people live each indicator, whole organisation: index, interval, state (STATISTICS 3).

    Parameters
    ----------
    instrument : names the indicators and their items
    found : the statistics before protection; of them only how many people entered each and how many steps an answer has
    views : as they are published, the whole organisation first; index, interval and state follow from them
    population : everyone invited, or None if unknown: then 30 answers are enough
    rows : the table by which the views were rounded
    """
    by_key = {statistic.key: statistic for statistic in found}
    records = {}
    for indicator in instrument.indicator_ids:
        items = [item for item in instrument.likert() if indicator in item.indicators]
        published = views[0].get("indicators", {}).get(indicator)
        valid = int((~np.isnan(by_key[f"indicators/{indicator}"].scores)).sum())
        enough = valid >= LEAST_VALID and (population is None or valid / population >= LEAST_RATE)
        record: dict[str, Any] = {
            "items": [item.id for item in items],
            "single_item": len(items) == 1,
            "state": "insufficient",
            "awareness_low": False,
        }
        if published and enough:
            low, high = published["ci"]["index"]
            record |= {"index": published["index"], "ci": [low, high], "state": state_of(low, high)}
            record |= _awareness(views[0], items)
            if "sd" in published and (
                by_gender := _by_gender(
                    views, indicator, by_key[f"indicators/{indicator}"].steps, published["sd"], rows
                )
            ):
                record["gender"] = by_gender
        records[indicator] = record
    return records


def _awareness(root: Mapping[str, Any], items: list[ItemSpec]) -> dict[str, Any]:
    """The mean share of "don't know" over those items of an indicator that offer it; from published values."""
    special = root.get("special", {})
    shares = [special[item.id]["dont_know"] for item in items if "dont_know" in special.get(item.id, {})]
    if not shares:
        return {}
    mean = mean_share(shares)
    return {"dont_know": mean, "awareness_low": as_number(mean) >= LOW_AWARENESS}


def _by_gender(views: list[dict[str, Any]], indicator: str, steps: int, sd: float, rows: Rows) -> dict[str, Any]:
    """States of women and of the contrast group, from what is published of them, when both are shown."""
    states = {}
    for view in views:
        if view["shown"] and view["id"] in ("gender:f", "gender:m", "gender:others"):
            figure = view.get("indicators", {}).get(indicator, {})
            index = figure.get("index")
            if index is not None and not is_coded(index):
                states[view["id"].partition(":")[2]] = state_of(
                    *published_interval(as_number(index), band_of(figure, view), sd, None, steps, rows)
                )
    return states if len(states) == 2 and "f" in states else {}


def quality(raw: RawResponses, instrument: Instrument) -> dict[str, Any]:
    """How well the scales hold together, and how many answers were left out; whole organisation only."""
    by_id = {item.id: item for item in instrument.likert()}
    scales: dict[str, Any] = {}
    for scale in instrument.scales:
        rows = np.column_stack([recoded(raw, by_id[name]) for name in scale.items])
        people = len(reliability.complete(rows))
        if people >= reliability.LEAST_PEOPLE and len(scale.items) >= reliability.LEAST_ITEMS:  # counts alone decide
            scales[scale.id] = {
                "n_band": size_band(people),
                "reading": reliability.reading(reliability.mcdonald_omega(rows)),
            }
    left_out = sum(int((raw.answer(item) < 0).sum()) for item in by_id)
    share = organisation_share(Fraction(100 * left_out, len(raw) * len(by_id)), len(raw)) if by_id else None
    found: dict[str, Any] = {"reliability": scales, "nonresponse": {} if share is None else {"items": share}}
    if len(raw) >= careless.LEAST_PEOPLE and by_id:  # counts alone decide
        doubtful = int(careless.careless(raw, instrument.likert()).sum())
        found["careless"] = organisation_share(Fraction(100 * doubtful, len(raw)), len(raw))
    single = {name for name, one in scales.items() if one["reading"] == "items"}
    if linked := _drivers(raw, instrument, [scale.id for scale in instrument.scales if scale.id not in single]):
        found["drivers"] = linked
    return found


def _drivers(raw: RawResponses, instrument: Instrument, held: Sequence[str]) -> dict[str, dict[str, str]]:
    """By outcome, how much each theme that is read as one goes together with it; nothing of an outcome of which nothing may be said."""
    by_id = {item.id: item for item in instrument.likert()}
    scales = [scale for scale in instrument.scales if scale.id in held]
    if len(scales) < drivers.LEAST_THEMES:
        return {}
    themes = np.column_stack(
        [mean_index(raw, [by_id[name] for name in scale.items], scale.min_answered) for scale in scales]
    )
    said = {item.id: drivers.words(themes, item_index(raw, item)) for item in by_id.values() if item.outcome}
    return {
        outcome: dict(zip((scale.id for scale in scales), words, strict=True))
        for outcome, words in said.items()
        if words is not None
    }
