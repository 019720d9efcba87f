"""What Piccolo's migrations know of the public store."""

import os

from piccolo.conf.apps import AppConfig, table_finder

APP_CONFIG = AppConfig(
    app_name="public",
    migrations_folder_path=os.path.join(os.path.dirname(os.path.abspath(__file__)), "migrations"),
    table_classes=table_finder(modules=["surveys.public.tables"]),
    migration_dependencies=[],
)
