"""What comes in, checked: the forms of reports and replies, and the rows of an epoch. Malformed things go no further.

The server checks form, size and order. It cannot read what is inside, and decides nothing of what letters decide.
"""

import base64
import binascii
import hashlib
import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import msgspec

from surveys.cases import age_file
from surveys.cases.age_file import sealed_size
from surveys.cases.keeper import RECOVERY, REPORTER, Keeper
from surveys.cases.tables import Epoch, Wrap
from surveys.cases.wraps import LINK_BYTES, PAIRS, WRAP_BYTES, pair_name

SLOTS = 10
"""Wraps of each epoch, dummies included: six readers, the reporter, three pairs of recovery holders."""
WRAP_SEALED = sealed_size(WRAP_BYTES)
LINK_SEALED = sealed_size(LINK_BYTES)
MESSAGE_LIMIT = 256 * 1024
FILES = 5
STREAMS = ("thread", "notes", "diary")
_HEX = frozenset("0123456789abcdef")


class ReportRefused(Exception):
    """What came is not a report of ours; the text names the field."""


class AlreadyThere(ReportRefused):
    """This code has a report already, and it is another one."""


class CaseUnknown(Exception):
    """No such code, a wrong one, or a deleted case: nobody is told which."""


class OutOfStep(Exception):
    """Somebody wrote in between: read the thread again, then send."""


class SealedEpoch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A new epoch: its private half sealed to each reader by row name (base64), and that of the one before sealed to it.
    Its public half is never sent: who cannot read cannot write."""

    stream: str
    number: int
    wraps: dict[str, str]
    link: str = ""


class Report(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A new report or diary as the script, or the child process, makes it: one epoch and its first letter."""

    case: str
    locator: str
    auth: str
    epochs: list[SealedEpoch]
    letters: list[str]
    uploads: list[str]
    work: str = ""


class Reply(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One more letter of a reporter and the epoch it is sealed to; with `epochs` when a diary becomes a report."""

    locator: str
    auth: str
    stream: str
    number: int
    sealed: str
    uploads: list[str]
    epoch: int = 0
    epochs: list[SealedEpoch] = []
    contest: bool = False


@dataclass(frozen=True, slots=True)
class Proof:
    """What the server stores of a code."""

    locator: bytes
    auth: bytes


def hexed(text: str, length: int, field: str) -> bytes:
    """Read so many bytes of hex.

    Parameters
    ----------
    text : hex in small letters, without spaces: one writing for one value
    length : in bytes
    field : what a refusal names

    Raises
    ------
    ReportRefused
        If they are not.
    """
    if len(text) != 2 * length or not set(text) <= _HEX:
        raise ReportRefused(field)
    return bytes.fromhex(text)


def sealed_bytes(text: str, field: str, limit: int = MESSAGE_LIMIT) -> bytes:
    """Read base64 of an age file.

    Parameters
    ----------
    text : base64 with padding
    field : what a refusal names
    limit : so many bytes are taken, without the base64

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


def epoch_rows(
    case: int, epoch: SealedEpoch, keeper: Keeper, allowed: Collection[str], maker: str, at: int
) -> tuple[Epoch, list[Wrap]]:
    """Make the rows of an epoch: each wrap under its reader's blind name, dummies up to the fixed number.

    Parameters
    ----------
    case : its number, 63 bits
    epoch : as it was sent; numbers 1 to 1000
    keeper : gives the blind names
    allowed : the names that a wrap may be for (`names_on`)
    maker : ``reporter`` or an account; kept under a blind name
    at : the number of the letter that brought it

    Returns
    -------
    The epoch's row, and ten rows of wraps.

    Raises
    ------
    ReportRefused
        If stream or number is out of bounds, a wrap is for nobody on the list, or a size is not the one size.
    """
    if epoch.stream not in STREAMS or not 1 <= epoch.number <= 1000:
        raise ReportRefused("epoch")
    if len(epoch.wraps) > SLOTS or not set(epoch.wraps) <= set(allowed):
        raise ReportRefused("wraps")
    link = sealed_bytes(epoch.link, "link") if epoch.link else b""
    first = epoch.number == 1 or (epoch.stream == "notes" and not link)  # of notes there may be none before
    if len(link) != (0 if first else LINK_SEALED):
        raise ReportRefused("link")
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
    made = Epoch(
        id=key,
        case=case,
        stream=epoch.stream,
        number=epoch.number,
        link=link,
        at=at,
        confirmed=epoch.number == 1,
        maker=keeper.reader(case, "maker", maker),
    )
    return made, rows


def dummy_wrap() -> tuple[bytes, bytes]:
    """A wrap for nobody, which no size or form tells from the others."""
    return os.urandom(32), age_file.noise(WRAP_BYTES)


def names_on(readers: Sequence[str]) -> list[str]:
    """Everybody a wrap may be for."""
    return [REPORTER, *(pair_name(pair) for pair in PAIRS), RECOVERY, *readers]
