"""What moved since an earlier wave: by subtraction of what is published, and only where the same people were asked the same."""

import math
from collections.abc import Mapping
from typing import Any

import msgspec
import pytest

from analysis import published
from analysis.trend import trends
from tests.analysis.waves import released, wave

TREE: Mapping[str, str | None] = {"po": None, "po.a": "po", "po.b": "po", "fi": None}


def _document(
    index: Any, band: str = "200-399", *, unit: str = "all", tree: dict[str, str | None] | None = None, **more: Any
) -> published.Document:
    """Of one area: everyone at 60 with a spread of 20, and one view."""
    root: dict[str, Any] = {
        "id": "all",
        "filter": {},
        "shown": True,
        "n_band": more.pop("root_band", "200-399"),
        "areas": {"1": {"index": 60, "sd": 20}},
    }
    views = [root]
    if unit == "all":
        root["areas"] = {"1": {"index": index, "sd": 20}}
    else:
        filter_ = {"unit": ["po"]} if unit.startswith("unit") else {"gender": ["f"]}
        views.append({"id": unit, "filter": filter_, "shown": True, "n_band": band, "areas": {"1": {"index": index}}})
    categories = [{"code": c, "name": c, "parent": p} for c, p in (tree or TREE).items()]
    made = released(wave(60))
    plan = made["plan"] | {
        "dimensions": [{"id": "unit", "categories": categories}],
        "headcounts": more.pop("heads", {}),
    }
    return published.read(
        made | {"views": views, "plan": plan, "perception": {}, "differences": [], "participation": {}} | more
    )


def _one(now: published.Document, before: published.Document, view: str = "all", same: str = "1") -> Any:
    return trends(now, before, "areas", {same})[view, "1"]


def test_a_change_by_hand() -> None:
    """283 stand for 200-399 in both, 17.5 for a spread of 20: 2 (17.5**2 / 283 + 1 / 12 + 2.2495 (100 / 1131)**2) = 2.37."""
    found = _one(_document(66), _document(58))
    error = math.sqrt(2 * (17.5**2 / 282.8 + 1 / 12 + 2.2495 * (25 / 282.8) ** 2))
    assert (found.word, found.before, found.change) == ("rose", 58, 8)
    assert (found.low, found.high) == (math.floor(8 - 1.96 * error), math.ceil(8 + 1.96 * error)) == (4, 12)


def test_of_everyone_the_sheets_themselves_are_counted() -> None:
    """A band of 400 and more says 400 at least; 6,400 sheets are published: sqrt(2 (17.5**2 / 6400 + 1 / 12)) = .512, -+ 1.004."""
    counts = {"received": 6_400, "unreadable": 0}
    now, before = (_document(index, root_band="400+", participation=counts) for index in (66.2, 58))
    found = _one(now, before)
    assert (found.low, found.high) == (7, 10)


@pytest.mark.parametrize(
    ("now", "before", "word"),
    [(66, 58, "rose"), (58, 66, "fell"), (60, 60, "same"), (61, 60, "same"), (63, 60, "unsure"), (64, 60, "little")],
)
def test_what_is_said_of_a_change(now: float, before: float, word: str) -> None:
    """Of 400 and more, limits of 2.6 either way; four points are 2.7 errors as a claim takes them, and few."""
    assert _one(_document(now, root_band="400+"), _document(before, root_band="400+")).word == word


def test_a_coded_end_few_people_other_questions_and_other_members_are_said_and_not_subtracted() -> None:
    unit: dict[str, Any] = {"unit": "unit:po"}
    assert _one(_document("<=10"), _document(40)).word == "few"
    assert _one(_document(30, "10-19", **unit), _document(60, "50-99", **unit), "unit:po").word == "few"
    assert _one(_document(30, "20-29", **unit), _document(60, "20-29", **unit), "unit:po").word == "fell"
    assert _one(_document(66), _document(58), same="2").word == "questions"
    assert _one(_document(66, **unit), _document(58), "unit:po").word == "absent"
    moved = _document(58, "50-99", tree={**TREE, "po.c": "po"}, **unit)
    assert _one(_document(66, "50-99", **unit), moved, "unit:po").word == "members"
    assert (
        _one(_document(66, "50-99", tree={**TREE, "li": None}, **unit), _document(66, "50-99", **unit), "unit:po").word
        != "members"
    )


def test_of_fewer_who_answered_a_question_their_own_number_counts() -> None:
    few = _document(66)
    root = few.views[0]
    own = published.Statistic(index=66, sd=20, n_band="10-19")
    few = msgspec.structs.replace(few, views=(msgspec.structs.replace(root, areas={"1": own}),))
    assert _one(few, _document(40)).word == "few"


def test_what_rose_is_decided_over_all_together() -> None:
    """5.5 points, limits 2 to 9, one chance in 130: of one alone it is said, beside seven that did not move it is not."""

    def areas(first: float, count: int) -> published.Document:
        document = _document(60)
        figures = {str(n): published.Statistic(index=first if n == 1 else 60, sd=20) for n in range(1, count + 1)}
        return msgspec.structs.replace(document, views=(msgspec.structs.replace(document.views[0], areas=figures),))

    words = [
        trends(areas(65.5, n), areas(60, n), "areas", {str(one) for one in range(1, 9)})["all", "1"] for n in (1, 8)
    ]
    assert [(one.low, one.high, one.word) for one in words] == [(2, 9, "rose"), (2, 9, "unsure")]
