"""Texts that somebody signed, version 2: one canonical JSON, one strict signature, one shape each. Pure.

A signed text is canonical JSON ``{"body", "key", "sig"}``: `body` is itself canonical JSON as a text, `sig` is Ed25519
(RFC 8032) over ``ascolto v2 <purpose>\\n`` and the body. What does not serialise to itself is refused, so that the browser
(``static/signed.js``) and this module never read one text in two ways. docs/protocol.md says every byte.
"""

import json
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from typing import Any

from nacl.bindings import crypto_core_ed25519_is_valid_point
from nacl.exceptions import BadSignatureError
from nacl.signing import SigningKey, VerifyKey

LARGEST = 2**53 - 1
"""The largest whole number that a browser reads exactly."""
RESERVED = frozenset({"reporter", "recovery"})
_ID = re.compile(r"[a-z0-9._-]{1,40}\Z")
_HEX = re.compile(r"(?:[0-9a-f]{2})*\Z")
_IDENTITY = re.compile(r"AGE-SECRET-KEY-1[02-9AC-HJ-NP-Z]{58}")
_DAY = re.compile(r"\d{4}-\d\d-\d\d\Z", re.ASCII)
_HALF = re.compile("[\ud800-\udfff]")
_RECIPIENT = re.compile(r"age1[02-9ac-hj-np-z]{58}\Z")


class NotSigned(ValueError):
    """A text is not of its form, or its signature is not right; the text says what."""


@dataclass(frozen=True, slots=True)
class Signed:
    """A body whose signature was checked, the text that was signed, and the key (hex)."""

    body: Mapping[str, Any]
    text: str
    key: str

    @property
    def hash(self) -> str:
        """SHA-256 of the signed body, in hex: how other texts name this one."""
        return digest(self.text)


def digest(text: str) -> str:
    """SHA-256 of a text in UTF-8, in hex."""
    return sha256(text.encode()).hexdigest()


def canonical(content: object) -> str:
    """JSON with sorted names and no spaces: what is signed and hashed."""
    return json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


def mended(content: Any) -> Any:
    """What somebody wrote, in characters that every language reads: a field that cuts a text may cut an emoji in two, and no UTF-8 has a half."""
    return json.loads(_HALF.sub("\ufffd", json.dumps(content, ensure_ascii=False)))


DEEPEST = 32
"""Deeper than any structure of ours: what lies deeper would only tire a reader out."""


def parse(text: str) -> Any:
    """Read canonical JSON.

    Raises
    ------
    NotSigned
        If the text is not what `canonical` writes: doubled names, fractions, spaces, lone surrogates, large numbers.
    """

    def whole(digits: str) -> int:
        if len(digits) > 17 or abs(number := int(digits)) > LARGEST:
            raise NotSigned("a number is too large")
        return number

    def refused(_: str) -> Any:
        raise NotSigned("a number is not whole")

    if is_too_deep(text):
        raise NotSigned("too deep")
    try:
        text.encode()
        content = json.loads(text, parse_int=whole, parse_float=refused, parse_constant=refused)
        if canonical(content) != text:
            raise NotSigned("not in its one form")
        canonical(content).encode()
    except (json.JSONDecodeError, UnicodeEncodeError, RecursionError) as problem:
        raise NotSigned("not canonical JSON") from problem
    return content


def is_too_deep(text: str) -> bool:
    """Whether objects and lists lie in each other deeper than in any structure of ours."""
    return _depth(text) > DEEPEST


def _depth(text: str) -> int:
    """How deep objects and lists lie in each other."""
    now = most = 0
    inside = escaped = False
    for letter in text:
        if escaped:
            escaped = False
        elif letter == '"':
            inside = not inside
        elif inside:
            escaped = letter == "\\"
        elif letter in "{[":
            now += 1
            most = max(most, now)
        elif letter in "}]":
            now -= 1
    return most


def public_of(seed: bytes) -> str:
    """The Ed25519 public key of a seed, in hex."""
    return bytes(SigningKey(seed).verify_key).hex()


def _signed_bytes(purpose: str, text: str) -> bytes:
    return f"ascolto v2 {purpose}\n{text}".encode()


def signature(text: str, purpose: str, seed: bytes) -> str:
    """Sign a body's text; gives the signature in hex.

    Parameters
    ----------
    text : canonical JSON; it is signed as it is
    purpose : a word of docs/protocol.md or docs/protocol-urn.md, so that no signature fits another place
    seed : of an Ed25519 key, 32 bytes
    """
    return SigningKey(seed).sign(_signed_bytes(purpose, text)).signature.hex()


def sign(body: Mapping[str, Any], purpose: str, seed: bytes) -> str:
    """Sign a body; gives the signed text.

    Parameters
    ----------
    body : what `parse` would refuse of it (a fraction, a large number) is not caught here
    purpose, seed : as of `signature`
    """
    text = canonical(body)
    return canonical({"body": text, "key": public_of(seed), "sig": signature(text, purpose, seed)})


def is_signed(text: str, purpose: str, key: str, sig: str) -> bool:
    """Say whether a key signed a text for this purpose: keys of small or mixed order sign nothing.

    Parameters
    ----------
    text, purpose : what was signed, and for what
    key, sig : 32 and 64 bytes in hex of small letters, one writing for one value; what is malformed is not signed
    """
    if not hexed(32)(key) or not hexed(64)(sig):
        return False
    try:
        public, given = bytes.fromhex(key), bytes.fromhex(sig)
        if not crypto_core_ed25519_is_valid_point(public):
            return False
        VerifyKey(public).verify(_signed_bytes(purpose, text), given)
    except (ValueError, BadSignatureError):
        return False
    return True


def read(signed: str, purpose: str) -> Signed:
    """Read a signed text and check it against the key inside; whose key that is, the caller asks.

    Raises
    ------
    NotSigned
    """
    outer = shaped(parse(signed), {"body": text_of(1, 2**22), "key": hexed(32), "sig": hexed(64)})
    if not is_signed(outer["body"], purpose, outer["key"], outer["sig"]):
        raise NotSigned("the signature is not right")
    body = parse(outer["body"])
    if not isinstance(body, dict):
        raise NotSigned("a body is an object")
    return Signed(body, outer["body"], outer["key"])


def is_signed_by_two(text: str, purpose: str, signatures: Sequence[Mapping[str, str]], keys: Sequence[str]) -> bool:
    """Say whether two different keys of these signed a text.

    Parameters
    ----------
    text, purpose : what was signed, and for what
    signatures : each ``key`` and ``sig`` in hex, in any order; those of other keys count for nothing
    keys : the public keys that count, in hex
    """
    there = {
        key
        for key in keys
        for one in signatures
        if one.get("key") == key and is_signed(text, purpose, key, str(one.get("sig", "")))
    }
    return len(there) >= 2


# --- shapes: every field is named, none is missing, none is more ---

type Shape = Callable[[Any], bool]


def shaped(content: Any, fields: Mapping[str, Shape]) -> dict[str, Any]:
    """Check that an object has exactly these fields, each of its shape.

    Raises
    ------
    NotSigned
        Naming the field.
    """
    if not isinstance(content, dict) or set(content) != set(fields):
        raise NotSigned("fields are missing or unknown")
    for name, fits in fields.items():
        if not fits(content[name]):
            raise NotSigned(f"{name} is not of its form")
    return content


def hexed(length: int) -> Shape:
    """So many bytes in lower-case hex."""
    return lambda value: isinstance(value, str) and len(value) == 2 * length and _HEX.match(value) is not None


def private_half(value: Any) -> bool:
    """An age identity in its one form, in capitals."""
    return isinstance(value, str) and _IDENTITY.fullmatch(value) is not None


HIDING = frozenset({"Cc", "Cf", "Zl", "Zp"})
"""Kinds of characters that move, hide or turn what is written beside them."""


_UNSEEN: dict[int, str | None] = dict.fromkeys([0x2800, 0x115F, 0x1160], " ")
_UNSEEN |= dict.fromkeys(
    [
        *[0x034F, 0x17B4, 0x17B5, 0x2065],
        *range(0x180B, 0x1810),
        *range(0xFE00, 0xFE10),
        *range(0xFFF0, 0xFFF9),  # nobody's yet, and drawn as nothing; so are most of the last
        *range(0xE0000, 0xE1000),
    ]
)


def named(least: int, most: int) -> Shape:
    """A text that people compare with their eyes: on one line, and with nothing that could paint over its neighbours."""
    fits = text_of(least, most)
    return lambda value: fits(value) and all(unicodedata.category(letter) not in HIDING for letter in value)


def alike(name: str) -> str:
    """The form in which names that look the same are the same: compatible characters, case and white space do not count, nor
    does what is not seen and is no format character (those `named` refuses): joiners, selectors of a variant. Fillers are spaces.

    Upper, then lower case, as browsers have no case folding. Letters of another script that look the same stay others.
    """
    plain = unicodedata.normalize("NFKC", name).translate(_UNSEEN).upper().lower()
    return " ".join(unicodedata.normalize("NFKC", plain).split())


def text_of(least: int, most: int) -> Shape:
    """A text of so many characters (UTF-16 units, as browsers count)."""
    return lambda value: isinstance(value, str) and least <= len(value.encode("utf-16-le")) // 2 <= most


def whole(least: int, most: int) -> Shape:
    """A whole number; true and false are none."""
    return lambda value: type(value) is int and least <= value <= most


def exactly(*values: object) -> Shape:
    """One of these values, of the same type."""
    return lambda value: any(type(value) is type(one) and value == one for one in values)


def flag(value: Any) -> bool:
    return isinstance(value, bool)


def day(value: Any) -> bool:
    """A day as ``YYYY-MM-DD`` that the calendar has."""
    if not isinstance(value, str) or not _DAY.match(value):
        return False
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return True


def identifier(value: Any) -> bool:
    """An account's name; never one of the reserved words."""
    return isinstance(value, str) and _ID.match(value) is not None and value not in RESERVED


def recipient(value: Any) -> bool:
    """The text of an age X25519 recipient; its checksum is read where it is used."""
    return isinstance(value, str) and _RECIPIENT.match(value) is not None


def listed(one: Shape, least: int, most: int) -> Shape:
    """A list of so many entries, each of one shape.

    Parameters
    ----------
    one : the shape of each entry
    least, most : how many there are, both included
    """
    return lambda value: isinstance(value, list) and least <= len(value) <= most and all(one(each) for each in value)


def either(*shapes: Shape) -> Shape:
    return lambda value: any(fits(value) for fits in shapes)


def object_of(fields: Mapping[str, Shape]) -> Shape:
    """An object with exactly these fields."""
    return lambda value: (
        isinstance(value, dict) and set(value) == set(fields) and all(fits(value[n]) for n, fits in fields.items())
    )


def texts_by_language(value: Any) -> bool:
    """A short text in one language or several, by language."""
    return (
        isinstance(value, dict)
        and 1 <= len(value) <= 12
        and all(re.fullmatch(r"[a-z]{2}(-[A-Za-z]{2,8})?", name) for name in value)
        and all(named(1, 120)(text) for text in value.values())
    )
