"""How this version lays its four stores down on SQLite, as its migrations make them.

In a process of its own: migrations reach the stores that tables are bound to, and here those are bound to stores in use.
"""

import asyncio
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pysqlite3.dbapi2 as sqlite

from surveys.backup.contents import database
from surveys.backup.moment import Schema, schema_of
from surveys.stores import STORES, StoreSettings, bind, migrate


@dataclass(frozen=True, slots=True)
class Laid:
    """One store's schema, and the migrations that make it."""

    schema: Schema
    steps: frozenset[str]


def schemas(staging: Path) -> Mapping[str, Laid]:
    """Make four empty stores in a folder of the staging folder, read them, and remove them.

    Raises
    ------
    subprocess.CalledProcessError
    """
    made = staging / "schema"
    made.mkdir(mode=0o700)
    subprocess.run([sys.executable, "-m", "surveys.backup.schemas", str(made)], check=True)
    found = {}
    for store in STORES:
        there = sqlite.connect(str(made / database(store)))
        try:
            steps = frozenset(str(row[0]) for row in there.execute("SELECT name FROM migration"))
            found[store] = Laid(schema_of(there), steps)
        finally:
            there.close()
    shutil.rmtree(made)
    return found


if __name__ == "__main__":
    asyncio.run(migrate(bind(StoreSettings(Path(sys.argv[1])))))
