"""`ascolto check`: prove on the installed machine that nothing is written down."""

import argparse
import os
from pathlib import Path

from server import checking
from server.cli import LANGUAGE, Run, refuse, tell
from server.settings import from_environment
from server.texts import say

SIGNS = {True: "✓", False: "✗", None: "–"}


async def check(given: argparse.Namespace) -> int:
    """Run every check and say one line for each; 1 if any does not hold."""
    logs = [Path(folder) for folder in given.logs or ["/var/log"] if os.access(folder, os.R_OK)]
    failed = 0
    for verdict in checking.run(from_environment(), given.url.rstrip("/"), logs):
        failed += verdict.holds is False
        print(f"{SIGNS[verdict.holds]} {say(LANGUAGE, f'cli.check.{verdict.key}')}")
        if verdict.holds is False:
            print(f"    {say(LANGUAGE, f'cli.check.{verdict.key}_fix', where=verdict.where)}", flush=True)
    if failed:
        return refuse("check_failed", n=failed)
    tell("check_passed")
    return 0


COMMANDS: dict[str, Run] = {"check": check}
