from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from surveys.cases.tables import Case
from surveys.engines import SafePostgres

ID = "2026-11-25T18:00:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "On PostgreSQL what is large of a case lies in parts by its key, so that each can be stirred alone"

PARTS = {"wrap": 8, "message": 16, "piece": 64}


async def forwards():
    manager = MigrationManager(migration_id=ID, app_name="cases", description=DESCRIPTION)

    async def part():
        engine = Case._meta.db
        if isinstance(engine, SafePostgres):
            for table, parts in PARTS.items():
                await engine.divide(table, parts)

    manager.add_raw(part)
    return manager
