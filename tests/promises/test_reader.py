"""Promise: published numbers never describe fewer than k people, combined as one likes; beside it, data that leak."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from analysis.audit.structure import audit_structure
from analysis.comparison import Known
from analysis.contrast import compared
from analysis.demographics import Category
from analysis.document import Release, ReleaseInvalid, canonical
from analysis.protect.suppression import Pattern
from analysis.release import Facts, release
from analysis.responses import RawResponses
from analysis.rules import DisclosureError, Rules, TooFew
from analysis.scoring import Instrument, ItemSpec, ScaleSpec
from analysis.views import default_plan, incidence
from tests.analysis.waves import dice

K = 5
UNITS = [
    Category("po", "Prato"),
    Category("fi", "Firenze"),
    Category("po.a", "A", "po"),
    Category("po.b", "B", "po"),
    Category("fi.a", "C", "fi"),
    Category("fi.b", "D", "fi"),
]
GENDER = [Category("f", "Donna"), Category("m", "Uomo"), Category("nb", "Non binaria")]
AGE = [Category("u30", "Meno di 30"), Category("40_49", "40-49")]
PLAN = default_plan(UNITS, GENDER, AGE)
FACTS = Facts(
    "test",
    "ascolto",
    {"id": "w", "title": {"it": "W"}, "opened": "", "closed": ""},
    {"id": "q", "version": "1", "sha256": ""},
    {"invited": 90, "issued": 0, "drawn": 70, "received": 70, "unreadable": 0},
)


def _item(name: str, construct: str = "CUL", reverse: bool = False, rare: bool = False) -> ItemSpec:
    return ItemSpec(name, 1, 5, reverse, construct, (1,), ("1.1",), "items", rare, False, None, 4)


INSTRUMENT = Instrument(
    (
        _item("A1"),
        _item("A2"),
        _item("A3", reverse=True),
        _item("A4", rare=True),
        ItemSpec("E1", 0, 2, False, None, (3,), ("3.6",), "experience", True, False, None, 1),
    ),
    (ScaleSpec("CUL", ("A1", "A2", "A3"), 2),),
    ("1.1",),
)


def _responses(seed: int, n: int = 70) -> RawResponses:
    rng = np.random.default_rng(seed)
    groups = {
        "unit": rng.choice(["po.a", "po.b", "fi.a", "fi.b", ""], n, p=[0.4, 0.1, 0.35, 0.1, 0.05]).tolist(),
        "gender": rng.choice(["f", "m", "nb", ""], n, p=[0.7, 0.24, 0.02, 0.04]).tolist(),
        "age": rng.choice(["u30", "40_49", ""], n, p=[0.3, 0.65, 0.05]).tolist(),
    }
    answers = {
        name: rng.choice([1, 2, 3, 4, 5, -1, -2, -3], n, p=[0.1, 0.15, 0.2, 0.3, 0.15, 0.04, 0.03, 0.03]).tolist()
        for name in ("A1", "A2", "A3", "A4")
    }
    answers["E1"] = rng.choice([0, 1, 2, -2], n, p=[0.85, 0.07, 0.04, 0.04]).tolist()
    return RawResponses(n, groups, answers)


def _everything_shown(document: dict[str, Any]) -> dict[str, list[str]]:
    """The union of what a dashboard, a staff page, an export and the document show: views by statistic.

    All four read the document alone (tests/server has a test of it), so the document is the union.
    """
    shown: dict[str, list[str]] = {"size": [v["id"] for v in document["views"] if v["shown"]]}
    for view in document["views"]:
        for family in ("items", "scales", "areas", "indicators"):
            for statistic in view.get(family, {}):
                shown.setdefault(f"{family}/{statistic}", []).append(view["id"])
    return shown


def _isolated(raw: RawResponses, document: dict[str, Any]) -> list[tuple[str, int]]:
    """Who the union isolates, per statistic: small views, small remainders of one view in another, pinned atoms."""
    found = incidence(PLAN, raw)
    rows = {view.id: row for row, view in enumerate(PLAN.views)}
    problems = []
    for statistic, views in _everything_shown(document).items():
        n = found.n if statistic == "size" else _answered(raw, found.atom_of, len(found.n), statistic)
        matrix = found.matrix[[rows[view] for view in views]]
        verdict = audit_structure(matrix, n, np.ones(len(views), dtype=bool), K)
        problems += [(statistic, atom) for atom in verdict.exposed]
        problems += [(statistic, -1) for view in matrix if 0 < int(n[view].sum()) < K]
        problems += [
            (statistic, -2) for a in matrix for b in matrix if 0 < int(n[a & ~b].sum()) < K and not (b & ~a).any()
        ]
    return problems


def _combined(matrix: Any, n: Any) -> list[int]:
    """A third attacker without any solver: sizes of 1 to k-1 that up to three shown views add and subtract to.

    Every a + x b + y c with x, y in -1, 0, 1 that is 0 or 1 on each atom describes a set of people.
    """
    views, sizes = matrix.astype(np.int8), matrix @ n
    found: set[int] = set()
    first, second = (index.ravel() for index in np.indices((len(views), len(views))))
    for x in (-1, 1):
        pairs, totals = views[first] + x * views[second], sizes[first] + x * sizes[second]
        for y in (-1, 0, 1):
            for c in range(len(views) if y else 1):
                sets, size = pairs + y * views[c], totals + y * sizes[c]
                small = (size > 0) & (size < K)
                found |= {int(s) for s in size[small][((sets[small] == 0) | (sets[small] == 1)).all(axis=1)]}
    return sorted(found)


@pytest.mark.parametrize("seed", range(4))
def test_adding_and_subtracting_shown_views_never_leaves_one_to_four_people(seed: int) -> None:
    raw = _responses(seed)
    made = release(raw, PLAN, INSTRUMENT, Rules(), FACTS).to_json()
    assert _third_attack(raw, made) == {}


def _third_attack(raw: RawResponses, document: dict[str, Any]) -> dict[str, list[int]]:
    """For each statistic the group sizes that arithmetic on shown views gives away."""
    found, rows = incidence(PLAN, raw), {view.id: row for row, view in enumerate(PLAN.views)}
    exposed = {}
    for statistic, views in _everything_shown(document).items():
        n = found.n if statistic == "size" else _answered(raw, found.atom_of, len(found.n), statistic)
        live = n > 0
        if sizes := _combined(found.matrix[[rows[view] for view in views]][:, live], n[live]):
            exposed[statistic] = sizes
    return exposed


def _answered(raw: RawResponses, atom_of: Any, atoms: int, statistic: str) -> Any:
    family, _, name = statistic.partition("/")
    if family == "items":
        valid = raw.answer(name) >= 0
    else:
        columns = np.array([raw.answer(item) >= 0 for item in ("A1", "A2", "A3", "A4")])
        chosen = {
            "scales": columns[:3].sum(axis=0) >= 2,
            "areas": columns.sum(axis=0) >= 3,
            "indicators": columns.sum(axis=0) >= 2,
        }
        valid = chosen[family]
    return np.bincount(atom_of[valid], minlength=atoms)


@pytest.mark.parametrize("seed", range(8))
def test_nothing_shown_anywhere_can_be_combined_to_describe_one_to_four_people(seed: int) -> None:
    raw = _responses(seed)
    made = release(raw, PLAN, INSTRUMENT, Rules(), FACTS).to_json()
    assert _isolated(raw, made) == []


def test_the_same_attack_finds_people_when_the_secondary_suppression_is_switched_off(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A deliberately weakened copy: every view of five people or more is shown, as most survey tools do."""
    import analysis.release as weakened

    monkeypatch.setattr(
        weakened, "solve", lambda m, n, w, k, *, allowed, progress: Pattern(allowed & (m @ n >= k), 1, 0, False)
    )
    monkeypatch.setattr(weakened, "repair", lambda m, n, w, k, shown: (shown & (m @ n >= k), 0))
    monkeypatch.setattr(weakened, "_audit", lambda *_: None)
    raw = _responses(1)
    made = weakened.release(raw, PLAN, INSTRUMENT, Rules(), FACTS).to_json()
    assert len(_isolated(raw, made)) > 0
    assert len(_third_attack(raw, made)["size"]) > 0


def test_the_auditor_stops_a_weakened_release_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    import analysis.release as weakened

    monkeypatch.setattr(
        weakened, "solve", lambda m, n, w, k, *, allowed, progress: Pattern(allowed & (m @ n >= k), 1, 0, False)
    )
    with pytest.raises(DisclosureError):
        weakened.release(_responses(1), PLAN, INSTRUMENT, Rules(), FACTS)


def test_hidden_views_carry_nothing_and_say_no_reason() -> None:
    made = release(_responses(2), PLAN, INSTRUMENT, Rules(), FACTS).to_json()
    hidden = [view for view in made["views"] if not view["shown"]]
    assert len(hidden) > 0
    assert all(set(view) == {"id", "filter", "shown"} for view in hidden)


def test_whether_a_view_is_shown_depends_on_counts_and_not_on_answers() -> None:
    raw = _responses(3)
    turned = RawResponses(
        len(raw),
        {d: raw.group(d) for d in raw.dimensions()},
        {i: [6 - int(c) if 0 < c < 6 and i != "E1" else int(c) for c in raw.answer(i)] for i in raw.items()},
    )
    first, second = (release(r, PLAN, INSTRUMENT, Rules(), FACTS).to_json() for r in (raw, turned))
    assert _everything_shown(first) == _everything_shown(second)
    assert first["certificate"]["pattern_sha256"] == second["certificate"]["pattern_sha256"]


def test_the_same_answers_show_the_same_views_and_the_same_document_for_everyone() -> None:
    """Drawn twice its figures move otherwise, so a release is made once; by one source of randomness it is the same to the byte."""
    first, second = (release(_responses(4), PLAN, INSTRUMENT, Rules(), FACTS).to_json() for _ in range(2))
    assert first["certificate"]["pattern_sha256"] == second["certificate"]["pattern_sha256"]
    assert first["views"] != second["views"]
    again = [release(_responses(4), PLAN, INSTRUMENT, Rules(), FACTS, below=dice(5)).text for _ in range(2)]
    assert again[0] == again[1]


def test_a_rare_item_is_published_for_the_whole_organisation_only() -> None:
    made = release(_responses(5), PLAN, INSTRUMENT, Rules(), FACTS).to_json()
    assert _everything_shown(made)["items/A4"] == ["all"]


def test_more_respondents_than_people_hide_the_view() -> None:
    raw = _responses(6)
    found = incidence(PLAN, raw)
    counts = {view.id: int(size) for view, size in zip(PLAN.views, found.sizes(), strict=True)}
    exact = Facts(FACTS.installation, FACTS.origin, FACTS.wave, FACTS.questionnaire, FACTS.participation, counts)
    spare = Facts(
        FACTS.installation,
        FACTS.origin,
        FACTS.wave,
        FACTS.questionnaire,
        FACTS.participation,
        {**counts, "unit:po": counts["unit:po"] - 1},
    )
    assert "unit:po" in _everything_shown(release(raw, PLAN, INSTRUMENT, Rules(), exact).to_json())["size"]
    assert "unit:po" not in _everything_shown(release(raw, PLAN, INSTRUMENT, Rules(), spare).to_json())["size"]


def test_four_spare_votes_do_not_uncover_the_only_person_of_a_service() -> None:
    """PRIVACY 1 A': whoever casts k-1 votes of known content in a service of one would read the fifth from its figures.

    The weakened copy does not know headcounts, and shows the service; the shipped rule hides it.
    """
    people = ["po.a"] * 40 + ["fi.a"] * 20 + ["po.b"] + ["po.b"] * 4
    n = len(people)
    answers = {name: [3] * 60 + [1] + [5] * 4 for name in ("A1", "A2", "A3", "A4")} | {"E1": [0] * n}
    raw = RawResponses(n, {"unit": people, "gender": ["f"] * n, "age": ["u30"] * n}, answers)
    heads = {view.id: int(size) for view, size in zip(PLAN.views, incidence(PLAN, raw).sizes(), strict=True)}
    known = {**heads, "unit:po.b": 1, "unit:po": heads["unit:po"] - 4}
    weakened, shipped = (
        _everything_shown(
            release(
                raw,
                PLAN,
                INSTRUMENT,
                Rules(),
                Facts(FACTS.installation, FACTS.origin, FACTS.wave, FACTS.questionnaire, FACTS.participation, counts),
            ).to_json()
        )["size"]
        for counts in (None, known)
    )
    assert "unit:po.b" in weakened
    assert not {"unit:po.b", "unit:po"} & set(shipped)


def test_nine_sheets_are_not_released_and_a_rule_cannot_be_lowered() -> None:
    with pytest.raises(TooFew):
        release(_responses(1, 9), PLAN, INSTRUMENT, Rules(), FACTS)
    for lowered in ({"k_items": 4}, {"k_comments": 9}, {"k_experience": 19}):
        with pytest.raises(ValueError, match="cannot go below"):
            Rules(**lowered)


def test_raw_responses_refuse_to_be_shown() -> None:
    raw = _responses(1)
    for look in (
        str,
        repr,
        iter,
        list,
        lambda r: f"{r}",
        json.dumps,
        __import__("pickle").dumps,
        __import__("copy").deepcopy,
    ):
        with pytest.raises(TypeError):
            look(raw)


def test_a_document_that_was_changed_does_not_become_a_release() -> None:
    made = release(_responses(2), PLAN, INSTRUMENT, Rules(), FACTS).to_json()
    hidden = next(i for i, view in enumerate(made["views"]) if not view["shown"])
    changes: tuple[Callable[[dict[str, Any]], object], ...] = (
        lambda d: d["views"][hidden].update(items={"A1": {"index": 50}}),
        lambda d: d["views"][0]["items"]["A1"].update(index=51.3),
        lambda d: d["rules"]["k"].update(items=4),
        lambda d: d["views"].pop(),
        lambda d: d.update(extra=1),
        lambda d: d["certificate"].update(answers="maybe"),
    )
    for change in changes:
        changed = json.loads(canonical(made))
        change(changed)
        with pytest.raises(ReleaseInvalid):
            Release.from_json(changed)


def test_figures_can_be_made_again_from_the_document_alone() -> None:
    """Closure rule: differences and states below the organisation are functions of published values."""
    made = release(_responses(7), PLAN, INSTRUMENT, Rules(), FACTS).to_json()
    known = Known.of(made["views"][0], made["participation"], made["quality"], made["plan"]["headcounts"])
    assert compared(made["views"], made["perception"], made["quality"], known) == made["differences"] != []
