"""One statistic before protection, and which there are: what producer and auditor share of it."""

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from analysis.responses import Opaque, RawResponses
from analysis.scoring import (
    Instrument,
    ItemSpec,
    Scores,
    half,
    item_index,
    mean_index,
    recoded,
    two_thirds,
    whole_points,
)


class RawStatistic(Opaque):
    """One statistic before protection: a score on 0-100 per respondent, NaN where she does not enter it.

    `steps` is how many one answer has between 0 and 100: 4 where there are five. `members` are its items, `answered` how many of them each person answered. In whole numbers a person's score is
    ``100 * points / (unit * answered)``: what is published follows from these, never from the floating scores.
    """

    __slots__ = (
        "answered",
        "family",
        "id",
        "item",
        "members",
        "points",
        "root_only",
        "scores",
        "steps",
        "unit",
        "values",
    )

    def __init__(
        self,
        family: str,
        id: str,
        scores: Scores,
        members: Sequence[ItemSpec],
        answered: NDArray[np.int64],
        points: tuple[NDArray[np.int64], int],
        values: Scores | None = None,
        *,
        root_only: bool = False,
    ) -> None:
        self.family, self.id, self.scores, self.values, self.root_only = family, id, scores, values, root_only
        self.members, self.answered = tuple(members), answered
        self.item = members[0] if values is not None else None
        self.steps = min(item.high - item.low for item in members)
        self.points, self.unit = points

    def mean(self, people: NDArray[np.int64]) -> Fraction:
        """The exact mean of those of some people, by their places, who enter the statistic, on 0-100.

        Raises
        ------
        ZeroDivisionError
            If none of them does.
        """
        inside = people[~np.isnan(self.scores[people])]
        points, answered = self.points[inside], self.answered[inside]
        total = sum(
            (Fraction(int(points[answered == kind].sum()), kind) for kind in map(int, np.unique(answered))), Fraction()
        )
        return 100 * total / (self.unit * len(inside))

    @property
    def key(self) -> str:
        return f"{self.family}/{self.id}"


def statistics_of(raw: RawResponses, instrument: Instrument) -> list[RawStatistic]:
    """Every statistic that may be published for groups: items, scales, areas, indicators."""
    by_id = {item.id: item for item in instrument.likert()}
    valid = {name: (~np.isnan(recoded(raw, item))).astype(np.int64) for name, item in by_id.items()}
    found = [
        RawStatistic(
            "items",
            item.id,
            item_index(raw, item),
            [item],
            valid[item.id],
            whole_points(raw, [item]),
            recoded(raw, item),
            root_only=item.rare,
        )
        for item in by_id.values()
    ]

    def mean_of(family: str, id: str, members: list[ItemSpec], least: int) -> RawStatistic:
        answered = np.sum([valid[item.id] for item in members], axis=0)
        points = whole_points(raw, members)
        rare = any(item.rare for item in members)  # what is published of a mean with it would be published of it
        return RawStatistic(family, id, mean_index(raw, members, least), members, answered, points, root_only=rare)

    for scale in instrument.scales:
        found.append(mean_of("scales", scale.id, [by_id[name] for name in scale.items], scale.min_answered))
    for area in sorted({area for item in by_id.values() for area in item.areas}):
        members = [item for item in by_id.values() if area in item.areas and not item.outcome]
        if len(members) >= 2:
            found.append(mean_of("areas", str(area), members, two_thirds(len(members))))
    for indicator in instrument.indicator_ids:
        members = [item for item in by_id.values() if indicator in item.indicators]
        found.append(mean_of("indicators", indicator, members, half(len(members))))
    return found
