"""The short way to read a form gives what the long way gives."""

from urllib.parse import parse_qsl

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from server.respondents import answer

_written = st.text(st.characters(exclude_characters="%+", codec="utf-8"))


@given(st.lists(_written).map("&".join) | st.lists(st.tuples(_written, _written).map("=".join)).map("&".join))
@example("a&b=&=c&&d=e=f;g")
@example("")
def test_where_nothing_is_escaped_cutting_gives_what_the_parser_gives(text: str) -> None:
    known = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=answer.FIELDS)
    assert list(answer._pairs(text.encode())) == known


def test_what_is_escaped_goes_the_long_way() -> None:
    assert list(answer._pairs(b"a=b+c&d=%C3%A8")) == [("a", "b c"), ("d", "è")]


@pytest.mark.parametrize("body", [b"a=\xff", b"a=%FF", b"&" * answer.FIELDS, b"a=%41" + b"&" * answer.FIELDS])
def test_neither_way_takes_what_is_no_text_or_has_too_many_fields(body: bytes) -> None:
    with pytest.raises(ValueError):
        list(answer._pairs(body))
