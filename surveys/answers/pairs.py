"""A sheet in its envelope, version 2: sealed to any two of three holders, under one plan, with the proof of its code. Pure.

One fresh P-256 key a sheet and three exchanges; the sheet key is wrapped for each pair under both shared secrets, so that
one holder opens nothing. The server adds a layer under the wave key, which is destroyed at release: copies of the store then
stay closed even to two holders. The phone's half is ``server/static/pairs.js``; docs/protocol-urn.md says every byte.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from nacl.exceptions import CryptoError
from nacl.secret import SecretBox

from surveys.answers.envelope import ENVELOPE_BYTES, EnvelopeUnreadable, SheetTooLarge

SEALED_BYTES = 8060
"""What a phone sends: the envelope without the server's layer."""
WAVE_KEY_BYTES = 32
PROOF_BYTES = 32
MARK = 2
_POINT = 33
_WRAP = 48
_HEAD = 1 + _POINT + 3 * _WRAP
_TAG = 16
_PLAIN = SEALED_BYTES - _HEAD - _TAG
ROOM = _PLAIN - 2 - PROOF_BYTES
"""So many bytes of answers fit: 7,832."""
_PAIRS = tuple(combinations(range(3), 2))
_INFO = b"ascolto envelope v2"
_NONCE = bytes(12)
_CURVE = ec.SECP256R1()


@dataclass(frozen=True, slots=True)
class Opened:
    """A sheet out of its envelope, and the proof of the code it was sent with."""

    proof: bytes
    sheet: bytes


def seal(
    sheet: bytes,
    proof: bytes,
    plan: str,
    points: Sequence[bytes],
    *,
    once: ec.EllipticCurvePrivateKey | None = None,
    key: bytes | None = None,
) -> bytes:
    """Seal a sheet of at most 7,832 bytes; gives 8,060 bytes (docs/protocol-urn.md, Envelope).

    Parameters
    ----------
    sheet : bytes
        The answers, 0 to 7,832 bytes.
    proof : bytes
        32 bytes: the digest of the code or token it is sent with.
    plan : str
        π in hex.
    points : sequence of bytes
        The three holders' points in the order of seats, 65 bytes each.
    once, key : optional
        The sheet's own key pair and its key, where a test fixes them; never given otherwise.

    Raises
    ------
    SheetTooLarge
        If it has more bytes.
    ValueError
        If the proof has another length, or a point is none of the curve.
    """
    if len(sheet) > ROOM:
        raise SheetTooLarge(f"the sheet has {len(sheet)} bytes, at most {ROOM} fit")
    if len(proof) != PROOF_BYTES:
        raise ValueError("a proof has 32 bytes")
    once = once or ec.generate_private_key(_CURVE)
    key = key or os.urandom(32)
    point = once.public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
    shared = [once.exchange(ec.ECDH(), _public(place)) for place in points]
    wraps = b"".join(
        AESGCM(_pair_key(plan, point, (shared[i], shared[j]), (points[i], points[j]))).encrypt(_NONCE, key, None)
        for i, j in _PAIRS
    )
    plain = (len(sheet).to_bytes(2) + proof + sheet).ljust(_PLAIN, b"\0")
    bound = bytes.fromhex(plan) + point + wraps
    return bytes([MARK]) + point + wraps + AESGCM(key).encrypt(_NONCE, plain, bound)


def looks_sealed(sealed: bytes) -> bool:
    """Say whether what a phone sent has its size, its mark, and a point of the curve."""
    if len(sealed) != SEALED_BYTES or sealed[0] != MARK:
        return False
    try:
        ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, sealed[1 : 1 + _POINT])
    except ValueError:
        return False
    return True


def open_sealed(
    sealed: bytes, plan: str, points: Sequence[bytes], holders: Mapping[int, ec.EllipticCurvePrivateKey]
) -> Opened:
    """Open a sealed sheet with the private keys of two holders, by their place in the order of seats.

    Parameters
    ----------
    sealed : bytes
        8,060 bytes, without the server's layer.
    plan : str
        π in hex: the one it was sealed under.
    points : sequence of bytes
        The three holders' points in the order of seats, 65 bytes each.
    holders : mapping
        Private keys of exactly two, by place: 0, 1 or 2.

    Raises
    ------
    EnvelopeUnreadable
        If it has another form, or was not sealed to these holders under this plan.
    ValueError
        If the keys are not of two places.
    """
    if not looks_sealed(sealed):
        raise EnvelopeUnreadable("not a sealed sheet")
    pair = tuple(sorted(holders))
    if pair not in _PAIRS:
        raise ValueError("two holders are needed")
    point, wraps = sealed[1 : 1 + _POINT], sealed[1 + _POINT : _HEAD]
    theirs = ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, point)
    first, second = (holders[place].exchange(ec.ECDH(), theirs) for place in pair)
    place = _PAIRS.index(pair)
    try:
        opener = AESGCM(_pair_key(plan, point, (first, second), (points[pair[0]], points[pair[1]])))
        key = opener.decrypt(_NONCE, wraps[place * _WRAP : (place + 1) * _WRAP], None)
        plain = AESGCM(key).decrypt(_NONCE, sealed[_HEAD:], bytes.fromhex(plan) + point + wraps)
    except (InvalidTag, ValueError) as problem:
        raise EnvelopeUnreadable("not sealed to these holders under this plan") from problem
    size = int.from_bytes(plain[:2])
    content = plain[2 + PROOF_BYTES :]
    if size > ROOM or any(content[size:]):
        raise EnvelopeUnreadable("no sheet inside")
    return Opened(plain[2 : 2 + PROOF_BYTES], content[:size])


def layered(sealed: bytes, wave_key: bytes, *, nonce: bytes | None = None) -> bytes:
    """Add the server's layer: 8,100 bytes that look like the noise of an empty slot.

    Parameters
    ----------
    sealed : bytes
        8,060 bytes, as `seal` gives them.
    wave_key : bytes
        32 bytes.
    nonce : bytes or None
        24 bytes where a test fixes them; drawn otherwise.

    Raises
    ------
    ValueError
        If a length is wrong.
    """
    if len(sealed) != SEALED_BYTES:
        raise ValueError("a sealed sheet has one size")
    made = bytes(SecretBox(wave_key).encrypt(sealed, nonce or os.urandom(SecretBox.NONCE_SIZE)))
    if len(made) != ENVELOPE_BYTES:
        raise RuntimeError("an envelope has one size")
    return made


def without_layer(envelope: bytes, wave_key: bytes) -> bytes:
    """Take the server's layer off.

    Raises
    ------
    EnvelopeUnreadable
    """
    try:
        return bytes(SecretBox(wave_key).decrypt(envelope))
    except (CryptoError, ValueError) as problem:
        raise EnvelopeUnreadable("not of this wave key") from problem


@lru_cache(maxsize=64)
def _public(point: bytes) -> ec.EllipticCurvePublicKey:
    """Of few holders, for many sheets: to decode a point takes a quarter as long as to use it."""
    return ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, point)


def _pair_key(plan: str, point: bytes, shared: tuple[bytes, bytes], points: tuple[bytes, bytes]) -> bytes:
    info = _INFO + point + points[0] + points[1]
    return HKDF(SHA256(), 32, bytes.fromhex(plan), info).derive(shared[0] + shared[1])
