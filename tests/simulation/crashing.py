"""A step of the product in a process of its own, which dies between two things that last: commits and changes of files.

Death is `os._exit`: no handler runs, no transaction is rolled back by anybody but the engine. Each process is forked from
one that has loaded everything and opened nothing.
"""

import asyncio
import multiprocessing
import os
import sys
from typing import Any

from surveys import postgres_engine, sqlite_engine
from surveys.engines import PooledSQLite, SafePostgres
from surveys.lifecycle.context import Site
from surveys.stores import StoreSettings, stores
from tests.conftest import DAY
from tests.simulation import steps

DIED = 9
_FILES = ("os.rename", "os.link", "os.remove")
"""What changes a folder for good (`sys.audit` names it before it happens)."""
_ALONE = (
    (PooledSQLite, "_run_in_new_connection"),
    (SafePostgres, "_run_in_new_connection"),
    (SafePostgres, "_run_in_pool"),
)
"""What runs a statement outside of any transaction, which commits by itself."""


class _Death:
    """Counts what lasts; before the one of this number the process ends."""

    def __init__(self, before: int) -> None:
        self.before, self.counted, self.armed = before, 0, False

    def comes(self) -> None:
        if self.armed and self.counted == self.before:
            os._exit(DIED)
        self.counted += self.armed


def _watch(death: _Death) -> None:
    """Have every commit and every change of a folder counted in this process."""

    def heard(event: str, _args: object) -> None:
        if event in _FILES:
            death.comes()

    def counted(kind: Any, name: str, lasts: Any) -> None:
        plain = getattr(kind, name)

        async def instead(self: Any, *args: Any, **named: Any) -> Any:
            if lasts(*args, **named):
                death.comes()
            return await plain(self, *args, **named)

        setattr(kind, name, instead)

    sys.addaudithook(heard)
    for transaction in (sqlite_engine._PooledTransaction, postgres_engine._SafePostgresTransaction):
        counted(transaction, "commit", lambda: True)
    for engine, name in _ALONE:
        counted(engine, name, _writes)


def _writes(query: str, *_: object, **__: object) -> bool:
    return not query.lstrip()[:7].upper().startswith(("SELECT", "PRAGMA", "EXPLAIN"))


def _run(settings: StoreSettings, step: str, before: int) -> None:
    death = _Death(before)
    _watch(death)

    async def story() -> None:
        async with stores(settings) as opened:
            site = Site(opened, settings.data, DAY, "hr")
            death.armed = True
            await steps.STEPS[step].take(site)
            death.armed = False

    asyncio.run(story())


def dies(settings: StoreSettings, step: str, before: int) -> bool:
    """Take a step in a process that ends before its thing of this number; whether it did, or the step was over before.

    Raises
    ------
    AssertionError
        If the step failed by itself.
    """
    context: Any = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    process = context.Process(target=_run, args=(settings, step, before))
    process.start()
    process.join()
    assert process.exitcode in (0, DIED), f"{step} failed by itself before thing {before}"
    return bool(process.exitcode == DIED)
