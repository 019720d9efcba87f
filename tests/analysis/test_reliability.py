"""Omega by hand."""

import numpy as np
import pytest

from analysis import figures
from analysis.reliability import mcdonald_omega, reading
from tests.analysis.waves import INSTRUMENT, LIKERT, released, wave


def test_parallel_items_have_the_omega_of_their_loadings() -> None:
    """Three items that correlate .49 with one another load .7: omega = 4.41 / (4.41 + 1.53)."""
    target = np.full((3, 3), 0.49) + np.eye(3) * 0.51
    rng = np.random.default_rng(1)
    raw = rng.standard_normal((400, 3))
    raw -= raw.mean(axis=0)
    white = raw @ np.linalg.inv(np.linalg.cholesky(np.cov(raw, rowvar=False))).T
    rows = white @ np.linalg.cholesky(target).T
    assert mcdonald_omega(rows) == pytest.approx(2.1**2 / (2.1**2 + 3 * 0.51), abs=1e-6)


def test_what_is_not_defined_is_none_and_not_zero() -> None:
    assert mcdonald_omega(np.array([[1, 1, 2], [1, 2, 3], [1, 3, 1], [1, 4, 2.0]])) is None


@pytest.mark.parametrize(("value", "word"), [(0.59, "items"), (0.6, "care"), (0.7, "fine"), (0.96, "alike")])
def test_reliability_is_read_in_words(value: float, word: str) -> None:
    assert reading(value) == word


def test_a_reading_is_shown_from_200_people_and_is_never_missing_because_all_answered_alike() -> None:
    """Could leak: before, a scale of fifty people without a reading proved that all of them gave one answer."""
    scale = next(scale for scale in INSTRUMENT.scales if len(scale.items) >= 3)
    mixed, alike = [1, 2, 3, 4, 5] * 40, [5] * 200
    for answers in (mixed, alike):
        whole = wave(200, genders=None, **{item: answers for item in scale.items})
        assert set(figures.quality(whole, INSTRUMENT)["reliability"][scale.id]) == {"n_band", "reading"}
        few = wave(199, genders=None, **{item: answers[:199] for item in scale.items})
        assert scale.id not in figures.quality(few, INSTRUMENT)["reliability"]


def test_a_spread_is_shown_from_fifty_people() -> None:
    waves = [wave(n, genders=None, **{name: [1, 2, 3, 4, 5] * (n // 5) for name in LIKERT}) for n in (45, 50)]
    shown = [released(made)["views"][0]["items"]["A1"] for made in waves]
    assert ["sd" in figure for figure in shown] == [False, True]
