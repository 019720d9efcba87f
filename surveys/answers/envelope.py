"""A sheet in its envelope, padded to one size: sealed by the server (libsodium sealed box), or already on the phone.

A phone's envelope is 65 bytes of a fresh P-256 point, then AES-256-GCM with a nonce of zeros (each key is used once) under
HKDF-SHA256 of the shared secret; `info` names the format and both points. The phone's half is ``seal`` in ``server/static/later.js``.
"""

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from nacl.exceptions import CryptoError
from nacl.public import PublicKey, SealedBox

from surveys.answers.keys import UrnKey

ENVELOPE_BYTES = 8100
"""Size of every envelope: one page of the answers file holds exactly one."""
_OVERHEAD = 48
_ROOM = ENVELOPE_BYTES - _OVERHEAD - 2
POINT_BYTES = 65
_FORMAT = b"ascolto phone envelope 1"
_NONCE = bytes(12)


class SheetTooLarge(ValueError):
    """The sheet does not fit the envelope."""


class EnvelopeUnreadable(Exception):
    """The envelope does not open with this key, or holds no sheet."""


def seal(sheet: bytes, public_key: bytes) -> bytes:
    """Pad a sheet of at most 8,050 bytes and seal it; every envelope has the same size."""
    if len(sheet) > _ROOM:
        raise SheetTooLarge(f"the sheet has {len(sheet)} bytes, at most {_ROOM} fit")
    return SealedBox(PublicKey(public_key)).encrypt(_padded(sheet, _ROOM + 2))


def looks_sealed(envelope: bytes) -> bool:
    """Say whether a phone's envelope has its size and begins with a point of the curve."""
    if len(envelope) != ENVELOPE_BYTES:
        return False
    try:
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), envelope[:POINT_BYTES])
    except ValueError:
        return False
    return True


def unseal(envelope: bytes, key: UrnKey) -> bytes:
    """Open one envelope, whoever sealed it."""
    try:
        padded = SealedBox(key.server).decrypt(envelope)
    except (CryptoError, ValueError):
        padded = _from_phone(envelope, key)
    size = int.from_bytes(padded[:2])
    if size > len(padded) - 2 or any(padded[2 + size :]):
        raise EnvelopeUnreadable("no sheet inside")
    return padded[2 : 2 + size]


def _padded(sheet: bytes, size: int) -> bytes:
    return (len(sheet).to_bytes(2) + sheet).ljust(size, b"\0")


def _from_phone(envelope: bytes, key: UrnKey) -> bytes:
    point = envelope[:POINT_BYTES]
    try:
        theirs = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
        return AESGCM(_secret(key.phone, theirs, point + key.phone_public)).decrypt(
            _NONCE, envelope[POINT_BYTES:], None
        )
    except (InvalidTag, ValueError) as problem:
        raise EnvelopeUnreadable("not sealed to this key") from problem


def _secret(mine: ec.EllipticCurvePrivateKey, theirs: ec.EllipticCurvePublicKey, points: bytes) -> bytes:
    return HKDF(SHA256(), 32, None, _FORMAT + points).derive(mine.exchange(ec.ECDH(), theirs))
