"""Wraps and links of version 2: how a reader comes to an epoch's private half. Pure.

A wrap is signed by whoever made the epoch and names the one it is for; a link is the private half of the epoch before,
sealed to this one, so that nothing is ever sealed anew and nothing is destroyed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from surveys import signed
from surveys.cases.letters import RECOVERY, REPORTER, SEATS, Author
from surveys.cases.sealing import CannotOpen, decrypt_ours, encrypt, recipient_of_identity
from surveys.signed import (
    NotSigned,
    either,
    exactly,
    hexed,
    identifier,
    object_of,
    private_half,
    recipient,
    shaped,
    whole,
)

WRAP_BYTES = 2048
INNER_BYTES = 1848
"""A recovery wrap is sealed twice: filled up to this inside, it ends as large as any other."""
LINK_BYTES = 1024
PAIRS = tuple("".join(pair) for pair in combinations(SEATS, 2))
_WRAP = {
    "v": exactly(2),
    "start": hexed(32),
    "stream": exactly("thread", "notes"),
    "epoch": whole(1, 1000),
    "recipient": recipient,
    "identity": private_half,
    "to": object_of({"id": either(exactly(REPORTER, RECOVERY), identifier), "recipient": recipient}),
    "act": hexed(32),
    "by": either(exactly(REPORTER), identifier),
}


def pair_name(pair: str) -> str:
    """The row of a recovery pair: ``recovery+ab``."""
    return f"{RECOVERY}+{pair}"


@dataclass(frozen=True, slots=True)
class EpochKey:
    """An epoch's private half, and the act that made it: the first letter or a change."""

    start: str
    stream: str
    number: int
    identity: str
    recipient: str
    act: str


@dataclass(frozen=True, slots=True)
class Wrap:
    """A wrap that was opened; `key` signed it."""

    epoch: EpochKey
    by: str
    key: str


def _text(key: EpochKey, author: Author, name: str, to: str) -> bytes:
    body = {
        "v": 2,
        "start": key.start,
        "stream": key.stream,
        "epoch": key.number,
        "recipient": key.recipient,
        "identity": key.identity,
        "to": {"id": name, "recipient": to},
        "act": key.act,
        "by": author.name,
    }
    return signed.sign(body, "wrap", author.seed).encode()


def make(key: EpochKey, author: Author, name: str, to: str) -> bytes:
    """Seal an epoch to one reader, or to the reporter: 2,248 bytes (docs/protocol.md, 6).

    Parameters
    ----------
    key : the epoch, and what made it
    author : who made the epoch, and signs
    name : the reader's id, or ``reporter``
    to : her age recipient, which the wrap also names
    """
    return encrypt(_text(key, author, name, to).ljust(WRAP_BYTES), to)


def make_recovery(key: EpochKey, author: Author, holders: Sequence[Mapping[str, str]]) -> dict[str, bytes]:
    """Seal an epoch for each pair of the three recovery holders, by row name: first to the second, then to the first.

    Parameters
    ----------
    key : the epoch, and what made it
    author : who made the epoch, and signs
    holders : ``seat`` and ``recipient`` of all three; where there are none, nothing is made
    """
    to = {holder["seat"]: holder["recipient"] for holder in holders}
    made = {}
    for pair in PAIRS if to else ():
        inner = encrypt(_text(key, author, RECOVERY, to[pair[1]]).ljust(INNER_BYTES), to[pair[1]])
        made[pair_name(pair)] = encrypt(inner, to[pair[0]])
    return made


def open_wrap(sealed: bytes, identity: str, name: str, stream: str, number: int) -> Wrap:
    """Open a wrap found at a row of a stream and epoch.

    Parameters
    ----------
    sealed : an age file of one stanza
    identity : my age identity
    name : whom the wrap must be for: my id, ``reporter`` or ``recovery``
    stream, number : of the epoch at whose row it was found; the wrap must name them

    Raises
    ------
    CannotOpen
        ``wrap_not_mine``: it does not open, or names another reader, key or place. ``key_other``: its private half is not
        the epoch's.
    """
    try:
        found = signed.read(decrypt_ours(sealed, identity).decode().rstrip(" "), "wrap")
        body = shaped(found.body, _WRAP)
    except (CannotOpen, NotSigned, UnicodeDecodeError) as problem:
        raise CannotOpen("wrap_not_mine") from problem
    mine = recipient_of_identity(identity)
    if body["to"] != {"id": name, "recipient": mine} or (body["stream"], body["epoch"]) != (stream, number):
        raise CannotOpen("wrap_not_mine")
    if recipient_of_identity(body["identity"]) != body["recipient"]:
        raise CannotOpen("key_other")
    key = EpochKey(body["start"], stream, number, body["identity"], body["recipient"], body["act"])
    return Wrap(key, body["by"], found.key)


def open_recovery(sealed: bytes, first: str, second: str, stream: str, number: int) -> Wrap:
    """Open a recovery wrap with the two identities of its pair, in the order of their seats.

    Parameters
    ----------
    sealed : as found at the row of the pair
    first, second : age identities of the two holders, in the order of their seats
    stream, number : of the epoch at whose row it was found

    Raises
    ------
    CannotOpen
        As `open_wrap`.
    """
    try:
        inner = decrypt_ours(sealed, first)
    except CannotOpen as problem:
        raise CannotOpen("wrap_not_mine") from problem
    return open_wrap(inner, second, RECOVERY, stream, number)


def make_link(number: int, identity: str, to: str) -> bytes:
    """Seal the epoch before, with its number, to this one.

    Parameters
    ----------
    number, identity : of the epoch before: a lower number than this one's
    to : the age recipient of this epoch
    """
    return encrypt(signed.canonical({"v": 2, "epoch": number, "identity": identity}).encode().ljust(LINK_BYTES), to)


def open_link(sealed: bytes, identity: str) -> tuple[int, str]:
    """Number and identity of the epoch before; whether it is the right one, the letters say.

    Raises
    ------
    CannotOpen
        ``epoch_broken``
    """
    try:
        plain = signed.parse(decrypt_ours(sealed, identity).decode().rstrip(" "))
        body: dict[str, Any] = shaped(plain, {"v": exactly(2), "epoch": whole(1, 1000), "identity": private_half})
        recipient_of_identity(body["identity"])
    except (CannotOpen, NotSigned, UnicodeDecodeError) as problem:
        raise CannotOpen("epoch_broken") from problem
    return int(body["epoch"]), str(body["identity"])
