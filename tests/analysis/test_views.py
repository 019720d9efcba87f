"""The default plan, its atoms, and what counts alone forbid (PRIVACY 2.1, 2.4, 2.5)."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.demographics import Category, Dimension
from analysis.responses import RawResponses
from analysis.views import Plan, View, candidates, default_plan, incidence
from tests.crosses import full_cross_plan

UNITS = [Category("po", "Prato"), Category("fi", "Firenze"), Category("po.a", "A", "po"), Category("po.b", "B", "po")]
GENDER = [Category(code, code) for code in ("f", "m", "nb", "self")]
AGE = [Category("u30", "u30"), Category("50_59", "50_59")]
PLAN = default_plan(UNITS, GENDER, AGE)


def _raw(people: list[tuple[str, str, str]]) -> RawResponses:
    columns = {name: [person[i] for person in people] for i, name in enumerate(("unit", "gender", "age"))}
    return RawResponses(len(people), columns, {})


def test_the_default_plan_is_the_one_announced() -> None:
    ids = [view.id for view in PLAN.views]
    assert ids[:9] == [
        "all",
        "unit:po",
        "unit:fi",
        "unit:po.a",
        "unit:po.b",
        "gender:f",
        "gender:m",
        "gender:nb",
        "gender:others",
    ]
    assert "unit:po+gender:f" in ids
    assert "gender:f+age:u30" in ids
    assert not any(name.startswith("unit:po.a+") for name in ids)
    assert not any("self" in name for name in ids)


def test_a_dimension_without_categories_is_not_in_the_plan() -> None:
    assert [d.id for d in default_plan(UNITS, [], []).dimensions] == ["unit"]


def test_a_plan_survives_its_json() -> None:
    assert Plan.from_json(PLAN.to_json()) == PLAN


def test_a_territory_holds_its_services_and_those_who_named_only_the_territory() -> None:
    found = incidence(
        PLAN,
        _raw([("po", "f", "u30"), ("po.a", "f", "u30"), ("po.b", "m", "u30"), ("fi", "f", "u30"), ("", "f", "u30")]),
    )
    sizes = dict(zip([view.id for view in PLAN.views], found.sizes().tolist(), strict=True))
    assert (sizes["all"], sizes["unit:po"], sizes["unit:po.a"], sizes["unit:fi"]) == (5, 3, 1, 1)


def _allowed(people: list[tuple[str, str, str]], k: int = 5) -> set[str]:
    found = incidence(PLAN, _raw(people))
    return {view.id for view, may in zip(PLAN.views, candidates(PLAN, found, k), strict=True) if may}


def _genders(f: int, m: int, nb: int, none: int) -> list[tuple[str, str, str]]:
    chosen = ["f"] * f + ["m"] * m + ["nb"] * nb + [""] * none
    return [(("po.a", "fi")[i % 2], gender, ("u30", "50_59")[i % 3 % 2]) for i, gender in enumerate(chosen)]


@pytest.mark.parametrize(("nb", "none"), [(1, 0), (0, 4), (2, 2)])
def test_a_residual_of_one_to_four_turns_men_into_all_others(nb: int, none: int) -> None:
    allowed = _allowed(_genders(30, 20, nb, none))
    assert {"gender:f", "gender:others"} <= allowed
    assert allowed.isdisjoint({"gender:m", "gender:nb", "unit:po+gender:m", "gender:m+age:u30"})


@pytest.mark.parametrize(("nb", "none"), [(0, 0), (5, 0), (3, 2)])
def test_without_a_small_residual_men_are_men_and_there_are_no_others(nb: int, none: int) -> None:
    allowed = _allowed(_genders(30, 20, nb, none))
    assert {"gender:f", "gender:m"} <= allowed
    assert not any("others" in name for name in allowed)


def test_a_view_of_the_same_people_as_a_wider_one_is_not_shown_twice() -> None:
    allowed = _allowed([("po.a", "f", "u30")] * 8 + [("fi", "m", "50_59")] * 8)
    assert "unit:po" in allowed
    assert "unit:po.a" not in allowed  # everyone in Prato is in A
    assert "unit:po.b" not in allowed  # nobody is in B


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["po", "po.a", "po.b", "fi", ""]),
            st.sampled_from(["f", "m", "nb", "self", ""]),
            st.sampled_from(["u30", "50_59", ""]),
        ),
        min_size=1,
        max_size=40,
    )
)
def test_every_view_counts_the_people_its_filter_describes(people: list[tuple[str, str, str]]) -> None:
    found = incidence(PLAN, _raw(people))
    assert int(found.n.sum()) == len(people)
    assert int(found.n.min()) > 0
    inside = {"po": {"po", "po.a", "po.b"}}
    place = {"unit": 0, "gender": 1, "age": 2}
    for view, size in zip(PLAN.views, found.sizes(), strict=True):
        wanted = {name: set().union(*(inside.get(code, {code}) for code in codes)) for name, codes in view.filter}
        assert size == sum(all(person[place[name]] in codes for name, codes in wanted.items()) for person in people)


def test_the_full_cross_has_every_margin_once() -> None:
    plan = full_cross_plan(UNITS[:2], GENDER[:3], AGE)
    assert len(plan.views) == 3 * 4 * 3
    assert len({view.id for view in plan.views}) == len(plan.views)


@pytest.mark.parametrize(
    "views",
    [
        (),
        (View("x", (("age", ("u30",)),), 1),),
        (View("all", (), 1), View("all", (), 1)),
        (View("all", (), 1), View("x", (("no", ("a",)),), 1)),
    ],
)
def test_a_plan_without_a_root_or_with_unknown_or_double_views_is_refused(views: tuple[View, ...]) -> None:
    with pytest.raises(ValueError, match=r"whole organisation|same id|does not have"):
        Plan((Dimension("age", tuple(AGE)),), views)


def test_raw_incidence_refuses_to_be_shown() -> None:
    found = incidence(PLAN, _raw([("po", "f", "u30")]))
    for look in (
        str,
        repr,
        list,
        __import__("pickle").dumps,
        __import__("copy").copy,
        __import__("json").dumps,
        __import__("msgspec").json.encode,
    ):
        with pytest.raises(TypeError):
            look(found)
    assert isinstance(found.matrix, np.ndarray)
