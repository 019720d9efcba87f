"""Commands with which anyone checks: the log's chain, a wave's bulletin against its release and a code."""

import argparse
import hashlib
import json
import urllib.request
from pathlib import Path

from server.cli import LANGUAGE, Run, refuse, tell
from server.commands.house import opened_house
from server.texts import say
from server.verifying import verify
from surveys.people import log
from surveys.tokens import NotACode, digest, read_code


async def log_verify(_: argparse.Namespace) -> int:
    """Check the chain of the log of acts, and print its last digest to compare with the representative's."""
    async with opened_house():
        acts, last = await log.read(), await log.last_digest()
    broken = next((act.number for act in acts if not act.intact), None)
    if broken is not None:
        return refuse("log_broken", number=broken)
    tell("log_intact", n=len(acts), digest=last)
    return 0


def _text(source: str) -> str:
    if source.startswith(("http://", "https://")):
        with urllib.request.urlopen(source, timeout=30) as answer:
            found: bytes = answer.read()
        return found.decode()
    return Path(source).read_text("utf-8")


def bulletin_problems(text: str) -> list[str]:
    """What does not hold in a bulletin, as keys of sentences; its digests are counted, sorted and unique."""
    head, _, body = text.partition("\n\n")
    counts = {name: int(number) for name, _, number in (line.partition(" ") for line in head.splitlines())}
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
            document = json.loads(_text(given.release))
            problems += ["release"] if verify(document, "") else []
            problems += [] if _same_counts(text, document) else ["counts_differ"]
        except (OSError, ValueError, KeyError):
            return refuse("not_a_document", file=given.release)
    for problem in problems:
        print(f"✗ {say(LANGUAGE, f'cli.bulletin.{problem}')}")
    if problems:
        return 1
    tell("bulletin.good")
    if given.code:
        try:
            mark = bytes(digest(read_code(given.code))).hex()
        except NotACode:
            mark = hashlib.sha256(given.code.encode()).hexdigest()
        tell("bulletin.found" if mark in text.split() else "bulletin.missing")
    return 0


def _same_counts(text: str, document: dict[str, object]) -> bool:
    counts = dict(line.split(" ") for line in text.partition("\n\n")[0].splitlines())
    published = document["participation"]
    assert isinstance(published, dict)
    return all(str(published[name]) == number for name, number in counts.items())


COMMANDS: dict[str, Run] = {"log verify": log_verify, "wave verify": wave_verify}
