"""Part B of the audit against brute force, against figures that do not move, and what a release does with a finding."""

from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import figures, moves, release, steps
from analysis.audit import answers, printed
from analysis.audit.answers import Finding, Published, Unsound, audit_answers
from analysis.audit.printed import Weights, printed_of
from analysis.audit.worlds import Row, Spread, Worlds
from analysis.moves import Law, Moves
from analysis.protect.suppression import solve
from analysis.release import DRAWS
from analysis.rules import DisclosureError
from analysis.statistic import statistics_of
from analysis.steps import ROWS, Rows
from analysis.views import candidates, incidence
from tests.analysis.waves import INSTRUMENT, LIKERT, PLAN, dice, released, still, wave

FIXED = Law(1.0, 0)
"""A law with the one move 0."""


def published(raw: Any, below: Any = still, rows: Rows = ROWS) -> Published:
    """What a release would publish of a wave, before its audit."""
    found = incidence(PLAN, raw)
    weights = np.array([view.weight for view in PLAN.views])
    base = solve(found.matrix, found.n, weights, 5, allowed=candidates(PLAN, found, 5)).shown
    statistics = statistics_of(raw, INSTRUMENT)
    shown = {s.key: release._shown_of(s, found, weights, 5, base) for s in statistics}
    views = release._views(PLAN, found, base, statistics, shown, None, Moves(below), rows)
    return Published(views, statistics, found, rows)


def without_moves(monkeypatch: pytest.MonkeyPatch) -> None:
    """A weakened copy: the table as it is, and no figure moves; the audit knows it."""
    for module in (printed, figures, steps, moves):
        for name in ("COUNTS", "SUMS"):
            if hasattr(module, name):
                monkeypatch.setattr(module, name, FIXED)


def random_wave(n: int, seed: int) -> Any:
    rng = np.random.default_rng(seed)
    return wave(n, **{name: rng.integers(1, 6, n).tolist() for name in LIKERT})


def one_bad_service(n: int = 90) -> Any:
    """Everyone in one service gave the worst answer, everyone else the best."""
    worst = [1 if i % 3 == 0 else 5 for i in range(n)]
    return wave(n, A1=worst, A2=worst, A3=worst)


@pytest.mark.parametrize("seed", range(6))
def test_for_everyone_another_side_prints_the_same_where_figures_move(seed: int) -> None:
    for raw in (random_wave(60, seed), one_bad_service(), wave(60, A1=[5] * 60)):
        assert audit_answers(published(raw, dice(seed))) == []


@pytest.mark.parametrize("together", [1, 25, 2_000])
def test_everybody_is_looked_at_once_whoever_is_looked_at_together(
    together: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers, "MANY_PEOPLE", together)
    found = published(random_wave(60, 1)).found
    parts = list(answers._parts(found))
    assert len(parts) == (1 if together == 2_000 else len(np.unique(found.part_of)))
    assert sorted(np.concatenate([part.people for part in parts])) == list(range(60))
    for view in range(found.sparse.shape[0]):
        inside = [part.inside.get(view, np.empty(0, dtype=np.int64)) for part in parts]
        assert sorted(np.concatenate(inside)) == list(found.people(view))


def test_where_they_do_not_move_a_bad_service_is_proven(monkeypatch: pytest.MonkeyPatch) -> None:
    """Could leak: the same table with the move switched off; see test_whole_numbers.py for an exact reader of it."""
    without_moves(monkeypatch)
    assert audit_answers(published(one_bad_service())) != []


def test_a_figure_that_does_not_follow_from_the_answers_is_refused() -> None:
    shown = published(random_wave(60, 2))
    shown.views[0]["items"]["A1"]["index"] += 20
    with pytest.raises(Unsound):
        audit_answers(shown)


def test_no_figure_is_taken_back_to_sums_that_do_not_print_it() -> None:
    shown = published(random_wave(60, 2))
    weights = Weights.of(next(s for s in shown.statistics if s.key == "scales/CUL"))
    assert all(one.low <= one.total <= one.high for one in printed_of(weights, shown))
    shown.views[0]["scales"]["CUL"]["index"] += 20
    with pytest.raises(Unsound):
        list(printed_of(weights, shown))


def test_a_document_that_fails_is_drawn_anew_as_a_whole_and_no_view_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one decision that depends on answers looks at the document alone, and leaves no trace in it."""
    raw, real, seen = random_wave(60, 3), audit_answers, []
    steps: list[list[str]] = [[], []]
    never = released(raw, below=dice(9), progress=steps[0].append)

    def twice(shown: Published) -> list[Finding]:
        seen.append([dict(view) for view in shown.views])
        found = real(shown)
        return [Finding("A1", 0)] if len(seen) <= 2 else found

    monkeypatch.setattr(answers, "audit_answers", twice)
    document = released(raw, below=dice(9), progress=steps[1].append)
    assert steps[0] == steps[1]
    assert len(seen) == 3 and seen[0] != seen[1] != seen[2]
    assert [view["shown"] for view in document["views"]] == [view["shown"] for view in never["views"]]
    assert document["rules"] == never["rules"] and document["rules"]["rung"] == 0
    assert document["certificate"] == never["certificate"]


@pytest.mark.parametrize(("fails", "rung"), [(DRAWS, 1), (2 * DRAWS, 2)])
def test_after_so_many_draws_the_whole_document_takes_the_next_rung(
    fails: int, rung: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second rung shows every size what the size below it shows, the third the whole organisation alone."""
    raw, real, asked = random_wave(120, 3), audit_answers, []

    def stubborn(shown: Published) -> list[Finding]:
        asked.append(shown.rows)
        return [Finding("A1", 0)] if len(asked) <= fails else real(shown)

    monkeypatch.setattr(answers, "audit_answers", stubborn)
    document = released(raw)
    assert document["rules"]["rung"] == rung
    shown = [view["id"] for view in document["views"] if view["shown"]]
    assert (shown == ["all"]) == (rung == 2)
    if rung == 1:
        assert "distribution" not in document["views"][0]["items"]["A1"]  # 120 people: as 20-49


def test_when_the_last_rung_fails_nothing_is_released(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "audit_answers", lambda *_, **__: [Finding("A1", 0)])
    with pytest.raises(DisclosureError):
        released(random_wave(60, 4))


@settings(deadline=None, max_examples=80)
@given(
    st.lists(st.lists(st.integers(0, 2), min_size=1, max_size=3), min_size=3, max_size=3),
    st.sampled_from([1, 2, 3]),
    st.integers(0, 3),
    st.sampled_from([0.3, 1.2, 50.0]),
)
def test_no_side_is_cleared_that_brute_force_finds_pinned(
    heaps: list[list[int]], width: int, shift: int, room: float
) -> None:
    """Three heaps of one to three people, three answers of which the last is good, three figures and a spread.

    Every world is counted, by sums and squares of the test's own.
    """
    answers = np.array([answer for heap in heaps for answer in heap])
    heap_of = np.array([place for place, heap in enumerate(heaps) for _ in heap])
    worth, good = np.array([0.0, 1.0, 2.0]), np.array([False, False, True])
    rows, kept = [], []
    for inside in (heap_of >= 0, heap_of == 0, heap_of <= 1):
        low = (int(worth[answers][inside].sum()) + shift) // width * width - shift
        rows.append(Row(np.flatnonzero(inside), np.ones(int(inside.sum())), worth, 0.0, low, low + width - 1))
        kept.append((inside, low, low + width - 1))
    squares = len(answers) * float(worth[answers].var())
    spread = Spread(
        np.ones(len(answers)), worth, np.arange(len(answers)), worth[answers], squares - room, squares + room
    )
    worlds = Worlds(answers, np.arange(len(answers)), np.tile(good, (len(answers), 1)), rows, [spread])
    every = [
        other
        for other in map(np.array, product(range(3), repeat=len(answers)))
        if all(low <= other[inside].sum() <= high for inside, low, high in kept)
        and squares - room < len(other) * float(other.var()) < squares + room
    ]
    pinned = {cell for cell in range(len(answers)) if all(good[other[cell]] == good[answers[cell]] for other in every)}
    assert pinned <= set(worlds.closed(np.random.default_rng(0)).tolist())
    assert not {int(cell) for cell in np.flatnonzero(worlds.flips())} & pinned


@pytest.mark.parametrize(("below", "open_"), [(1, False), (5000, True)])
def test_a_world_that_would_print_another_spread_frees_nobody(below: int, open_: bool) -> None:
    """Two at 0, three at 100: squares of 12,000; one of them turned over leaves 8,000, or turns four against one."""
    answers, worth = np.array([0, 0, 1, 1, 1]), np.array([0.0, 100.0])
    spread = Spread(np.ones(5), worth, np.arange(5), worth[answers], 12_000.0 - below, 20_000.0)
    worlds = Worlds(answers, np.arange(5), np.tile(np.array([False, True]), (5, 1)), [], [spread])
    alone = [spread.agrees(np.where(np.arange(5) == cell, 1 - answers, answers), answers) for cell in range(5)]
    assert worlds.flips().tolist() == alone
    assert alone == [open_, open_, True, True, True]
