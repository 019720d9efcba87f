"""Messages and wraps: what is written inside the seals, and the checks that make a changed thread fail loudly.

A message names its case, its stream, its number and the hash of the one before, and is signed by its author. A wrap
carries the private half of an epoch and the reporter's signing key, so that nobody who cannot open the thread can
slip in a reporter of their own.
"""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from surveys.cases.keeper import REPORTER
from surveys.cases.sealing import WRAP_BYTES, CannotOpen, Signed, open_sealed, seal, sign

STREAMS = ("thread", "notes", "diary")
FIRST = "0" * 64
KINDS = {
    REPORTER: frozenset({"report", "message", "meeting", "consent", "contest", "retaliation", "diary"}),
    "handler": frozenset(
        {"acknowledge", "message", "question", "forward", "outcome", "redacted", "note", "triage", "rekeyed"}
    ),
}
TRIAGE = ("whistleblowing", "harassment", "both", "neither")


@dataclass(frozen=True, slots=True)
class Author:
    """Who writes: ``reporter`` or a handler's account, with an Ed25519 seed."""

    name: str
    seed: bytes


@dataclass(frozen=True, slots=True)
class Place:
    """Where a message stands: its case, stream and number, and the hash of the one before."""

    case: int
    stream: str
    number: int
    before: str = FIRST


@dataclass(frozen=True, slots=True)
class Trust:
    """Whose keys are believed: the reporter's (from a wrap) and each handler's keys of all keyrings, in hex."""

    reporter: str
    handlers: Mapping[str, Collection[str]]


@dataclass(frozen=True, slots=True)
class Opened:
    """A message that was checked."""

    number: int
    author: str
    kind: str
    day: date
    content: Mapping[str, Any]
    hash: str


@dataclass(frozen=True, slots=True)
class EpochKey:
    """The private half of an epoch as a wrap gives it."""

    case: int
    stream: str
    number: int
    identity: str
    reporter: str
    made_by: str


def write(place: Place, author: Author, kind: str, day: date, keyring: str, content: Mapping[str, Any]) -> str:
    """Write and sign a message; `keyring` is the fingerprint that its author saw."""
    body = {
        **content,
        "v": 1, "case": f"{place.case:016x}", "stream": place.stream, "number": place.number, "before": place.before,
        "from": author.name, "kind": kind, "day": day.isoformat(), "keyring": keyring,
    }  # fmt: skip
    return sign(body, "message", author.seed)


def hash_of(signed: Signed) -> str:
    """What the next message names as the one before; a redaction stands for the text that it replaced."""
    if signed.body.get("kind") == "redacted" and isinstance(signed.body.get("was"), str):
        return str(signed.body["was"])
    return hashlib.sha256(signed.text.encode()).hexdigest()


def check_message(signed: Signed, place: Place, trust: Trust) -> Opened:
    """Check one message against the place it was found at.

    Raises
    ------
    CannotOpen
        If it belongs elsewhere, or its author's key is not believed.
    """
    body = signed.body
    found = (body.get("case"), body.get("stream"), body.get("number"), body.get("before"))
    if found != (f"{place.case:016x}", place.stream, place.number, place.before):
        raise CannotOpen("a message is not where it belongs: swapped, replayed or missing")
    author, kind = str(body.get("from")), str(body.get("kind"))
    keys = {trust.reporter} if author == REPORTER else trust.handlers.get(author, ())
    if signed.key not in keys:
        raise CannotOpen("a message is signed by a key that nobody vouches for")
    if kind not in KINDS[REPORTER if author == REPORTER else "handler"]:
        raise CannotOpen("a message is of a kind that its author cannot write")
    try:
        day = date.fromisoformat(str(body.get("day")))
    except ValueError as problem:
        raise CannotOpen("a message has no day") from problem
    return Opened(place.number, author, kind, day, body, hash_of(signed))


def read_stream(case: int, stream: str, sealed: Sequence[tuple[int, bytes]], keys: Mapping[int, str], trust: Trust) -> list[Opened]:
    """Open and check a whole stream, in order.

    Parameters
    ----------
    sealed : the epoch's number and the ciphertext of each message, from number 1
    keys : age identities by epoch number

    Raises
    ------
    CannotOpen
        If any message does not open or does not fit.
    """  # fmt: skip
    opened: list[Opened] = []
    before = FIRST
    for number, (epoch, content) in enumerate(sealed, start=1):
        if epoch not in keys:
            raise CannotOpen("no key for this part of the thread")
        signed = open_sealed(content, keys[epoch], "message")
        opened.append(check_message(signed, Place(case, stream, number, before), trust))
        before = opened[-1].hash
    return opened


def make_wrap(key: EpochKey, author: Author, recipient: str) -> bytes:
    """Seal an epoch's private half to one reader; all wraps have one size."""
    body = {
        "v": 1, "case": f"{key.case:016x}", "stream": key.stream, "number": key.number, "identity": key.identity,
        "reporter": key.reporter, "by": author.name,
    }  # fmt: skip
    return seal(sign(body, "wrap", author.seed), recipient, smallest=WRAP_BYTES)


def open_wrap(sealed: bytes, identity: str, case: int, stream: str, handlers: Mapping[str, Collection[str]]) -> EpochKey:
    """Open a wrap and check who made it.

    Raises
    ------
    CannotOpen
        If it is not for this key, this case, or made by somebody nobody vouches for.
    """  # fmt: skip
    signed = open_sealed(sealed, identity, "wrap")
    body = signed.body
    if (body.get("case"), body.get("stream")) != (f"{case:016x}", stream):
        raise CannotOpen("a wrap of another case")
    author, reporter = str(body.get("by")), str(body.get("reporter"))
    if signed.key not in ({reporter} if author == REPORTER else handlers.get(author, ())):
        raise CannotOpen("a wrap made by a key that nobody vouches for")
    return EpochKey(case, stream, int(body["number"]), str(body["identity"]), reporter, author)
