"""Writing for a reporter whose browser runs no script, and for tests: the same bytes that the script would make.

Works on memory alone; run it in a process that ends (server.reporters.child).
"""

import base64
import hashlib
import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from surveys.cases.codes import CodeKeys
from surveys.cases.keeper import RECOVERY, REPORTER
from surveys.cases.sealing import (
    CannotOpen,
    bucket,
    check,
    decrypt,
    encrypt,
    identity_text,
    new_identity,
    public_of,
    recipient_of,
    seal,
)
from surveys.cases.thread import FIRST, Author, EpochKey, Opened, Place, Trust, check_message, make_wrap, write
from surveys.public.keyring import Keyring, Reader

FILE_BUCKET = 16 * 1024


@dataclass(frozen=True, slots=True)
class Entry:
    """A message to be written: its kind and its content."""

    kind: str
    content: Mapping[str, Any]


def _b64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def readers_left(keyring: Keyring, excluded: Collection[str]) -> list[Reader]:
    """Who gets a key: everybody on the keyring but those whom the reporter keeps out."""
    return [reader for reader in keyring.readers if reader.id not in excluded]


def reporter_of(keys: CodeKeys) -> Author:
    return Author(REPORTER, keys.ed25519)


def new_epoch(case: int, stream: str, number: int, keys: CodeKeys, keyring: Keyring | None, excluded: Collection[str]) -> tuple[EpochKey, dict[str, Any]]:
    """Make an epoch and its wraps: for the reporter always; for handlers and recovery where a keyring is given."""  # fmt: skip
    identity, recipient = new_identity()
    author = reporter_of(keys)
    key = EpochKey(case, stream, number, identity, public_of(keys.ed25519), REPORTER)
    recipients = {REPORTER: recipient_of(keys.x25519)}
    if keyring is not None:
        recipients |= {reader.id: reader.recipient for reader in readers_left(keyring, excluded)}
        if keyring.recovery and RECOVERY not in excluded:
            recipients[RECOVERY] = keyring.recovery
    wraps = {name: _b64(make_wrap(key, author, to)) for name, to in recipients.items()}
    return key, {"stream": stream, "number": number, "recipient": recipient, "wraps": wraps}


def compose(
    keys: CodeKeys, entries: Sequence[Entry], day: date, keyring: Keyring | None, fingerprint: str,
    excluded: Collection[str] = (),
) -> dict[str, Any]:
    """Make a whole report (with a keyring) or a diary (without) as the intake takes it: ciphertext and proofs only."""  # fmt: skip
    case = keys.case
    stream = "thread" if keyring else "diary"
    _, sealed_epoch = new_epoch(case, stream, 1, keys, keyring, excluded)
    messages, before = [], FIRST
    for number, entry in enumerate(entries, start=1):
        signed, before = _written(Place(case, stream, number, before), keys, entry, day, fingerprint)
        messages.append(_b64(seal(signed, sealed_epoch["recipient"])))
    return {
        "case": f"{case:016x}", "locator": keys.locator.hex(), "auth": keys.auth.hex(),
        "reader": recipient_of(keys.x25519), "signer": public_of(keys.ed25519),
        "epoch": sealed_epoch, "messages": messages, "uploads": [],
    }  # fmt: skip


def _written(place: Place, keys: CodeKeys, entry: Entry, day: date, fingerprint: str) -> tuple[str, str]:
    """Write a message and give its hash for the next one."""
    signed = write(place, reporter_of(keys), entry.kind, day, fingerprint, entry.content)
    trust = Trust(public_of(keys.ed25519), {})
    return signed, check_message(check(signed, "message"), place, trust).hash


def reply(keys: CodeKeys, case: int, stream: str, thread: Sequence[Opened], recipient: str, entry: Entry, day: date, fingerprint: str) -> dict[str, Any]:
    """Seal one more message of the reporter to the stream's current epoch."""  # fmt: skip
    place = Place(case, stream, len(thread) + 1, thread[-1].hash if thread else FIRST)
    signed, _ = _written(place, keys, entry, day, fingerprint)
    return {
        "locator": keys.locator.hex(), "auth": keys.auth.hex(), "stream": stream, "number": place.number,
        "sealed": _b64(seal(signed, recipient)), "uploads": [],
    }  # fmt: skip


def seal_file(name: str, kind: str, content: bytes) -> tuple[bytes, dict[str, Any]]:
    """Seal an attachment under a key of its own, which travels inside the message that names it.

    Returns
    -------
    The age file (the bytes, filled up with zeros to a power of two) and the entry of the message's ``files``.
    """
    identity, recipient = new_identity()
    sealed = encrypt(content.ljust(bucket(len(content), FILE_BUCKET), b"\0"), recipient)
    entry = {
        "upload": os.urandom(16).hex(), "name": name, "type": kind, "size": len(content), "identity": identity,
        "sha256": hashlib.sha256(sealed).hexdigest(),
    }  # fmt: skip
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


def from_diary(picked: Sequence[Opened]) -> dict[str, Any]:
    """What a report says that was made of parts of a diary: each text under its day, files as they were."""
    parts = [{"day": entry.day.isoformat(), "text": str(entry.content.get("text", ""))} for entry in picked]
    files = [file for entry in picked for file in entry.content.get("files", ())]
    text = "\n\n".join(f"{part['day']}\n{part['text']}" for part in parts)
    return {"text": text, "diary": parts} | ({"files": files} if files else {})
