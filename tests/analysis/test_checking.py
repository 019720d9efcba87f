"""A document is checked part by part: each change below could hide a number or a wrong claim."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from analysis import published
from analysis.document import NOT_SHOWN, Release, ReleaseInvalid, canonical, verify_document
from tests.analysis.waves import PLAN, released, wave

HEADS = {view.id: 130 for view in PLAN.views}
GOOD = released(
    wave(
        120,
        A1=[1 + i % 5 for i in range(120)],
        EXP1=[i % 3 for i in range(120)],
        EXP7_manager=[i % 2 for i in range(30)] + [-1] * 90,
    ),
    headcounts=HEADS,
)
SHOWN = next(i for i, view in enumerate(GOOD["views"]) if i and view["shown"])
HIDDEN = next(i for i, view in enumerate(GOOD["views"]) if not view["shown"])


def _changed(change: Callable[[dict[str, Any]], object]) -> list[str]:
    document = json.loads(canonical(GOOD))
    change(document)
    return verify_document(document)


def test_a_release_passes_its_own_checks_and_keeps_every_byte() -> None:
    assert verify_document(GOOD) == []
    assert Release.from_json(GOOD).to_json() == GOOD
    assert canonical(json.loads(canonical(GOOD))) == canonical(GOOD)


def test_a_document_from_before_figures_moved_still_passes_and_says_what_it_was_checked_for() -> None:
    """Made by the version before, of the same hundred and twenty invented people."""
    old = json.loads((Path(__file__).parents[1] / "vectors" / "release-steps-1.json").read_text("utf-8"))
    assert verify_document(old) == []
    assert (published.read(old).answers_verdict, published.read(GOOD).answers_verdict) == ("pass", "moved")
    assert verify_document(old | {"rules": GOOD["rules"]}) != []


def test_a_signed_release_passes_too() -> None:
    assert verify_document(GOOD | {"key": "k", "signature": "s"}) == []


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d["rules"].update(rung=2),
        lambda d: d["rules"].update(rung=True),
        lambda d: d["rules"].update(rung=3),
        lambda d: d["rules"].pop("rung"),
        lambda d: d["rules"].update(steps="ascolto-steps/1"),
        lambda d: d["rules"].update(steps="ascolto-steps/3"),
        lambda d: d["rules"].update(moves=[1, 0, -2]),
        lambda d: d["certificate"].update(answers="rule only"),
        lambda d: d["certificate"].update(draws=2),
        lambda d: d["quality"].update(alpha=0.81),
        lambda d: d["participation"].update(favourable=12),
        lambda d: d["views"][HIDDEN].update(n_band="5-9"),
        lambda d: d["views"][HIDDEN].update(reason="secondary"),
        lambda d: d["views"][SHOWN].update(n=17),
        lambda d: d["views"][SHOWN].update(n_band="37"),
        lambda d: d["views"][SHOWN].update(n_band="0-4"),
        lambda d: d["views"][SHOWN].update(special={}),
        lambda d: d["views"][SHOWN].update(filter={}),
        lambda d: d["views"][SHOWN].update(participation="97"),
        lambda d: d["views"][0].update(participation="90"),
        lambda d: d["views"][SHOWN]["items"]["A1"].update(index=51),
        lambda d: d["views"][SHOWN]["items"]["A1"].update(n_band=d["views"][SHOWN]["n_band"]),
        lambda d: d["views"][SHOWN]["items"]["A1"].update(n_band="400+"),
        lambda d: d["views"][SHOWN]["items"]["A1"].update(n_band="7-9"),
        lambda d: d["views"][SHOWN]["items"]["A1"].update(n_band="0-4"),
        lambda d: d["views"][SHOWN]["items"]["A1"].update(n_band="5-9"),
        lambda d: d["views"][SHOWN]["items"]["A1"].update(index=True),
        lambda d: d["views"][SHOWN]["items"]["A1"].update(favourable=41),
        lambda d: d["views"][SHOWN]["items"]["A1"].update(ci={"index": [40, 60]}),
        lambda d: d["views"][SHOWN]["items"]["A1"].update(mean=3.02),
        lambda d: d["views"][SHOWN]["items"]["A1"].pop("index"),
        lambda d: d["views"][SHOWN]["items"].update(A9={"index": 50}),
        lambda d: d["views"][0]["items"]["A1"]["ci"].update(index=[40.5, 60]),
        lambda d: d["views"][0]["items"]["A1"]["ci"].update(index=[90, 95]),
        lambda d: d["views"][0]["items"]["A1"].update(sd=35.4),
        lambda d: d["views"][0]["items"]["A1"]["distribution"].append(10),
        lambda d: d["views"][0]["special"]["A1"].update(skipped=3),
        lambda d: d["views"][0]["special"]["A1"].update(late=5),
        lambda d: d["views"][0].update(n_band="200-399"),
        lambda d: d["views"][0].update(n_band="5-9"),
        lambda d: d["views"].reverse(),
        lambda d: d["plan"]["views"].pop(),
        lambda d: d["plan"]["headcounts"].update(all=131),
        lambda d: d["perception"]["1.1"].update(state="good"),
        lambda d: d["perception"]["1.1"].update(state="critical"),
        lambda d: d["perception"]["1.1"].update(index=77),
        lambda d: d["perception"]["1.1"].pop("ci"),
        lambda d: d["perception"]["1.1"].update(n=63),
        lambda d: d["differences"][0].update(gap=9),
        lambda d: d["differences"][0].update(value=12.5),
        lambda d: d["differences"][0].update(view=d["views"][HIDDEN]["id"]),
        lambda d: d["experience"]["EXP1"].update(band="3"),
        lambda d: d["experience"]["EXP1"].update(n=3),
        lambda d: d["experience"]["EXP1"].update(gender={"nb": {"band": "0-4"}, "f": {"band": "0-4"}}),
        lambda d: d["experience"]["EXP7.manager"].update(share=0),
        lambda d: d["quality"]["nonresponse"].update(items=3.3),
        lambda d: d["certificate"]["families"].update(items="none"),
        lambda d: d["certificate"].update(pattern_sha256=""),
        lambda d: d["participation"].update(received=7.5),
        lambda d: d["rules"]["k"].update(experience=5),
        lambda d: d.update(origin="elsewhere"),
        lambda d: d.update(schema="ascolto-release/0"),
        lambda d: d.update(views=None),
    ],
)
def test_a_changed_document_is_not_a_release(change: Callable[[dict[str, Any]], object]) -> None:
    assert len(_changed(change)) > 0


def test_parts_that_are_larger_than_their_whole_are_found() -> None:
    """Prato 80 people; its two services said to hold 100-199 each."""

    def grow(document: dict[str, Any]) -> None:
        for view in document["views"]:
            if view["id"] in ("unit:po.a", "unit:po.b"):
                view["n_band"] = "50-99"
            if view["id"] == "unit:po":
                view["n_band"] = "50-99"

    assert "the parts of view unit:po are larger than it" in _changed(grow)


@pytest.mark.parametrize("text", ["", "[]", "null", "{}", '{"schema":"ascolto-release/1"}'])
def test_other_texts_are_refused_with_a_reason(text: str) -> None:
    with pytest.raises(ReleaseInvalid) as refused:
        Release(text)
    assert len(refused.value.reasons) > 0


def test_not_shown_is_a_value_of_its_own() -> None:
    made = Release.from_json(GOOD)
    assert made.figure(GOOD["views"][HIDDEN]["id"], "items", "A1") is NOT_SHOWN
    assert made.figure("all", "items", "A1") == GOOD["views"][0]["items"]["A1"]["index"]
    with pytest.raises(TypeError):
        bool(NOT_SHOWN)
