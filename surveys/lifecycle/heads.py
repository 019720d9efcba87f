"""Heads of the log of acts and of the handlers' log, signed: kept outside, they find whoever cuts a log, or rewrites it together
with its chain."""

import re
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from nacl.exceptions import CryptoError

from surveys import signed
from surveys.cases import log as desk_log
from surveys.cases.keeper import keeper_at
from surveys.people import log
from surveys.people.log import Head
from surveys.public.signing import installation_key, is_signed, public_text, sign

_LINE = re.compile(r"ascolto-(log|desk-log) (\d{1,12}) (\d{4}-\d\d-\d\d) ([0-9a-f]{64}) ([A-Za-z0-9+/=]{88})")
_TORN = re.compile(r"ascolto-|[0-9A-Za-z+/=]{32}")
"""What is left of a line of which a sign was lost; words around a head are none."""
_SHORT = 32
DESK = "desk-log"


class HeadRefused(Exception):
    """A kept head is none, is not signed, or is no longer part of the log; the first argument is the reason's key."""


def of_desk(lines: Sequence[desk_log.Line], today: date) -> tuple[tuple[str, Head | None], ...]:
    """The heads of the handlers' log, now and as it was when the day began, by the word that a page says them with."""
    newest = (("today", lines), ("yesterday", [line for line in lines if line.day < today]))
    return tuple((when, _of_line(found[-1]) if found else None) for when, found in newest)


def _of_line(line: desk_log.Line) -> Head:
    return Head(line.number, line.day, line.digest, DESK)


def line_of(folder: Path, head: Head) -> str:
    """A head as one line to keep: log, number, day, digest, and the signature of this installation."""
    kept = f"ascolto-{head.log} {head.number} {head.day.isoformat()} {head.digest}"
    return f"{kept} {sign(installation_key(folder), _signed(head))}"


def _signed(head: Head) -> bytes:
    what = head.log.replace("-", " ")
    return f"ascolto {what} head v1\n{head.number}\n{head.day.isoformat()}\n{head.digest}".encode()


def read_line(text: str, public: str) -> Head | None:
    """The head in a line that was kept, if this key signed it; asks no log."""
    found = _LINE.fullmatch(text)
    if found is None or not signed.day(found[3]):
        return None
    head = Head(int(found[2]), date.fromisoformat(found[3]), found[4], found[1])
    return head if is_signed(public, _signed(head), found[5]) else None


async def hold_against(folder: Path, text: str) -> Head:
    """Find a kept head in its log as it is now: every line in the text, or the short form of a page.

    The chain itself is checked by `log.read` and `desk_log.chain`; here is asked whether it is still the chain that was kept.

    Raises
    ------
    HeadRefused
        With ``none`` if the text holds no head, ``torn`` if one stands beside what looks like one and is none, ``unsigned`` if the
        signature is not of this installation, ``cut`` if the log is shorter than it was, ``rewritten`` if another entry stands in
        its place.
    """
    lines = [(Head(int(n), _day(day), digest, of), signature) for of, n, day, digest, signature in _LINE.findall(text)]
    if not lines:
        return await _find_short(folder, text)
    if _TORN.search(_LINE.sub(" ", text)):
        raise HeadRefused("torn")
    public = public_text(installation_key(folder))
    for head, signature in lines:
        if not is_signed(public, _signed(head), signature):
            raise HeadRefused("unsigned")
        now = await _digest_now(head)
        if now != head.digest:
            raise HeadRefused("rewritten" if now else "cut")
    return lines[-1][0]


async def _digest_now(head: Head) -> str | None:
    """What stands in a head's place today. The digest covers the day."""
    if head.log == DESK:
        return next((link.digest for link in await desk_log.chain() if link.number == head.number), None)
    found = await log.entry(head.number)
    return found.digest if found else None


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as problem:
        raise HeadRefused("none") from problem


async def _find_short(folder: Path, text: str) -> Head:
    digits = "".join(text.split()).lower()
    if not _SHORT <= len(digits) <= 64 or set(digits) - set("0123456789abcdef"):
        raise HeadRefused("none")
    found = await log.entry_of(digits) or await _desk_entry_of(folder, digits)
    if found is None:
        raise HeadRefused("rewritten")
    return found


async def _desk_entry_of(folder: Path, digits: str) -> Head | None:
    try:
        lines = await desk_log.read(keeper_at(folder))
    except CryptoError as problem:  # the keys beside this copy are another installation's
        raise HeadRefused("unsigned") from problem
    return next((_of_line(line) for line in lines if line.digest.startswith(digits)), None)
