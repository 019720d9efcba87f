"""Commands about the day that the service goes by, where the clock jumped."""

import argparse

from server.frame.terminal import Run, refuse, tell
from server.settings import from_environment
from surveys.lifecycle import clock
from surveys.lifecycle.context import today


async def clock_show(_given: argparse.Namespace) -> int:
    """Say which day was last believed, and whether the clock jumped since."""
    found = clock.seen(from_environment().data)
    if found.last is None:
        tell("clock_none")
    elif found.is_believed:
        tell("clock_is", last=found.last)
    else:
        return refuse("clock_wrong", last=found.last, day=found.strange[-1])
    return 0


async def clock_believe(_given: argparse.Namespace) -> int:
    """Say that the day is right: what is done by the day goes on."""
    clock.believe(from_environment().data, today())
    tell("clock_believed", day=today())
    return 0


COMMANDS: dict[str, Run] = {"clock show": clock_show, "clock believe": clock_believe}
