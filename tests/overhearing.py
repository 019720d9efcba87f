"""What the stores are asked while a page is made."""

import re
from collections.abc import Iterable

from surveys.engines import PooledSQLite
from surveys.stores import Engines


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
