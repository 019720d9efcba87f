"""What the audit reads and adds up: every published figure is a bound, every answer a cell, every finding is told (worlds: test_worlds)."""

import math
from typing import Any

import numpy as np
import pytest

from analysis.audit import answers, worlds
from analysis.audit.answers import Cells, Finding, Looked, Published, audit_answers
from analysis.audit.printed import Printed, Weights, count_rows, printed_of
from analysis.audit.worlds import Spread, Worlds
from analysis.demographics import Category
from analysis.moves import COUNTS
from analysis.responses import RawResponses
from analysis.scoring import Instrument, ItemSpec, ScaleSpec
from analysis.statistic import RawStatistic, statistics_of
from analysis.steps import COARSER, ROWS, Rows, spread_ends, whole_ends
from analysis.views import default_plan, incidence
from tests.analysis import test_answers_audit as small
from tests.analysis.waves import AGE, GENDER, dice, wave

NAMES = ("A1", "A2", "A3", "A4", "A5", "B1")
SHORT = "C1"


def _item(name: str, construct: str, high: int = 5) -> ItemSpec:
    return ItemSpec(name, 1, high, False, construct, (1,), ("1.1",), "items", False, False, None, high - 1, True)


WIDE = Instrument(
    (*(_item(name, "CUL" if name[0] == "A" else "SIC") for name in NAMES), _item(SHORT, "SIC", 3)),
    (ScaleSpec("CUL", NAMES[:3], 2), ScaleSpec("ALT", NAMES[2:5], 2)),
    ("1.1",),
)
"""Five items of one construct, of which one is in both scales, and two of another, of which one has three answers."""


def _told(n: int, seed: int, without: float) -> dict[str, Any]:
    """Random answers; some of them "I do not know", and those of all women to one item."""
    rng = np.random.default_rng(seed)
    given = {name: rng.integers(1, 6, n) for name in NAMES} | {SHORT: rng.integers(1, 4, n)}
    told = {name: np.where(rng.random(n) < without, -2, answers) for name, answers in given.items()}
    if without:
        told["B1"] = np.where(np.arange(n) // 3 % 3 < 2, -2, told["B1"])
    return {name: answers.tolist() for name, answers in told.items()}


def _answers(n: int, seed: int, *, without: float = 0.0) -> Any:
    return wave(n, **_told(n, seed, without))


@pytest.fixture
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(small, "INSTRUMENT", WIDE)


def _statistic(n: int, seed: int, name: str, *, without: float = 0.0) -> RawStatistic:
    return next(s for s in statistics_of(_answers(n, seed, without=without), WIDE) if s.id == name)


def _looked(published: Published) -> Looked:
    weights = [Weights.of(statistic) for statistic in published.statistics]
    return Looked(published, weights, [list(printed_of(weigh, published)) for weigh in weights])


# --- bundles and findings ---


def test_every_item_is_in_one_bundle_of_its_construct_and_no_bundle_has_more_than_four(wide: None) -> None:
    items = [s for s in statistics_of(_answers(30, 1), WIDE) if s.item is not None]
    bundles = answers._bundles(items)
    assert sorted([s.id for s in bundle] for bundle in bundles) == [["A1", "A3", "A5"], ["A2", "A4"], ["B1"], [SHORT]]


@pytest.mark.parametrize("together", [1, 2_000])
def test_every_item_and_group_that_is_proven_is_told(
    wide: None, together: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Could leak: all of one service gave the worst answer, all others the best, and no figure moves.

    Of the territory in which everybody gave the best, in every item alike, everybody's side follows.
    """
    small.without_moves(monkeypatch)
    monkeypatch.setattr(answers, "MANY_PEOPLE", together)
    monkeypatch.setattr(worlds, "TRIES", 1)  # where nothing is to be found a short search is enough
    worst = [1 if i % 3 == 0 else 5 for i in range(60)]
    everywhere: dict[str, Any] = dict.fromkeys(NAMES, worst) | {SHORT: [min(told, 3) for told in worst]}
    shown = small.published(wave(60, **everywhere))
    best = {int(atom) for atom in shown.found.atom_of[2::3]}
    assert len(best) > 1
    found = audit_answers(shown)
    assert set(found) == {Finding(name, atom) for name in (*NAMES, SHORT) for atom in best}
    assert len(found) == len(set(found))


def test_a_second_look_is_at_the_same_people_and_the_same_item(wide: None, monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[list[tuple[int, int]]] = []
    looked = _looked(small.published(_answers(60, 4)))
    bundle = next(b for b in answers._bundles([s for s in looked.published.statistics if s.item]) if len(b) == 3)
    left = [(1, 7), (2, 7), (2, 11)]
    """Places in the bundle, and people: what the first look leaves."""

    class Watched(Worlds):
        def closed(self, rng: np.random.Generator, among: Any = None) -> Any:
            if among is None:
                cells = answers._cells(bundle, part)
                return np.array([int(cells.at[place, person]) for place, person in left])
            looks.append([(int(self.person_of[cell]), int(cell)) for cell in np.flatnonzero(among)])
            return np.flatnonzero(among)

    monkeypatch.setattr(answers, "Worlds", Watched)
    (part,) = answers._parts(looked.published.found)
    found = answers._audit_bundle(bundle, part, looked)
    atom_of = looked.published.found.atom_of
    assert looks == [[(7, 7)], [(7, 7), (11, 11)]]  # the item itself comes first, so its cells are the people
    assert found == [
        Finding(bundle[1].id, int(atom_of[7])),
        *(Finding(bundle[2].id, atom) for atom in sorted({int(atom_of[7]), int(atom_of[11])})),
    ]


def test_the_second_look_brings_those_that_share_most_and_never_more_than_ten(wide: None) -> None:
    every = statistics_of(_answers(30, 1), WIDE)
    items = {s.id: s for s in every if s.item is not None}
    assert [s.id for s in answers._kin(items["A3"], every)] == ["A1", "A2", "A4", "A5", "B1"]
    with pytest.MonkeyPatch.context() as few:
        few.setattr(answers, "WIDE", 3)
        # A1 shares a scale, an area and an indicator with A2 and A3, an area and an indicator with the others
        assert [s.id for s in answers._kin(items["A1"], every)] == ["A2", "A3"]
        assert [s.id for s in answers._kin(items["A5"], every)] == ["A3", "A4"]
        few.setattr(answers, "WIDE", 1)
        assert answers._kin(items["A1"], every) == []
    apart = [items["A1"], items["B1"]]
    assert answers._kin(items["A1"], apart) == []  # nothing is published of both


@pytest.mark.parametrize(("together", "parts"), [(1, 3), (59, 3), (60, 2), (2_000, 1)])
def test_of_three_territories_each_is_looked_at_once_with_as_many_others_as_may_be(
    together: int, parts: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Thirty people each: two of them are sixty, which are looked at together where so many may be."""
    monkeypatch.setattr(answers, "MANY_PEOPLE", together)
    names = ("po", "fi", "li")
    plan = default_plan([Category(name, name) for name in names], GENDER, AGE)
    groups = {
        "unit": [names[i % 3] for i in range(90)],
        "gender": ["f" if i % 2 else "m" for i in range(90)],
        "age": ["u30"] * 90,
    }
    found = incidence(plan, RawResponses(90, groups, {name: [3] * 90 for name in NAMES}))
    looked_at = [part.people.tolist() for part in answers._parts(found)]
    assert len(looked_at) == parts and sorted(person for people in looked_at for person in people) == list(range(90))
    assert all(len({person % 3 for person in people}) == len(people) // 30 for people in looked_at)


# --- cells and rows ---


@pytest.mark.parametrize("seed", range(3))
def test_every_answer_is_one_cell(wide: None, seed: int) -> None:
    shown = small.published(_answers(40, seed, without=0.3))
    bundle = [s for s in shown.statistics if s.item is not None][:3]
    for part in answers._parts(shown.found):
        cells: Cells = answers._cells(bundle, part)
        there = [
            (place, int(person), int(s.values[person]) - 1)
            for place, s in enumerate(bundle)
            if s.values is not None
            for person in part.people
            if not math.isnan(s.values[person])
        ]
        assert list(zip(cells.which, cells.person, cells.answers, strict=True)) == there and len(there) < 120
        assert cells.worth.tolist() == [0, 25, 50, 75, 100]
        assert {(int(i), int(p)) for i, p in np.argwhere(cells.at >= 0)} == {(i, p) for i, p, _ in there}
        assert [int(cells.at[i, p]) for i, p, _ in there] == list(range(len(there)))
        assert set(cells.at[cells.at < 0].tolist()) <= {-1}


def test_the_favourable_side_begins_at_its_border(wide: None, monkeypatch: pytest.MonkeyPatch) -> None:
    looked = _looked(small.published(_answers(40, 1)))
    bundle = [s for s in looked.published.statistics if s.item is not None][:1]
    (part,) = answers._parts(looked.published.found)
    made = answers._worlds(bundle, answers._cells(bundle, part), part, looked)
    assert {tuple(row) for row in made.good.tolist()} == {(False, False, False, True, True)}


@pytest.mark.parametrize("together", [1, 2_000])
def test_every_published_figure_in_which_an_answer_plays_a_part_is_a_row(
    wide: None, together: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a count of the test's own: indices, favourable shares and classes of each view, and each spread of the whole."""
    monkeypatch.setattr(answers, "MANY_PEOPLE", together)
    looked = _looked(small.published(_answers(240, 3, without=0.1)))
    views, found = looked.published.views, looked.published.found
    for bundle in answers._bundles([s for s in looked.published.statistics if s.item is not None]):
        inside = {s.id for s in bundle}
        for part in answers._parts(found):
            spreads: list[Spread] = []
            cells = answers._cells(bundle, part)
            rows = list(answers._rows(bundle, cells, part, looked, spreads))
            expected, with_spread = 0, 0
            for s in looked.published.statistics:
                if not inside & {member.id for member in s.members}:
                    continue
                for place, view in enumerate(views):
                    here = found.people(place)[np.isin(found.people(place), part.people)]
                    places = [at for at, item in enumerate(bundle) if item.members[0] in s.members]
                    mine = (cells.at[np.ix_(places, here)] >= 0).any()
                    figures = view.get(s.family, {}).get(s.id) if view["shown"] else None
                    if figures is None or not mine:
                        continue
                    expected += 1 + ("favourable" in figures) * (s.item is not None)
                    expected += {5: 5, 3: 2}.get(len(figures.get("distribution", ())), 0)
                    with_spread += place == 0 and "sd" in figures
            assert len(rows) == expected and len(spreads) == with_spread > 0
            none = np.zeros((len(cells.answers), len(cells.worth)), dtype=bool)
            truth = Worlds(cells.answers, cells.person, none, rows, spreads)
            assert truth.agrees(cells.answers)


@pytest.mark.parametrize("seed", range(4))
def test_other_answers_make_the_sums_that_a_document_of_them_would_have(wide: None, seed: int) -> None:
    """Of all the whole sums behind the indices: statistics of the changed answers, made anew, against the rows."""
    told = _told(60, seed, 0.2)
    looked = _looked(small.published(wave(60, **told)))
    (part,) = answers._parts(looked.published.found)
    rng = np.random.default_rng(seed)
    for bundle in answers._bundles([s for s in looked.published.statistics if s.item is not None]):
        cells = answers._cells(bundle, part)
        rows = list(answers._rows(bundle, cells, part, looked, []))
        other = cells.answers.copy()
        changed = np.union1d([0], rng.integers(0, len(other), 6))
        other[changed] = rng.integers(0, len(cells.worth), len(changed))
        anew = {name: list(given) for name, given in told.items()}
        for cell in changed:
            anew[bundle[cells.which[cell]].id][cells.person[cell]] = int(other[cell]) + 1
        after = {s.key: s for s in statistics_of(wave(60, **anew), WIDE)}
        expected: list[int | None] = []
        for weights, printed in zip(looked.weights, looked.printed, strict=True):
            places = [at for at, item in enumerate(bundle) if item.members[0] in weights.statistic.members]
            for one in printed if places else ():
                inside = looked.published.found.people(one.place)
                if not (cells.at[np.ix_(places, inside)] >= 0).any():
                    continue
                of_them = inside[weights.each[inside] > 0]
                expected.append(Weights.of(after[weights.statistic.key]).total(of_them))
                if weights.statistic.item is not None:
                    here = np.array([], dtype=np.int64)
                    expected += [None for _ in count_rows(one, weights.statistic.item, here, here)]
        made = Worlds(cells.answers, cells.person, np.zeros((len(other), len(cells.worth)), dtype=bool), rows, [])
        sums = made.values(other)
        assert len(sums) == len(expected)
        assert [int(sum_) for sum_, one in zip(sums, expected, strict=True) if one is not None] == [
            one for one in expected if one is not None
        ]


@pytest.mark.parametrize("rows", [ROWS, COARSER])
def test_a_document_of_the_coarser_rung_is_read_by_its_own_table(wide: None, rows: Rows) -> None:
    """Of 240 people the first table prints steps of one, the second of two and a half."""
    shown = small.published(_answers(240, 3), dice(3), rows)
    everyone = [
        one for s in shown.statistics for one in printed_of(Weights.of(s), shown) if one.place == 0 and one.n >= 200
    ]
    assert everyone and {one.size.index_step for one in everyone} == {1 if rows is ROWS else 2.5}
    assert all(one.low <= one.total <= one.high for one in everyone)


def test_of_a_spread_each_answer_weighs_its_share_of_the_score(wide: None) -> None:
    looked = _looked(small.published(_answers(300, 5, without=0.6)))
    bundle = [s for s in looked.published.statistics if s.id in ("A1", "A2")]
    (part,) = answers._parts(looked.published.found)
    cells, spreads = answers._cells(bundle, part), list[Spread]()
    list(answers._rows(bundle, cells, part, looked, spreads))
    shown = [
        s for s in looked.published.statistics if "sd" in looked.published.views[0].get(s.family, {}).get(s.id, {})
    ]
    ours = [s for s in shown if {m.id for m in s.members} & {"A1", "A2"}]
    assert len(spreads) == len(ours) > 2
    for spread, s in zip(spreads, ours, strict=True):
        members = {member.id for member in s.members}
        weights = [
            1 / s.answered[person] if bundle[item].id in members and not math.isnan(s.scores[person]) else 0.0
            for item, person in zip(cells.which, cells.person, strict=True)
        ]
        assert spread.weight.tolist() == weights
        figure = looked.published.views[0][s.family][s.id]["sd"]
        assert (spread.low, spread.high) == spread_ends(figure, int((~np.isnan(s.scores)).sum()))


@pytest.mark.parametrize(
    ("shown", "kinds"),
    [
        ({"index": 50}, []),
        ({"favourable": 60}, [[0, 0, 0, 1, 1]]),
        ({"favourable": 60, "distribution": [20, 20, 60]}, [[0, 0, 0, 1, 1], [1, 1, 0, 0, 0], [0, 0, 1, 0, 0]]),
        (
            {"favourable": 60, "distribution": [10, 10, 20, 30, 30]},
            [[0, 0, 0, 1, 1], *np.eye(5, dtype=int).tolist()],
        ),
    ],
)
def test_shares_and_classes_are_rows_of_counts(shown: dict[str, Any], kinds: list[list[int]]) -> None:
    size, told = ROWS[-1], np.array([0, 0, 1, 2, 3, 3, 4, 4, 4, 3])
    counts = np.array([20, 20, 40, 60, 60])
    one = Printed(0, shown, size, 200, 0, 0, 0, counts)
    here = np.arange(5, 15)
    rows = list(count_rows(one, _item("A1", "CUL"), here, told))
    figures = [
        *([(shown["favourable"], size.share_step)] if "favourable" in shown else []),
        *((figure, size.class_step) for figure in shown.get("distribution", ())[: len(kinds) - 1]),
    ]
    assert len(rows) == len(kinds) == len(figures)
    for row, kind, (figure, step) in zip(rows, kinds, figures, strict=True):
        assert row.worth.tolist() == kind and row.weight.tolist() == [1] * 10 and row.cells.tolist() == here.tolist()
        assert row.constant == int((counts * kind).sum()) - sum(kind[answer] for answer in told)
        assert (row.low, row.high) == whole_ends(figure, 200, step, size.share_end, COUNTS.most)
