"""Commands for the audit pack: made here, checked anywhere."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from server.frame.terminal import LANGUAGE, Run, harmless, refuse
from server.frame.texts import catalogue, say

if TYPE_CHECKING:
    from server.papers.pack_check import Check


async def pack_make(given: argparse.Namespace) -> int:
    """Write the pack of today into a file."""
    from server.command.site import opened_site
    from server.papers.pack import write
    from server.papers.pack_part import About
    from server.papers.printing import printed

    target = Path(given.file)
    async with opened_site() as site:
        try:
            await write(About(site.data, site.day, given.language or LANGUAGE), target, printed, paper_only=False)
        except OSError as problem:
            return refuse("cannot", problem=problem)
    _tell("verify.made", file=str(target))
    return 0


async def pack_verify(given: argparse.Namespace) -> int:
    """Check a pack from its file alone: no store is opened, nothing is asked of a network."""
    from server.papers.pack_check import verify

    try:
        with Path(given.file).open("rb") as file:
            verdict = verify(file, given.key)
    except OSError:
        _tell("wrong.no_file", what=given.file)
        return 1
    for check in verdict.checks:
        _tell_of(check)
    for name in (name for name in verdict.unchecked if name != "key" or not given.key):
        _tell("verify.skipped", what=say(LANGUAGE, f"pack.unchecked.{name}"))
    if verdict.mark:
        _tell("verify.mark", mark=verdict.mark)
    if verdict.words:
        _tell("verify.words", words=verdict.words)
    if verdict.holds:
        _tell("verify.all_known" if given.key else "verify.all", key=verdict.key)
        return 0
    _tell("verify.not_all", n=sum(not check.holds for check in verdict.checks))
    return 1


def _tell_of(check: "Check") -> None:
    """One check in one line: what holds, what does not, or what is wrong with the file."""
    is_wrong = f"pack.wrong.{check.key}" in catalogue(LANGUAGE)
    said = say(LANGUAGE, f"pack.{'wrong' if is_wrong else 'verify'}.{check.key}", what=harmless(check.what))
    more = f" ({harmless(check.problem)})" if check.problem else ""
    _tell("verify.wrong" if is_wrong else "verify.good" if check.holds else "verify.bad", what=f"{said}{more}")


def _tell(key: str, /, **values: object) -> None:
    plain = {name: value if isinstance(value, int) else harmless(str(value)) for name, value in values.items()}
    print(say(LANGUAGE, f"pack.{key}", **plain), flush=True)


COMMANDS: dict[str, Run] = {"pack make": pack_make, "pack verify": pack_verify}
