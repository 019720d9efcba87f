"""Rows that no page of ours wrote, where a page stands on them: it says so and shows nothing, instead of breaking.

Where a row can be left out and named, `surveys.cells` reads its table; here is what cannot be left out: the organisation, a wave, a count.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import msgspec


class StoreOdd(ValueError):
    """What stands in a store is nothing that this program writes. It names the place, and nothing of what stands there."""


@contextmanager
def reading(place: str) -> Iterator[None]:
    """Read what must be whole: whatever its reading fails on is a row that no page wrote.

    Parameters
    ----------
    place : the table, for the log

    Raises
    ------
    StoreOdd
    """
    try:
        yield
    except StoreOdd:
        raise
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, msgspec.MsgspecError) as problem:
        raise StoreOdd(place) from problem
