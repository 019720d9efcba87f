from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from surveys.answers.tables import Slot
from surveys.engines import SafePostgres

ID = "2026-11-25T00:25:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "On PostgreSQL slots and spent codes lie in parts by their key, so that each can be stirred alone"

PARTS = {"slot": 128, "spent": 16}


async def forwards():
    manager = MigrationManager(migration_id=ID, app_name="answers", description=DESCRIPTION)

    async def part():
        engine = Slot._meta.db
        if isinstance(engine, SafePostgres):
            for table, parts in PARTS.items():
                await engine.divide(table, parts)

    manager.add_raw(part)
    return manager
