"""Death and a seeded schedule inside one process: between two things that last a step may end, or let another one go on.

Unlike a killed process (`crashing`) this one lives on; but from the moment of its death on nothing that it does lasts.
"""

import asyncio
import random
import sys
from functools import cache
from typing import Any

from surveys import sqlite_engine
from surveys.engines import PooledSQLite


class Died(BaseException):
    """The step is dead. No handler of the product catches this."""


class _Fate:
    """When the present step dies, and whose turn it is."""

    def __init__(self) -> None:
        self.left: int | None = None
        self.dead = False
        self.turns: random.Random | None = None

    def comes(self) -> None:
        """Something is about to last."""
        if self.left is None:
            return
        if self.dead or self.left == 0:
            self.dead = True
            raise Died
        self.left -= 1


_fate = _Fate()
_FILES = ("os.rename", "os.link", "os.remove")


@cache
def _watched() -> None:
    """Have every commit of SQLite and every change of a folder pass by `_fate`; once a process."""
    plain_commit, plain_run = sqlite_engine._PooledTransaction.commit, PooledSQLite._run_in_new_connection

    async def commit(self: Any) -> None:
        await _turn()
        _fate.comes()
        await plain_commit(self)  # type: ignore[no-untyped-call]  # Piccolo tells no types

    async def run(self: Any, query: str, *args: Any, **named: Any) -> Any:
        if not query.lstrip()[:7].upper().startswith(("SELECT", "PRAGMA", "EXPLAIN")):
            await _turn()
            _fate.comes()
        return await plain_run(self, query, *args, **named)

    def heard(event: str, _: object) -> None:
        if event in _FILES:
            _fate.comes()

    sqlite_engine._PooledTransaction.commit = commit  # type: ignore[method-assign]  # an instrument, in tests alone
    PooledSQLite._run_in_new_connection = run  # type: ignore[method-assign]
    sys.addaudithook(heard)


async def _turn() -> None:
    if _fate.turns is not None:
        for _ in range(_fate.turns.randrange(4)):
            await asyncio.sleep(0)


def begin(left: int | None, seed: int) -> None:
    """From now on a step dies before its thing of this number, if one is given; two that run at once take turns by the seed."""
    _watched()
    _fate.left, _fate.dead, _fate.turns = left, False, random.Random(seed)


def end() -> None:
    _fate.left, _fate.dead, _fate.turns = None, False, None
