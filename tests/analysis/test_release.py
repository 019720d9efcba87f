"""What a release says of the whole organisation and of experiences, and must not (PRIVACY 2.5, STATISTICS 3)."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import experiences, published
from analysis.findings import safety_alerts
from analysis.moves import Below, Law, Moves
from analysis.release import release
from analysis.responses import RawResponses
from analysis.rules import Rules
from analysis.scoring import Instrument, ItemSpec, ScaleSpec
from analysis.steps import experience_band, state_of
from analysis.verify import verify_document
from tests.analysis.waves import LIKERT, PLAN, dice, facts, likert, released, still, wave


def _root(document: dict[str, Any], item: str = "A1") -> dict[str, Any]:
    found: dict[str, Any] = document["views"][0]["items"][item]
    return found


@pytest.mark.parametrize("n", [12, 40, 120, 246])
def test_unanimous_people_look_like_nearly_unanimous_ones(n: int) -> None:
    """Could leak: a Wilson interval that ends at 100 and a spread of 0 say that everyone gave the same answer."""
    everyone, but_one = (_root(released(wave(n, A1=column))) for column in ([5] * n, [5] * (n - 1) + [4]))
    assert everyone == but_one
    assert "sd" not in everyone


def test_the_limits_of_a_share_do_not_give_the_count_away() -> None:
    """Could leak: with exact limits each of the 61 counts among 60 people has limits of its own."""
    seen: dict[str, set[int]] = {}
    for favourable in range(0, 61, 3):
        figure = _root(released(wave(60, A1=[4] * favourable + [2] * (60 - favourable))))
        seen.setdefault(str((figure["favourable"], figure["ci"]["favourable"])), set()).add(favourable)
    assert len(seen) == len({key.partition(",")[0] for key in seen})


def test_the_limits_are_those_of_the_worked_formula_on_what_is_published() -> None:
    """246 of 412: SD 45.18 prints as 50, and 47.5 stands for that.

    47.5**2 / 246 x (412 - 246) / 411 + 1 / 12 + 2.2495 (100 / 984)**2 = 3.81; 1.96 x 1.95 = 3.8.
    """
    figure = _root(released(wave(246, A1=[5] * 100 + [3] * 46 + [1] * 100), invited=412))
    assert (figure["index"], figure["ci"]["index"], figure["sd"]) == (50, [46, 54], 50)


def test_the_only_item_of_an_indicator_is_printed_as_the_indicator() -> None:
    """Could leak: two moves of one sum halve what a move hides. One item, one indicator, in every view that shows it."""
    alone = Instrument((likert("A1"),), (), ("1.1",))
    made = release(
        wave(90, A1=[1 + i % 5 for i in range(90)]), PLAN, alone, Rules(), facts(90), below=dice(3)
    ).to_json()
    pairs = [
        (view["items"]["A1"]["index"], view["indicators"]["1.1"]["index"]) for view in made["views"] if view["shown"]
    ]
    assert len(pairs) > 5 and all(item == indicator for item, indicator in pairs)


def test_every_figure_moves_by_itself_and_the_pattern_stays() -> None:
    """The same answers, drawn twice: other figures, the same views, and both within a move of the truth."""
    raw = wave(90, A1=[1 + i % 5 for i in range(90)], A2=[1 + i % 4 for i in range(90)])
    first, second = (released(raw, below=dice(seed)) for seed in (1, 2))
    assert first["certificate"]["pattern_sha256"] == second["certificate"]["pattern_sha256"]
    assert first["views"] != second["views"]
    assert first == released(raw, below=dice(1))
    assert {abs(_root(made)["index"] - 50) <= 2.5 + 100 * 6 / 360 for made in (first, second)} == {True}


def test_low_limits_of_sixty_are_supportive_and_high_limits_of_fifty_mixed() -> None:
    assert [state_of(60, 70), state_of(59, 70), state_of(40, 50), state_of(40, 49)] == [
        "supportive",
        "mixed",
        "mixed",
        "critical",
    ]


@pytest.mark.parametrize(
    ("answered", "invited", "state"), [(29, 60, "insufficient"), (30, 60, "supportive"), (30, 101, "insufficient")]
)
def test_an_indicator_needs_thirty_answers_and_thirty_percent(answered: int, invited: int, state: str) -> None:
    column = [5] * answered + [-1] * (60 - answered)
    record = released(wave(60, A1=column, A2=column, A3=column), invited=invited)["perception"]["1.1"]
    assert record["state"] == state
    assert ("index" in record) == (state != "insufficient")


def test_not_knowing_is_a_share_of_those_who_know_or_do_not() -> None:
    """20 answers, 10 do not know, 10 prefer not, 20 skip: of 30 and 40 nothing, 20/60 on steps of 20."""
    special = released(wave(60, A1=[4] * 20 + [-3] * 10 + [-2] * 10 + [-1] * 20))["views"][0]["special"]["A1"]
    assert special == {"skipped": 40}


def test_low_awareness_is_read_from_thirty_percent() -> None:
    unaware, aware = ([-3] * n + [4] * (100 - n) for n in (30, 20))
    records = [released(wave(100, A1=c, A2=c))["perception"]["1.1"] for c in (unaware, aware)]
    assert [record["awareness_low"] for record in records] == [True, False]


def test_an_item_that_does_not_offer_it_has_no_share_of_not_knowing() -> None:
    """Could mislead: it counted as 5 or less, and pulled the mean of an indicator's items under thirty percent."""
    special = released(wave(100, A1=[-3] * 40 + [4] * 60))["views"][0]["special"]
    assert special["A1"]["dont_know"] == 40 and "dont_know" not in special["A3"]


def test_a_figure_of_few_among_many_says_so_and_is_read_so() -> None:
    """Could mislead: 40 of a unit answered and 7 of them this question; "clearly higher" stood on 40.

    In steps of 12.5 as of 7, in its own band, and no difference is claimed of it.
    """
    prato, few = [i % 3 != 2 for i in range(120)], iter(range(120))
    paid = [5 if inside and next(few) < 7 else -1 if inside else 2 for inside in prato]
    made = released(wave(120, A1=paid))
    views = {view["id"]: view for view in made["views"]}
    unit = views["unit:po"]
    assert (unit["n_band"], unit["items"]["A1"]["n_band"]) == ("50-99", "5-9")
    assert unit["items"]["A1"]["index"] == ">=87.5" and "favourable" not in unit["items"]["A1"]
    assert "n_band" not in unit["items"]["A2"] and views["all"]["items"]["A1"]["n_band"] == "30-49"
    assert verify_document(made) == []


def _happened(n: int, times: int) -> list[int]:
    return [1] * times + [0] * (n - times)


@pytest.mark.parametrize(("times", "band"), [(0, "0-4"), (4, "0-4"), (5, "5-9"), (20, "20-39"), (40, "40+")])
def test_experiences_of_the_whole_organisation_are_bands(times: int, band: str) -> None:
    assert released(wave(100, EXP1=_happened(100, times)))["experience"]["EXP1"]["band"] == band


def test_nineteen_answers_to_an_experience_question_are_not_shown() -> None:
    skipped = [-1] * 41
    assert "EXP1" not in released(wave(60, EXP1=[0] * 19 + skipped))["experience"]
    assert "EXP1" in released(wave(60, EXP1=[0] * 20 + skipped[1:]))["experience"]


@pytest.mark.parametrize(
    ("f", "m", "rest", "sides"),
    [
        (50, 50, 0, {"f", "m"}),
        (50, 30, 20, {"f", "m"}),
        (50, 31, 19, {"f", "others"}),
        (50, 44, 6, {"f", "others"}),
        (71, 29, 0, set()),
        (50, 20, 6, set()),
    ],
)
def test_experiences_by_gender_keep_twenty_people_in_every_remainder(
    f: int, m: int, rest: int, sides: set[str]
) -> None:
    """Could leak: whole minus women minus men is 6 people: enough for opinions (k = 5), not for experiences (20)."""
    genders = ["f"] * f + ["m"] * m + ["nb"] * rest
    record = released(wave(len(genders), genders=genders, EXP1=_happened(len(genders), 9)))["experience"]["EXP1"]
    assert set(record.get("gender", {})) == sides


def test_special_categories_are_never_shown_by_gender_and_need_thirty_answers() -> None:
    assert released(wave(60, EXP6_age=_happened(60, 7)))["experience"]["EXP6.age"] == {"band": "5-9"}
    assert "EXP6.age" not in released(wave(60, EXP6_age=[0] * 29 + [-1] * 31))["experience"]


@pytest.mark.parametrize(("chosen", "share"), [(0, "<=10"), (1, "<=10"), (10, 50), (19, ">=90"), (20, ">=90")])
def test_who_did_it_never_reads_nobody_and_never_all(chosen: int, share: object) -> None:
    column = [1] * chosen + [0] * (20 - chosen) + [-1] * 40
    assert released(wave(60, EXP7_manager=column))["experience"]["EXP7.manager"] == {"share": share}
    assert "EXP7.manager" not in released(wave(60, EXP7_manager=[1] * 19 + [-1] * 41))["experience"]


def test_participation_is_stepped_and_only_from_twice_the_smallest_group() -> None:
    heads = {view.id: 40 for view in PLAN.views} | {"unit:fi": 25, "unit:po.a": 20}
    views = {view["id"]: view for view in released(wave(60), headcounts=heads)["views"]}
    assert (
        views["unit:fi"]["participation"],
        views["unit:po.a"]["participation"],
        views["unit:po"]["participation"],
    ) == ("80", ">=90", ">=90")
    assert "participation" not in views["all"]


def test_headcounts_leave_in_bands_only() -> None:
    heads = {view.id: 41 for view in PLAN.views}
    assert set(released(wave(60), headcounts=heads)["plan"]["headcounts"].values()) == {"30-49"}


def test_an_outcome_counts_for_its_indicator_and_for_no_area() -> None:
    instrument = Instrument((likert("A1"), likert("A2"), likert("A3", outcome=True)), (), ("1.1",))
    made = release(
        wave(60, A1=[3] * 60, A2=[3] * 60, A3=[1] * 60), PLAN, instrument, Rules(), facts(60), below=still
    ).to_json()["views"][0]
    assert (made["areas"]["1"]["index"], made["indicators"]["1.1"]["index"]) == (50, 32.5)


def test_every_kind_of_figure_moves() -> None:
    """Could leak: a share, a class, a spread or a band that prints its exact count. All stand near a border, drawn forty times."""
    column = [1] * 9 + [3] * 9 + [4] * 33 + [5] * 7 + [-1] * 2  # of 58: 15.5, 15.5 and 69 percent, spread 30.1
    happened = _happened(60, 5)
    seen: dict[str, set[object]] = {}
    for seed in range(40):
        made = released(wave(60, A1=column, EXP1=happened), below=dice(seed))
        figure = _root(made)
        low, middle, _ = figure["distribution"]
        printed = {
            "index": figure["index"],
            "favourable": figure["favourable"],
            "low": low,
            "middle": middle,
            "spread": figure.get("sd"),
        }
        for name, value in (printed | {"band": made["experience"]["EXP1"]["band"]}).items():
            seen.setdefault(name, set()).add(value)
    assert {name: len(values) > 1 for name, values in seen.items()} == dict.fromkeys(seen, True)
    assert len(seen) == 6


def _band_triples(f: tuple[int, int], m: tuple[int, int], below: Below) -> tuple[str, str, str] | None:
    """The bands of the whole, of women and of men, each given as who said yes and who answered; None without a contrast."""
    genders = ["f"] * f[1] + ["m"] * m[1]
    column = _happened(*f[::-1]) + _happened(*m[::-1])
    record = released(wave(len(genders), genders=genders, EXP1=column), below=below)["experience"]["EXP1"]
    sides = record.get("gender")
    return (record["band"], sides["f"]["band"], sides["m"]["band"]) if sides else None


@pytest.mark.parametrize(
    ("f", "m"), [((36, 36), (4, 84)), ((31, 31), (9, 60)), ((36, 36), (0, 36)), ((40, 40), (0, 40))]
)
def test_bands_of_both_sides_and_the_whole_prove_of_no_side_that_it_happened_to_all(
    f: tuple[int, int], m: tuple[int, int]
) -> None:
    """Done by an attacker: 40 and more in all, at most 4 of the men, so all 36 women. Every count that the bands allow is tried."""
    found = _band_triples(f, m, dice(f[0] + m[0]))
    assert found is not None
    whole, women, men = found

    def prints(band: str, count: int, answered: int) -> bool:
        return any(experience_band(min(max(count + move, 0), answered), answered) == band for move in range(-3, 4))

    worlds = [
        (x, y)
        for x in range(f[1] + 1)
        for y in range(m[1] + 1)
        if prints(women, x, f[1]) and prints(men, y, m[1]) and prints(whole, x + y, f[1] + m[1])
    ]
    for place, size in ((0, f[1]), (1, m[1])):
        assert len({world[place] for world in worlds}) > 1
        assert {world[place] for world in worlds} != {size}


@pytest.mark.parametrize(("f", "m"), [((36, 36), (4, 84)), ((31, 31), (9, 60))])
def test_what_bands_prove_where_no_count_moves_is_found_and_the_contrast_goes(
    f: tuple[int, int], m: tuple[int, int]
) -> None:
    """Could leak: the same bands from exact counts have one world. The check of bands does not let such a triple out."""
    counts = {"": (f[0] + m[0], f[1] + m[1]), "f": f, "m": m}
    bands = {name: experience_band(*count) for name, count in counts.items()}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(experiences, "COUNTS", Law(1.0, 0))
        assert experiences._proven(bands, counts)
        assert set(experiences._banded("EXP1", counts, Moves(still))) == {"band"}
    assert not experiences._proven(bands, counts)


def test_a_rare_item_is_not_published_under_the_name_of_its_indicator_either() -> None:
    """Could leak: the only item of an indicator, for the whole organisation alone by itself and for every view by its indicator."""
    rare = replace(likert("A3"), rare=True, indicators=("9.9",))
    instrument = Instrument((likert("A1"), likert("A2"), rare), (ScaleSpec("CUL", LIKERT, 2),), ("1.1", "9.9"))
    made = release(wave(90), PLAN, instrument, Rules(), facts(90)).to_json()
    for family, statistic in (("items", "A3"), ("indicators", "9.9"), ("scales", "CUL"), ("areas", "1")):
        assert [view["id"] for view in made["views"] if statistic in view.get(family, {})] == ["all"]
    assert sum("1.1" in view.get("indicators", {}) for view in made["views"]) > 5


@pytest.mark.parametrize("order", [LIKERT, LIKERT[::-1]])
def test_two_names_of_one_sum_are_printed_alike(order: tuple[str, ...]) -> None:
    """Could leak: a scale and an area of the same items, in whatever order, and a view in which the same people answered."""
    instrument = Instrument(tuple(likert(name) for name in LIKERT), (ScaleSpec("CUL", order, 2),), ("1.1",))
    column = [1 + i % 5 if i % 3 == 2 else -1 for i in range(120)]  # A1 is answered in one territory alone
    made = release(wave(120, A1=column), PLAN, instrument, Rules(), facts(120), below=dice(8)).to_json()
    for view in (view for view in made["views"] if view["shown"]):
        assert view["scales"]["CUL"]["index"] == view["areas"]["1"]["index"]
    views = {view["id"]: view for view in made["views"]}
    assert views["all"]["items"]["A1"]["index"] == views["unit:fi"]["items"]["A1"]["index"]


def test_of_yes_or_no_index_and_share_are_one_figure() -> None:
    yes = ItemSpec("A1", 0, 1, False, "CUL", (1,), ("1.1",), "items", False, False, None, 1)
    made = release(
        wave(90, A1=[i % 2 for i in range(90)]),
        PLAN,
        Instrument((yes,), (), ("1.1",)),
        Rules(),
        facts(90),
        below=dice(2),
    ).to_json()
    pairs = [(f["index"], f["favourable"]) for view in made["views"] if (f := view.get("items", {}).get("A1"))]
    assert len(pairs) > 5 and all(index == share for index, share in pairs)


@pytest.mark.parametrize("items", [34, 47])
def test_many_items_with_gaps_are_released_also_where_a_whole_unit_is_at_the_top(items: int) -> None:
    """Done by an attacker: sums over many items on a grid too coarse for them were refused where all had answered 5."""
    rng = np.random.default_rng(items)
    names = [f"Q{place}" for place in range(items)]
    questions = tuple(replace(likert(name), construct=name, indicators=(name,)) for name in names)
    columns = {
        name: [-1 if rng.random() < 0.25 else 5 if i % 3 == 2 else int(rng.integers(1, 6)) for i in range(200)]
        for name in names
    }
    raw = wave(200, genders=None, **columns)
    made = release(raw, PLAN, Instrument(questions, (), ()), Rules(), facts(200), below=dice(1)).to_json()
    assert made["rules"]["rung"] == 0 and "1" in made["views"][0]["areas"]


@settings(deadline=None, max_examples=6)
@given(st.permutations(list(range(30))))
def test_the_order_of_sheets_changes_nothing(order: list[int]) -> None:
    columns = {"A1": [1 + i % 5 for i in range(30)], "A2": [1 + i % 4 for i in range(30)]}
    raw = wave(30, genders=None, **columns)
    turned = RawResponses(
        30,
        {d: [raw.group(d)[i] for i in order] for d in raw.dimensions()},
        {a: [int(raw.answer(a)[i]) for i in order] for a in raw.items()},
    )
    assert released(raw) == released(turned)


@pytest.mark.parametrize(
    ("high", "band", "kind"),
    [(59, "5-9", "safety"), (59, "0-4", "silence"), (60, "5-9", None), (59, None, None)],
)
def test_the_safety_rule_speaks_whatever_the_average(high: int, band: str | None, kind: str | None) -> None:
    """STATISTICS 3: an experience of five people or more, with few who feel safe to speak; fewer is read as silence."""
    document = released(wave(60)) | {
        "views": [
            {
                "id": "all",
                "filter": {},
                "shown": True,
                "items": {
                    "SAF2": {"index": 50, "ci": {"index": [40, high]}},
                    "SAF3": {"index": 70, "ci": {"index": [65, 75]}},
                },
            }
        ],
        "experience": {"EXP1": {"band": band} if band else {"share": 10}, "EXP6.age": {"band": "5-9"}},
    }
    assert [found[0] for found in safety_alerts(published.read(document))] == ([kind] if kind else [])
