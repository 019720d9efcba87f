"""What Piccolo imports as its configuration. Empty but while one store is migrated, so an unbound table fails loudly."""

import os
from importlib import import_module

from piccolo.conf.apps import AppRegistry
from piccolo.engine.base import Engine

DB: Engine[object] | None = None
APP_REGISTRY = AppRegistry(apps=[])

if _store := os.environ.get("ASCOLTO_NEW_MIGRATION"):  # set by `make migration STORE=...` alone
    from surveys.engines import PooledSQLite

    DB = PooledSQLite(import_module("pathlib").Path("build/migration.sqlite"))  # type: ignore[assignment]
    APP_REGISTRY = AppRegistry(apps=[f"surveys.{_store}.piccolo_app"])
