"""Messages and wraps of version 1: cases that were begun before version 2 are still read and answered, and marked.

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
from surveys.cases.letters import first_content
from surveys.cases.sealing import CannotOpen, Signed, open_sealed, sign
from surveys.signed import day as day_of_form

STREAMS = ("thread", "notes", "diary")
FIRST = "0" * 64
KINDS = {
    REPORTER: frozenset({"report", "message", "meeting", "consent", "contest", "retaliation", "diary"}),
    "handler": frozenset(
        {"acknowledge", "message", "question", "forward", "outcome", "redacted", "note", "triage", "rekeyed"}
    ),
}


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
    """Its fields that are of the form that pages write; the others are left out."""
    hash: str


@dataclass(frozen=True, slots=True)
class EpochKey:
    """The private half of an epoch as a wrap gives it."""

    case: int
    stream: str
    number: int
    identity: str
    reporter: str


def write(place: Place, author: Author, kind: str, day: date, keyring: str, content: Mapping[str, Any]) -> str:
    """Write and sign a message.

    Parameters
    ----------
    place : where it stands
    author : ``reporter`` or a handler's account, with a seed of 32 bytes
    kind : of `KINDS`, for this author; whoever reads it refuses another
    day : it is written on
    keyring : the fingerprint of the keyring that its author saw
    content : its fields; what the other arguments say wins over them
    """
    body = {
        **content,
        "v": 1,
        "case": f"{place.case:016x}",
        "stream": place.stream,
        "number": place.number,
        "before": place.before,
        "from": author.name,
        "kind": kind,
        "day": day.isoformat(),
        "keyring": keyring,
    }
    return sign(body, "message", author.seed)


def hash_of(signed: Signed) -> str:
    """What the next message names as the one before; a redaction stands for the text that it replaced."""
    if signed.body.get("kind") == "redacted" and isinstance(signed.body.get("was"), str):
        return str(signed.body["was"])
    return hashlib.sha256(signed.text.encode()).hexdigest()


def check_message(signed: Signed, place: Place, trust: Trust) -> Opened:
    """Check one message against the place it was found at.

    Parameters
    ----------
    signed : a message whose signature fits the key inside
    place : where it was found
    trust : the keys that may have signed it

    Raises
    ------
    CannotOpen
        If it belongs elsewhere, or its author's key is not believed.
    """
    body = signed.body
    found = (body.get("case"), body.get("stream"), body.get("number"), body.get("before"))
    if found != (f"{place.case:016x}", place.stream, place.number, place.before) or body.get("number") is True:
        raise CannotOpen("a message is not where it belongs: swapped, replayed or missing")
    author, kind = str(body.get("from")), str(body.get("kind"))
    keys = {trust.reporter} if author == REPORTER else trust.handlers.get(author, ())
    if signed.key not in keys:
        raise CannotOpen("a message is signed by a key that nobody vouches for")
    if kind not in KINDS[REPORTER if author == REPORTER else "handler"]:
        raise CannotOpen("a message is of a kind that its author cannot write")
    if not day_of_form(body.get("day")):  # Python reads more spellings of a day than browsers do
        raise CannotOpen("a message has no day")
    return Opened(place.number, author, kind, date.fromisoformat(body["day"]), first_content(body), hash_of(signed))


def read_stream(
    case: int, stream: str, sealed: Sequence[tuple[int, bytes]], keys: Mapping[int, str], trust: Trust
) -> list[Opened]:
    """Open and check a whole stream, in order.

    Parameters
    ----------
    case : its number, 63 bits
    stream : of `STREAMS`
    sealed : the epoch's number and the ciphertext of each message, from number 1
    keys : age identities by epoch number
    trust : the keys that may have signed

    Raises
    ------
    CannotOpen
        If any message does not open or does not fit.
    """
    opened: list[Opened] = []
    before = FIRST
    for number, (epoch, content) in enumerate(sealed, start=1):
        if epoch not in keys:
            raise CannotOpen("no key for this part of the thread")
        signed = open_sealed(content, keys[epoch], "message")
        opened.append(check_message(signed, Place(case, stream, number, before), trust))
        before = opened[-1].hash
    return opened


def open_wrap(
    sealed: bytes, identity: str, case: int, stream: str, handlers: Mapping[str, Collection[str]]
) -> EpochKey:
    """Open a wrap and check who made it.

    Parameters
    ----------
    sealed : an age file
    identity : my age identity
    case, stream : where it was found; the wrap must name them
    handlers : each handler's signing keys of all keyrings, in hex, by account

    Raises
    ------
    CannotOpen
        If it is not for this key, this case, or made by somebody nobody vouches for.
    """
    signed = open_sealed(sealed, identity, "wrap")
    body = signed.body
    if (body.get("case"), body.get("stream")) != (f"{case:016x}", stream):
        raise CannotOpen("a wrap of another case")
    author, reporter = str(body.get("by")), str(body.get("reporter"))
    if signed.key not in ({reporter} if author == REPORTER else handlers.get(author, ())):
        raise CannotOpen("a wrap made by a key that nobody vouches for")
    number, own = body.get("number"), body.get("identity")
    if not isinstance(number, int) or not isinstance(own, str):
        raise CannotOpen("a wrap that holds no key")
    return EpochKey(case, stream, number, own, reporter)


@dataclass(frozen=True, slots=True)
class OpenedFirst:
    """A case of version 1: its streams, and each stream's newest epoch with its private half."""

    streams: Mapping[str, list[Opened]]
    newest: Mapping[str, tuple[int, str]]
    reporter: str


def open_first_version(
    case: int,
    epochs: Sequence[tuple[str, int, bytes]],
    messages: Sequence[tuple[str, int, bytes]],
    identity: str,
    handlers: Mapping[str, Collection[str]],
    signer: str = "",
) -> OpenedFirst:
    """Open a case of version 1 with one reader's identity.

    Parameters
    ----------
    case : its number, 63 bits
    epochs : stream, number and this reader's wrap
    messages : stream, epoch and ciphertext, in order
    identity : this reader's age identity
    handlers : each handler's signing keys of all keyrings, in hex, by account
    signer : what the reporter's code derives; empty for a handler, who can only hold the wraps against each other

    Raises
    ------
    CannotOpen
        If a wrap or a message does not open or does not fit, or they name more than one reporter.
    """
    keys: dict[str, dict[int, str]] = {}
    reporters = {signer} - {""}
    for stream, number, wrap in epochs:
        opened = open_wrap(wrap, identity, case, stream, handlers)
        if opened.number != number:
            raise CannotOpen("a wrap of another epoch")
        keys.setdefault(stream, {})[number] = opened.identity
        reporters.add(opened.reporter)
    if len(reporters) != 1:
        raise CannotOpen("another reporter")
    reporter = next(iter(reporters))
    streams = {}
    for stream, by_number in keys.items():
        sealed = [(epoch, content) for of, epoch, content in messages if of == stream]
        streams[stream] = read_stream(case, stream, sealed, by_number, Trust(reporter, handlers))
    return OpenedFirst(streams, {stream: max(found.items()) for stream, found in keys.items()}, reporter)
