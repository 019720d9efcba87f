"""Differences between views, from published values alone (closure rule, PRIVACY 2.6).

Nothing here sees a response: the inputs are stepped indices, size bands and the organisation's
published standard deviation. What moving and rounding the figures adds to their variance is part of the error (PRIVACY 2.10).
"""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from analysis import estimates
from analysis.moves import FINE
from analysis.steps import (
    ROWS,
    Figure,
    Rows,
    as_number,
    band_edges,
    ends_low,
    index_rounding,
    is_coded,
    outward,
    share_rounding,
    size_band,
    typical_of,
)

CLEAR_FROM = 5.0
"""Points of the index under which a difference is not called one, however certain."""
SMALL = 0.15
"""Cliff's delta from which a difference of women and men is one, however few its points."""
LEVEL = 0.05
Z = 1.959964
SPREAD_STEP, LEAST_SPREAD = 5, 10


@dataclass(frozen=True, slots=True)
class Difference:
    """A view's index against another's, in points of 0-100; `low` and `high` are the limits of the gap, outward.

    `clear` only if certain after Benjamini-Hochberg and large enough. `delta` is Cliff's, of women against the contrast.
    """

    view: str
    against: str
    family: str
    statistic: str
    value: float
    reference: float
    gap: float
    low: int
    high: int
    clear: bool
    delta: float | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """What is published beside the figures and enters the error of a difference.

    root : the whole organisation
    steps : of ``family/statistic``, how many one answer has between 0 and 100, where it is not four
    rows : the table by which the figures were rounded
    headcounts : of each planned view HR's headcount, in bands
    received : sheets that could be read; None where that is not said
    left_out : the published share of questions left without an answer, in [0, 1]
    """

    root: Mapping[str, Any]
    steps: Mapping[str, int] = field(default_factory=dict)
    rows: Rows = ROWS
    headcounts: Mapping[str, str] = field(default_factory=dict)
    received: int | None = None
    left_out: float = 0.0

    @classmethod
    def of(
        cls,
        root: Mapping[str, Any],
        counts: Mapping[str, int],
        quality: Mapping[str, Any],
        headcounts: Mapping[str, str],
        *,
        steps: Mapping[str, int] | None = None,
        rows: Rows = ROWS,
    ) -> "Known":
        """Take what a document says.

        Parameters
        ----------
        root, counts, quality, headcounts : the whole organisation, participation, quality and the plan's headcounts
        steps, rows : see above
        """
        received = counts["received"] - counts.get("unreadable", 0) if "received" in counts else None
        share = quality["nonresponse"].get("items")
        left_out = 0.0 if share is None else as_number(share) / (200 if is_coded(share) else 100)
        return cls(root, steps or {}, rows, headcounts, received, left_out)

    def share(self, family: str, statistic: str) -> float:
        """About which part of the people of a view enter a statistic, as the whole organisation shows it."""
        own = self.root.get(family, {}).get(statistic, {}).get("n_band")
        if own is None:
            return 1 - self.left_out
        everyone = self.received or typical_of(self.root["n_band"])
        return min(1.0, typical_of(own, self.received) / everyone)


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a comparison, as it is published.

    least, n : the fewest people of the band of those who entered, and how many of the view there typically are, within it
    finite : the factor by which the variance shrinks because nearly everyone is asked; by the most people of HR's band
    rounding : the variance that move and step add to the index, in squared points

    Limits describe the staff as they are: in a finite population. Whether a difference is called one asks more: that chance
    would not give it among people who feel alike, however few they are. So a claim takes no correction for a finite
    population (W. G. Cochran, Sampling Techniques (1977), 2.14).
    """

    view: str
    figure: Mapping[str, Any]
    value: float
    least: int
    n: float
    finite: float
    rounding: float

    def described(self, sd: float) -> float:
        """The variance of this side's index for limits, in squared points; `sd` is the published spread."""
        return typical_spread(sd) ** 2 * self.finite / self.n + self.rounding

    def drawn(self, sd: float) -> float:
        """The same for a claim among a few."""
        return typical_spread(sd) ** 2 / self.n + self.rounding

    def cautious(self, sd: float) -> float:
        """The same for a claim among hundreds, of which chance picks the most extreme: nothing in it may be too small."""
        return sd**2 / self.least + self.rounding


def typical_spread(sd: float) -> float:
    """The middle of what a published spread stands for: it is rounded up to five points, and never under ten."""
    return sd - SPREAD_STEP / 2 if sd > LEAST_SPREAD else sd


def side_of(view: Mapping[str, Any], family: str, statistic: str, known: Known, most: int | None = None) -> Side | None:
    """A side of a comparison; None where the view has no index of the statistic, or a coded end.

    Parameters
    ----------
    view, family, statistic : which index
    known : what else is published
    most : of the view there are no more people than so many, where that follows from other bands
    """
    figure = view.get(family, {}).get(statistic)
    if figure is None or is_coded(figure["index"]):
        return None
    heads = known.headcounts.get(view["id"])
    asked = band_edges(heads)[1] if heads else None
    least, top = band_edges(band_of(figure, view))
    bounds = [bound for bound in (asked, most, known.received) if bound is not None]
    whole = None if view["filter"] else known.received  # of the whole organisation the number itself is published
    there = whole or typical_of(view["n_band"], min(bounds, default=None))
    n = max(least, there * known.share(family, statistic))
    n = n if top is None else min(n, top)
    rounding = index_rounding(n, known.steps.get(f"{family}/{statistic}", FINE), known.rows)
    return Side(view["id"], figure, as_number(figure["index"]), least, n, estimates.correction(n, asked), rounding)


def band_of(figure: Mapping[str, Any], view: Mapping[str, Any]) -> str:
    """The size band of those who entered a statistic: its own where fewer did than are in the view."""
    return str(figure.get("n_band") or view["n_band"])


type Gap = tuple[Difference, float]
"""A difference that is not yet called, and how likely so large a one is where there is none."""


def unit_gaps(
    views: Sequence[Mapping[str, Any]],
    family: str,
    known: Known,
    only: Collection[str] | None = None,
) -> list[Gap]:
    """Compare every shown unit with the whole organisation (STATISTICS 2.6).

    Parameters
    ----------
    views : of a document as they are published, the whole organisation first
    family : of the statistics that are compared: those with a published spread, and without a coded end on either side
    known : what else is published
    only : the statistics that are compared; all where it is None

    Returns
    -------
    The variance is that of the unit alone: where it is a part w of the whole, the gap's is 1 - w times as large.
    """
    root, found = views[0], []
    for view in views[1:]:
        for statistic in sorted(view.get(family, {})) if view["shown"] and list(view["filter"]) == ["unit"] else ():
            sd = root.get(family, {}).get(statistic, {}).get("sd")
            here, whole = (side_of(one, family, statistic, known) for one in (view, root))
            if sd is None or here is None or whole is None or (only is not None and statistic not in only):
                continue
            gap = gap_of(here, whole, family, statistic, math.sqrt(here.described(sd) + whole.rounding))
            found.append((gap, chance_of(gap.gap, math.sqrt(here.cautious(sd) + whole.rounding))))
    return found


def gap_of(here: Side, there: Side, family: str, statistic: str, error: float) -> Difference:
    """A gap with its limits at 95 percent, outward; not yet called.

    Parameters
    ----------
    here, there : whose gap it is, and against whom
    family, statistic : which index
    error : its standard error, in points
    """
    gap, half = here.value - there.value, Z * error
    low, high = max(-100, math.floor(gap - half + 1e-9)), min(100, math.ceil(gap + half - 1e-9))
    return Difference(here.view, there.view, family, statistic, here.value, there.value, gap, low, high, False)


def chance_of(gap: float, error: float) -> float:
    """How likely so large a gap is where there is none."""
    return math.erfc(abs(gap) / error / math.sqrt(2)) if error > 0 else 1.0


def called(found: Sequence[Gap]) -> list[Difference]:
    """Say which are clear, over all of them together: Benjamini-Hochberg, and 5 points or a small effect (STATISTICS 2.6)."""
    return [
        replace(d, clear=bool(p < LEVEL and (abs(d.gap) >= CLEAR_FROM or abs(d.delta or 0) >= SMALL)))
        for (d, _), p in zip(found, adjusted([chance for _, chance in found]), strict=True)
    ]


def adjusted(chances: Sequence[float]) -> list[float]:
    """Chances after correction for how many there are, in their order (Y. Benjamini, Y. Hochberg, JRSS B 57 (1995) 289-300).

    Our own lines, as pages compare waves and the web process never loads scipy; a test holds them to it.
    """
    found, least = [0.0] * len(chances), 1.0
    for rank, place in sorted(enumerate(sorted(range(len(chances)), key=chances.__getitem__), start=1), reverse=True):
        least = min(least, chances[place] * len(chances) / rank)
        found[place] = least
    return found


def published_interval(
    figure: Figure,
    band: str,
    sd: float | None,
    population: int | None = None,
    steps: int = FINE,
    rows: Rows = ROWS,
    received: int | None = None,
) -> tuple[int, int]:
    """An interval for an index from what is published of it, its move and step in its variance, rounded outward.

    Parameters
    ----------
    figure : published index; from a coded end the interval reaches the end of the scale
    band : size band from five people on; its middle stands for the respondents
    sd : published standard deviation; None takes the largest that scores with this mean can have
    population : everyone invited, or None if unknown
    steps : of one answer between 0 and 100
    rows : the table by which the figure was rounded
    received : of the whole organisation, how many sheets could be read: that is published to the sheet
    """
    n = _respondents(band, population, received)
    value = as_number(figure)
    variance = value * (100 - value) if sd is None else typical_spread(sd) ** 2
    half = Z * math.sqrt(variance / n * estimates.correction(n, population) + index_rounding(n, steps, rows))
    return _around(figure, value - half, value + half)


def published_share_interval(
    figure: Figure, band: str, population: int | None = None, rows: Rows = ROWS, received: int | None = None
) -> tuple[int, int]:
    """An interval for a share in percent from what is published of it: Wilson's, with its move and step, outward.

    Parameters
    ----------
    figure : published share in percent; from a coded end the interval reaches the end of the scale
    band : size band from five people on; its middle stands for the respondents
    population : everyone invited, or None if unknown: then nothing is corrected for it
    rows : the table by which the figure was rounded
    received : of the whole organisation, how many sheets could be read
    """
    n = _respondents(band, population, received)
    value, size = as_number(figure), n / estimates.correction(n, population)
    wilson, added = estimates.wilson(value / 100, size), Z**2 * share_rounding(n, rows)
    low, high = (math.sqrt((value - 100 * limit) ** 2 + added) for limit in (wilson.low, wilson.high))
    return _around(figure, value - low, value + high)


def _respondents(band: str, population: int | None, received: int | None) -> float:
    if received is None:
        return typical_of(band, population)
    return received if size_band(received) == band else typical_of(band, received)


def _around(figure: Figure, low: float, high: float) -> tuple[int, int]:
    """Round outward; a coded end says "this or beyond", so that side is open to the end of the scale."""
    if is_coded(figure):
        return outward(0.0, high) if ends_low(figure) else outward(low, 100.0)
    return outward(low, high)
