"""Recoding and scoring: reversed items, scale scores of a person, indices from 0 to 100 (STATISTICS 2.1, 2.2)."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.responses import RawResponses

type Scores = NDArray[np.float64]
"""One number per respondent on 0-100; NaN where the person has none."""


@dataclass(frozen=True, slots=True)
class ItemSpec:
    """What the analysis knows of an item.

    low, high : int
        Bounds of the scale, ``low < high``; codes below 0 are special.
    reverse : bool
        The scale is turned before anything else, so that high is always favourable.
    family : ``items`` (k = 5) or ``experience`` (k = 20)
    rare : bool
        Published for the whole organisation only.
    outcome : bool
        Enters no area index.
    of : str or None
        The question of which this is one option.
    favourable_from : int
        The least favourable value after recoding.
    dont_know : bool
        Whether it offers "I do not know".
    """

    id: str
    low: int
    high: int
    reverse: bool
    construct: str | None
    areas: tuple[int, ...]
    indicators: tuple[str, ...]
    family: str
    rare: bool
    outcome: bool
    of: str | None
    favourable_from: int
    dont_know: bool = False


@dataclass(frozen=True, slots=True)
class ScaleSpec:
    """A scale: its items, and how many of them a person must have answered."""

    id: str
    items: tuple[str, ...]
    min_answered: int


@dataclass(frozen=True, slots=True)
class Instrument:
    """A questionnaire without its words."""

    items: tuple[ItemSpec, ...]
    scales: tuple[ScaleSpec, ...]
    indicator_ids: tuple[str, ...]

    def likert(self) -> tuple[ItemSpec, ...]:
        return tuple(item for item in self.items if item.family == "items")

    def experience(self) -> tuple[ItemSpec, ...]:
        return tuple(item for item in self.items if item.family == "experience")


def recoded(raw: RawResponses, item: ItemSpec) -> Scores:
    """Values on the item's own scale, reversed where due: x' = low + high - x. NaN for every special code."""
    codes = raw.answer(item.id).astype(np.float64)
    values = np.where(codes >= item.low, codes, np.nan)
    values[values > item.high] = np.nan
    return item.low + item.high - values if item.reverse else values


def item_index(raw: RawResponses, item: ItemSpec) -> Scores:
    """A person's answer as 0-100: 100 (x - low) / (high - low)."""
    return 100.0 * (recoded(raw, item) - item.low) / (item.high - item.low)


def mean_index(raw: RawResponses, items: Sequence[ItemSpec], min_answered: int) -> Scores:
    """A person's mean over items on 0-100, where at least `min_answered` of them are answered; else NaN.

    The mean of answered items is the sum with the person's own mean put in for what is missing.

    Parameters
    ----------
    raw : the sheets of a wave
    items : one or more, each answered on a scale of its own
    min_answered : under 1 counts as 1; a scale asks for two thirds of its items, an indicator for half
    """
    columns = np.array([item_index(raw, item) for item in items])
    answered = (~np.isnan(columns)).sum(axis=0)
    total = np.nansum(columns, axis=0)
    enough = answered >= max(1, min_answered)
    return np.where(enough, total / np.maximum(answered, 1), np.nan)


def whole_points(raw: RawResponses, items: Sequence[ItemSpec]) -> tuple[NDArray[np.int64], int]:
    """Each person's sum over the items that she answered, in whole numbers, and what one answered item counts at most.

    Items of different lengths are brought to the least common multiple of their steps, so that nothing is rounded.
    """
    unit = math.lcm(*(item.high - item.low for item in items))
    points = np.zeros(len(raw), dtype=np.int64)
    for item in items:
        values = recoded(raw, item)
        points += np.where(np.isnan(values), 0, (values - item.low) * (unit // (item.high - item.low))).astype(np.int64)
    return points, unit


def two_thirds(items: int) -> int:
    """At least two thirds of the items, rounded up."""
    return -(-2 * items // 3)


def half(items: int) -> int:
    """At least half of the items, rounded up."""
    return -(-items // 2)
