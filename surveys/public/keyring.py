"""Keyrings of version 1: who could read cases that were begun before rings. Read only; new lists are rings (`rings`).

Each names the one before by its fingerprint and is signed by the two signers of that one. Nothing anchored the first; the
first ring vouches for the last of them.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from nacl.exceptions import BadSignatureError
from nacl.signing import VerifyKey

from surveys.public.tables import Keyring as KeyringRow

PURPOSE = "ascolto keyring v1\n"
MOST_READERS = 6
FEWEST_INSIDE = 2


class KeyringRefused(Exception):
    """A keyring is not valid; the text says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Signer:
    """One of the two who sign: ``legal`` (legal representative) or ``staff`` (staff representative)."""

    seat: str
    name: str
    key: str


@dataclass(frozen=True, slots=True)
class Reader:
    """A handler: `id` is the account, `recipient` an age key, `signer` an Ed25519 key in hex; `outside` is the substitute."""

    id: str
    name: str
    role: Mapping[str, str]
    outside: bool
    recipient: str
    signer: str


@dataclass(frozen=True, slots=True)
class Keyring:
    """One valid version. `recovery` is the age recipient of the organisation's recovery key, or nothing."""

    number: int
    before: str
    day: date
    signers: tuple[Signer, ...]
    readers: tuple[Reader, ...]
    recovery: str
    recovery_holders: tuple[str, ...]
    text: str
    signatures: tuple[str, ...]

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the signed text, in hex: what posters carry."""
        return fingerprint_of(self.text)

    @property
    def inside(self) -> tuple[Reader, ...]:
        return tuple(reader for reader in self.readers if not reader.outside)

    def reader(self, name: str) -> Reader | None:
        return next((reader for reader in self.readers if reader.id == name), None)


def fingerprint_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _read(text: str, signatures: Sequence[str]) -> Keyring:
    try:
        content: dict[str, Any] = json.loads(text)
        keyring = Keyring(
            int(content["number"]),
            str(content["before"]),
            date.fromisoformat(content["day"]),
            tuple(Signer(**signer) for signer in content["signers"]),
            tuple(Reader(**reader) for reader in content["readers"]),
            str(content["recovery"]),
            tuple(content["recovery_holders"]),
            text,
            tuple(signatures),
        )
    except (ValueError, KeyError, TypeError) as problem:
        raise KeyringRefused("not a keyring") from problem
    if {signer.seat for signer in keyring.signers} != {"legal", "staff"} or len(keyring.signers) != 2:
        raise KeyringRefused("a keyring names two signers: legal and staff")
    if keyring.signers[0].key == keyring.signers[1].key:
        raise KeyringRefused("the two signers have the same key")
    if len(keyring.inside) < FEWEST_INSIDE:
        raise KeyringRefused("a channel needs at least two handlers")
    if len(keyring.inside) == len(keyring.readers):
        raise KeyringRefused("a channel needs an outside substitute")
    if len(keyring.readers) > MOST_READERS:
        raise KeyringRefused(f"at most {MOST_READERS} may read")
    for what in ("id", "recipient", "signer"):
        if len({getattr(reader, what) for reader in keyring.readers}) != len(keyring.readers):
            raise KeyringRefused(f"two readers have the same {what}")
    return keyring


def verify(text: str, signatures: Sequence[str], before: Keyring | None = None) -> Keyring:
    """Read a keyring and check both signatures: by its own signers and, after the first, by those of the one before.

    Parameters
    ----------
    text : the keyring; every signature is over the whole of it
    signatures : in hex, in any order
    before : the one before, checked; None for number 1

    Raises
    ------
    KeyringRefused
        If a signature is missing or wrong, or it does not follow `before`.
    """
    keyring = _read(text, signatures)
    if before is not None and (keyring.before, keyring.number) != (before.fingerprint, before.number + 1):
        raise KeyringRefused("this keyring does not follow the one in use")
    if before is None and keyring.number != 1:
        raise KeyringRefused("the first keyring has number 1")
    for signers in {keyring.signers, before.signers if before else keyring.signers}:
        for signer in signers:
            if not any(_is_signed(text, signature, signer.key) for signature in signatures):
                raise KeyringRefused(f"the signature of {signer.name} is missing or wrong")
    return keyring


def _is_signed(text: str, signature: str, key: str) -> bool:
    try:
        VerifyKey(bytes.fromhex(key)).verify((PURPOSE + text).encode(), bytes.fromhex(signature))
    except (ValueError, BadSignatureError):
        return False
    return True


async def versions() -> tuple[Keyring, ...]:
    """All versions, the first one first; each is checked again when it is read.

    Raises
    ------
    KeyringRefused
        If what is stored was changed.
    """
    found: list[Keyring] = []
    for row in await KeyringRow.select().order_by(KeyringRow.number):
        try:
            text, signatures = str(row["text"]), json.loads(row["signatures"])
            found.append(verify(text, signatures, found[-1] if found else None))
        except (AttributeError, LookupError, TypeError, ValueError) as problem:
            raise KeyringRefused("a keyring has another shape") from problem
    return tuple(found)
