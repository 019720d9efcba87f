"""A release document as types: what is written reads as what it is, and the schema in docs is theirs."""

import json
from pathlib import Path

import msgspec
import pytest

from analysis import published
from analysis.demographics import Category, Dimension
from analysis.document import Release, ReleaseInvalid
from tests.analysis.waves import released, wave

DOCUMENT = released(wave(246, A1=[5] * 100 + [3] * 46 + [1] * 100), invited=412)
UNITS = Dimension(
    "unit", (Category("po", "Prato"), Category("po.nido", "Nido", "po"), Category("po.nido.a", "A", "po.nido"))
)
SCHEMA = Path("docs/release-document.schema.json")


def _plain(value: object) -> object:
    """JSON has one kind of number."""
    return json.loads(json.dumps(value), parse_int=float)


def test_a_document_is_read_whole_and_writes_itself_again() -> None:
    again = msgspec.to_builtins(published.read(DOCUMENT))
    assert _plain(_dense(again)) == _plain(_dense(DOCUMENT))


def _dense(value: object) -> object:
    """Without what is empty: `{}` and nothing are the same to a reader."""
    if isinstance(value, dict):
        return {k: _dense(v) for k, v in value.items() if v not in ({}, [], (), None, False, "", "none")}
    return [_dense(v) for v in value] if isinstance(value, list | tuple) else value


def test_the_schema_in_the_documentation_is_of_these_types() -> None:
    assert json.loads(SCHEMA.read_text()) == json.loads(json.dumps(published.schema()))


@pytest.mark.parametrize(
    ("filter_", "kind"),
    [
        ({}, "everyone"),
        ({"unit": ["po"]}, "territory"),
        ({"unit": ["po.nido"]}, "service"),
        ({"unit": ["po.nido.a"]}, "team"),
        ({"gender": ["m", ""]}, "gender"),
        ({"age": ["u30"]}, "age"),
        ({"unit": ["po"], "gender": ["f"]}, "cross"),
    ],
)
def test_a_view_says_what_it_is_of(filter_: dict[str, list[str]], kind: str) -> None:
    assert published.kind_of(filter_, (UNITS,)) == kind


def test_a_place_whose_code_has_a_dot_is_no_service_for_that() -> None:
    """Done before: a territory was recognised by a missing dot in its code."""
    dotted = Dimension("unit", (Category("s.fi", "San Fi"), Category("plain", "Nido", "s.fi")))
    kinds = [published.kind_of({"unit": [code]}, (dotted,)) for code in ("s.fi", "plain")]
    assert kinds == ["territory", "service"]


def test_what_is_none_of_a_document_is_refused_when_it_is_read() -> None:
    for part, other in (
        ("views", [{"id": "all"}]),
        ("origin", 3),
        ("unknown", 1),
        ("participation", {"received": "x"}),
    ):
        with pytest.raises(msgspec.ValidationError):
            published.read(DOCUMENT | {part: other})
        with pytest.raises(ReleaseInvalid):
            Release.from_json(DOCUMENT | {part: other})
