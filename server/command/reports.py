"""Commands for printed papers of a release: the board report."""

import argparse
from pathlib import Path

from litestar.exceptions import NotFoundException

from analysis.document import ReleaseInvalid
from server.command.site import opened_site
from server.frame.terminal import LANGUAGE, Run, refuse, tell
from surveys.public.waves import NoSuchWave


async def report_board(given: argparse.Namespace) -> int:
    """Write the board report of a released wave as a PDF."""
    from server.papers.board import board_report
    from server.papers.printing import printed

    async with opened_site():
        try:
            facts = await board_report(given.wave, LANGUAGE)
        except NoSuchWave:
            return refuse("no_wave", wave=given.wave)
        except NotFoundException:
            return refuse("no_release", wave=given.wave)
        except ReleaseInvalid as problem:
            return refuse("cannot", problem=problem)
    try:
        Path(given.file).write_bytes(printed("board", facts))
    except OSError as problem:
        return refuse("cannot", problem=problem)
    tell("report_done", wave=given.wave, file=given.file)
    return 0


COMMANDS: dict[str, Run] = {"report board": report_board}
