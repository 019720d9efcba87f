"""What Piccolo imports as its configuration. Empty but while one store is migrated, so an unbound table fails loudly."""

import os
from pathlib import Path
from typing import Any

from piccolo.conf.apps import AppRegistry
from piccolo.engine.base import Engine

DB: Engine[Any] | None = None
APP_REGISTRY = AppRegistry(apps=[])

if _store := os.environ.get("ASCOLTO_NEW_MIGRATION"):  # set by `make migration STORE=...` alone
    from surveys.engines import PooledSQLite

    DB = PooledSQLite(Path("build/migration.sqlite"))
    APP_REGISTRY = AppRegistry(apps=[f"surveys.{_store}.piccolo_app"])
