"""The keys of an urn of version 1, kept readable, and the holder's words that seats of both versions have.

One pair a wave, its private half wrapped for any two of three holders.

Each holder has a secret of eight generated words (88 bits). The words derive a key pair; the server keeps its public
half alone, so that holders can make their secrets on different days. The urn's private keys are sealed twice, once for
each holder of a pair, for each of the three pairs. There are two: sheets that the server seals go to an X25519 key, sheets
that wait sealed on a phone to a P-256 key, the only curve that every phone's browser knows.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NewType

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from mnemonic import Mnemonic
from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, SealedBox
from nacl.pwhash import argon2id

HolderSecret = NewType("HolderSecret", str)

SEATS = ("hr", "representative", "recovery")
WORDS = 8
_LIST: list[str] = Mnemonic("italian").wordlist


class SecretRefused(Exception):
    """A secret does not open its seat of this wave."""


def new_secret(random_below: Callable[[int], int]) -> HolderSecret:
    """Draw eight words of a list of 2,048: 88 bits."""
    return HolderSecret(" ".join(_LIST[random_below(len(_LIST))] for _ in range(WORDS)))


def read_secret(text: str) -> HolderSecret:
    """Forgive case, commas and line breaks in a typed secret.

    Raises
    ------
    SecretRefused
        If it is not eight words of the list.
    """
    words = text.lower().replace(",", " ").split()
    if len(words) != WORDS or any(word not in _LIST for word in words):
        raise SecretRefused("a secret is eight words of the list")
    return HolderSecret(" ".join(words))


def holder_key(secret: HolderSecret, wave: str, seat: str) -> PrivateKey:
    """Derive a holder's key pair for one wave and seat (argon2id, then X25519).

    Parameters
    ----------
    secret : HolderSecret
        Lower case with single spaces, as `read_secret` gives it: another writing of the same words gives another key.
    wave, seat : str
        The wave's id, and whose secret it is, of an urn of version 1 or of the readers of comments: both go into the
        salt.
    """
    salt = hashlib.sha256(f"ascolto holder {wave} {seat}".encode()).digest()[: argon2id.SALTBYTES]
    seed = argon2id.kdf(
        32, secret.encode(), salt, opslimit=argon2id.OPSLIMIT_INTERACTIVE, memlimit=argon2id.MEMLIMIT_INTERACTIVE
    )
    return PrivateKey(seed)


@dataclass(frozen=True, slots=True)
class UrnKey:
    """The private keys of an urn: for sheets sealed by the server, and for those sealed on a phone."""

    server: PrivateKey = field(repr=False)
    phone: ec.EllipticCurvePrivateKey = field(repr=False)

    @classmethod
    def generate(cls) -> "UrnKey":
        return cls(PrivateKey.generate(), ec.generate_private_key(ec.SECP256R1()))

    @classmethod
    def from_bytes(cls, data: bytes) -> "UrnKey":
        """Read what `to_bytes` writes: 32 bytes each."""
        return cls(PrivateKey(data[:32]), ec.derive_private_key(int.from_bytes(data[32:64]), ec.SECP256R1()))

    def to_bytes(self) -> bytes:
        return bytes(self.server) + self.phone.private_numbers().private_value.to_bytes(32)

    @property
    def public(self) -> bytes:
        return bytes(self.server.public_key)

    @property
    def phone_public(self) -> bytes:
        return self.point(self.phone)

    @staticmethod
    def point(key: ec.EllipticCurvePrivateKey) -> bytes:
        """The public point of a key, uncompressed: 65 bytes."""
        return key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


@dataclass(frozen=True, slots=True)
class SealedUrnKey:
    """The public halves of an urn's keys, and the private halves wrapped for each pair of seats."""

    public: bytes
    wraps: Mapping[str, bytes]
    phone: bytes = b""


def seat_of(secret: HolderSecret, wave: str, holders: Mapping[str, bytes]) -> str:
    """Find whose secret this is.

    Parameters
    ----------
    secret : HolderSecret
        As `read_secret` gives it.
    wave : str
        The wave's id.
    holders : mapping
        The public key of each seat, 32 bytes. Each seat that is tried costs one Argon2id.

    Raises
    ------
    SecretRefused
        If it is nobody's of this wave.
    """
    for seat, public in holders.items():
        if bytes(holder_key(secret, wave, seat).public_key) == public:
            return seat
    raise SecretRefused("this secret belongs to no holder of this wave")


def unwrap(
    secrets: tuple[HolderSecret, HolderSecret], wave: str, sealed: SealedUrnKey, holders: Mapping[str, bytes]
) -> UrnKey:
    """Open the urn's private keys with two secrets of two different seats.

    Parameters
    ----------
    secrets : tuple
        Two, of two different seats, in any order.
    wave : str
        The wave's id.
    sealed : SealedUrnKey
        As it was wrapped when the wave opened.
    holders : mapping
        The public key of each seat, 32 bytes.

    Raises
    ------
    SecretRefused
        If a secret is wrong, both are of the same seat, or the wraps are damaged.
    """
    keys = {}
    for secret in secrets:
        seat = seat_of(secret, wave, holders)
        keys[seat] = holder_key(secret, wave, seat)
    if len(keys) != 2:
        raise SecretRefused("two secrets of two different holders are needed")
    first, second = sorted(keys, key=SEATS.index)
    try:
        inner = SealedBox(keys[first]).decrypt(sealed.wraps[f"{first}+{second}"])
        private = UrnKey.from_bytes(SealedBox(keys[second]).decrypt(inner))
    except (CryptoError, KeyError, ValueError) as problem:
        raise SecretRefused("the wrapped key of this wave is damaged") from problem
    if private.public != sealed.public:
        raise SecretRefused("the wrapped key belongs to another wave")
    return private
