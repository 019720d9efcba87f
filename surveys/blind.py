"""Blind signatures: the right to answer once, in a form that the signer cannot recognise. Pure; keeps nothing.

RSABSSA-SHA384-PSS-Randomized (RFC 9474) with keys of 3072 bits. The server signs a blinded value and never sees what is
in it; the phone takes the blinding off, and what remains is an ordinary RSA-PSS signature (SHA-384, salt of 48 bytes).
For every blinded value and every token there is exactly one blinding that joins them, so the pair tells nothing. The
phone's half is ``server/static/blind.js``; the one here is for tests and for the shell.
"""

import base64
import hashlib
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from math import gcd
from typing import ClassVar, Self

import gmpy2
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_public_key,
    load_pem_private_key,
)

type RandomBytes = Callable[[int], bytes]

KEY_BITS = 3072
SIGNATURE_BYTES = KEY_BITS // 8
PART_BYTES = 32
"""The random prefix and the random message have this many bytes each."""
PREPARED_BYTES = 2 * PART_BYTES
HASH_BYTES = 48
SALT_BYTES = 48
TOKEN_LETTERS = -(-(PREPARED_BYTES + SIGNATURE_BYTES) * 4 // 3)

_TOKEN = re.compile(rf"[A-Za-z0-9_-]{{{TOKEN_LETTERS}}}")


class TokenRefused(ValueError):
    """A blinded value, a signature or a token has the wrong length, is out of range, forged, or another key's."""


class KeyRefused(ValueError):
    """A key is not plain RSA with exponent 65537, or not of the length asked for."""


class SigningFault(RuntimeError):
    """The machine computed wrongly. Nothing is returned: one wrong CRT result would give away the key's factors."""


@dataclass(frozen=True, slots=True)
class PublicKey:
    """The key that tokens are verified with: its modulus; the exponent is always 65537."""

    n: int
    e: ClassVar[int] = 65537

    @property
    def size(self) -> int:
        """Bytes of the modulus, and so of every blinded value and signature."""
        return (self.n.bit_length() + 7) // 8

    def to_der(self) -> bytes:
        """Write as SubjectPublicKeyInfo with the plain rsaEncryption identifier, which WebCrypto reads."""
        return _loaded(self).public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    @classmethod
    def from_der(cls, der: bytes, bits: int = KEY_BITS) -> Self:
        """Read what ``to_der`` writes, and no other writing of the same key: fingerprints are of the bytes.

        Raises
        ------
        KeyRefused
            If the bytes are no such key, or its modulus has not exactly ``bits`` bits.
        """
        try:
            key = load_der_public_key(der)
        except (ValueError, UnsupportedAlgorithm) as problem:
            raise KeyRefused("not a public key") from problem
        public = cls(_rsa_modulus(key, bits))
        if public.to_der() != der:
            raise KeyRefused("the key is written in another way")
        return public

    def fingerprint(self) -> str:
        """SHA-256 of the DER, in lower-case hex: what is published and printed beside the invitation."""
        return hashlib.sha256(self.to_der()).hexdigest()


@dataclass(frozen=True, slots=True)
class SigningKey:
    """The private key in CRT form (RFC 8017, 3.2). For blind signatures and for nothing else."""

    p: int = field(repr=False)
    q: int = field(repr=False)
    dp: int = field(repr=False)
    dq: int = field(repr=False)
    q_inverse: int = field(repr=False)

    @property
    def public(self) -> PublicKey:
        return PublicKey(self.p * self.q)

    def to_pem(self) -> bytes:
        """Write as PKCS #8 without encryption: the file's permissions are the caller's."""
        e = PublicKey.e
        d = pow(e, -1, (self.p - 1) * (self.q - 1))
        numbers = rsa.RSAPrivateNumbers(
            self.p, self.q, d, self.dp, self.dq, self.q_inverse, rsa.RSAPublicNumbers(e, self.p * self.q)
        )
        key = numbers.private_key(
            unsafe_skip_rsa_key_validation=True
        )  # primes of a library's key; reading checks them again
        return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    @classmethod
    def from_pem(cls, pem: bytes, bits: int = KEY_BITS) -> Self:
        """Read what ``to_pem`` writes.

        Raises
        ------
        KeyRefused
            If it is no such key, its numbers do not fit each other, or its modulus has not exactly ``bits`` bits.
        """
        try:
            key = load_pem_private_key(pem, password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm) as problem:
            raise KeyRefused("not a private key") from problem
        if not isinstance(key, rsa.RSAPrivateKey):
            raise KeyRefused("not an RSA key")
        _rsa_modulus(key.public_key(), bits)
        numbers = key.private_numbers()
        return cls(numbers.p, numbers.q, numbers.dmp1, numbers.dmq1, numbers.iqmp)


def _rsa_modulus(key: object, bits: int) -> int:
    if not isinstance(key, rsa.RSAPublicKey):
        raise KeyRefused("not an RSA key")
    numbers = key.public_numbers()
    if numbers.e != PublicKey.e or numbers.n.bit_length() != bits:
        raise KeyRefused(f"need the exponent {PublicKey.e} and a modulus of {bits} bits")
    return numbers.n


def generate_key(bits: int = KEY_BITS) -> SigningKey:
    """Make a key from the system's randomness."""
    numbers = rsa.generate_private_key(PublicKey.e, bits).private_numbers()
    return SigningKey(numbers.p, numbers.q, numbers.dmp1, numbers.dmq1, numbers.iqmp)


# --- the server's half ---


def sign_blinded(key: SigningKey, z: bytes, random_bytes: RandomBytes = secrets.token_bytes) -> bytes:
    """Sign a blinded value: ``z^d mod n``, the same for the same z (RFC 9474, 4.3).

    What is exponentiated is ``z rho^e`` for a fresh rho, so that nobody outside chooses the base and times the work.

    Parameters
    ----------
    key : of one wave; for blind signatures and nothing else
    z : as long as the modulus, smaller than it and prime to it
    random_bytes : where rho comes from; given by tests alone

    Raises
    ------
    TokenRefused
        If z is not.
    SigningFault
        If the result does not verify.
    """
    public = key.public
    n, e = gmpy2.mpz(public.n), public.e
    value = int.from_bytes(z)
    if len(z) != public.size or value >= public.n or gcd(value, public.n) != 1:
        raise TokenRefused("the blinded value does not fit the key")
    rho = _unit(public, random_bytes)
    hidden = value * gmpy2.powmod_sec(rho, e, n) % n
    of_p = gmpy2.powmod_sec(hidden % key.p, key.dp, key.p)
    of_q = gmpy2.powmod_sec(hidden % key.q, key.dq, key.q)
    signed = of_q + key.q * (key.q_inverse * (of_p - of_q) % key.p)
    # Boneh, DeMillo, Lipton (EUROCRYPT 1997): one signature with an error in one half factors n.
    if gmpy2.powmod(signed, e, n) != hidden:
        raise SigningFault("a signature did not verify and was not given out")
    return int(signed * gmpy2.invert(rho, n) % n).to_bytes(public.size)


def verify(public: PublicKey, prepared: bytes, signature: bytes) -> bool:
    """Say whether a signature is this key's, on this prepared message of 64 bytes (RFC 9474, 4.5).

    Parameters
    ----------
    public : the wave's key
    prepared : the random prefix and the message, 32 bytes each; another length is not signed
    signature : as long as the modulus
    """
    return len(prepared) == PREPARED_BYTES and is_signed(public, prepared, signature, SALT_BYTES)


def is_signed(public: PublicKey, message: bytes, signature: bytes, salt_bytes: int) -> bool:
    """Verify RSA-PSS with SHA-384 over a message of any length, with a salt of just this length.

    Parameters
    ----------
    public : its modulus says how long a signature is
    message : of any length, not hashed yet
    signature : as long as the modulus; another length is not signed
    salt_bytes : exactly; 48 for tokens
    """
    if len(signature) != public.size:
        return False
    scheme = padding.PSS(mgf=padding.MGF1(hashes.SHA384()), salt_length=salt_bytes)
    try:
        _loaded(public).verify(signature, message, scheme, hashes.SHA384())
    except InvalidSignature:
        return False
    return True


@lru_cache(maxsize=64)
def _loaded(public: PublicKey) -> rsa.RSAPublicKey:
    return rsa.RSAPublicNumbers(public.e, public.n).public_key()


def token_digest(prepared: bytes) -> bytes:
    """SHA-256 of the prepared message, 32 bytes: all that is stored of a spent token."""
    return hashlib.sha256(prepared).digest()


# --- the phone's half, for tests and for the shell ---


def prepare(msg: bytes, random_bytes: RandomBytes = secrets.token_bytes) -> bytes:
    """Put 32 random bytes before a message of 32 (RFC 9474, 4.1): a key made with malice learns nothing from it.

    Raises
    ------
    TokenRefused
        If the message has another length.
    """
    if len(msg) != PART_BYTES:
        raise TokenRefused(f"a message has {PART_BYTES} bytes")
    return random_bytes(PART_BYTES) + msg


def blind(public: PublicKey, prepared: bytes, random_bytes: RandomBytes = secrets.token_bytes) -> tuple[bytes, bytes]:
    """Blind a prepared message of 64 bytes (RFC 9474, 4.2).

    Parameters
    ----------
    public : the wave's key
    prepared : 64 bytes, as `prepare` gives them
    random_bytes : where the salt and the blinding factor come from; given by tests alone

    Returns
    -------
    z, inverse : bytes
        What is sent to be signed, and what stays and takes the blinding off; both as long as the modulus.

    Raises
    ------
    TokenRefused
        If the prepared message has another length.
    """
    if len(prepared) != PREPARED_BYTES:
        raise TokenRefused(f"a prepared message has {PREPARED_BYTES} bytes")
    return blind_with(public, prepared, random_bytes(SALT_BYTES), _unit(public, random_bytes))


def blind_with(public: PublicKey, message: bytes, salt: bytes, r: int) -> tuple[bytes, bytes]:
    """Blind a message of any length with a given salt and blinding factor. Only ``blind`` chooses them safely.

    Parameters
    ----------
    public : of any size that the encoding fits
    message : of any length
    salt : of the encoding; 48 bytes for tokens
    r : the blinding factor, 1 to n - 1 and prime to n; known, it takes the blinding off

    Raises
    ------
    TokenRefused
        If the encoded message or r is not prime to the modulus.
    ValueError
        If hash and salt do not fit the modulus.
    """
    n, size = public.n, public.size
    encoded = int.from_bytes(encode_pss(message, n.bit_length() - 1, salt))
    if gcd(encoded, n) != 1 or gcd(r, n) != 1:
        raise TokenRefused("a value is not prime to the modulus")
    z = encoded * pow(r, public.e, n) % n
    return z.to_bytes(size), pow(r, -1, n).to_bytes(size)


def finalize(public: PublicKey, prepared: bytes, z_signed: bytes, inverse: bytes) -> bytes:
    """Take the blinding off and give the signature (RFC 9474, 4.4).

    Parameters
    ----------
    public : the wave's key
    prepared : the 64 bytes that were blinded
    z_signed : what the server gave for z
    inverse : what `blind` gave beside z

    Raises
    ------
    TokenRefused
        If a length is wrong or the signature does not verify.
    """
    signature = unblind(public, z_signed, inverse)
    if not verify(public, prepared, signature):
        raise TokenRefused("the signature is not this key's")
    return signature


def unblind(public: PublicKey, z_signed: bytes, inverse: bytes) -> bytes:
    """Multiply by the inverse of the blinding factor; verifies nothing.

    Parameters
    ----------
    public : the wave's key
    z_signed : what the server gave for z, as long as the modulus
    inverse : what `blind` gave beside z, as long as the modulus

    Raises
    ------
    TokenRefused
        If a length is wrong.
    """
    if len(z_signed) != public.size or len(inverse) != public.size:
        raise TokenRefused("not as long as the modulus")
    return (int.from_bytes(z_signed) * int.from_bytes(inverse) % public.n).to_bytes(public.size)


def encode_pss(message: bytes, bits: int, salt: bytes) -> bytes:
    """EMSA-PSS-ENCODE with SHA-384 and MGF1-SHA-384 into at most ``bits`` bits (RFC 8017, 9.1.1).

    Parameters
    ----------
    message : of any length, not hashed yet
    bits : one less than the modulus has
    salt : drawn anew for each signature

    Raises
    ------
    ValueError
        If hash and salt do not fit into so few bits.
    """
    size = (bits + 7) // 8
    filling = size - len(salt) - HASH_BYTES - 2
    if filling < 0:
        raise ValueError(f"{bits} bits are too few")
    hashed = hashlib.sha384(bytes(8) + hashlib.sha384(message).digest() + salt).digest()
    block = bytes(filling) + b"\x01" + salt
    mask = _mgf1(hashed, len(block))
    masked = bytes(a ^ b for a, b in zip(block, mask, strict=True))
    return bytes([masked[0] & 0xFF >> 8 * size - bits]) + masked[1:] + hashed + b"\xbc"


def _mgf1(seed: bytes, length: int) -> bytes:
    """RFC 8017, B.2.1."""
    rounds = -(-length // HASH_BYTES)
    return b"".join(hashlib.sha384(seed + i.to_bytes(4)).digest() for i in range(rounds))[:length]


def _unit(public: PublicKey, random_bytes: RandomBytes) -> int:
    """Draw uniformly from 1 to n - 1, prime to n. Drawn again rather than reduced: a remainder would not be uniform."""
    while True:
        drawn = int.from_bytes(random_bytes(public.size))
        if 0 < drawn < public.n and gcd(drawn, public.n) == 1:
            return drawn


# --- the token as text ---


def encode_token(prepared: bytes, signature: bytes) -> str:
    """Write prepared message and signature as 598 letters of base64url without padding.

    Raises
    ------
    TokenRefused
        If a length is wrong.
    """
    if (len(prepared), len(signature)) != (PREPARED_BYTES, SIGNATURE_BYTES):
        raise TokenRefused(f"a token is {PREPARED_BYTES} and {SIGNATURE_BYTES} bytes")
    return base64.urlsafe_b64encode(prepared + signature).decode("ascii").rstrip("=")


def decode_token(text: str) -> tuple[bytes, bytes]:
    """Read prepared message and signature. One token has one text: no padding, no spaces, no spare bits.

    Raises
    ------
    TokenRefused
        If it is anything else. The text is not repeated in the error.
    """
    if not _TOKEN.fullmatch(text):
        raise TokenRefused(f"a token has {TOKEN_LETTERS} letters of base64url")
    both = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    prepared, signature = both[:PREPARED_BYTES], both[PREPARED_BYTES:]
    if encode_token(prepared, signature) != text:
        raise TokenRefused("a token has no spare bits")
    return prepared, signature
