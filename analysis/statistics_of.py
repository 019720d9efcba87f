"""The statistics of a release: which there are, and their figures for a view, stepped by its size."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis import estimates, reliability
from analysis.comparison import published_interval
from analysis.publication import (
    as_number,
    distribution_figures,
    experience_band,
    index_figure,
    is_coded,
    organisation_share,
    outward,
    share_figure,
    size_band,
)
from analysis.responses import DONT_KNOW, PREFER_NOT, SKIPPED, RawResponses
from analysis.scoring import Instrument, ItemSpec, Scores, half, item_index, mean_index, recoded, two_thirds
from analysis.views import Plan, RawIncidence

LEAST_VALID, LEAST_RATE = 30, 0.3
SUPPORTIVE_FROM, CRITICAL_UNDER = 60, 50
LOW_AWARENESS = 0.3
LEAST_BY_GENDER = 30
LEAST_HAPPENED = 20


@dataclass(frozen=True, slots=True, repr=False)
class RawStatistic:
    """One statistic before protection: a score on 0-100 per respondent, NaN where she does not enter it."""

    family: str
    id: str
    scores: Scores
    item: ItemSpec | None
    values: Scores | None
    root_only: bool

    @property
    def key(self) -> str:
        return f"{self.family}/{self.id}"


def statistics(raw: RawResponses, instrument: Instrument) -> list[RawStatistic]:
    """Every statistic that may be published for groups: items, scales, areas, indicators."""
    by_id = {item.id: item for item in instrument.likert()}
    found = [
        RawStatistic("items", item.id, item_index(raw, item), item, recoded(raw, item), item.rare)
        for item in by_id.values()
    ]
    for scale in instrument.scales:
        scores = mean_index(raw, [by_id[name] for name in scale.items], scale.min_answered)
        found.append(RawStatistic("scales", scale.id, scores, None, None, False))
    for area in sorted({area for item in by_id.values() for area in item.areas}):
        members = [item for item in by_id.values() if area in item.areas and not item.outcome]
        if len(members) >= 2:
            found.append(
                RawStatistic("areas", str(area), mean_index(raw, members, two_thirds(len(members))), None, None, False)
            )
    for indicator in instrument.indicator_ids:
        members = [item for item in by_id.values() if indicator in item.indicators]
        found.append(
            RawStatistic("indicators", indicator, mean_index(raw, members, half(len(members))), None, None, False)
        )
    return found


def figure(
    statistic: RawStatistic, members: NDArray[np.bool_], *, is_root: bool, population: int | None
) -> dict[str, Any]:
    """The figures of one statistic in one shown view; empty if nobody entered it. Intervals for the root only."""
    scores = statistic.scores[members]
    valid = scores[~np.isnan(scores)]
    n = len(valid)
    made: dict[str, Any] = {}
    index = index_figure(float(valid.mean()), n) if n else None
    if index is None:
        return made
    made["index"] = index
    favourable = None
    if statistic.item is not None and statistic.values is not None:
        values = statistic.values[members]
        values = values[~np.isnan(values)]
        good = int((values >= statistic.item.favourable_from).sum())
        favourable = share_figure(100.0 * good / n, n)
        if favourable is not None:
            made["favourable"] = favourable
        shares = tuple(
            100.0 * float((values == v).sum()) / n for v in range(statistic.item.low, statistic.item.high + 1)
        )
        classes = distribution_figures(shares, n, favourable)
        if classes is not None:
            made["distribution"] = list(classes)
        if is_root and favourable is not None:
            share = estimates.favourable_share(good, n, population=population)
            made.setdefault("ci", {})["favourable"] = list(outward(100 * share.low, 100 * share.high))
    if is_root and n >= 2:
        sd = float(valid.std(ddof=1))
        made["sd"] = round(sd)
        interval = estimates.mean_interval(float(valid.mean()), sd, n, population=population)
        made.setdefault("ci", {})["index"] = list(outward(interval.low, interval.high))
    return made


def special_shares(raw: RawResponses, instrument: Instrument) -> dict[str, Any]:
    """Don't know, prefer not and skipped of each item, whole organisation, in 5-point steps."""
    names = {"dont_know": DONT_KNOW, "prefer_not": PREFER_NOT, "skipped": SKIPPED}
    return {
        item.id: {
            name: organisation_share(100.0 * float((raw.answer(item.id) == code).mean()))
            for name, code in names.items()
        }
        for item in instrument.likert()
    }


def perception(
    instrument: Instrument, found: list[RawStatistic], views: list[dict[str, Any]], n: int, population: int | None
) -> dict[str, Any]:
    """How people live each indicator, whole organisation: index, interval, state (STATISTICS 3)."""
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
            if by_gender := _by_gender(views, indicator, published.get("sd", 0)):
                record["gender"] = by_gender
        records[indicator] = record
    return records


def state_of(low: float, high: float) -> str:
    """Supportive from a lower limit of 60, critical under an upper limit of 50, else mixed."""
    if low >= SUPPORTIVE_FROM:
        return "supportive"
    return "critical" if high < CRITICAL_UNDER else "mixed"


def _awareness(root: Mapping[str, Any], items: list[ItemSpec]) -> dict[str, Any]:
    """The mean share of "don't know" over the items of an indicator; from published values."""
    shares = [as_number(root["special"][item.id]["dont_know"]) for item in items if item.id in root.get("special", {})]
    if not shares:
        return {}
    mean = sum(shares) / len(shares)
    return {"dont_know": organisation_share(mean), "awareness_low": mean >= 100 * LOW_AWARENESS}


def _by_gender(views: list[dict[str, Any]], indicator: str, sd: float) -> dict[str, Any]:
    """States of women and of the contrast group, from what is published of them, when both are shown."""
    states = {}
    for view in views:
        if view["shown"] and view["id"] in ("gender:f", "gender:m", "gender:others"):
            index = view.get("indicators", {}).get(indicator, {}).get("index")
            if index is not None and not is_coded(index):
                states[view["id"].partition(":")[2]] = state_of(
                    *published_interval(as_number(index), view["n_band"], sd)
                )
    return states if len(states) == 2 and "f" in states else {}


def experience(
    raw: RawResponses, instrument: Instrument, plan: Plan, found: RawIncidence, shown: Any, k: int
) -> dict[str, Any]:
    """Experience questions in bands: whole organisation, and by gender where both sides have 30 answers."""
    genders = _contrast(plan, found, shown)
    records: dict[str, Any] = {}
    for item in instrument.experience():
        codes = raw.answer(item.id)
        valid = codes >= 0
        answered = int(valid.sum())
        happened_only = item.of in ("EXP7", "EXP8")
        if happened_only:
            if answered >= max(k, LEAST_HAPPENED):
                records[item.id] = {"share": math.floor(10.0 * float((codes[valid] > 0).mean()) + 0.5) * 10}
            continue
        if answered < max(k, LEAST_BY_GENDER if item.of else k):
            continue
        record: dict[str, Any] = {"band": experience_band(int((codes > 0).sum()))}
        if item.of is None and genders and all(int(valid[side].sum()) >= LEAST_BY_GENDER for side in genders.values()):
            record["gender"] = {
                name: {"band": experience_band(int((codes[side] > 0).sum()))} for name, side in genders.items()
            }
        records[item.id] = record
    return records


def _contrast(plan: Plan, found: RawIncidence, shown: Any) -> dict[str, Any]:
    """Who is in "women" and who in the contrast group, if both views are shown."""
    sides = {
        view.id.partition(":")[2]: found.matrix[row][found.atom_of]
        for row, view in enumerate(plan.views)
        if shown[row] and view.id in ("gender:f", "gender:m", "gender:others")
    }
    return sides if len(sides) == 2 and "f" in sides else {}


def quality(raw: RawResponses, instrument: Instrument) -> dict[str, Any]:
    """How well the scales hold together, and how many answers were left out; whole organisation only."""
    by_id = {item.id: item for item in instrument.likert()}
    scales: dict[str, Any] = {}
    for scale in instrument.scales:
        rows = np.column_stack([recoded(raw, by_id[name]) for name in scale.items])
        people = len(reliability.complete(rows))
        if people < reliability.LEAST_PEOPLE or len(scale.items) < reliability.LEAST_ITEMS:
            continue
        alpha, omega = reliability.cronbach_alpha(rows), reliability.mcdonald_omega(rows)
        if alpha is not None and omega is not None:
            scales[scale.id] = {
                "alpha": round(alpha, 2),
                "omega": round(omega, 2),
                "n_band": size_band(people),
                "reading": reliability.reading(omega),
            }
    left_out = [float((raw.answer(item) < 0).mean()) for item in by_id]
    share = organisation_share(100 * sum(left_out) / len(left_out)) if left_out else "<=5"
    return {"reliability": scales, "nonresponse": {"items": share}}
