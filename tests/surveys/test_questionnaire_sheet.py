"""A form becomes an opaque sheet, or a list of problems that names no answer."""

import copy
import json
import pickle
import re
import zlib
from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surveys.questionnaire import AnswerSheet, InvalidAnswers, SheetUnreadable, UnitNode, read_form, shipped

type Form = dict[str, list[str]]

TREE = (UnitNode("po", "Prato", ""), UnitNode("po.nido", "Nido", "po"))
FULL = shipped("full", TREE, ("unit", "gender", "age"))
ITEMS = {item.id: item for item in FULL.items()}


@st.composite
def forms(draw: st.DrawFn) -> Form:
    form: Form = {}
    for item in FULL.items():
        if not draw(st.booleans()):
            continue
        if item.multiple and draw(st.booleans()):
            free = [code for code in item.codes if code not in item.exclusive]
            form[item.id] = draw(st.lists(st.sampled_from(free), min_size=1, unique=True))
        else:
            form[item.id] = [draw(st.sampled_from(sorted(item.codes)))]
    return form


def problems(form: Form) -> list[tuple[str, str]]:
    with pytest.raises(InvalidAnswers) as refused:
        read_form(FULL, form)
    return [(problem.item_id, problem.code) for problem in refused.value.problems]


@given(forms())
@settings(max_examples=60, deadline=None)
def test_a_form_survives_the_way_into_bytes_and_back(form: Form) -> None:
    sheet = read_form(FULL, form)
    again = AnswerSheet.from_bytes(sheet.to_bytes(), FULL)
    assert {name: set(codes) for name, codes in again.codes().items()} == {n: set(codes) for n, codes in form.items()}
    assert again.answered == len(form)
    assert again.to_bytes() == sheet.to_bytes()


@given(forms())
@settings(max_examples=20, deadline=None)
def test_the_order_in_which_a_browser_sends_leaves_no_trace_in_the_sheet(form: Form) -> None:
    turned = {name: list(reversed(codes)) for name, codes in reversed(form.items())}
    assert read_form(FULL, turned).to_bytes() == read_form(FULL, form).to_bytes()


def test_the_longest_sheet_fits_the_envelope() -> None:
    form = {item.id: [c for c in item.codes if c not in item.exclusive] for item in FULL.items() if item.multiple}
    form |= {item.id: [item.codes[0]] for item in FULL.items() if not item.multiple}
    assert len(read_form(FULL, form).to_bytes()) < 8050


EMPTY = re.compile(rb"\x80|\xde\x00\x00|\xdf\x00{4}|\{[ \t\r\n]*\}[ \t\r\n]*")
"""A map without an entry, as the server and as a phone writes it: a sheet without answers."""


@pytest.mark.parametrize(
    "data", [b"{}", b"{ }\n", zlib.compress(b"{}"), zlib.compress(b"\x80"), zlib.compress(b"\xde\x00\x00")]
)
def test_an_empty_map_is_a_sheet_without_answers(data: bytes) -> None:
    assert AnswerSheet.from_bytes(data, FULL) == read_form(FULL, {})


@given(st.binary(max_size=300).filter(lambda data: not EMPTY.fullmatch(data)))
@settings(max_examples=200)
def test_bytes_that_are_no_sheet_are_refused_and_never_break_the_opening(data: bytes) -> None:
    for attempt in (data, zlib.compress(data)):
        with pytest.raises(SheetUnreadable):
            AnswerSheet.from_bytes(attempt, FULL)


@pytest.mark.parametrize(
    "data",
    [
        zlib.compress(b"\x81\xa1\xff\x91\xa11"),
        zlib.compress(b"\x00" * 10_000_000),
        zlib.compress(msgspec.msgpack.encode({"CUL1": ["9"]})),
        zlib.compress(msgspec.msgpack.encode({"CUL1": "5"})),
        read_form(FULL, {"CUL1": ["5"]}).to_bytes()[:-3],
    ],
    ids=["not utf-8", "bomb", "no such code", "no list", "cut off"],
)
def test_a_damaged_or_hostile_sheet_is_unreadable(data: bytes) -> None:
    with pytest.raises(SheetUnreadable):
        AnswerSheet.from_bytes(data, FULL)


def test_a_skipped_item_is_absent_and_an_empty_field_is_a_skip() -> None:
    assert dict(read_form(FULL, {"CUL1": ["4"], "CUL2": [""], "unit": []}).codes()) == {"CUL1": ("4",)}


def test_all_problems_come_at_once_and_name_no_answer() -> None:
    form = {"CUL1": ["6"], "CUL3": ["1", "2"], "EXP6": ["age", "none"], "nome": ["Ada Rossi"], "_code": ["x"]}
    assert sorted(problems(form)) == [
        ("CUL1", "wrong_code"),
        ("CUL3", "too_many"),
        ("EXP6", "exclusive"),
        ("nome", "unknown_item"),
    ]
    with pytest.raises(InvalidAnswers) as refused:
        read_form(FULL, form)
    assert "Ada" not in str(refused.value)


def test_dont_know_is_refused_where_the_bank_does_not_offer_it() -> None:
    assert problems({"CUL1": ["dont_know"]}) == [("CUL1", "wrong_code")]
    assert read_form(FULL, {"CUL2": ["dont_know"]}).codes() == {"CUL2": ("dont_know",)}


def test_skipping_the_experience_block_drops_every_answer_in_it() -> None:
    form = {"EXP1": ["2"], "EXP6": ["age", "origin"], "CUL1": ["3"], "_skip_experience": ["1"]}
    assert dict(read_form(FULL, form).codes()) == {"CUL1": ("3",)}


@pytest.mark.parametrize(
    "look",
    [
        str,
        repr,
        format,
        list,
        iter,
        json.dumps,
        pickle.dumps,
        copy.copy,
        copy.deepcopy,
        "{0}".format,
        msgspec.json.encode,
        msgspec.msgpack.encode,
    ],
)
def test_a_sheet_refuses_to_be_shown_copied_or_serialised(look: Callable[[AnswerSheet], object]) -> None:
    with pytest.raises(TypeError):
        look(read_form(FULL, {"CUL1": ["5"]}))
