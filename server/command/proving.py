"""Commands with which anyone checks: the log's chain, a wave's bulletin against its release and a code."""

import argparse
import hashlib
import urllib.request
from collections.abc import Mapping
from http.client import HTTPException
from pathlib import Path

from server.command.site import opened_site
from server.frame.terminal import LANGUAGE, Run, refuse, tell
from server.frame.texts import say
from server.results.verifying import read_json, verify
from surveys import signed
from surveys.cases import log as desk_log
from surveys.lifecycle import heads
from surveys.lifecycle.heads import HeadRefused
from surveys.people import log
from surveys.slips import NotACode, digest, read_code

LARGEST = 64 * 1024 * 1024
"""So many bytes are read of an address."""


async def log_verify(given: argparse.Namespace) -> int:
    """Check the chains of the log of acts and of the handlers' log; with a head that was kept, that it is still the same chain."""
    async with opened_site() as site:
        acts, last = await log.read(), await log.last_digest()
        broken = next((act.number for act in acts if not act.intact), None)
        if broken is not None:
            return refuse("log_broken", number=broken)
        tell("log_intact", n=len(acts), digest=last)
        links = await desk_log.chain()
        cut = next((link.number for link in links if not link.intact), None)
        if cut is not None:
            return refuse("desk_log_broken", number=cut)
        tell("desk_log_intact", n=len(links))
        if not given.head:
            return 0
        try:
            kept = await heads.hold_against(site.data, _kept_head(given.head))
        except HeadRefused as problem:
            return refuse(f"head_{problem}")
        held = len(links if kept.log == heads.DESK else acts)
        tell("head_good", number=kept.number, day=kept.day.isoformat(), since=held - kept.number)
    return 0


def _kept_head(given: str) -> str:
    """What somebody kept: a file, or the text itself.

    Raises
    ------
    HeadRefused
        If a file is there but is no text.
    """
    try:
        return Path(given).read_text("utf-8") if Path(given).is_file() else given
    except (OSError, ValueError) as problem:
        raise HeadRefused("none") from problem


def _text(source: str) -> str:
    if source.startswith(("http://", "https://")):
        try:
            with urllib.request.urlopen(source, timeout=30) as answer:
                found: bytes = answer.read(LARGEST + 1)
        except HTTPException as problem:
            raise ValueError("what answers there speaks no HTTP") from problem
        if len(found) > LARGEST:
            raise ValueError("no bulletin is so long")
        return found.decode()
    return Path(source).read_text("utf-8")


def bulletin_problems(text: str) -> list[str]:
    """What does not hold in a bulletin, as keys of sentences; its digests are counted, sorted and unique."""
    head, _, body = text.partition("\n\n")
    counts = {name: int(number) for name, _, number in (line.partition(" ") for line in head.splitlines())}
    if len(counts) != len(head.splitlines()):
        raise ValueError("a count stands twice: one would be read, the other checked")
    if any(f"{name} {number}" not in head.splitlines() for name, number in counts.items()):
        raise ValueError("a count is written otherwise than we write it: 1_0 is read as ten")
    digests = body.split()
    problems = []
    if counts["received"] > counts["issued"] + counts["drawn"]:
        problems.append("more_sheets")
    if len(digests) != counts["received"]:
        problems.append("count")
    if digests != sorted(set(digests)):
        problems.append("order")
    if any(len(d) != 64 or set(d) - set("0123456789abcdef") for d in digests):
        problems.append("digest")
    return problems


async def wave_verify(given: argparse.Namespace) -> int:
    """Check a bulletin (file or address) by itself, with a release document, and for a code."""
    try:
        text = _text(given.bulletin)
        problems = bulletin_problems(text)
    except (OSError, ValueError, KeyError):
        return refuse("not_a_bulletin", file=given.bulletin)
    if given.release:
        try:
            document = read_json(_text(given.release))
            problems += ["release"] if verify(document, "") else []
            problems += [] if _same_counts(text, document["participation"]) else ["counts_differ"]
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return refuse("not_a_document", file=given.release)
    for problem in problems:
        print(f"✗ {say(LANGUAGE, f'cli.bulletin.{problem}')}")
    if problems:
        return 1
    tell("bulletin.good")
    digests = text.partition("\n\n")[2].split()
    tell(
        "bulletin.limits", fingerprint=signed.digest(signed.canonical(digests))
    )  # as what is kept of the closing has it
    if given.code:
        try:
            proof = bytes(digest(read_code(given.code)))
        except NotACode:
            proof = hashlib.sha256(given.code.encode()).digest()
        marks = {proof.hex(), hashlib.sha256(proof).hexdigest()}  # as version 1 published it, and as version 2 does
        tell("bulletin.found" if marks & set(text.split()) else "bulletin.missing")
    return 0


def _same_counts(text: str, published: Mapping[str, object]) -> bool:
    """Whether a release counts as its bulletin does, with nothing left out. Void slips stand in the bulletin alone, and what could
    not be read in the release."""
    counts = dict(line.split(" ") for line in text.partition("\n\n")[0].splitlines())
    counts.pop("void_slips", None)
    return counts == {name: str(number) for name, number in published.items() if name != "unreadable"}


COMMANDS: dict[str, Run] = {"log verify": log_verify, "wave verify": wave_verify}
