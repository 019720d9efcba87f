"""A holder of the urn, version 2: keys that her own device makes of eight words, her statement, her confirmation. Pure.

The words never reach a server. They give a P-256 key, to which sheets are sealed in pairs, and an Ed25519 key, which signs
what she says of herself and, later, that she has read the plan in which it stands. The browser's half is
``server/static/holder.js``; docs/protocol-urn.md says every byte.
"""

from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from nacl.pwhash import argon2id

from surveys import signed
from surveys.answers.keys import SEATS, HolderSecret
from surveys.public.statements import fingerprint_words
from surveys.signed import NotSigned, exactly, hexed, named, shaped, text_of

TIME, MEMORY = 3, 64 * 1024 * 1024
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""The order of P-256 (FIPS 186-4)."""
_WAVE = text_of(1, 40)
_STATEMENT = {
    "v": exactly(2),
    "house": hexed(32),
    "wave": _WAVE,
    "seat": exactly(*SEATS),
    "name": named(1, 120),
    "point": hexed(65),
    "signer": hexed(32),
    "day": signed.day,
}
_CONFIRM = {"v": exactly(2), "plan": hexed(32), "seat": exactly(*SEATS), "day": signed.day}


class HolderRefused(ValueError):
    """A holder's statement or confirmation is not valid; the text says what is wrong with it."""


@dataclass(frozen=True, slots=True, repr=False)
class HolderKeys:
    """The private halves of a holder's keys, for one wave and seat."""

    private: ec.EllipticCurvePrivateKey
    seed: bytes

    @property
    def point(self) -> bytes:
        """The public point, uncompressed: 65 bytes."""
        return self.private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)

    @property
    def signer(self) -> str:
        return signed.public_of(self.seed)


def holder_keys(secret: HolderSecret, house: str, wave: str, seat: str) -> HolderKeys:
    """Derive the keys of eight words: Argon2id (3 passes, 64 MiB), then HKDF-SHA256 (docs/protocol-urn.md, Holders).

    Parameters
    ----------
    secret : HolderSecret
        Lower case with single spaces, as `read_secret` gives it: another writing of the same words gives other keys.
    house : str
        The hash of the house file, 64 hex: the same words of another installation give other keys.
    wave, seat : str
        The wave's id and one of `SEATS`: both go into the salt, so that every seat of every wave has keys of its own.
    """
    salt = sha256(f"ascolto holder v2 {house} {wave} {seat}".encode()).digest()[: argon2id.SALTBYTES]
    made = argon2id.kdf(32, secret.encode(), salt, opslimit=TIME, memlimit=MEMORY)
    scalar = int.from_bytes(_derived(made, b"ascolto holder v2 p256", 48)) % (ORDER - 1) + 1
    return HolderKeys(ec.derive_private_key(scalar, ec.SECP256R1()), _derived(made, b"ascolto holder v2 ed25519", 32))


def _derived(seed: bytes, label: bytes, size: int) -> bytes:
    return HKDF(SHA256(), size, None, label).derive(seed)


@dataclass(frozen=True, slots=True)
class HolderStatement:
    """What a holder says of herself and signs: her seat in a wave and the public halves of her keys."""

    seat: str
    name: str
    point: bytes
    signer: str
    day: date
    text: str
    hash: str

    @property
    def words(self) -> tuple[str, ...]:
        """Six words (66 bits) that she reads to each signer of the plan."""
        return fingerprint_words(self.hash)


def state(keys: HolderKeys, house: str, wave: str, seat: str, name: str, on: date) -> str:
    """Write and sign a holder's statement.

    Parameters
    ----------
    keys : HolderKeys
        Derived for the same house, wave and seat.
    house : str
        ρ, 64 hex.
    wave, seat : str
        The wave's id, 1 to 40 characters, and one of `SEATS`.
    name : str
        How people know her, 1 to 120 characters on one line. Nothing is checked here: `read_statement` refuses.
    on : date
        The day she signs.
    """
    body = {
        "v": 2,
        "house": house,
        "wave": wave,
        "seat": seat,
        "name": name,
        "point": keys.point.hex(),
        "signer": keys.signer,
        "day": on.isoformat(),
    }
    return signed.sign(body, "holder", keys.seed)


def read_statement(text: str, house: str, wave: str) -> HolderStatement:
    """Read a holder's statement and check that her own key signed it, for this house and wave.

    Parameters
    ----------
    text : str
        The signed text, in its one form.
    house : str
        ρ of this installation, 64 hex: the statement must name it.
    wave : str
        The wave's id, which it must name too.

    Raises
    ------
    HolderRefused
        If it has another form, is of another house or wave, signed by another key than it names, or its point is none.
    """
    found, body = _read(text, "holder", _STATEMENT)
    if (body["house"], body["wave"]) != (house, wave):
        raise HolderRefused("the statement is of another house or wave")
    if body["signer"] != found.key:
        raise HolderRefused("the statement is signed by another key")
    point = bytes.fromhex(body["point"])
    try:
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    except ValueError as problem:
        raise HolderRefused("the point is not on the curve") from problem
    return HolderStatement(
        body["seat"], body["name"], point, body["signer"], date.fromisoformat(body["day"]), text, found.hash
    )


def confirm(keys: HolderKeys, plan: str, seat: str, on: date) -> str:
    """Sign that the plan of this hash, with one's own statement in it, is the one that was read.

    Parameters
    ----------
    keys : HolderKeys
        Hers, after both halves were found in the plan; that is the caller's to check.
    plan : str
        π, 64 hex.
    seat : str
        One of `SEATS`.
    on : date
        The day she signs.
    """
    return signed.sign({"v": 2, "plan": plan, "seat": seat, "day": on.isoformat()}, "confirm", keys.seed)


def read_confirm(text: str, plan: str, holder: HolderStatement) -> date:
    """Check that this holder confirmed this plan; gives the day.

    Parameters
    ----------
    text : str
        The signed text, in its one form.
    plan : str
        π of the plan that must be meant, 64 hex.
    holder : HolderStatement
        Her statement in that plan: seat and key must be hers.

    Raises
    ------
    HolderRefused
        If it has another form, or is of another plan, seat or key.
    """
    found, body = _read(text, "confirm", _CONFIRM)
    if (body["plan"], body["seat"], found.key) != (plan, holder.seat, holder.signer):
        raise HolderRefused("the confirmation is of another plan, seat or holder")
    return date.fromisoformat(body["day"])


def _read(text: str, purpose: str, shape: dict[str, signed.Shape]) -> tuple[signed.Signed, dict[str, Any]]:
    try:
        found = signed.read(text, purpose)
        return found, shaped(found.body, shape)
    except NotSigned as problem:
        raise HolderRefused(str(problem)) from problem
