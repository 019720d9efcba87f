"""age files (age-encryption.org/v1, X25519) and signed, padded texts: all that the cases store ever holds.

A sealed text is JSON ``{"body", "key", "sig"}`` filled up with spaces to a bucket, then encrypted. The signature is
Ed25519 over a purpose and the body, so that no signature fits another place.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyrage
from bech32 import bech32_encode, convertbits
from nacl.exceptions import BadSignatureError
from nacl.signing import SigningKey, VerifyKey

from surveys.cases import age_file
from surveys.signed import is_too_deep

SMALLEST = 4096
"""The first bucket of a message, in bytes; then powers of two."""


class CannotOpen(Exception):
    """A sealed thing does not open, or is not what it says it is: cut, swapped, replayed, forged, or not for this key."""


@dataclass(frozen=True, slots=True)
class Signed:
    """A body that was signed, and by which key (hex)."""

    body: Mapping[str, Any]
    text: str
    key: str


def identity_text(seed: bytes) -> str:
    """Write 32 bytes as an age identity."""
    words = convertbits(seed, 8, 5)
    if words is None or len(seed) != 32:
        raise ValueError("an X25519 seed has 32 bytes")
    encoded: str = bech32_encode("age-secret-key-", words)
    return encoded.upper()


def recipient_of(seed: bytes) -> str:
    """The age recipient (``age1…``) of a seed."""
    return str(pyrage.x25519.Identity.from_str(identity_text(seed)).to_public())


def recipient_of_identity(identity: str) -> str:
    """The age recipient of an identity.

    Raises
    ------
    CannotOpen
        If the text is no identity.
    """
    try:
        return str(pyrage.x25519.Identity.from_str(identity).to_public())
    except pyrage.IdentityError as problem:
        raise CannotOpen("key_other") from problem


def is_recipient(text: str) -> bool:
    """Say whether a text is an age X25519 recipient."""
    try:
        age_file.recipient_bytes(text)
    except ValueError:
        return False
    return True


def new_identity() -> tuple[str, str]:
    """A fresh age identity and its recipient."""
    made = pyrage.x25519.Identity.generate()
    return str(made), str(made.to_public())


def encrypt(plain: bytes, recipient: str) -> bytes:
    """Encrypt to one recipient: one stanza, so that its number of readers is not told.

    Raises
    ------
    ValueError
        If the recipient is none.
    """
    return age_file.write(plain, recipient)


def decrypt_ours(sealed: bytes, identity: str) -> bytes:
    """Decrypt an age file of version 2: one X25519 stanza and no other, so that nobody reads by another way in.

    Raises
    ------
    CannotOpen
    """
    if not age_file.is_ours(sealed):
        raise CannotOpen("not an age file of one stanza")
    return decrypt(sealed, identity)


def decrypt(sealed: bytes, identity: str) -> bytes:
    """Decrypt an age file.

    Raises
    ------
    CannotOpen
        If it was cut or changed anywhere, or is for another key.
    """
    if not age_file.is_well_formed(sealed):
        raise CannotOpen("not an age file")
    try:
        plain: bytes = pyrage.decrypt(sealed, [pyrage.x25519.Identity.from_str(identity)])
    except (pyrage.DecryptError, pyrage.IdentityError) as problem:
        raise CannotOpen("not for this key, or damaged") from problem
    return plain


def canonical(content: Mapping[str, Any]) -> str:
    """JSON with sorted keys and no spaces: what is signed and hashed."""
    return json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def bucket(length: int, smallest: int = SMALLEST) -> int:
    """The padded size of a text: the smallest bucket that holds it."""
    size = smallest
    while size < length:
        size *= 2
    return size


def sign(body: Mapping[str, Any], purpose: str, seed: bytes) -> str:
    """Sign a body in the form of version 1; gives the signed text, not yet padded or sealed.

    Parameters
    ----------
    body : what JSON can say
    purpose : a word, so that no signature fits another place
    seed : of an Ed25519 key, 32 bytes
    """
    key = SigningKey(seed)
    text = canonical(body)
    signature = key.sign(f"ascolto {purpose} v1\n{text}".encode()).signature
    return canonical({"body": text, "key": key.verify_key.encode().hex(), "sig": signature.hex()})


def check(signed: str, purpose: str) -> Signed:
    """Check a signed text against the key inside it; who that key belongs to is the caller's question.

    Raises
    ------
    CannotOpen
        If it is not signed, or its signature is wrong.
    """
    try:
        outer = json.loads(signed)
        text = outer["body"]
        if is_too_deep(signed) or is_too_deep(text):
            raise CannotOpen("deeper than any body of ours")
        VerifyKey(bytes.fromhex(outer["key"])).verify(
            f"ascolto {purpose} v1\n{text}".encode(), bytes.fromhex(outer["sig"])
        )
        body = json.loads(text)
    except (ValueError, KeyError, TypeError, RecursionError, BadSignatureError) as problem:
        raise CannotOpen("the signature is wrong") from problem
    if not isinstance(body, dict):
        raise CannotOpen("a body is an object")
    return Signed(body, text, outer["key"])


def public_of(seed: bytes) -> str:
    """The Ed25519 public key of a seed, in hex."""
    return SigningKey(seed).verify_key.encode().hex()


def seal(signed: str, recipient: str, *, smallest: int = SMALLEST) -> bytes:
    """Pad a signed text to its bucket and encrypt it.

    Parameters
    ----------
    signed : what `sign` gives
    recipient : an age recipient
    smallest : the first bucket, in bytes; it is doubled until the text fits

    Raises
    ------
    ValueError
        If the recipient is none.
    """
    plain = signed.encode()
    return encrypt(plain.ljust(bucket(len(plain), smallest)), recipient)


def open_sealed(sealed: bytes, identity: str, purpose: str) -> Signed:
    """Decrypt a sealed text and check its signature.

    Parameters
    ----------
    sealed : an age file
    identity : my age identity
    purpose : what the text must be signed for; by whom, the caller asks

    Raises
    ------
    CannotOpen
        If either fails.
    """
    try:
        text = decrypt(sealed, identity).decode()
    except UnicodeDecodeError as problem:
        raise CannotOpen("not a text") from problem
    return check(text.rstrip(" "), purpose)
