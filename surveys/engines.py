"""The two database engines of Ascolto, and what both do alike."""

import os
from pathlib import Path
from typing import Any

from piccolo.table import Table

from surveys.postgres_engine import CONNECT_SECONDS
from surveys.postgres_engine import SAMPLED as SAMPLED
from surveys.postgres_engine import SafePostgres as SafePostgres
from surveys.sqlite_engine import PooledSQLite as PooledSQLite
from surveys.sqlite_engine import SQLiteError as SQLiteError
from surveys.sqlite_engine import sqlite_is_sound as sqlite_is_sound
from surveys.sqlite_engine import sqlite_version as sqlite_version
from surveys.turns import Busy as Busy

type StoreEngine = PooledSQLite | SafePostgres


class KeyTaken(Exception):
    """Another process has kept a row under this key meanwhile."""


async def insert_new[Row: Table](table: type[Row], *rows: Row) -> None:
    """Insert rows under keys that are new, in a transaction that the caller ends.

    A plain INSERT would have PostgreSQL write a key that is taken into its log, with the time.

    Raises
    ------
    KeyTaken
        If a key was not new.
    """
    kept = await table.insert(*rows).on_conflict(action="DO NOTHING").returning(table._meta.primary_key)
    if len(kept) != len(rows):
        raise KeyTaken


def postgres_from_url(url: str, store: str, *, password: str | None) -> SafePostgres:
    """Make an engine from a `postgresql://` address; the password comes apart from it, never in it."""
    config: dict[str, Any] = {"dsn": url, "command_timeout": 60, "timeout": CONNECT_SECONDS}
    if password is not None:
        config["password"] = password
    engine = SafePostgres(config=config)
    engine.store = store
    return engine


def sqlite_at(path: Path, store: str) -> PooledSQLite:
    """Make the engine of one store file; answers keep one envelope a page. Every store wipes what it frees."""
    os.makedirs(path.parent, mode=0o700, exist_ok=True)
    page_size = 8192 if store == "answers" else 4096
    return PooledSQLite(path, page_size=page_size)
