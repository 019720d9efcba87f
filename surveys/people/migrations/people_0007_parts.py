from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from surveys.engines import SafePostgres
from surveys.people.tables import Panel

ID = "2026-11-25T00:25:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "On PostgreSQL the panel lies in parts by their key, so that each part can be stirred alone"

PARTS = {"panel": 16}


async def forwards():
    manager = MigrationManager(migration_id=ID, app_name="people", description=DESCRIPTION)

    async def part():
        engine = Panel._meta.db
        if isinstance(engine, SafePostgres):
            for table, parts in PARTS.items():
                await engine.divide(table, parts)

    manager.add_raw(part)
    return manager
