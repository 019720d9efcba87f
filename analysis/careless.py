"""Sheets that look filled in without reading: how many there are, never which (STATISTICS 2.11).

Nobody is left out of any figure for it. Whoever reads with difficulty ticks the middle: then the questionnaire failed, not the person.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from analysis.responses import RawResponses
from analysis.scoring import ItemSpec

type Codes = NDArray[np.int64]
type Flags = NDArray[np.bool_]

LEAST_PEOPLE = 200
LONG_RUN, LEAST_ANSWERED = 12, 20
"""So many equal answers one after the other; so many answers before a sheet of one answer alone is called flat."""
LEAST_CONTRADICTIONS = 4
FLAGS = 2
"""A sheet looks careless from so many of the three signs on."""


def careless(raw: RawResponses, items: Sequence[ItemSpec]) -> Flags:
    """Which sheets show two or more of three signs: a long run, one answer alone, turned questions answered like the others.

    Parameters
    ----------
    raw : the sheets of a wave
    items : in the order in which they were asked, all on one scale
    """
    codes = np.column_stack([raw.answer(item.id).astype(np.int64) for item in items])
    valid = np.column_stack([(codes[:, i] >= item.low) & (codes[:, i] <= item.high) for i, item in enumerate(items)])
    signs = (
        longest_run(codes, valid) >= LONG_RUN,
        _is_flat(codes, valid),
        _contradictions(codes, valid, items) >= LEAST_CONTRADICTIONS,
    )
    return np.asarray(sum(sign.astype(np.int64) for sign in signs) >= FLAGS)


def longest_run(codes: Codes, valid: Flags) -> Codes:
    """The longest run of one and the same answer on each sheet; a question without an answer ends a run."""
    longest = np.zeros(len(codes), dtype=np.int64)
    run = np.zeros(len(codes), dtype=np.int64)
    for place in range(codes.shape[1]):
        here = valid[:, place]
        same = here & valid[:, place - 1] & (codes[:, place] == codes[:, place - 1]) if place else np.zeros_like(here)
        run = np.where(same, run + 1, here.astype(np.int64))
        longest = np.maximum(longest, run)
    return longest


def _is_flat(codes: Codes, valid: Flags) -> Flags:
    low = np.where(valid, codes, np.iinfo(np.int64).max).min(axis=1)
    high = np.where(valid, codes, np.iinfo(np.int64).min).max(axis=1)
    return np.asarray((valid.sum(axis=1) >= LEAST_ANSWERED) & (low == high))


def _contradictions(codes: Codes, valid: Flags, items: Sequence[ItemSpec]) -> Codes:
    """How many turned questions were answered like the straight ones of their theme, which said something themselves."""
    found = np.zeros(len(codes), dtype=np.int64)
    for place, item in enumerate(items):
        straight = [i for i, other in enumerate(items) if other.construct == item.construct and not other.reverse]
        if not item.reverse or item.construct is None or not straight:
            continue
        there = valid[:, straight]
        count = there.sum(axis=1)
        mean = np.where(there, codes[:, straight], 0).sum(axis=1) / np.maximum(count, 1)
        middle = (item.low + item.high) / 2
        says_something = (count > 0) & (np.abs(mean - middle) >= 1)
        found += valid[:, place] & says_something & (np.abs(codes[:, place] - mean) <= 0.5)
    return found
