"""What comes in, checked: the forms of reports and replies, and the rows of an epoch. Malformed things go no further."""

import base64
import binascii
import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from surveys.cases.age_file import sealed_size
from surveys.cases.keeper import RECOVERY, REPORTER, Keeper
from surveys.cases.sealing import WRAP_BYTES, encrypt, is_recipient, new_identity
from surveys.cases.tables import Epoch, Wrap
from surveys.public.keyring import Keyring

SLOTS = 8
"""Wraps of each epoch, dummies included."""
WRAP_SEALED = sealed_size(WRAP_BYTES)
MESSAGE_LIMIT = 256 * 1024
MESSAGES_AT_ONCE = 60
FILES = 5


class ReportRefused(Exception):
    """What came is not a report of ours; the text names the field."""


class AlreadyThere(ReportRefused):
    """This code has a report already, and it is another one."""


class CaseUnknown(Exception):
    """No such code, a wrong one, or a deleted case: nobody is told which."""


class OutOfStep(Exception):
    """Somebody wrote in between: read the thread again, then send."""


class SealedEpoch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A new epoch: its public half, and its private half sealed to each reader by name (base64)."""

    stream: str
    number: int
    recipient: str
    wraps: dict[str, str]


class Report(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A new report or diary as the script, or the child process, makes it."""

    case: str
    locator: str
    auth: str
    reader: str
    signer: str
    epoch: SealedEpoch
    messages: list[str]
    uploads: list[str]
    work: str = ""


class Reply(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One more message of a reporter; with an `epoch` when a diary becomes a report."""

    locator: str
    auth: str
    stream: str
    number: int
    sealed: str
    uploads: list[str]
    epoch: SealedEpoch | None = None
    contest: bool = False


@dataclass(frozen=True, slots=True)
class Proof:
    """What the server stores of a code."""

    locator: bytes
    auth: bytes


def hexed(text: str, length: int, field: str) -> bytes:
    """Read so many bytes of hex.

    Raises
    ------
    ReportRefused
        If they are not.
    """
    try:
        content = bytes.fromhex(text)
    except ValueError as problem:
        raise ReportRefused(field) from problem
    if len(content) != length:
        raise ReportRefused(field)
    return content


def sealed_bytes(text: str, field: str, limit: int = MESSAGE_LIMIT) -> bytes:
    """Read base64 of an age file.

    Raises
    ------
    ReportRefused
        If it is none, or too large.
    """
    try:
        content = base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error) as problem:
        raise ReportRefused(field) from problem
    if not content.startswith(b"age-encryption.org/v1\n") or len(content) > limit:
        raise ReportRefused(field)
    return content


def proof_of(locator: str, auth: str) -> Proof:
    return Proof(
        hashlib.sha256(hexed(locator, 32, "locator")).digest(), hashlib.sha256(hexed(auth, 32, "auth")).digest()
    )


def case_number(text: str) -> int:
    number = int.from_bytes(hexed(text, 8, "case"), "big")
    if number >> 63:
        raise ReportRefused("case")
    return number


def row_id(*parts: object) -> int:
    """A key made of what the row is: a second row of the same place cannot be inserted."""
    digest = hashlib.sha256(" ".join(str(part) for part in parts).encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def epoch_rows(case: int, epoch: SealedEpoch, keeper: Keeper, allowed: Sequence[str]) -> tuple[Epoch, list[Wrap]]:
    """Make the rows of an epoch: each wrap under its reader's blind name, dummies up to the fixed number.

    Raises
    ------
    ReportRefused
        If a wrap is for nobody on the keyring, or of another size than all others.
    """
    if not is_recipient(epoch.recipient) or not 1 <= epoch.number <= 10_000:
        raise ReportRefused("epoch")
    if len(epoch.wraps) > SLOTS or not set(epoch.wraps) <= set(allowed):
        raise ReportRefused("wraps")
    key = row_id(case, epoch.stream, "epoch", epoch.number)
    wraps = []
    for name, text in epoch.wraps.items():
        sealed = sealed_bytes(text, "wraps")
        if len(sealed) != WRAP_SEALED:
            raise ReportRefused("wraps")
        wraps.append((keeper.reader(case, epoch.stream, name), sealed))
    while len(wraps) < SLOTS:
        wraps.append(dummy_wrap())
    rows = [Wrap(id=int.from_bytes(os.urandom(8), "big") >> 1, epoch=key, reader=r, sealed=s) for r, s in wraps]
    return Epoch(id=key, case=case, stream=epoch.stream, number=epoch.number, recipient=epoch.recipient), rows


def dummy_wrap() -> tuple[bytes, bytes]:
    """A wrap for nobody, which no size or form tells from the others."""
    return os.urandom(32), encrypt(os.urandom(WRAP_BYTES), new_identity()[1])


def names_on(keyrings: Sequence[Keyring]) -> list[str]:
    """Everybody a wrap may be for."""
    return [REPORTER, RECOVERY, *(reader.id for keyring in keyrings for reader in keyring.readers)]
