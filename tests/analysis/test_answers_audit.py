"""Part B of the audit against brute force, against figures without steps, and what a release does with a finding."""

from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import answers_audit, publication, release, statistics_of
from analysis.answers_audit import Finding, Unsound, audit_answers
from analysis.publication import SizeRow
from analysis.relaxation import relaxed
from analysis.release import DisclosureError
from analysis.suppression import solve
from analysis.views import candidates, incidence
from analysis.worlds import Row, Worlds
from tests.analysis.waves import INSTRUMENT, LIKERT, PLAN, released, wave

EXACT = (SizeRow(5, 1 / 64, 1 / 64, 5, 1 / 64, 0, 100),)
"""No steps: what most survey tools publish."""


def _published(raw: Any) -> tuple[list[dict[str, Any]], Any, Any]:
    found = incidence(PLAN, raw)
    weights = np.array([view.weight for view in PLAN.views])
    base = solve(found.matrix, found.n, weights, 5, allowed=candidates(PLAN, found, 5)).shown
    statistics = statistics_of.statistics(raw, INSTRUMENT)
    shown = {s.key: release._shown_of(s, found, weights, 5, base) for s in statistics}
    return release._views(PLAN, found, base, statistics, shown, None), statistics, found


def _random_wave(n: int, seed: int) -> Any:
    dice = np.random.default_rng(seed)
    return wave(n, **{name: dice.integers(1, 6, n).tolist() for name in LIKERT})


def test_ordinary_answers_stay_open_with_steps_and_are_proven_without(monkeypatch: pytest.MonkeyPatch) -> None:
    """PRIVACY 2.5: 0 findings in the published document; more when the steps are switched off."""
    raw = _random_wave(60, 1)
    views, statistics, found = _published(raw)
    assert audit_answers(views, statistics, found, 5, None) == []
    monkeypatch.setattr(publication, "ROWS", EXACT)
    views, statistics, found = _published(raw)
    assert len(audit_answers(views, statistics, found, 5, None)) >= 9


def test_after_a_view_is_withdrawn_only_what_was_found_can_still_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fewer figures leave more worlds: auditing the earlier findings alone gives what a whole audit gives."""
    monkeypatch.setattr(publication, "ROWS", EXACT)
    views, statistics, found = _published(_random_wave(60, 1))
    before = audit_answers(views, statistics, found, 5, None)
    counts = [len(before)]
    for place in [place for place, view in enumerate(views) if view["shown"]][:0:-1]:
        views[place] = {**views[place], "shown": False}
        whole = audit_answers(views, statistics, found, 5, None)
        again = audit_answers(views, statistics, found, 5, None, again=before)
        assert {(f.item, f.atom, f.category) for f in whole} == {(f.item, f.atom, f.category) for f in again}
        before = again
        counts.append(len(again))
    assert counts == sorted(counts, reverse=True) and counts[0] > counts[-1]


def test_where_a_service_is_unanimous_what_proves_it_is_withdrawn_and_nothing_proves_it_then() -> None:
    """Could leak: everyone in one service gave the worst answer, everyone else the best (see test_whole_numbers.py)."""
    worst = [1 if i % 3 == 0 else 5 for i in range(90)]
    raw = wave(90, A1=worst, A2=worst, A3=worst)
    views, statistics, found = _published(raw)
    assert audit_answers(views, statistics, found, 5, None) != []
    document = released(raw)
    assert audit_answers(document["views"], statistics, found, 5, None) == []
    assert sum(view["shown"] for view in document["views"]) < sum(view["shown"] for view in views)


def test_a_figure_that_does_not_follow_from_the_answers_is_refused() -> None:
    views, statistics, found = _published(_random_wave(60, 2))
    views[0]["items"]["A1"]["index"] += 10
    with pytest.raises(Unsound):
        audit_answers(views, statistics, found, 5, None)


def test_a_finding_withdraws_the_smallest_view_that_pins_it_and_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one decision that depends on answers: the view goes for all statistics, and the document looks like any other."""
    raw = _random_wave(60, 3)
    before = {view["id"] for view in released(raw)["views"] if view["shown"]}
    pinned = next(place for place, view in enumerate(PLAN.views) if view.id == "unit:po.a")
    real, asked = audit_answers, []

    def once(views: Any, *rest: Any, **more: Any) -> list[Finding]:
        asked.append(views[pinned]["shown"])
        return [Finding("A1", 0, 0, (0, pinned))] if len(asked) == 1 else real(views, *rest, **more)

    monkeypatch.setattr(answers_audit, "audit_answers", once)
    document = released(raw)
    assert asked == [True, False]
    assert {view["id"] for view in document["views"] if view["shown"]} == before - {"unit:po.a"}
    assert document["certificate"]["answers"] == "pass"
    assert document["views"][pinned] == {"id": "unit:po.a", "filter": {"unit": ["po.a"]}, "shown": False}


def test_when_only_the_whole_organisation_is_left_nothing_is_released(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers_audit, "audit_answers", lambda *_, **__: [Finding("A1", 0, 0, (0,))])
    with pytest.raises(DisclosureError):
        released(_random_wave(60, 4))


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.lists(st.integers(0, 2), min_size=1, max_size=3), min_size=3, max_size=3),
    st.sampled_from([1, 2, 3]),
)
def test_no_target_is_cleared_by_a_walk_that_brute_force_finds_pinned(heaps: list[list[int]], width: int) -> None:
    """Three heaps of one to three people, three answers, four figures of some width: every world is counted."""
    answers = np.array([answer for heap in heaps for answer in heap])
    heap_of = np.array([place for place, heap in enumerate(heaps) for _ in heap])
    worth = np.array([0.0, 1.0, 2.0])
    rows = []
    for inside in (heap_of >= 0, heap_of == 0, heap_of <= 1):
        low = int(worth[answers][inside].sum()) // width * width
        rows.append(Row(0, inside.astype(np.float64), worth, 0.0, low, low + width - 1))
    worlds = Worlds(answers, heap_of, np.arange(len(answers)), 3, rows, [])
    every = [
        worlds.counts(np.array(other))
        for other in product(range(3), repeat=len(answers))
        if worlds.agrees(np.array(other))
    ]
    open_ = {(h, c) for h in range(3) for c in range(3) if any(counts[h, c] != worlds.truth[h, c] for counts in every)}
    targets = {(h, c) for h in range(3) for c in range(3) if worlds.truth[h, c]}
    dice = np.random.default_rng(0)
    left = worlds.walk(targets, dice)
    assert targets - left <= open_
    assert relaxed(worlds, left, dice).isdisjoint(open_)
