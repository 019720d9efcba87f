"""What moved since an earlier wave, by subtraction of published values (STATISTICS 2.9).

Answers of two waves cannot be joined, so nobody's change is known. With mostly the same people the true error of a change is
smaller than the one used here: what is claimed is at least this certain.
"""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import msgspec

from analysis.comparison import CLEAR_FROM, LEVEL, Difference, Known, Side, adjusted, chance_of, gap_of, side_of
from analysis.published import Document
from analysis.steps import COARSER, FORMER_ROWS, FORMER_STEPS, ROWS, Rows

LEAST = 20
"""Of fewer people in either wave nothing is said: steps of twelve points would be the news."""
type Word = Literal["rose", "fell", "little", "same", "unsure", "few", "members", "questions", "absent"]
"""Said of a change: up or down by five points or more, by fewer, within five either way, or nothing; else why there is none."""


@dataclass(frozen=True, slots=True)
class Trend:
    """A statistic of a group beside its own of an earlier wave.

    word : what may be said
    before : the earlier index, on 0-100; None where there is none to compare with
    change, low, high : in points, with limits at 95 percent, outward; 0 where nothing is compared
    """

    word: Word
    before: float | None = None
    change: float = 0
    low: int = 0
    high: int = 0


def trends(now: Document, before: Document, family: str, same: Collection[str]) -> dict[tuple[str, str], Trend]:
    """Every shown statistic of a family, by view and statistic.

    Parameters
    ----------
    now, before : two releases of the same organisation
    family : ``areas``, ``scales`` or ``items``
    same : the statistics whose questions were asked alike in both: same words, same answers, same set

    Returns
    -------
    Up and down are decided over all of them together (Benjamini-Hochberg).
    """
    pages = [_Page.of(document) for document in (now, before)]
    spread = [figure.sd for figure in now.everyone.family(family).values() if figure.sd]
    found: dict[tuple[str, str], Trend] = {}
    compared: dict[tuple[str, str], tuple[Difference, float]] = {}
    for name, view in pages[0].views.items():
        for statistic in view.get(family, {}):
            place = name, statistic
            if not spread or name not in pages[1].views or statistic not in pages[1].views[name].get(family, {}):
                found[place] = Trend("absent")
            elif statistic not in same:
                found[place] = Trend("questions")
            elif pages[0].members(name) != pages[1].members(name):
                found[place] = Trend("members")
            else:
                sides = [side_of(page.views[name], family, statistic, page.known) for page in pages]
                widths = [page.views["all"][family].get(statistic, {}).get("sd") for page in pages]
                if None in sides or None in widths or any(side and side.least < LEAST for side in sides):
                    found[place] = Trend("few")
                else:
                    compared[place] = _compare(sides, widths, family, statistic)
    chances = adjusted([chance for _, chance in compared.values()])
    for (place, (gap, _)), chance in zip(compared.items(), chances, strict=True):
        found[place] = Trend(_word(gap, chance), gap.reference, gap.gap, gap.low, gap.high)
    return found


@dataclass(frozen=True, slots=True)
class _Page:
    """A document as a comparison reads it: shown views by id, the tree of units, and what else is published."""

    views: Mapping[str, Mapping[str, Any]]
    parents: Mapping[str, str | None]
    known: Known

    @classmethod
    def of(cls, document: Document) -> "_Page":
        views = {view["id"]: view for view in msgspec.to_builtins(document.views) if view["shown"]}
        parents = {c.code: c.parent for d in document.plan.dimensions if d.id == "unit" for c in d.categories}
        heads = dict(document.plan.headcounts)
        if invited := document.participation.get("invited"):
            heads["all"] = f"{invited}-{invited}"  # of the whole organisation the number itself is published
        quality = msgspec.to_builtins(document.quality)
        known = Known.of(views["all"], document.participation, quality, heads, rows=_rows_of(document))
        return cls(views, parents, known)

    def members(self, view: str) -> tuple[object, ...]:
        """Whom a view is of: its filter, with the leaf units below those it names."""
        parts: list[object] = []
        for name, codes in sorted(self.views[view]["filter"].items()):
            chosen = set(codes)
            if name == "unit":
                for code, parent in self.parents.items():  # parents come before children
                    if parent in chosen:
                        chosen.add(code)
                chosen -= set(self.parents.values()) - {None}
            parts.append((name, tuple(sorted(chosen))))
        return tuple(parts)


def _rows_of(document: Document) -> Rows:
    if document.rules.steps == FORMER_STEPS:
        return FORMER_ROWS
    return COARSER if document.rules.rung == 1 else ROWS


def _compare(sides: list[Side | None], widths: list[Any], family: str, statistic: str) -> tuple[Difference, float]:
    now, before = (side for side in sides if side)
    wide, sure = 0.0, 0.0
    for side, sd in zip((now, before), widths, strict=True):
        wide, sure = wide + side.described(float(sd)), sure + side.cautious(float(sd))
    gap = gap_of(now, replace(before, view="before"), family, statistic, math.sqrt(wide))
    return gap, chance_of(gap.gap, math.sqrt(sure))


def _word(gap: Difference, chance: float) -> Word:
    if chance < LEVEL and gap.low * gap.high > 0:
        if abs(gap.gap) < CLEAR_FROM:
            return "little"
        return "rose" if gap.gap > 0 else "fell"
    return "same" if -CLEAR_FROM <= gap.low and gap.high <= CLEAR_FROM else "unsure"
