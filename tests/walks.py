"""What is walked in part at each run, and whole on request: `make walks`.

A walk goes over a product - cells, values, pages, engines - that takes longer than a build may. Each run takes a part in which every
cell, every value, every page and every engine occurs; what a part leaves out is which of them meet.
"""

import os
import re
from collections.abc import Iterable, Sequence

import pytest

from surveys.engines import PooledSQLite
from surveys.stores import Engines

WHOLE = os.environ.get("ASCOLTO_WALKS") == "whole"


def every[T](of: int, things: Sequence[T], turn: int) -> Sequence[T]:
    """Every `of`-th thing, from the one whose turn it is; all of them in a whole walk."""
    return things if WHOLE else things[turn % of :: of]


def is_of_this_run(item: pytest.Item) -> bool:
    """Whether a test runs now. One that is marked ``walk(of)`` is a cell of the product of its parameters: of those every `of`-th runs,
    on a diagonal, so that with each parameter every value of it occurs."""
    mark = item.get_closest_marker("walk")
    if mark is None or WHOLE:
        return True
    (of,), turn = mark.args, int(mark.kwargs.get("turn", 0))
    assert isinstance(item, pytest.Function)
    return (sum(item.callspec.indices.values()) - turn) % int(of) == 0


async def overheard(engines: Engines) -> list[str]:
    """Every statement that the public and the people store get from now on."""
    said: list[str] = []
    for store in ("public", "people"):
        engine = engines[store]
        assert isinstance(engine, PooledSQLite) and engine._writer is not None
        for connection in (engine._writer, *engine._readers):
            await connection.set_trace_callback(said.append)
    return said


def tables_of(statements: Iterable[str]) -> set[str]:
    """The tables that statements name."""
    return {word for one in statements for word in re.findall(r"(?:FROM|INTO|JOIN|UPDATE) \"?(\w+)", one)}
