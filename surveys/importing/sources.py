"""Recognise a file that was imported before, whatever its mapping calls it, without keeping a row of it.

The same answers under another grouping are another catalogue: numbers of both together can give one person away. So one source
is released once. What is kept of a file is a keyed sketch: for each of 512 keyed hashes the four lowest bits of the smallest
hash of all rows (MinHash: Broder 1997; of few bits: Li and König 2010), and how many rows. From the share of places in which two
sketches agree follows how many rows both files hold. Four low bits of a smallest hash say nothing of a row, and without the
key nothing at all.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

HASHES = 512
HALF = 0.45
"""Two files are one source when half of the rows of the smaller one are in both; a little less, for the estimate is one."""
SEEN = 0.05
"""Shared rows as a part of all rows of both below which nothing can be told: files that share none come to 0 ± 0.011."""
DISTINCT = 0.8
"""Rows speak for a file only where they differ: in a survey of three questions everybody's row is somebody else's too."""
FEWEST = 5

type Sketches = Mapping[str, tuple[int, str] | list[Any]]
"""How many different rows, and the sketch in hex, by what the rows were known by."""


def sketches(
    header: Sequence[str], rows: Sequence[Sequence[str]], times: Collection[int], ids: Collection[int], key: bytes
) -> Sketches:
    """Sketch a file by the times of its rows and by all that is neither time nor number.

    Parameters
    ----------
    header, rows : names of columns, and the cells of each row
    times, ids : places of the columns that time and number a row; numbers alone, 1, 2, 3, are in every file
    key : of the installation
    """
    found = {}
    if times:
        found["times"] = ["\x1f".join(row[place] for place in times) for row in rows]
    rest = [place for place in range(len(header)) if place not in {*times, *ids}]
    named = sorted((header[place].strip().casefold(), place) for place in rest)  # the order of columns does not count
    found["rows"] = ["\x1f".join(f"{name}\x1e{row[place].strip().casefold()}" for name, place in named) for row in rows]
    return {
        name: (len(set(texts)), _sketch(set(texts), key))
        for name, texts in found.items()
        if len(set(texts)) >= max(FEWEST, DISTINCT * len(texts))
    }


def _sketch(texts: Iterable[str], key: bytes) -> str:
    smallest = np.full(HASHES, 2**32 - 1, np.uint32)
    for text in texts:
        hashed = b"".join(
            hashlib.blake2b(text.encode(), key=key, salt=bytes([n])).digest() for n in range(HASHES // 16)
        )
        smallest = np.minimum(smallest, np.frombuffer(hashed, np.uint32))
    return bytes((smallest & 15).astype(np.uint8)).hex()


def is_same(one: Sketches, other: Sketches) -> bool:
    """Whether most rows of the smaller of two files are in the other, by times or by what the rows say."""
    return any(_shared(one[name], other[name]) >= HALF for name in one.keys() & other.keys())


def _shared(one: Sequence[Any], other: Sequence[Any]) -> float:
    """Rows in both as a part of the smaller file, estimated; 0 where the estimate cannot be told from none."""
    here, there = (np.frombuffer(bytes.fromhex(sketch[1]), np.uint8) for sketch in (one, other))
    if len(here) != len(there):
        return 0.0
    common = (float((here == there).mean()) - 1 / 16) / (1 - 1 / 16)  # of all rows of both (Jaccard)
    return common / (1 + common) * (one[0] + other[0]) / min(one[0], other[0]) if common >= SEEN else 0.0
