"""Letters of version 1: what a reporter without a script still writes in a thread of the old form; and attachments.

Works on memory alone; run it in a process that ends (server.reporters.process). New threads are of version 2 (`acts`).
"""

import base64
import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from surveys.cases.codes import CodeKeys
from surveys.cases.keeper import REPORTER
from surveys.cases.sealing import (
    CannotOpen,
    bucket,
    check,
    decrypt,
    encrypt,
    identity_text,
    new_identity,
    public_of,
    recipient_of_identity,
    seal,
)
from surveys.cases.thread import FIRST, Author, Opened, Place, Trust, check_message, write

FILE_BUCKET = 16 * 1024


@dataclass(frozen=True, slots=True)
class Entry:
    """A message to be written: its kind and its content."""

    kind: str
    content: Mapping[str, Any]


def _b64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def reporter_of(keys: CodeKeys) -> Author:
    return Author(REPORTER, keys.ed25519)


def _written(place: Place, keys: CodeKeys, entry: Entry, day: date, fingerprint: str) -> tuple[str, str]:
    """Write a message and give its hash for the next one."""
    signed = write(place, reporter_of(keys), entry.kind, day, fingerprint, entry.content)
    trust = Trust(public_of(keys.ed25519), {})
    return signed, check_message(check(signed, "message"), place, trust).hash


def reply(
    keys: CodeKeys,
    case: int,
    stream: str,
    thread: Sequence[Opened],
    identity: str,
    entry: Entry,
    day: date,
    fingerprint: str,
) -> dict[str, Any]:
    """Seal one more message of the reporter to the stream's epoch, whose public half is derived and never believed.

    Parameters
    ----------
    keys : what her code gives
    case : its number, 63 bits
    stream : ``thread`` or ``diary``
    thread : all messages of that stream so far, opened and checked
    identity : the private half of the stream's newest epoch
    entry : its kind and fields
    day : it is written on
    fingerprint : of the keyring that she saw; "" where there is none

    Returns
    -------
    What the server takes, without attachments.

    Raises
    ------
    CannotOpen
        If a reporter cannot write this kind.
    """
    place = Place(case, stream, len(thread) + 1, thread[-1].hash if thread else FIRST)
    signed, _ = _written(place, keys, entry, day, fingerprint)
    return {
        "locator": keys.locator.hex(),
        "auth": keys.auth.hex(),
        "stream": stream,
        "number": place.number,
        "sealed": _b64(seal(signed, recipient_of_identity(identity))),
        "uploads": [],
    }


def seal_file(name: str, kind: str, content: bytes) -> tuple[bytes, dict[str, Any]]:
    """Seal an attachment under a key of its own, which travels inside the message that names it.

    Parameters
    ----------
    name : of the file, 1 to 255 characters
    kind : its media type, 1 to 100 characters
    content : at most 32 MiB; for more the spool has no room

    Returns
    -------
    The age file (the bytes, filled up with zeros to a power of two) and the entry of the message's ``files``.
    """
    identity, recipient = new_identity()
    sealed = encrypt(content.ljust(bucket(len(content), FILE_BUCKET), b"\0"), recipient)
    entry = {
        "upload": os.urandom(16).hex(),
        "name": name,
        "type": kind,
        "size": len(content),
        "identity": identity,
        "sha256": hashlib.sha256(sealed).hexdigest(),
    }
    return sealed, entry


def open_file(sealed: bytes, entry: Mapping[str, Any]) -> bytes:
    """Open an attachment and check that it is the one its message names.

    Raises
    ------
    CannotOpen
        If it was changed, cut, or put in another's place.
    """
    if hashlib.sha256(sealed).hexdigest() != entry.get("sha256"):
        raise CannotOpen("an attachment is not the one that was sent")
    content: bytes = decrypt(sealed, str(entry["identity"]))
    return content[: int(entry["size"])]


def own_identity(keys: CodeKeys) -> str:
    """The age identity that opens the reporter's own wraps."""
    return identity_text(keys.x25519)
