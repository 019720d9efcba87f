"""The command that moves an installation from SQLite to PostgreSQL."""

import argparse
from urllib.parse import urlsplit

from server.check.machine import services_of
from server.command.backups import refused, said
from server.frame.terminal import Run
from server.processes import jobs
from server.settings import from_environment
from surveys.backup.archive import BackupRefused
from surveys.backup.moving import move
from surveys.lifecycle.context import today
from surveys.stores import StoreSettings


async def moved(given: argparse.Namespace) -> int:
    """Copy all rows while nothing serves this data folder, and say what must be set next."""
    settings = from_environment()
    data, there = settings.data, StoreSettings(settings.data, given.to, settings.stores.passwords)
    if settings.stores.database_url:
        return refused("move_there")
    if "{store}" not in given.to or urlsplit(given.to).scheme not in ("postgresql", "postgres"):
        return refused("move_url", store="{store}")
    if urlsplit(given.to).password is not None:
        return refused("move_password")
    lease = jobs.take_lease(settings) if data.is_dir() else None
    try:
        if data.is_dir() and (lease is None or services_of(data)):
            return refused("move_running")
        rows = await move(data, there, today(), lambda: bool(services_of(data)))
    except BackupRefused as problem:
        return refused(problem.reason, **problem.values)
    except OSError as problem:
        return refused("disk", problem=problem)
    finally:
        if lease is not None:
            lease.close()
    said("moved", n=sum(rows.values()), url=given.to)
    said("moved_next", url=given.to)
    said("moved_old", folder=data)
    return 0


COMMANDS: dict[str, Run] = {"move": moved}
