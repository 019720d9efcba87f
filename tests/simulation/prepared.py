"""Stores in the state that a step begins in, made once a run for each engine and copied for each death."""

import asyncio
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path
from tempfile import mkdtemp

from surveys.lifecycle.context import Site
from surveys.stores import StoreSettings, stores
from tests import once, postgres
from tests.conftest import DAY
from tests.simulation.steps import BEFORE


def _prepare(before: str, settings: StoreSettings) -> None:
    async def story() -> None:
        async with stores(settings) as engines:
            await BEFORE[before](Site(engines, settings.data, DAY, "hr"))

    asyncio.run(story())


def folder_before(before: str, folder: Path) -> None:
    """Make the folder that `once` keeps."""
    _prepare(before, StoreSettings(folder / "data"))


@cache
def _databases(before: str, address: str) -> tuple[str, Path]:
    name, folder = f"before_{list(BEFORE).index(before)}", Path(mkdtemp(dir=os.environ[once.PLACE]))
    _prepare(before, StoreSettings(folder / "data", postgres.fresh_databases(address, name)))
    return name, folder


@contextmanager
def prepared(before: str, folder: Path, address: str | None) -> Iterator[StoreSettings]:
    """Stores of their own in a folder, or beside it on a PostgreSQL."""
    if address is None:
        shutil.copytree(once.made(f"before {before}", partial(folder_before, before)), folder)
        yield StoreSettings(folder / "data")
    else:
        template, files = _databases(before, address)
        shutil.copytree(files, folder)
        name = f"d{uuid.uuid4().hex[:12]}"
        yield StoreSettings(folder / "data", postgres.fresh_databases(address, name, template))
        postgres.give_back(address, name)
    shutil.rmtree(folder)
