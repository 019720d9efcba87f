"""Letters of version 2: a signed head that says all that decides, and a content that may be taken out later. Pure.

The head names the house, the case, its first letter (`start`), the stream and number, the head before, the epoch and its
recipient, who writes, the kind, the day, the ring that its author saw, the hash of the content, and the terms of an act.
docs/protocol.md says every byte; ``static/letters.js`` says the same.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from surveys import signed
from surveys.cases.sealing import SMALLEST, CannotOpen, bucket, decrypt_ours, encrypt
from surveys.signed import (
    NotSigned,
    Shape,
    Signed,
    day,
    either,
    exactly,
    flag,
    hexed,
    identifier,
    listed,
    mended,
    named,
    object_of,
    private_half,
    recipient,
    shaped,
    text_of,
    whole,
)

REPORTER = "reporter"
RECOVERY = "recovery"
NONE = "0" * 64
TEXT_LIMIT = 60_000
MOST_ROWS = 10_000
SEATS = ("a", "b", "c")

_READER = object_of({"id": identifier, "recipient": recipient, "signer": hexed(32)})
_OUT = object_of({"id": identifier, "recipient": recipient, "signer": hexed(32), "name": named(1, 120)})
_SEAT = object_of({"seat": exactly(*SEATS), "recipient": recipient})
_HASH = hexed(32)
_HASH_OR_NONE = either(_HASH, exactly(""))
TERMS: Mapping[str, Mapping[str, Shape]] = {
    "report": {
        "signer": _HASH,
        "reader": recipient,
        "readers": listed(_READER, 1, 6),
        "out": listed(_OUT, 0, 6),
        "recovery": listed(_SEAT, 0, 3),
    },
    "change": {
        "epoch": whole(2, 1000),
        "recipient": recipient,
        "notes": either(recipient, exactly("")),
        "readers": listed(_READER, 1, 6),
        "recovery": listed(_SEAT, 0, 3),
        "asked": _HASH_OR_NONE,
        "noted": _HASH_OR_NONE,
    },
    "ask": {"what": exactly("change", "redact", "lift"), "payload": _HASH},
    "allow": {"ask": _HASH},
    "wish": {"out": listed(identifier, 1, 6)},
    "redact": {
        "number": whole(1, MOST_ROWS),
        "content": _HASH,
        "text": _HASH,
        "files": listed(hexed(16), 0, 5),
        "asked": _HASH_OR_NONE,
    },
    "broken": {"change": _HASH},
    "fails": {"change": _HASH},
    "lift": {"asked": _HASH_OR_NONE},
}
"""The terms of each kind that has some; every other kind has none."""


def _terms_of(body: Mapping[str, Any]) -> Mapping[str, Shape]:
    """The form of a letter's terms. A change of before 1 December 2026 does not say what notes there were."""
    found = TERMS.get(body["kind"], {})
    return {name: found[name] for name in found if name != "noted" or name in body["terms"]}


KINDS: Mapping[str, Mapping[str, frozenset[str]]] = {
    "thread": {
        REPORTER: frozenset(
            {"report", "message", "meeting", "consent", "contest", "retaliation", "allow", "wish", "change", "fails"}
        ),
        "handler": frozenset(
            {
                "acknowledge",
                "message",
                "question",
                "forward",
                "outcome",
                "final",
                "change",
                "ask",
                "redact",
                "leave",
                "broken",
                "fails",
            }
        ),
    },
    "notes": {REPORTER: frozenset(), "handler": frozenset({"note", "triage", "hold", "lift"})},
    "diary": {REPORTER: frozenset({"diary"}), "handler": frozenset()},
}
_HEAD: Mapping[str, Shape] = {
    "v": exactly(2),
    "house": _HASH,
    "case": hexed(8),
    "start": _HASH,
    "stream": exactly("thread", "notes", "diary"),
    "number": whole(1, MOST_ROWS),
    "before": _HASH,
    "epoch": whole(1, 1000),
    "to": recipient,
    "thread": _HASH,
    "from": either(exactly(REPORTER), identifier),
    "kind": text_of(1, 20),
    "day": day,
    "ring": object_of({"number": whole(0, 10_000), "hash": _HASH}),
    "content": _HASH,
    "terms": lambda value: isinstance(value, dict),
}
_FILE = object_of(
    {
        "upload": hexed(16),
        "name": text_of(1, 255),
        "type": text_of(1, 100),
        "size": whole(0, 2**26),
        "identity": private_half,
        "sha256": _HASH,
    }
)
_PART = object_of({"day": day, "text": text_of(0, TEXT_LIMIT)})
_CONTENT: Mapping[str, Shape] = {
    "text": text_of(0, TEXT_LIMIT),
    "what": text_of(1, 40),
    "where": text_of(1, 2000),
    "when": text_of(1, 2000),
    "who": text_of(1, 2000),
    "danger": text_of(1, 10),
    "wish": listed(text_of(1, 40), 1, 10),
    "consent": flag,
    "files": listed(_FILE, 1, 5),
    "diary": listed(_PART, 1, 60),
    "triage": text_of(1, 40),
    "payload": text_of(2, 8000),
}
"""What a content may hold; only `text` is always there."""


@dataclass(frozen=True, slots=True)
class Author:
    """Who writes: ``reporter`` or a handler's account, with an Ed25519 seed."""

    name: str
    seed: bytes


@dataclass(frozen=True, slots=True)
class Place:
    """Where the next letter of a stream stands, and under which epoch and ring it is written."""

    house: str
    case: str
    start: str
    stream: str
    number: int
    before: str
    epoch: int
    to: str
    ring_number: int
    ring_hash: str
    thread: str = NONE


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter that was opened: its signed head, and its content unless that was taken out."""

    head: Signed
    content: Mapping[str, Any] | None

    @property
    def hash(self) -> str:
        return self.head.hash

    def __getitem__(self, field: str) -> Any:
        return self.head.body[field]


MOST_BYTES = 120 * 1024
"""Of a content inside its letter: with a head, at most the largest bucket that the server takes (128 KiB; `incoming.MESSAGE_LIMIT`)."""


def fits(content: Mapping[str, Any]) -> bool:
    """Whether a content can be read again by whoever gets it, and its letter is one that the server takes."""
    try:
        _content(content)
    except NotSigned:
        return False
    return len(signed.canonical(signed.canonical(content)).encode()) <= MOST_BYTES


def content_hash(salt: bytes, content: str) -> str:
    return hashlib.sha256(salt + content.encode()).hexdigest()


def write(
    place: Place,
    author: Author,
    kind: str,
    on: str,
    content: Mapping[str, Any],
    salt: bytes,
    terms: Mapping[str, Any] | None = None,
) -> tuple[str, str]:
    """Write and sign a letter (docs/protocol.md, 5). No form is checked here: whoever reads it refuses.

    Parameters
    ----------
    place : where it stands
    author : ``reporter`` or an id of the ring, with a seed of 32 bytes
    kind : of `KINDS`, for this author and stream
    on : the day, ``YYYY-MM-DD``
    content : ``text``, and of the other fields only what is needed
    salt : 32 random bytes, new for each letter: without them a short content could be guessed from its hash
    terms : of the kind, by `TERMS`; None for the kinds that have none

    Returns
    -------
    The plain text that is sealed (not yet padded), and the head's hash.
    """
    body = signed.canonical(content)
    head = {
        "v": 2,
        "house": place.house,
        "case": place.case,
        "start": place.start,
        "stream": place.stream,
        "number": place.number,
        "before": place.before,
        "epoch": place.epoch,
        "to": place.to,
        "thread": place.thread,
        "from": author.name,
        "kind": kind,
        "day": on,
        "ring": {"number": place.ring_number, "hash": place.ring_hash},
        "content": content_hash(salt, body),
        "terms": dict(terms or {}),
    }
    text = signed.sign(head, "letter", author.seed)
    return signed.canonical({"head": text, "salt": salt.hex(), "content": body}), signed.digest(signed.canonical(head))


def seal(plain: str, to: str) -> bytes:
    """Fill a letter up to its bucket and seal it to an epoch."""
    content = plain.encode()
    return encrypt(content.ljust(bucket(len(content), SMALLEST)), to)


def plain_of(sealed: bytes, identity: str) -> str:
    """Decrypt a letter to its plain text.

    Raises
    ------
    CannotOpen
    """
    try:
        return decrypt_ours(sealed, identity).decode().rstrip(" ")
    except UnicodeDecodeError as problem:
        raise CannotOpen("place") from problem


def read(plain: str) -> Letter:
    """Read a letter's plain text: forms, the signature by the key inside, and the content's hash.

    Raises
    ------
    CannotOpen
        ``letter_forged``: it is none of ours, or its content is not the one that was signed.
    """
    try:
        outer = shaped(
            signed.parse(plain),
            {"head": text_of(1, 2**16), "salt": either(hexed(32), exactly("")), "content": text_of(0, 2**20)},
        )
        head = signed.read(outer["head"], "letter")
        body = shaped(head.body, _HEAD)
        shaped(body["terms"], _terms_of(body))
        if not outer["salt"]:
            if outer["content"]:
                raise NotSigned("a content without its salt")
            return Letter(head, None)
        if content_hash(bytes.fromhex(outer["salt"]), outer["content"]) != body["content"]:
            raise NotSigned("the content is not the one that was signed")
        return Letter(head, _content(signed.parse(outer["content"])))
    except NotSigned as problem:
        raise CannotOpen("letter_forged") from problem


def _content(content: Any) -> Mapping[str, Any]:
    if not isinstance(content, dict) or "text" not in content:
        raise NotSigned("a content has a text")
    return shaped(content, {name: _CONTENT[name] for name in content if name in _CONTENT})


def first_content(body: Mapping[str, Any]) -> dict[str, Any]:
    """What a letter of version 1 holds of a content, each field of its form: nothing else in it was ever checked, and one reader may
    have signed anything there. The same as `Fold.firstContent`."""
    content = mended({name: body[name] for name in _CONTENT if name in body})
    files = content.pop("files", None)
    found = {name: value for name, value in content.items() if _CONTENT[name](value)}
    kept = [one for one in files if _FILE(one)] if isinstance(files, list) else []
    return found | ({"files": kept} if kept else {})


def payload_of_change(
    gains: list[dict[str, str]], leaves: list[str], recovery: list[dict[str, str]] | None = None
) -> str:
    """What an ask for a change names and the change must do: who comes in, who goes.

    Parameters
    ----------
    gains : ``id``, ``recipient`` and ``signer`` of each who comes in, in any order
    leaves : ids of those who are shut out, in any order
    recovery : ``seat`` and ``recipient`` of the new holders; None where it stays or goes
    """
    ordered = sorted(gains, key=lambda one: one["id"])
    return signed.canonical({"gains": ordered, "leaves": sorted(leaves), "recovery": recovery or []})
