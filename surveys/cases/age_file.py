"""Write an age file (age-encryption.org/v1) for one X25519 recipient, with nothing in its header but that stanza.

pyrage reads age files here and everywhere; its writer adds a "grease" stanza of random length, so that its files differ
in size among themselves and from those that a browser makes. In the cases store that would tell which reports were
written without a script, and wraps would not be of one size. Format: C2SP, age.md.
"""

import base64
import hmac
import os
import re

from bech32 import bech32_decode, convertbits
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

CHUNK = 64 * 1024
random_bytes = os.urandom
"""Where file keys, nonces and ephemeral keys come from; only the generator of frozen vectors puts another in its place."""
OVERHEAD = 200 - 16
"""Header, nonce and the first chunk's tag, before the other tags; a test holds it against the real size."""


def _hkdf(key: bytes, salt: bytes, info: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=salt or None, info=info).derive(key)


def _b64(content: bytes) -> str:
    return base64.b64encode(content).decode().rstrip("=")


def recipient_bytes(recipient: str) -> bytes:
    """The 32 bytes of an ``age1…`` recipient.

    Raises
    ------
    ValueError
        If it is none.
    """
    prefix, words = bech32_decode(recipient)
    content = convertbits(words, 5, 8, False) if words is not None else None
    if prefix != "age" or content is None or len(content) != 32 or recipient != recipient.lower():
        raise ValueError("not an age recipient")
    return bytes(content)


def write(plain: bytes, recipient: str) -> bytes:
    """Encrypt to one recipient.

    Raises
    ------
    ValueError
        If the recipient is none, or a point of low order.
    """
    to = recipient_bytes(recipient)
    file_key = random_bytes(16)
    ephemeral = X25519PrivateKey.from_private_bytes(random_bytes(32))
    share = ephemeral.public_key().public_bytes_raw()
    wrapping = _hkdf(
        ephemeral.exchange(X25519PublicKey.from_public_bytes(to)), share + to, b"age-encryption.org/v1/X25519"
    )
    wrapped = ChaCha20Poly1305(wrapping).encrypt(bytes(12), file_key, None)
    header = f"age-encryption.org/v1\n-> X25519 {_b64(share)}\n{_b64(wrapped)}\n---"
    mac = hmac.digest(_hkdf(file_key, b"", b"header"), header.encode(), "sha256")
    nonce = random_bytes(16)
    return f"{header} {_b64(mac)}\n".encode() + nonce + _stream(plain, _hkdf(file_key, nonce, b"payload"))


def _stream(plain: bytes, key: bytes) -> bytes:
    """STREAM: chunks of 64 KiB, each with its number and whether it is the last in the nonce."""
    cipher = ChaCha20Poly1305(key)
    starts = range(0, max(len(plain), 1), CHUNK)
    last = starts[-1]
    return b"".join(
        cipher.encrypt(
            (start // CHUNK).to_bytes(11, "big") + bytes([start == last]), plain[start : start + CHUNK], None
        )
        for start in starts
    )


def noise(plain: int) -> bytes:
    """A file for nobody that nobody without a key can tell from a real one of that size: its share is a point that somebody
    could have, everything else is random, as keys, tags and ciphertext look."""
    share = X25519PrivateKey.from_private_bytes(random_bytes(32)).public_key().public_bytes_raw()
    wrapped, mac = random_bytes(32), random_bytes(32)
    header = f"age-encryption.org/v1\n-> X25519 {_b64(share)}\n{_b64(wrapped)}\n--- {_b64(mac)}\n".encode()
    return header + random_bytes(sealed_size(plain) - len(header))


def sealed_size(plain: int) -> int:
    """The size of an age file that holds so many bytes."""
    chunks = max(1, -(-plain // CHUNK))
    return OVERHEAD + plain + 16 * chunks


_HEADER = re.compile(
    rb"age-encryption\.org/v1\n"
    rb"(?:-> [!-~]+(?: [!-~]+)*\n(?:[A-Za-z0-9+/]{64}\n)*[A-Za-z0-9+/]{0,63}\n)+"
    rb"--- [A-Za-z0-9+/]{43}\n"
)


_OURS = re.compile(rb"age-encryption\.org/v1\n-> X25519 [A-Za-z0-9+/]{43}\n[A-Za-z0-9+/]{43}\n--- [A-Za-z0-9+/]{43}\n")


def is_ours(sealed: bytes) -> bool:
    """Say whether a header has one X25519 stanza and no other, as `write` makes it."""
    return _OURS.match(sealed) is not None


def is_well_formed(sealed: bytes) -> bool:
    """Say whether a header has the form of the specification: each stanza ends with a short line, and nothing is missing.

    pyrage takes two malformed headers of the public test vectors; this does not.
    """
    return _HEADER.match(sealed) is not None
