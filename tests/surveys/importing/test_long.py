"""One answer in each row: the same sheets as one row for each, or a reason in words."""

import csv
import io
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surveys.importing.long import widened
from surveys.importing.mapping import MappingBroken, parse_mapping
from surveys.importing.responses import read_responses
from surveys.importing.sheets import FileUnreadable, Rows

MAPPING: dict[str, Any] = {
    "wave": {"id": "lunga", "title": "Lunga", "opened": "2024-03-01", "closed": "2024-03-31"},
    "file": {"shape": "long", "id": "Foglio", "question": "Domanda", "answer": "Risposta", "on_bad_row": "refuse"},
    "groups": {"unit": {"column": "Reparto", "title": "Reparto", "recode": {"A": "a", "B": "b"}}},
    "items": {name: {"column": name, "text": name} for name in ("Q1", "Q2")},
}


def _rows(*rows: tuple[str, str, str, str]) -> Rows:
    numbered = ((number, list(cells)) for number, cells in enumerate(rows, start=2))
    return Rows(("Foglio", "Domanda", "Risposta", "Reparto"), numbered, "utf-8")


def test_sheets_are_put_together_whatever_the_order_of_their_answers(tmp_path: Path) -> None:
    text = io.StringIO()
    csv.writer(text).writerows(
        [
            ("Foglio", "Domanda", "Risposta", "Reparto"),
            ("7", "Q2", "4.0", "A"),
            ("8", "Q1", "1", ""),
            ("7", "Q1", "5", ""),
            ("8", "Q2", "", "B"),
        ]
    )
    path = tmp_path / "lungo.csv"
    path.write_text(text.getvalue(), encoding="utf-8")
    found = read_responses(path, parse_mapping(MAPPING), key=bytes(32))
    assert (found.n, found.answers, found.groups) == (2, {"Q1": [5, 1], "Q2": [4, -1]}, {"unit": ["a", "b"]})


@given(
    st.dictionaries(
        st.text("abc", min_size=1, max_size=2),
        st.dictionaries(st.sampled_from(["Q1", "Q2", "Q3"]), st.sampled_from(["1", "2", ""]), min_size=1),
        min_size=1,
        max_size=6,
    ),
    st.randoms(),
)
def test_no_answer_is_lost_or_moved(sheets: dict[str, dict[str, str]], order: Random) -> None:
    rows = [(who, what, value, "") for who, given in sheets.items() for what, value in given.items()]
    order.shuffle(rows)
    wide = widened(_rows(*rows), "Foglio", "Domanda", "Risposta")
    back = {cells[0]: dict(zip(wide.header[1:], cells[1:], strict=True)) for _, cells in wide.numbered}
    assert {who: {what: value for what, value in given.items() if value} for who, given in sheets.items()} == {
        who: {what: value for what, value in cells.items() if value} for who, cells in back.items()
    }


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([("1", "Q1", "3", "A"), ("1", "Q1", "4", "A")], "long_clash"),
        ([("1", "Q1", "3", "A"), ("1", "Q2", "4", "B")], "long_clash"),
        ([("", "Q1", "3", "A")], "long_row"),
        ([("1", "", "3", "A")], "long_row"),
        ([("1", "Reparto", "3", "A")], "duplicate_header"),
    ],
)
def test_what_cannot_be_put_together_is_refused_with_its_row(
    rows: list[tuple[str, str, str, str]], reason: str
) -> None:
    with pytest.raises(FileUnreadable) as refused:
        widened(_rows(*rows), "Foglio", "Domanda", "Risposta")
    assert refused.value.reason == reason


def test_a_column_that_is_missing_is_named() -> None:
    with pytest.raises(FileUnreadable) as refused:
        widened(_rows(("1", "Q1", "3", "A")), "Foglio", "Item", "Risposta")
    assert refused.value.params["column"] == "Item"


@pytest.mark.parametrize("missing", ["id", "question", "answer"])
def test_the_long_shape_needs_its_three_columns_and_no_other_shape_has_them(missing: str) -> None:
    file = {name: value for name, value in MAPPING["file"].items() if name != missing}
    with pytest.raises(MappingBroken, match="long shape"):
        parse_mapping(MAPPING | {"file": file})
    with pytest.raises(MappingBroken, match="alone"):
        parse_mapping(MAPPING | {"file": MAPPING["file"] | {"shape": "plain"}})
