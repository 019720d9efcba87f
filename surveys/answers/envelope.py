"""A sheet in its envelope: padded to one size, sealed to the wave's key (libsodium sealed box)."""

from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, PublicKey, SealedBox

ENVELOPE_BYTES = 8100
"""Size of every envelope: one page of the answers file holds exactly one."""
_OVERHEAD = 48
_ROOM = ENVELOPE_BYTES - _OVERHEAD - 2


class SheetTooLarge(ValueError):
    """The sheet does not fit the envelope."""


class EnvelopeUnreadable(Exception):
    """The envelope does not open with this key, or holds no sheet."""


def seal(sheet: bytes, public_key: bytes) -> bytes:
    """Pad a sheet of at most 8,050 bytes and seal it; every envelope has the same size."""
    if len(sheet) > _ROOM:
        raise SheetTooLarge(f"the sheet has {len(sheet)} bytes, at most {_ROOM} fit")
    padded = len(sheet).to_bytes(2) + sheet + bytes(_ROOM - len(sheet))
    return SealedBox(PublicKey(public_key)).encrypt(padded)


def unseal(envelope: bytes, private_key: PrivateKey) -> bytes:
    """Open one envelope."""
    try:
        padded = SealedBox(private_key).decrypt(envelope)
    except (CryptoError, ValueError) as problem:
        raise EnvelopeUnreadable("not sealed to this key") from problem
    size = int.from_bytes(padded[:2])
    if size > _ROOM or len(padded) != _ROOM + 2:
        raise EnvelopeUnreadable("no sheet inside")
    return padded[2 : 2 + size]
