"""Experience questions in bands: whole organisation, and by gender where both sides have 30 answers (PRIVACY 2.5, 2.10)."""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import numpy as np

from analysis.audit.structure import audit_structure
from analysis.moves import COUNTS, Moves
from analysis.responses import RawResponses
from analysis.scoring import Instrument
from analysis.steps import experience_band, happened_share
from analysis.views import Plan, RawIncidence

LEAST_BY_GENDER = LEAST_SPECIAL = 30
"""Valid answers on each side of a contrast, and to a question about special categories (GDPR art. 9: EXP6)."""
LEAST_HAPPENED = 20
DRAWS = 8
"""How often the bands of a contrast are drawn until they leave every side open; then only the whole is shown."""


def experience(
    raw: RawResponses, instrument: Instrument, plan: Plan, found: RawIncidence, shown: Any, k: int, moves: Moves
) -> dict[str, Any]:
    """The bands of each question, every count moved by a secret whole number first.

    The family has its own k: a contrast is shown for a question only if the auditor passes it on those who answered.

    Parameters
    ----------
    raw : the sheets of a wave
    instrument : its questions of the family ``experience`` are read, no others
    plan : the views of gender in it are the sides of a contrast
    found : the same respondents as atoms of this plan
    shown : of each view, whether the document shows it: women, and men where they are a side, only then
    k : the least number of people of the family
    moves : of this document

    Returns
    -------
    By question its band, or its share; without those that too few answered.
    """
    records: dict[str, Any] = {}
    for item in instrument.experience():
        codes = raw.answer(item.id)
        valid, happened = codes >= 0, codes > 0
        answered = int(valid.sum())
        if item.of in ("EXP7", "EXP8"):  # asked only of people it happened to
            if answered >= max(k, LEAST_HAPPENED):
                records[item.id] = {"share": happened_share(Fraction(100 * int(happened[valid].sum()), answered))}
        elif item.of is not None:
            if answered >= max(k, LEAST_SPECIAL):
                records[item.id] = {"band": _band(int(happened.sum()), answered, moves.of(COUNTS, item.id, 0))}
        elif answered >= k:
            counts = {"": (int(happened.sum()), answered)}
            for name, side in _contrast(plan, found, shown, valid, k).items():
                counts[name] = int(happened[side].sum()), int((valid & side).sum())
            records[item.id] = _banded(item.id, counts, moves)
    return records


def _banded(item: str, counts: Mapping[str, tuple[int, int]], moves: Moves) -> dict[str, Any]:
    """The bands of the whole and of its two sides, drawn until on no side everybody or nobody is proven."""
    for draw in range(DRAWS):
        bands = {name: _band(*count, moves.of(COUNTS, item, name, draw)) for name, count in counts.items()}
        if len(bands) == 1 or not _proven(bands, counts):
            sides = {name: {"band": band} for name, band in bands.items() if name}
            return {"band": bands[""]} | ({"gender": sides} if sides else {})
    return {"band": _band(*counts[""], moves.of(COUNTS, item, "", DRAWS))}


def _band(count: int, answered: int, move: int) -> str:
    return experience_band(min(max(count + move, 0), answered), answered)


def _possible(band: str, answered: int) -> tuple[int, int]:
    """The least and the greatest count of which some move prints this band."""
    moves = range(-COUNTS.most, COUNTS.most + 1)
    found = [count for count in range(answered + 1) if any(_band(count, answered, move) == band for move in moves)]
    return found[0], found[-1]


def _proven(bands: Mapping[str, str], counts: Mapping[str, tuple[int, int]]) -> bool:
    """Whether three bands prove of a side, or of those on neither, that it happened to all of them or to nobody.

    `counts` gives who answered, which the reader knows; how often it happened is not read. The three counts are each in
    an interval and so is their sum: the least of one goes with the greatest of the others.
    """
    sides = [name for name in counts if name]
    sizes = [counts[name][1] for name in sides]
    sizes.append(counts[""][1] - sum(sizes))
    ends = [*(_possible(bands[name], counts[name][1]) for name in sides), (0, sizes[-1])]
    least, most = _possible(bands[""], counts[""][1])
    for place, (size, (low, high)) in enumerate(zip(sizes, ends, strict=True)):
        others = [pair for other, pair in enumerate(ends) if other != place]
        low, high = (
            max(low, least - sum(top for _, top in others)),
            min(high, most - sum(bottom for bottom, _ in others)),
        )
        if size and (high == 0 or low == size):
            return True
    return False


def _contrast(plan: Plan, found: RawIncidence, shown: Any, valid: Any, k: int) -> dict[str, Any]:
    """Who is in "women" and who in the contrast group, among those who answered one experience question; or nothing.

    The gender residual rule with the family's k: when the rest of the respondents are 1 to k-1, "men" give way to "all
    others", who are everyone but the women. The independent auditor has the last word.
    """
    rows = {
        view.id.partition(":")[2]: row
        for row, view in enumerate(plan.views)
        if view.id.startswith("gender:") and "+" not in view.id
    }
    if "f" not in rows or not shown[rows["f"]]:
        return {}
    inside = {name: found.matrix[row] for name, row in rows.items()}
    counts = np.bincount(found.atom_of[valid], minlength=len(found.n)).astype(np.int64)
    for other in ("m", "others"):
        if other not in inside or (other == "m" and not shown[rows["m"]]):
            continue
        sides = {"f": inside["f"], other: inside[other]}
        if any(int(counts[side].sum()) < LEAST_BY_GENDER for side in sides.values()):
            continue
        system = np.vstack([np.ones_like(inside["f"]), *sides.values()])
        if audit_structure(system, counts, np.ones(3, dtype=np.bool_), k).passed:
            return {name: side[found.atom_of] for name, side in sides.items()}
    return {}
