"""Rings: who may read concern reports, version 2. Signed by two of three seats away from the server, and they expire.

Number 1 is signed by two seats of the house file, each next one by two seats of the ring before; a `still` by the same
seats lengthens a ring without changing it. A handler stands on a ring with her own signed statement, so that nobody
else's key can be written beside her name (docs/protocol.md).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from surveys import signed
from surveys.public.house import SEATS, HouseFile
from surveys.public.statements import RingRefused, read_statement
from surveys.signed import (
    NotSigned,
    day,
    exactly,
    flag,
    hexed,
    listed,
    named,
    object_of,
    recipient,
    shaped,
    text_of,
    texts_by_language,
    whole,
)

LONGEST_DAYS = 120
FEWEST_INSIDE = 2
MOST_READERS = 6
RECOVERY_SEATS = ("a", "b", "c")
_READER = object_of({"statement": text_of(1, 4000), "role": texts_by_language, "outside": flag})
_HOLDER = object_of({"seat": exactly(*RECOVERY_SEATS), "name": named(1, 120), "recipient": recipient})
_RING = {
    "v": exactly(2),
    "house": hexed(32),
    "number": whole(1, 10_000),
    "before": hexed(32),
    "day": day,
    "until": day,
    "signers": object_of({seat: hexed(32) for seat in SEATS}),
    "readers": listed(_READER, 3, MOST_READERS),
    "recovery": listed(_HOLDER, 0, 3),
}
_STILL = {"v": exactly(2), "house": hexed(32), "number": whole(1, 10_000), "hash": hexed(32), "day": day, "until": day}
NONE = "0" * 64


@dataclass(frozen=True, slots=True)
class Reader:
    """A handler on a ring; `outside` is the substitute."""

    id: str
    name: str
    role: Mapping[str, str]
    outside: bool
    recipient: str
    signer: str
    statement: str


@dataclass(frozen=True, slots=True)
class RecoveryHolder:
    """One of three who can, two together, open what no handler can any more."""

    seat: str
    name: str
    recipient: str


@dataclass(frozen=True, slots=True)
class Ring:
    """One valid ring. `until` is the last day by the ring itself or by its newest still."""

    number: int
    before: str
    day: date
    until: date
    signers: Mapping[str, str]
    readers: tuple[Reader, ...]
    recovery: tuple[RecoveryHolder, ...]
    text: str
    signatures: tuple[Mapping[str, str], ...]

    @property
    def hash(self) -> str:
        return signed.digest(self.text)

    @property
    def inside(self) -> tuple[Reader, ...]:
        return tuple(reader for reader in self.readers if not reader.outside)

    def reader(self, name: str) -> Reader | None:
        return next((reader for reader in self.readers if reader.id == name), None)

    def is_overdue(self, today: date) -> bool:
        """An overdue ring warns; it never stops a report."""
        return today > self.until


@dataclass(frozen=True, slots=True)
class Wanted:
    """A reader for the next ring: her signed statement, her role by language, outside or not."""

    statement: str
    role: Mapping[str, str]
    outside: bool = False


def draft(
    house: HouseFile,
    on: date,
    readers: Sequence[Wanted],
    recovery: Sequence[RecoveryHolder] = (),
    *,
    before: Ring | None = None,
    until: date | None = None,
    signers: Mapping[str, str] | None = None,
    adopts: str = NONE,
) -> str:
    """Write the text of the next ring, to be signed (docs/protocol.md, 3).

    Parameters
    ----------
    house : of this installation
    on : its first day
    readers : 3 to 6, two or more inside and one or more outside
    recovery : nobody, or the three seats in order, each with a key of her own
    before : the ring in use; None for number 1
    until : its last day, at most 120 days after the first; None takes those
    signers : the three keys from now on, by seat; None keeps those of before, or the house's
    adopts : for number 1: the fingerprint of the last keyring of version 1, whose chain the signers vouch for

    Raises
    ------
    RingRefused
        If it would not be a ring; who signs it is not asked here.
    """
    content = {
        "v": 2,
        "house": house.hash,
        "number": before.number + 1 if before else 1,
        "before": before.hash if before else adopts,
        "day": on.isoformat(),
        "until": (until or on + timedelta(days=LONGEST_DAYS)).isoformat(),
        "signers": dict(signers or (before.signers if before else house.keys)),
        "readers": [{"statement": r.statement, "role": dict(r.role), "outside": r.outside} for r in readers],
        "recovery": [{"seat": h.seat, "name": h.name, "recipient": h.recipient} for h in recovery],
    }
    text = signed.canonical(content)
    _read(text, (), house)
    return text


def sign(text: str, seed: bytes) -> dict[str, str]:
    """One seat's signature of a ring."""
    return {"key": signed.public_of(seed), "sig": signed.signature(text, "ring", seed)}


def _read(text: str, signatures: Sequence[Mapping[str, str]], house: HouseFile) -> Ring:
    try:
        body = shaped(signed.parse(text), _RING)
    except NotSigned as problem:
        raise RingRefused(f"a ring: {problem}") from problem
    if body["house"] != house.hash:
        raise RingRefused("a ring of another house")
    begins, until = date.fromisoformat(body["day"]), date.fromisoformat(body["until"])
    _check_days(begins, until)
    readers = []
    for one in body["readers"]:
        who = read_statement(one["statement"], house.hash)
        readers.append(
            Reader(who.id, who.name, one["role"], one["outside"], who.recipient, who.signer, one["statement"])
        )
    for what in ("id", "recipient", "signer"):
        if len({getattr(reader, what) for reader in readers}) != len(readers):
            raise RingRefused(f"two readers have the same {what}")
    recovery = tuple(RecoveryHolder(h["seat"], h["name"], h["recipient"]) for h in body["recovery"])
    apart = {holder.recipient for holder in recovery} | {reader.recipient for reader in readers}
    if recovery and (tuple(h.seat for h in recovery) != RECOVERY_SEATS or len(apart) != len(readers) + 3):
        raise RingRefused("a recovery key has three holders with keys of their own")
    ring = Ring(
        body["number"],
        body["before"],
        begins,
        until,
        body["signers"],
        tuple(readers),
        recovery,
        text,
        tuple(signatures),
    )
    if len(ring.inside) < FEWEST_INSIDE or len(ring.inside) == len(readers):
        raise RingRefused("a ring needs two handlers inside and a substitute outside")
    if len(set(ring.signers.values())) != len(SEATS):
        raise RingRefused("the three seats need three different keys")
    return ring


def _check_days(begins: date, until: date) -> None:
    if not begins <= until <= begins + timedelta(days=LONGEST_DAYS):
        raise RingRefused(f"a ring lasts at most {LONGEST_DAYS} days")


def check_names(ring: Ring, before: Iterable[Ring]) -> None:
    """Refuse an account that was somebody else's: pages would call her the author of letters that another wrote."""
    names = {reader.id: reader.name for old in before for reader in old.readers}
    for reader in ring.readers:
        if reader.id in names and signed.alike(names[reader.id]) != signed.alike(reader.name):
            raise RingRefused(f"{reader.id} was the account of {names[reader.id]}: another person needs one of her own")


def check_begun(text: str, today: date) -> None:
    """Refuse what begins later: 120 days from a day to come would be more than 120 days from now."""
    if date.fromisoformat(signed.parse(text)["day"]) > today:
        raise RingRefused("it begins on a day to come: the clock of the device that wrote it is ahead")


def read_draft(text: str, house: HouseFile) -> Ring:
    """Read a ring that is not signed yet: for whoever is asked to sign it.

    Raises
    ------
    RingRefused
    """
    return _read(text, (), house)


def verify(text: str, signatures: Sequence[Mapping[str, str]], house: HouseFile, before: Ring | None) -> Ring:
    """Read a ring and check that two seats of the one before (or of the house) signed it.

    Parameters
    ----------
    text : the ring, in its one form
    signatures : each ``key`` and ``sig`` in hex, over the whole text; those of other keys count for nothing
    house : of this installation
    before : the ring before, checked; None for number 1

    Raises
    ------
    RingRefused
    """
    ring = _read(text, signatures, house)
    if before is None and ring.number != 1:
        raise RingRefused("the first ring has number 1")
    if before is not None and (ring.number, ring.before) != (before.number + 1, before.hash):
        raise RingRefused("this ring does not follow the one in use")
    if before is not None and ring.day < before.day:
        raise RingRefused("a ring is not older than the one before")
    keys = list((before.signers if before else house.keys).values())
    if not signed.is_signed_by_two(text, "ring", signatures, keys):
        raise RingRefused("two of the three signatures are missing or wrong")
    return ring


@dataclass(frozen=True, slots=True)
class Chain:
    """All rings from the first on, the newest with its still; and the still as stored, to be handed on."""

    rings: tuple[Ring, ...]
    still: tuple[str, tuple[Mapping[str, str], ...]] | None

    @property
    def newest(self) -> Ring:
        return self.rings[-1]

    def numbered(self, number: int) -> Ring | None:
        return self.rings[number - 1] if 1 <= number <= len(self.rings) else None


def chain(versions: Sequence[tuple[str, Sequence[Mapping[str, str]]]], house: HouseFile) -> tuple[Ring, ...]:
    """Check rings from number 1 on.

    Raises
    ------
    RingRefused
    """
    found: list[Ring] = []
    for text, signatures in versions:
        found.append(verify(text, signatures, house, found[-1] if found else None))
    return tuple(found)


def draft_still(house: HouseFile, ring: Ring, on: date, until: date | None = None) -> str:
    """Write the text that lengthens a ring, to be signed by two of its seats.

    Parameters
    ----------
    house : of this installation
    ring : the one in use
    on : the day it is written
    until : the last day, at most 120 days later; None takes those

    Raises
    ------
    RingRefused
        If it is later, or before `on`.
    """
    wanted = until or on + timedelta(days=LONGEST_DAYS)
    _check_days(on, wanted)
    return signed.canonical(
        {
            "v": 2,
            "house": house.hash,
            "number": ring.number,
            "hash": ring.hash,
            "day": on.isoformat(),
            "until": wanted.isoformat(),
        }
    )


def sign_still(text: str, seed: bytes) -> dict[str, str]:
    return {"key": signed.public_of(seed), "sig": signed.signature(text, "still", seed)}


def lengthened(ring: Ring, text: str, signatures: Sequence[Mapping[str, str]], house: HouseFile) -> Ring:
    """The ring with the later last day of a still.

    Parameters
    ----------
    ring : the one in use
    text : the still, in its one form
    signatures : each ``key`` and ``sig`` in hex, of the ring's own signers
    house : of this installation

    Raises
    ------
    RingRefused
        If the still is of another ring or of too many days, or two of its signatures are missing.
    """
    try:
        body = shaped(signed.parse(text), _STILL)
    except NotSigned as problem:
        raise RingRefused(f"a still: {problem}") from problem
    if (body["house"], body["number"], body["hash"]) != (house.hash, ring.number, ring.hash):
        raise RingRefused("a still of another ring")
    begins, until = date.fromisoformat(body["day"]), date.fromisoformat(body["until"])
    _check_days(begins, until)
    if not signed.is_signed_by_two(text, "still", signatures, list(ring.signers.values())):
        raise RingRefused("two of the three signatures are missing or wrong")
    values: dict[str, Any] = {name: getattr(ring, name) for name in Ring.__dataclass_fields__}
    return Ring(**values | {"until": max(ring.until, until)})
